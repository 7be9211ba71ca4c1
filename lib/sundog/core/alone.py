"""A node's part in the vote while the other of two is away, by the ping arbiter's word (rule 9). Part of Voting."""
from typing import Dict, Mapping, Tuple

from sundog.core import arbiter, paxos, voters
from sundog.core.frames import Block
from sundog.core.membership import Membership
from sundog.core.paxos import PREPARING, WRITING, Promise, Sent, Writer


class Alone:
    """The vote's parts are made by Voting; nothing is kept here."""
    name: str
    arbiter: arbiter.Arbiter
    writer: Writer
    blocks: Mapping[str, Block]
    lives: Dict[str, str]
    led: bool
    distrust: str
    _peers: Membership

    @property
    def votes(self) -> bool:
        raise NotImplementedError

    def electorate(self) -> Tuple[voters.Lives, ...]:
        raise NotImplementedError

    def leading(self, now: float) -> bool:
        raise NotImplementedError

    def resign(self, now: float) -> None:
        raise NotImplementedError

    def _prepared(self, now: float) -> None:
        raise NotImplementedError

    def _settle(self, now: float) -> None:
        raise NotImplementedError

    @property
    def alone(self) -> bool:
        """Has this node changed the ledger without the other, which does not have that yet? Then it follows nobody."""
        if self.arbiter.other == "":
            return False
        block = paxos.newest(self.blocks.values())
        return block is not None and block.ledger is not None and block.ledger.alone == self.name

    @property
    def vote(self) -> str:
        """What a heartbeat says of our vote."""
        if not self.votes:
            return arbiter.NONE
        return "" if not self.alone else arbiter.LED_ALONE if self.led else arbiter.ALONE

    def _voteless(self) -> bool:
        """Is the other node there, without a vote at present?"""
        other = self.arbiter.other
        beat = self._peers.peers[other].beat if other in self._peers.peers else None
        if beat is not None and beat.vote != "":
            return beat.vote == arbiter.NONE
        return other in self.lives and not voters.votes(self.electorate(), other, self.lives[other])

    def _arbitrate(self, now: float) -> None:
        """The arbiter's answer to what we write now, if it gives us its vote."""
        writer = self.writer
        if not self.votes or not voters.votes(self.electorate(), voters.ARBITER, voters.PING):
            return
        if writer.phase == PREPARING:
            led_at = self.arbiter.promises(now, self.leading(now), self._voteless())
            if led_at is not None:
                writer.promised(voters.ARBITER, Promise(None, led_at, voters.PING))
        elif writer.phase == WRITING and arbiter.may_choose(writer.own.ledger, self.name, writer.committed) \
                and self.arbiter.acknowledges(now, self._voteless()):
            own, at = writer.own, arbiter.counts_from(now, self.arbiter.reached_at)
            writer.accepted(voters.ARBITER, voters.PING, Sent(at, own.mbal, own.bal, own.version))

    def arbitrated(self, now: float, began_at: float) -> None:
        """A round of pings has reached the targets."""
        self.arbiter.reached(began_at)
        self._arbitrate(now)
        if self.writer.phase == WRITING:
            self._settle(now)
        else:
            self._prepared(now)

    def give_way(self, now: float, why: str) -> None:
        """Another ledger than ours goes on: neither lead nor vote until this life is forgotten."""
        self.distrust = why
        self.resign(now)
        self.writer.stop()
