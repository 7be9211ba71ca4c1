"""The right to have groups active, bounded in time (rules 3 and 4). Instants are the node's own clock, seconds."""
from typing import Optional


def until(sent_at: float, for_s: float, guard_s: float) -> float:
    """Rule 3: when a lease ends that was granted for a heartbeat sent at `sent_at`.

    Send time, not receive time: the lease must end here before the leader's own reckoning lets it go.
    """
    return sent_at + for_s - guard_s


def granted_for(now: float, horizon_at: float, timeout_s: float) -> float:
    """How long a leader may grant a lease now: never beyond its own horizon."""
    return min(timeout_s, horizon_at - now)


def deadline(active: bool, lease_until: Optional[float], standing: Optional[float]) -> Optional[float]:
    """Rule 4: the instant failfast must hold; None when nothing is, or may be, active.

    Without a lease of its own a daemon leaves standing what an earlier one has set.
    """
    if not active:
        return None
    return lease_until if lease_until is not None else standing
