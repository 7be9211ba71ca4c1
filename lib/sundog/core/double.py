"""Two nodes that each carried on alone hear each other again (rule 9): who gives way, and what had two owners.

And, while one node is alone: which groups wait, since the other may still have them.
"""
from dataclasses import dataclass, field, replace
from typing import Dict, FrozenSet, Iterable, List, Mapping, Sequence

from sundog.config.model import Cluster
from sundog.core import moves
from sundog.core.arbiter import ALONE, LED_ALONE, SILENT_BEATS
from sundog.core.effects import Effect, Journal
from sundog.core.frames import GroupReport
from sundog.core.ledger import OFFLINE, GroupEntry, Ledger
from sundog.core.membership import Membership

STOP_BOTH = "stop-both"


def forked(alone: bool, vote: str) -> bool:
    """Have both nodes changed the ledger without the other? `alone`: we have; `vote`: as the other's heartbeat says."""
    return alone and vote in (ALONE, LED_ALONE)


def gives_way(me: str, order: Sequence[str], led: bool, vote: str) -> bool:
    """Rule 9: does this node give way? One that has not led in this run does, to one that has; else the later named.

    Having led does not go away while a daemon runs, and who gives way never leads: both cannot come to it.
    """
    if led != (vote == LED_ALONE):
        return not led
    return me != order[0]


def owners(on_double_owner: str, here: Iterable[GroupReport], there: Iterable[GroupReport]) -> FrozenSet[str]:
    """Rule 9: the groups to stop on both nodes, since each says of itself that it is active there."""
    if on_double_owner != STOP_BOTH:
        return frozenset()
    active = [{one.group for one in side if one.state != "stopped"} for side in (here, there)]
    return frozenset(active[0] & active[1])


@dataclass(frozen=True)
class View:
    """What planning takes from here. `answering`: group -> its address that answers on the LAN."""
    absent: bool = False                # the other node has been silent, and has acknowledged nothing since
    doubled: FrozenSet[str] = frozenset()
    answering: Mapping[str, str] = field(default_factory=dict)


NO_FORK = View()


class Fork:
    """What a node keeps of it. `gives_way`: why it does; empty: it does not."""

    def __init__(self, cluster: Cluster, me: str) -> None:
        self._me = me
        self.doubled: FrozenSet[str] = frozenset()
        self.answering: Dict[str, str] = {}
        self.gives_way = ""
        self.forgotten = self._told = False
        self.configured(cluster)

    def configured(self, cluster: Cluster) -> None:
        self._order, self._policy = tuple(cluster.nodes), cluster.on_double_owner

    def view(self, absent: bool) -> View:
        return View(absent, self.doubled, self.answering if absent else {})

    def met(self, other: str, here: Iterable[GroupReport], there: Iterable[GroupReport], led: bool,
            vote: str) -> List[Effect]:
        """A heartbeat of the other node, which has carried on alone as we have."""
        said: List[Effect] = []
        both = owners(self._policy, here, there)
        for group in sorted(both - self.doubled):
            said.append(Journal("DOUBLE-OWNER", "error", f"group {group} is active on {self._me} and on {other}: both "
                                f"stop it; look at its data, then: sundog group online {group}", group, self._me))
        self.doubled |= both
        if gives_way(self._me, self._order, led, vote):
            self.gives_way = f"{other} and {self._me} have each carried on alone, and {other} goes on"
        if not self._told:
            self._told = True
            said.append(Journal("FORK", "error", self.gives_way or f"{other} and {self._me} have each carried on "
                                f"alone: {other} gives way", "", self._me))
        return said

    def learned(self, ledger: Ledger) -> None:
        """A newer ledger is chosen: what it says an operator must begin again needs no word of ours any more."""
        self.doubled = frozenset(name for name in self.doubled
                                 if ledger.groups.get(name, GroupEntry()).wanted != OFFLINE)
        if not ledger.alone:
            self._told = False


def settled(ledger: Ledger, me: str, view: View) -> Ledger:
    """The ledger that says who is alone, and that an operator must begin again what had two owners."""
    alone = me if view.absent else ""
    if ledger.alone != alone:
        ledger = replace(ledger, alone=alone)
    for name in sorted(view.doubled):
        entry = ledger.groups.get(name, GroupEntry())
        if entry.wanted != OFFLINE:
            why = f"it was active on two nodes; look at its data, then: sundog group online {name}"
            ledger = ledger.with_group(name, replace(moves.stop(entry, why), wanted=OFFLINE, target=None, why=why))
    return ledger


def held(now: float, cluster: Cluster, me: str, peers: Membership, ledger: Ledger, view: View) -> Dict[str, str]:
    """Rule 9: group -> why no node takes it for now, since the other may still have it."""
    waits: Dict[str, str] = {}
    for node, peer in peers.peers.items():
        beat = peer.beat
        if node == me or beat is None \
                or now > peers.spoke_at(node, beat.boot_id) + SILENT_BEATS * cluster.timing.beat_s:
            continue
        waits.update({name: f"{node} says that it is {one.state} there" for name, one in beat.groups.items()
                      if one.state != "stopped" and ledger.groups.get(name, GroupEntry()).state == OFFLINE})
    other = next((node for node in cluster.nodes if node != me), "")
    waits.update({name: f"{address} of {name} still answers on the LAN: {other} may be alive"
                  for name, address in view.answering.items()})
    return waits
