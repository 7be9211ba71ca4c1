"""route, netstat -rn, ping and arp of a node: what they print, and what route -p keeps over a boot."""
import os
from typing import Iterator

import pytest

from lab.shared_pool import Hosts
from sunlab.lab import Lab

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("lab-ipadm")]
PLAN = {"networks": {"public": {"subnet": "10.87.0.0/24"}},
        "nodes": {"n1": {"addresses": {"public": "10.87.0.1/24"}}},
        "clients": {"client": {"addresses": {"public": "10.87.0.200/24"}}}}


@pytest.fixture(scope="module")
def hosts() -> Iterator[Hosts]:
    with Lab.up({"lab": f"rt{os.getpid() % 100000}", **PLAN}) as lab:
        lab.wait_booted("n1")
        yield Hosts(lab)


def test_a_persistent_route_is_there_after_a_boot_and_a_plain_one_is_not(hosts: Hosts) -> None:
    assert hosts.sh("n1", "route -p add default 10.87.0.200").splitlines() == [
        "add net default: gateway 10.87.0.200", "add persistent net default: gateway 10.87.0.200"]
    hosts.sh("n1", "route add -net 10.99.0.0/16 10.87.0.200")
    assert "10.99.0.0            10.87.0.200          UG" in hosts.sh("n1", "netstat -rn")
    hosts.lab.kill("n1")
    hosts.lab.boot("n1")
    hosts.lab.wait_booted("n1")
    table = hosts.sh("n1", "netstat -rn -f inet")
    assert "default              10.87.0.200          UG" in table
    assert "10.87.0.0            10.87.0.1            U " in table
    assert "10.99.0.0" not in table
    assert hosts.sh("n1", "route -p show") == "persistent: route add default 10.87.0.200"
    assert "gateway: 10.87.0.200" in hosts.sh("n1", "route -n get 192.0.2.1")
    hosts.sh("n1", "route -p delete default 10.87.0.200")
    assert hosts.sh("n1", "route -p show") == "No persistent routes are defined"


def test_a_route_that_is_there_or_is_not_is_said(hosts: Hosts) -> None:
    assert hosts.fails("n1", "route delete default 10.87.0.200") == (
        "delete net default: gateway 10.87.0.200: not in table")
    assert hosts.fails("n1", "route add default 10.1.1.1") == (
        "add net default: gateway 10.1.1.1: Network is unreachable")
    assert hosts.fails("n1", "route get 192.0.2.1") == "192.0.2.1: not in table"


def test_ping_says_alive_or_no_answer_and_arp_names_the_neighbour(hosts: Hosts) -> None:
    assert hosts.sh("n1", "ping 10.87.0.200") == "10.87.0.200 is alive"
    assert hosts.lab.exec("n1", ["ping", "10.87.0.77", "1"], check=False).stdout == "no answer from 10.87.0.77\n"
    assert hosts.sh("n1", "arp 10.87.0.200") == "10.87.0.200 (10.87.0.200) at 2:8:20:0:1:0"
    assert "10.87.0.200" in hosts.sh("n1", "arp -an")
    done = hosts.lab.exec("n1", ["arp", "10.87.0.99"], check=False)
    assert (done.returncode, done.stdout) == (1, "10.87.0.99 (10.87.0.99) -- no entry\n")
