"""A host with its daemon: the real core in it, what it takes in, and what it asks for.

Effects are carried out in order; a fuse may burn through between two of them, and then the host loses its power, its
daemon dies, or everything stops in the middle of a step.
"""
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Callable, Deque, Dict, Optional, Tuple

from simulation.host import Call, Host
from simulation.timeline import Clock
from simulation.wire import Frame
from sundog.core import effects, events
from sundog.core.effects import Effect
from sundog.core.events import Boot, Event
from sundog.core.jumps import Clocks
from sundog.core.node import Node

if TYPE_CHECKING:
    from simulation.world import World

_TICK = events.Tick()
_SHORTEST_TICK_S = 0.001
_SOCKET_BUFFER = 500

PermitAnswer = Callable[[Optional[effects.AnswerPermit]], None]


class Machine(Host):
    """The daemon lives and dies; what it had not carried out dies with it."""

    def __init__(self, world: "World", key: str, name: str, hostid: str, clock: Clock) -> None:
        super().__init__(world, key, name, hostid, clock)
        self.run = 0                                    # unique for every life of a daemon
        self.node: Optional[Node] = None
        self.stalled = False
        self.fuse: Optional[Tuple[int, Callable[["Machine"], None]]] = None
        self._stale_step = False                        # what is left of a step was decided before a pause
        self._effects: Deque[Effect] = deque()
        self._carrying = self._taking = False
        self._held_daemon: Deque[Call] = deque()
        self._permits: Dict[int, Tuple[str, str, PermitAnswer]] = {}
        self._asks = 0
        self._tick_due = self._wake = float("inf")
        self._carry: Dict[type, Callable[[Any], None]] = {
            effects.Send: self._send, effects.Greet: self._greet, effects.Store: self._store,
            effects.WriteDisk: self._write_disk,
            effects.Activate: self._activate, effects.Deactivate: self._deactivate, effects.Fence: self._fence,
            effects.SetDeadline: self._set_deadline, effects.AnswerPermit: self._answer_permit,
            effects.AnswerRequest: self._answer_request, effects.FetchConfig: self._fetch_config,
            effects.Journal: self._journal, effects.Leave: self._leave, effects.Forget: self._forget}

    @property
    def leads(self) -> bool:
        return self.node is not None and self.node.leader == self.name

    # ---- what happens to the host

    def power_off(self, why: str = "power cut") -> None:
        if self.power:
            super().power_off(why)
            self.stalled = self._stale_step = False
            self.fuse = None

    def suspend(self) -> None:
        if self.power and not self.frozen:
            super().suspend()
            self._stale_step = bool(self._effects)

    # ---- the daemon

    def start_daemon(self) -> None:
        """svc.startd starts sundogd: it reads its disk and adopts what runs."""
        if not self.power or self.node is not None or self.left or self.smf is None:
            return
        self.incarnation += 1
        self.world.runs += 1
        self.run = self.world.runs
        cluster = self.world.known_cluster(self)
        self.holders.update(cluster.holders)
        self.node = Node(replace(cluster, retired=self.holders), self.name,
                         Boot(self.boot_id, self.incarnation, self.hostid, self.distrusted), self.stored)
        self._tick_due = self._wake = float("inf")
        self.troubled_at = self.world.now
        timing = self.world.cluster.timing
        self._clocks = Clocks(timing.guard_s, timing.timeout_s)
        self.world.invariants.daemon_started(self)
        self.happen(events.Adopted(self.smf.adopted()))
        if self.world.pings is not None:
            self.world.pings.start(self)
        if self.unfit:
            self.happen(events.Preflight(dict(self.unfit)))

    def kill_daemon(self) -> None:
        if self.node is None:
            return
        self.world.note(self.key, "daemon ends")
        self.node, self.stalled, self.troubled_at = None, False, self.world.now
        self._effects.clear()
        self._held_daemon.clear()
        waiting, self._permits = self._permits, {}
        for _, _, answer in waiting.values():
            self.later(0.01, answer, None)

    def stall(self) -> None:
        """The daemon alone does nothing; failfast and SMF go on."""
        if self.node is not None and not self.stalled:
            self.stalled, self.troubled_at = True, self.world.now
            self.world.note(self.key, "daemon stalled")

    def resume(self) -> None:
        if self.stalled:
            self.stalled, self.troubled_at = False, self.world.now
            self.world.note(self.key, "daemon goes on")
            self._resume()

    def _resume(self) -> None:
        """The daemon goes on where it stood: first the rest of its step, then what waited."""
        self._carry_out()
        self._take_held()
        if self.node is not None:
            self.happen(_TICK)

    def _take_held(self) -> None:
        """What waited, one after the other; what comes of it waits its turn."""
        if self._taking:
            return
        self._taking = True
        while self._held_daemon and not self._effects and not self.frozen and not self.stalled \
                and self.node is not None:
            call, args = self._held_daemon.popleft()
            call(*args)
        self._taking = False

    # ---- its steps

    def daemon_later(self, delay_s: float, call: Callable[..., None], *args: Any) -> None:
        """As `later`, unless the daemon ends; it also waits while the daemon alone is stalled."""
        self.world.timeline.at(self.world.timeline.now + delay_s, self._due_daemon, self.run, call, args)

    def _due_daemon(self, run: int, call: Callable[..., None], args: Tuple[Any, ...]) -> None:
        if run == self.run and self.node is not None:
            if self.frozen or self.stalled:
                self._held_daemon.append((call, args))
            else:
                call(*args)

    def happen(self, event: Event) -> None:
        """One event for the core, and what it asks for."""
        if self.node is None:
            return
        if self.frozen or self.stalled or self._effects:
            self._held_daemon.append((self.happen, (event,)))
            return
        now = self.clock.read()
        if self.deadline is not None and now >= self.deadline:
            self.reset("the daemon finds its deadline passed")
            return
        by_s = self._clocks.jumped(now, self.world.now + self.wall_s)
        if by_s:
            self._held_daemon.appendleft((self.happen, (event,)))
            event = events.ClockJumped(by_s)
        self.world.steps += 1
        self._effects.extend(self.world.guarded(self, self.node, now, event))
        self._carry_out()
        if self.node is not None:
            self.world.invariants.stepped(self, now)
            if not self._effects:
                self._take_held()
                self._arm_tick()

    def _carry_out(self) -> None:
        if self._carrying:
            return
        self._carrying = True
        run = self.run
        while self._effects and self.run == run and not self.frozen and not self.stalled:
            effect = self._effects.popleft()
            self._carry[type(effect)](effect)
            if self.fuse is not None and self.run == run:
                self._burn()
        self._carrying = False
        self._stale_step = self._stale_step and bool(self._effects)

    def _burn(self) -> None:
        left, blow = self.fuse or (0, Machine.freeze)
        self.fuse = (left - 1, blow)
        if left <= 1:
            self.fuse = None
            self.world.note(self.key, "in the middle of a step:")
            blow(self)

    def _arm_tick(self) -> None:
        if self.node is None:
            return
        now = self.clock.read()
        self._wake = self.clock.true(max(self.node.wake_at(now), now + _SHORTEST_TICK_S))
        if self._wake < self._tick_due:
            self._tick_due = self._wake
            self.world.timeline.at(self._wake, self._tick, self.run, self._wake)

    def _tick(self, run: int, due: float) -> None:
        if run != self.run or due != self._tick_due or self.node is None:
            return
        self._tick_due = float("inf")
        if self.frozen or self.stalled:
            return
        if self._wake > self.world.timeline.now + 1e-7:
            self._tick_due = self._wake
            self.world.timeline.at(self._wake, self._tick, run, self._wake)
        else:
            self.happen(_TICK)

    def receive(self, run: int, link: str, frame: Frame) -> None:
        """A frame comes in; what was sent to an earlier run of our daemon is not let through."""
        if self.node is None or run != self.run:
            return
        if self.frozen or self.stalled:
            if len(self._held_daemon) < _SOCKET_BUFFER:
                self._held_daemon.append((self.receive, (run, link, frame)))
            return
        over = frame.came_over.setdefault(run, [])
        if link in over or self.world.replaced(self, frame):
            return
        over.append(link)
        body = frame.body if len(over) == 1 else None
        self.happen(events.Heard(link, frame.sender, frame.boot_id, frame.incarnation, body))

    # ---- asking the daemon

    def ask_permit(self, group: str, resource: str, answer: PermitAnswer) -> bool:
        if self.node is None:
            return False
        self._asks += 1
        self._permits[self._asks] = (group, resource, answer)
        self.happen(events.PermitAsked(self._asks, group, resource))
        return True

    def request(self, op: str, group: str = "", node: str = "", digest: str = "", names: Tuple[str, ...] = ()) -> str:
        """An operator's command on this host; the answer is found in world.answers under the name returned."""
        self._asks += 1
        ask = f"{self.name}:{self.incarnation}.{self._asks}"
        self.happen(events.Requested(ask, op, group, node, digest, names))
        return ask

    # ---- effects

    def _set_deadline(self, effect: effects.SetDeadline) -> None:
        if not self._stale_step:
            self.lease_gone_at = float("inf")
        self.deadline = effect.at
        self.world.invariants.deadline_set(self)
        self._arm_failfast()

    def _send(self, effect: effects.Send) -> None:
        if any(type(one) is effects.Store for one in self._effects):
            self.world.invariants.fail("I3", f"{self.key} sends {effect.body} before what it says is durable")
        self.world.wire.send(self, effect.to, effect.body)

    def _greet(self, effect: effects.Greet) -> None:
        self.world.wire.send(self, effect.to, None)

    def _store(self, effect: effects.Store) -> None:
        before, self.stored = self.stored, effect.stored
        self.world.invariants.stored(self, before)
        if self.world.store_s:
            self.stalled = True
            self.world.timeline.at(self.world.timeline.now + self.world.store_s, self._durable, self.run)

    def _durable(self, run: int) -> None:
        if run == self.run and self.stalled:
            self.stalled = False
            self._resume()

    def _write_disk(self, effect: effects.WriteDisk) -> None:
        self.world.partitions[effect.holder].exchange(self, effect)

    def _activate(self, effect: effects.Activate) -> None:
        if self.deadline is not None and self.clock.read() >= self.deadline:
            return                                      # as the daemon does it: failfast is about to reset this host
        # One from before a pause starts nothing: its methods ask for their permits from now on.
        if not self._stale_step:
            self.world.invariants.activated(self, effect)
        assert self.smf is not None
        self.smf.activate(effect)

    def _deactivate(self, effect: effects.Deactivate) -> None:
        self.world.note(self.key, f"deactivate {effect.group}.{effect.epoch}: {effect.why}")
        assert self.smf is not None
        self.smf.deactivate(effect)

    def _fence(self, effect: effects.Fence) -> None:
        self.world.note(self.key, f"fences {effect.node}: {effect.why}")
        self.world.devices[effect.node].order(self, effect)

    def _answer_permit(self, effect: effects.AnswerPermit) -> None:
        self.later(0.001, self._pass_on, *self._permits.pop(effect.ask), effect, self._suspended)

    def _pass_on(self, group: str, resource: str, answer: PermitAnswer, effect: effects.AnswerPermit,
                 suspended: int) -> None:
        """As the daemon does it: what was answered before a pause is asked again."""
        if suspended == self._suspended or effect.permit is None:
            answer(effect)
        elif not self.ask_permit(group, resource, answer):
            answer(None)

    def _answer_request(self, effect: effects.AnswerRequest) -> None:
        self.world.answers[effect.ask] = effect

    def _fetch_config(self, effect: effects.FetchConfig) -> None:
        self.world.fetch(self, effect)

    def _journal(self, effect: effects.Journal) -> None:
        self.world.journal(self, effect)

    def _leave(self, effect: effects.Leave) -> None:
        self.left = effect.reason
        self.kill_daemon()

    def _forget(self, effect: effects.Forget) -> None:
        """The daemon sets its vote file aside and ends; SMF starts it again."""
        self.world.note(self.key, f"forgets: {effect.why}")
        self.world.forgotten += 1
        self.world.invariants.gives_up(self)
        self.kill_daemon()
        self.lose_vote_file()
        self.later(0.3, self.start_daemon)
