"""Address objects: the names that ipadm(8) gives to addresses, kept in /var/run/ipadm, over what the kernel has.

What outlives a boot is in ipadm.conf (see persistent); an address that nobody named is shown as IF/?, in a zone IF/v4.
"""
from __future__ import annotations

import os

from sunlab.net import groups, netlink, persistent
from sunlab.net.netlink import Link

STATE = "/var/run/ipadm"
LINK_LOCAL = "fe80:"
#: In a zone: the first address of an interface is the one that it was configured with from the global zone.
ZONE = "/run/zonename"


class Address:
    __slots__ = ("name", "kind", "address", "prefix", "state", "deprecated", "up_at_boot", "deprecated_at_boot")

    def __init__(self, name: str, address: str, prefix: int, state: str, kind: str = "static",
                 deprecated: bool = False) -> None:
        self.name = name                    # net0/web
        self.kind = kind                    # static | addrconf
        self.address, self.prefix = address, prefix
        self.state = state                  # ok | down | tentative | duplicate | inaccessible | disabled
        self.deprecated = deprecated
        self.up_at_boot: bool | None = None             # None: not persistent
        self.deprecated_at_boot = False

    @property
    def interface(self) -> str:
        return self.name.partition("/")[0]

    @property
    def cidr(self) -> str:
        return f"{self.address}/{self.prefix}" if self.prefix else self.address

    @property
    def current(self) -> str:
        up = self.state in ("ok", "inaccessible", "tentative")
        return f"{'U' if up else '-'}---{'d' if self.deprecated and self.state != 'disabled' else '-'}"

    @property
    def at_boot(self) -> str:
        return f"{'U' if self.up_at_boot else '-'}-{'d' if self.deprecated_at_boot else '-'}"


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
    return [Address(name, address, int(prefix), state, kind, flag == "d")
            for name, address, prefix, state, kind, flag in rows]


def _keep(named: list[Address]) -> None:
    os.makedirs(STATE, exist_ok=True)
    fresh = f"{STATE}/objects.{os.getpid()}"
    with open(fresh, "w") as file:
        for one in named:
            flag = "d" if one.deprecated else "-"
            file.write(f"{one.name} {one.address} {one.prefix} {one.state} {one.kind} {flag}\n")
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
    named, known, above = _named(), persistent.addresses(), groups.read()
    active = {one.name for one in named}
    found = [Address(name, entry.address, entry.prefix, "ok", entry.kind, entry.deprecated)
             for name, entry in known.items() if name not in active] + named
    for one in found:
        entry = known.get(one.name)
        if entry is not None:
            one.up_at_boot, one.deprecated_at_boot = entry.up, entry.deprecated
        if one.kind == "addrconf":
            _link_local(one, here, present)
        elif one.state == "ok":
            below = above[one.interface].members if one.interface in above else (one.interface,)
            carrier = next((name for name in below if (name, one.address) in here), one.interface)
            held = here.pop((carrier, one.address), None)
            one.state = "disabled" if held is None and one.name not in active else state_of(held, present.get(carrier))
    for (interface, address), held in here.items():
        if address.startswith(LINK_LOCAL):
            continue        # an address of Solaris only once an addrconf object asks for it
        name = f"{interface}/{'v6' if ':' in address else 'v4'}"
        given = interface == "lo0" or os.path.exists(ZONE) and name not in {one.name for one in found}
        found.append(Address(name if given else f"{interface}/?", address, held.prefix,
                             state_of(held, present[interface])))
    order = {name: number for number, name in enumerate(present)}
    return sorted(found, key=lambda one: order.get(one.interface, len(order)))


def _link_local(one: Address, here: dict[tuple[str, str], netlink.Held], present: dict[str, Link]) -> None:
    """An addrconf object shows the link-local address that the kernel made of the MAC address."""
    for (interface, address), held in here.items():
        if interface == one.interface and address.startswith(LINK_LOCAL) and one.state == "ok":
            one.address, one.prefix, one.state = address, 10, state_of(held, present[interface])
            return


def state_of(held: netlink.Held | None, link: Link | None) -> str:
    if held is None or link is None:
        return "inaccessible"
    if held.flags & netlink.DAD_FAILED:
        return "duplicate"
    if held.flags & netlink.TENTATIVE:
        return "tentative"
    if not link.up:
        return "down"
    return "ok" if link.running or link.name == "lo" else "inaccessible"


def carrier(interface: str, present: dict[str, Link]) -> Link | None:
    """The link to put an address of this interface on: a group's best, or its own; None if none works."""
    group = groups.read().get(interface)
    if group is None:
        return present.get(interface)
    name = groups.emptiest(group, present, netlink.addresses())
    return present[name] if name else None


def put_down(one: Address, present: dict[str, Link]) -> None:
    """Take an object's address from whichever link has it."""
    group = groups.read().get(one.interface)
    for name in group.members if group else (one.interface,):
        if name in present:
            take_down(present[name], one.address)


def put_up(one: Address, present: dict[str, Link]) -> str:
    """Bring an object's address up: its state. In a group whose links have all failed it waits for one."""
    if one.kind == "addrconf":
        return "ok"
    link = carrier(one.interface, present)
    return bring_up(link, one.address, one.prefix, one.deprecated) if link else "ok"


def bring_up(link: Link, address: str, prefix: int, deprecated: bool = False) -> str:
    """Give the interface the address unless another machine has it, and tell the network at once.

    Returns the state: ok, or duplicate. Raises KernelRefused.
    """
    if link.name == "lo":
        netlink.add_address(link.index, address, prefix, deprecated)
        return "ok"
    if not link.up:
        netlink.set_up(link.index, True)
    from sunlab.net import neighbours  # here: most commands only look
    wire = neighbours.Wire(link.name, netlink.packed(address)[1])
    try:
        if wire.in_use():
            return "duplicate"
        netlink.add_address(link.index, address, prefix, deprecated)
        wire.announce()
        return "ok"
    finally:
        wire.close()


def take_down(link: Link, address: str) -> None:
    """Take the address from the interface, if it is there."""
    for held in netlink.addresses():
        if held.index == link.index and held.address == address:
            netlink.delete_address(held.index, held.address, held.prefix)
