"""One node's machine: events in, effects out, and nothing else. It dispatches; the modules beside it decide.

A step ends the same way whatever began it: what was chosen is learned, the leader plans, the groups here follow the
ledger, failfast's deadline follows the lease, and what must be durable goes out first.
"""
from dataclasses import replace
from typing import Callable, Dict, List, Mapping, Optional, Tuple

from sundog.config.model import Cluster
from sundog.core import double, events, join, permits, placement, plan
from sundog.core.agent import Agent
from sundog.core.asking import Asking
from sundog.core.double import Fork
from sundog.core.effects import (
    Deactivate,
    Effect,
    Forget,
    Journal,
    Leave,
    Send,
    SetDeadline,
    Store,
    Stored,
)
from sundog.core.electorate import Present
from sundog.core.following import Following
from sundog.core.frames import Ask, Ballot, Blocks, Elected, Grant, Heartbeat, LedgerIs, Refused, Told, Write
from sundog.core.leadership import Leadership
from sundog.core.ledger import Ledger
from sundog.core.membership import Membership
from sundog.core.placement import Placement
from sundog.core.voting import Voting

#: What a node that has carried on alone takes from nobody: it would be another ledger's.
_FOLLOWED = (Grant, Elected, LedgerIs)
_DISK = "disk:"                         # a pulse on a disk counts as heard on the link of this name


