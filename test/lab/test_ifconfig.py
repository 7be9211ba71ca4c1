"""ifconfig: the old way of looking at interfaces and of adding addresses to them, on the same objects as ipadm."""
import os
from typing import Iterator

import pytest

from lab.shared_pool import Hosts
from sunlab.lab import Lab

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("lab-ipadm")]
PLAN = {"networks": {"public": {"subnet": "10.86.0.0/24"}},
        "nodes": {"n1": {"addresses": {"public": "10.86.0.1/24"}}},
        "clients": {"client": {"addresses": {"public": "10.86.0.200/24"}}}}


@pytest.fixture(scope="module")
def hosts() -> Iterator[Hosts]:
    with Lab.up({"lab": f"if{os.getpid() % 100000}", **PLAN}) as lab:
        lab.wait_booted("n1")
        yield Hosts(lab)


def test_all_interfaces_are_shown_with_flags_netmask_and_ether(hosts: Hosts) -> None:
    lines = hosts.sh("n1", "ifconfig -a").splitlines()
    assert lines[0] == "lo0: flags=2001000849<UP,LOOPBACK,RUNNING,MULTICAST,IPv4,VIRTUAL> mtu 8232 index 1"
    assert lines[1].split() == ["inet", "127.0.0.1", "netmask", "ff000000"]
    assert lines[2].startswith("net0: flags=1000843<UP,BROADCAST,RUNNING,MULTICAST,IPv4> mtu 1500 index ")
    assert lines[3].split() == ["inet", "10.86.0.1", "netmask", "ffffff00", "broadcast", "10.86.0.255"]
    assert lines[4].split() == ["ether", "2:8:20:0:0:0"]
    assert lines[5] == "lo0: flags=2002000849<UP,LOOPBACK,RUNNING,MULTICAST,IPv6,VIRTUAL> mtu 8252 index 1"


def test_a_logical_interface_is_added_answers_and_is_removed(hosts: Hosts) -> None:
    assert hosts.sh("n1", "ifconfig net0 addif 10.86.0.50/24 up") == "Created new logical interface net0:1"
    hosts.sh("client", "ping -q -c 1 -W 5 10.86.0.50")
    assert hosts.sh("n1", "ifconfig net0:1").splitlines()[0].startswith("net0:1: flags=1000843<UP,")
    assert "10.86.0.50/24" in hosts.sh("n1", "ipadm show-addr")
    hosts.sh("n1", "ifconfig net0:1 down")
    assert hosts.sh("n1", "ifconfig net0:1").splitlines()[0].startswith("net0:1: flags=1000842<BROADCAST,")
    hosts.sh("n1", "ifconfig net0 removeif 10.86.0.50")
    assert hosts.fails("n1", "ifconfig net0:1") == "ifconfig: status: SIOCGLIFFLAGS: net0:1: no such interface"


def test_an_interface_is_plumbed_given_an_address_and_unplumbed(hosts: Hosts) -> None:
    hosts.sh("n1", "dladm create-vnic -t -l net0 vnic0; ifconfig vnic0 plumb")
    hosts.sh("n1", "ifconfig vnic0 10.86.0.60 netmask 255.255.255.0 broadcast + up")
    hosts.sh("client", "ping -q -c 1 -W 5 10.86.0.60")
    hosts.sh("n1", "ifconfig vnic0 unplumb; dladm delete-vnic -t vnic0")
    assert hosts.fails("n1", "ifconfig vnic0") == "ifconfig: status: SIOCGLIFFLAGS: vnic0: no such interface"


@pytest.mark.parametrize("line, text", [
    ("ifconfig net9 up", "ifconfig: status: SIOCGLIFFLAGS: net9: no such interface"),
    ("ifconfig net0 removeif 10.86.0.77", "ifconfig: removeif: no such logical interface"),
    ("ifconfig net0 addif 10.86.0.200/24 up", "ifconfig: setifflags: SIOCSLIFFLAGS: net0: Duplicate address detected"),
    ("ifconfig net0 dhcp start", "ifconfig: sunlab: dhcp: not modelled in this lab"),
])
def test_what_cannot_be_done_is_said_and_exits_1(hosts: Hosts, line: str, text: str) -> None:
    assert hosts.fails("n1", line) == text
