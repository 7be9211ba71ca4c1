"""What machines share: partitions that vote, and pools that must never be written by two hosts.

A partition has two slots a writer and overwrites the older one, so a write torn by a power cut loses only itself.
A pool is as ZFS shows it: imported by the host named in its label until exported (zpool(8)).
"""
from random import Random
from typing import TYPE_CHECKING, Callable, Dict, List, Optional, Set, Tuple

from simulation.timeline import Timeline
from sundog.core import paxos
from sundog.core.effects import WriteDisk
from sundog.core.events import DiskAnswered
from sundog.core.frames import Block

if TYPE_CHECKING:
    from simulation.machine import Machine


class Partition:
    """One passive holder, seen by all machines: a disk, a witness or an ensemble, which differ in their timing."""

    def __init__(self, name: str, timeline: Timeline, random: Random,
                 read_back: Callable[["Partition", Block, Tuple[Block, ...]], None], usual_s: float = 0.01) -> None:
        self.name, self.timeline, self.random, self.read_back = name, timeline, random, read_back
        self.slots: Dict[str, Block] = {}
        self.labels = 1                                     # how often it was labelled
        self.slowest_s = self.usual_s = usual_s
        self.failing = 0.0                                  # probability that an exchange fails
        self.unreachable: Set[str] = set()                  # keys of machines that have lost their path
        self.hung = False                                   # takes orders and does nothing, until it is released
        self.late_s = float("inf")                          # an exchange that takes longer is a trouble
        self.troubled: Dict[str, float] = {}                # machine -> until when it waited for such a one, or in vain
        self._hanging: List[Callable[[], None]] = []
        self._count = 0
        self._landed: Dict[str, int] = {}                   # writer -> the newest of its writes that stands there
        self._busy: Dict[Tuple[str, int], Optional[WriteDisk]] = {}     # (machine, run) -> the newest order that waits

    @property
    def life(self) -> str:
        return f"{self.name}.{self.labels}"

    def label_anew(self) -> None:
        """Everything on it is gone, as after `sundog quorum init-disk --force`."""
        self.labels += 1
        self.slots = {}

    def exchange(self, machine: "Machine", order: WriteDisk) -> None:
        """As the daemon does it: one at a time; of those that wait only the newest is kept."""
        at = (machine.key, machine.run)
        if at in self._busy:
            late, self._busy[at] = self._busy[at], order
            if late is not None:
                machine.daemon_later(0.0, machine.happen, DiskAnswered(self.name, late.request, None, "overtaken"))
            return
        self._busy[at] = None
        if self.hung:
            self._trouble(machine, 0.0)
            self._hanging.append(lambda: self._begin(machine, machine.boot, at, order))
        else:
            self._begin(machine, machine.boot, at, order)

    def release(self) -> None:
        """Whatever hangs here goes on."""
        self.hung = False
        hanging, self._hanging = self._hanging, []
        for begin in hanging:
            begin()

    def _trouble(self, machine: "Machine", for_s: float) -> None:
        self.troubled[machine.key] = max(self.timeline.now + for_s, self.troubled.get(machine.key, 0.0))

    def _begin(self, machine: "Machine", boot: int, at: Tuple[str, int], order: WriteDisk) -> None:
        if machine.boot != boot or machine.run != at[1]:
            return
        written_in = 0.0005 + self.slowest_s * self.random.random()
        fails = machine.key in self.unreachable or self.random.random() < self.failing
        lands = not fails or (machine.key not in self.unreachable and self.random.random() < 0.5)
        # The write lands even if the host freezes meanwhile; a power cut before it leaves a torn slot, that is nothing.
        # One that was given up may land all the same, and late: a command that timed out is only then aborted.
        late_s = self.random.choice((0.0, 0.1, 1.0)) if fails else 0.0
        self._count += 1
        self.timeline.at(self.timeline.now + written_in + late_s, self._write, machine, at, boot, order, lands,
                         self._count)
        read_in = written_in + 0.0005 + self.slowest_s * self.random.random()
        if fails or read_in > self.late_s:
            self._trouble(machine, read_in)
        machine.daemon_later(read_in, self._read, machine, at, order, fails)

    def _write(self, machine: "Machine", at: Tuple[str, int], boot: int, order: WriteDisk, lands: bool,
               count: int) -> None:
        """A daemon does not end while its own write is under way; two slots keep the newer of two that overlap."""
        if order.block is None or not lands or machine.boot != boot or count < self._landed.get(machine.name, 0):
            return
        if machine.run == at[1] or machine.node is None:
            self._landed[machine.name] = count
            self.slots[machine.name] = paxos.merged(self.slots.get(machine.name), order.block)

    def _read(self, machine: "Machine", at: Tuple[str, int], order: WriteDisk, fails: bool) -> None:
        waiting = self._busy.pop(at, None)
        if waiting is not None:
            self.exchange(machine, waiting)
        if fails:
            machine.happen(DiskAnswered(self.name, order.request, None, "I/O error"))
            return
        blocks = tuple(self.slots[name] for name in sorted(self.slots))
        if order.block is not None:
            self.read_back(self, order.block, blocks)
        machine.happen(DiskAnswered(self.name, order.request, blocks, life=self.life))


class Pool:
    """A ZFS pool on shared disks."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.exported = True
        self.importer: "Optional[Machine]" = None
        self.importer_boot = 0

    def refusal(self, machine: "Machine", force: bool) -> Optional[str]:
        """Why zpool import says no: the label names another host and -f was not given."""
        if self.exported or force or self.importer is None or self.importer.hostid == machine.hostid:
            return None
        return "pool may be in use from other system"

    def open_elsewhere(self, machine: "Machine") -> "Optional[Machine]":
        """Another machine that has this pool imported and could write to it."""
        other = self.importer
        if self.exported or other is None or other is machine or other.boot != self.importer_boot:
            return None
        return other if other.can_write else None

    def imported(self, machine: "Machine") -> None:
        self.importer, self.importer_boot, self.exported = machine, machine.boot, False

    def export(self) -> None:
        self.exported = True
