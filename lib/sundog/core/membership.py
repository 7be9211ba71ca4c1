"""Who is heard, on which link, since when, and what each node last said of itself. Seconds of this node's clock."""
from dataclasses import dataclass, field
from typing import Dict, Iterable, List, Mapping, NamedTuple, Optional

from sundog.core.frames import GroupReport, Heartbeat
from sundog.core.ledger import Ledger

NEVER = float("-inf")


class Beat(NamedTuple):
    """What a node's newest heartbeat said."""
    boot_id: str
    incarnation: int
    seq: int
    version: int
    hostid: str
    groups: Mapping[str, GroupReport]
    unfit: Mapping[str, str]
    config: str
    vote: str
    silent: Mapping[str, float]         # changes with time alone: no news for the plan

    def says_the_same(self, other: "Beat") -> bool:
        return (self.boot_id == other.boot_id and self.version == other.version and self.groups == other.groups
                and self.unfit == other.unfit and self.hostid == other.hostid and self.config == other.config
                and self.vote == other.vote)


@dataclass
class Peer:
    links: Dict[str, float] = field(default_factory=dict)       # link -> when a frame last came over it
    boots: Dict[str, float] = field(default_factory=dict)       # boot id -> when it was last heard on any link
    since: Dict[str, float] = field(default_factory=dict)       # boot id -> heard since, without a silence of L
    pulse_at: float = NEVER                                     # when its counter on a disk was last seen to move
    beat: Optional[Beat] = None


class Membership:
    def __init__(self, names: Iterable[str], timeout_s: float) -> None:
        self.peers = {name: Peer() for name in names}
        self._timeout_s = timeout_s
        self._boots: Dict[str, List[str]] = {}          # node -> its boots that the ledger has had, the latest last

    def follow(self, names: Iterable[str]) -> None:
        """The nodes of another configuration: those that stay keep what is known of them."""
        self.peers = {name: self.peers.get(name) or Peer() for name in names}

    def heard(self, now: float, link: str, node: str, boot_id: str) -> None:
        """A sign of life of one boot of a node."""
        peer = self.peers[node]
        peer.links[link] = now
        if boot_id not in peer.boots:
            peer.since[boot_id] = now
            for old in [one for one, at in peer.boots.items() if at < now - 10 * self._timeout_s]:
                del peer.boots[old], peer.since[old]
        elif now - peer.boots[boot_id] > self._timeout_s:
            peer.since[boot_id] = now
        peer.boots[boot_id] = now

    def beat(self, node: str, boot_id: str, incarnation: int, body: Heartbeat) -> bool:
        """Take in a heartbeat; says whether it tells anything new. One that was overtaken tells nothing."""
        peer = self.peers[node]
        old = peer.beat
        if old is not None and old.boot_id == boot_id and (old.incarnation, old.seq) >= (incarnation, body.seq):
            return False
        new = Beat(boot_id, incarnation, body.seq, body.version, body.hostid,
                   {one.group: one for one in body.groups} if body.groups else {}, body.unfit or {}, body.config,
                   body.vote, body.silent or {})
        peer.beat = new
        return old is None or not new.says_the_same(old)

    def runs_configuration(self, node: str, boot_id: str, digest: str) -> bool:
        """Has this boot of the node said that the configuration is in force there?"""
        peer = self.peers.get(node)
        return peer is not None and peer.beat is not None and (peer.beat.boot_id, peer.beat.config) == (boot_id, digest)

    def forget_beats(self, but: str) -> None:
        """What others said of themselves may be of any age: they are to say it again."""
        for name, peer in self.peers.items():
            if name != but:
                peer.beat = None

    def learned(self, ledger: Ledger) -> None:
        """This is what is chosen now, or was when this daemon started."""
        for node, member in ledger.members.items():
            known = self._boots.setdefault(node, [])
            if known[-1:] != [member.boot_id]:
                known.append(member.boot_id)

    def is_replaced(self, node: str, boot_id: str) -> bool:
        """Has another boot of the node taken its place in the ledger? Then what comes of it comes late."""
        return boot_id in self._boots.get(node, [])[:-1]

    def pulse(self, now: float, link: str, node: str) -> None:
        """A sign of life that does not say of which boot: a counter on a disk."""
        peer = self.peers[node]
        peer.links[link] = peer.pulse_at = now

    def heard_at(self, node: str, boot_id: str) -> float:
        """When this boot of the node was, or may have been, last heard on any link."""
        peer = self.peers.get(node)
        return max(peer.boots.get(boot_id, NEVER), peer.pulse_at) if peer is not None else NEVER

    def spoke_at(self, node: str, boot_id: str) -> float:
        """When a frame that this boot of the node has signed last came."""
        peer = self.peers.get(node)
        return peer.boots.get(boot_id, NEVER) if peer is not None else NEVER

    def since(self, node: str, boot_id: str) -> float:
        """Since when this boot has been heard without a silence of L; infinity: it is not."""
        peer = self.peers.get(node)
        return peer.since.get(boot_id, float("inf")) if peer is not None else float("inf")

    def last_heard(self, node: str) -> float:
        """When anything last came from any boot of the node, on any link."""
        peer = self.peers.get(node)
        return max(peer.links.values(), default=NEVER) if peer is not None else NEVER

    def heard_on(self, node: str) -> Mapping[str, float]:
        return dict(self.peers[node].links) if node in self.peers else {}
