"""Zones of a lab host, from zonecfg to uninstall, with real processes on a real pool that two hosts share."""
import subprocess
from pathlib import Path
from typing import Iterator

import pytest

from lab.shared_pool import CONFIGURE, SERVICE, Hosts, build

WRITE = """
import os
file = os.open("/root/file", os.O_CREAT | os.O_WRONLY, 0o640)
os.fchown(file, 123, 456)
os.write(file, b"kept")
os.fsync(file)
"""
pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("lab-zones")]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosts]:
    with build(tmp_path_factory.mktemp("zones"), "zn") as lab:
        hosts = Hosts(lab)
        hosts.sh("n1", "zpool create -o cachefile=none shop /dev/dsk/c0t1d0s0")
        for node in ("n1", "n2"):
            hosts.sh(node, f"zonecfg -z web1 '{CONFIGURE}'")
        hosts.sh("n1", "zoneadm -z web1 install")
        site = Path("/shop/web1/root/var/svc/manifest/site/page.xml")
        lab.exec("n1", ["tee", str(site)], input=SERVICE)
        yield hosts


@pytest.fixture
def hosts(built: Hosts) -> Hosts:
    """The zone is installed on n1 and halted; n2 knows it and does not have it."""
    for node in ("n1", "n2"):
        if node not in built.lab.init_pids():
            built.lab.boot(node)
        built.lab.wait_booted(node)
    if built.sh("n2", "zpool list -H -o name").startswith("shop"):
        if built.state("n2") == "running":
            built.sh("n2", "zoneadm -z web1 halt")
        if built.state("n2") == "installed":
            built.sh("n2", "zoneadm -z web1 detach")
        built.sh("n2", "zpool export shop")
    if not built.sh("n1", "zpool list -H -o name").startswith("shop"):
        built.sh("n1", "zpool import -f -o cachefile=none shop")
    if built.state("n1") == "running":
        built.sh("n1", "zoneadm -z web1 halt")
    if built.state("n1") == "configured":
        built.sh("n1", "zoneadm -z web1 attach")
    return built


def test_a_zone_on_a_shared_pool_runs_on_the_other_host_after_a_power_cut_with_all_that_it_had(hosts: Hosts) -> None:
    hosts.boot_zone("n1")
    hosts.lab.exec("n1", ["tee", "/shop/web1/root/opt/write.py"], input=WRITE)
    hosts.sh("n1", "zlogin web1 '/usr/bin/python3 -IS /opt/write.py'")
    hosts.lab.kill("n1")
    hosts.sh("n2", "zpool import -f -o cachefile=none shop")
    assert hosts.state("n2") == "configured"
    hosts.sh("n2", "zoneadm -z web1 attach")
    hosts.boot_zone("n2")
    assert hosts.sh("n2", "zlogin web1 'cat /root/file'") == "kept"
    assert hosts.sh("n2", "zlogin web1 'stat -c %u:%g:%a /root/file'") == "123:456:640"
    assert hosts.sh("n2", "zlogin web1 'zonename; uname -n'").split() == ["web1", "web1"]


def test_a_host_that_lost_its_power_comes_back_with_the_zone_halted(hosts: Hosts) -> None:
    hosts.boot_zone("n1")
    hosts.lab.kill("n1")
    hosts.lab.boot("n1")
    hosts.lab.wait_booted("n1")
    assert hosts.state("n1") == "installed"
    assert hosts.fails("n1", "zlogin web1 true") == ("zlogin: login allowed only to running zones "
                                                     "(web1 is 'installed').")


def test_the_pool_can_be_exported_right_after_the_zone_was_halted(hosts: Hosts) -> None:
    for _ in range(5):
        hosts.sh("n1", "zoneadm -z web1 boot")
        hosts.sh("n1", "zoneadm -z web1 halt && zpool export shop && zpool import -o cachefile=none shop")


def test_halting_kills_what_runs_in_the_zone_and_leaves_no_trace_of_it(hosts: Hosts) -> None:
    hosts.boot_zone("n1")
    inside = hosts.lab.popen("n1", ["zlogin", "web1", "echo up; sleep 10000"], stdout=subprocess.PIPE)
    assert inside.stdout is not None
    assert inside.stdout.readline() == b"up\n"
    hosts.sh("n1", "zoneadm -z web1 halt")
    assert inside.wait(10) == 0         # WEXITSTATUS of a command that was killed (zlogin.c)
    inside.stdout.close()
    assert hosts.state("n1") == "installed"
    assert hosts.left_of_zone("n1") == []
    assert hosts.lab.exec("n1", ["pgrep", "-x", "sleep"], check=False).stdout == ""


