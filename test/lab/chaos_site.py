"""What chaos is made in: three hosts, four groups of four kinds, two mirrored pools whose second disks take faults."""
import contextlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, FrozenSet, List

from sunlab.demo import shop
from sunlab.lab import Lab

NET = 85
NODES = ("n1", "n2", "n3")
TIMEOUT_S = 2.0
FAULTY = ("c0t2d0s0", "c0t4d0s0")
PARTS = shop.PARTS


@dataclass(frozen=True)
class Kind:
    """A group, and by which of its parts it is seen from outside: addresses, mount points, listening TCP ports."""
    name: str
    address: str
    mount: str = ""
    port: int = 0

    @property
    def signs(self) -> FrozenSet[str]:
        return frozenset(sign for sign in (self.address, self.mount, f"port {self.port}" if self.port else "") if sign)


#: A pool with a zone and an address, a pool with a service, an address alone, a service without a pool.
GROUPS = (Kind("web", f"10.{NET}.0.101", "/shopweb", 80), Kind("db", f"10.{NET}.0.102", "/shopdb", 5432),
          Kind("ip", f"10.{NET}.0.103"), Kind("tcp", f"10.{NET}.0.104", port=7000))
#: Those whose acknowledged writes are on a pool: they must outlive everything.
WRITTEN = tuple(group for group in GROUPS if group.mount)

_CLUSTER = """cluster: chaos
key_file: /etc/sundog/key
timing: {{timeout: {timeout:g}s}}
nodes:
  n1: {{addresses: [10.{net}.0.1, 192.168.{net}.1]}}
  n2: {{addresses: [10.{net}.0.2, 192.168.{net}.2]}}
  n3: {{addresses: [10.{net}.0.3, 192.168.{net}.3]}}
links:
  private: {{type: lan, network: 192.168.{net}.0/24}}
  public:  {{type: lan, network: 10.{net}.0.0/24}}
groups:
  web:
    nodes: [n1, n2, n3]
    resources:
      data: {{type: zpool, pool: shopweb}}
      zone: {{type: zone, zone: web1, config: zones/web1.cfg, needs: [data]}}
      ip:   {{type: floating-ip, address: 10.{net}.0.101/24, needs: [data]}}
  db:
    nodes: [n2, n3, n1]
    resources:
      data:   {{type: zpool, pool: shopdb}}
      server: {{type: exec, start: /opt/shop/store.py 5432 /shopdb/orders &, needs: [data]}}
      ip:     {{type: floating-ip, address: 10.{net}.0.102/24, needs: [data]}}
  ip:
    nodes: [n3, n1, n2]
    resources:
      ip: {{type: floating-ip, address: 10.{net}.0.103/24}}
  tcp:
    nodes: [n3, n2, n1]
    resources:
      server: {{type: exec, start: /opt/shop/store.py 7000 /var/tmp/tcp &}}
      ip:     {{type: floating-ip, address: 10.{net}.0.104/24}}
"""


def lay_out(folder: Path) -> Path:
    """The files of the lab, named after this process; returns the lab file."""
    (folder / "cluster.yaml").write_text(_CLUSTER.format(net=NET, timeout=TIMEOUT_S))
    shop.write_key(folder)
    disks: Dict[str, Any] = {disk: {"size": "96M"} for pair in shop.POOLS.values() for disk in pair}
    for disk in FAULTY:
        disks[disk]["faults"] = True
    lab: Dict[str, Any] = {
        "lab": f"chaos{os.getpid() % 1_000_000}", "disks": disks,
        "networks": {"public": {"subnet": f"10.{NET}.0.0/24"}, "private": {"subnet": f"192.168.{NET}.0/24"}},
        "nodes": {node: {"addresses": {"public": f"10.{NET}.0.{n}/24", "private": f"192.168.{NET}.{n}/24"}}
                  for n, node in enumerate(NODES, 1)},
        "clients": {"client": {"addresses": {"public": f"10.{NET}.0.200/24"}}},
        "files": {"/etc/sundog/cluster.yaml": "cluster.yaml", "/etc/sundog/key": {"from": "key", "mode": "0600"},
                  "/etc/sundog/zones/web1.cfg": str(PARTS / "zones/web1.cfg"),
                  "/opt/shop/store.py": {"from": str(PARTS / "store.py"), "mode": "0755"},
                  "/opt/shop/shop.xml": str(PARTS / "shop.xml")}}
    (folder / "lab.yaml").write_text(json.dumps(lab))
    return folder / "lab.yaml"


def begin(lab: Lab) -> None:
    """Boot, make the pools, start the cluster; returns when all groups are online. Raises DemoFailed."""
    for node in NODES:
        lab.wait_booted(node, 120)
    shop.make_pools(lab)
    shop.start_cluster(lab)
    shop.wait_for("all groups online", lambda: set(shop.groups_online(lab, "n3")) == {one.name for one in GROUPS}, 120)


def journal(lab: Lab, node: str) -> List[Dict[str, Any]]:
    """What the node's daemons have written down, read from outside; also of a node that is off."""
    entries = []
    for name in ("journal.1", "journal"):
        path = lab.path(node, f"/var/sundog/{name}")
        if path.exists():
            for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
                try:
                    entries.append(dict(json.loads(line)))
                except ValueError:
                    continue            # the power went in the middle of it
    return entries


def pids(lab: Lab, node: str, word: str) -> List[int]:
    """The host's pids of the node's processes that have `word` in their command line."""
    found = []
    for folder, _, _ in os.walk(lab.places.cgroup(node)):
        with contextlib.suppress(OSError):          # a contract, or a process, that ends just now
            for pid in Path(folder, "cgroup.procs").read_text().split():
                with contextlib.suppress(OSError):
                    if word in Path(f"/proc/{pid}/cmdline").read_text():
                        found.append(int(pid))
    return found
