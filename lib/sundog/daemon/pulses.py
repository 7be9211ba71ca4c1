"""Who shows a pulse on which shared partition. Nothing is decided by it: it is told, as core/links.py tells of frames.

Whoever has a lease writes and reads every partition each beat. A peer's silence there is its own only while this
node's reads succeed (else that is DISK-FAILED here), somebody leads, and the peer is in the cluster and heard on a
link: who has no lease shows no pulse. Instants are seconds of the node's clock.
"""
from typing import Callable, Dict, Mapping, Optional, Set, Tuple

from sundog.config import paths
from sundog.config.model import Cluster
from sundog.core.membership import NEVER
from sundog.core.node import Node

#: What a partition is called among the links.
DISK = "disk:"

_LOOKS = 4                              # within L
Way = Tuple[str, str]                   # peer, link
Tell = Callable[[str, str, str, str, str], None]        # code, severity, text, group, node


def links(cluster: Cluster) -> Tuple[str, ...]:
    """The partitions of a configuration, as links."""
    return tuple(DISK + name for name in paths.pulsing(cluster))


class Pulses:
    """`node` tells what it has seen, and gets in `links.unseen` what its heartbeats are to say of it."""

    def __init__(self, node: Node, tell: Tell) -> None:
        self.node, self.tell = node, tell
        self._look_at = NEVER
        self._due_since: Dict[str, float] = {}          # peer -> since when it should show a pulse, without a break
        self._reads_since: Dict[str, float] = {}        # link -> since when this node reads it, without a break
        self._lost: Set[Way] = set()                    # what was told

    def look(self, now: float, cluster: Cluster) -> None:
        """Tell what has changed since the last look; asked more than four times in L it does not look."""
        if now < self._look_at:
            return
        self._look_at = now + cluster.timing.timeout_s / _LOOKS
        disks = links(cluster)
        heard = {peer: self.node.heard(peer) for peer in cluster.nodes if peer != self.node.name} if disks else {}
        due = [peer for peer, at in heard.items() if self._due(now, peer, at)]
        reads = [link for link in disks if self._reads(now, link, cluster.timing.timeout_s)]
        self._due_since = {peer: self._due_since.get(peer, now) for peer in due}
        self._reads_since = {link: self._reads_since.get(link, now) for link in reads}
        patience_s = self.node.links.patience_s + cluster.timing.timeout_s
        unseen: Dict[Way, float] = {}
        for way in ((peer, link) for peer in heard for link in disks):
            at = heard[way[0]].get(way[1], NEVER)
            if at > now - patience_s:
                self._seen(way)
            elif way in self._lost or now - self._due_since.get(way[0], now) > patience_s:
                unseen[way] = at
                self._missed(now, way, at, patience_s)
        self._lost &= unseen.keys()
        self.node.links.unseen = unseen

    def _due(self, now: float, peer: str, heard: Mapping[str, float]) -> bool:
        """Has the peer a lease, as far as is known here, and the means to say so?"""
        member = self.node.ledger.members.get(peer)
        return self.node.leader is not None and member is not None and member.joined and any(
            at > now - self.node.links.patience_s for link, at in heard.items() if not link.startswith(DISK))

    def _reads(self, now: float, link: str, within_s: float) -> bool:
        disk = self.node.voting.disks.by_name.get(link[len(DISK):])
        at: Optional[float] = None if disk is None else disk.read_at
        return at is not None and at > now - within_s

    def _seen(self, way: Way) -> None:
        if way in self._lost:
            self._lost.remove(way)
            self.tell("LINK-BACK", "notice", f"{self.node.name} sees the pulse of {way[0]} on link {way[1]} again", "",
                      way[0])

    def _missed(self, now: float, way: Way, at: float, patience_s: float) -> None:
        peer, link = way
        since = max(self._due_since.get(peer, now), self._reads_since.get(link, now))
        if way in self._lost or now - since <= patience_s:
            return
        self._lost.add(way)
        silent = f"for {now - at:.1f} s" if at > NEVER else "since this daemon started"
        self.tell("LINK-LOST", "warning", f"{self.node.name} has not seen the pulse of {peer} on link {link} {silent}; "
                  f"it hears it on another: sundog log on {peer} has DISK-FAILED, or its device is another partition",
                  "", peer)
