"""ifconfig(8): -a, plumb, unplumb, addif, removeif, up, down, an address with netmask; logical names such as net0:1.

Everything is temporary. Not modelled: DHCP, tunnels, groups (use ipadm create-ipmp), ether, mtu, usesrc.
"""
from __future__ import annotations

import sys

from sunlab.net import addresses, interfaces, netlink, objects
from sunlab.net.columns import Refused, Usage
from sunlab.net.objects import Address

#: Bits of <net/if.h> in the order that they are printed.
FLAGS = ((0x1, "UP"), (0x2, "BROADCAST"), (0x8, "LOOPBACK"), (0x40, "RUNNING"), (0x800, "MULTICAST"),
         (0x40000, "DEPRECATED"), (0x1000000, "IPv4"), (0x2000000, "IPv6"), (0x10000000, "FAILED"),
         (0x2000000000, "VIRTUAL"))
FORM = "ifconfig -a | <interface> [inet|inet6] [plumb|unplumb|addif <address>|removeif <address>|up|down|<address>]"


class Logical:
    """A logical interface: net0:1 and its address, if it has one."""
    __slots__ = ("name", "family", "one")

    def __init__(self, name: str, family: str, one: "Address | None") -> None:
        self.name, self.family, self.one = name, family, one


def logical(present: dict[str, netlink.Link], family: str) -> list[Logical]:
    """Of a family, in order; an interface without an address has one all the same, down."""
    found = objects.all_addresses(present)
    rows = []
    for name in interfaces.plumbed(present):
        mine = [one for one in found if one.interface == name and one.state != "disabled"
                and (":" in one.address) == (family == "inet6")]
        rows += [Logical(f"{name}:{number}" if number else name, family, one) for number, one in enumerate(mine)]
        if not mine and family == "inet" and name != "lo0":
            rows.append(Logical(name, family, None))
    return rows


def flags(link: netlink.Link, name: str, row: Logical) -> str:
    up = row.one is not None and row.one.state in ("ok", "inaccessible")
    bits = 0x800 | (0x1000000 if row.family == "inet" else 0x2000000) | (0x1 if up else 0)
    bits |= 0x40 if link.running or name == "lo0" else 0x10000000
    if name == "lo0":
        bits |= 0x2000000008
    elif row.family == "inet":
        bits |= 0x2
    if row.one is not None and row.one.deprecated:
        bits |= 0x40000
    return f"{bits:x}<{','.join(word for bit, word in FLAGS if bits & bit)}>"


def show(row: Logical, present: dict[str, netlink.Link]) -> str:
    name = row.name.partition(":")[0]
    link = present[name]
    mtu = (8232 if row.family == "inet" else 8252) if name == "lo0" else link.mtu
    text = f"{row.name}: flags={flags(link, name, row)} mtu {mtu} index {link.index}\n"
    if row.family == "inet6":
        text += f"\tinet6 {row.one.cidr if row.one else '::/0'} \n"
    elif row.one is None:
        text += "\tinet 0.0.0.0 netmask 0 \n"
    else:
        text += f"\tinet {row.one.address} netmask {mask(row.one.prefix)} "
        text += "\n" if name == "lo0" else f"broadcast {broadcast(row.one)}\n"
    if ":" not in row.name and name != "lo0":
        text += f"\tether {':'.join(f'{byte:x}' for byte in link.mac)} \n"
    return text


def mask(prefix: int) -> str:
    return f"{(0xFFFFFFFF << (32 - prefix)) & 0xFFFFFFFF:08x}"


def broadcast(one: Address) -> str:
    from sunlab.net import properties
    return properties.broadcast(one)


def prefix_of(netmask: str) -> int:
    """Of 255.255.255.0 or ffffff00. Raises Refused for what is no mask."""
    try:
        number = (int.from_bytes(netlink.packed(netmask)[1], "big") if "." in netmask else int(netmask, 16))
    except (OSError, ValueError):
        raise Refused(f"{netmask}: bad address") from None
    bits = f"{number:032b}"
    if "01" in bits or len(bits) > 32:
        raise Refused(f"{netmask}: bad address")
    return bits.count("1")


def classful(address: str) -> int:
    """The prefix that an address without one had before CIDR, which ifconfig still uses."""
    first = int(address.partition(".")[0])
    return 8 if first < 128 else 16 if first < 192 else 24


