"""Virtual network interfaces (VNICs, dladm(8)): links with a MAC address of their own on a node's link."""
from __future__ import annotations

import os

from sunlab.net import netlink, objects

KIND = "macvlan"
#: How Solaris begins the MAC addresses that it makes up.
SOLARIS = b"\x02\x08\x20"


class NoSuchLink(Exception):
    """There is no link of that name to be over."""


def create(name: str, over: str, *, mac: bytes = b"", pid: int = 0) -> bytes:
    """Make the VNIC `name` over the node's link `over`; its MAC address, a random one unless `mac` is given.

    With `pid` it is made in that process's network namespace, where the name must be free and where it is gone with
    the last process; whoever lives there brings it up (ipadm create-ip, or netlink.set_up from inside). A VNIC hears
    everything on the link's network except the link under it. Needs root of the namespace that holds `over`. Raises
    NoSuchLink, netlink.KernelRefused (EEXIST: the name is taken), FileNotFoundError when there is no such process.
    """
    link = objects.links().get(over)
    if link is None:
        raise NoSuchLink(f"there is no link {over}")
    own = mac or SOLARIS + os.urandom(3)
    if not pid:
        netlink.add_macvlan(name, link.index, own)
        return own
    namespace = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        netlink.add_macvlan(name, link.index, own, namespace)
    finally:
        os.close(namespace)
    return own
