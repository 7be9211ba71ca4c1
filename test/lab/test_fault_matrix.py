"""Two hosts and a shared partition as the third vote: after any single fault every group is online on exactly one.

Once with no more than that, and once with a serial line, heartbeats on the partition, and controllers that fence.
"""
import json
import time
from pathlib import Path
from typing import Callable, Dict, Iterator, List, Optional, Tuple

import pytest
import yaml

from lab.site import Site, layout
from sunlab.lab import Lab

pytestmark = [pytest.mark.lab, pytest.mark.timeout(240)]

NODES = ("n1", "n2")
ADDRESS = "10.86.0.100"
DISK = "c0t5d0s6"
TIMEOUT_S = 3.0
QUORUM = f"quorum:\n  holders: {{disk1: {{type: disk, device: /dev/rdsk/{DISK}}}}}\n"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    disks = {DISK: {"size": "8M", "faults": True}}
    with Lab.up(layout(tmp_path, "mx", 86, NODES, quorum=QUORUM, disks=disks)) as lab:
        for node in NODES:
            lab.wait_booted(node, 60)
        site = Site(lab, NODES)
        site.start()
        site.until("the group is online on n1", lambda: site.owner("n2") == "n1")
        yield site


def disk_of_both(lab: Lab, fault: str = "fail") -> None:
    for node in NODES:
        lab.disk(node, DISK, fault)


#: Name -> what breaks. A fault concerns the owner, n1, or what both share.
FAULTS: Dict[str, Callable[[Lab], None]] = {
    "owner": lambda lab: lab.kill("n1"),
    "other node": lambda lab: lab.kill("n2"),
    "private LAN": lambda lab: lab.cut("n1", "private"),
    "public LAN": lambda lab: lab.cut("n1", "public"),
    "both LANs": lambda lab: lab.cut("n1"),
    "disk of the owner": lambda lab: lab.disk("n1", DISK, "fail"),
    "hanging disk of the owner": lambda lab: lab.disk("n1", DISK, "hang"),
    "disk of both": disk_of_both,
}
#: Faults that no owner needs to feel.
HARMLESS = ("other node", "private LAN", "public LAN", "disk of the owner", "hanging disk of the owner", "disk of both")


def holders(site: Site) -> List[str]:
    """The nodes whose kernel has the group's address."""
    return [node for node in NODES
            if node in site.lab.init_pids() and ADDRESS in site.sh(node, "ipadm show-addr", check=False)]


def carrier(site: Site) -> Optional[str]:
    """The node that has a lease and the group online, by its own ledger."""
    return next((node for node in NODES if node in site.lab.init_pids() and site.owner(node) == node
                 and site.status(node).get("lease_s")), None)


def carried(site: Site) -> str:
    return str(site.until("exactly one host has the group, and a lease",
                          lambda: carrier(site) if holders(site) == [carrier(site)] else None, 60.0))


def epoch(site: Site, ask: str = "n1") -> int:
    return int(site.status(ask)["groups"]["tcp"]["epoch"])


def stays_online(site: Site, ask: str, before: int) -> None:
    time.sleep(2 * TIMEOUT_S)               # nothing is to happen, so nothing can be awaited
    assert (carried(site), epoch(site, ask)) == ("n1", before)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_single_fault_leaves_the_group_online_on_exactly_one_host(site: Site, fault: str) -> None:
    before = epoch(site)
    FAULTS[fault](site.lab)
    if fault in HARMLESS:
        stays_online(site, "n1", before)
        return
    # Whoever is cut off, or dead, has no lease any more; the other may well be the owner already.
    site.until("the fault is felt", lambda: sum(bool(site.status(node).get("lease_s")) for node in NODES) == 1)
    assert carried(site) == "n2" or fault != "owner"


# ---- with everything that two hosts can have

SERIAL = "a"
PASSWORD = "/etc/sundog/bmc"
LINKS = (f"com1: {{type: serial, nodes: [n1, n2], device: /dev/cua/{SERIAL}}}",
         f"disk1: {{type: disk, device: /dev/rdsk/{DISK}}}")


