"""What a node that neither leads nor stands does at a passive holder, each beat.

On a disk it writes its block, whose counter is its pulse there. A holder that is reached over the network carries no
pulse: the links that fail with it say the same. A witness is only read, so that a leader's counter is known to the
beat; an ensemble that serves a large fleet is read when it matters: first of all, and while no leader is heard.

A late look is a safe one. A candidate writes before it reads, and a leader whose counter differs from what was seen
last, however long ago, moved at the time of the read: it may not be challenged for A more, and what it granted is
waited for from then on (architecture.md: what a new leader must wait for).
"""
from typing import Optional

_HEARD_FOR_BEATS = 1.5

PULSE, WATCH, WAIT = "pulse", "watch", "wait"


def reads(idle: str, now: float, read_at: Optional[float], leader_seen_at: float, beat_s: float) -> bool:
    """Is an idle node to look at a holder now? `idle`: the holder's way (config/model.py)."""
    return idle != WAIT or read_at is None or now > leader_seen_at + _HEARD_FOR_BEATS * beat_s
