"""The kernel's links and addresses by rtnetlink(7), without a process or an import that a command must wait for.

Messages: linux/rtnetlink.h, linux/if_link.h, linux/if_addr.h; integers are in the host's byte order.
"""
from __future__ import annotations

import _socket
import os
from _struct import pack, unpack_from

GETLINK, NEWLINK, DELLINK, NEWADDR, DELADDR, GETADDR = 18, 16, 17, 20, 21, 22
REQUEST, ACK, EXCL, CREATE, DUMP = 1, 4, 0x200, 0x400, 0x300
ERROR, DONE = 2, 3
IFF_UP, IFF_RUNNING = 1, 0x40
LINK_GROUP = 1               # RTMGRP_LINK
IFA_ADDRESS, IFA_LOCAL, IFA_CACHEINFO, IFA_FLAGS = 1, 2, 6, 8
FOREVER = 0xFFFFFFFF        # a lifetime
IFLA_ADDRESS, IFLA_IFNAME, IFLA_MTU, IFLA_LINK, IFLA_LINKINFO, IFLA_NET_NS_FD = 1, 3, 4, 5, 18, 28
KIND, KIND_DATA, MACVLAN_MODE, MACVLAN_BRIDGE = 1, 2, 1, 4
NODAD, DAD_FAILED, TENTATIVE = 0x02, 0x08, 0x40
FAMILIES = (2, 10)          # AF_INET, AF_INET6


class KernelRefused(Exception):
    """The kernel did not do what was asked; `number` is the errno."""

    def __init__(self, number: int) -> None:
        super().__init__(os.strerror(number))
        self.number = number


class Link:
    __slots__ = ("index", "name", "up", "running", "mtu", "mac", "kind", "over")

    def __init__(self, index: int, flags: int, found: dict[int, bytes], kind: str) -> None:
        self.index = index
        self.name = found[IFLA_IFNAME].rstrip(b"\0").decode()
        self.up, self.running = bool(flags & IFF_UP), bool(flags & IFF_RUNNING)
        self.mtu = unpack_from("I", found[IFLA_MTU])[0]
        self.mac = found.get(IFLA_ADDRESS, b"")
        self.kind = kind                    # veth, macvlan, … or ""
        self.over = unpack_from("I", found[IFLA_LINK])[0] if IFLA_LINK in found else 0


class Held:
    """An address that the kernel has."""
    __slots__ = ("index", "address", "prefix", "flags")

    def __init__(self, index: int, address: str, prefix: int, flags: int) -> None:
        self.index, self.address, self.prefix, self.flags = index, address, prefix, flags


def attribute(kind: int, value: bytes) -> bytes:
    return pack("HH", len(value) + 4, kind) + value + b"\0" * (-len(value) % 4)


def attributes(message: bytes, at: int) -> dict[int, bytes]:
    found = {}
    while at + 4 <= len(message):
        size, kind = unpack_from("HH", message, at)
        if size < 4:
            break
        found[kind & 0x3FFF] = message[at + 4:at + size]
        at += (size + 3) & ~3
    return found


def _ask(kind: int, flags: int, body: bytes) -> list[bytes]:
    """The bodies of the answers. Raises KernelRefused."""
    with_header = pack("IHHII", 16 + len(body), kind, REQUEST | flags, 1, 0) + body
    kernel = _socket.socket(_socket.AF_NETLINK, _socket.SOCK_RAW, 0)
    try:
        kernel.bind((0, 0))
        kernel.send(with_header)
        bodies: list[bytes] = []
        while True:
            heard, at = kernel.recv(1 << 17), 0
            while at + 16 <= len(heard):
                size, what = unpack_from("IH", heard, at)
                if what == DONE:
                    return bodies
                if what == ERROR:
                    number = -unpack_from("i", heard, at + 16)[0]
                    if number:
                        raise KernelRefused(number)
                    return bodies
                bodies.append(heard[at + 16:at + size])
                at += (size + 3) & ~3
    finally:
        kernel.close()


