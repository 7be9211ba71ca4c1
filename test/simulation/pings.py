"""What two nodes with `arbiter: ping` reach: their targets, and each other's floating addresses.

While one node does not hear the other for the silence that entitles it, no more than one of them reaches the targets
at any time, unless `honest` is False: then both may, which is what the weaker mode does not protect from.
"""
from random import Random
from typing import TYPE_CHECKING, Dict, Optional, Set

from sundog.core.events import Arbitrated

if TYPE_CHECKING:
    from simulation.machine import Machine
    from simulation.world import World


class Pings:
    def __init__(self, world: "World", honest: bool = True) -> None:
        self.world, self.honest = world, honest
        self.random: Random = world.random
        self.unreached: Set[str] = set()                # machines cut off from the targets
        self.hidden = False                             # addresses do not answer the other node
        self._side: Optional["Machine"] = None          # who reaches them while the two do not hear each other

    def start(self, machine: "Machine") -> None:
        """A daemon has begun: it pings each beat."""
        machine.daemon_later(self.world.cluster.timing.beat_s * self.random.random(), self._round, machine)

    def _round(self, machine: "Machine") -> None:
        machine.daemon_later(self.world.cluster.timing.beat_s, self._round, machine)
        if self._reaches(machine):
            delay = 0.001 + 0.003 * self.random.random()
            machine.daemon_later(delay, self._answered, machine, machine.clock.read())

    def _answered(self, machine: "Machine", began_at: float) -> None:
        machine.happen(Arbitrated(began_at, self._answering(machine)))

    def _answering(self, machine: "Machine") -> Dict[str, str]:
        """Addresses of groups that are active on a host which is on the LAN."""
        return {} if self.hidden else {group: "10.0.0.100" for other in self.world.machines.values()
                if other is not machine and other.smf is not None and not other.frozen
                and other.key not in self.unreached
                for group in other.smf.active}

    def _reaches(self, machine: "Machine") -> bool:
        if machine.key in self.unreached:
            return False
        if not self.honest:
            return True
        side = self._side
        if side is not None and (not side.power or side.key in self.unreached or not _deaf(side)):
            side = self._side = None
        if side is None and _deaf(machine):
            side = self._side = machine
        return side in (None, machine)


def _deaf(machine: "Machine") -> bool:
    """Has the machine heard nothing for so long that the targets may speak for the other? A daemon that is gone may."""
    return machine.node is None or machine.clock.read() >= machine.node.voting.arbiter.silent_from()
