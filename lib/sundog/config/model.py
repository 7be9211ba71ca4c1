"""The cluster as configured: frozen, validated objects. Durations are seconds, sizes are bytes.

Made only by config.load; every name in it is known to exist and every reference to resolve.
"""
from dataclasses import dataclass, field
from typing import Any, Mapping, Optional, Tuple


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
class DiskHolder:
    """A shared raw partition that votes and beats: every node has a slot in it."""
    name: str
    device: str


@dataclass(frozen=True)
class PingArbiter:
    """Rule 9: of two nodes the one that reaches `threshold` of the targets carries on without the other."""
    targets: Tuple[str, ...]
    threshold: int = 1


@dataclass(frozen=True)
class Recovery:
    window_s: float = 3600.0            # rule 13
    on_stop_failed: str = "fence"       # or "block"


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
    links: Mapping[str, LanLink]
    groups: Mapping[str, Group]
    timing: Timing = Timing()
    holders: Mapping[str, DiskHolder] = field(default_factory=dict)
    recovery: Recovery = Recovery()
    arbiter: Optional[PingArbiter] = None
    on_double_owner: str = "stop-both"  # or "yield"
    networks: Mapping[str, str] = field(default_factory=dict)   # those without a link: name -> "10.1.0.0/24"
    source: str = ""                    # the file's text, as it travels to the other nodes
    files: Mapping[str, str] = field(default_factory=dict)  # files it names (zones/web1.cfg) -> their text
    retired: Mapping[str, DiskHolder] = field(default_factory=dict)     # of configurations before this

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