def links() -> list[Link]:
    found = []
    for body in _ask(GETLINK, DUMP, pack("BBHiII", 0, 0, 0, 0, 0, 0)):
        index, flags = unpack_from("iI", body, 4)
        values = attributes(body, 16)
        about = attributes(values.get(IFLA_LINKINFO, b""), 0)
        found.append(Link(index, flags, values, about.get(KIND, b"").rstrip(b"\0").decode()))
    return found


def addresses() -> list[Held]:
    found = []
    for body in _ask(GETADDR, DUMP, pack("BBBBi", 0, 0, 0, 0, 0)):
        family, prefix, flags, _, index = unpack_from("BBBBi", body)
        if family not in FAMILIES:
            continue
        values = attributes(body, 8)
        if IFA_FLAGS in values:
            flags = unpack_from("I", values[IFA_FLAGS])[0]
        raw = values.get(IFA_LOCAL, values.get(IFA_ADDRESS, b""))
        found.append(Held(index, _socket.inet_ntop(family, raw), prefix, flags))
    return found


def packed(address: str) -> tuple[int, bytes]:
    """Its family and its bytes. Raises OSError for what is no address."""
    family = FAMILIES[":" in address]
    return family, _socket.inet_pton(family, address)


def add_address(index: int, address: str, prefix: int, deprecated: bool = False) -> None:
    """Usable at once: the kernel does not probe for duplicates. Raises KernelRefused.

    A deprecated one is not chosen as the source of what this host begins.
    """
    family, raw = packed(address)
    body = pack("BBBBi", family, prefix, NODAD, 0, index) + attribute(IFA_LOCAL, raw) + attribute(IFA_ADDRESS, raw)
    if deprecated:
        body += attribute(IFA_CACHEINFO, pack("IIII", 0, FOREVER, 0, 0))
    _ask(NEWADDR, ACK | CREATE | EXCL, body)


def delete_address(index: int, address: str, prefix: int) -> None:
    """Raises KernelRefused."""
    family, raw = packed(address)
    _ask(DELADDR, ACK, pack("BBBBi", family, prefix, 0, 0, index) + attribute(IFA_LOCAL, raw))


def set_up(index: int, up: bool) -> None:
    _ask(NEWLINK, ACK, pack("BBHiII", 0, 0, 0, index, IFF_UP if up else 0, IFF_UP))


def add_macvlan(name: str, over: int, mac: bytes, namespace: int = -1) -> None:
    """A link of its own MAC address over another, in the network namespace of that descriptor. Raises KernelRefused."""
    about = attribute(KIND, b"macvlan") + attribute(KIND_DATA, attribute(MACVLAN_MODE, pack("I", MACVLAN_BRIDGE)))
    into = attribute(IFLA_NET_NS_FD, pack("I", namespace)) if namespace >= 0 else b""
    body = (pack("BBHiII", 0, 0, 0, 0, 0, 0) + attribute(IFLA_IFNAME, name.encode() + b"\0")
            + attribute(IFLA_LINK, pack("I", over)) + attribute(IFLA_ADDRESS, mac) + into)
    _ask(NEWLINK, ACK | CREATE | EXCL, body + attribute(IFLA_LINKINFO, about))


def delete_link(index: int) -> None:
    _ask(DELLINK, ACK, pack("BBHiII", 0, 0, 0, index, 0, 0))


def link_events() -> _socket.socket:
    """A socket that becomes readable whenever a link of this namespace changes; what it says is not kept."""
    kernel = _socket.socket(_socket.AF_NETLINK, _socket.SOCK_RAW | _socket.SOCK_CLOEXEC, 0)
    kernel.bind((0, LINK_GROUP))
    return kernel


def rename(index: int, name: str) -> None:
    """The link must be down. Raises KernelRefused."""
    _ask(NEWLINK, ACK, pack("BBHiII", 0, 0, 0, index, 0, 0) + attribute(IFLA_IFNAME, name.encode() + b"\0"))
