"""Two hosts and a shared raw partition as the third vote; and a host that is paused and wakes up after its lease."""
from pathlib import Path
from typing import Iterator

import pytest

from lab.site import Site, layout
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
