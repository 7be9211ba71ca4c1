"""A group that failed on a node is not placed there again for a while (rule 13). Seconds of the leader's clock."""
from dataclasses import replace
from typing import Dict, Optional, Tuple

from sundog.core.ledger import Failure, GroupEntry

#: Characters: the ledger has to fit into a slot of a disk; the journal has the whole reason.
_LONGEST_REASON = 100
Learned = Dict[Tuple[str, str, int], float]     # (group, node, count) -> when this leader learned of the failure


def objection(group: str, node: str, entry: GroupEntry) -> Optional[str]:
    """Rule 13: why the group may not run on `node` again; None when nothing is held against it."""
    failure = next((one for one in entry.failures if one.node == node), None)
    if failure is None:
        return None
    times = "once" if failure.count == 1 else f"{failure.count} times"
    return f"failed here {times} ({failure.reason}); cleared by 'sundog group clear {group}'"


def failed(entry: GroupEntry, node: str, reason: str) -> GroupEntry:
    """The same entry with one more failure on `node`."""
    before = next((one.count for one in entry.failures if one.node == node), 0)
    others = tuple(one for one in entry.failures if one.node != node)
    short = reason if len(reason) <= _LONGEST_REASON else reason[:_LONGEST_REASON - 1] + "…"
    return replace(entry, failures=(*others, Failure(node, before + 1, short)))


def cleared(entry: GroupEntry, node: str = "") -> GroupEntry:
    """The same entry with the failures on `node` forgotten, or all of them."""
    return replace(entry, failures=tuple(one for one in entry.failures if node and one.node != node))


def forget(now: float, group: str, entry: GroupEntry, learned: Learned, window_s: float) -> GroupEntry:
    """Drop failures older than the window; note in `learned` those seen for the first time."""
    kept = tuple(one for one in entry.failures
                 if now < learned.setdefault((group, one.node, one.count), now) + window_s)
    return entry if len(kept) == len(entry.failures) else replace(entry, failures=kept)
