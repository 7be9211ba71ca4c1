"""What a world shows: who is up, what is active where, what the ledger says. Nothing is changed by looking."""
from typing import TYPE_CHECKING, Dict, List, Mapping, Optional, Tuple

from simulation.layout import Layout
from simulation.machine import Machine
from simulation.smf import Smf
from sundog.core import voters
from sundog.core.ledger import OFFLINE, GroupEntry

if TYPE_CHECKING:
    from simulation.invariants import Invariants


class Looking(Layout):
    """`invariants` is there when machines are: it knows what has been chosen."""
    invariants: "Invariants"

    def __init__(self, seed: int, timeout_s: float, links: int, drift: float) -> None:
        super().__init__(seed, timeout_s, links, drift)
        self._times: Dict[Tuple[str, str, str], float] = {}     # (what, node, group) -> when it happened last

    def is_up(self, key: str) -> bool:
        machine = self.machines[key]
        return machine.power and machine.node is not None and not machine.frozen and not machine.stalled

    def smf(self, key: str) -> Smf:
        smf = self.machines[key].smf
        assert smf is not None, f"{key} has no power"
        return smf

    def active_on(self, group: str) -> List[Machine]:
        return [machine for machine in self.machines.values()
                if machine.power and machine.smf is not None and group in machine.smf.groups
                and machine.smf.groups[group].active]

    def entry(self, group: str) -> GroupEntry:
        """The group in the newest ledger that a majority of holders has."""
        return self.invariants.latest.groups.get(group, GroupEntry())

    def owner(self, group: str) -> Optional[str]:
        entry = self.entry(group)
        return None if entry.state == OFFLINE else entry.owner

    def online(self, group: str) -> Optional[str]:
        """The node on which the group is online, by the ledger and in fact."""
        entry = self.entry(group)
        active = [machine for machine in self.active_on(group) if machine.can_write]
        return entry.owner if entry.state == "online" and [m.name for m in active] == [entry.owner] else None

    def joined(self, key: str) -> bool:
        """Is this very boot of the host in the cluster?"""
        member = self.invariants.latest.members.get(self.machines[key].name)
        return member is not None and member.joined and member.boot_id == self.machines[key].boot_id

    def voters(self) -> Mapping[str, str]:
        """The vote holders in force, with their lives."""
        return self.invariants.latest.voters

    def voters_are_whole(self) -> bool:
        """Does the ledger name every holder of the configuration, with the life that it has?"""
        latest = self.invariants.latest
        return not latest.next_voters and latest.voters == {
            name: self.partitions[name].life if name in self.partitions else voters.PING if name == voters.ARBITER
            else self.machines[name].stored.life
            for name in voters.wanted(self.cluster)}

    def leader(self) -> Optional[str]:
        return next((m.key for m in self.machines.values()
                     if self.is_up(m.key) and m.node is not None and m.node.leader == m.name), None)

    def started(self, key: str, group: str) -> float:
        """When the group was last seen online there; -inf: never."""
        return self._times.get(("started", key, group), float("-inf"))

    def stopped(self, key: str, group: str) -> float:
        """When the last of it stopped there, by order or with the power; -inf: never."""
        return self._times.get(("stopped", key, group), float("-inf"))
