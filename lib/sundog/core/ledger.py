"""The ledger's value: who may run what. One frozen value, replaced whole through a majority of vote holders.

A group's entry moves only along LEGAL; every activation has a new epoch. Nothing here decides when to move.
"""
from dataclasses import dataclass, field, replace
from typing import Dict, FrozenSet, Mapping, Optional, Tuple

OFFLINE, STARTING, ONLINE, STOPPING, STOP_FAILED = "offline", "starting", "online", "stopping", "stop-failed"

#: From each state, the states that one change may lead to. Takeover is any state -> OFFLINE, with the reason.
LEGAL: Mapping[str, FrozenSet[str]] = {
    OFFLINE: frozenset({STARTING, OFFLINE}),
    STARTING: frozenset({ONLINE, STOPPING, OFFLINE}),
    ONLINE: frozenset({STOPPING, OFFLINE, ONLINE}),
    STOPPING: frozenset({OFFLINE, STOP_FAILED}),
    STOP_FAILED: frozenset({OFFLINE, STOPPING}),
}


@dataclass(frozen=True)
class Failure:
    """A group failed on a node: it is not placed there again within recovery.window (rule 13).

    `count` failures so far; the window is counted by the leader's own clock from when it learned of it.
    """
    node: str
    count: int
    reason: str


@dataclass(frozen=True)
class GroupEntry:
    state: str = OFFLINE
    owner: Optional[str] = None         # the node it is assigned to; kept while OFFLINE only as "last owner"
    epoch: int = 0                      # grows by one with every STARTING
    boot_id: str = ""                   # the owner's boot that this epoch was given to
    force: bool = False                 # zpool import -f is allowed: the previous owner was fenced or its lease ran out
    why: str = ""                       # the reason for the last change, a sentence for the operator
    wanted: str = ONLINE                # what the operator wants: ONLINE or OFFLINE
    target: Optional[str] = None        # the node an orderly move goes to
    failures: Tuple[Failure, ...] = ()


@dataclass(frozen=True)
class Member:
    """A node as the cluster last admitted it."""
    boot_id: str
    incarnation: int
    hostid: str
    joined: bool = True                 # False: deposed; comes back clean or not at all (rule 11)


@dataclass(frozen=True)
class Ledger:
    version: int = 0
    config_version: int = 0
    config_digest: str = ""
    members: Mapping[str, Member] = field(default_factory=dict)
    groups: Mapping[str, GroupEntry] = field(default_factory=dict)
    voters: Mapping[str, str] = field(default_factory=dict)         # holder -> life; empty: the configuration's
    next_voters: Mapping[str, str] = field(default_factory=dict)    # the set to come, during a change; else empty
    distrusted: Mapping[str, str] = field(default_factory=dict)     # holder -> its life that never votes again
    alone: str = ""                     # the node that has made this by the arbiter's vote, without the other

    def with_group(self, name: str, entry: GroupEntry) -> "Ledger":
        """The same ledger with one group's entry replaced. Raises ValueError on an illegal change of state."""
        old = self.groups.get(name, GroupEntry())
        if entry.state != old.state and entry.state not in LEGAL[old.state]:
            raise ValueError(f"group {name}: {old.state} -> {entry.state} is not a legal change")
        groups: Dict[str, GroupEntry] = dict(self.groups)
        groups[name] = entry
        return replace(self, groups=groups)

    def with_member(self, name: str, member: Member) -> "Ledger":
        members: Dict[str, Member] = dict(self.members)
        members[name] = member
        return replace(self, members=members)
