"""Everything that can go wrong, drawn by chance: each fault breaks something now and mends it after a while."""
from dataclasses import replace
from random import Random
from typing import Callable, Dict, List, Optional, Tuple

from simulation.devices import Device
from simulation.machine import Machine
from simulation.memory import Memory
from simulation.wire import Quality
from simulation.world import World, with_group
from sundog.core.events import Preflight

_MOST_GROUPS = 4


class Storm:
    """Faults at random instants, on average one in `every_s` seconds, until `end()`. Counts what it did by kind.

    `weights`: how often each kind comes, instead of the usual mixture.
    """

    def __init__(self, world: World, every_s: float = 4.0, weights: Optional[Dict[str, int]] = None) -> None:
        self.world, self.every_s = world, every_s
        self.random: Random = world.random
        self.counts: Dict[str, int] = {}
        self.over = False
        self.memory = Memory(self)
        self.kinds: List[Tuple[str, int, Callable[[], bool]]] = [
            ("power cut", 6, self.power_cut), ("power cut in a step", 3, self.power_cut_in_a_step),
            ("freeze", 4, self.freeze), ("freeze in a step", 2, self.freeze_in_a_step),
            ("suspend", 3, self.suspend), ("suspend in a step", 2, self.suspend_in_a_step),
            ("wall clock set", 2, self.set_wall_clock), ("all wall clocks set", 1, self.set_all_wall_clocks),
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
            ("lost path", 2, self.lost_path), ("apply", 2, self.apply),
            ("sick device", 8, self.sick_device), ("device out of reach", 3, self.device_out_of_reach),
            ("operator fences", 2, self.operator_fences), ("operator confirms", 2, self.operator_confirms),
            ("other voters", 4, self.memory.other_voters), ("lost vote file", 3, self.memory.lost_vote_file),
            ("older vote file", 2, self.memory.older_vote_file), ("new label", 2, self.memory.new_label)]
        self._names = [name for name, _, _ in self.kinds]
        self._weights = [weight if weights is None else weights.get(name, 0) for name, weight, _ in self.kinds]
        self._calls = {name: call for name, _, call in self.kinds}
        self._next()

    def end(self) -> None:
        """No more faults; what is broken is mended, and every host has its power back."""
        self.over = True
        world = self.world
        world.heal()
        for machine in world.machines.values():
            machine.unfit = {}
            self.memory.mend(machine)
            machine.left = "" if machine.name == machine.key else machine.left
            for group in world.cluster.groups:
                if machine.smf is not None:
                    machine.smf.mend(group)
            machine.power_on()
            machine.start_daemon()
            machine.happen(_preflight())

    def _next(self) -> None:
        self.later(self.random.expovariate(1 / self.every_s), self._strike)

    def _strike(self) -> None:
        name = self.random.choices(self._names, self._weights)[0]
        if self._calls[name]():
            self.counts[name] = self.counts.get(name, 0) + 1
        self._next()

    def later(self, delay_s: float, call: Callable[[], object]) -> None:
        self.world.timeline.at(self.world.now + delay_s, self._unless_over, call)

    def _unless_over(self, call: Callable[[], object]) -> None:
        if not self.over:
            call()

    # ---- choosing

    def machine(self) -> Optional[Machine]:
        up = [machine for machine in self.world.machines.values() if self.world.is_up(machine.key)]
        # The leader and owners are where it hurts: half of the time it is one of them.
        sore = [m for m in up if m.leads or (m.smf is not None and m.smf.active)]
        return self.random.choice(sore if sore and self.random.random() < 0.5 else up) if up else None

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
        self.later(self.a_while() if self.random.random() < 0.3 else self.world.boot_s(), machine.power_on)

    def all_power_cut(self) -> bool:
        for machine in self.world.machines.values():
            if machine.power:
                self._cut_power(machine)
        return True

    def _fuse(self, machine: Machine, blow: Callable[[Machine], None]) -> None:
        machine.fuse = (self.random.randint(1, 12), blow)

    def power_cut_in_a_step(self) -> bool:
        return self._on_a_machine(lambda machine: self._fuse(machine, self._cut_power))

    def freeze(self) -> bool:
        return self._on_a_machine(self._freeze)

    def _freeze(self, machine: Machine) -> None:
        machine.freeze()
        self.later(self.a_while(), machine.thaw)

    def freeze_in_a_step(self) -> bool:
        return self._on_a_machine(lambda machine: self._fuse(machine, self._freeze))

    def suspend(self) -> bool:
        return self._on_a_machine(self._suspend)

    def _suspend(self, machine: Machine) -> None:
        machine.suspend()
        self.later(self.a_while(), machine.thaw)

    def suspend_in_a_step(self) -> bool:
        return self._on_a_machine(lambda machine: self._fuse(machine, self._suspend))

    def _step_s(self) -> float:
        return self.random.choice((-3600.0, -1.0, 0.15, 1.0, 3600.0))

    def set_wall_clock(self) -> bool:
        return self._on_a_machine(lambda machine: machine.set_wall_clock(self._step_s()))

    def set_all_wall_clocks(self) -> bool:
        by_s = self._step_s()
        for machine in self.world.machines.values():
            machine.set_wall_clock(by_s)
        return True

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

    # ---- links

    def _mend_cuts(self, before: "set[Tuple[str, str, str]]") -> Callable[[], None]:
        new = self.world.wire.cuts - before
        return lambda: self.world.wire.cuts.difference_update(new)

    def cut_off(self) -> bool:
        def off(machine: Machine) -> None:
            before = set(self.world.wire.cuts)
            self.world.cut(machine.key, one_way=self.random.random() < 0.3)
            self.later(self.a_while(), self._mend_cuts(before))
        return self._on_a_machine(off)

    def cut_pair(self) -> bool:
        if len(self.world.machines) < 2:
            return False
        one, other = self.random.sample(sorted(self.world.machines), 2)
        before = set(self.world.wire.cuts)
        self.world.cut(one, other, one_way=self.random.random() < 0.5)
        self.later(self.a_while(), self._mend_cuts(before))
        return True

    def cut_one_link(self) -> bool:
        def off(machine: Machine) -> None:
            before = set(self.world.wire.cuts)
            link = self.random.choice(sorted(self.world.wire.qualities))
            self.world.cut(machine.key, links=(link,), one_way=self.random.random() < 0.3)
            self.later(self.a_while(), self._mend_cuts(before))
        return self._on_a_machine(off)

    def bad_link(self) -> bool:
        link = self.random.choice(sorted(self.world.wire.qualities))
        bad = Quality(0.0005, self.random.choice((0.002, 0.05, 0.3, 1.0)) * self.world.cluster.timing.timeout_s,
                      self.random.choice((0.0, 0.05, 0.3)), self.random.choice((0.0, 0.1)))
        self.world.wire.qualities[link] = bad

        def mend() -> None:
            if self.world.wire.qualities[link] is bad:
                self.world.wire.qualities[link] = Quality()
        self.later(self.a_while(), mend)
        return True

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

    def lost_path(self) -> bool:
        if not self.world.partitions:
            return False
        partition = self.random.choice(list(self.world.partitions.values()))
        key = self.random.choice(sorted(self.world.machines))
        partition.unreachable.add(key)
        self.later(self.a_while() * 2, lambda: partition.unreachable.discard(key))
        return True


    # ---- fence devices

    def _device(self) -> Optional[Device]:
        return self.random.choice(list(self.world.devices.values())) if self.world.devices else None

    def sick_device(self) -> bool:
        """One that is slow, late to say what it did, failing or hanging."""
        device = self._device()
        if device is None:
            return False
        device.acts_s, device.reads_s = self.random.choice(((0.3, 0.05), (5.0, 0.1), (0.3, 8.0), (0.2, 30.0)))
        device.failing, device.hanging = self.random.choice(((False, False), (True, False), (False, True)))
        self.later(self.a_while() * 4, device.mend)
        return True

    def device_out_of_reach(self) -> bool:
        device = self._device()
        if device is None:
            return False
        away = self.random.sample(sorted(self.world.machines), self.random.randint(1, len(self.world.machines)))
        device.unreachable.update(away)
        self.later(self.a_while() * 4, device.unreachable.clear)
        return True

    def operator_fences(self) -> bool:
        device, machine = self._device(), self.machine()
        if device is None or machine is None:
            return False
        self.world.ask_fence(self.random.choice(("fence", "fence-forced")), device.node, machine.key)
        return True

    def operator_confirms(self) -> bool:
        """Of a host that is off, which the operator sees to until it is freed."""
        off = [device for device in self.world.devices.values() if not device.machine.power]
        machine = self.machine()
        if not off or machine is None:
            return False
        self.world.confirm(self.random.choice(off).node, at=machine.key)
        return True


def _preflight(unfit: Optional[Dict[str, str]] = None) -> Preflight:
    return Preflight(dict(unfit or {}))