def test_a_zone_has_its_own_process_tree_and_sees_neither_the_hosts_disks_nor_can_it_change_its_programs(
        hosts: Hosts) -> None:
    hosts.boot_zone("n1")
    assert hosts.sh("n1", "zlogin web1 'ps -p 1 -o args='").endswith("web1")
    assert "zfs-fuse" not in hosts.sh("n1", "zlogin web1 'ps -e'")
    assert not hosts.sh("n1", "zlogin web1 'ls /dev'").count("dsk")
    assert "Read-only" in hosts.fails("n1", "zlogin web1 'touch /usr/bin/x'")


def test_shutdown_runs_the_stop_methods_of_the_zones_services_and_halt_does_not(hosts: Hosts) -> None:
    hosts.boot_zone("n1")
    hosts.until(lambda: hosts.service("n1", "site/page") == "online", "the zone's service")
    hosts.sh("n1", "zoneadm -z web1 halt")
    assert not hosts.sh("n1", "ls /shop/web1/root/root").count("stopped")
    hosts.boot_zone("n1")
    hosts.until(lambda: hosts.service("n1", "site/page") == "online", "the zone's service")
    hosts.sh("n1", "zoneadm -z web1 shutdown")
    assert hosts.state("n1") == "installed"
    assert hosts.sh("n1", "ls /shop/web1/root/root").count("stopped")
    hosts.sh("n1", "rm /shop/web1/root/root/stopped")


def test_the_services_that_a_shutdown_stopped_run_again_after_the_next_boot(hosts: Hosts) -> None:
    hosts.boot_zone("n1")
    hosts.sh("n1", "zoneadm -z web1 shutdown -r")
    hosts.until(lambda: hosts.service("n1", "site/page") == "online", "the zone's service")


def test_a_zone_that_reboots_itself_comes_back_under_a_new_id(hosts: Hosts) -> None:
    hosts.boot_zone("n1")
    before = hosts.sh("n1", "zoneadm list -p").splitlines()[1].split(":")[0]
    hosts.lab.exec("n1", ["zlogin", "web1", "reboot"], check=False)
    hosts.until(lambda: hosts.sh("n1", "zoneadm list -cp").splitlines()[1].split(":")[0] not in (before, "-"),
                "the zone's second boot")
    hosts.until(lambda: hosts.service("n1", "multi-user-server") == "online", "the zone's milestone")


def test_a_zone_that_halts_itself_is_seen_installed_and_boots_again(hosts: Hosts) -> None:
    hosts.boot_zone("n1")
    hosts.lab.exec("n1", ["zlogin", "web1", "halt"], check=False)
    hosts.until(lambda: hosts.state("n1") == "installed" and not hosts.left_of_zone("n1"), "the zone's end")
    hosts.boot_zone("n1")


def test_the_zones_address_comes_and_goes_with_it(hosts: Hosts) -> None:
    hosts.sh("n1", "zoneadm -z web1 boot")
    assert "10.79.0.77/24" in hosts.sh("n1", "ipadm show-addr")
    hosts.sh("n1", "zoneadm -z web1 halt")
    assert "10.79.0.77/24" not in hosts.sh("n1", "ipadm show-addr")


def test_the_zones_daemon_is_not_in_the_contract_of_whoever_booted_it(hosts: Hosts) -> None:
    hosts.sh("n1", "zoneadm -z web1 boot")
    daemon = hosts.sh("n1", "cat /var/run/zones/web1").split()[2]
    assert hosts.sh("n1", f"cat /proc/{daemon}/cgroup").endswith("/zoneadmd")


def test_a_zone_whose_daemon_was_killed_can_still_be_halted(hosts: Hosts) -> None:
    hosts.sh("n1", "zoneadm -z web1 boot")
    hosts.sh("n1", "kill -9 $(cut -d' ' -f3 /var/run/zones/web1)")
    hosts.sh("n1", "zoneadm -z web1 halt")
    assert (hosts.state("n1"), hosts.left_of_zone("n1")) == ("installed", [])


