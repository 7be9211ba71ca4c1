"""One machine's SMF: groups whose methods take time, ask for the permit, and may fail.

Resources start one after another in the order of the group and stop in the reverse order. From its permit until the end
of its stop a resource counts as active: that is when it may write. Outlives the daemon, dies with the power.
"""
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Dict, List, Optional, Set

from sundog.config.model import Group, Resource
from sundog.core.effects import Activate, AnswerPermit, Deactivate, Permit
from sundog.core.events import Activated, Deactivated, Event, GroupFailed, OperatorDisabled, OperatorEnabled

if TYPE_CHECKING:
    from simulation.machine import Machine

#: States of a resource. BROKEN: its start failed. DEAD: it failed while it ran. STUCK: its stop failed.
OFF, STARTING, ON, STOPPING, BROKEN, DEAD, STUCK = "off", "starting", "on", "stopping", "broken", "dead", "stuck"
_MAINTENANCE = (BROKEN, DEAD, STUCK)
_UP, _DOWN = "up", "down"


@dataclass
class Instance:
    """One group here. `order` is what svcadm was told last; `reporting` the run of the daemon that hears the end."""
    name: str
    resources: List[Resource]
    states: Dict[str, str]
    order: str = _DOWN
    epoch: int = 0
    reporting: Optional[int] = None
    busy: bool = False                  # a method runs
    enabled: bool = False               # the group's own instance
    active: Set[str] = field(default_factory=set)


