"""Disk Paxos, the writer's side: one ballot at a time, one new ledger at a time (Gafni & Lamport, 2003).

Phase 1 begins a ballot at a majority of holders and learns the newest ledger that may have been chosen; phase 2 writes
it again under the new ballot. Then every change, and every probe, is one more phase 2.
"""
from dataclasses import dataclass, replace
from typing import Dict, Iterable, List, Optional, Tuple

from sundog.core.frames import NO_BALLOT, Ballot, Block
from sundog.core.ledger import Ledger

IDLE, PREPARING, WRITING = "idle", "preparing", "writing"
_REMEMBERED = 64


def newest(blocks: Iterable[Block]) -> Optional[Block]:
    """Rule 1: of what a majority of holders keeps, the block whose ledger the next ballot must carry on."""
    written = [block for block in blocks if block.bal != NO_BALLOT]
    return max(written, key=lambda block: (block.bal, block.version), default=None)


@dataclass(frozen=True)
class Sent:
    """A write on its way. `at`: before it left, by the writer's clock."""
    at: float
    mbal: Ballot
    bal: Ballot
    version: int


@dataclass(frozen=True)
class Promise:
    """A holder has begun our ballot. `led_at`: the latest instant at which it can have acknowledged another leader."""
    newest: Optional[Block]
    led_at: float


class Writer:
    def __init__(self, name: str, holders: Tuple[str, ...], own: Block, request: int) -> None:
        self.name, self.holders = name, holders
        self.majority = len(holders) // 2 + 1
        self.phase = IDLE
        self.ballot: Ballot = NO_BALLOT
        self.begun_at = 0.0
        self.own = own                                  # as our own storage has it
        self.counter = request
        self.committed = 0                              # the highest version known to be chosen
        self.promises: Dict[str, Promise] = {}
        self.acknowledged: Dict[str, Tuple[float, int]] = {}    # holder -> newest send time, highest version
        self.has_ledger: Dict[str, int] = {}                    # holder -> the version it has under this ballot
        self._request = request
        self._sent: Dict[int, Sent] = {}

    # ---- phases

    def begin(self, now: float, ballot: Ballot) -> None:
        """Phase 1 of a new ballot."""
        self.phase, self.ballot, self.begun_at = PREPARING, ballot, now
        self.own = replace(self.own, mbal=ballot)
        self.promises, self.acknowledged, self.has_ledger = {}, {}, {}

    def promised(self, holder: str, promise: Promise) -> bool:
        """Says whether a majority has now begun the ballot."""
        self.promises[holder] = promise
        return len(self.promises) >= self.majority

    def carried_on(self) -> Ledger:
        """What phase 2 must write first."""
        found = newest(one.newest for one in self.promises.values() if one.newest is not None)
        return found.ledger if found is not None and found.ledger is not None else Ledger()

    def led_at(self) -> float:
        """No other leader's last probe was sent later than this (architecture.md: what a new leader must wait for)."""
        return max(one.led_at for one in self.promises.values())

    def propose(self, ledger: Ledger) -> None:
        """Phase 2 with this ledger, which the next block carries."""
        self.phase = WRITING
        self.own = Block(self.name, self.ballot, self.ballot, ledger, ledger.version)

    def stop(self) -> None:
        self.phase = IDLE

    @property
    def busy(self) -> bool:
        """A change is on its way to being chosen."""
        return self.phase != WRITING or self.own.version != self.committed

    # ---- writes and answers

    def block(self, leads: bool, beats: bool = True) -> Block:
        """Our block as it goes to a holder now; without `beats` it is the one before, written again."""
        if beats:
            self.counter += 1
        own = self.own
        return Block(own.writer, own.mbal, own.bal, own.ledger, own.version, self.counter, self.committed, leads)

    def sending(self, now: float, block: Block) -> int:
        """A request number for a round of writes."""
        self._request += 1
        self._sent[self._request] = Sent(now, block.mbal, block.bal, block.version)
        if len(self._sent) > _REMEMBERED:
            del self._sent[next(iter(self._sent))]
        return self._request

    def sent(self, request: int) -> Optional[Sent]:
        """The write that this request was, if it belongs to the ballot in hand."""
        sent = self._sent.get(request)
        return sent if sent is not None and self.phase != IDLE and sent.mbal == self.ballot else None

    def accepted(self, holder: str, sent: Sent) -> None:
        """A holder acknowledged a phase 2 write."""
        at, version = self.acknowledged.get(holder, (sent.at, sent.version))
        self.acknowledged[holder] = (max(at, sent.at), max(version, sent.version))
        self.has_ledger[holder] = max(version, sent.version)

    def acknowledged_at(self) -> Optional[float]:
        """The send time of the newest write that a majority acknowledged."""
        if len(self.acknowledged) < self.majority:
            return None
        return sorted((at for at, _ in self.acknowledged.values()), reverse=True)[self.majority - 1]

    def chosen_version(self) -> Optional[int]:
        """The highest version that a majority has under our ballot."""
        versions: List[int] = sorted((version for _, version in self.acknowledged.values()), reverse=True)
        return versions[self.majority - 1] if len(versions) >= self.majority else None