def test_what_is_done_already_is_no_error(hosts: Hosts) -> None:
    said = hosts.lab.exec("n1", ["zoneadm", "-z", "web1", "halt"])
    assert said.stderr == "zone 'web1': zone is already halted\n"
    hosts.sh("n1", "zoneadm -z web1 boot")
    said = hosts.lab.exec("n1", ["zoneadm", "-z", "web1", "boot"])
    assert said.stderr == "zone 'web1': zone is already booted\n"


@pytest.mark.parametrize("line, text", [
    ("zoneadm -z web1 boot", "zoneadm: zone 'web1': must be installed before boot."),
    ("zoneadm -z web1 uninstall -F", "zoneadm: zone 'web1': is already in state 'configured'."),
    ("zoneadm -z web1 attach", "zoneadm: /shop/web1: No such file or directory\n"
                               "could not verify zonepath /shop/web1 because of the above errors."),
    ("zoneadm -z web1 attach -F", "zoneadm: /shop/web1: No such file or directory\n"
                                  "could not verify zonepath /shop/web1 because of the above errors."),
    ("zoneadm -z web1 detach", "zoneadm: zone 'web1': must be installed before detach."),
    ("zoneadm -z web1 ready", "zoneadm: zone 'web1': must be installed before ready."),
    ("zoneadm -z web1 reboot", "zoneadm: zone 'web1': not running"),
    ("zoneadm -z web1 halt", "zone 'web1': cannot manage a zone which is in state 'configured'\n"
                             "zoneadm: zone 'web1': could not start zoneadmd"),
    ("zoneadm -z global halt", "zoneadm: zone 'global': halt operation is invalid for the global zone."),
    ("zoneadm -z web1 shutdown", "zoneadm: zone 'web1': not running"),
    ("zoneadm -z web1 move /a", "zoneadm: zone 'web1': must be installed before move."),
    ("zoneadm -z web1 mount", "zoneadm: zone 'web1': must be installed before mount."),
    ("zoneadm -z web1 unmount", "zoneadm: zone 'web1': must be mounted before unmount."),
    ("zoneadm -z -F boot", "zoneadm: -F: No such zone configured"),
    ("zoneadm list -pv", "zoneadm: list -p and -v are mutually exclusive."),
    ("zonecfg -z new 'set autoboot=true'", "new: No such zone configured"),
    ("zonecfg -z new 'create; set brand=solaris-kz'", "sunlab: brand solaris-kz: not modelled in this lab\n"
                                                      "zonepath cannot be empty.\nZone new failed to verify\n"
                                                      "new: Required resource missing\nConfiguration not saved."),
    ("zlogin web1 true", "zlogin: cannot login to a zone which is 'configured'"),
    ("zlogin nozone true", "zlogin: zone 'nozone' unknown"),
    ("zlogin global true", "zlogin: 'zlogin' not applicable to the global zone"),
])
def test_a_host_that_only_knows_the_zone_refuses_in_solaris_words(hosts: Hosts, line: str, text: str) -> None:
    assert hosts.fails("n2", line) == text


@pytest.mark.parametrize("verb", ["attach", "detach", "uninstall -F", "mark incomplete", "install"])
def test_a_running_zone_is_not_changed_under_its_feet(hosts: Hosts, verb: str) -> None:
    hosts.sh("n1", "zoneadm -z web1 boot")
    word = verb.split()[0]
    assert hosts.fails("n1", f"zoneadm -z web1 {verb}") == (f"zoneadm: zone 'web1': {word} operation is invalid for "
                                                            "running zones.")
    assert hosts.fails("n1", "zonecfg -z web1 delete -F") == (
        "web1: Zone state is invalid for the requested operation")


def test_detaching_leaves_the_configuration_with_the_zone(hosts: Hosts) -> None:
    hosts.sh("n1", "zoneadm -z web1 detach")
    assert hosts.state("n1") == "configured"
    assert 'zonepath="/shop/web1"' in hosts.sh("n1", "cat /shop/web1/SUNWdetached.xml")
    hosts.sh("n1", "zoneadm -z web1 attach -u")
    assert not hosts.sh("n1", "ls /shop/web1").count("SUNWdetached")
