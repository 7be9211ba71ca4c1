"""IPMP: a group's addresses leave a link whose cable is pulled, and clients reach them all the time after that."""
import os
from typing import Iterator

import pytest

from lab.shared_pool import Hosts
from sunlab.lab import Lab

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("lab-ipadm")]
PLAN = {"networks": {"public": {"subnet": "10.84.0.0/24"}, "spare": {"switch": "public"}},
        "nodes": {"n1": {"addresses": {"public": "10.84.0.1/24", "spare": "10.84.0.11/24"}}},
        "clients": {"client": {"addresses": {"public": "10.84.0.200/24"}}}}


@pytest.fixture(scope="module")
def hosts() -> Iterator[Hosts]:
    with Lab.up({"lab": f"mp{os.getpid() % 100000}", **PLAN}) as lab:
        lab.wait_booted("n1")
        hosts = Hosts(lab)
        hosts.sh("n1", "ipadm delete-addr net0/v4; ipadm delete-addr net1/v4")
        hosts.sh("n1", "ipadm create-ipmp -i net0,net1 ipmp0")
        hosts.sh("n1", "ipadm create-addr -T static -a 10.84.0.100/24 ipmp0/web")
        yield hosts


@pytest.fixture(autouse=True)
def whole(hosts: Hosts) -> None:
    for interface in ("net0", "net1"):
        hosts.lab.plug("n1", interface)
    hosts.until(lambda: state(hosts) == "ok", "both links")


def state(hosts: Hosts) -> str:
    return hosts.sh("n1", "ipmpstat -g -P -o state")


def carrier(hosts: Hosts) -> str:
    return hosts.sh("n1", "ipmpstat -a -P -o inbound")


def other(name: str) -> str:
    return {"net0": "net1", "net1": "net0"}[name]


def reach(hosts: Hosts) -> None:
    hosts.sh("client", "ping -q -c 1 -W 5 10.84.0.100")


def test_a_group_shows_its_links_and_addresses(hosts: Hosts) -> None:
    at = carrier(hosts)
    assert hosts.sh("n1", "ipmpstat -g").splitlines() == [
        "GROUP       GROUPNAME   STATE     FDT       INTERFACES",
        "ipmp0       ipmp0       ok        --        net0 net1"]
    assert hosts.sh("n1", "ipmpstat -an -P -o address,state,group,inbound,outbound") == (
        f"10.84.0.100:up:ipmp0:{at}:net0 net1")
    assert hosts.sh("n1", "ipmpstat -i -P -o interface,active,flags,link,probe,state").splitlines() == [
        "net0:yes:--mbM--:up:disabled:ok", "net1:yes:-------:up:disabled:ok"]
    assert hosts.sh("n1", "ipadm show-if -p -o ifname,class,state,current").splitlines() == [
        "lo0:VIRTUAL:ok:-m-v------46", "net0:IP:ok:bm--------46", "net1:IP:ok:bm--------46",
        "ipmp0:IPMP:ok:bm--I-----46"]


def test_an_address_moves_to_the_other_link_and_clients_learn_it(hosts: Hosts) -> None:
    reach(hosts)
    at = carrier(hosts)
    hosts.lab.unplug("n1", at)
    hosts.until(lambda: carrier(hosts) == other(at), "the move")
    reach(hosts)
    assert state(hosts) == "degraded"
    assert hosts.sh("n1", "ipadm show-addr -p -o state ipmp0/web") == "ok"
    assert hosts.sh("n1", f"ipadm show-if -p -o state {at}") == "failed"
    assert hosts.sh("n1", "ipmpstat -g -P -o interfaces") == f"{other(at)} [{at}]"


def test_a_group_without_any_link_has_failed_and_its_address_is_inaccessible_until_one_is_back(hosts: Hosts) -> None:
    for interface in ("net0", "net1"):
        hosts.lab.unplug("n1", interface)
    hosts.until(lambda: state(hosts) == "failed", "the failure")
    assert hosts.sh("n1", "ipadm show-addr -p -o state ipmp0/web") == "inaccessible"
    assert hosts.sh("n1", "ipadm show-if -p -o state ipmp0") == "failed"
    hosts.lab.plug("n1", "net1")
    hosts.until(lambda: carrier(hosts) == "net1", "the move")
    reach(hosts)


def test_a_standby_link_carries_nothing_until_it_must(hosts: Hosts) -> None:
    hosts.sh("n1", "ipadm set-ifprop -t -p standby=on -m ip net1")
    assert carrier(hosts) == "net0"
    assert hosts.sh("n1", "ipmpstat -g -P -o interfaces") == "net0 (net1)"
    hosts.lab.unplug("n1", "net0")
    hosts.until(lambda: carrier(hosts) == "net1", "the standby")
    hosts.lab.plug("n1", "net0")
    hosts.until(lambda: carrier(hosts) == "net0", "the way back")
    hosts.sh("n1", "ipadm set-ifprop -t -p standby=off -m ip net1")


def test_a_link_leaves_its_group_only_without_the_groups_addresses(hosts: Hosts) -> None:
    at = carrier(hosts)
    assert hosts.fails("n1", "ipadm delete-ipmp ipmp0") == "ipadm: Could not delete ipmp0: IPMP group is not empty"
    assert hosts.fails("n1", f"ipadm delete-ip {at}") == f"ipadm: Could not delete {at}: Interface already in use"
    hosts.sh("n1", f"ipadm remove-ipmp -t -i {at} ipmp0")
    assert carrier(hosts) == other(at)
    reach(hosts)
    hosts.sh("n1", f"ipadm add-ipmp -t -i {at} ipmp0")


def test_a_persistent_group_comes_back_with_the_host(hosts: Hosts) -> None:
    hosts.lab.kill("n1")
    hosts.lab.boot("n1")
    hosts.lab.wait_booted("n1")
    assert carrier(hosts) in ("net0", "net1")
    reach(hosts)
