"""A change of the ledger, told to an operator. Codes: docs/events.md."""
from dataclasses import replace
from typing import List, Mapping, Optional, Tuple

from sundog.core import fencing
from sundog.core.effects import Journal
from sundog.core.ledger import OFFLINE, ONLINE, STARTING, STOP_FAILED, STOPPING, GroupEntry, Ledger, Member

_SAID: Mapping[str, Tuple[str, str, str]] = {
    STARTING: ("ASSIGNED", "notice", "goes to {owner}"),
    STOPPING: ("STOPPING", "notice", "is to stop on {owner}"),
    OFFLINE: ("OFFLINE", "notice", "is offline"),
    STOP_FAILED: ("BLOCKED", "error", "stays with {owner}"),
}


def lines(old: Ledger, new: Ledger) -> List[Journal]:
    """What changed between two ledgers, one line for each member and group."""
    told = [_joined(name, new) for name, member in new.members.items()
            if member.joined and _whole(member) != _whole(old.members.get(name))]
    for name, entry in new.groups.items():
        before = old.groups.get(name, GroupEntry())
        quiet = entry.state == ONLINE and not entry.why.startswith(fencing.WAITS)
        if quiet or (entry.state, entry.epoch, entry.why) == (before.state, before.epoch, before.why):
            continue
        told.append(_group(name, entry))
    told += _voters(old, new)
    if new.config_version != old.config_version:
        told.append(Journal("CONFIG-VERSION", "notice", f"configuration {new.config_version} is in force"))
    return told


def _whole(member: Optional[Member]) -> Optional[Member]:
    """What makes a member another one: not that its daemon was started again."""
    return None if member is None else replace(member, incarnation=0)


def _voters(old: Ledger, new: Ledger) -> List[Journal]:
    told = [Journal("VOTE-DISTRUSTED", "error", f"{name} does not vote: it has forgotten what it acknowledged; "
                    "remove /var/sundog/ledger there and restart its coordinator, or label a disk anew", "", name)
            for name, life in new.distrusted.items() if old.distrusted.get(name) != life]
    if new.next_voters and new.next_voters != old.next_voters:
        told.append(Journal("VOTERS-CHANGE", "notice", f"the vote holders change from {_names(old.voters)} to "
                            f"{_names(new.next_voters)}"))
    elif new.voters != old.voters:
        told.append(Journal("VOTERS", "notice", f"the vote holders are {_names(new.voters)}"))
    return told


def _names(voters: Mapping[str, str]) -> str:
    return ", ".join(f"{name} ({life})" if life else f"{name} (not heard yet)" for name, life in sorted(voters.items()))


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
