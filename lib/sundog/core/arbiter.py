"""The ping arbiter of two nodes (rule 9): a vote without memory, given by the node itself for what it can reach.

Seconds of this node's clock. It rests on an assumption: of two nodes that do not hear each other for SILENT_BEATS, no
more than one reaches the targets. Where that fails both carry on, and double.py resolves it afterwards.
"""
from dataclasses import replace
from typing import Optional

from sundog.config.model import Cluster
from sundog.core.ledger import Ledger
from sundog.core.membership import NEVER, Membership

#: Beats for which the other node must be silent on every link before the targets are asked in its place.
SILENT_BEATS = 3
#: Beats between two rounds that reached the targets: after more they were out of reach for a while.
_GAP_BEATS = 1.5

#: What a heartbeat says of the sender's vote: it has none; it has changed the ledger without the other; and has led so
#: in this run of its daemon.
NONE, ALONE, LED_ALONE = "none", "alone", "led-alone"


def entitled(reached_at: float, silent_from: float) -> bool:
    """Rule 9: was the round of pings begun when the other node had been silent for long enough?"""
    return reached_at >= silent_from


def is_fresh(now: float, reached_at: float, authority_s: float) -> bool:
    """Does a round of pings count still? As long as any other answer to a leader."""
    return now < reached_at + authority_s


def counts_from(now: float, reached_at: float) -> float:
    """Rule 9: since when the targets' answer counts for a write that leaves now: it is as old as the pings."""
    return min(now, reached_at)


def may_choose(ledger: Optional[Ledger], me: str, committed: int) -> bool:
    """Rule 9: what the arbiter helps to choose says that it was made alone, unless it was chosen before.

    So what the other node does not know of, and the arbiter forgets, can be told from what both know.
    """
    return ledger is not None and (ledger.alone == me or 0 < ledger.version <= committed)


def marked(ledger: Ledger, me: str) -> Ledger:
    """The ledger as one that is carried on without the other node writes it."""
    return ledger if ledger.alone == me else replace(ledger, alone=me, version=ledger.version + 1)


class Arbiter:
    """`absent`: the other node has been silent, and has acknowledged nothing since."""

    def __init__(self, cluster: Cluster, me: str, peers: Membership) -> None:
        self._me, self._peers, self._timing = me, peers, cluster.timing
        self.absent = False
        self.reached_at = NEVER                         # the newest round of pings that reached the targets
        self.reached_since = NEVER                      # the first of the rounds that have reached them without a gap
        self._started_at: Optional[float] = None
        self.configure(cluster)

    def configure(self, cluster: Cluster) -> None:
        others = [node for node, spec in cluster.nodes.items() if spec.votes and node != self._me]
        self.other = others[0] if len(others) == 1 else ""

    def start(self, now: float) -> None:
        if self._started_at is None:
            self._started_at = now

    def reached(self, began_at: float) -> None:
        """A round of pings has reached the targets."""
        if began_at > self.reached_at + _GAP_BEATS * self._timing.beat_s:
            self.reached_since = began_at
        self.reached_at = max(self.reached_at, began_at)

    def silent_from(self) -> float:
        """The instant from which the other node counts as silent, if it says nothing more until then."""
        since = NEVER if self._started_at is None else self._started_at
        return max(since, self._peers.last_heard(self.other)) + SILENT_BEATS * self._timing.beat_s

    def promises(self, now: float, leads: bool, voteless: bool) -> Optional[float]:
        """May a ballot begin by the targets' word? Until when the other node may have led, at the latest; None: no.

        `voteless`: the other node is there and has no vote at present.
        """
        if not self.other or not is_fresh(now, self.reached_at, self._timing.authority_s):
            return None
        if entitled(self.reached_at, self.silent_from()):
            # Before they came within our reach the other may have had them, and leases by them.
            return max(self.silent_from(), self.reached_since)
        self.absent = self.absent and leads
        return now if voteless or self.absent else None

    def acknowledges(self, now: float, voteless: bool) -> bool:
        """Does the vote count for a write that leaves now? It is as old as the round of pings that it stands on."""
        if not self.other or not is_fresh(now, self.reached_at, self._timing.authority_s):
            return False
        self.absent = self.absent or voteless or entitled(self.reached_at, self.silent_from())
        return self.absent
