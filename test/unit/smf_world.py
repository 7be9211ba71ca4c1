"""A machine of svc.startd without a process or a clock, for the tests of its rules."""
from typing import Dict, List, Mapping

from sunlab import platform
from sunlab.smf.machine import Machine
from sunlab.smf.orders import (
    Asked,
    Configured,
    Enabled,
    Event,
    Fault,
    Loaded,
    MethodDone,
    Order,
    Run,
    State,
)
from sunlab.smf.spec import Dependency, Spec
from sunlab.smf.throttle import Throttle, of

ILLUMOS, SOLARIS = of(platform.ILLUMOS), of(platform.SOLARIS)
#: illumos-gate in 2021: the mean gap of the last 5 under 600 s.
ILLUMOS_2021 = Throttle(starts=5, span_s=2400.0, child_count=5)


def fmri(name: str) -> str:
    return f"svc:/site/{name}:default"


def needs(*names: str, grouping: str = "require_all", restart_on: str = "none") -> Dependency:
    entities = tuple(n if n.startswith("file:") else f"svc:/site/{n}" for n in names)
    return Dependency("needs", grouping, restart_on, entities)


class World:
    """A machine whose methods end when the test says so; `auto` ends them at once, well."""

    def __init__(self, throttle: Throttle = ILLUMOS, auto: bool = True,
                 exits: Mapping[int, str] = platform.ILLUMOS.exits) -> None:
        self.files: set = set()
        self.alive: Dict[str, bool] = {}
        self.now = 0.0
        self.auto = auto
        self.ran: List[str] = []            # "start a", "stop b", ...
        self.pending: List[Run] = []
        self.orders: List[Order] = []
        self.machine = Machine(throttle, exits, self.files.__contains__, lambda f: not self.alive.get(f, True))

    def feed(self, event: Event) -> None:
        events = [event]
        while events:
            orders = self.machine.step(self.now, events.pop(0))
            self.orders += orders
            for order in orders:
                if isinstance(order, Run):
                    self.ran.append(f"{order.method} {order.fmri[10:-8]}")
                    if self.auto:
                        events.append(MethodDone(order.fmri, order.method, 0))
                    else:
                        self.pending.append(order)

    def load(self, enabled: bool = True, **services: Spec) -> "World":
        self.feed(Loaded(tuple(Configured(fmri(n), s, enabled) for n, s in services.items())))
        return self

    def done(self, code: int = 0, signal: int = 0, **more: bool) -> None:
        """The oldest method in hand ends."""
        order = self.pending.pop(0)
        self.feed(MethodDone(order.fmri, order.method, code, signal, **more))

    def enable(self, name: str) -> None:
        self.feed(Enabled(fmri(name), True))

    def disable(self, name: str) -> None:
        self.feed(Enabled(fmri(name), False))

    def ask(self, name: str, what: str, aux: str = "none", immediate: bool = False) -> None:
        self.feed(Asked(fmri(name), what, aux, immediate))

    def fault(self, name: str, kind: str = "exit") -> None:
        self.feed(Fault(fmri(name), kind))

    def state(self, name: str) -> str:
        unit = self.machine.units[fmri(name)]
        return unit.state + ("*" if unit.next != "none" else "")

    def aux(self, name: str) -> str:
        return self.machine.units[fmri(name)].aux

    def forget(self) -> None:
        self.ran.clear()
        self.orders.clear()

    def states(self, name: str) -> List[str]:
        return [o.state + ("*" if o.next != "none" else "") for o in self.orders
                if isinstance(o, State) and o.fmri == fmri(name)]
