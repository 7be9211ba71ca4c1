"""The clock of the daemon's event loop: the one that failfast's deadlines are on (rule 12)."""
import asyncio

from sundog.daemon.failfast import now


class Loop(asyncio.SelectorEventLoop):
    """An event loop whose time runs on while the host is suspended, where the host has such a clock."""

    def time(self) -> float:
        return now()


class Policy(asyncio.DefaultEventLoopPolicy):
    _loop_factory = Loop
