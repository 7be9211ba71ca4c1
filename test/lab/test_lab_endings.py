"""The end of a lab host's boot: init and shutdown stop services in order, reboot and halt do not, uadmin 1 nothing."""
import os
import time
from typing import Iterator, List

import pytest

from sunlab.lab import Lab

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("lab-endings"), pytest.mark.timeout(90)]
MANIFEST = """<?xml version='1.0'?><!DOCTYPE service_bundle SYSTEM '/usr/share/lib/xml/dtd/service_bundle.dtd.1'>
<service_bundle type='manifest' name='t'>
<service name='site/base' type='service' version='1'><create_default_instance enabled='true'/>
<exec_method type='method' name='start' exec=':true' timeout_seconds='10'/>
<exec_method type='method' name='stop' exec="sh -c 'echo base &gt;&gt;/var/tmp/stopped'" timeout_seconds='10'/>
<property_group name='startd' type='framework'><propval name='duration' type='astring' value='transient'/>
</property_group></service>
<service name='site/above' type='service' version='1'><create_default_instance enabled='true'/>
<dependency name='base' grouping='require_all' restart_on='restart' type='service'>
<service_fmri value='svc:/site/base'/></dependency>
<exec_method type='method' name='start' exec=':true' timeout_seconds='10'/>
<exec_method type='method' name='stop' exec="sh -c 'sleep 0.2; echo above &gt;&gt;/var/tmp/stopped'"
 timeout_seconds='10'/>
<property_group name='startd' type='framework'><propval name='duration' type='astring' value='transient'/>
</property_group></service></service_bundle>
"""


@pytest.fixture(scope="module")
def hosts() -> Iterator[Lab]:
    plan = {"lab": f"en{os.getpid() % 100000}", "networks": {"public": {"subnet": "10.81.0.0/24"}},
            "disks": {"c0t1d0s0": {"size": "64M"}}, "nodes": {"n1": {"addresses": {"public": "10.81.0.1/24"}}}}
    with Lab.up(plan) as lab:
        lab.wait_booted("n1")
        lab.exec("n1", ["tee", "/lib/svc/manifest/site.xml"], input=MANIFEST)
        lab.exec("n1", ["svccfg", "import", "/lib/svc/manifest/site.xml"])
        lab.exec("n1", ["zpool", "create", "tank", "/dev/dsk/c0t1d0s0"])
        yield lab


@pytest.fixture
def lab(hosts: Lab) -> Iterator[Lab]:
    if "n1" not in hosts.init_pids():
        hosts.boot("n1")
    hosts.wait_booted("n1", 20)
    until(lambda: state(hosts, "above") == "online")
    hosts.exec("n1", ["rm", "-f", "/var/tmp/stopped"])
    yield hosts


def until(holds: object, within_s: float = 30.0) -> None:
    deadline = time.monotonic() + within_s
    while not holds():      # type: ignore[operator]
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def state(lab: Lab, name: str) -> str:
    return lab.exec("n1", ["svcs", "-Ho", "state", f"site/{name}"], check=False).stdout.strip()


def stopped(lab: Lab) -> List[str]:
    return lab.exec("n1", ["sh", "-c", "cat /var/tmp/stopped 2>/dev/null || :"]).stdout.split()


def rebooted(lab: Lab, command: List[str]) -> None:
    """Run it, and wait until another init has booted."""
    before = lab.init_pids()["n1"]
    lab.exec("n1", command, check=False)
    until(lambda: lab.init_pids().get("n1", before) != before)
    lab.wait_booted("n1")


@pytest.mark.parametrize("command", [["init", "6"], ["shutdown", "-y", "-g0", "-i6"]])
def test_init_6_stops_services_with_dependents_first_and_boots_again(lab: Lab, command: List[str]) -> None:
    lab.exec("n1", ["sh", "-c", "echo kept > /tank/file"])
    rebooted(lab, command)
    assert stopped(lab) == ["above", "base"]
    assert lab.exec("n1", ["cat", "/tank/file"]).stdout == "kept\n"


@pytest.mark.parametrize("command", [["reboot"], ["uadmin", "2", "1"]])
def test_reboot_runs_no_stop_method_and_loses_nothing_that_was_written(lab: Lab, command: List[str]) -> None:
    lab.exec("n1", ["sh", "-c", "echo later > /tank/file"])
    rebooted(lab, command)
    assert stopped(lab) == []
    assert lab.exec("n1", ["cat", "/tank/file"]).stdout == "later\n"


@pytest.mark.parametrize("command", [["init", "5"], ["init", "0"], ["halt"], ["poweroff"], ["uadmin", "2", "6"]])
def test_the_power_is_off_after_init_5_and_halt(lab: Lab, command: List[str]) -> None:
    lab.exec("n1", command, check=False)
    until(lambda: "n1" not in lab.init_pids())


def test_a_shutdown_that_is_not_confirmed_changes_nothing(lab: Lab) -> None:
    done = lab.exec("n1", ["shutdown", "-g0", "-i5"], input="n\n", check=False)
    assert done.returncode == 1 and "Shut down aborted." in done.stdout
    assert state(lab, "above") == "online"


def test_init_s_is_the_milestone_single_user_and_init_3_brings_all_back(lab: Lab) -> None:
    lab.exec("n1", ["init", "s"])
    until(lambda: state(lab, "above") == "disabled" and stopped(lab) == ["above", "base"])
    lab.exec("n1", ["init", "3"])
    until(lambda: state(lab, "above") == "online")


@pytest.mark.parametrize(("command", "said"), [
    (["init"], "Usage: init"), (["init", "9"], "Usage: init"), (["uadmin"], "Usage: uadmin"),
    (["uadmin", "9", "9"], "Invalid argument"), (["shutdown", "-x"], "Usage: shutdown"),
    (["reboot", "-Z"], "usage: reboot")])
def test_misuse_is_said_and_the_host_stays_up(lab: Lab, command: List[str], said: str) -> None:
    done = lab.exec("n1", command, check=False)
    assert done.returncode == 1 and said in done.stderr
    assert state(lab, "above") == "online"
