"""Two hosts and a shared partition as the third vote: after any single fault every group is online on exactly one."""
import time
from pathlib import Path
from typing import Callable, Dict, Iterator, List, Optional

import pytest

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


def disk_of_both(lab: Lab) -> None:
    for node in NODES:
        lab.disk(node, DISK, "fail")


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


@pytest.mark.parametrize("fault", FAULTS)
def test_a_single_fault_leaves_the_group_online_on_exactly_one_host(site: Site, fault: str) -> None:
    epoch = site.status("n1")["groups"]["tcp"]["epoch"]
    FAULTS[fault](site.lab)
    if fault in HARMLESS:
        time.sleep(2 * TIMEOUT_S)           # nothing is to happen, so nothing can be awaited
    else:
        # Whoever is cut off, or dead, has no lease any more; the other may well be the owner already.
        site.until("the fault is felt", lambda: sum(bool(site.status(node).get("lease_s")) for node in NODES) == 1)
    where = site.until("exactly one host has the group, and a lease",
                       lambda: carrier(site) if holders(site) == [carrier(site)] else None, 60.0)
    if fault in HARMLESS:
        assert (where, site.status("n1")["groups"]["tcp"]["epoch"]) == ("n1", epoch)
    assert fault != "owner" or where == "n2"
