"""Who is silent on which link, while another link shows that it lives. Nothing is decided by it: it is told.

A follower speaks with its leader each beat, and greets the others in turn: so every pair tries every link at least
each (nodes - 1) beats, and what a node sends stays the same however many there are. Instants: this node's clock.
"""
from typing import Dict, Iterator, List, Mapping, Optional, Tuple

from sundog.config import paths
from sundog.config.model import Cluster
from sundog.core.draft import View
from sundog.core.effects import Journal
from sundog.core.membership import NEVER, Membership

Way = Tuple[str, str]                   # peer, link
_TURNS = 3                              # greetings that must have been missed
_LOOKS = 4                              # within L

UP, LOST, DOWN, UNHEARD = "up", "lost", "down", "never"


class Watch:
    def __init__(self, me: str, cluster: Cluster) -> None:
        self.me = me
        self.lost: Dict[Way, float] = {}                # since when; NEVER: not heard since this daemon started
        self.unseen: Mapping[Way, float] = {}           # the same of pulses on disks, which the daemon looks after
        self._began_at: Optional[float] = None
        self._look_at = NEVER
        self._turn = 0
        self.follow(cluster)

    def follow(self, cluster: Cluster) -> None:
        """The nodes and links of a configuration."""
        self.ways: Mapping[str, Tuple[str, ...]] = {
            node: paths.shared(cluster, self.me, node) for node in cluster.nodes if node != self.me}
        self._pause_s = cluster.timing.timeout_s / _LOOKS
        self.patience_s = cluster.timing.timeout_s + _TURNS * max(len(self.ways), 1) * cluster.timing.beat_s
        known = {(node, link) for node, links in self.ways.items() for link in links}
        self.lost = {way: since for way, since in self.lost.items() if way in known}

    def to_greet(self, leader: Optional[str]) -> Optional[str]:
        """The peer whose turn it is; None for the leader, who is spoken to by all."""
        others = [node for node in self.ways if node != leader]
        if leader == self.me or not others:
            return None
        self._turn += 1
        return others[self._turn % len(others)]

    def look(self, now: float, peers: Membership) -> List[Journal]:
        """What has changed since the last look, as journal lines; asked more than four times in L it does not look."""
        if now < self._look_at:
            return []
        self._look_at = now + self._pause_s
        if self._began_at is None:
            self._began_at = now
        told: List[Journal] = []
        for peer, links in self.ways.items():
            heard = peers.heard_on(peer)
            alive = any(heard.get(link, NEVER) > now - self.patience_s for link in links)
            for link in links:
                told += self._judge(now, (peer, link), heard.get(link, NEVER), alive)
        return told

    def _judge(self, now: float, way: Way, at: float, alive: bool) -> Iterator[Journal]:
        peer, link = way
        if at > now - self.patience_s:
            if self.lost.pop(way, None) is not None:
                yield Journal("LINK-BACK", "notice", f"{self.me} hears {peer} on link {link} again", "", peer)
        elif alive and way not in self.lost and now - (self._began_at or now) > self.patience_s:
            self.lost[way] = at
            since = f"for {now - at:.1f} s" if at > NEVER else "since this daemon started"
            yield Journal("LINK-LOST", "warning", f"{self.me} has not heard {peer} on link {link} {since}; it hears it "
                          "on another", "", peer)

    def silent(self, now: float) -> Mapping[str, float]:
        """What a heartbeat says of it: "peer/link" -> seconds, -1 where it was never heard."""
        return {f"{peer}/{link}": -1.0 if since == NEVER else round(now - since, 1)
                for (peer, link), since in (*self.lost.items(), *self.unseen.items())}

    def states(self, now: float, peers: Membership, peer: str) -> Mapping[str, str]:
        """Each link to `peer`: up, lost (another works), down (none works), never."""
        heard = peers.heard_on(peer)
        found = {}
        unseen = [link for other, link in self.unseen if other == peer]
        for link in dict.fromkeys((*self.ways.get(peer, ()), *heard, *unseen)):
            at = heard.get(link, NEVER)
            if at > now - self.patience_s:
                found[link] = UP
            else:
                found[link] = LOST if (peer, link) in self.lost or link in unseen else UNHEARD if at == NEVER else DOWN
        return found


def lines(view: View) -> str:
    """For who asks the leader: a line for each node that it hears, the node and what is silent there."""
    told = []
    for node, peer in view.peers.peers.items():
        beat = peer.beat
        if beat is None or view.now - view.peers.heard_at(node, beat.boot_id) > 2 * view.cluster.timing.timeout_s:
            continue
        silent = " ".join(f"{way}={for_s:g}" for way, for_s in sorted(beat.silent.items()))
        told.append(f"{node} {silent}".rstrip())
    return "\n".join(told)
