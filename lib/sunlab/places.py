"""Where a lab keeps its things on the host, and what its network namespaces and control groups are called."""
from dataclasses import dataclass
from pathlib import Path

from sunlab import cgroups

BASE = Path("/run/sunlab")


@dataclass(frozen=True)
class Places:
    lab: str

    @property
    def top(self) -> Path:
        return BASE / self.lab

    @property
    def image(self) -> Path:
        return self.top / "image"

    @property
    def disks(self) -> Path:
        return self.top / "disks"

    @property
    def spec(self) -> Path:
        return self.top / "spec"

    @property
    def netns(self) -> str:
        return f"sunlab-{self.lab}"

    def client_netns(self, client: str) -> str:
        return f"{self.netns}.{client}"       # no name holds a dot

    def client_cgroup(self, client: str) -> Path:
        return self.cgroup(f"client.{client}")

    def node(self, name: str) -> Path:
        return self.top / "nodes" / name

    def nas(self, name: str) -> Path:
        return self.top / "nas" / name

    def nas_cgroup(self, name: str) -> Path:
        return self.cgroup(f"nas.{name}")

    def faults(self, node: str) -> Path:
        """A file for each disk of the node that has a fault."""
        return self.node(node) / "faults"

    def driver_cgroup(self, node: str) -> Path:
        """Not below the node's own: what a frozen node has asked of its disks is done."""
        return self.cgroup(f"disks.{node}")

    def cgroup(self, node: str = "") -> Path:
        group = cgroups.top() / f"sunlab.{self.lab}"
        return group / node if node else group
