"""A lab with a zone, an address, a pool and a node without power goes without a trace: the host is counted twice.

Others may run labs on this machine, so what is counted is what this lab had, and what no lab may touch on the host.
"""
import os
from pathlib import Path
from typing import Dict, List, Set

import pytest

from lab.shared_pool import CONFIGURE, Hosts, build
from lab.test_lab_down import alive, supplies, traces
from lab.two_hosts import until
from sunlab.places import BASE, Places

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("lab-zones")]
NAMESPACES = ("mnt", "net", "pid", "uts", "ipc")


def processes() -> List[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and alive(int(name))]


def members(name: str) -> Set[int]:
    """The lab's own: those of its control groups."""
    found = set()
    for pid in processes():
        try:
            if f"sunlab.{name}/" in Path(f"/proc/{pid}/cgroup").read_text():
                found.add(pid)
        except OSError:
            continue
    return found


def namespaces(pids: List[int]) -> Set[str]:
    found = set()
    for pid in pids:
        for kind in NAMESPACES:
            try:
                found.add(os.readlink(f"/proc/{pid}/ns/{kind}"))
            except OSError:
                continue
    return found


def mounts_anywhere(name: str) -> List[str]:
    """Mounts of the lab in whatever mount namespace a process holds."""
    seen: Dict[str, str] = {}
    for pid in processes():
        try:
            seen.setdefault(os.readlink(f"/proc/{pid}/ns/mnt"), Path(f"/proc/{pid}/mountinfo").read_text())
        except OSError:
            continue
    return [line for text in seen.values() for line in text.splitlines() if f"/{name}/" in line or f"-{name}" in line]


def shared() -> Dict[str, Set[str]]:
    """What a lab may not change on the host at all: its links and its loop devices in use."""
    loops = {path.name for path in Path("/sys/block").glob("loop*") if (path / "loop/backing_file").exists()}
    return {"links": set(os.listdir("/sys/class/net")), "loops": loops}


def test_nothing_is_left_of_a_lab_with_zones_addresses_pools_and_a_dead_node(tmp_path: Path) -> None:
    own = set(namespaces([os.getpid()]))
    before = shared()
    lab = build(tmp_path, "lo")
    name = lab.spec.lab
    with lab:
        hosts = Hosts(lab)
        hosts.sh("n1", "zpool create -o cachefile=none shop /dev/dsk/c0t1d0s0")
        hosts.sh("n1", f"zonecfg -z web1 '{CONFIGURE}'")
        hosts.sh("n1", "zoneadm -z web1 install")
        hosts.boot_zone("n1")
        hosts.sh("n1", "ipadm create-addr -t -T static -a 10.0.0.99/24 net0/x")
        lab.kill("n2")
        had = members(name) | supplies(lab)
        spaces = namespaces(sorted(had)) - own
        assert len(had) > 4
        assert len(spaces) > len(NAMESPACES)
        assert mounts_anywhere(name)
    assert [pid for pid in had & set(processes()) if f"sunlab.{name}" in Path(f"/proc/{pid}/cgroup").read_text()] == []
    until(lambda: not spaces & namespaces(processes()), "the namespaces to be gone")
    assert [line for line in Path("/proc/self/mountinfo").read_text().splitlines()
            if any(space in line for space in spaces)] == []
    until(lambda: not mounts_anywhere(name), "the mounts to be gone everywhere")
    assert traces(name) == []
    assert not (BASE / name).exists()
    groups = [folder for folder, _, _ in os.walk(Places(name).cgroup().parent) if f"sunlab.{name}" in folder]
    assert groups == []
    until(lambda: shared() == before, f"the host's links and loop devices to be {before} again")
