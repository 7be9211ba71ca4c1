"""Faults of who votes and of what voters remember: other holders applied in a storm, vote files lost or put back.

A holder loses its memory only while majorities of every set that may be in force keep theirs: no cluster outlives more.
"""
from dataclasses import replace
from typing import TYPE_CHECKING, Callable, List, Optional, Tuple

from simulation.machine import Machine
from simulation.world import World
from sundog.config.model import DiskHolder

if TYPE_CHECKING:
    from simulation.faults import Storm

_DISKS = ("disk1", "disk2")
_APART_S = 3.0                          # between an application of other holders and the loss of one


class Memory:
    """Each method is a kind of fault of a storm: it says whether there was anything to break."""

    def __init__(self, storm: "Storm") -> None:
        self.storm = storm
        self.world: World = storm.world
        self.random = storm.random
        self._applied_at = self._forgot_at = float("-inf")

    def kinds(self) -> List[Tuple[str, int, Callable[[], bool]]]:
        return [("other voters", 4, self.other_voters), ("lost vote file", 3, self.lost_vote_file),
                ("older vote file", 2, self.older_vote_file), ("new label", 2, self.new_label)]

    def other_voters(self) -> bool:
        """An operator applies another set: some nodes, and up to two disks."""
        machine = self.storm.machine()
        if machine is None or self.world.now < self._forgot_at + _APART_S:
            return False
        self._applied_at = self.world.now
        cluster = self.world.cluster
        names = sorted(cluster.nodes)
        voting = set(self.random.sample(names, self.random.randint(1, len(names))))
        disks = self.random.sample(_DISKS, self.random.choice((0, 0, 1, 1, 2)))
        nodes = {name: replace(spec, votes=int(name in voting)) for name, spec in cluster.nodes.items()}
        self.world.apply(replace(cluster, nodes=nodes, holders={
            name: DiskHolder(name, f"/dev/rdsk/{name}") for name in sorted(disks)}), machine.key)
        return True

    def lost_vote_file(self) -> bool:
        return self._forget(Machine.lose_vote_file)

    def older_vote_file(self) -> bool:
        """An operator puts back a copy, and removes it again when the journal has told what is wrong with it."""
        machine = self.storm.machine()
        if machine is None:
            return False
        copy = machine.stored

        def put_back() -> None:
            if machine.stored.life == copy.life and machine.stored.blocks is not copy.blocks and not machine.distrusted:
                self._change(machine, lambda one: one.put_back(copy))
                self.storm.later(self.storm.a_while() * 3, lambda: self.mend(machine))
        self.storm.later(self.storm.a_while() * 2, put_back)
        return True

    def new_label(self) -> bool:
        if not self.world.partitions:
            return False
        partition = self.world.partitions[self.random.choice(sorted(self.world.partitions))]
        if not self._may_forget(partition.name):
            return False
        partition.label_anew()
        self.world.note(partition.name, "labelled anew")
        return True

    def mend(self, machine: Machine) -> None:
        """As the journal says: remove the file, start the daemon."""
        if machine.distrusted:
            machine.kill_daemon()
            machine.lose_vote_file()
            machine.start_daemon()

    def _may_forget(self, holder: str) -> bool:
        """Not in the middle of a change either: a set to come may count on the very life that is lost."""
        world = self.world
        if not (world.voters_are_whole() and world.invariants.ballots.spared(holder)) \
                or world.now < self._applied_at + _APART_S:
            return False
        self._forgot_at = world.now
        return True

    def _forget(self, change: Callable[[Machine], None]) -> bool:
        machine = self.storm.machine()
        return machine is not None and self._change(machine, change)

    def _change(self, machine: Machine, change: Callable[[Machine], None]) -> bool:
        """Between the end of one run of the daemon and the next."""
        if machine.key != machine.name or not self._may_forget(machine.name):
            return False
        if self.random.random() < 0.5:
            machine.power_off()
            back: Callable[[], Optional[object]] = machine.power_on
        else:
            machine.kill_daemon()
            back = machine.start_daemon
        change(machine)
        self.storm.later(self.storm.a_while(), back)
        return True
