"""Carries groups through SMF: one svcadm for a whole group, outcomes from the methods, looks at svcs for the rest.

A look is one svcs call over all our instances. It is made each second, and sooner when something is known to have
changed: after an outcome, and in short bounded steps while a group stops.
"""
import asyncio
from concurrent.futures import Executor
from typing import Callable, Dict, List, Mapping, Optional, Tuple

from sundog.config.model import Cluster
from sundog.core.effects import Activate, Deactivate
from sundog.core.events import Activated, Deactivated, Event, OperatorDisabled
from sundog.daemon.tasks import Tasks
from sundog.daemon.track import ACTIVE, DEACTIVATING, IDLE, Disable, Finding, Seen, Sweep, Track
from sundog.errors import SundogError

LOOK_EACH_S = 1.0
_STOPPING_STEPS_S = (0.05, 0.1, 0.15, 0.25)
_AFTER_OUTCOME_S = 0.01
#: How long after a group's stop that nobody asked for it is looked at closely: did an operator disable it?
_WONDER_S = 0.5

Tell = Callable[..., None]


class Smf:
    """What carrying out orders needs of SMF. Each call blocks and may raise SundogError."""

    def states(self) -> Mapping[str, Seen]:
        raise NotImplementedError

    def enable(self, fmris: Tuple[str, ...]) -> None:
        raise NotImplementedError

    def disable(self, fmris: Tuple[str, ...], lasting: bool) -> None:
        raise NotImplementedError

    def coordinator_disabled(self) -> bool:
        """Is this daemon to end and not to come back: by an operator, a milestone or a shutdown?"""
        raise NotImplementedError


