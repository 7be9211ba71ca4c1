"""The cluster as configured: frozen, validated objects. Durations are seconds, sizes are bytes.

Made only by config.load; every name in it is known to exist and every reference to resolve.
"""
from dataclasses import dataclass, field
from typing import Any, ClassVar, Mapping, Optional, Tuple, Union


@dataclass(frozen=True)
class Timing:
    """Everything is derived from `timeout_s` (L): design section 3."""
    timeout_s: float = 2.0

    @property
    def beat_s(self) -> float:
        return self.timeout_s / 10

    @property
    def guard_s(self) -> float:
        return max(self.timeout_s / 10, 0.1)

    @property
    def authority_s(self) -> float:
        """How long a vote holder refuses a new ballot after it acknowledged a leader (docs/architecture.md, Safety)."""
        return self.timeout_s * 0.4


@dataclass(frozen=True)
class NodeSpec:
    name: str
    addresses: Tuple[str, ...]          # one per LAN it is on
    votes: int = 1


@dataclass(frozen=True)
class LanLink:
    name: str
    network: str                        # "10.0.0.0/24" or IPv6; a node uses its address inside it
    port: int = 3121                    # UDP


@dataclass(frozen=True)
class SerialLink:
    """A null-modem line between two nodes."""
    name: str
    devices: Mapping[str, str]          # node -> its port, /dev/cua/a
    speed: int = 115200                 # bits a second, 8N1


@dataclass(frozen=True)
class DiskLink:
    """A shared raw partition that beats and, unless a holder has it too, does not vote."""
    name: str
    device: str


@dataclass(frozen=True)
class DiskHolder:
    """A shared raw partition that votes and beats: every node has a slot in it."""
    kind: ClassVar[str] = "disk"
    idle: ClassVar[str] = "pulse"       # what a node that neither leads nor stands does there: core/passive.py
    name: str
    device: str


@dataclass(frozen=True)
class PingArbiter:
    """Rule 9: of two nodes the one that reaches `threshold` of the targets carries on without the other."""
    targets: Tuple[str, ...]
    threshold: int = 1


@dataclass(frozen=True)
class WitnessHolder:
    """A witness (sundogd --witness) that votes: it keeps a block of every node."""
    kind: ClassVar[str] = "witness"
    idle: ClassVar[str] = "watch"
    name: str
    address: str
    port: int = 3122                    # TCP


@dataclass(frozen=True)
class ZooKeeperHolder:
    """A ZooKeeper ensemble as the only holder: no node votes beside it."""
    kind: ClassVar[str] = "zookeeper"
    idle: ClassVar[str] = "wait"
    name: str
    servers: Tuple[str, ...]            # "10.0.0.5:2181", "[fd00::5]:2181"
    path: str = "/sundog"               # the znode below which this cluster keeps its own
    user: str = ""                      # of ZooKeeper's digest authentication; "": nobody's
    password_file: str = ""


PassiveHolder = Union[DiskHolder, WitnessHolder, ZooKeeperHolder]


@dataclass(frozen=True)
class Recovery:
    window_s: float = 3600.0            # rule 13
    on_stop_failed: str = "fence"       # or "block"
    fencing: str = "required"           # or "tried": take over though no device confirms that the node is off


@dataclass(frozen=True)
class FenceLevel:
    """One way to switch a node off; the levels of a node are tried in turn."""
    type: str
    params: Any                         # one of the classes of config/fencing.py
    timeout_s: float = 20.0             # for the whole of it, until the device reads back "off"
    delay_s: float = 0.0                # waited before it is tried
    after: str = "start"                # or "stay-off": what becomes of a node that was switched off


@dataclass(frozen=True)
class Probe:
    """`action` reset, report or ignore, once the trouble has lasted `within_s`."""
    action: str
    within_s: float


@dataclass(frozen=True)
class Watchdog:
    """A controller's watchdog, stroked by failfast. `addresses`: node -> controller, for lanplus alone."""
    timeout_s: float
    interface: str = "bmc"
    interrupt: str = "none"             # a second before: or "nmi", "message"
    addresses: Mapping[str, str] = field(default_factory=dict)
    user: str = ""
    password_file: str = ""
    cipher: Optional[int] = None


@dataclass(frozen=True)
class Protection:
    expiry: str = "reset"
    watchdog: Optional[Watchdog] = None
    processes: Probe = Probe("reset", 30.0)
    memory: Probe = Probe("report", 60.0)
    reserve_bytes: int = 16 << 20
    root_disk: Probe = Probe("reset", 60.0)
    shutdown_s: float = 300.0


@dataclass(frozen=True)
class Resource:
    name: str
    type: str
    needs: Tuple[str, ...]              # other resources of the group
    params: Any                         # the type's own frozen parameters class

    def instance(self, group: str) -> str:
        return f"svc:/system/sundog/resource/{self.type}:{group}.{self.name}"


@dataclass(frozen=True)
class Group:
    name: str
    nodes: Tuple[str, ...]              # in order of preference
    resources: Tuple[Resource, ...]     # in the file's order
    failback: str = "manual"            # or "automatic"

    @property
    def instance(self) -> str:
        return f"svc:/system/sundog/group:{self.name}"


@dataclass(frozen=True)
class Cluster:
    name: str
    key_file: str
    nodes: Mapping[str, NodeSpec]
    links: Mapping[str, Union[LanLink, SerialLink, DiskLink]]
    groups: Mapping[str, Group]
    timing: Timing = Timing()
    holders: Mapping[str, PassiveHolder] = field(default_factory=dict)
    recovery: Recovery = Recovery()
    arbiter: Optional[PingArbiter] = None
    on_double_owner: str = "stop-both"  # or "yield"
    protection: Protection = Protection()
    fence: Mapping[str, Tuple[FenceLevel, ...]] = field(default_factory=dict)   # by node
    networks: Mapping[str, str] = field(default_factory=dict)   # those without a link: name -> "10.1.0.0/24"
    source: str = ""                    # the file's text, as it travels to the other nodes
    files: Mapping[str, str] = field(default_factory=dict)  # files it names (zones/web1.cfg) -> their text
    retired: Mapping[str, PassiveHolder] = field(default_factory=dict)     # of configurations before this

    @property
    def beating(self) -> Mapping[str, DiskHolder]:
        """The partitions that are links and no holders: written and read like these, without a vote."""
        taken = {holder.device for holder in self.holders.values() if isinstance(holder, DiskHolder)}
        return {name: DiskHolder(name, link.device) for name, link in self.links.items()
                if isinstance(link, DiskLink) and link.device not in taken}

    @property
    def digest(self) -> str:
        """SHA-256 over the text and the files, in hex: two nodes with the same digest run the same configuration."""
        import hashlib
        whole = hashlib.sha256(self.source.encode())
        for name in sorted(self.files):
            whole.update(f"\0{name}\0{self.files[name]}".encode())
        return whole.hexdigest()

    def resource(self, group: str, name: str) -> Optional[Resource]:
        return next((r for r in self.groups[group].resources if r.name == name), None)
