"""Coroutines that run beside the event loop's callbacks: held until they end, their failures made known."""
import asyncio
from typing import Any, Coroutine, Set


class Tasks:
    """`what` names them when one fails; a failure goes to the loop's exception handler, which ends the daemon."""

    def __init__(self, loop: asyncio.AbstractEventLoop, what: str) -> None:
        self._loop, self._what = loop, what
        self._running: "Set[asyncio.Task[None]]" = set()

    def begin(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = self._loop.create_task(work)
        # The loop itself keeps only weak references.
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._running.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._loop.call_exception_handler({"message": self._what, "exception": task.exception()})

    def cancel(self) -> None:
        for task in self._running:
            task.cancel()