class Execution:
    """All groups of this node. `happen` takes events for the core; `sweep` stops one resource directly (blocking)."""

    def __init__(self, loop: asyncio.AbstractEventLoop, pool: Executor, smf: Smf, cluster: Cluster,
                 happen: Callable[[Event], None], tell: Tell, sweep: Callable[[str, str], None]) -> None:
        self.loop, self.pool, self.smf, self.happen, self.tell, self.sweep = loop, pool, smf, happen, tell, sweep
        self.tracks = {name: Track(group) for name, group in cluster.groups.items()}
        self._ready_at: Dict[str, float] = {}           # looks begun before this instant say nothing about the group
        self._pending: Dict[str, int] = {}              # orders to svcadm that are not through
        self._locks: Dict[str, asyncio.Lock] = {}
        self._look: Optional[asyncio.TimerHandle] = None
        self._looking = False
        self._again = False
        self._step = 0
        self._wonder_until = 0.0
        self._tasks = Tasks(loop, "carrying out an order")
        self._trouble = ""
        self._further: "Optional[asyncio.Future[None]]" = None

    # ---- orders

    async def adopt(self) -> Dict[str, str]:
        """What runs here already, by group; from now on the looks go on."""
        states = await self.loop.run_in_executor(self.pool, self.smf.states)
        found = {name: track.adopt(states) for name, track in self.tracks.items()}
        self._look_in(LOOK_EACH_S)
        return {name: what for name, what in found.items() if what is not None}

    def activate(self, order: Activate) -> None:
        if order.group not in self.tracks:
            self.happen(Activated(order.group, order.permit.epoch, False, "not in this node's configuration"))
            return
        track = self.tracks[order.group]
        track.activate(order.permit.epoch)
        self._svcadm(order.group, self._enable, track.fmris)

    def deactivate(self, order: Deactivate) -> None:
        if order.group not in self.tracks:
            # A group leaves the configuration only when it is offline: it has no instance that could run.
            self.happen(Deactivated(order.group, order.epoch, True))
            return
        track = self.tracks[order.group]
        track.deactivate(order.epoch)
        self._step = 0
        self._svcadm(order.group, self._disable, track.fmris)

    def outcome(self, fmri: str, group: str, method: str, ok: bool, error: str) -> None:
        """A method of one of our instances has come to its end."""
        track = self.tracks.get(group)
        if track is None:
            return
        asked = track.phase == DEACTIVATING
        self._found(track, track.outcome(fmri, method, ok, error))
        if not ok or (method == "stop" and asked and fmri in track.roots):
            self._look_in(_AFTER_OUTCOME_S)
        elif method == "stop" and fmri == track.group.instance and track.phase == ACTIVE:
            self._wonder_until = self.loop.time() + _WONDER_S
            self._look_in(_AFTER_OUTCOME_S)

    def reconfigure(self, cluster: Cluster) -> None:
        """Follow another configuration: groups with the same resources keep what is known of them."""
        old, self.tracks = self.tracks, {}
        for name, group in cluster.groups.items():
            same = name in old and old[name].group.resources == group.resources
            track = self.tracks[name] = old[name] if same else Track(group)
            track.follow(group)

    def states(self, group: str) -> Dict[str, str]:
        """Resource -> state as svcs showed it last."""
        return self.tracks[group].resource_states() if group in self.tracks else {}

    def active(self) -> Tuple[str, ...]:
        """The groups of which something runs, or may run, here."""
        return tuple(name for name, track in self.tracks.items() if track.phase != IDLE)

    async def stop_all(self) -> None:
        """Stop every group that is active here, without asking anybody; returns when nothing is left."""
        for name, track in self.tracks.items():
            if track.phase not in (IDLE, DEACTIVATING):
                self.deactivate(Deactivate(name, track.epoch, "the coordinator is stopped on this node"))
        await self.until(lambda: not self.active())

    async def until(self, claim: Callable[[], bool]) -> None:
        """Wait until it is so; looked at whenever a group has come further."""
        while not claim():
            if self._further is None or self._further.done():
                self._further = self.loop.create_future()
            await self._further

    def close(self) -> None:
        if self._look is not None:
            self._look.cancel()
        self._tasks.cancel()

    # ---- svcadm

    def _svcadm(self, group: str, call: Callable[[Tuple[str, ...]], None], fmris: Tuple[str, ...]) -> None:
        self._pending[group] = self._pending.get(group, 0) + 1
        self._tasks.begin(self._in_turn(group, call, fmris))

    async def _in_turn(self, group: str, call: Callable[[Tuple[str, ...]], None], fmris: Tuple[str, ...]) -> None:
        """One svcadm after another for the same group, in the order of the orders."""
        async with self._locks.setdefault(group, asyncio.Lock()):
            try:
                await self.loop.run_in_executor(self.pool, call, fmris)
            except SundogError as error:
                self._failed(group, error)
            self._pending[group] -= 1
            self._ready_at[group] = self.loop.time()
        track = self.tracks.get(group)
        if track is not None and track.phase == DEACTIVATING:
            self._look_in(_STOPPING_STEPS_S[0])

    def _enable(self, fmris: Tuple[str, ...]) -> None:
        self.smf.enable(fmris)

    def _disable(self, fmris: Tuple[str, ...]) -> None:
        self.smf.disable(fmris, False)

    def _disable_for_good(self, fmris: Tuple[str, ...]) -> None:
        self.smf.disable(fmris, True)

    def _failed(self, group: str, error: SundogError) -> None:
        self.tell("SVCADM-FAILED", "error", f"group {group}: {error}", group=group)
        if group in self.tracks:
            self._found(self.tracks[group], self.tracks[group].order_failed(str(error)))

    # ---- looking

    def _look_in(self, delay_s: float) -> None:
        """See to it that a look begins within `delay_s`."""
        if self._looking:
            self._again = self._again or delay_s < LOOK_EACH_S
            return
        at = self.loop.time() + delay_s
        if self._look is not None:
            if self._look.when() <= at:
                return
            self._look.cancel()
        self._look = self.loop.call_at(at, self._start_look)

    def _start_look(self) -> None:
        self._look = None
        self._looking = True
        self._tasks.begin(self._look_now())

    async def _look_now(self) -> None:
        began_at = self.loop.time()
        try:
            states = await self.loop.run_in_executor(self.pool, self.smf.states)
        except SundogError as error:
            if str(error) != self._trouble:
                self._trouble = str(error)
                self.tell("SVCS-FAILED", "error", self._trouble)
        else:
            self._trouble = ""
            self._seen(began_at, states)
        self._looking = False
        self._look_in(self._next_look_s())

    def _seen(self, began_at: float, states: Mapping[str, Seen]) -> None:
        for name, track in list(self.tracks.items()):
            if not self._pending.get(name) and began_at >= self._ready_at.get(name, 0.0):
                self._found(track, track.look(self.loop.time(), states))

    def _next_look_s(self) -> float:
        if self._again:
            self._again = False
            return _AFTER_OUTCOME_S
        if any(track.phase == DEACTIVATING for track in self.tracks.values()):
            self._step += 1
            return _STOPPING_STEPS_S[min(self._step, len(_STOPPING_STEPS_S) - 1)]
        return _STOPPING_STEPS_S[0] if self.loop.time() < self._wonder_until else LOOK_EACH_S

    def _found(self, track: Track, findings: List[Finding]) -> None:
        for finding in findings:
            if isinstance(finding, Disable):
                self.tell("DISABLED-HERE", "notice", f"svcadm disable {' '.join(finding.fmris)}: {finding.why}",
                          group=track.group.name)
                call = self._disable_for_good if finding.lasting else self._disable
                self._svcadm(track.group.name, call, finding.fmris)
            elif isinstance(finding, Sweep):
                self._tasks.begin(self._sweep(track, finding))
            elif isinstance(finding, OperatorDisabled):
                self._wonder_until = 0.0
                self._tasks.begin(self._pass_on(track, finding))
            else:
                self.happen(finding)
        if findings and self._further is not None and not self._further.done():
            self._further.set_result(None)

    async def _pass_on(self, track: Track, finding: OperatorDisabled) -> None:
        """An operator who disables it means the whole cluster; a host that goes down disables all it has."""
        goes_down = True
        try:
            goes_down = await self.loop.run_in_executor(self.pool, self.smf.coordinator_disabled)
        except SundogError as error:
            self.tell("SVCS-FAILED", "error", str(error))
        if goes_down:
            track.not_passed_on()
        else:
            self.happen(finding)

    async def _sweep(self, track: Track, order: Sweep) -> None:
        reason = ""
        for resource in order.resources:
            try:
                await self.loop.run_in_executor(self.pool, self.sweep, order.group, resource)
            except SundogError as error:
                reason = reason or f"{resource}: {error}"
        if track.epoch == order.epoch:
            self._found(track, track.swept(not reason, reason))
