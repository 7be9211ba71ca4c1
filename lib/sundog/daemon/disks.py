"""Disk holders, each in a thread of its own: one slow disk delays nobody else.

While one exchange runs only the newest of those that wait is kept; the others are answered as failed.
"""
import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Callable, Optional, Tuple

from sundog.core.effects import WriteDisk
from sundog.core.events import DiskAnswered
from sundog.core.frames import Block
from sundog.errors import SundogError
from sundog.link.disk import SlotDisk

Answer = Callable[[DiskAnswered], None]
Tell = Callable[[str, str, str], None]  # code, severity, text


class DiskWorker:
    """One disk holder of this node."""

    def __init__(self, loop: asyncio.AbstractEventLoop, holder: str, disk: SlotDisk, answer: Answer,
                 tell: Tell) -> None:
        self.loop, self.holder, self.disk, self.answer, self.tell = loop, holder, disk, answer, tell
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=f"disk-{holder}")
        self._busy = False
        self._next: Optional[WriteDisk] = None
        self._trouble = ""

    def write(self, order: WriteDisk) -> None:
        if self._busy:
            late, self._next = self._next, order
            if late is not None:
                self.answer(DiskAnswered(self.holder, late.request, None, "slow disk: overtaken by a newer write"))
            return
        self._busy = True
        done = self.loop.run_in_executor(self._pool, self._exchange, order.block)
        done.add_done_callback(lambda future: self._ended(order, future))

    def _exchange(self, block: Block) -> Tuple[Optional[Tuple[Block, ...]], str]:
        try:
            return self.disk.exchange(block), ""
        except SundogError as error:
            return None, str(error)

    def _ended(self, order: WriteDisk, future: "asyncio.Future[Tuple[Optional[Tuple[Block, ...]], str]]") -> None:
        self._busy = False
        blocks, error = future.result()
        self._say(error)
        waiting, self._next = self._next, None
        if waiting is not None:
            self.write(waiting)
        self.answer(DiskAnswered(self.holder, order.request, blocks, error))

    def _say(self, error: str) -> None:
        if error and error != self._trouble:
            self.tell("DISK-FAILED", "error", f"disk holder {self.holder}: {error}")
        elif self._trouble and not error:
            self.tell("DISK-BACK", "notice", f"disk holder {self.holder} works again")
        self._trouble = error

    def close(self) -> None:
        self._pool.shutdown(wait=False)
