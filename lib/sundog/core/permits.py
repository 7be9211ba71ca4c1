"""The right to start a group here, now (rule 7)."""
from typing import Optional

from sundog.core.effects import Permit
from sundog.core.ledger import ONLINE, STARTING, GroupEntry


def objection(now: float, node: str, boot_id: str, entry: GroupEntry, lease_until: Optional[float],
              stopping: bool) -> Optional[str]:
    """Rule 7: why no start method of the group may do anything on this node; None when it may."""
    if entry.owner != node or entry.state not in (STARTING, ONLINE):
        where = f"it is {entry.state}" + (f" on {entry.owner}" if entry.owner and entry.state != "offline" else "")
        return f"the cluster has not assigned it to {node}: {where}"
    if entry.boot_id != boot_id:
        return f"it was assigned to an earlier boot of {node}"
    if lease_until is None or now >= lease_until:
        return f"{node} has no lease: it does not hear the cluster's leader"
    if stopping:
        return f"it is being stopped on {node}"
    return None


def permit(group: str, node: str, entry: GroupEntry) -> Permit:
    return Permit(group, node, entry.epoch, entry.force, entry.why)
