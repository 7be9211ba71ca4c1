"""in.mpathd(8): moves a group's addresses away from a link that has failed. Woken by the kernel, never by a clock.

Link-based detection only; there are no probes. Runs as a daemon of the node from the first group on.
"""
from __future__ import annotations

import os
import sys

from sunlab.net import groups, netlink, objects

PID = "/var/run/ipadm/mpathd.pid"
LOG = "/var/log/mpathd.log"
#: So that a member answers ARP for its own addresses only, and nothing is routed over a member without a link.
SETTINGS = (("arp_ignore", "1"), ("arp_announce", "2"), ("ignore_routes_with_linkdown", "1"))


def settle() -> None:
    """Put every address of every group where it belongs now, and tell the network of each that has moved."""
    present = objects.links()
    by_index = {link.index: name for name, link in present.items()}
    where = {held.address: by_index[held.index] for held in netlink.addresses()}
    known = groups.read()
    for group in known.values():
        mine = {one.address: one for one in objects.all_addresses(present)
                if one.interface == group.name and one.state in ("ok", "inaccessible")}
        bound = {address: where.get(address, "") for address in mine}
        for address, member in groups.bindings(group, present, bound).items():
            if member == bound[address]:
                continue
            if bound[address]:
                objects.take_down(present[bound[address]], address)
            one = mine[address]
            one.state = objects.bring_up(present[member], address, one.prefix, one.deprecated)
            objects.remember(one)


def running() -> bool:
    try:
        with open(PID) as file:
            number = int(file.read())
        os.kill(number, 0)
    except (OSError, ValueError):
        return False
    return True


def ensure() -> None:
    """Start the daemon unless it runs; returns when it hears events."""
    if running():
        return
    for name, value in SETTINGS:
        with open(f"/proc/sys/net/ipv4/conf/all/{name}", "w") as file:
            file.write(value)
    heard, tell = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(heard)
            _become_daemon(tell)
            serve(tell)
        finally:
            os._exit(1)
    os.close(tell)
    os.waitpid(child, 0)
    os.read(heard, 1)
    os.close(heard)


def _become_daemon(tell: int) -> None:
    os.setsid()
    if os.fork() != 0:
        os._exit(0)
    _leave_the_callers_contract()
    os.chdir("/")
    null = os.open("/dev/null", os.O_RDWR)
    log = os.open(LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for descriptor, source in ((0, null), (1, null), (2, log)):
        os.dup2(source, descriptor)
    os.closerange(3, tell)
    os.closerange(tell + 1, 256)


def _leave_the_callers_contract() -> None:
    """Or the end of the method or command that made the group would be the daemon's end."""
    own = "/system/contract/in.mpathd"
    os.makedirs(own, exist_ok=True)
    with open(f"{own}/cgroup.procs", "w") as procs:
        procs.write("0")


def serve(tell: int) -> None:
    events = netlink.link_events()
    with open(PID, "w") as file:
        file.write(str(os.getpid()))
    os.write(tell, b"x")
    os.close(tell)
    while True:
        try:
            settle()
            events.recv(1 << 16)
        except (OSError, netlink.KernelRefused) as problem:     # also ENOBUFS: events were lost, so look at once
            sys.stderr.write(f"in.mpathd: {problem}\n")
            sys.stderr.flush()
