"""What a node knows of the leader, and the lease that it holds by the leader's grants. Seconds of this node's clock."""
from typing import Dict, List, Optional

from sundog.config.model import Timing
from sundog.core import lease
from sundog.core.effects import FetchConfig
from sundog.core.frames import NO_BALLOT, Ballot, Grant
from sundog.core.ledger import Ledger

_REMEMBERED = 64
#: Of L: a shorter grant does not take the place of the lease from before a clock's jump; the next beat brings another.
_WORTH = 0.5


class Following:
    def __init__(self, version: int, timing: Timing) -> None:
        self.leader: Optional[str] = None               # another node, the last that we heard leads
        self.ballot: Ballot = NO_BALLOT                 # of the highest leader we have heard of
        self.seen_at = float("-inf")                    # when that leader last said so
        self.lease_until: Optional[float] = None
        self._timing = timing
        self.doubtful = False                           # the clock has jumped, and nobody has granted anything since
        self._newest = version                          # the highest version we have heard of
        self._fetching = (0, "")
        self._current = False                           # whether the cluster has told us of its newest version
        self._beats: Dict[int, float] = {}              # heartbeats that may still be answered: seq -> sent

    def leader_now(self, now: float) -> Optional[str]:
        """The leader, as long as its authority can last without another word from it."""
        return self.leader if now < self.seen_at + self._timing.authority_s else None

    def follow(self, now: float, leader: str, ballot: Ballot) -> bool:
        """Some node says that it leads; says whether that is new to us. A leader of an older ballot is none."""
        if ballot < self.ballot:
            return False
        new = (leader, ballot) != (self.leader, self.ballot)
        self.leader, self.ballot, self.seen_at = leader, ballot, now
        return new

    def lead(self, ballot: Ballot, version: int) -> None:
        """We lead ourselves, with a ledger of this version: whatever was said to be newer was never chosen."""
        self.leader, self.ballot, self._newest = None, ballot, version

    def knows_of(self, version: int) -> None:
        self._newest = max(self._newest, version)

    def fetch(self, ledger: Ledger, digest: str, source: str) -> List[FetchConfig]:
        """The order to get the configuration that the ledger names, when it is not ours; once for each version."""
        named = (ledger.config_version, ledger.config_digest)
        if named[1] in ("", digest) or named == self._fetching:
            return []
        self._fetching = named
        return [FetchConfig(*named, source)]

    def sent(self, now: float, seq: int) -> None:
        self._beats[seq] = now
        if len(self._beats) > _REMEMBERED:
            del self._beats[next(iter(self._beats))]

    def granted(self, grant: Grant) -> bool:
        """Take a grant for a heartbeat that this run of the daemon sent; says whether it was one."""
        if self._beats.pop(grant.seq, None) != grant.sent_at:
            return False
        self.knows_of(grant.version)
        self.hold(grant.sent_at, min(grant.for_s, self._timing.timeout_s))
        return True

    def hold(self, sent_at: float, for_s: float) -> None:
        """A lease for what was sent then. What was granted stays granted, but from before a pause: that may be over."""
        until = lease.until(sent_at, for_s, self._timing.guard_s)
        if self.doubtful and for_s < _WORTH * self._timing.timeout_s:
            return
        self.lease_until = until if self.lease_until is None or self.doubtful else max(self.lease_until, until)
        self._current = True
        self.doubtful = False

    def holds(self, now: float) -> bool:
        return self.lease_until is not None and now < self.lease_until

    def doubt(self) -> None:
        """Rule 12: how old our heartbeats are is not known any more, so what answers them proves no right to start."""
        self._beats.clear()
        self._current = False
        self.doubtful = self.lease_until is not None

    def right_until(self, version: int) -> Optional[float]:
        """The lease, unless a newer ledger than `version` is known: ours may assign what has been taken from us."""
        return self.lease_until if self._current and version >= self._newest else None