class Smf:
    def __init__(self, machine: "Machine") -> None:
        self.machine = machine
        self.random = machine.world.random
        self.groups: Dict[str, Instance] = {}
        for group in machine.world.known_cluster(machine).groups.values():
            self.add(group)

    def add(self, group: Group) -> None:
        self.groups[group.name] = Instance(group.name, list(group.resources), {r.name: OFF for r in group.resources})

    # ---- what the daemon orders

    def activate(self, order: Activate) -> None:
        if order.group not in self.groups:
            self._tell(Activated(order.group, order.permit.epoch, False, "not in this node's configuration"))
            return
        at = self.groups[order.group]
        at.order, at.epoch, at.reporting, at.enabled = _UP, order.permit.epoch, self.machine.run, True
        self._advance(at)

    def deactivate(self, order: Deactivate) -> None:
        if order.group not in self.groups:
            self._tell(Deactivated(order.group, order.epoch, True))
            return
        at = self.groups[order.group]
        at.order, at.epoch, at.reporting, at.enabled = _DOWN, order.epoch, self.machine.run, False
        for name, state in at.states.items():
            if state == STUCK:
                at.states[name] = ON
        self._advance(at)

    def adopted(self) -> Dict[str, str]:
        """What runs here when a daemon starts, as the daemon reads it from svcs."""
        found = {}
        for name, at in self.groups.items():
            states = list(at.states.values())
            if at.enabled and all(state == ON for state in states):
                found[name] = "online"
            elif any(state in _MAINTENANCE for state in states) and all(s in (*_MAINTENANCE, OFF) for s in states):
                found[name] = "stop-failed"
            elif at.active or at.busy or (at.enabled and at.order == _UP):
                found[name] = "partial"
        return found

    @property
    def active(self) -> List[str]:
        return [name for name, at in self.groups.items() if at.active]

    # ---- what people and accidents do

    def fail(self, group: str) -> None:
        """A running resource dies and ends in maintenance."""
        at = self.groups[group]
        running = [name for name, state in at.states.items() if state == ON]
        if running and at.order == _UP:
            name = self.random.choice(running)
            at.states[name] = DEAD
            self._tell(GroupFailed(group, name, "the process died"))

    def operator_disables(self, group: str) -> None:
        at = self.groups[group]
        if at.enabled:
            at.enabled = False
            self._tell(OperatorDisabled(group))

    def operator_enables(self, group: str) -> None:
        at = self.groups[group]
        if not at.active and not at.busy:
            self._tell(OperatorEnabled(group))

    def start_astray(self, group: str) -> None:
        """Somebody runs a start method that nobody ordered: svcadm enable of a resource, say."""
        at = self.groups[group]
        if not at.busy and at.order == _DOWN and any(state == OFF for state in at.states.values()):
            self._start(at, next(r for r in at.resources if at.states[r.name] == OFF))

    def start_outside(self, group: str) -> None:
        """The host has the group up without anybody's permit."""
        at = self.groups[group]
        at.states = dict.fromkeys(at.states, ON)
        at.active, at.order, at.enabled = set(at.states), _UP, True

    def mend(self, group: str) -> None:
        """A human ends by hand what would not stop."""
        at = self.groups.get(group)
        if at is None:
            return
        for name, state in at.states.items():
            if state in (STUCK, DEAD):
                self._inactive(at, name, OFF)
                pool = self.machine.world.pools[group]
                if pool.importer is self.machine and any(one.name == name and one.type == "zpool"
                                                         for one in at.resources):
                    pool.export()

    # ---- methods

    def _advance(self, at: Instance) -> None:
        if at.busy:
            return
        if at.order == _UP:
            self._upward(at)
        else:
            self._downward(at)

    def _upward(self, at: Instance) -> None:
        if any(state in _MAINTENANCE for state in at.states.values()):
            self._report(at, Activated(at.name, at.epoch, False, "a resource is in maintenance"))
            return
        resource = next((r for r in at.resources if at.states[r.name] == OFF), None)
        if resource is None:
            self._report(at, Activated(at.name, at.epoch, True))
        else:
            self._start(at, resource)

    def _downward(self, at: Instance) -> None:
        if any(state == STUCK for state in at.states.values()):
            self._report(at, Deactivated(at.name, at.epoch, False, "a resource does not stop"))
            return
        resource = next((r for r in reversed(at.resources) if at.states[r.name] in (ON, DEAD)), None)
        if resource is not None:
            self._stop(at, resource)
            return
        at.states = dict.fromkeys(at.states, OFF)
        self._report(at, Deactivated(at.name, at.epoch, True))

    def _start(self, at: Instance, resource: Resource) -> None:
        at.busy = True
        at.states[resource.name] = STARTING
        self.machine.later(0.01 + 0.03 * self.random.random(), self._ask, at, resource)

    def _ask(self, at: Instance, resource: Resource) -> None:
        """The method asks for its permit; while no daemon answers it exits and is started again."""
        asked = self.machine.ask_permit(at.name, resource.name, lambda answer: self._answered(at, resource, answer))
        if not asked:
            self._unanswered(at, resource)

    def _unanswered(self, at: Instance, resource: Resource) -> None:
        at.busy = False
        at.states[resource.name] = OFF
        if at.order == _UP:
            self.machine.later(0.3, self._advance, at)
        else:
            self._advance(at)

    def _answered(self, at: Instance, resource: Resource, answer: Optional[AnswerPermit]) -> None:
        if answer is None:
            self._unanswered(at, resource)
            return
        if answer.permit is None:
            self._started(at, resource, False, False)
            return
        at.active.add(resource.name)
        self.machine.world.invariants.resource_started(self.machine, at.name, answer.permit)
        took = self.machine.world.method_s(resource.type, "start")
        self.machine.later(took * self.random.random(), self._act, at, resource, answer.permit, took)

    def _act(self, at: Instance, resource: Resource, permit: Permit, took: float) -> None:
        """The moment in a start method at which the resource comes to life."""
        world = self.machine.world
        ok = not world.method_fails(self.machine, at.name, "start")
        if ok and resource.type == "zpool":
            pool = world.pools[at.name]
            refusal = pool.refusal(self.machine, permit.force)
            if refusal is None:
                world.invariants.pool_imported(self.machine, pool, permit)
                pool.imported(self.machine)
            else:
                world.note(self.machine.key, f"zpool import {pool.name}: {refusal}")
                ok = False
        self.machine.later(took / 2, self._started, at, resource, ok, True)

    def _started(self, at: Instance, resource: Resource, ok: bool, acted: bool) -> None:
        at.busy = False
        if ok:
            at.states[resource.name] = ON
        else:
            self._inactive(at, resource.name, BROKEN)
            if acted and resource.type == "zpool" and self.machine.world.pools[at.name].importer is self.machine:
                self.machine.world.pools[at.name].export()
        self._advance(at)

    def _stop(self, at: Instance, resource: Resource) -> None:
        at.busy = True
        at.states[resource.name] = STOPPING
        took = self.machine.world.method_s(resource.type, "stop")
        self.machine.later(took, self._stopped, at, resource)

    def _stopped(self, at: Instance, resource: Resource) -> None:
        at.busy = False
        if self.machine.world.method_fails(self.machine, at.name, "stop"):
            at.states[resource.name] = STUCK
        else:
            self._inactive(at, resource.name, OFF)
            if resource.type == "zpool":
                self.machine.world.pools[at.name].export()
        self._advance(at)

    def _inactive(self, at: Instance, resource: str, state: str) -> None:
        at.states[resource] = state
        at.active.discard(resource)
        if not at.active:
            self.machine.world.stopped_at(self.machine, at.name)

    # ---- telling the daemon

    def _report(self, at: Instance, event: Event) -> None:
        """The end of an order, to the daemon that gave it; a later daemon has adopted the group and asks anew."""
        run, at.reporting = at.reporting, None
        if run is not None:
            if isinstance(event, Activated) and event.ok:
                self.machine.world.online_at(self.machine, at.name)
            self._tell(event, run)

    def _tell(self, event: Event, run: Optional[int] = None) -> None:
        if run is None or run == self.machine.run:
            self.machine.daemon_later(0.001 + 0.004 * self.random.random(), self.machine.happen, event)
