"""Commands that were killed and have not ended: a process that waits in the kernel for a device takes no signal.

They are children of this process, so this list is one for the whole of it. Threads share it without a lock: a pid is
taken out before it is waited for, so no two threads wait for the same one.
"""
import os
from typing import Dict, List, Sequence, Tuple

_killed: Dict[int, Tuple[str, ...]] = {}
_left: List[int] = []                   # those of them that nobody waits for any more


def add(pid: int, argv: Sequence[str]) -> None:
    """It has been sent SIGKILL; who sent it still waits for its end."""
    _killed[pid] = tuple(argv)


def leave(pid: int) -> None:
    """Nobody waits for its end any more: it is looked at when somebody asks."""
    _left.append(pid)


def discard(pid: int) -> None:
    """It has ended."""
    _killed.pop(pid, None)


def same(argv: Sequence[str]) -> List[int]:
    """The pids of those that are this command; one that has ended meanwhile is none of them."""
    _reap()
    return sorted(pid for pid, words in list(_killed.items()) if words == tuple(argv))


def about(path: str) -> List[int]:
    """The pids of those that have this path among their words."""
    _reap()
    return sorted(pid for pid, words in list(_killed.items()) if path in words)


def _reap() -> None:
    for _ in range(len(_left)):
        try:
            pid = _left.pop(0)
        except IndexError:
            # Another thread looks at the rest.
            return
        if os.waitpid(pid, os.WNOHANG)[0]:
            discard(pid)
        else:
            _left.append(pid)
