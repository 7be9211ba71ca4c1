"""One node's machine: events in, effects out, and nothing else. It dispatches; the modules beside it decide.

A step ends the same way whatever began it: what was chosen is learned, the leader plans, the groups here follow the
ledger, failfast's deadline follows the lease, and what must be durable goes out first.
"""
from dataclasses import replace
from typing import Dict, List, Mapping, Optional, Tuple

from sundog.config.model import Cluster
from sundog.core import events, fencing, join, jumps, permits, placement, plan
from sundog.core.agent import Agent
from sundog.core.asking import Asking
from sundog.core.dispatch import handlers
from sundog.core.double import Fork
from sundog.core.effects import (
    Effect,
    Forget,
    Greet,
    Journal,
    Send,
    Store,
    Stored,
)
from sundog.core.electorate import Present
from sundog.core.following import Following
from sundog.core.frames import Ask, Body, Heartbeat
from sundog.core.hearing import Hearing
from sundog.core.leadership import Leadership
from sundog.core.ledger import Ledger
from sundog.core.links import Watch
from sundog.core.membership import Membership
from sundog.core.placement import Placement
from sundog.core.standing import Standing
from sundog.core.voting import Voting

_DISK = "disk:"                         # a pulse on a disk counts as heard on the link of this name


class Node(Hearing):
    """`stored` is what the last Store of this node held, `boot` the life of the host that it runs in."""

    def __init__(self, cluster: Cluster, name: str, boot: events.Boot, stored: Stored) -> None:
        self.cluster, self.name, self.boot = cluster, name, boot
        self._digest = cluster.digest
        self.ledger: Ledger = stored.ledger
        self.counters: Dict[str, int] = {}              # what was dropped, by reason
        self._timing = cluster.timing
        self._out: List[Effect] = []
        self._stored = stored
        self.links = Watch(name, cluster)
        self._peers = Membership(cluster.nodes, cluster.timing.timeout_s)
        self._peers.learned(self.ledger)
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
        self._standing = Standing()
        self._unfit: Mapping[str, str] = {}
        self._reported: Tuple[object, ...] = ()
        self._now = float("-inf")
        self._proposed = False                          # a ledger, in this step
        self._handlers = handlers(self, events.Event, "on_")
        self._bodies = handlers(self, Body, "_")

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

    def link_states(self, now: float, node: str) -> Mapping[str, str]:
        """Each link to `node`, and "disk:NAME" for pulses: up | lost | down | never (links.py)."""
        return self.links.states(now, self._peers, node)

    def explain(self, now: float, group: str) -> Placement:
        """Why the group would go where; raises KeyError for a group that is not configured."""
        view = None if self._leadership is None \
            else self._leadership.view(now, self.cluster, self._peers, self._fork.view(self._voting.arbiter.absent))
        nodes = plan.nodes_seen(view, self.ledger) if view is not None else \
            placement.nodes_by_ledger(self.cluster.nodes, self.ledger, {self.name: self._unfit})
        return placement.place(self.cluster.groups[group], nodes, self.ledger)

    def fence_wanted(self, node: str, boot_id: str) -> bool:
        """Should a Fence that is under way be gone on with?"""
        return self._leadership is not None \
            and fencing.wanted(self._leadership.proofs, node, boot_id, self.ledger, self.cluster)

    def wake_at(self, now: float) -> float:
        """The earliest instant at which a Tick can matter; at most a beat away."""
        voting = self._voting
        at = self._next_beat
        if voting.quiet_until < at:
            at = min(at, voting.stand_at())
        if voting.leads:
            at = min(at, voting.leads_until)
            if self._leadership is not None and not voting.writer.busy:
                at = min(at, self._leadership.plan_at)
        return max(at, now)

    # ---- a step

    def step(self, now: float, event: events.Event) -> List[Effect]:
        """Take an event at an instant of this node's clock; the effects are to be carried out in order."""
        self._now, self._proposed = now, False
        if type(event) is events.Heard and event.body is None and now < self.wake_at(now):
            # The copy of a frame that came over another link: only that it came is new, and nothing else is due.
            self.on_heard(now, event)
            return []
        self._voting.start(now)
        self._handlers[type(event)](now, event)
        self._voting.check(now)
        if not self._is_answered(now, event):
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

    def _is_answered(self, now: float, event: events.Event) -> bool:
        """Was it a heartbeat that the leader has only answered? Most are: then nothing else is due."""
        leadership = self._leadership
        return type(event) is events.Heard and type(event.body) is Heartbeat \
            and leadership is not None and not leadership.dirty and self._voting.leading(now) \
            and self._voting.chosen is None and not self._fork.gives_way and now < self.wake_at(now)

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
        self._following.lead(ballot, self.ledger.version)
        self._leadership = Leadership(now, self.name, ballot, voting.led_at, self._asking, self._out)
        self._say("LEADER-ELECTED", "notice", f"{self.name} leads the cluster, ballot {ballot[0]}")
        self._peers.forget_beats(self.name)
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
            self._peers.learned(ledger)
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
        if self._following.doubtful and not join.is_member(self.name, self.boot.boot_id, self.ledger):
            self._out += self._agent.depose("it was paused past its lease, and the cluster has gone on without it")
        until = self._following.right_until(self.ledger.version)
        orders = self._agent.reconcile(self.ledger, until is not None and now < until)
        self._out += self._standing.follow(now, self._agent, self.lease_until)
        self._out += orders

    def _answer_permits(self) -> None:
        if not self._agent.known:
            return                                      # it is about to say what runs here; a refusal is for good
        until = self._following.right_until(self.ledger.version) if self._standing.at is not None else None
        self._out += self._applicants.answers(self._now, self.ledger, until, self._agent.stopping)

    # ---- heartbeats

    def _beat(self, now: float) -> None:
        self._next_beat = now + self._timing.beat_s
        held = self._following.holds(now)
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
        self._out += self.links.look(now, self._peers)
        peer = self.links.to_greet(self.leader)
        if peer is not None:
            self._out.append(Greet(peer))

    def _report(self, now: float) -> None:
        """A heartbeat: to the leader; while there is none to those who may lead next, some at a time."""
        self._seq += 1
        reports, unfit = self._agent.reports, dict(self._unfit)
        body = Heartbeat(self._seq, now, self.ledger.version, self.boot.hostid, reports, unfit, self._digest,
                         self._voting.vote, self.links.silent(now))
        self._peers.heard(now, "self", self.name, self.boot.boot_id)
        told = self._peers.beat(self.name, self.boot.boot_id, self.boot.incarnation, body)
        if self._leadership is not None:
            self._leadership.dirty |= told
            self._leadership.remind(now, self._others(), self._timing.beat_s, self.ledger.version)
            if self._voting.alone:
                # Who leads is followed by its beats only where it has forked.
                self._out += [Send(node, body) for node in self._others()]
            return
        self._following.sent(now, self._seq)
        leader = self.leader
        for node in self._voting.electors(self._seq) if leader is None else [leader]:
            self._out.append(Send(node, body))

    # ---- events

    def on_tick(self, now: float, event: events.Tick) -> None:
        """Time alone: the end of every step looks at the clock."""

    def on_heard(self, now: float, event: events.Heard) -> None:
        if event.sender not in self._peers.peers or event.sender == self.name:
            self._count("unknown sender" if event.sender != self.name else "our own name")
            return
        self._peers.heard(now, event.link, event.sender, event.boot_id)
        if event.body is not None and not self._is_of_a_fork(event.body):
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
        self.links.follow(event.cluster)
        self._fork.configured(event.cluster)
        self._voting.configure(event.cluster)
        self._agent.configured(event.cluster)
        if self._leadership is not None:
            self._leadership.dirty = True

    def on_fence_done(self, now: float, event: events.FenceDone) -> None:
        if self._leadership is None:
            self._out.append(fencing.line(event))
        else:
            self._leadership.fence_done(now, event, self._timing.timeout_s)

    def on_arbitrated(self, now: float, event: events.Arbitrated) -> None:
        self._fork.answering = dict(event.answering)
        self._voting.arbitrated(now, event.began_at)

    def on_preflight(self, now: float, event: events.Preflight) -> None:
        self._unfit = dict(event.unfit)

    def on_clock_jumped(self, now: float, event: events.ClockJumped) -> None:
        self._say("CLOCK-JUMPED", "warning", jumps.said(self.name, event.by_s))
        self._following.doubt()
        self._voting.doubt(now)
        self._next_beat = now

    # ---- the configuration

    def _fetch(self) -> None:
        """Get the configuration that the ledger names, when it is not ours; asked once for each version."""
        self._out += self._following.fetch(self.ledger, self._digest, self.leader or self.name)
