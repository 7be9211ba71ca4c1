"""Liveness while faults go on, judged from hosts, links and disks alone, never from what a node believes.

The sound part of a cluster is those hosts that ran without a break for 10 L, heard each other both ways on a good link
all that time, and have a majority of vote holders among them and the disks that all of them reached. While a host
outside of it leads there is none, nor for L after: whoever that leader cannot reach both ways is cut off, though others
hear it, and a leader that is cut off goes on writing to the disks until it has noticed.

L1  while there is a sound part, no group that it could run stays offline for 10 L
L2  no host of the sound part is reset, but for a stop that failed
"""
from collections import Counter
from itertools import combinations
from typing import TYPE_CHECKING, Dict, FrozenSet, List, Set, Tuple

from sundog.config.holders import ENSEMBLE
from sundog.core import fencing, voters
from sundog.core.ledger import ONLINE, STOP_FAILED

if TYPE_CHECKING:
    from simulation.machine import Machine
    from simulation.world import World

_LONG = 10                              # of L
_LATEST = 0.05                          # of L: a link with longer delays is not good
NEVER = float("-inf")


class Health:
    """Looks every quarter of L; troubles of hosts and disks are known to the moment (troubled_at, troubled)."""

    def __init__(self, world: "World") -> None:
        self.world = world
        timeout_s = world.cluster.timing.timeout_s
        self.long_s, self._every_s, self._latest_s = _LONG * timeout_s, timeout_s / 4, _LATEST * timeout_s
        self.looks = self.sound_looks = 0
        self._apart: Dict[FrozenSet[str], float] = {}           # two hosts -> when they last did not hear each other
        self._no_path: Dict[Tuple[str, str], float] = {}        # disk, host -> when it last did not reach it
        self._outsider_at = NEVER                               # when a host outside of the sound part last led
        self._labels: Dict[str, int] = {}                       # disk -> how often it was labelled, at the last look
        self._well: Dict[str, float] = {}                       # group -> when it last was online, or excused
        for disk in world.partitions.values():
            disk.late_s = 2 * self._latest_s            # written, then read
        world.health = self
        world.timeline.at(world.now, self._look)

    def _look(self) -> None:
        world = self.world
        self._links()
        self._disks()
        sound = self.sound()
        self.looks += 1
        self.sound_looks += bool(sound)
        for group in world.cluster.groups:
            if not sound or self._excused(group, sound) or world.online(group):
                self._well[group] = world.now
            elif world.now > self._well.setdefault(group, world.now) + self.long_s:
                entry = world.entry(group)
                world.invariants.fail("L1", f"{group} is {entry.state} at {entry.owner} ({entry.why}), though "
                                            f"{', '.join(sorted(sound))} are sound")
        world.timeline.at(world.now + self._every_s, self._look)

    # ---- what is sound

    def _links(self) -> None:
        wire = self.world.wire
        bad = {link for link, quality in wire.qualities.items()
               if quality.loss or quality.shortest_s + quality.spread_s > self._latest_s}
        if not (wire.cuts or wire.ways or bad):
            return
        good = [link for link in wire.qualities if link not in bad]
        for one, other in combinations(self.world.machines, 2):
            if not any(self._carries(link, one, other) for link in good):
                self._apart[frozenset((one, other))] = self.world.now

    def _carries(self, link: str, one: str, other: str) -> bool:
        wire = self.world.wire
        return all(way not in wire.cuts and way not in wire.ways for way in ((link, one, other), (link, other, one)))

    def _disks(self) -> None:
        for name, disk in self.world.partitions.items():
            anew = self._labels.setdefault(name, disk.labels) != disk.labels
            self._labels[name] = disk.labels
            bad = anew or disk.hung or disk.failing or disk.slowest_s > self._latest_s
            for key in self.world.machines if bad else disk.unreachable:
                self._no_path[name, key] = self.world.now
            for key, until in disk.troubled.items():
                self._no_path[name, key] = max(until, self._no_path.get((name, key), NEVER))

    def sound(self) -> Set[str]:
        """The hosts of the sound part; none when no majority is sound."""
        world, since = self.world, self.world.now - self.long_s
        if since < 0:
            return set()
        hosts = {key for key, machine in world.machines.items() if world.is_up(key) and machine.troubled_at < since}
        apart = [pair for pair, at in self._apart.items() if at >= since and pair <= hosts]
        while apart:
            # Those that miss most go first, all of them: of two that do not hear each other neither is the sound one.
            missing = Counter(key for pair in apart for key in pair)
            hosts -= {key for key, count in missing.items() if count == max(missing.values())}
            apart = [pair for pair in apart if pair <= hosts]
        lives = {world.machines[key].name: world.machines[key].stored.life for key in hosts
                 if not world.machines[key].distrusted}
        lives.update({name: disk.life for name, disk in world.partitions.items()
                      if all(self._no_path.get((name, key), NEVER) < since for key in hosts)})
        # Of a change of voters that nobody can take back any more both sets are needed, chosen or not.
        before = voters.configured(world.first)
        sets = [one for ledger in world.invariants.ballots.open() for one in voters.in_force(ledger, before)]
        if any(leads(machine) for key, machine in world.machines.items() if key not in hosts):
            self._outsider_at = world.now
        ruled = world.now < self._outsider_at + world.cluster.timing.timeout_s
        return hosts if hosts and voters.agree(sets, lives) and not ruled else set()

    # ---- what is asked of it

    def _excused(self, group: str, sound: Set[str]) -> bool:
        world, entry = self.world, self.world.entry(group)
        if entry.wanted != ONLINE or world.slowness != 1 or any(what[1] == group for what in world.failing):
            return True
        if entry.state == STOP_FAILED and world.cluster.recovery.on_stop_failed == "block":
            return True
        if entry.why.startswith(fencing.WAITS):
            return True
        if any(world.known_cluster(world.machines[key]) is not world.cluster for key in sound):
            return True
        return not self._able(group, sound)

    def _able(self, group: str, sound: Set[str]) -> List[str]:
        """The sound hosts that could run the group: one that is kept from its disks may not, until it boots."""
        failed = {failure.node for failure in self.world.entry(group).failures}
        nodes = self.world.cluster.groups[group].nodes
        machines = [self.world.machines[key] for key in sound]
        return [one.key for one in machines
                if one.name in nodes and one.name not in failed and group not in one.unfit and not one.barred]

    def resets(self, machine: "Machine", why: str) -> None:
        """L2, at the moment in which a host is to be reset."""
        world = self.world
        stuck = any(entry.state == STOP_FAILED and entry.owner == machine.name
                    for entry in world.invariants.latest.groups.values())
        # Where an ensemble votes alone its late look, A and two exchanges leave an owner no time for a rival candidate.
        slow = world.invariants.latest.voters.keys() == {ENSEMBLE}
        if not stuck and not slow and machine.key in self.sound():
            world.invariants.fail("L2", f"{machine.key} is reset ({why}), though it is sound")


def leads(machine: "Machine") -> bool:
    return machine.node is not None and machine.clock.read() < machine.node.leads_until
