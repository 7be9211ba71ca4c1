"""What a world is made of: nodes, holders that vote, groups, devices, and in the end machines."""
from dataclasses import replace
from random import Random
from typing import Dict, Optional, Tuple, TypeVar

from simulation.devices import Device, Disks
from simulation.invariants import Invariants
from simulation.machine import Machine
from simulation.pings import Pings
from simulation.storage import Partition, Pool
from simulation.timeline import Clock, Timeline
from simulation.wire import Wire
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
from sundog.core import voters

Made = TypeVar("Made", bound="Layout")

_OVER_THE_NETWORK_S = 0.04              # half an exchange with a witness or an ensemble, at most


def with_group(cluster: Cluster, name: str, order: Tuple[str, ...], pool: bool, failback: str) -> Cluster:
    """The same cluster with one more group: an address, and the pool under it unless there is none."""
    resources = [Resource("ip", "floating-ip", ("data",) if pool else (), None)]
    if pool:
        resources.insert(0, Resource("data", "zpool", (), None))
    group = Group(name, order, tuple(resources), failback)
    return replace(cluster, groups={**cluster.groups, name: group})


class Layout:
    """Everything is drawn from `seed`. `drift`: how far a clock's rate may be off (0.02: 2 %), within what the guard
    covers.
    """

    def __init__(self, seed: int, timeout_s: float, links: int, drift: float) -> None:
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
        self.configurations: Dict[str, Cluster] = {}

    def nodes(self: Made, *names: str, votes: int = 1) -> Made:
        more = {name: NodeSpec(name, (f"10.0.0.{len(self.cluster.nodes) + n + 1}",), votes)
                for n, name in enumerate(names)}
        self.cluster = replace(self.cluster, nodes={**self.cluster.nodes, **more})
        return self

    def disk(self: Made, name: str = "disk1") -> Made:
        holder = DiskHolder(name, f"/dev/rdsk/{name}")
        self.cluster = replace(self.cluster, holders={**self.cluster.holders, name: holder})
        return self

    def arbiter(self: Made, honest: bool = True, on_double_owner: str = "stop-both") -> Made:
        """Ping targets break the tie of two nodes; not `honest`: both may reach them while they are cut."""
        self.cluster = replace(self.cluster, arbiter=PingArbiter(("10.0.0.254",)), on_double_owner=on_double_owner)
        self.pings = Pings(self, honest)
        return self

    def witness(self: Made, name: str = "w1") -> Made:
        self.cluster = replace(self.cluster, holders={**self.cluster.holders, name: WitnessHolder(name, "10.9.0.9")})
        return self

    def ensemble(self: Made) -> Made:
        """ZooKeeper votes alone."""
        nodes = {name: replace(node, votes=0) for name, node in self.cluster.nodes.items()}
        holder = ZooKeeperHolder("zookeeper", ("10.9.0.9:2181",))
        self.cluster = replace(self.cluster, nodes=nodes, holders={holder.name: holder})
        return self

    def group(self: Made, name: str, on: str = "", nodes: Tuple[str, ...] = (), pool: bool = True,
              failback: str = "manual") -> Made:
        """A group that prefers `on`; it may run on `nodes`, by default on all."""
        order = nodes or tuple(self.cluster.nodes)
        if on:
            order = (on, *(node for node in order if node != on))
        self.cluster = with_group(self.cluster, name, order, pool, failback)
        return self

    def recovery(self: Made, window_s: float = 3600.0, on_stop_failed: str = "fence",
                 fencing: str = "required") -> Made:
        self.cluster = replace(self.cluster, recovery=Recovery(window_s, on_stop_failed, fencing))
        return self

    def fence(self: Made, *nodes: str, after: str = "start", by: str = "ipmi") -> Made:
        """Devices that switch these nodes off, by default all; `by` scsi: that keep them from their disks."""
        levels = {node: (FenceLevel(by, None, after=after),) for node in nodes or tuple(self.cluster.nodes)}
        self.cluster = replace(self.cluster, fence={**self.cluster.fence, **levels})
        return self

    def build(self: Made) -> Made:
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