def read(words: list[str]) -> tuple[str, int]:
    """The address in front of the words, and its prefix: /24, or `netmask` later on; what was read is removed."""
    text = words.pop(0)
    if "/" in text or ":" in text:
        return addresses.read_address(text)
    address, _ = addresses.read_address(text)
    if words[:1] == ["netmask"] and len(words) > 1:
        prefix = prefix_of(words[1])
        del words[:2]
        return address, prefix
    return address, classful(address)


def find(name: str, family: str, present: dict[str, netlink.Link]) -> Logical:
    for row in logical(present, family):
        if row.name == name:
            return row
    raise Refused(f"status: SIOCGLIFFLAGS: {name}: no such interface")


def add(interface: str, words: list[str], present: dict[str, netlink.Link]) -> Address:
    """A new object, down; its name is one of those that ipadm knows only as a name."""
    address, prefix = read(words)
    taken = objects.all_addresses(present)
    if any(one.address == address for one in taken):
        raise Refused(f"{address}: address already in use")
    name = addresses.free_name(interface, address, {one.name for one in taken})
    one = Address(name, address, prefix, "down")
    objects.remember(one)
    return one


def change(name: str, family: str, words: list[str]) -> None:
    interface = name.partition(":")[0]
    if words == ["plumb"]:
        interfaces.plumb(interface, objects.links())
        return
    present = objects.links()
    row = find(name, family, present)
    if words == ["unplumb"]:
        unplumb(row, present)
    else:
        configure(row, words, present)


def unplumb(row: Logical, present: dict[str, netlink.Link]) -> None:
    if ":" in row.name:
        remove(row, present)
        return
    interfaces.drop_active(row.name, present)
    interfaces.unplumb(row.name, present)


def configure(row: Logical, words: list[str], present: dict[str, netlink.Link]) -> None:
    """Do the words in their order, each on what the one before left. Raises Refused."""
    name, family, one = row.name, row.family, row.one
    interface = name.partition(":")[0]
    while words:
        word = words[0]
        if word in ("up", "down"):
            words.pop(0)
            one = set_state(name, one, word == "up", present)
        elif word == "addif" and len(words) > 1:
            words.pop(0)
            one = add(interface, words, present)
            number = next(each.name for each in logical(present, family) if each.one and each.one.name == one.name)
            sys.stdout.write(f"Created new logical interface {number}\n")
        elif word == "removeif" and len(words) > 1:
            address = words[1]
            del words[:2]
            remove(next((each for each in logical(present, family) if each.one and each.one.address == address
                         and each.name.partition(":")[0] == interface), Logical(name, family, None)), present)
        elif word == "broadcast" and words[1:2] == ["+"]:
            del words[:2]
        elif word[0].isdigit() or ":" in word:
            if one is not None:
                raise Refused("sunlab: another address instead of the one there: not modelled in this lab")
            one = add(interface, words, present)
        else:
            raise Refused(f"sunlab: {word}: not modelled in this lab")


def set_state(name: str, one: Address | None, up: bool, present: dict[str, netlink.Link]) -> Address:
    if one is None:
        raise Refused(f"sunlab: {name} has no address to bring up or down: not modelled in this lab")
    if up and one.state in ("down", "duplicate"):
        one.state = objects.put_up(one, present)
        if one.state == "duplicate":
            raise Refused(f"setifflags: SIOCSLIFFLAGS: {name}: Duplicate address detected")
    elif not up:
        objects.put_down(one, present)
        one.state = "down"
    objects.remember(one)
    return one


def remove(row: Logical, present: dict[str, netlink.Link]) -> None:
    if row.one is None:
        raise Refused("removeif: no such logical interface")
    objects.put_down(row.one, present)
    objects.forget(row.one.name)


def main(argv: list[str]) -> int:
    words = list(argv)
    try:
        if not words:
            raise Usage(FORM)
        name, present = words.pop(0), objects.links()
        family = words.pop(0) if words[:1] in (["inet"], ["inet6"]) else ""
        if words and name != "-a":
            change(name, family or "inet", words)
            return 0
        if words or name.startswith("-") and name != "-a":
            raise Usage(FORM)
        families = (family,) if family else ("inet", "inet6") if name == "-a" else ("inet",)
        chosen = [row for each in families for row in logical(present, each) if name in ("-a", row.name)]
        if not chosen:
            raise Refused(f"status: SIOCGLIFFLAGS: {name}: no such interface")
        sys.stdout.write("".join(show(row, present) for row in chosen))
    except Usage as wrong:
        sys.stderr.write(f"usage: {wrong.form}\n")
        return 1
    except (Refused, netlink.KernelRefused) as refused:
        sys.stderr.write(f"ifconfig: {refused}\n")
        return 1
    return 0
