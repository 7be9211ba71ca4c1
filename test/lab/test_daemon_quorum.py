"""Two hosts and a shared raw partition as the third vote; and a host that is paused and wakes up after its lease."""
import time
from pathlib import Path
from typing import Iterator

import pytest

from lab.site import COORDINATOR, Site, layout
from sunlab.lab import Lab

pytestmark = [pytest.mark.lab, pytest.mark.timeout(180)]

NODES = ("n1", "n2")
QUORUM = """quorum:
  holders:
    disk1: {type: disk, device: /dev/rdsk/c0t5d0s6}
"""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with Lab.up(layout(tmp_path, "pair", 82, NODES, quorum=QUORUM, disks={"c0t5d0s6": {"size": "8M"}})) as lab:
        for node in NODES:
            lab.wait_booted(node, 60)
        site = Site(lab, NODES)
        site.start()
        site.until("the group is online on n1", lambda: site.owner("n2") == "n1")
        yield site


def test_either_of_two_hosts_survives_the_other_by_the_vote_of_a_shared_partition(site: Site) -> None:
    for dead, alive in (("n1", "n2"), ("n2", "n1")):
        site.lab.kill(dead)
        site.until(f"the group is online on {alive}", lambda alive=alive: site.owner(alive) == alive)
        site.lab.boot(dead)
        site.lab.wait_booted(dead, 60)
        site.until("the dead host is back", lambda dead=dead, alive=alive:
                   site.status(alive)["nodes"][dead]["state"] == "up" and site.owner(dead) == alive)


def test_a_host_cut_off_from_its_peer_and_without_the_majority_stops_before_the_other_starts(site: Site) -> None:
    booted = site.sh("n1", "cat /var/run/sundog/boot_id")
    site.lab.cut("n1")
    owner = site.until("one host carries on", lambda: next(
        (node for node in NODES if site.owner(node) == node and site.status(node).get("lease_s")), None))
    site.lab.heal()
    other = next(node for node in NODES if node != owner)
    site.until("the other is back clean", lambda: site.owner(other) == owner)
    assert "10.82.0.100" not in site.sh(other, "ipadm show-addr")
    if owner == "n2":
        assert site.sh("n1", "cat /var/run/sundog/boot_id") != booted


def test_a_paused_host_is_reset_when_it_wakes_up_after_its_lease(site: Site) -> None:
    booted = site.sh("n1", "cat /var/run/sundog/boot_id")
    site.lab.freeze("n1")
    site.until("the group is online on n2", lambda: site.owner("n2") == "n2")
    site.lab.thaw("n1")
    site.until("n1 was reset", lambda: site.sh("n1", "cat /var/run/sundog/boot_id", check=False) not in ("", booted))
    site.lab.wait_booted("n1", 60)
    site.until("n1 is back clean", lambda: site.owner("n1") == "n2")
    assert "10.82.0.100" not in site.sh("n1", "ipadm show-addr")


ANOTHER_KEY = "cp -p /etc/sundog/key /root/key; (umask 077; head -c 32 /dev/urandom | base64 > /etc/sundog/key)"
AS_NEW = "rm -rf /var/sundog/* /var/run/sundog/incarnation"


@pytest.mark.timeout(360)
@pytest.mark.parametrize("begun", ["true", AS_NEW], ids=["knows-the-ledger", "installed-anew"])
def test_a_host_with_another_key_gets_no_vote_of_the_partition_and_the_other_goes_on(site: Site, begun: str) -> None:
    """Else the partition would be the second vote of either, and both would have the majority."""
    site.sh("n2", f"svcadm disable -s {COORDINATOR}; {ANOTHER_KEY}; {begun}; svcadm enable {COORDINATOR}")
    told = site.until("the partition refuses n2", lambda: [
        line for line in site.sh("n2", "sundog log -n 50", check=False).splitlines() if "HOLDER-REFUSED" in line])[-1]
    assert "another key" in told and "same key_file" in told and "sundog quorum init-disk" in told
    stays_out(site, "n2")
    assert site.owner("n1") == "n1" and site.status("n1")["lease_s"]
    site.lab.kill("n1")
    stays_out(site, "n2")
    site.lab.boot("n1")
    site.lab.wait_booted("n1", 60)
    site.until("n1 has its group again by its own vote and the partition's", lambda: site.owner("n1") == "n1")
    stays_out(site, "n2")
    site.sh("n2", f"svcadm disable -s {COORDINATOR}; cp -p /root/key /etc/sundog/key; svcadm enable {COORDINATOR}")
    site.until("n2 is in the cluster", lambda: site.owner("n2") == "n1" and site.status("n2").get("lease_s"))


def test_the_key_is_changed_while_all_coordinators_are_disabled(site: Site) -> None:
    for node in NODES:
        site.sh(node, f"svcadm disable -s {COORDINATOR}; yes new | head -c 32 | base64 > /etc/sundog/key")
    # The votes of another key are watched before they are given up.
    site.lab.exec("n2", ["sundog", "quorum", "init-disk", "/dev/rdsk/c0t5d0s6", "--force", "sundog"], timeout=60)
    site.start()
    site.until("the group is online again", lambda: site.owner("n1") and site.owner("n1") == site.owner("n2"))
    site.until("the partition votes again", lambda: "disk1 disk answers" in " ".join(site.sh(
        "n1", "sundog quorum status | awk '{print $1, $2, $NF}'", check=False).split()))


def stays_out(site: Site, node: str) -> None:
    """For three timeouts it neither leads nor has a lease, and nothing runs there."""
    until, answers = time.monotonic() + 9, 0
    while time.monotonic() < until or answers < 3:
        status = site.status(node)
        answers += bool(status)
        assert not status.get("leader") and not status.get("lease_s"), site.told(node)
        assert "10.82.0.100" not in site.sh(node, "ipadm show-addr"), site.told(node)
        time.sleep(0.2)
