"""Disk Paxos, the writer's side: one ballot at a time, one new ledger at a time (Gafni & Lamport, 2003).

Phase 1 begins a ballot at a majority of holders and learns the newest ledger that may have been chosen; phase 2 writes
it again under the new ballot. Then every change, and every probe, is one more phase 2.
"""
from dataclasses import dataclass, replace
from typing import Dict, Iterable, Mapping, Optional, Tuple

from sundog.core import voters
from sundog.core.frames import NO_BALLOT, Ballot, Block
from sundog.core.ledger import Ledger

IDLE, PREPARING, WRITING = "idle", "preparing", "writing"
_REMEMBERED = 64


def newest(blocks: Iterable[Block]) -> Optional[Block]:
    """Rule 1: of what a majority of holders keeps, the block whose ledger the next ballot must carry on."""
    written = [block for block in blocks if block.bal != NO_BALLOT]
    return max(written, key=lambda block: (block.bal, block.version), default=None)


def merged(kept: Optional[Block], block: Block) -> Block:
    """What a holder keeps when `block` is written over `kept`: never an older ledger, nor a lower ballot.

    A writer that has lost its own memory does not know what it wrote here; the holder does not forget it for it.
    """
    if kept is None:
        return block
    if (kept.bal, kept.version) > (block.bal, block.version):
        block = replace(block, bal=kept.bal, version=kept.version, ledger=kept.ledger)
    return replace(block, mbal=kept.mbal) if kept.mbal > block.mbal else block


def required(blocks: Iterable[Block], before: voters.Lives) -> Tuple[voters.Lives, ...]:
    """Of which sets a candidate needs a majority each: those of the newest ledger that it has found so far."""
    found = newest(blocks)
    return voters.in_force(found.ledger if found is not None else None, before)


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
    life: str = ""


@dataclass(frozen=True)
class Acknowledged:
    """What one life of a holder has acknowledged of our ballot. `at`: the newest send time.

    `known_from`: whatever we sent from this request on, we sent when that life had acknowledged something.
    """
    life: str
    at: float
    version: int
    known_from: int


class Writer:
    """`configured`: the set that votes while no ledger names one."""

    def __init__(self, name: str, configured: voters.Lives, own: Block, request: int) -> None:
        self.name, self.configured = name, configured
        self.phase = IDLE
        self.ballot: Ballot = NO_BALLOT
        self.begun_at = 0.0
        self.own = own                                  # as our own storage has it
        self.counter = self.led = request               # an earlier run may have led until this one started
        self.committed = 0                              # the highest version known to be chosen
        self.promises: Dict[str, Promise] = {}
        self.acknowledged: Dict[str, Acknowledged] = {}
        self.has_ledger: Dict[str, int] = {}                    # holder -> the version it has under this ballot
        self._request = request
        self._sent: Dict[int, Sent] = {}

    # ---- phases

    def begin(self, now: float, ballot: Ballot) -> None:
        """Phase 1 of a new ballot."""
        self.phase, self.ballot, self.begun_at = PREPARING, ballot, now
        self.own = replace(self.own, mbal=ballot)
        self.promises, self.acknowledged, self.has_ledger = {}, {}, {}

    @property
    def sets(self) -> Tuple[voters.Lives, ...]:
        """The sets that must accept the ledger in hand; in phase 1, that of the promises so far must promise."""
        if self.phase == WRITING:
            return voters.in_force(self.own.ledger, self.configured)
        found = [one.newest for one in self.promises.values() if one.newest is not None]
        return required(found, self.configured)

    def promised(self, holder: str, promise: Promise) -> None:
        self.promises[holder] = promise

    def elected(self, own: Promise) -> bool:
        """Have majorities begun the ballot once our own part promises, which knows of the ledger in `own`?"""
        promises = {**self.promises, self.name: own}
        sets = required((one.newest for one in promises.values() if one.newest is not None), self.configured)
        return voters.agree(sets, {holder: one.life for holder, one in promises.items()})

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
        if leads:
            self.led = self.counter
        own = self.own
        return Block(own.writer, own.mbal, own.bal, own.ledger, own.version, self.counter, self.committed, leads,
                     self.led)

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

    def accepted(self, holder: str, life: str, sent: Sent) -> None:
        """A holder acknowledged a phase 2 write."""
        known = self.acknowledged.get(holder)
        if known is None or known.life != life:
            known = Acknowledged(life, sent.at, sent.version, self._request + 1)
        self.acknowledged[holder] = Acknowledged(life, max(known.at, sent.at), max(known.version, sent.version),
                                                 known.known_from)
        self.has_ledger[holder] = self.acknowledged[holder].version

    def answering(self, since: float) -> Mapping[str, str]:
        """The holders that acknowledged something sent since then, with their lives."""
        return {holder: one.life for holder, one in self.acknowledged.items() if one.at >= since}

    def acknowledged_at(self) -> Optional[float]:
        """The send time of the newest write that a majority of every set acknowledged."""
        return voters.reached(self.sets, {holder: (one.life, one.at) for holder, one in self.acknowledged.items()})

    def chosen_version(self) -> Optional[int]:
        """The highest version that a majority of every set has under our ballot."""
        return voters.reached(self.sets, {holder: (one.life, one.version)
                                          for holder, one in self.acknowledged.items()})
