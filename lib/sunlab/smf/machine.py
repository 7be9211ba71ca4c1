"""svc.startd's decisions: a pure machine, fed events, answering with orders (startd/graph.c and startd/restarter.c).

No clock, file or process in here: `now` (monotonic seconds) comes with each event, methods and contracts are somebody
else's. Events and orders are in orders.py. An event about an instance that is in transition waits until that has ended.
"""
from typing import Callable, Dict, List, Mapping, Optional, Set

from sunlab.smf import graph as g
from sunlab.smf.delegate import Delegates
from sunlab.smf.fmri import GOALS, MASTER
from sunlab.smf.orders import (
    Abandon,
    Asked,
    Broken,
    ChildExited,
    Configured,
    Delay,
    DisableTemporarily,
    Enabled,
    Event,
    Fault,
    Loaded,
    Log,
    MethodDone,
    Order,
    Removed,
    Run,
    State,
    TakeStart,
    Woken,
)
from sunlab.smf.throttle import FAULT_THRESHOLD, Throttle
from sunlab.smf.unit import Unit, verdict


class Machine:
    def __init__(self, throttle: Throttle, exits: Mapping[int, str], exists: Callable[[str], bool],
                 deserted: Callable[[str], bool]) -> None:
        self.graph = g.Graph(exists)
        self.units: Dict[str, Unit] = {}
        self.delegates = Delegates(self)
        self.throttle = throttle
        self.exits = exits                      # what the platform's special exit statuses mean (unit.verdict)
        self.deserted = deserted                # has an instance a contract with nobody in it?
        self.going: Dict[str, Set[str]] = {}    # disabled instance -> dependents that go down before it
        self.ending = False                     # the host comes down: nothing is started any more
        self.now = 0.0
        self.orders: List[Order] = []

    def step(self, now: float, event: Event) -> List[Order]:
        self.now, self.orders = now, []
        if isinstance(event, Loaded):
            self.on_loaded(event)
        elif not self.delegates.heard(event) and event.fmri in self.units:
            unit = self.units[event.fmri]
            if isinstance(event, Removed):
                self.on_removed(unit)
            elif isinstance(event, Broken):
                unit.waiting.clear()
                self.orders.append(Abandon(unit.fmri))
                self.fail(unit, "bad_repo_state")
                self.settle(unit)
            elif isinstance(event, MethodDone):
                self.on_method_done(unit, event)
            elif isinstance(event, Woken):
                unit.delayed = False
                self.evaluate(unit)
            elif isinstance(event, Enabled):
                unit.enabled = event.enabled
                self.when_still(unit, lambda: self.on_enabled(unit))
            else:
                self.when_still(unit, lambda: self.on_other(unit, event))
        return self.orders

    def on_other(self, unit: Unit, event: Event) -> None:
        if isinstance(event, Asked):
            {"restart": self.on_restart, "refresh": self.on_refresh, "clear": self.on_clear,
             "restore": self.on_restore, "degraded": self.on_degraded, "maintenance": self.on_maintenance,
             }[event.what](unit, event)
        elif isinstance(event, Fault):
            self.on_fault(unit, event.kind)
        elif isinstance(event, ChildExited):
            self.on_child_exited(unit, event.code)

    def when_still(self, unit: Unit, act: Callable[[], None]) -> None:
        """Do it now, or when the transition that the instance is in has ended."""
        if unit.moving:
            unit.waiting.append(act)
        else:
            act()

    # --- what is there

    def on_loaded(self, event: Loaded) -> None:
        """Instances are new, or their running snapshots have changed. All are put in place before any is judged."""
        for told in event.instances:
            self.put(told)
        for told in event.instances:
            unit = self.units[told.fmri]
            if unit.state != "uninitialized":
                self.when_still(unit, lambda unit=unit: self.on_enabled(unit))      # type: ignore[misc]
            elif told.fmri == MASTER:
                self.become(unit, "online", "none", "none")
            elif told.spec.restarter == MASTER:
                self.leave_uninitialized(unit, "none")
            else:
                self.delegates.loaded(unit)

    def put(self, told: Configured) -> None:
        unit = self.units.get(told.fmri)
        if unit is None:
            unit = self.units[told.fmri] = Unit(told.fmri, told.spec, told.enabled)
        self.graph.drop(unit.fmri)
        unit.spec, unit.enabled = told.spec, told.enabled
        self.graph.put(unit)
        unit.cycle = self.graph.closes_cycle(unit.fmri)

    def leave_uninitialized(self, unit: Unit, aux: str) -> None:
        if not unit.enabled:
            self.become(unit, "disabled", "none", aux)
        else:
            self.become(unit, "offline", "none", aux)
            self.evaluate(unit)

    def on_removed(self, unit: Unit) -> None:
        """Its processes are left alone; dependents get a stop that is no error (svccfg(8), delete -f)."""
        dependents = list(self.graph.dependents(unit.fmri))
        was_running = unit.running
        self.orders.append(Abandon(unit.fmri))
        self.delegates.removed(unit)
        self.graph.drop(unit.fmri)
        del self.units[unit.fmri]
        self.release(unit.fmri)
        for vertex, dependency in dependents:
            if was_running and g.stops(dependency, "restart"):
                self.stop_later(self.units[vertex.fmri], "dependency_activity", "restart")
            else:
                self.evaluate(self.units[vertex.fmri])
        self.go_on()

    # --- wishes of an administrator

    def on_enabled(self, unit: Unit) -> None:
        if unit.fmri == MASTER or self.delegates.enabled(unit):
            return
        if unit.running and self.misconfigured(unit):
            return
        if unit.enabled:
            self.release(unit.fmri)
            if unit.state in ("disabled", "uninitialized"):
                self.orders.append(Log(unit.fmri, "Enabled."))
                self.become(unit, "offline", "none", "enable_request")
            self.evaluate(unit)
            return
        unit.starts.clear()
        if unit.running:
            self.take_down(unit)
        elif unit.state != "disabled":
            said = "Leaving maintenance because disable requested." if unit.state == "maintenance" else "Disabled."
            self.orders += [Log(unit.fmri, said), Abandon(unit.fmri)]
            unit.failures = 0
            self.become(unit, "disabled", "none", "disable_request")

    def on_restart(self, unit: Unit, event: Asked) -> None:
        if unit.running:
            unit.starts.clear()
            self.orders.append(Log(unit.fmri, "Stopping because service restarting."))
            self.stop(unit, "offline", "restart_request", "restart")

    def on_refresh(self, unit: Unit, event: Asked) -> None:
        if unit.running:
            self.orders.append(Log(unit.fmri, "Rereading configuration."))
            self.become(unit, unit.state, unit.state, "refresh")
            self.orders.append(Run(unit.fmri, "refresh"))

    def on_clear(self, unit: Unit, event: Asked) -> None:
        if unit.state != "maintenance":
            return
        unit.starts.clear()
        unit.failures = 0
        self.orders += [Log(unit.fmri, "Leaving maintenance because clear requested."), Abandon(unit.fmri)]
        self.become(unit, "uninitialized", "none", "clear_request")
        self.leave_uninitialized(unit, "clear_request")

    def on_degraded(self, unit: Unit, event: Asked) -> None:
        if unit.state == "online":
            self.orders.append(Log(unit.fmri, f"Degraded due to {event.aux}."))
            self.become(unit, "degraded", "none", event.aux)

    def on_restore(self, unit: Unit, event: Asked) -> None:
        if unit.state == "degraded":
            self.orders.append(Log(unit.fmri, "Leaving degraded because clear requested."))
            self.become(unit, "online", "none", "clear_request")

    def on_maintenance(self, unit: Unit, event: Asked) -> None:
        self.maintain(unit, event.aux, event.immediate)

    def maintain(self, unit: Unit, aux: str, immediate: bool = False) -> None:
        self.orders.append(Log(unit.fmri, f"Stopping for maintenance due to {aux}."))
        if unit.state == "maintenance" or self.delegates.stop(unit, "maintenance", aux):
            return
        if unit.running and not immediate:
            self.stop(unit, "maintenance", aux, "restart")
            return
        self.orders.append(Abandon(unit.fmri))
        self.become(unit, "maintenance", "none", aux)

    # --- what happens to processes

    def on_fault(self, unit: Unit, kind: str) -> None:
        """A contract event: exit (nobody left), signal, core or hwerr."""
        if not unit.running or unit.spec.duration != "contract" or kind not in unit.spec.events:
            return
        said = {"exit": "all processes in service exited", "core": "process dumped core",
                "signal": "process received fatal signal from outside the service",
                "hwerr": "process killed due to uncorrectable hardware error"}
        self.orders.append(Log(unit.fmri, f"Stopping because {said[kind]}."))
        self.stop(unit, "offline", f"ct_ev_{kind}", "restart" if kind == "exit" else "error")

    def on_child_exited(self, unit: Unit, code: int) -> None:
        """A child service's only process ended: no stop method; started again (svc.startd(8), wait model)."""
        if not unit.running:
            return
        self.orders += [Log(unit.fmri, "Stopping because all processes in service exited."), Abandon(unit.fmri)]
        if code == 96:
            self.become(unit, "maintenance", "none", "method_failed", "error")
            return
        unit.exits = [*unit.exits, self.now][-self.throttle.child_count:] if code else []
        if len(unit.exits) == self.throttle.child_count and unit.exits[-1] - unit.exits[0] < self.throttle.child_count:
            unit.delayed = True
            self.orders.append(Delay(unit.fmri, 1.0))
        self.become(unit, "offline", "none", "ct_ev_exit", "restart")
        self.evaluate(unit)

    def on_method_done(self, unit: Unit, done: MethodDone) -> None:
        if not unit.moving:
            return
        meaning = verdict(done, self.exits)
        if meaning == "fatal":
            self.fail(unit, "method_failed")
        elif meaning != "failed":
            unit.failures = 0
            {"start": self.started, "stop": self.stopped, "refresh": self.refreshed}[done.method](unit, meaning)
        elif self.again(unit, done):
            return
        self.settle(unit)

    def again(self, unit: Unit, done: MethodDone) -> bool:
        """A method has failed: run it again, unless that was the last time; the instance is in maintenance then."""
        unit.failures += 1
        give_up = done.timed_out and not unit.spec.timeout_retry
        if give_up or unit.failures >= FAULT_THRESHOLD:
            self.fail(unit, "method_failed" if give_up else "fault_threshold_reached")
            return False
        if done.method == "start":
            return self.attempt(unit)
        self.orders.append(Run(unit.fmri, done.method))
        return True

    def started(self, unit: Unit, meaning: str) -> None:
        watched = unit.spec.duration != "transient" and meaning in ("ok", "degraded")
        if not watched:
            self.orders.append(Abandon(unit.fmri))
        if meaning == "disable":
            unit.enabled = False
            self.orders.append(DisableTemporarily(unit.fmri))
            self.become(unit, "disabled", "none", "disable_request")
            return
        self.orders.append(TakeStart(unit.fmri))
        if meaning == "degraded":
            self.become(unit, "degraded", "none", "method_failed")
        else:
            self.become(unit, "online", "none", "dependencies_satisfied")
        if watched and unit.spec.duration == "contract" and self.deserted(unit.fmri):
            self.when_still(unit, lambda: self.on_fault(unit, "exit"))

    def stopped(self, unit: Unit, meaning: str) -> None:
        self.become(unit, unit.goal, "none", unit.goal_aux, unit.cause)

    def refreshed(self, unit: Unit, meaning: str) -> None:
        self.become(unit, "degraded" if meaning == "degraded" else unit.state, "none", "refresh")
        for vertex, dependency in list(self.graph.dependents(unit.fmri)):
            if g.stops(dependency, "refresh"):
                self.stop_later(self.units[vertex.fmri], "dependency_activity", "restart")

    def fail(self, unit: Unit, aux: str) -> None:
        unit.failures = 0
        self.become(unit, "maintenance", "none", aux, "error")

    def settle(self, unit: Unit) -> None:
        """A transition has ended: what waited for that happens now."""
        while unit.waiting and not unit.moving:
            unit.waiting.pop(0)()
        if not unit.moving:
            if unit.state == "offline" and not unit.enabled:
                self.on_enabled(unit)
            self.evaluate(unit)
        self.go_on()

    # --- starting

    def evaluate(self, unit: Unit) -> None:
        """Start the instance if it is offline, wanted, and nothing speaks against it."""
        if unit.state != "offline" or unit.moving or not unit.enabled or unit.delayed or self.ending:
            return
        held = any(unit.fmri in marked for marked in self.going.values())
        if self.misconfigured(unit) or held:
            return
        verdict = self.graph.satisfied(unit.fmri)
        if verdict < 0 and unit.fmri == GOALS:
            self.maintain(unit, "dependency_activity")
        if verdict < 1 or self.delegates.start(unit):
            return
        unit.failures = 0
        self.become(unit, "offline", "online", unit.aux)
        if not self.attempt(unit):
            self.settle(unit)

    def attempt(self, unit: Unit) -> bool:
        """Run the start method, unless it is run too often: then the transition has ended, in maintenance."""
        if unit.spec.duration != "child":
            unit.starts.append(self.now)
            if self.throttle.critical(unit.starts, unit.spec.critical):
                self.orders.append(Log(unit.fmri, "Restarting too quickly, changing state to maintenance."))
                self.fail(unit, "restarting_too_quickly")
                return False
        self.orders.append(Run(unit.fmri, "start"))
        return True

    def misconfigured(self, unit: Unit) -> bool:
        """Send an instance whose dependencies make no sense to maintenance."""
        if unit.cycle or unit.spec.invalid:
            self.maintain(unit, "dependency_cycle" if unit.cycle else "invalid_dependency")
        return unit.cycle or unit.spec.invalid

    # --- stopping

    def stop(self, unit: Unit, goal: str, aux: str, cause: str) -> None:
        """Run the stop method; the instance is at `goal` when that is done."""
        if self.delegates.stop(unit, goal, aux):
            return
        unit.goal, unit.goal_aux, unit.cause, unit.failures = goal, aux, cause, 0
        self.become(unit, unit.state, goal, aux)
        self.orders.append(Run(unit.fmri, "stop"))

    def stop_later(self, unit: Unit, aux: str, cause: str) -> None:
        """Stop a dependent as soon as it is still, if it then runs."""
        def act() -> None:
            if unit.running:
                if cause != "error":
                    unit.starts.clear()
                self.orders.append(Log(unit.fmri, "Stopping because dependency activity requires stop."))
                self.stop(unit, "offline", aux, cause)
        self.when_still(unit, act)

    def take_down(self, unit: Unit) -> None:
        """An administrator disabled it: dependents with restart_on restart or refresh go first, leaves foremost."""
        self.going[unit.fmri] = {f for f in self.graph.pulled_down_by(unit.fmri) if self.active(f)}
        self.go_on()

    def active(self, fmri: str) -> bool:
        return self.units[fmri].running or self.units[fmri].moving

    def go_on(self) -> None:
        """Stop whoever of the instances that are to go down has nobody left above."""
        for target, marked in list(self.going.items()):
            for fmri in sorted(marked | {target}):
                unit = self.units.get(fmri)
                if unit is None or unit.moving or not unit.running or target not in self.going:
                    continue
                above = {v.fmri for v, d in self.graph.dependents(fmri) if g.pulls(d)}
                if any(self.active(f) for f in above & marked):
                    continue
                if unit.enabled:
                    self.orders.append(Log(fmri, "Stopping because dependency activity requires stop."))
                    unit.starts.clear()
                    self.stop(unit, "offline", "dependency_activity", "restart")
                else:
                    self.orders.append(Log(fmri, "Stopping because service disabled."))
                    self.stop(unit, "disabled", "disable_request", "restart")

    def release(self, target: str) -> None:
        """The instance is down, or is not to go down any more: dependents that were kept down may start."""
        for fmri in self.going.pop(target, ()):
            if fmri in self.units:
                self.evaluate(self.units[fmri])

    # --- states

    def become(self, unit: Unit, state: str, following: str, aux: str, cause: Optional[str] = None) -> None:
        """Change a state, and tell those whom it concerns. `cause` is what a stop is to dependents."""
        before, was_running = unit.state, unit.running
        unit.state, unit.next, unit.aux = state, following, aux
        self.orders.append(State(unit.fmri, state, following, aux))
        if state == before:
            return
        if was_running and not unit.running:
            self.tell_stopped(unit, cause or "restart")
        elif unit.running and not was_running:
            self.tell_started(unit)
        if not unit.running and following == "none":
            self.release(unit.fmri)
        for fmri in self.graph.downstream(unit.fmri):
            self.evaluate(self.units[fmri])

    def tell_stopped(self, unit: Unit, cause: str) -> None:
        for vertex, dependency in list(self.graph.dependents(unit.fmri)):
            if g.stops(dependency, cause):
                self.stop_later(self.units[vertex.fmri], "dependency_activity", cause)

    def tell_started(self, unit: Unit) -> None:
        for vertex, dependency in list(self.graph.dependents(unit.fmri)):
            if dependency.grouping == "exclude_all":
                self.stop_later(self.units[vertex.fmri], "dependency_activity", "restart")
