"""Everything that can go wrong, drawn by chance: each fault breaks something now and mends it after a while."""
from dataclasses import replace
from functools import partial
from random import Random
from typing import Callable, Deque, Dict, List, Mapping, Optional, Sequence, Tuple

from simulation.devicefaults import DeviceFaults
from simulation.layout import with_group
from simulation.machine import Machine
from simulation.memory import Memory
from simulation.script import Draws, Fault, Void, replayed
from simulation.wirefaults import WireFaults
from simulation.world import World
from sundog.core.events import Preflight

_MOST_GROUPS = 4


class Storm(WireFaults, DeviceFaults):
    """Faults at random instants, on average one in `every_s` seconds, or those of a script, until `end()`.

    `faults` has what struck, with what each drew; `factors` multiply the weights of kinds, `weights` replace them all.
    Draw from `random` only.
    """

    def __init__(self, world: World, every_s: float = 4.0, factors: Optional[Mapping[str, float]] = None,
                 script: Optional[Sequence[Fault]] = None, weights: Optional[Mapping[str, float]] = None) -> None:
        self.world, self.every_s = world, every_s
        self.random = Draws(Random(world.seed ^ 0x570))
        self.faults: List[Fault] = []
        self.over = False
        self.memory = Memory(self)
        self.kinds: List[Tuple[str, int, Callable[[], bool]]] = [
            ("power cut", 6, self.power_cut), ("power cut in a step", 3, self.power_cut_in_a_step),
            ("freeze", 4, self.freeze), ("freeze in a step", 2, self.freeze_in_a_step),
            ("stall", 4, self.stall), ("daemon crash", 5, self.daemon_crash),
            ("daemon crash in a step", 3, self.daemon_crash_in_a_step),
            ("daemon stays down", 1, self.daemon_stays_down),
            ("cut off", 5, self.cut_off), ("cut pair", 5, self.cut_pair), ("cut one link", 3, self.cut_one_link),
            ("bad link", 5, self.bad_link), ("method fails", 3, self.method_fails),
            ("slow methods", 2, self.slow_methods),
            ("resource dies", 4, self.resource_dies), ("svcadm", 3, self.svcadm),
            ("start astray", 6, self.start_astray),
            ("operator", 10, self.operator), ("unfit", 2, self.unfit), ("all power cut", 1, self.all_power_cut),
            ("slow disk", 3, self.slow_disk), ("failing disk", 3, self.failing_disk),
            ("lost path", 2, self.lost_path), ("hung disk", 2, self.hung_disk), ("apply", 2, self.apply)]
        self.kinds += [*self.wire_kinds(), *self.device_kinds(), *self.memory.kinds()]
        factor = (factors or {}).get
        self._names = [name for name, _, _ in self.kinds]
        self._weights = [weight * factor(name, 1.0) if weights is None else weights.get(name, 0)
                         for name, weight, _ in self.kinds]
        self._calls = {name: call for name, _, call in self.kinds}
        if script is None:
            self._next()
        else:
            for fault in script:
                self.world.timeline.at(fault.at, self._unless_over, partial(self._strike, *replayed(fault)))

    @property
    def counts(self) -> Dict[str, int]:
        """How many faults of each kind have struck."""
        counts: Dict[str, int] = {}
        for fault in self.faults:
            counts[fault.kind] = counts.get(fault.kind, 0) + 1
        return counts

    def end(self) -> None:
        """No more faults; what is broken is mended, and every host has its power back."""
        self.over = True
        world = self.world
        world.heal()
        for machine in world.machines.values():
            machine.unfit = {}
            machine.left = "" if machine.name == machine.key else machine.left
            for group in world.cluster.groups:
                if machine.smf is not None:
                    machine.smf.mend(group)
            machine.power_on()
            self.memory.mend(machine)
            machine.start_daemon()
            machine.happen(_preflight())

    def _next(self) -> None:
        chance = self.random.free
        self.world.timeline.at(self.world.now + chance.expovariate(1 / self.every_s), self._unless_over, self._any)

    def _any(self) -> None:
        kind = self.random.free.choices(self._names, self._weights)[0]
        self._strike(Fault(self.world.now, kind), None)
        self._next()

    def _strike(self, fault: Fault, script: Optional[Deque[object]]) -> None:
        """A fault that finds nothing to break is none."""
        said = self.world.said
        try:
            struck = self.random.within(fault, script, self._calls[fault.kind])
        except Void:
            return
        if struck:
            self.faults.append(replace(fault, said=self.world.last_said if self.world.said > said else ""))
            self.world.note("fault", f"{fault.kind}: {' '.join(map(str, fault.drawn))}")

    def later(self, delay_s: float, call: Callable[[], object]) -> None:
        self.world.timeline.at(self.world.now + delay_s, self._unless_over, self.random.bound(call))

    def _unless_over(self, call: Callable[[], object]) -> None:
        if not self.over:
            call()

    # ---- choosing

    def machine(self) -> Optional[Machine]:
        up = [machine for machine in self.world.machines.values() if self.world.is_up(machine.key)]
        # The leader and owners are where it hurts: half of the time it is one of them.
        sore = [m for m in up if m.leads or (m.smf is not None and m.smf.active)]
        chance = self.random.free
        if not up:
            return None
        return self.random.pick(lambda: chance.choice(sore if sore and chance.random() < 0.5 else up),
                                lambda key: _among(key, up))

    def _group(self) -> str:
        return self.random.choice(sorted(self.world.cluster.groups))

    def a_while(self) -> float:
        """Mostly about as long as the timeout, sometimes much shorter or longer."""
        return self.world.cluster.timing.timeout_s * self.random.choice((0.1, 0.4, 0.5, 0.9, 1.0, 1.1, 1.5, 3.0, 8.0)) \
            * self.random.uniform(0.8, 1.2)

    def _on_a_machine(self, do: Callable[[Machine], object]) -> bool:
        machine = self.machine()
        if machine is None:
            return False
        do(machine)
        return True

    # ---- hosts

    def power_cut(self) -> bool:
        return self._on_a_machine(self._cut_power)

    def _cut_power(self, machine: Machine) -> None:
        machine.power_off()
        self.later(self.a_while() if self.random.random() < 0.3 else self.random.uniform(3.0, 23.0), machine.power_on)

    def all_power_cut(self) -> bool:
        for machine in self.world.machines.values():
            if machine.power:
                self._cut_power(machine)
        return True

    def _fuse(self, machine: Machine, blow: Callable[[Machine], None]) -> None:
        machine.fuse = (self.random.randint(1, 12), self.random.bound(blow))

    def power_cut_in_a_step(self) -> bool:
        return self._on_a_machine(lambda machine: self._fuse(machine, self._cut_power))

    def freeze(self) -> bool:
        return self._on_a_machine(self._freeze)

    def _freeze(self, machine: Machine) -> None:
        machine.freeze()
        self.later(self.a_while(), machine.thaw)

    def freeze_in_a_step(self) -> bool:
        return self._on_a_machine(lambda machine: self._fuse(machine, self._freeze))

    # ---- daemons

    def stall(self) -> bool:
        return self._on_a_machine(self._stall)

    def _stall(self, machine: Machine) -> None:
        machine.stall()
        self.later(self.a_while(), machine.resume)

    def daemon_crash(self) -> bool:
        return self._on_a_machine(self._crash)

    def _crash(self, machine: Machine) -> None:
        machine.kill_daemon()
        machine.later(self.random.uniform(0.2, 0.8), machine.start_daemon)

    def daemon_crash_in_a_step(self) -> bool:
        return self._on_a_machine(lambda machine: self._fuse(machine, self._crash))

    def daemon_stays_down(self) -> bool:
        def down(machine: Machine) -> None:
            machine.kill_daemon()
            self.later(self.a_while() * 2, machine.start_daemon)
        return self._on_a_machine(down)

    # ---- groups

    def method_fails(self) -> bool:
        def fails(machine: Machine) -> None:
            what = (machine.key, self._group(), self.random.choice(("start", "start", "stop")))
            self.world.failing.add(what)
            self.later(self.a_while() * 2, lambda: self.world.failing.discard(what))
        return self._on_a_machine(fails)

    def slow_methods(self) -> bool:
        self.world.slowness = self.random.choice((5.0, 20.0))

        def mend() -> None:
            self.world.slowness = 1.0
        self.later(self.a_while() * 2, mend)
        return True

    def resource_dies(self) -> bool:
        group = self._group()
        for machine in self.world.active_on(group):
            if not machine.frozen and machine.smf is not None:
                machine.smf.fail(group)
                return True
        return False

    def svcadm(self) -> bool:
        def run(machine: Machine) -> None:
            assert machine.smf is not None
            if self.random.random() < 0.3:
                machine.smf.operator_disables(self.random.choice(sorted(machine.smf.groups)))
            else:
                machine.smf.operator_enables(self.random.choice(sorted(machine.smf.groups)))
        return self._on_a_machine(run)

    def start_astray(self) -> bool:
        def run(machine: Machine) -> None:
            assert machine.smf is not None
            machine.smf.start_astray(self.random.choice(sorted(machine.smf.groups)))
        return self._on_a_machine(run)

    def unfit(self) -> bool:
        def run(machine: Machine) -> None:
            machine.unfit = {self._group(): "a device of the pool is not visible"}
            machine.happen(_preflight(machine.unfit))

            def mend() -> None:
                machine.unfit = {}
                machine.happen(_preflight())
            self.later(self.a_while() * 4, mend)
        return self._on_a_machine(run)

    def operator(self) -> bool:
        machine = self.machine()
        if machine is None:
            return False
        group = self._group()
        op = self.random.choice(("move", "move", "move", "offline", "online", "online", "online", "clear"))
        node = ""
        if op in ("move", "online") and self.random.random() < 0.6:
            node = self.random.choice(sorted(self.world.cluster.nodes))
        if op == "clear":
            # An operator who clears a failed stop has ended by hand what was left of it.
            for host in self.world.machines.values():
                if host.smf is not None and not host.frozen:
                    host.smf.mend(group)
        self.world.ask(op, group, node, at=machine.key)
        return True

    def apply(self) -> bool:
        """One more group, up to a handful, or another order of nodes for one that is there."""
        machine = self.machine()
        if machine is None:
            return False
        cluster = self.world.cluster
        name = f"g{len(cluster.groups)}" if len(cluster.groups) < _MOST_GROUPS else self._group()
        order = tuple(self.random.sample(sorted(cluster.nodes), self.random.randint(2, len(cluster.nodes))))
        if name in cluster.groups:
            new = replace(cluster, groups={**cluster.groups, name: replace(cluster.groups[name], nodes=order)})
        else:
            new = with_group(cluster, name, order, self.random.random() < 0.8, "manual")
        self.world.apply(new, machine.key)
        return True

    # ---- shared disks

    def slow_disk(self) -> bool:
        return self._on_a_partition("slowest_s", self.random.choice((0.1, 0.5, 2.0)), 0.01)

    def failing_disk(self) -> bool:
        return self._on_a_partition("failing", self.random.choice((0.3, 1.0)), 0.0)

    def _on_a_partition(self, what: str, bad: float, well: float) -> bool:
        if not self.world.partitions:
            return False
        partition = self.random.choice(list(self.world.partitions.values()))
        setattr(partition, what, bad)
        self.later(self.a_while(), lambda: setattr(partition, what, well))
        return True

    def hung_disk(self) -> bool:
        if not self.world.partitions:
            return False
        partition = self.random.choice(list(self.world.partitions.values()))
        partition.hung = True
        self.later(self.a_while(), partition.release)
        return True

    def lost_path(self) -> bool:
        if not self.world.partitions:
            return False
        partition = self.random.choice(list(self.world.partitions.values()))
        key = self.random.choice(sorted(self.world.machines))
        partition.unreachable.add(key)
        self.later(self.a_while() * 2, lambda: partition.unreachable.discard(key))
        return True


def _preflight(unfit: Optional[Dict[str, str]] = None) -> Preflight:
    return Preflight(dict(unfit or {}))


def _among(key: str, up: List[Machine]) -> Machine:
    machine = next((machine for machine in up if machine.key == key), None)
    if machine is None:
        raise Void(key)
    return machine