def equipped(folder: Path) -> Path:
    """A lab of two such hosts, their controllers on a network of their own."""
    file = layout(folder, "mxe", 86, NODES, quorum=QUORUM, links=LINKS, serial=(dict.fromkeys(NODES, SERIAL),),
                  disks={DISK: {"size": "8M", "faults": True}}, files={})
    lab, cluster = json.loads(file.read_text()), yaml.safe_load((folder / "cluster.yaml").read_text())
    lab["networks"]["admin"] = {"subnet": "172.31.86.0/24"}
    cluster["fence"] = {}
    for number, node in enumerate(NODES, 1):
        lab["nodes"][node]["addresses"]["admin"] = f"172.31.86.10{number}/24"
        lab["nodes"][node]["bmc"] = {"address": {"admin": f"172.31.86.{number}/24"}, "password": "s3cret"}
        cluster["fence"][node] = [{"type": "ipmi", "address": f"172.31.86.{number}", "user": "admin", "cipher": 3,
                                   "password_file": PASSWORD, "timeout": "10s"}]
    (folder / "bmc").write_text("s3cret\n")
    lab["files"][PASSWORD] = {"from": "bmc", "mode": "0600"}
    file.write_text(json.dumps(lab))
    # JSON is YAML too.
    (folder / "cluster.yaml").write_text(json.dumps(cluster))
    return file


@pytest.fixture(scope="module")
def rich(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Lab.up(equipped(tmp_path_factory.mktemp("equipped"))) as lab:
        for node in NODES:
            lab.wait_booted(node, 60)
        site = Site(lab, NODES)
        site.start()
        yield site


@pytest.fixture
def whole(rich: Site) -> Site:
    """All is well, and the group on n1."""
    rich.until("both have a lease", lambda: all(rich.status(node).get("lease_s") for node in NODES), 60.0)
    rich.until("every link is up", lambda: all(
        words[3] == "up" for words in map(str.split, rich.sh("n2", "sundog link list", check=False).splitlines()[1:])
        if len(words) > 3 and words[0] in NODES), 60.0)
    if rich.owner("n2") != "n1":
        rich.sh("n2", "sundog group online tcp --node n1")
    rich.until("the group is online on n1", lambda: rich.owner("n2") == "n1", 60.0)
    return rich


#: Name -> what breaks, and how it is mended.
EQUIPPED: Dict[str, Tuple[Callable[[Lab], None], Callable[[Lab], None]]] = {
    "private LAN": (lambda lab: lab.cut("n1", "private"), Lab.heal),
    "public LAN": (lambda lab: lab.cut("n1", "public"), Lab.heal),
    "all networks": (lambda lab: lab.cut("n1"), Lab.heal),
    "serial line": (lambda lab: lab.unplug("n1", f"term/{SERIAL}"), lambda lab: lab.plug("n1", f"term/{SERIAL}")),
    "disk of both": (disk_of_both, lambda lab: disk_of_both(lab, "ok")),
    "hanging disk of the owner": (lambda lab: lab.disk("n1", DISK, "hang"), lambda lab: lab.disk("n1", DISK, "ok")),
    "controller of the owner": (lambda lab: lab.unplug("n1", "bmc"), lambda lab: lab.plug("n1", "bmc")),
    "controller of the other": (lambda lab: lab.unplug("n2", "bmc"), lambda lab: lab.plug("n2", "bmc")),
}


@pytest.mark.parametrize("fault", EQUIPPED)
def test_with_every_path_no_single_one_of_them_is_missed(whole: Site, fault: str) -> None:
    breaks, mends = EQUIPPED[fault]
    before, boots = epoch(whole), [whole.sh(node, "cat /var/run/sundog/boot_id") for node in NODES]
    breaks(whole.lab)
    try:
        stays_online(whole, "n1", before)
        assert [whole.sh(node, "cat /var/run/sundog/boot_id") for node in NODES] == boots
    finally:
        mends(whole.lab)


@pytest.mark.parametrize("dead, alive", [("n2", "n1"), ("n1", "n2")])
def test_with_every_path_the_power_of_either_is_cut(whole: Site, dead: str, alive: str) -> None:
    before = epoch(whole)
    whole.lab.kill(dead)
    whole.until(f"{alive} alone has the group", lambda: whole.owner(alive) == alive and holders(whole) == [alive], 60.0)
    assert epoch(whole, alive) == before + (dead == "n1")
    if dead not in whole.lab.init_pids():   # an owner is fenced, and that switches it on again
        whole.lab.boot(dead)
