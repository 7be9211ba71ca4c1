"""Instances whose restarter is not svc.startd: what that is told, what becomes of its reports (smf_restarter(7)). Pure.

The graph stays svc.startd's: what is satisfied, who goes down before whom. States change when the restarter says so.
"""
from typing import TYPE_CHECKING, List, Set

from sunlab.smf.fmri import MASTER
from sunlab.smf.orders import Asked, Bound, Enabled, Event, Reported, TakeStart, Tell, Unbound
from sunlab.smf.unit import Unit

if TYPE_CHECKING:
    from sunlab.smf.machine import Machine

#: Where a stop is to lead, and the event that says so.
GOALS_OF_STOPS = {"disabled": "disable", "offline": "stop", "maintenance": "maintenance"}


def delegated(unit: Unit) -> bool:
    return unit.spec.restarter != MASTER


class Delegates:
    """The machine's dealings with other restarters."""

    def __init__(self, machine: "Machine") -> None:
        self.machine = machine
        self.bound: Set[str] = set()

    def heard(self, event: Event) -> bool:
        """Is it something between a restarter and us? Then it has been dealt with."""
        if isinstance(event, Bound):
            self.bind(event.fmri)
            return True
        if isinstance(event, Unbound):
            self.unbind(event.fmri)
            return True
        unit = self.machine.units.get(event.fmri)
        if unit is None or not delegated(unit):
            return isinstance(event, Reported)
        if isinstance(event, Reported):
            self.reported(unit, event)
        elif isinstance(event, Asked):
            self.asked(unit, event)
        elif isinstance(event, Enabled):
            unit.enabled = event.enabled
            self.enabled(unit)
        else:
            return False
        return True

    def tell(self, unit: Unit, what: str, detail: str = "") -> None:
        """Once for each change: the machine may come to the same conclusion several times before the answer."""
        if unit.spec.restarter in self.bound and unit.told != what:
            unit.told = what
            self.machine.orders.append(Tell(unit.fmri, unit.spec.restarter, what, unit.enabled, unit.state, detail))

    def run_by(self, restarter: str) -> List[Unit]:
        return [unit for unit in self.machine.units.values() if unit.spec.restarter == restarter]

    def bind(self, restarter: str) -> None:
        self.bound.add(restarter)
        for unit in self.run_by(restarter):
            unit.told = ""
            self.tell(unit, "add")

    def unbind(self, restarter: str) -> None:
        """States stay as they are if it is to come back; else nobody answers for them any more."""
        self.bound.discard(restarter)
        itself = self.machine.units.get(restarter)
        for unit in self.run_by(restarter) if itself is None or not itself.enabled else []:
            self.machine.become(unit, "uninitialized", "none", "none")
            self.machine.settle(unit)

    def loaded(self, unit: Unit) -> None:
        unit.told = ""
        self.machine.become(unit, "uninitialized", "none", "none")
        self.tell(unit, "add")

    # Each of these is False for an instance of svc.startd's own, which is not dealt with here.

    def enabled(self, unit: Unit) -> bool:
        if not delegated(unit):
            return False
        if unit.enabled:
            self.machine.release(unit.fmri)
            self.tell(unit, "enable")
            self.machine.evaluate(unit)
        elif unit.running:
            self.machine.take_down(unit)
        else:
            self.tell(unit, "disable")
        return True

    def start(self, unit: Unit) -> bool:
        self.tell(unit, "start")
        return delegated(unit)

    def stop(self, unit: Unit, goal: str, aux: str) -> bool:
        self.tell(unit, GOALS_OF_STOPS[goal], aux)
        return delegated(unit)

    def asked(self, unit: Unit, event: Asked) -> None:
        unit.told = ""
        self.tell(unit, event.what, event.aux)

    def reported(self, unit: Unit, event: Reported) -> None:
        was_running, unit.told = unit.running, ""
        self.machine.become(unit, event.state, event.next, event.aux,
                            "error" if event.state == "maintenance" else "restart")
        if unit.running and not was_running:
            self.machine.orders.append(TakeStart(unit.fmri))
        self.machine.settle(unit)

    def removed(self, unit: Unit) -> None:
        unit.told = ""
        self.tell(unit, "remove")
