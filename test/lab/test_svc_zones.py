"""Zones under SMF on a Solaris 11.4 host: the restarter svc.zones, what it does and what it survives (svc.zones(8))."""
import os
import time
from typing import Callable, Iterator

import pytest

from sunlab.lab import Lab

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("lab-svc-zones")]
ONE = "svc:/system/zones/zone:one"
REMAKE = "zonecfg -z one 'create -b; set zonepath=/tank/one'"


class Node:
    def __init__(self, lab: Lab) -> None:
        self.lab = lab

    def sh(self, line: str) -> str:
        return self.lab.exec("n1", ["/bin/sh", "-c", line]).stdout.strip()

    def status(self, line: str) -> int:
        return self.lab.exec("n1", ["/bin/sh", "-c", line], check=False).returncode

    def instance(self) -> str:
        """Its state, with a star while it changes."""
        return self.lab.exec("n1", ["svcs", "-Ho", "state", ONE], check=False).stdout.strip()

    def zone(self) -> str:
        return self.sh("zoneadm -z one list -p").split(":")[2]

    def until(self, test: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + 60
        while not test():
            assert time.monotonic() < deadline, f"waited in vain for {what}: {self.instance()}, {self.zone()}"
            time.sleep(0.02)

    def reaches(self, state: str) -> None:
        self.until(lambda: self.instance() == state, state)


@pytest.fixture(scope="module")
def built() -> Iterator[Node]:
    plan = {"lab": f"sz{os.getpid() % 100000}", "networks": {"public": {"subnet": "10.77.0.0/24"}},
            "disks": {"c0t1d0s0": {"size": "96M"}},
            "nodes": {"n1": {"addresses": {"public": "10.77.0.1/24"}, "platform": "solaris11.4"}}}
    with Lab.up(plan) as lab:
        lab.wait_booted("n1")
        found = Node(lab)
        found.sh(f"zpool create -o cachefile=none tank /dev/dsk/c0t1d0s0; {REMAKE} && zoneadm -z one install")
        yield found


@pytest.fixture
def node(built: Node) -> Iterator[Node]:
    """Zone `one` is installed, halted and disabled."""
    yield built
    built.sh(f"svcadm enable zones; svcadm clear {ONE} || true")
    if built.zone() == "unavailable":
        built.sh("zpool list tank || zpool import -f -o cachefile=none tank; zoneadm -z one attach")
    built.sh(f"svcadm disable {ONE}; zonecfg -z one 'set autoboot=false; remove -F smf-dependency' || true")
    built.sh("zoneadm -z one halt")
    built.reaches("disabled")


def test_enabling_is_booting_and_disabling_is_shutting_down(node: Node) -> None:
    node.sh(f"svcadm enable {ONE}")
    node.reaches("online")
    assert node.sh("svcs -z one -Ho state milestone/goals") == "online" and node.zone() == "running"
    node.sh(f"svcadm disable {ONE}")
    node.reaches("disabled")
    assert node.zone() == "installed"
    assert node.sh("svcs -HR svc:/system/zones:default -o fmri") == ONE


def test_the_instance_follows_zoneadm_however_fast_that_is(node: Node) -> None:
    node.sh("for i in 1 2 3; do zoneadm -z one boot && zoneadm -z one halt || exit; done")
    node.reaches("disabled")
    node.sh("zoneadm -z one boot")
    node.reaches("online")
    node.sh("zoneadm -z one halt && zoneadm -z one boot")
    node.reaches("online")
    assert node.zone() == "running"
    node.sh(f"zoneadm -z one halt && svcadm enable {ONE}")
    node.reaches("online")


def test_a_zone_that_halts_itself_has_a_disabled_instance_and_one_that_reboots_an_online_one(node: Node) -> None:
    node.sh("zoneadm -z one boot")
    node.reaches("online")
    before = node.sh("zoneadm -z one list -p").split(":")[0]
    node.lab.exec("n1", ["zlogin", "one", "reboot"], check=False)
    node.until(lambda: node.sh("zoneadm -z one list -p").split(":")[0] not in (before, "-"), "the second boot")
    node.reaches("online")
    node.lab.exec("n1", ["zlogin", "one", "halt"], check=False)
    node.reaches("disabled")
    assert node.zone() == "installed"


def test_the_zones_goals_are_the_instances_state(node: Node) -> None:
    node.sh(f"svcadm enable {ONE}")
    node.reaches("online")
    node.sh("svcadm -z one mark maintenance milestone/goals")
    node.reaches("maintenance")
    assert node.zone() == "running"
    node.sh("svcadm -z one clear milestone/goals")
    node.reaches("online")


def test_a_boot_that_fails_is_maintenance_which_a_disable_does_not_leave(node: Node) -> None:
    node.sh(f"chmod 755 /tank/one; svcadm enable {ONE}")
    node.reaches("maintenance")
    assert "must not be world readable" in node.sh("cat /var/log/zones/one.messages")
    node.sh(f"svcadm disable {ONE}; chmod 700 /tank/one")
    node.sh("zoneadm -z one list")
    assert node.instance() == "maintenance"
    node.sh(f"svcadm enable {ONE}; svcadm clear {ONE}")
    node.reaches("online")


def test_a_zone_waits_for_what_its_smf_dependency_names(node: Node) -> None:
    node.sh("zonecfg -z one 'add smf-dependency; set name=first; set fmri=svc:/site/first; end'")
    assert "require_all/none svc:/site/first (absent)" in node.sh(f"svcs -l {ONE}")
    node.sh(f"svcadm enable {ONE}")
    node.reaches("offline")
    assert node.zone() == "installed"
    node.sh("zonecfg -z one 'remove smf-dependency name=first'")
    node.reaches("online")


def test_a_restarter_that_is_killed_finds_everything_as_it_was(node: Node) -> None:
    node.sh("zoneadm -z one boot")
    node.reaches("online")
    before = node.sh("cat /var/run/zones/.svc.zones.pid")
    node.sh("kill -9 `cat /var/run/zones/.svc.zones.pid`")
    node.until(lambda: node.sh("cat /var/run/zones/.svc.zones.pid") != before
               and node.sh("svcs -Ho state zones:default") == "online", "another svc.zones")
    assert (node.instance(), node.zone()) == ("online", "running")
    node.sh("zoneadm -z one halt")
    node.reaches("disabled")


def test_disabling_the_restarter_brings_zones_down_and_nobody_answers_for_their_instances(node: Node) -> None:
    node.sh("zoneadm -z one boot")
    node.reaches("online")
    node.sh("svcadm disable zones")
    node.until(lambda: node.sh("svcs -Ho state zones:default") == "disabled", "the end of svc.zones")
    assert (node.instance(), node.zone()) == ("uninitialized", "installed")
    node.sh("zoneadm -z one boot && zoneadm -z one halt && svcadm enable zones")
    node.reaches("disabled")


def test_install_makes_the_instance_and_detach_takes_it(node: Node) -> None:
    node.sh("zoneadm -z one detach")
    assert node.status(f"svcs -H {ONE}") == 1
    node.sh("zoneadm -z one attach")
    node.reaches("disabled")


def test_autoboot_boots_at_once_when_the_restarter_starts(node: Node) -> None:
    node.sh("zonecfg -z one set autoboot=true; svcadm restart zones")
    node.reaches("online")
    assert node.zone() == "running"


def test_a_zone_whose_pool_is_not_imported_at_boot_is_unavailable_until_it_is_attached(node: Node) -> None:
    node.sh("zoneadm -z one boot")
    node.reaches("online")
    node.lab.kill("n1")
    node.lab.boot("n1")
    node.lab.wait_booted("n1")
    node.until(lambda: node.zone() == "unavailable", "the state unavailable")
    said = node.lab.exec("n1", ["zoneadm", "-z", "one", "boot"], check=False)
    assert (said.returncode, said.stderr) == (1, "zoneadm: zone 'one': zone is unavailable; attach required.\n")
    assert node.sh("zoneadm list -cp | grep :one:").split(":")[2] == "unavailable"
    node.sh("zpool import -f -o cachefile=none tank; zoneadm -z one attach && zoneadm -z one boot")
    node.reaches("online")


def test_booting_a_zone_whose_storage_has_gone_makes_it_unavailable(node: Node) -> None:
    node.sh("zpool export -f tank")
    assert node.status("zoneadm -z one boot") == 1 and node.zone() == "unavailable"
    node.sh(f"svcadm enable {ONE}")
    node.reaches("maintenance")
    node.sh(f"zpool import -o cachefile=none tank; svcadm clear {ONE}")
    node.reaches("online")
