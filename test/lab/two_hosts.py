"""A lab of two hosts with two networks and three shared disks, under a name of its own, and how to look at it."""
import os
import time
from typing import Any, Callable, Dict

from sunlab.lab import Lab

FSYNCED = """
import os, sys
file = os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY, 0o644)
os.write(file, sys.argv[2].encode())
os.fsync(file)
"""


def plan(name: str) -> Dict[str, Any]:
    """What a lab file would say. The name is made unique, as others may run labs on this machine."""
    return {
        "lab": f"{name}{os.getpid() % 100000}",
        "networks": {"public": {"subnet": "10.0.0.0/24"}, "private": {"subnet": "192.168.7.0/24"}},
        "disks": {"c0t1d0s0": {"size": "64M"}, "c0t2d0s0": {"size": "64M"}, "c0t5d0s6": {"size": "1M"}},
        "nodes": {f"n{i}": {"addresses": {"public": f"10.0.0.{i}/24", "private": f"192.168.7.{i}/24"}} for i in (1, 2)},
        "clients": {"client": {"addresses": {"public": "10.0.0.200/24"}}},
    }


def build(name: str) -> Lab:
    lab = Lab.up(plan(name))
    try:
        for node in lab.spec.nodes:
            lab.wait_booted(node)
    except BaseException:
        lab.down()
        raise
    return lab


def until(holds: Callable[[], bool], what: str, within_s: float = 20.0) -> None:
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.005)


def answers(lab: Lab, where: str, address: str) -> bool:
    """Does a ping from there come back within a second?"""
    return lab.exec(where, ["ping", "-q", "-c", "1", "-w", "1", address], check=False).returncode == 0


def write_fsynced(lab: Lab, node: str, path: str, text: str) -> None:
    lab.exec(node, ["/usr/bin/python3", "-IS", "-c", FSYNCED, path, text])


def ensure_on(lab: Lab) -> None:
    """Both hosts up and whole again, whatever the test before this one did to them."""
    lab.heal()
    for node in lab.spec.nodes:
        if node not in lab.init_pids():
            lab.boot(node)
        lab.thaw(node)
        lab.wait_booted(node)
