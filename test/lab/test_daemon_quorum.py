"""Two hosts and a shared raw partition as the third vote; and a host that is paused and wakes up after its lease."""
import base64
import json
import os
import secrets
from pathlib import Path
from typing import Any, Dict, Iterator

import pytest

from lab.site import Site
from sunlab.lab import Lab

pytestmark = [pytest.mark.lab, pytest.mark.timeout(180)]

NODES = ("n1", "n2")
CLUSTER = """
cluster: pair
key_file: /etc/sundog/key
timing: {timeout: 1s}
nodes:
  n1: {addresses: [10.82.0.1, 192.168.82.1]}
  n2: {addresses: [10.82.0.2, 192.168.82.2]}
links:
  private: {type: lan, network: 192.168.82.0/24}
  public:  {type: lan, network: 10.82.0.0/24}
quorum:
  holders:
    disk1: {type: disk, device: /dev/rdsk/c0t5d0s6}
groups:
  tcp:
    nodes: [n1, n2]
    resources:
      server: {type: exec, start: /usr/bin/sleep 100000 &}
      ip:     {type: floating-ip, address: 10.82.0.100/24}
"""


def layout(folder: Path) -> Path:
    (folder / "cluster.yaml").write_text(CLUSTER)
    (folder / "key").write_text(base64.b64encode(secrets.token_bytes(32)).decode() + "\n")
    nodes: Dict[str, Any] = {
        name: {"addresses": {"public": f"10.82.0.{number}/24", "private": f"192.168.82.{number}/24"}}
        for number, name in enumerate(NODES, 1)}
    networks = {"public": {"subnet": "10.82.0.0/24"}, "private": {"subnet": "192.168.82.0/24"}}
    files = {"/etc/sundog/cluster.yaml": "cluster.yaml", "/etc/sundog/key": {"from": "key", "mode": "0600"}}
    lab = {"lab": f"pair{os.getpid()}", "networks": networks, "nodes": nodes, "files": files,
           "disks": {"c0t5d0s6": {"size": "8M"}}}
    # JSON is YAML too.
    (folder / "lab.yaml").write_text(json.dumps(lab))
    return folder / "lab.yaml"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with Lab.up(layout(tmp_path)) as lab:
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
