"""Faults of clocks that stop or are set, and of fence devices."""
from typing import TYPE_CHECKING, List, Optional

from simulation.devices import Device
from simulation.part import Kind, Part

if TYPE_CHECKING:
    from simulation.machine import Machine


class DeviceFaults(Part):
    """What a storm does to clocks and devices; `Storm` has the rest."""

    def device_kinds(self) -> List[Kind]:
        return [("suspend", 3, self.suspend), ("suspend in a step", 2, self.suspend_in_a_step),
                ("wall clock set", 2, self.set_wall_clock), ("all wall clocks set", 1, self.set_all_wall_clocks),
                ("sick device", 8, self.sick_device), ("device out of reach", 3, self.device_out_of_reach),
                ("operator fences", 2, self.operator_fences), ("operator confirms", 2, self.operator_confirms)]

    # ---- clocks

    def suspend(self) -> bool:
        return self._on_a_machine(self._suspend)

    def _suspend(self, machine: "Machine") -> None:
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

    # ---- fence devices

    def _device(self) -> Optional[Device]:
        return self.world.devices[self.random.choice(sorted(self.world.devices))] if self.world.devices else None

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
        off = sorted(name for name, device in self.world.devices.items() if not device.machine.power)
        machine = self.machine()
        if not off or machine is None:
            return False
        self.world.confirm(self.random.choice(off), at=machine.key)
        return True