class Node:
    """`stored` is what the last Store of this node held, `boot` the life of the host that it runs in."""

    def __init__(self, cluster: Cluster, name: str, boot: events.Boot, stored: Stored) -> None:
        self.cluster, self.name, self.boot = cluster, name, boot
        self._digest = cluster.digest
        self.ledger: Ledger = stored.ledger
        self.counters: Dict[str, int] = {}              # what was dropped, by reason
        self._timing = cluster.timing
        self._out: List[Effect] = []
        self._stored = stored
        self._peers = Membership(cluster.nodes, cluster.timing.timeout_s)
        self.voting = self._voting = Voting(cluster, name, boot, stored, self._peers, self._out)
        self._fork = Fork(cluster, name)
        self._agent = Agent(name, boot.boot_id, cluster)
        self._applicants = permits.Applicants(name, boot.boot_id, cluster.timing.timeout_s)
        self._asking = Asking(name, boot.incarnation)
        self._leadership: Optional[Leadership] = None
        self._following = Following(stored.ledger.version, cluster.timing)
        self._seq = 0
        self._next_beat = float("-inf")
        self._held = False                              # whether there was a lease at the last beat
        self._deadline: Optional[float] = None
        self._told_deadline = False
        self._unfit: Mapping[str, str] = {}
        self._reported: Tuple[object, ...] = ()
        self._now = float("-inf")
        self._proposed = False                          # a ledger, in this step
        self._handlers: Dict[type, Callable[..., None]] = {
            events.Tick: self.on_tick, events.Heard: self.on_heard, events.DiskAnswered: self.on_disk_answered,
            events.Activated: self.on_activated, events.Deactivated: self.on_deactivated,
            events.Adopted: self.on_adopted, events.GroupFailed: self.on_group_failed,
            events.OperatorDisabled: self.on_operator_disabled, events.OperatorEnabled: self.on_operator_enabled,
            events.PermitAsked: self.on_permit_asked, events.Requested: self.on_requested,
            events.Configured: self.on_configured, events.FenceDone: self.on_fence_done,
            events.Preflight: self.on_preflight, events.Arbitrated: self.on_arbitrated}
        self._bodies: Dict[type, Callable[..., None]] = {
            Heartbeat: self._heartbeat, Grant: self._grant, Refused: self._refused, Elected: self._elected,
            LedgerIs: self._ledger_is, Write: self._write, Blocks: self._blocks, Ask: self._ask, Told: self._told}

    # ---- what others may look at

    @property
    def leader(self) -> Optional[str]:
        """Who leads, as far as this node knows."""
        if self._voting.leading(self._now):
            return self.name
        return self._following.leader_now(self._now)

    @property
    def lease_until(self) -> Optional[float]:
        """When this node's lease ends, or ended; None: it has had none since its daemon started."""
        return self._following.lease_until

    @property
    def leads_until(self) -> float:
        """Until when this node leads; in the past when it does not."""
        return self._voting.leads_until if self._voting.leads else float("-inf")

    def heard(self, node: str) -> Mapping[str, float]:
        """When each link last brought something from `node`."""
        return self._peers.heard_on(node)

    def explain(self, now: float, group: str) -> Placement:
        """Why the group would go where; raises KeyError for a group that is not configured."""
        view = None if self._leadership is None \
            else self._leadership.view(now, self.cluster, self._peers, self._fork.view(self._voting.arbiter.absent))
        nodes = plan.nodes_seen(view, self.ledger) if view is not None else \
            placement.nodes_by_ledger(self.cluster.nodes, self.ledger, {self.name: self._unfit})
        return placement.place(self.cluster.groups[group], nodes, self.ledger)

    def wake_at(self, now: float) -> float:
        """The earliest instant at which a Tick can matter; at most a beat away."""
        voting = self._voting
        at = min(self._next_beat, voting.stand_at())
        if voting.leads:
            at = min(at, voting.leads_until)
            if self._leadership is not None and not voting.writer.busy:
                at = min(at, self._leadership.plan_at)
        return max(at, now)

    # ---- a step

    def step(self, now: float, event: events.Event) -> List[Effect]:
        """Take an event at an instant of this node's clock; the effects are to be carried out in order."""
        self._now, self._proposed = now, False
        self._voting.start(now)
        self._handlers[type(event)](now, event)
        self._voting.check(now)
        if now >= self._next_beat:
            self._beat(now)
        self._conclude(now)
        effects = list(self._out)
        self._out.clear()
        voting = self._voting
        if voting.blocks is not self._stored.blocks or voting.highest != self._stored.highest \
                or self.ledger is not self._stored.ledger:
            self._stored = replace(self._stored, blocks=voting.blocks, highest=voting.highest, ledger=self.ledger)
            effects.insert(0, Store(self._stored))
        return effects

    def _conclude(self, now: float) -> None:
        voting = self._voting
        if self._fork.gives_way:
            self._give_way()
        if self._leadership is not None and not voting.leading(now):
            self._leadership = None
            self._say("LEADER-LOST", "warning", f"{self.name} leads no longer: no majority has acknowledged it in time")
        self._lead(now)
        self._renew_own(now)
        self._reconcile(now)
        report = (self._agent.reports, self._unfit)
        if report != self._reported:
            self._reported = report
            self._report(now)
            self._lead(now)
            self._reconcile(now)
        self._answer_permits()
        self._fetch()

    def _give_way(self) -> None:
        """When nothing is active here any more, forget the ledger that is not the cluster's."""
        if not self._agent.active and not self._fork.forgotten:
            self._fork.forgotten = True
            self._out.append(Forget(self._fork.gives_way))

    def _say(self, code: str, severity: str, text: str, group: str = "", node: str = "") -> None:
        self._out.append(Journal(code, severity, text, group, node or self.name))

    def _count(self, reason: str) -> None:
        self.counters[reason] = self.counters.get(reason, 0) + 1

    # ---- leading

    def _lead(self, now: float) -> None:
        """Take in what was chosen, plan, propose; once in a step, so that every ledger is durable before the next."""
        voting = self._voting
        while True:
            chosen, voting.chosen = voting.chosen, None
            if chosen is not None:
                self._chosen(chosen)
            if voting.elected:
                self._proposed = True                   # the ledger that this one carries on
                self._begin_to_lead(now)
            leadership = self._leadership
            if leadership is None or voting.writer.busy or not voting.leading(now) \
                    or not (leadership.dirty or now >= leadership.plan_at):
                return
            if self._proposed:
                leadership.plan_at = now
                return
            agreed = join.all_have(self._digest, self.ledger, self._peers, self.name)
            present = Present(voting.answering(now), voting.suspects, agreed, voting.ages(now))
            ledger = leadership.plan(now, self.cluster, self._peers, self.ledger, present,
                                     self._fork.view(voting.arbiter.absent))
            if ledger is not None:
                self._proposed = True
                voting.propose(now, ledger)

    def _begin_to_lead(self, now: float) -> None:
        voting = self._voting
        voting.elected = False
        ballot = voting.writer.ballot
        self._following.lead(ballot)
        self._leadership = Leadership(now, self.name, ballot, voting.led_at, self._asking, self._out)
        self._say("LEADER-ELECTED", "notice", f"{self.name} leads the cluster, ballot {ballot[0]}")
        self._report(now)
        self._leadership.announce(self._others(), self.ledger.version)

    def _chosen(self, ledger: Ledger) -> None:
        before = self.ledger
        self._learn(ledger)
        if self._leadership is not None and ledger.version > before.version:
            self._leadership.chosen(before, ledger, self._others())

    def _others(self) -> List[str]:
        return [node for node in self.cluster.nodes if node != self.name]

    def _learn(self, ledger: Ledger) -> None:
        if ledger.version > self.ledger.version:
            self.ledger = ledger
            self._voting.learned(ledger)
            self._following.knows_of(ledger.version)
            self._fork.learned(ledger)

    # ---- lease, deadline, groups

    def _renew_own(self, now: float) -> None:
        """The leader's own lease, by the same reckoning as everybody's."""
        voting = self._voting
        if voting.leading(now) and self._is_member(self.name, self.boot.boot_id):
            self._following.hold(voting.acknowledged_at, self._timing.timeout_s)

    def _is_member(self, node: str, boot_id: str) -> bool:
        """By what is chosen, and by what is on its way: a node that is being deposed gets no lease in between."""
        return join.is_member(node, boot_id, self.ledger) \
            and join.is_member(node, boot_id, self._voting.writer.own.ledger or self.ledger)

    def _reconcile(self, now: float) -> None:
        until = self._following.right_until(self.ledger.version)
        orders = self._agent.reconcile(self.ledger, until is not None and now < until)
        self._set_deadline(now)
        self._out += orders

    def _set_deadline(self, now: float) -> None:
        at = self._agent.deadline(now, self.lease_until, self._deadline)
        # A daemon that has just started first learns what runs, then gets its lease: until then failfast holds the
        # deadline that its predecessor set.
        first = not self._told_deadline and self._agent.known and not self._agent.active
        if at != self._deadline or first:
            self._deadline, self._told_deadline = at, True
            self._out.append(SetDeadline(at))

    def _answer_permits(self) -> None:
        until = self._following.right_until(self.ledger.version) if self._deadline is not None else None
        self._out += self._applicants.answers(self._now, self.ledger, until, self._agent.stopping)

    # ---- heartbeats

    def _beat(self, now: float) -> None:
        self._next_beat = now + self._timing.beat_s
        held = self.lease_until is not None and now < self.lease_until
        if self._held and not held:
            self._say("LEASE-LOST", "warning", f"{self.name} has no lease any more: it has not heard a leader in time")
        self._held = held
        self._voting.alive = held or self._agent.active
        self._voting.beat(now)
        self._report(now)
        if self._leadership is None:
            leader = self.leader
            for ask in self._asking.open():
                if leader is not None:
                    self._out.append(Send(leader, ask))
        self._out += self._asking.given_up(now)

    def _report(self, now: float) -> None:
        """A heartbeat: to the leader, or to everybody while there is none."""
        self._seq += 1
        reports, unfit = self._agent.reports, dict(self._unfit)
        body = Heartbeat(self._seq, now, self.ledger.version, self.boot.hostid, reports, unfit, self._digest,
                         self._voting.vote)
        self._peers.heard(now, "self", self.name, self.boot.boot_id)
        told = self._peers.beat(self.name, self.boot.boot_id, self.boot.incarnation, body)
        if self._leadership is not None:
            self._leadership.dirty |= told
            if self._voting.alone:
                # Who leads is followed by its beats only where it has forked.
                self._out += [Send(node, body) for node in self._others()]
            return
        self._following.sent(now, self._seq)
        leader = self.leader
        for node in self._others() if leader is None else [leader]:
            self._out.append(Send(node, body))

    # ---- events

    def on_tick(self, now: float, event: events.Tick) -> None:
        """Time alone: the end of every step looks at the clock."""

    def on_heard(self, now: float, event: events.Heard) -> None:
        if event.sender not in self._peers.peers or event.sender == self.name:
            self._count("unknown sender" if event.sender != self.name else "our own name")
            return
        self._peers.heard(now, event.link, event.sender, event.boot_id)
        if event.body is not None and not (self._voting.alone and isinstance(event.body, _FOLLOWED)):
            self._bodies[type(event.body)](now, event, event.body)

    def on_disk_answered(self, now: float, event: events.DiskAnswered) -> None:
        for node in self._voting.disk_answered(now, event):
            if node in self._peers.peers:
                self._peers.pulse(now, _DISK + event.holder, node)

    def on_activated(self, now: float, event: events.Activated) -> None:
        self._out += self._agent.activated(event)

    def on_deactivated(self, now: float, event: events.Deactivated) -> None:
        self._out += self._agent.deactivated(event)

    def on_adopted(self, now: float, event: events.Adopted) -> None:
        self._agent.adopt(event.groups, self.ledger)
        if event.groups:
            found = ", ".join(f"{group} ({what})" for group, what in sorted(event.groups.items()))
            self._say("ADOPTED", "notice", f"{self.name} adopts what runs: {found}")

    def on_group_failed(self, now: float, event: events.GroupFailed) -> None:
        self._out += self._agent.failed(event)

    def on_operator_disabled(self, now: float, event: events.OperatorDisabled) -> None:
        self._forward(self._asking.from_smf(now, "offline", event.group))

    def on_operator_enabled(self, now: float, event: events.OperatorEnabled) -> None:
        self._forward(self._asking.from_smf(now, "online", event.group, self.name))

    def on_requested(self, now: float, event: events.Requested) -> None:
        ask = Ask(event.ask, event.op, event.group, event.node, event.digest, event.voters)
        self._asking.requested(now, ask)
        self._forward(ask)

    def _forward(self, ask: Ask) -> None:
        if self._leadership is not None:
            self._leadership.asked(self.name, ask)
        elif self.leader is not None:
            self._out.append(Send(self.leader, ask))

    def on_permit_asked(self, now: float, event: events.PermitAsked) -> None:
        self._applicants.ask(now, event)

    def on_configured(self, now: float, event: events.Configured) -> None:
        self.cluster, self._digest = event.cluster, event.cluster.digest
        self._peers.follow(event.cluster.nodes)
        self._fork.configured(event.cluster)
        self._voting.configure(event.cluster)
        self._agent.configured(event.cluster)
        if self._leadership is not None:
            self._leadership.dirty = True

    def on_fence_done(self, now: float, event: events.FenceDone) -> None:
        outcome = "is off" if event.ok else f"could not be fenced: {event.reason}"
        self._say("FENCED" if event.ok else "FENCE-FAILED", "warning", f"{event.node} {outcome}", "", event.node)

    def on_arbitrated(self, now: float, event: events.Arbitrated) -> None:
        self._fork.answering = dict(event.answering)
        self._voting.arbitrated(now, event.began_at)

    def on_preflight(self, now: float, event: events.Preflight) -> None:
        self._unfit = dict(event.unfit)

    # ---- bodies

    def _heartbeat(self, now: float, event: events.Heard, body: Heartbeat) -> None:
        told = self._peers.beat(event.sender, event.boot_id, event.incarnation, body)
        self._look_for_fork(now, event.sender, body)
        leadership = self._leadership
        if leadership is None or not self._voting.leading(now):
            self._guard_name(now, event.sender)
            return
        leadership.dirty |= told
        member = self._is_member(event.sender, event.boot_id)
        leadership.answer_beat(now, event.sender, body, member, self._voting.acknowledged_at, self.cluster, self.ledger)

    def _look_for_fork(self, now: float, other: str, body: Heartbeat) -> None:
        voting = self._voting
        if double.forked(voting.alone, body.vote) and not voting.distrust:
            self._out += self._fork.met(other, self._agent.reports, body.groups, voting.led, body.vote)
            if self._fork.gives_way:
                voting.give_way(now, self._fork.gives_way)
                self._out += self._agent.stop_all(self._fork.gives_way)

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
            self._say("REFUSED", "error", f"the cluster refuses {self.name}: {body.reason}")
            self._out.append(Leave(body.reason, body.remedy))
            return
        stops = self._agent.stop_all(body.reason)
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

    # ---- the configuration

    def _fetch(self) -> None:
        """Get the configuration that the ledger names, when it is not ours; asked once for each version."""
        self._out += self._following.fetch(self.ledger, self._digest, self.leader or self.name)
