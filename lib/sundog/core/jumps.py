"""Rule 12: was this host paused together with its clock, or its wall clock set? What two clocks can tell. Pure.

A hypervisor that stops a machine stops the clock that leases are read from; the wall clock is put right soon after (on
Solaris and illumos from the time-of-day chip, within a second). So a wall clock that has gone forward against the other
means a pause or a clock that was set, and which of the two it was only the cluster can tell: by a new grant.
"""
from typing import Optional, Tuple


def ahead(offset: float, before: float, guard_s: float) -> float:
    """Rule 12: by how much the wall clock has got ahead, if by more than the guard; 0.0: not worth a word."""
    return offset - before if offset - before > guard_s else 0.0


def said(node: str, by_s: float) -> str:
    return f"the wall clock went forward by {by_s:.3f} s at once: it was set, or {node} was paused; nothing starts " \
        "here until the cluster has granted a new lease"


class Clocks:
    """Compares at every step. Shorter pauses than `guard_s` in a window of `window_s` are what the guard of a lease is
    for; adjtime(2) slews by 1/16 at most, which stays below that.
    """

    def __init__(self, guard_s: float, window_s: float) -> None:
        self._guard_s, self._window_s = guard_s, window_s
        self._since: Optional[Tuple[float, float]] = None       # steady clock, wall clock less steady clock

    def jumped(self, steady: float, wall: float) -> float:
        """Seconds by which the wall clock has gone further than the steady one since the last look, or 0.0."""
        offset = wall - steady
        began_at, before = self._since or (steady, offset)
        by_s = ahead(offset, before, self._guard_s)
        if offset < before or by_s or steady - began_at > self._window_s or self._since is None:
            self._since = (steady, offset)
        return by_s
