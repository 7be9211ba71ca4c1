"""Probes of the host itself: can a process be started, memory be had, the root disk be written?

Each has a thread of its own, made when the daemon starts, as none may be had later, and because what hangs must not
hold up anybody else. A check returns "" or what is wrong, as a sentence.
"""
import asyncio
import mmap
import os
import queue
import signal
import threading
from typing import Callable, Optional

from sundog.solaris.urgency import for_children

TRUE = "/usr/bin/true"
_TOUCHED = 1 << 20
_BLOCK = 512

Check = Callable[[], str]


def can_start(program: str = TRUE) -> str:
    """A new process, as the stop methods need one (fork(2): EAGAIN, ENOMEM)."""
    try:
        pid = os.posix_spawn(program, [program], {}, setsigdef=[signal.SIGPIPE], **for_children())
    except OSError as error:
        return f"no process can be started: {error.strerror}"
    os.waitpid(pid, 0)
    return ""


def can_have(size: int) -> str:
    """Memory: reserved, as swap is on Solaris (mmap(2): EAGAIN, ENOMEM), and a part of it touched."""
    try:
        with mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANON) as memory:
            for at in range(0, min(size, _TOUCHED), mmap.PAGESIZE):
                memory[at] = 1
    except (OSError, MemoryError) as error:
        return f"{size >> 20} MiB of memory cannot be had: {getattr(error, 'strerror', None) or 'no memory'}"
    return ""


def can_write(path: str) -> str:
    """One block written to the root disk, made durable, and read again."""
    block = os.urandom(_BLOCK)
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.pwrite(fd, block, 0)
            os.fsync(fd)
            same = os.pread(fd, _BLOCK, 0) == block
        finally:
            os.close(fd)
    except OSError as error:
        return f"{path} cannot be written: {error.strerror}"
    return "" if same else f"{path} does not hold what was written to it"


class Prober:
    """Runs one check at a time in its thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop, name: str, check: Check) -> None:
        self._loop, self._check = loop, check
        self._orders: "queue.SimpleQueue[Optional[asyncio.Future[str]]]" = queue.SimpleQueue()
        self._running: "Optional[asyncio.Future[str]]" = None
        # Not waited for at the end: a thread that hangs on a disk must not keep the daemon.
        threading.Thread(target=self._work, name=name, daemon=True).start()

    async def look(self, wait_s: float) -> Optional[str]:
        """What the check says; None: it has not come to its end within `wait_s`, and goes on."""
        if self._running is None:
            self._running = self._loop.create_future()
            self._orders.put(self._running)
        done, _ = await asyncio.wait({self._running}, timeout=wait_s)
        if not done:
            return None
        said, self._running = self._running.result(), None
        return said

    def close(self) -> None:
        self._orders.put(None)

    def _work(self) -> None:
        while True:
            order = self._orders.get()
            if order is None:
                return
            said = self._check()
            try:
                self._loop.call_soon_threadsafe(self._answer, order, said)
            except RuntimeError:
                return                  # the loop is closed: the daemon has ended

    @staticmethod
    def _answer(order: "asyncio.Future[str]", said: str) -> None:
        if not order.done():
            order.set_result(said)
