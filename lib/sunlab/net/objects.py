"""Address objects: the names that ipadm(8) gives to addresses, kept in /var/run/ipadm, over what the kernel has.

The node's own fixed address is shown as IF/v4 or IF/v6; any other that no object names (a zone's) as IF/?.
"""
from __future__ import annotations

import os

from sunlab.net import neighbours, netlink
from sunlab.net.netlink import Link

STATE = "/var/run/ipadm"


class Address:
    __slots__ = ("name", "address", "prefix", "state")

    def __init__(self, name: str, address: str, prefix: int, state: str) -> None:
        self.name = name                    # net0/web
        self.address, self.prefix = address, prefix
        self.state = state                  # ok | down | tentative | duplicate | inaccessible

    @property
    def interface(self) -> str:
        return self.name.partition("/")[0]

    @property
    def cidr(self) -> str:
        return f"{self.address}/{self.prefix}"


def solaris(interface: str) -> str:
    return "lo0" if interface == "lo" else interface


def links() -> dict[str, Link]:
    """By their names on Solaris."""
    return {solaris(link.name): link for link in netlink.links()}


def _named() -> list[Address]:
    """In the order of making, with the state that each was left in."""
    try:
        with open(f"{STATE}/objects") as file:
            rows = [line.split() for line in file]
    except FileNotFoundError:
        return []
    return [Address(name, address, int(prefix), state) for name, address, prefix, state in rows]


def _keep(named: list[Address]) -> None:
    os.makedirs(STATE, exist_ok=True)
    fresh = f"{STATE}/objects.{os.getpid()}"
    with open(fresh, "w") as file:
        file.writelines(f"{one.name} {one.address} {one.prefix} {one.state}\n" for one in named)
    os.replace(fresh, f"{STATE}/objects")


class Exclusively:
    """While it lasts, no other command changes the objects."""

    def __enter__(self) -> None:
        import fcntl
        os.makedirs(STATE, exist_ok=True)
        self.lock = os.open(f"{STATE}/lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
        fcntl.flock(self.lock, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        os.close(self.lock)


def remember(one: Address) -> None:
    with Exclusively():
        _keep([other for other in _named() if other.name != one.name] + [one])


def forget(name: str) -> None:
    with Exclusively():
        _keep([other for other in _named() if other.name != name])


def all_addresses(present: dict[str, Link]) -> list[Address]:
    """Those with a name and those that only the kernel has, by interface."""
    by_index = {link.index: name for name, link in present.items()}
    here = {(by_index[held.index], held.address): held for held in netlink.addresses()}
    found, fixed = [], set()
    for one in _named():
        held = here.pop((one.interface, one.address), None)
        if one.state == "ok":
            one.state = state_of(held, present.get(one.interface))
        found.append(one)
    for (interface, address), held in here.items():
        name = f"{interface}/{'v6' if ':' in address else 'v4'}"
        shown = f"{interface}/?" if name in fixed else name
        fixed.add(name)
        found.append(Address(shown, address, held.prefix, state_of(held, present[interface])))
    order = {name: number for number, name in enumerate(present)}
    return sorted(found, key=lambda one: order.get(one.interface, len(order)))


def state_of(held: netlink.Held | None, link: Link | None) -> str:
    if held is None or link is None:
        return "inaccessible"
    if held.flags & netlink.DAD_FAILED:
        return "duplicate"
    if held.flags & netlink.TENTATIVE:
        return "tentative"
    return "ok" if link.up else "down"


def bring_up(link: Link, address: str, prefix: int) -> str:
    """Give the interface the address unless another machine has it, and tell the network at once.

    Returns the state: ok, or duplicate. Raises KernelRefused.
    """
    if link.name == "lo":
        netlink.add_address(link.index, address, prefix)
        return "ok"
    if not link.up:
        netlink.set_up(link.index, True)
    wire = neighbours.Wire(link.name, netlink.packed(address)[1])
    try:
        if wire.in_use():
            return "duplicate"
        netlink.add_address(link.index, address, prefix)
        wire.announce()
        return "ok"
    finally:
        wire.close()


def take_down(link: Link, address: str) -> None:
    """Take the address from the interface, if it is there."""
    for held in netlink.addresses():
        if held.index == link.index and held.address == address:
            netlink.delete_address(held.index, held.address, held.prefix)
