"""The datalinks and addresses of a zone, shared-IP or exclusive-IP, over the node's (vplat.c of zoneadmd).

A shared-IP zone has addresses on the node's interfaces. An exclusive-IP zone has a network namespace of its own: a link
named by `net` is moved into it and comes back when the zone ends; an `anet` is a VNIC made for it and deleted with it.
Not modelled: default routers, IP and MAC address protection.
"""
from __future__ import annotations

import os
from _struct import pack

from sunlab.net import netlink, objects
from sunlab.zones import birth
from sunlab.zones.config import Resource, ZoneConfig

IFLA_NET_NS_FD = 28


class Lent:
    """A link of the zone: its name inside, its name in the node ("" for one that was made for the zone)."""
    __slots__ = ("inside", "outside", "addresses")

    def __init__(self, inside: str, outside: str, addresses: list[str]) -> None:
        self.inside, self.outside, self.addresses = inside, outside, addresses


def exclusive(own: ZoneConfig) -> bool:
    return own.get("ip-type") == "exclusive"


def split(address: str) -> tuple[str, int]:
    plain, _, prefix = address.partition("/")
    return plain, int(prefix or (128 if ":" in plain else 32))


# --- shared

def bring_up(own: ZoneConfig, say: list[str]) -> list[tuple[str, str]]:
    """A shared-IP zone's addresses; those that are up. One in use elsewhere is left out with a warning."""
    nets = [] if exclusive(own) else own.all_of("net")
    present = objects.links() if nets else {}
    found = []
    for net in nets:
        interface = net.get("physical")
        plain, bits = split(net.get("address"))
        if interface not in present:
            say.append(f"WARNING: {interface}: no such interface")
        elif objects.bring_up(present[interface], plain, bits) == "ok":
            found.append((interface, plain))
        else:
            say.append(f"WARNING: {interface}: {plain} is in use by another machine")
        if net.get("defrouter"):
            say.append(f"sunlab: defrouter {net.get('defrouter')}: not modelled in this lab")
    return found


def take_down(own: ZoneConfig) -> None:
    nets = [] if exclusive(own) else own.all_of("net")
    present = objects.links() if nets else {}
    for net in nets:
        if net.get("physical") in present:
            objects.take_down(present[net.get("physical")], split(net.get("address"))[0])


# --- exclusive

def lend(zone: str, uuid: str, own: ZoneConfig, namespace: int, say: list[str]) -> list[Lent]:
    """Put the zone's links into its network `namespace` (a descriptor). One that cannot be had is left out."""
    present = objects.links()
    lent = []
    for one in [*own.all_of("net"), *own.all_of("anet")]:
        addresses = [address for address in one.get("allowed-address").split(",") if address]
        if one.get("configure-allowed-address") == "false":
            addresses = []
        if one.get("defrouter"):
            say.append(f"sunlab: defrouter {one.get('defrouter')}: not modelled in this lab")
        found = _net(one, present, say) if one.kind == "net" else _anet(zone, uuid, one, present, say)
        if found is not None:
            link, inside, outside = found
            move(link, inside, namespace)
            lent.append(Lent(inside, outside, addresses))
    return lent


def _net(one: Resource, present: dict[str, netlink.Link], say: list[str]) -> tuple[netlink.Link, str, str] | None:
    name = one.get("physical")
    if name not in present:
        say.append(f"WARNING: unable to find datalink '{name}'")
        return None
    link = present[name]
    if any(held.index == link.index and not held.address.startswith("fe80:") for held in netlink.addresses()):
        say.append(f"WARNING: skipping network interface '{name}' which is used in the global zone.")
        return None
    return link, name, name


def _anet(zone: str, uuid: str, one: Resource, present: dict[str, netlink.Link],
          say: list[str]) -> tuple[netlink.Link, str, str] | None:
    wanted, inside = one.get("lower-link"), one.get("linkname")
    lower = "net0" if wanted in ("", "auto") else wanted
    if lower not in present:
        say.append(f"WARNING: anet {inside}: lower-link {lower} does not exist")
        return None
    name = f"z{abs(hash_of(zone + inside)) % 10**8}"     # in the node only until it is moved
    add_vnic(name, present[lower].index, mac_of(one, uuid, inside))
    return objects.links()[name], inside, ""


def hash_of(text: str) -> int:
    import zlib
    return zlib.crc32(text.encode())


def mac_of(one: Resource, uuid: str, inside: str) -> bytes:
    """Its own one where it is configured; else one that stays the same for this zone, wherever it runs."""
    given = one.get("mac-address")
    if given.count(":") == 5:
        return bytes(int(part, 16) for part in given.split(":"))
    seed = hash_of(uuid + inside)
    return bytes((0x02, 0x08, 0x20)) + pack("!I", seed)[1:]


def add_vnic(name: str, over: int, mac: bytes) -> None:
    """As netlink.add_macvlan, with a MAC address. Raises KernelRefused."""
    about = (netlink.attribute(netlink.KIND, b"macvlan")
             + netlink.attribute(netlink.KIND_DATA, netlink.attribute(netlink.MACVLAN_MODE,
                                                                      pack("I", netlink.MACVLAN_BRIDGE))))
    netlink._ask(netlink.NEWLINK, netlink.ACK | netlink.CREATE | netlink.EXCL, pack("BBHiII", 0, 0, 0, 0, 0, 0)
                 + netlink.attribute(netlink.IFLA_IFNAME, name.encode() + b"\0")
                 + netlink.attribute(netlink.IFLA_LINK, pack("I", over))
                 + netlink.attribute(netlink.IFLA_ADDRESS, mac)
                 + netlink.attribute(netlink.IFLA_LINKINFO, about))


def move(link: netlink.Link, name: str, namespace: int) -> None:
    """Into another network namespace, under that name there. Raises KernelRefused."""
    netlink._ask(netlink.NEWLINK, netlink.ACK, pack("BBHiII", 0, 0, 0, link.index, 0, 0)
                 + netlink.attribute(netlink.IFLA_IFNAME, name.encode() + b"\0")
                 + netlink.attribute(IFLA_NET_NS_FD, pack("I", namespace)))


def settle(lent: list[Lent]) -> None:
    """In the zone's namespace, before its init: loopback and links up, and the addresses that it is allowed."""
    present = objects.links()
    netlink.set_up(present["lo0"].index, True)
    for one in lent:
        netlink.set_up(present[one.inside].index, True)
        for address in one.addresses:
            netlink.add_address(present[one.inside].index, *split(address))


def give_back(lent: list[Lent], namespace: int) -> None:
    """After the zone's last process: its own links go, the node's come home. In a child, for it must enter there."""
    if not lent:
        return
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            birth.join(namespace, birth.NEWNET)
            present = objects.links()
            for one in lent:
                if one.inside in present and one.outside:
                    move(present[one.inside], one.outside, home)
                elif one.inside in present:
                    netlink.delete_link(present[one.inside].index)
            status = 0
        finally:
            os._exit(status)
    os.waitpid(child, 0)
    os.close(home)
