"""The pool property multihost of lab hosts: who may import a pool that another host keeps up (zpoolprops(7), mmp.h)."""
import os
import time
from pathlib import Path
from typing import Iterator

import pytest

from sunlab.lab import Lab

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("lab-multihost"), pytest.mark.timeout(120)]
TUNED = "set zfs:zfs_multihost_interval = 100\nset zfs:zfs_multihost_fail_intervals = 5\n"      # a check: 1 to 1.25 s


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    tuned = tmp_path_factory.mktemp("etc") / "system"
    tuned.write_text(TUNED)
    plan = {"lab": f"mh{os.getpid() % 100000}", "networks": {"public": {"subnet": "10.82.0.0/24"}},
            "disks": {"c0t1d0s0": {"size": "64M"}}, "files": {"/etc/system": str(tuned)},
            "nodes": {"n1": {"addresses": {"public": "10.82.0.1/24"}}, "n2": {"addresses": {"public": "10.82.0.2/24"}},
                      "s1": {"addresses": {"public": "10.82.0.3/24"}, "platform": "solaris11.4"}}}
    with Lab.up(plan) as lab:
        for node in plan["nodes"]:
            lab.wait_booted(node)
        yield lab


@pytest.fixture
def lab(hosts: Lab) -> Iterator[Lab]:
    """A fresh pool `tank` with multihost on n1."""
    for node in ("n1", "n2"):
        if node not in hosts.init_pids():
            hosts.boot(node)
        hosts.wait_booted(node)
    sh(hosts, "n1", "zpool create -f -o cachefile=none -o multihost=on tank /dev/dsk/c0t1d0s0")
    beating(hosts, "n1")
    yield hosts
    for node in hosts.init_pids():
        hosts.exec(node, ["zpool", "destroy", "-f", "tank"], check=False)


def sh(lab: Lab, node: str, command: str) -> str:
    return lab.exec(node, ["sh", "-c", command]).stdout


def fails(lab: Lab, node: str, command: str) -> str:
    done = lab.exec(node, ["sh", "-c", command], check=False)
    assert done.returncode == 1, done
    return done.stderr


def sequence(lab: Lab, node: str) -> int:
    text = sh(lab, node, "dd if=/dev/rdsk/c0t1d0s0 bs=4096 skip=256 count=1 2>/dev/null | tr -d '\\0'")
    return int(dict(line.split("=", 1) for line in text.splitlines() if "=" in line)["sequence"])


def beating(lab: Lab, node: str) -> None:
    first, deadline = sequence(lab, node), time.monotonic() + 20
    while sequence(lab, node) == first:
        assert time.monotonic() < deadline, "nobody renews the record"
        time.sleep(0.02)


def test_a_pool_that_another_host_keeps_up_is_refused_even_by_force(lab: Lab) -> None:
    number = lab.exec("n1", ["hostid"]).stdout.strip()
    last = "Export the pool on the other system, then run 'zpool import'.\n"
    assert fails(lab, "n2", "zpool import -o cachefile=none tank") == (
        f"cannot import 'tank': pool is imported on n1 (hostid: 0x{number})\n{last}")
    assert fails(lab, "n2", "zpool import -f -o cachefile=none tank") == (
        f"cannot import 'tank': pool is imported on host 'n1' (hostid={number}).\n{last}")
    assert " status: The pool is currently imported by another system.\n" in sh(lab, "n2", "zpool import")


def test_a_pool_of_a_dead_host_is_refused_after_the_check_and_taken_by_force(lab: Lab) -> None:
    lab.kill("n1")
    said = fails(lab, "n2", "zpool import -o cachefile=none tank")
    assert said.startswith("cannot import 'tank': pool was previously in use from another system.\n"
                           "Last accessed by n1 (hostid=")
    sh(lab, "n2", "zpool import -f -o cachefile=none tank")
    beating(lab, "n2")


def test_an_exported_pool_is_imported_without_a_check_and_its_process_is_gone(lab: Lab) -> None:
    sh(lab, "n1", "zpool export tank")
    sh(lab, "n2", "zpool import -o cachefile=none tank")
    assert sh(lab, "n2", "zpool get -H -o value multihost tank") == "on\n"
    beating(lab, "n2")
    deadline = time.monotonic() + 20
    while "zfs-multihost" in sh(lab, "n1", "ps -e -o args="):
        assert time.monotonic() < deadline, "its process is still there"
        time.sleep(0.05)


def test_a_frozen_owner_is_not_noticed_so_that_multihost_is_no_fence(lab: Lab) -> None:
    """As measured on real hosts: the check passes while the owner's time stands still (a paused machine)."""
    lab.freeze("n1")
    sh(lab, "n2", "zpool import -f -o cachefile=none tank")
    assert sh(lab, "n2", "zpool list -H -o health tank") == "ONLINE\n"
    lab.kill("n1")


def test_solaris_has_no_such_property(lab: Lab) -> None:
    sh(lab, "n1", "zpool export tank")
    sh(lab, "s1", "zpool import -o cachefile=none tank")
    assert "invalid property 'multihost'" in fails(lab, "s1", "zpool set multihost=on tank")
    sh(lab, "s1", "zpool export tank")


def test_a_host_without_an_id_may_not_import_it(lab: Lab, tmp_path: Path) -> None:
    sh(lab, "n1", "zpool export tank")
    sh(lab, "n2", "cp /etc/hostid /var/tmp/hostid && dd if=/dev/zero of=/etc/hostid bs=4 count=1 2>/dev/null")
    try:
        assert fails(lab, "n2", "zpool import -f tank") == (
            "Cannot import 'tank': pool has the multihost property on and the\nsystem's hostid is not set.\n")
    finally:
        sh(lab, "n2", "cp /var/tmp/hostid /etc/hostid")


def test_the_process_belongs_to_no_contract(lab: Lab) -> None:
    pid = sh(lab, "n1", "cat /var/run/multihost/tank").strip()
    group = sh(lab, "n1", f"cat /proc/{pid}/cgroup").strip().rsplit("/", 1)[-1]
    assert not group.isdigit()
