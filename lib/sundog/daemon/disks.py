"""Disk holders, each in a thread of its own: one slow disk delays nobody else.

While one exchange runs only the newest of those that wait is kept; the others are answered as failed.
"""
import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Callable, Collection, Dict, Iterable, Optional, Tuple

from sundog.config.install import write_whole
from sundog.config.model import Cluster, DiskHolder
from sundog.core.effects import WriteDisk
from sundog.core.events import DiskAnswered
from sundog.core.frames import Block
from sundog.errors import ConfigProblem, SundogError
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
        self.answer(DiskAnswered(self.holder, order.request, blocks, error, self.disk.life))

    def _say(self, error: str) -> None:
        if error and error != self._trouble:
            self.tell("DISK-FAILED", "error", f"disk holder {self.holder}: {error}")
        elif self._trouble and not error:
            self.tell("DISK-BACK", "notice", f"disk holder {self.holder} works again")
        self._trouble = error

    def close(self) -> None:
        self._pool.submit(self.disk.close)
        self._pool.shutdown(wait=False)


class Racks:
    """Where the passive holders of this and of earlier configurations are, in the file `path`.

    A holder that the configuration names no more still votes until the ledger has another set, over a restart too.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self.known: Dict[str, DiskHolder] = {}
        try:
            with open(path, encoding="utf-8") as file:
                self.known = {name: DiskHolder(name, str(device)) for name, device in json.load(file).items()}
        except FileNotFoundError:
            pass
        except (ValueError, AttributeError):
            raise ConfigProblem(f"{path}: damaged", f"remove {path}: it is written anew from the configuration"
                                ) from None

    def with_retired(self, cluster: Cluster) -> Cluster:
        """The configuration that this node starts with, and what it knows of those before."""
        earlier = {name: holder for name, holder in self.known.items()
                   if name not in cluster.holders and name not in cluster.beating}
        self.follow(cluster, earlier)
        return replace(cluster, retired=earlier)

    def follow(self, cluster: Cluster, keep: Iterable[str]) -> None:
        """Remember the holders of `cluster`, and of the others those in `keep`; durable when it returns."""
        new = {**{name: self.known[name] for name in keep if name in self.known}, **cluster.holders, **cluster.beating}
        if new != self.known:
            self.known = new
            devices = {name: holder.device for name, holder in sorted(new.items())}
            write_whole(self._path, json.dumps(devices).encode() + b"\n")


class DiskWorkers:
    """The workers of all passive holders that this node writes to, each begun when it is needed first."""

    def __init__(self, racks: Racks, make: Callable[[DiskHolder], DiskWorker]) -> None:
        self.racks, self._make = racks, make
        self._workers: Dict[str, DiskWorker] = {}
        self._needed: Collection[str] = ()

    def write(self, order: WriteDisk) -> None:
        holder = self.racks.known[order.holder]
        worker = self._workers.get(order.holder)
        if worker is None or worker.disk.device != holder.device:
            self._end(order.holder)
            worker = self._workers[order.holder] = self._make(holder)
        worker.write(order)

    def configured(self, cluster: Cluster) -> None:
        """Another configuration is in force: its holders are known from now on."""
        self.racks.follow(cluster, self._needed)

    def keep(self, needed: Collection[str]) -> None:
        """End the workers of holders that neither the configuration nor the ledger names any more."""
        if needed is not self._needed:
            self._needed = needed
            for name in set(self._workers) - set(needed):
                self._end(name)

    def _end(self, name: str) -> None:
        worker = self._workers.pop(name, None)
        if worker is not None:
            worker.close()

    def close(self) -> None:
        for name in list(self._workers):
            self._end(name)
