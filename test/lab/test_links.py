"""Two hosts with two LANs, one of them IPv6, a serial line and two shared partitions, one of which votes."""
import os
from typing import Dict, Iterator, List

import pytest

from lab.site import Site, layout
from sunlab.lab import Lab

pytestmark = [pytest.mark.lab, pytest.mark.timeout(240)]

NODES = ("n1", "n2")
LINKS = ("com1: {type: serial, nodes: [n1, n2], device: /dev/cua/a}",
         "disk1: {type: disk, device: /dev/rdsk/c0t5d0s6}", "disk2: {type: disk, device: /dev/rdsk/c0t6d0s6}")
QUORUM = """quorum:
  holders:
    disk1: {type: disk, device: /dev/rdsk/c0t5d0s6}
"""
DISKS = {"disk1": "c0t5d0s6", "disk2": "c0t6d0s6"}
NOISE = "import os,sys; os.write(os.open('/dev/cua/a', os.O_RDWR | os.O_NOCTTY), bytes.fromhex(sys.argv[1]))"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    plan = layout(tmp_path_factory.mktemp("links"), "lk", 89, NODES, quorum=QUORUM, links=LINKS,
                  disks={disk: {"size": "8M", "faults": "true"} for disk in DISKS.values()},
                  serial=({"n1": "a", "n2": "a"},), ipv6=True)
    with Lab.up(plan) as lab:
        for node in NODES:
            lab.wait_booted(node, 60)
        site = Site(lab, NODES)
        site.start()
        site.until("the group is online on n1", lambda: site.owner("n2") == "n1")
        yield site


@pytest.fixture
def whole(site: Site) -> Iterator[Site]:
    yield site
    site.lab.heal()
    site.lab.plug("n1", "term/a")
    for disk in DISKS.values():
        site.lab.disk("n1", disk, "ok")
    site.until("every link is up", lambda: list(links(site, "n2").values()) == ["up"] * 10)


def links(site: Site, ask: str) -> Dict[str, str]:
    """"TO FROM LINK" -> state, as `sundog link list` says it there."""
    rows: List[List[str]] = [line.split() for line in site.sh(ask, "sundog link list", check=False).splitlines()[1:]]
    return {" ".join(row[:3]): row[3] for row in rows if len(row) > 3 and row[0] in NODES}


def boots(site: Site) -> List[str]:
    return [site.sh(node, "cat /var/run/sundog/boot_id") for node in NODES]


def journal(site: Site, node: str, code: str) -> int:
    return site.sh(node, "cat /var/sundog/journal").count(f'"{code}"')


def test_a_serial_line_alone_keeps_both_hosts_in_the_cluster(whole: Site) -> None:
    before = boots(whole)
    whole.until("the line works", lambda: links(whole, "n1").get("n1 n2 com1") == "up")
    whole.lab.cut("n1")
    whole.until("both know that only the line works", lambda: all(
        [links(whole, ask).get(f"{to} {frm} {lan}") for lan in ("private", "public") for to, frm in
         (NODES, NODES[::-1])] == ["lost"] * 4 for ask in NODES))
    # By then the LANs have been silent for longer than a lease lasts.
    for node in NODES:
        status = whole.status(node)
        assert status["lease_s"] and status["nodes"]["n1"]["state"] == status["nodes"]["n2"]["state"] == "up"
    assert whole.owner("n2") == "n1"
    assert boots(whole) == before


def test_noise_on_the_line_does_no_harm(whole: Site) -> None:
    whole.until("the line works", lambda: links(whole, "n1").get("n1 n2 com1") == "up")
    for _ in range(20):
        whole.lab.exec("n2", ["/usr/bin/python3", "-IS", "-c", NOISE, os.urandom(300).hex() + "7e7d7e"])
    whole.until("n1 has counted it", lambda: whole.status("n1")["counters"]["damaged"] > 0)
    whole.until("the line works on", lambda: links(whole, "n1").get("n1 n2 com1") == "up")
    assert whole.owner("n2") == "n1"


def test_a_pulled_cable_is_told_on_both_sides_and_told_again_when_it_is_back(whole: Site) -> None:
    told = {node: journal(whole, node, "LINK-LOST") for node in NODES}
    whole.lab.unplug("n1", "term/a")
    whole.until("the loss is told", lambda: all(journal(whole, node, "LINK-LOST") > told[node] for node in NODES))
    whole.until("the leader knows it of both", lambda: {
        state for way, state in links(whole, "n2").items() if way.endswith("com1")} == {"lost"})
    back = {node: journal(whole, node, "LINK-BACK") for node in NODES}
    whole.lab.plug("n1", "term/a")
    whole.until("the return is told", lambda: all(journal(whole, node, "LINK-BACK") > back[node] for node in NODES))
    assert whole.owner("n2") == "n1"


@pytest.mark.parametrize("disk", DISKS)
def test_a_host_that_loses_a_disk_is_told_of_by_the_other_once_and_told_of_again_when_it_is_back(
        whole: Site, disk: str) -> None:
    whole.until("both see each other on it", lambda: [
        links(whole, "n1").get(f"{to} {frm} disk:{disk}") for to, frm in (NODES, NODES[::-1])] == ["up"] * 2)
    told = {node: journal(whole, node, "LINK-LOST") for node in NODES}
    back = {node: journal(whole, node, "LINK-BACK") for node in NODES}
    whole.lab.disk("n1", DISKS[disk], "fail")
    whole.until("n2 tells of it", lambda: journal(whole, "n2", "LINK-LOST") > told["n2"])
    whole.until("it is in the matrix on both", lambda: all(
        [links(whole, ask).get(f"{to} {frm} disk:{disk}") for to, frm in (NODES, NODES[::-1])] == ["lost"] * 2
        for ask in NODES))
    whole.lab.disk("n1", DISKS[disk], "ok")
    whole.until("n2 tells of the return", lambda: journal(whole, "n2", "LINK-BACK") > back["n2"])
    whole.until("n1 sees n2 there", lambda: links(whole, "n1").get(f"n1 n2 disk:{disk}") == "up")
    assert journal(whole, "n1", "LINK-LOST") == told["n1"] and journal(whole, "n1", "DISK-FAILED")
    assert journal(whole, "n2", "LINK-LOST") == told["n2"] + 1
    assert whole.owner("n2") == "n1"


def test_an_address_that_goes_and_comes_back_is_used_again(whole: Site) -> None:
    address = whole.sh("n2", "ipadm show-addr -p -o addrobj,addr | grep fd00").split(":")[0]
    whole.sh("n2", f"ipadm delete-addr {address}")
    whole.until("the loss is told", lambda: links(whole, "n1").get("n1 n2 private") == "lost")
    assert whole.owner("n2") == "n1"
    whole.sh("n2", f"ipadm create-addr -T static -a fd00:89::2/64 {address}")
    whole.until("the link works again", lambda: links(whole, "n1").get("n1 n2 private") == "up")


def test_a_configuration_travels_over_the_network_of_ipv6(whole: Site) -> None:
    whole.lab.cut("n1", "public")
    whole.sh("n1", "sed 's/^groups:/recovery: {window: 30m}\\ngroups:/' /etc/sundog/cluster.yaml > /tmp/new.yaml"
             " && sundog apply /tmp/new.yaml")
    whole.until("n2 has it", lambda: "window: 30m" in whole.sh("n2", "cat /etc/sundog/cluster.yaml"))
