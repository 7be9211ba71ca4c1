"""A cluster of the real core in virtual time: build it, break it, run it, look at it. Everything follows from the seed.

Invariants are checked at every step (invariants.py); a breach raises Broken with the seed and the story so far.
"""
from collections import deque
from dataclasses import replace
from random import Random
from typing import Callable, Deque, Dict, List, Mapping, Optional, Set, Tuple

from simulation.devices import Device, Disks
from simulation.health import Health
from simulation.invariants import Broken, Invariants
from simulation.lanes import Line, line_of
from simulation.machine import Machine
from simulation.pings import Pings
from simulation.smf import Smf
from simulation.storage import Partition, Pool
from simulation.timeline import Clock, Timeline
from simulation.wire import Frame, Wire
from sundog.config.model import (
    Cluster,
    DiskHolder,
    FenceLevel,
    Group,
    LanLink,
    NodeSpec,
    PingArbiter,
    Recovery,
    Resource,
    Timing,
    WitnessHolder,
    ZooKeeperHolder,
)
from sundog.core import effects, frames, voters
from sundog.core.effects import Effect
from sundog.core.events import Configured, Event, Heard
from sundog.core.ledger import OFFLINE, GroupEntry, Ledger
from sundog.core.node import Node

_STORY = 120
_OVER_THE_NETWORK_S = 0.04              # half an exchange with a witness or an ensemble, at most


def with_group(cluster: Cluster, name: str, order: Tuple[str, ...], pool: bool, failback: str) -> Cluster:
    """The same cluster with one more group: an address, and the pool under it unless there is none."""
    resources = [Resource("ip", "floating-ip", ("data",) if pool else (), None)]
    if pool:
        resources.insert(0, Resource("data", "zpool", (), None))
    group = Group(name, order, tuple(resources), failback)
    return replace(cluster, groups={**cluster.groups, name: group})


