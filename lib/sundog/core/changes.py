"""A change of the ledger, told to an operator. Codes: docs/events.md."""
from typing import List, Mapping, Tuple

from sundog.core import fencing
from sundog.core.effects import Journal
from sundog.core.ledger import OFFLINE, ONLINE, STARTING, STOP_FAILED, STOPPING, GroupEntry, Ledger

_SAID: Mapping[str, Tuple[str, str, str]] = {
    STARTING: ("ASSIGNED", "notice", "goes to {owner}"),
    STOPPING: ("STOPPING", "notice", "is to stop on {owner}"),
    OFFLINE: ("OFFLINE", "notice", "is offline"),
    STOP_FAILED: ("BLOCKED", "error", "stays with {owner}"),
}


def lines(old: Ledger, new: Ledger) -> List[Journal]:
    """What changed between two ledgers, one line for each member and group."""
    told = [_joined(name, new) for name, member in new.members.items()
            if member.joined and member != old.members.get(name)]
    for name, entry in new.groups.items():
        before = old.groups.get(name, GroupEntry())
        quiet = entry.state == ONLINE and not entry.why.startswith(fencing.WAITS)
        if quiet or (entry.state, entry.epoch, entry.why) == (before.state, before.epoch, before.why):
            continue
        told.append(_group(name, entry))
    if new.config_version != old.config_version:
        told.append(Journal("CONFIG-VERSION", "notice", f"configuration {new.config_version} is in force"))
    return told


def _joined(name: str, ledger: Ledger) -> Journal:
    member = ledger.members[name]
    return Journal("JOINED", "notice", f"{name} is in the cluster, boot {member.boot_id[:8]}", "", name)


def _group(name: str, entry: GroupEntry) -> Journal:
    if entry.why.startswith(fencing.WAITS):
        return Journal("WAITS-FOR-FENCE", "warning", f"group {name} stays with {entry.owner}: {entry.why}", name,
                       entry.owner or "")
    code, severity, text = _SAID[entry.state]
    if entry.state == STARTING and entry.force:
        code, severity = "TAKEOVER", "warning"
    if entry.state == STOPPING and entry.target:
        code, text = "MOVE", "moves from {owner} to {target}"
    said = text.format(owner=entry.owner, target=entry.target)
    return Journal(code, severity, f"group {name} {said}: {entry.why}", name, entry.owner or "")
