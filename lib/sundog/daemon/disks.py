"""Passive holders (partitions, witnesses, an ensemble), each in a thread of its own: a slow one delays nobody else.

While one exchange runs only the newest of those that wait is kept; the others are answered as failed. One that is not
over in time is answered as failed, and what it gives later is dropped. The threads do not keep the daemon from ending,
unless the kernel holds one in a read or write of a raw disk that hangs.
What a holder has of ours from before is read before the first write, and never overwritten by less (paxos.merged).
"""
import asyncio
import queue
import threading
from typing import Callable, Iterable, Optional, Tuple

from sundog.core import paxos
from sundog.core.effects import WriteDisk
from sundog.core.events import DiskAnswered
from sundog.core.frames import Block
from sundog.errors import SundogError
from sundog.link.passive import HolderRefused, Passive

Answer = Callable[[DiskAnswered], None]
Tell = Callable[[str, str, str], None]  # code, severity, text
Outcome = Tuple[Optional[Tuple[Block, ...]], Optional[SundogError]]


class HolderWorker:
    """One passive holder of the node `me`. `kind`: "disk", "witness" or "zookeeper"; `within_s`: its deadline."""

    def __init__(self, loop: asyncio.AbstractEventLoop, me: str, holder: str, kind: str, passive: Passive,
                 within_s: float, answer: Answer, tell: Tell) -> None:
        self.loop, self.me, self.holder, self.kind, self.passive = loop, me, holder, kind, passive
        self.within_s, self.answer, self.tell = within_s, answer, tell
        self._kept: Optional[Block] = None              # what the holder has of us
        self._known = False
        self._orders: "queue.SimpleQueue[Optional[WriteDisk]]" = queue.SimpleQueue()
        self._running: Optional[WriteDisk] = None       # in the thread now
        self._answered = False                          # the one in the thread was answered as late
        self._late: Optional[asyncio.TimerHandle] = None
        self._next: Optional[WriteDisk] = None
        self._trouble = self._life = ""
        self._closed = False
        threading.Thread(target=self._work, name=f"{kind}-{holder}", daemon=True).start()

    def write(self, order: WriteDisk) -> None:
        if self._running is not None:
            late, self._next = self._next, order
            if late is not None:
                self._failed(late, f"slow {self.kind}: overtaken by a newer write")
            return
        self._running, self._answered = order, False
        self._late = self.loop.call_later(self.within_s, self._is_late, order)
        self._orders.put(order)

    def close(self) -> None:
        self._closed = True
        if self._late is not None:
            self._late.cancel()
        self._orders.put(None)

    # ---- in the thread

    def _work(self) -> None:
        order = self._orders.get()
        while order is not None:
            outcome: Outcome
            try:
                outcome = self._exchange(order.block), None
            except SundogError as error:
                outcome = None, error
            except Exception as defect:                 # noqa: BLE001 (handed to the loop, where it ends the daemon)
                self._hand_over(self._broken, defect)
                return
            if not self._hand_over(self._ended, order, outcome, self.passive.life):
                break
            order = self._orders.get()
        self.passive.close()

    def _exchange(self, block: Optional[Block]) -> Tuple[Block, ...]:
        if block is not None and not self._known:
            self._learn(self.passive.exchange(None))
        blocks = self.passive.exchange(None if block is None else paxos.merged(self._kept, block))
        self._learn(blocks)
        return blocks

    def _learn(self, blocks: Iterable[Block]) -> None:
        self._known = True
        self._kept = next((block for block in blocks if block.writer == self.me), None)

    def _hand_over(self, call: Callable[..., None], *given: object) -> bool:
        try:
            self.loop.call_soon_threadsafe(call, *given)
        except RuntimeError:
            # The daemon has ended meanwhile.
            return False
        return True

    # ---- in the loop

    def _broken(self, defect: Exception) -> None:
        """A defect of ours ends the daemon, as anywhere in the loop."""
        raise defect

    def _is_late(self, order: WriteDisk) -> None:
        self._answered = True
        error = SundogError(f"no answer for {self.within_s:g} s")
        self._say(error)
        waiting, self._next = self._next, None
        self._failed(order, str(error))
        if waiting is not None:
            self._failed(waiting, str(error))

    def _ended(self, order: WriteDisk, outcome: Outcome, life: str) -> None:
        if self._closed:
            return
        if self._late is not None:
            self._late.cancel()
        blocks, error = outcome
        self._running, answered = None, self._answered
        self._say(error)
        self._look_at(life)
        waiting, self._next = self._next, None
        if waiting is not None:
            self.write(waiting)
        if not answered:
            self.answer(DiskAnswered(self.holder, order.request, blocks, str(error or ""), life))

    def _failed(self, order: WriteDisk, why: str) -> None:
        self.answer(DiskAnswered(self.holder, order.request, None, why))

    def _say(self, error: Optional[SundogError]) -> None:
        trouble = str(error or "")
        code = "DISK" if self.kind == "disk" else "HOLDER"
        if trouble and trouble != self._trouble:
            refused = isinstance(error, HolderRefused)
            self.tell("HOLDER-REFUSED" if refused else f"{code}-FAILED", "error",
                      f"{self.kind} holder {self.holder}: {trouble}")
        elif self._trouble and not trouble:
            self.tell(f"{code}-BACK", "notice", f"{self.kind} holder {self.holder} works again")
        self._trouble = trouble

    def _look_at(self, life: str) -> None:
        if self._life and life and life != self._life:
            self.tell("HOLDER-FORGOT", "warning", f"{self.kind} holder {self.holder} has another life ({life}) than "
                      f"before ({self._life}): its files were lost or replaced, and what it had acknowledged with them")
        self._life = life or self._life
