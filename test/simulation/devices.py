"""A device that switches one host off and on: slow, failing, hanging, late to say so, out of reach of some nodes."""
from typing import TYPE_CHECKING, Set

from sundog.core import effects
from sundog.core.events import FenceDone

if TYPE_CHECKING:
    from simulation.machine import Machine
    from simulation.world import World

#: What the daemon gives one order to a device, in all (FenceLevel.timeout_s).
PATIENCE_S = 20.0


class Device:
    """`acts_s`: until the power is off; `reads_s`: from then until the device says so. Works as the daemon uses it."""

    def __init__(self, world: "World", node: str) -> None:
        self.world, self.node = world, node
        self.orders = 0
        self.over = -1                                  # the last boot of the host that is known to have ended
        self.unreachable: Set[str] = set()              # machines without a way to it
        self.mend()

    def mend(self) -> None:
        self.acts_s, self.reads_s, self.failing, self.hanging = 0.3, 0.05, False, False
        self.astray = False                             # wired to a host that is none of the cluster's, and off
        self.unreachable.clear()

    @property
    def machine(self) -> "Machine":
        return self.world.machines[self.node]

    def confirmed(self, boot_id: str) -> bool:
        """Is it known, and has been said, that this boot is over? Of another host of that name it never is."""
        key, _, number = boot_id.rpartition(".")
        return key == self.node and int(number) <= self.over

    def order(self, asker: "Machine", order: effects.Fence) -> None:
        """Switch the host off, read back that it is, answer."""
        self.orders += 1
        if self.failing or asker.key in self.unreachable:
            asker.daemon_later(0.2, self._answer, asker, order, False, "no answer")
        elif self.astray:
            asker.daemon_later(0.1, self._answer, asker, order, True, "it reads off")
        elif self.hanging:
            asker.daemon_later(PATIENCE_S, self._answer, asker, order, False, "no answer in time")
        else:
            # The device goes on by itself, whatever becomes of who asked.
            self.world.timeline.at(self.world.now + self.acts_s, self._off, order.boot_id)
            took_s = self.acts_s + self.reads_s
            if took_s < PATIENCE_S:
                asker.daemon_later(took_s, self._read, asker, order)
            else:
                asker.daemon_later(PATIENCE_S, self._answer, asker, order, False, "it does not go off in time")

    def _off(self, boot_id: str) -> None:
        machine = self.machine
        if machine.power:
            machine.power_off(f"switched off by its device (asked for {boot_id})")
        self.world.timeline.at(self.world.now + self.reads_s + self.world.boot_s(), self._on, machine.boot)

    def _on(self, boot: int) -> None:
        # Only what it has switched off itself: not what has lost its power since.
        if self.machine.boot == boot and self.world.cluster.fence[self.node][0].after == "start":
            self.machine.power_on()

    def _read(self, asker: "Machine", order: effects.Fence) -> None:
        off = not self.machine.power
        if off:
            self.over = max(self.over, self.machine.boot)
        self._answer(asker, order, off, "it reads off" if off else "it reads on")

    def _answer(self, asker: "Machine", order: effects.Fence, ok: bool, said: str) -> None:
        asker.happen(FenceDone(order.node, order.boot_id, ok, said))


class Disks(Device):
    """Shared disks with reservations: the host goes on, but every write of its pools is refused, until it boots."""

    def _off(self, boot_id: str) -> None:
        machine = self.machine
        if machine.power and machine.boot_id == boot_id:
            machine.bar()
        elif machine.smf is not None and machine.smf.active:
            # Its next boot had its key there by now: it finds that gone.
            machine.reset("its key was taken away")

    def _read(self, asker: "Machine", order: effects.Fence) -> None:
        barred = not self.machine.power or self.machine.barred
        if barred:
            self.over = max(self.over, self.machine.boot)
        self._answer(asker, order, barred, "it has no key" if barred else "it has a key")

    def _answer(self, asker: "Machine", order: effects.Fence, ok: bool, said: str) -> None:
        asker.happen(FenceDone(order.node, order.boot_id, ok, said, ok))
