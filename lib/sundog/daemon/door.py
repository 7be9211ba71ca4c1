"""What strangers may cost a server: connections that have proven nothing are few, and each has little time.

And what all connections may cost the process: its file descriptors. Durations are seconds.
"""
import asyncio
import resource
from typing import Any, Awaitable, Dict, TypeVar

T = TypeVar("T")

PROVEN_WITHIN_S = 5.0
MOST_UNPROVEN = 64
#: Of descriptors. Solaris' soft limit is 256; more than this nobody needs, and some tables grow with the limit.
_MOST_OPEN = 65536


class Door:
    """Of one server. Who comes while it is `full` is to be sent away at once."""

    def __init__(self) -> None:
        self._unproven = 0

    @property
    def full(self) -> bool:
        return self._unproven >= MOST_UNPROVEN

    async def proven(self, proof: Awaitable[T]) -> T:
        """What comes of the proof. Raises asyncio.TimeoutError, and what the proof raises."""
        self._unproven += 1
        try:
            return await asyncio.wait_for(proof, PROVEN_WITHIN_S)
        finally:
            self._unproven -= 1


def raise_limit() -> None:
    """Let this process open as many files as it may. To be called before an event loop is made: /dev/poll of Solaris
    takes no more descriptors than the limit was then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_OPEN if hard == resource.RLIM_INFINITY else min(hard, _MOST_OPEN)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError):
        # What there was has to do: servers send away whom they cannot take.
        return


def could_not_accept(context: Dict[str, Any]) -> bool:
    """Does the event loop only tell that it had no means to accept a connection? It tries again by itself."""
    return isinstance(context.get("exception"), OSError) and "socket" in context \
        and "socket.accept()" in str(context.get("message"))
