"""May a silent node's groups be given to others? (rule 5). Instants are the leader's clock, seconds."""
from typing import Optional


def due(heard_at: float, others_leases_from: float, timeout_s: float) -> float:
    """The first instant at which no lease of the node can be alive.

    A lease that this leader granted ends L - guard after it last heard the node; those of earlier leaders end
    L - guard after `others_leases_from`, the last acknowledgement that any of them can have had.
    """
    return max(heard_at, others_leases_from) + timeout_s


def objection(now: float, heard_at: float, others_leases_from: float, timeout_s: float) -> Optional[str]:
    """Rule 5: why a node's groups may not be reassigned yet; None when it has been silent long enough on all links."""
    at = due(heard_at, others_leases_from, timeout_s)
    return f"it may hold a lease for {at - now:.3f} s more" if now < at else None
