"""The shop itself: a lab of three hosts, two mirrored pools, a zone with a page server, a database's stand-in.

Everything is done with the commands an operator would type on the hosts.
"""
import base64
import json
import secrets
import shutil
import time
from pathlib import Path
from typing import Any, Callable, Dict, List

from sunlab.lab import Lab

PARTS = Path(__file__).parent / "files"
NODES = ("n1", "n2", "n3")
TIMEOUT_S = 1.0
ADDRESSES = {"web": "10.77.0.100", "db": "10.77.0.101"}
PORTS = {"web": 80, "db": 5432}
MOUNTS = {"web": "/shopweb", "db": "/shopdb"}
STORES = {"web": "/shopweb/web1/root/opt/shop/visits", "db": "/shopdb/orders"}
POOLS = {"shopweb": ("c0t1d0s0", "c0t2d0s0"), "shopdb": ("c0t3d0s0", "c0t4d0s0")}


class DemoFailed(Exception):
    """Something was not as it should be; the text says what."""


def lay_out(folder: Path) -> Path:
    """Copy the shop's files to `folder`, with a fresh cluster key; returns the lab file's path."""
    shutil.copytree(PARTS, folder, dirs_exist_ok=True)
    write_key(folder)
    return folder / "lab.yaml"


def write_key(folder: Path) -> None:
    """A fresh cluster key, as `key` in the folder."""
    (folder / "key").write_text(base64.b64encode(secrets.token_bytes(32)).decode() + "\n")


def make_pools(lab: Lab) -> None:
    """Create both pools and install the zone on one host, then let go of everything: the cluster takes over."""
    for pool, disks in POOLS.items():
        lab.exec("n1", ["zpool", "create", "-o", "cachefile=none", pool, "mirror", *(f"/dev/dsk/{d}" for d in disks)])
    lab.exec("n1", ["zonecfg", "-z", "web1", "-f", "/etc/sundog/zones/web1.cfg"])
    lab.exec("n1", ["zoneadm", "-z", "web1", "install"])
    root = "/shopweb/web1/root"
    lab.exec("n1", ["mkdir", "-p", f"{root}/opt/shop", f"{root}/var/svc/manifest/site"])
    lab.exec("n1", ["cp", "/opt/shop/store.py", f"{root}/opt/shop/store.py"])
    lab.exec("n1", ["cp", "/opt/shop/shop.xml", f"{root}/var/svc/manifest/site/shop.xml"])
    lab.exec("n1", ["zoneadm", "-z", "web1", "detach"])
    lab.exec("n1", ["zonecfg", "-z", "web1", "delete", "-F"])
    for pool in POOLS:
        lab.exec("n1", ["zpool", "export", pool])


def start_cluster(lab: Lab) -> None:
    for node in NODES:
        lab.exec(node, ["svcadm", "enable", "svc:/system/sundog/failfast:default",
                        "svc:/system/sundog/coordinator:default"])


def status(lab: Lab, node: str) -> Dict[str, Any]:
    """What this node's coordinator says of the cluster; {} while it does not answer."""
    done = lab.exec(node, ["sundog", "status", "--json"], check=False, timeout=10)
    return dict(json.loads(done.stdout)) if done.returncode == 0 else {}


def wait_for(what: str, test: Callable[[], bool], within_s: float) -> None:
    """Ask until `test` holds. Raises DemoFailed with `what` when it does not in time."""
    deadline = time.monotonic() + within_s
    while not test():
        if time.monotonic() > deadline:
            raise DemoFailed(f"{what}: not within {within_s:g} s")
        time.sleep(0.1)


def groups_online(lab: Lab, node: str) -> Dict[str, str]:
    """group -> owner, of the groups that are online."""
    groups = status(lab, node).get("groups", {})
    return {name: group["owner"] for name, group in groups.items() if group["state"] == "online"}


def stored(lab: Lab, node: str, group: str) -> List[int]:
    """The numbers of the writes that the group's store holds now, read on its owner."""
    text = lab.exec(node, ["cat", STORES[group]]).stdout
    return [int(line) for line in text.split() if line.isdigit()]
