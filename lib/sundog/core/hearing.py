"""What a node does with what other nodes say: one short method for each kind of body (frames.py). Part of Node."""
from typing import List, Optional

from sundog.config.model import Cluster, Timing
from sundog.core import double, events, join, proofs
from sundog.core.agent import Agent
from sundog.core.asking import Asking
from sundog.core.effects import Deactivate, Effect, Send
from sundog.core.following import Following
from sundog.core.frames import Ask, Ballot, Blocks, Body, Elected, Grant, Heartbeat, LedgerIs, Refused, Told, Write
from sundog.core.leadership import Leadership
from sundog.core.ledger import Ledger
from sundog.core.membership import Membership
from sundog.core.voting import Voting


class Hearing:
    """The node's parts are made by Node; nothing is kept here."""
    cluster: Cluster
    name: str
    boot: events.Boot
    ledger: Ledger
    _timing: Timing
    _out: List[Effect]
    _voting: Voting
    _peers: Membership
    _agent: Agent
    _asking: Asking
    _following: Following
    _leadership: Optional[Leadership]

    _fork: double.Fork

    @property
    def leader(self) -> Optional[str]:
        raise NotImplementedError

    def _say(self, code: str, severity: str, text: str, group: str = "", node: str = "") -> None:
        raise NotImplementedError

    def _is_member(self, node: str, boot_id: str) -> bool:
        raise NotImplementedError

    def _learn(self, ledger: Ledger) -> None:
        raise NotImplementedError

    def _report(self, now: float) -> None:
        raise NotImplementedError

    def _heartbeat(self, now: float, event: events.Heard, body: Heartbeat) -> None:
        told = self._peers.beat(event.sender, event.boot_id, event.incarnation, body)
        self._look_for_fork(now, event.sender, body)
        leadership = self._leadership
        if leadership is None or not self._voting.leading(now):
            self._guard_name(now, event.sender)
            return
        leadership.dirty |= told
        member = self._is_member(event.sender, event.boot_id) \
            and proofs.leasable(leadership.proofs.course(event.sender, event.boot_id))
        leadership.answer_beat(now, event.sender, body, member, self._voting.acknowledged_at, self.cluster, self.ledger)

    def _is_of_a_fork(self, body: Body) -> bool:
        """A node that has carried on alone follows nobody: it would be another ledger's leader."""
        return isinstance(body, (Grant, Elected, LedgerIs)) and self._voting.alone

    def _look_for_fork(self, now: float, other: str, body: Heartbeat) -> None:
        voting = self._voting
        if double.forked(voting.alone, body.vote) and not voting.distrust:
            self._out += self._fork.met(other, self._agent.reports, body.groups, voting.led, body.vote)
            if self._fork.gives_way:
                voting.give_way(now, self._fork.gives_way)
                self._out += self._agent.stop_all(self._fork.gives_way, self._following.doubtful)

    def _guard_name(self, now: float, node: str) -> None:
        """The leader cannot be told by its namesake: its followers refuse the other host."""
        beat = self._peers.peers[node].beat
        if node == self.leader and beat is not None:
            refusal = join.namesake(node, beat, self.ledger, self._peers, self._timing)
            self._out += [] if refusal is None else [Send(node, refusal)]

    def _grant(self, now: float, event: events.Heard, body: Grant) -> None:
        if self._following.granted(body):
            self._follow(now, event.sender, body.ballot)

    def _follow(self, now: float, leader: str, ballot: Ballot) -> bool:
        """Some node says that it leads; says whether that is new to us."""
        new = self._following.follow(now, leader, ballot)
        if self._voting.leads and ballot > self._voting.writer.ballot:
            self._voting.resign(now)
        self._voting.leader_seen_at = self._following.seen_at
        return new

    def _elected(self, now: float, event: events.Heard, body: Elected) -> None:
        self._following.knows_of(body.version)
        if self._follow(now, event.sender, body.ballot):
            self._report(now)
            for ask in self._asking.open():
                self._out.append(Send(event.sender, ask))

    def _ledger_is(self, now: float, event: events.Heard, body: LedgerIs) -> None:
        self._learn(body.ledger)

    def _refused(self, now: float, event: events.Heard, body: Refused) -> None:
        if body.boot_id not in ("", self.boot.boot_id):
            return
        if body.fatal:
            self._out += join.left_for(self.name, body)
            return
        if self._following.holds(now) and not self._following.doubtful:
            return                                      # it comes late: the cluster has admitted this boot since
        stops = self._agent.stop_all(body.reason, self._following.doubtful)
        if any(isinstance(one, Deactivate) for one in stops):
            self._say("REFUSED", "error", f"the cluster does not admit {self.name} yet: {body.reason}")
        self._out += stops

    def _write(self, now: float, event: events.Heard, body: Write) -> None:
        if not self._doubtful(now, event):
            self._voting.write(now, event.sender, event.boot_id, body)

    def _blocks(self, now: float, event: events.Heard, body: Blocks) -> None:
        if not self._doubtful(now, event):
            self._voting.answered(now, event.sender, body)

    def _doubtful(self, now: float, event: events.Heard) -> bool:
        of = (event.sender, event.boot_id)
        return join.is_doubtful(now, *of, self.ledger, self._peers, self._timing) \
            or join.is_restored(*of, event.incarnation, self.ledger)

    def _ask(self, now: float, event: events.Heard, body: Ask) -> None:
        if self._leadership is not None and self._voting.leading(now):
            self._leadership.asked(event.sender, body)

    def _told(self, now: float, event: events.Heard, body: Told) -> None:
        self._out += self._asking.told(body)