class World:
    """Say what is there (`nodes`, `disk`, `witness`, `ensemble`, `group`), then `settle()`: machines exist, time runs.

    `drift` is how far a clock's rate may be off (0.02: 2 %), within what the guard covers.
    """

    def __init__(self, seed: int = 0, timeout_s: float = 2.0, links: int = 2, drift: float = 0.02) -> None:
        self.seed, self.drift = seed, drift
        self.random = Random(seed)
        self.timeline = Timeline()
        names = tuple(f"link{number}" for number in range(links))
        self.cluster = Cluster("sim", "key", {}, {name: LanLink(name, "10.0.0.0/24") for name in names}, {},
                               Timing(timeout_s))
        self.wire = Wire(self.timeline, self.random, names)
        self.machines: Dict[str, Machine] = {}
        self.pings: Optional[Pings] = None                      # where an arbiter breaks the tie
        self.partitions: Dict[str, Partition] = {}
        self.pools: Dict[str, Pool] = {}
        self.devices: Dict[str, Device] = {}                    # by node
        self.answers: Dict[str, effects.AnswerRequest] = {}
        self.configurations: Dict[str, Cluster] = {}
        self.steps = self.runs = self.resets = self.forgotten = 0
        self.failing: Set[Tuple[str, str, str]] = set()        # (machine key, group, "start" | "stop")
        self.slowness = 1.0                                     # of methods
        self.takeovers: List[float] = []                        # power gone to online elsewhere, seconds
        self.codes: Dict[str, int] = {}                         # journal entries by code
        self._dark: Dict[str, float] = {}                       # group -> when its owner's power went
        self._times: Dict[Tuple[str, str, str], float] = {}     # (what, node, group) -> when it happened last
        self.health: Optional[Health] = None                    # there in trials: liveness while faults go on
        self.said, self.last_said = 0, ""
        self.lanes: Optional[List[Line]] = None                 # the whole story, if wanted
        self._story: Deque[Tuple[float, str, str]] = deque(maxlen=_STORY)

    # ---- what is there

    def nodes(self, *names: str, votes: int = 1) -> "World":
        more = {name: NodeSpec(name, (f"10.0.0.{len(self.cluster.nodes) + n + 1}",), votes)
                for n, name in enumerate(names)}
        self.cluster = replace(self.cluster, nodes={**self.cluster.nodes, **more})
        return self

    def disk(self, name: str = "disk1") -> "World":
        holder = DiskHolder(name, f"/dev/rdsk/{name}")
        self.cluster = replace(self.cluster, holders={**self.cluster.holders, name: holder})
        return self

    def arbiter(self, honest: bool = True, on_double_owner: str = "stop-both") -> "World":
        """Ping targets break the tie of two nodes; not `honest`: both may reach them while they are cut."""
        self.cluster = replace(self.cluster, arbiter=PingArbiter(("10.0.0.254",)), on_double_owner=on_double_owner)
        self.pings = Pings(self, honest)
        return self

    def witness(self, name: str = "w1") -> "World":
        self.cluster = replace(self.cluster, holders={**self.cluster.holders, name: WitnessHolder(name, "10.9.0.9")})
        return self

    def ensemble(self) -> "World":
        """ZooKeeper votes alone."""
        nodes = {name: replace(node, votes=0) for name, node in self.cluster.nodes.items()}
        holder = ZooKeeperHolder("zookeeper", ("10.9.0.9:2181",))
        self.cluster = replace(self.cluster, nodes=nodes, holders={holder.name: holder})
        return self

    def group(self, name: str, on: str = "", nodes: Tuple[str, ...] = (), pool: bool = True,
              failback: str = "manual") -> "World":
        """A group that prefers `on`; it may run on `nodes`, by default on all."""
        order = nodes or tuple(self.cluster.nodes)
        if on:
            order = (on, *(node for node in order if node != on))
        self.cluster = with_group(self.cluster, name, order, pool, failback)
        return self

    def recovery(self, window_s: float = 3600.0, on_stop_failed: str = "fence", fencing: str = "required") -> "World":
        self.cluster = replace(self.cluster, recovery=Recovery(window_s, on_stop_failed, fencing))
        return self

    def fence(self, *nodes: str, after: str = "start", by: str = "ipmi") -> "World":
        """Devices that switch these nodes off, by default all; `by` scsi: that keep them from their disks."""
        levels = {node: (FenceLevel(by, None, after=after),) for node in nodes or tuple(self.cluster.nodes)}
        self.cluster = replace(self.cluster, fence={**self.cluster.fence, **levels})
        return self

    def build(self) -> "World":
        """Make the machines, with the power off."""
        self.cluster = replace(self.cluster, source=f"configuration of seed {self.seed}")
        self.first = self.configurations[self.cluster.digest] = self.cluster
        self.invariants = Invariants(self, voters.wanted(self.cluster))
        self.pools = {name: Pool(name) for name in self.cluster.groups}
        self.devices = {name: (Disks if levels[0].type == "scsi" else Device)(self, name)
                        for name, levels in self.cluster.fence.items()}
        self._shelve(self.cluster)
        for name in self.cluster.nodes:
            self.add_machine(name, name, f"hostid-{name}")
        return self

    def _shelve(self, cluster: Cluster) -> None:
        for name, holder in cluster.holders.items():
            self._shelve_one(name, 0.01 if isinstance(holder, DiskHolder) else _OVER_THE_NETWORK_S)

    def _shelve_one(self, name: str, usual_s: float = 0.01) -> None:
        if name not in self.partitions:
            self.partitions[name] = Partition(name, self.timeline, self.random, self.invariants.disk_read, usual_s)

    def add_machine(self, key: str, name: str, hostid: str) -> Machine:
        """A host, with the power off. A second one may use a name, or a hostid, that another host has."""
        # Now and then as far off as may be: that is where a guard is too small first.
        off = self.random.choice((-1.0, 1.0, self.random.uniform(-1, 1)))
        clock = Clock(self.timeline, self.random.uniform(0, 1e5), 1 + self.drift * off)
        machine = self.machines[key] = Machine(self, key, name, hostid, clock)
        self.wire.machines.setdefault(name, []).append(machine)
        return machine

    def settle(self, within_s: float = 60.0) -> "World":
        """Switch on what is off, and run until every group that is wanted is online."""
        if not self.machines:
            self.build()
        for machine in self.machines.values():
            if not machine.left:
                machine.power_on()
        return self.run(until=lambda: all(map(self.online, self.cluster.groups)), within_s=within_s)

    # ---- time

    def run(self, for_s: float = 0.0, until: Optional[Callable[[], bool]] = None, within_s: float = 60.0) -> "World":
        """Let `for_s` seconds pass, or run until something holds; raises Broken if it does not hold in time."""
        end = self.timeline.now + (within_s if until else for_s)
        advance = self.timeline.advance
        while until is None or not until():
            if not advance(end):
                if until is not None:
                    self.fail(f"not so within {within_s:g} s", *self.invariants.online_once())
                break
        return self

    @property
    def now(self) -> float:
        return self.timeline.now

    def fail(self, *text: str) -> None:
        raise Broken("liveness: " + "; ".join(text) + f"\n{self.story()}")

    # ---- faults

    def power_off(self, key: str) -> "World":
        self.machines[key].power_off()
        return self

    def boot(self, key: str, active: Tuple[str, ...] = ()) -> "World":
        """Switch on; `active` groups were not stopped from coming up with the host."""
        self.machines[key].power_on(active)
        return self

    def freeze(self, key: str) -> "World":
        self.machines[key].freeze()
        return self

    def suspend(self, key: str) -> "World":
        """Freeze a host with its clock; `thaw` lets both go on."""
        self.machines[key].suspend()
        return self

    def set_wall_clocks(self, by_s: float, *keys: str) -> "World":
        for key in keys or tuple(self.machines):
            self.machines[key].set_wall_clock(by_s)
        return self

    def thaw(self, key: str) -> "World":
        self.machines[key].thaw()
        return self

    def kill_daemon(self, key: str, back_in_s: Optional[float] = 0.5) -> "World":
        """The daemon dies alone; SMF starts it again after `back_in_s`, or never."""
        machine = self.machines[key]
        machine.kill_daemon()
        if back_in_s is not None:
            machine.later(back_in_s, machine.start_daemon)
        return self

    def cut(self, one: str, *others: str, links: Tuple[str, ...] = (), one_way: bool = False) -> "World":
        """Cut `one` from the others, or from everybody."""
        for other in others or tuple(key for key in self.machines if key != one):
            self.wire.cut(one, other, links, one_way)
        way = "does not reach" if one_way else "cut from"
        self.note(one, f"{way} {', '.join(others) or 'anybody'} on {', '.join(links) or 'all links'}")
        return self

    def disk_fails(self, name: str) -> "World":
        """A partition of which every exchange fails, also before it is configured."""
        self._shelve_one(name)
        self.partitions[name].failing = 1.0
        return self

    def heal(self) -> "World":
        """All links whole, all disks well, all methods willing, all frozen hosts thawed; power stays as it is."""
        self.wire.heal()
        for partition in self.partitions.values():
            partition.slowest_s, partition.failing = partition.usual_s, 0.0
            partition.unreachable.clear()
            partition.release()
        for device in self.devices.values():
            device.mend()
        self.failing.clear()
        self.slowness = 1.0
        for machine in self.machines.values():
            machine.fuse = None
            machine.thaw()
            machine.resume()
            if machine.barred:
                # Its next boot is what such a host needs, and an operator is told so.
                machine.reset("booted by an operator")
        self.note("world", "healed")
        return self

    def ask(self, op: str, group: str = "", node: str = "", at: str = "", digest: str = "",
            names: Tuple[str, ...] = ()) -> str:
        """An operator's request at some node; returns the name under which `answers` will have the answer."""
        self.note(at or "operator", f"asks: {op} {group} {node}")
        machine = self.machines[at or next(key for key in self.machines if self.is_up(key))]
        return machine.request(op, group, node, digest, names)

    def apply(self, cluster: Cluster, at: str) -> str:
        """An operator applies another configuration at some node, which keeps it for the others to fetch."""
        cluster_before = self.known_cluster(self.machines[at])
        new = replace(cluster, source=f"configuration {len(self.configurations)} of seed {self.seed}")
        self.configurations[new.digest] = new
        self.machines[at].shelf.add(new.digest)
        for name in new.groups:
            self.pools.setdefault(name, Pool(name))
        self._shelve(new)
        names = voters.wanted(new) if voters.wanted(new) != voters.wanted(cluster_before) else ()
        return self.ask("apply", at=at, digest=new.digest, names=names)

    def confirm(self, node: str, at: str = "") -> str:
        """An operator has seen that the host is off, and says so."""
        assert not self.machines[node].power
        device = self.devices[node]
        device.over = max(device.over, device.machine.boot)
        return self.ask_fence("fence-confirm", node, at)

    def ask_fence(self, op: str, node: str, at: str = "") -> str:
        """An operator's word on the boot of the node that the ledger of the host where it is typed knows."""
        at = at or next(key for key in self.machines if self.is_up(key))
        asked = self.machines[at].node
        assert asked is not None
        member = asked.ledger.members.get(node)
        return self.ask(op, node=node, at=at, digest=member.boot_id if member is not None else "")

    def answered(self, ask: str, within_s: float = 20.0) -> effects.AnswerRequest:
        """Run until a request has its answer."""
        self.run(until=lambda: ask in self.answers, within_s=within_s)
        return self.answers[ask]

    # ---- what the machines need of the world

    def boot_s(self) -> float:
        return 3.0 + 20 * self.random.random()

    def method_s(self, kind: str, method: str) -> float:
        return (0.02 + (0.25 if kind == "zpool" else 0.05) * self.random.random()) * self.slowness

    def method_fails(self, machine: Machine, group: str, method: str) -> bool:
        return (machine.key, group, method) in self.failing

    def guarded(self, machine: Machine, node: Node, now: float, event: Event) -> List[Effect]:
        """One step of the core; that it raises anything is a breach of its contract."""
        if type(event) is Heard and type(event.body) is frames.Grant and event.body.sent_at >= machine.woke_at:
            self.invariants.granted(machine, event.sender, event.body)
        try:
            wanted: List[Effect] = node.step(now, event)
            return wanted
        except Exception as error:  # noqa: BLE001
            raise Broken(f"{machine.key}: the core raised {error!r} on {event}\n{self.story()}") from error

    def replaced(self, machine: Machine, frame: Frame) -> bool:
        """Has a later run of the sender's daemon, of the same boot, been heard of by now?"""
        for sender in self.wire.machines[frame.sender]:
            if sender.boot_id == frame.boot_id:
                return sender.incarnation > frame.incarnation and sender.node is not None
        return False

    def known_cluster(self, machine: Machine) -> Cluster:
        return machine.cluster or self.first

    def fetch(self, machine: Machine, effect: effects.FetchConfig) -> None:
        """As the daemon does it: from the node named, or from any other that has it; again and again."""
        machine.daemon_later(0.01 + 0.2 * self.random.random(), self._fetched, machine, effect)

    def _fetched(self, machine: Machine, effect: effects.FetchConfig) -> None:
        if not any(effect.digest in other.shelf for other in self.machines.values() if self.is_up(other.key)):
            machine.daemon_later(1.0, self.fetch, machine, effect)
            return
        machine.shelf.add(effect.digest)
        machine.cluster = self.configurations[effect.digest]
        for group in machine.cluster.groups.values():
            if machine.smf is not None and group.name not in machine.smf.groups:
                machine.smf.add(group)
        machine.holders.update(machine.cluster.holders)
        machine.happen(Configured(machine.cluster, effect.version))

    def down(self, machine: Machine, groups: List[str]) -> None:
        for group in groups:
            self._times["stopped", machine.key, group] = self.now
            self._dark.setdefault(group, self.now)

    def stopped_at(self, machine: Machine, group: str) -> None:
        self._times["stopped", machine.key, group] = self.now

    def online_at(self, machine: Machine, group: str) -> None:
        self._times["started", machine.key, group] = self.now
        self.note(machine.key, f"{group} is online")
        dark_at = self._dark.pop(group, None)
        if dark_at is not None:
            self.takeovers.append(self.now - dark_at)

    def chosen(self, before: Ledger, after: Ledger) -> None:
        self.cluster = self.configurations.get(after.config_digest, self.cluster)
        for name, entry in after.groups.items():
            if entry.wanted == OFFLINE:
                self._dark.pop(name, None)

    def forget_takeovers(self) -> None:
        self.takeovers.clear()
        self._dark.clear()

    def journal(self, machine: Machine, entry: effects.Journal) -> None:
        self.codes[entry.code] = self.codes.get(entry.code, 0) + 1
        self.note(machine.key, f"{entry.code} {entry.text}")

    def note(self, key: str, text: str) -> None:
        self.said += 1
        self.last_said = f"{key}: {text}"
        self._story.append((self.timeline.now, key, text))
        if self.lanes is not None:
            self.lanes.append(line_of(self, key, text))

    def story(self) -> str:
        lines = [f"{at:10.4f} {key:7} {text}" for at, key, text in self._story]
        return "\n".join([f"SEED {self.seed}, at {self.now:.4f} s", *lines])

    # ---- looking

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
