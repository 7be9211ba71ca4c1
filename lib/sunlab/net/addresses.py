"""The subcommands of ipadm(8) about address objects. Formats and messages: ipadm.c and libipadm of illumos."""
from __future__ import annotations

import sys

from sunlab import platform
from sunlab.net import groups, netlink, objects, persistent
from sunlab.net.columns import Refused, Usage, options, show
from sunlab.net.objects import Address
from sunlab.platform import Platform

COLUMNS = {"ADDROBJ": 18, "TYPE": 9, "STATE": 13, "CURRENT": 8, "PERSISTENT": 11, "ADDR": 46}
CREATE = ("create-addr [-t] -T static [-d] -a{local|remote}=addr[/prefixlen] <addrobj>")
TEMPORARY = "Persistent operation on temporary object"


def here() -> Platform:
    return platform.here()


def show_addr(words: list[str]) -> None:
    given, names = options(words, "o", "p")
    if "p" in given and "o" not in given:
        raise Refused("-p requires -o")
    if len(names) > 1:
        raise Usage("show-addr [[-p] -o <field>,...] [<addrobj>]")
    name = names[0] if names else ""
    if name and "/" not in name and not here().guesses_address:
        raise Refused("Invalid address object name provided")
    present = objects.links()
    found = objects.all_addresses(present)
    interface, slash, own = name.partition("/")
    if interface and not own and not there(interface, present):
        raise Refused("Could not get address: Interface does not exist")
    rows = [row(one) for one in found if not name or one.name == name or not own and one.interface == interface]
    show(COLUMNS, "ADDROBJ,TYPE,STATE,ADDR", rows, given)
    if own and not rows:
        raise Refused("Address object not found")


def there(interface: str, present: dict[str, netlink.Link]) -> bool:
    from sunlab.net import interfaces
    return interfaces.exists(interface, present)


def row(one: Address) -> dict[str, str]:
    return {"ADDROBJ": one.name, "TYPE": one.kind, "STATE": one.state, "ADDR": one.cidr, "CURRENT": one.current,
            "PERSISTENT": "---" if one.up_at_boot is None else one.at_boot}


def free_name(interface: str, address: str, taken: set[str]) -> str:
    """The name that Solaris invents: net0/v4, then net0/v4a, net0/v4b, …"""
    stem = f"{interface}/{'v6' if ':' in address else 'v4'}"
    names = [stem] + [stem + letter for letter in "abcdefghijklmnopqrstuvwxyz"]
    for one in names:
        if one not in taken:
            return one
    raise Refused("Could not create address: Already exists")


def create_addr(words: list[str]) -> None:
    given, names = options(words, "Taipwh", "td1")
    system = here()
    kind = given.get("T", "static" if system.guesses_address else "")
    if not kind or len(names) != 1:
        raise Usage(CREATE, "Invalid arguments")
    name = names[0]
    interface, slash, own = name.partition("/")
    if not own and (slash or not system.guesses_address):
        raise Usage(CREATE, f"invalid address object name: {name}")
    if kind not in ("static", "dhcp", "addrconf", *(["vrrp"] if system.guesses_address else [])):
        raise Refused(f"Invalid address type {kind}")
    if kind in ("dhcp", "vrrp") or any(letter in given for letter in "ipwh1"):
        raise Refused(f"sunlab: create-addr -T {kind}: not modelled in this lab")
    if kind == "static" and "a" not in given or kind == "addrconf" and ("a" in given or "d" in given):
        raise Usage(CREATE, f"Invalid arguments for type {kind}")
    address, prefix = read_address(given["a"]) if kind == "static" else ("::", 0)
    if own and not valid_label(name, own):
        raise Refused("Error in creating address object: Invalid argument provided")
    present = objects.links()
    found = objects.all_addresses(present)
    if not own:
        name = free_name(interface, address, {one.name for one in found})
    ready(interface, present, system.plumbs_for_address)
    if any(one.name == name for one in found):
        raise Refused("Could not create address: Address object already exists")
    if kind == "static" and any(one.address == address and one.state not in ("disabled", "duplicate") for one in found):
        raise Refused("Could not create address: Address already in use")
    # A duplicate is a soft error: the command succeeds and the object says so (IPADM_DAD_FOUND).
    one = Address(name, address, prefix, "down", kind)
    if "d" not in given:
        one.state = objects.put_up(one, present)
    objects.remember(one)
    if "t" not in given:
        persistent.put_address(name, kind, one.cidr, "d" not in given)
    if not own:
        sys.stdout.write(f"{name}\n")


def ready(interface: str, present: dict[str, netlink.Link], may_plumb: bool) -> None:
    """The IP interface is there, or is made where create-addr does that. Raises Refused."""
    from sunlab.net import interfaces
    if interfaces.exists(interface, present):
        return
    if not may_plumb:
        raise Refused("Could not create address: Interface does not exist")
    try:
        interfaces.plumb(interface, present)
    except Refused as problem:
        raise Refused(f"Could not create address: {problem}") from None


def valid_label(name: str, own: str) -> bool:
    return own.replace("_", "a").isalnum() and own[0].isalpha() and len(name) <= 32


def read_address(text: str) -> tuple[str, int]:
    """[local=]ADDRESS[/PREFIX], as the kernel spells it. Raises Refused."""
    key, equals, value = text.rpartition("=")
    if equals and key != "local":
        raise Refused(f"sunlab: -a {key}=: not modelled in this lab")
    address, slash, prefix = value.partition("/")
    longest = 128 if ":" in address else 32
    try:
        family, raw = netlink.packed(address)
        bits = int(prefix) if slash else longest
    except (OSError, ValueError):
        raise Refused("Error in setting local address: Invalid address") from None
    if not 0 <= bits <= longest:
        raise Refused("Error in setting local address: Invalid address")
    from _socket import inet_ntop
    return inet_ntop(family, raw), bits


def the_object(text: str, name: str, present: dict[str, netlink.Link]) -> Address:
    for one in objects.all_addresses(present):
        if one.name == name and not name.endswith("/?"):
            return one
    raise Refused(f"{text}: Object not found")


def delete_addr(words: list[str]) -> None:
    given, names = options(words, "", "r")
    if len(names) != 1:
        raise Usage("delete-addr [-r] <addrobj>")
    present = objects.links()
    one = the_object("could not delete address", names[0], present)
    if "r" in given:
        raise Refused("could not delete address: Operation not supported")      # there is no lease to release
    if one.state not in ("duplicate", "disabled", "down"):
        objects.put_down(one, present)
    objects.forget(one.name)
    if one.up_at_boot is not None:
        persistent.drop("addr", one.name)


def chosen(words: list[str], verb: str, text: str, only_temporary: bool = False) -> tuple[bool, Address]:
    """Is -t there, and the object that the words name. Raises Usage, Refused."""
    from sunlab.net import interfaces
    temporary, name = interfaces.one_name(words, f"{verb} [-t] <addrobj>")
    if only_temporary and not temporary:
        raise Refused(f"persistent operation not supported for {verb}")
    return temporary, the_object(text, name, objects.links())


def mark(words: list[str], up: bool) -> None:
    word = "up" if up else "down"
    text = f"Could not mark the address {word}"
    temporary, one = chosen(words, f"{word}-addr", text)
    if one.state == "disabled":
        raise Refused(f"{text}: Operation not supported on disabled object")
    if not temporary and one.up_at_boot is None:
        raise Refused(f"{text}: {TEMPORARY}")
    present = objects.links()
    if not up:
        objects.put_down(one, present)
        one.state = "down"
    elif one.state in ("down", "duplicate"):
        one.state = objects.put_up(one, present)
    else:
        one.state = "ok"
    objects.remember(one)
    if not temporary:
        persistent.put_address(one.name, one.kind, one.cidr, up, one.deprecated_at_boot)


def up_addr(words: list[str]) -> None:
    mark(words, True)


def down_addr(words: list[str]) -> None:
    mark(words, False)


def disable_addr(words: list[str]) -> None:
    text = "could not disable address"
    _, one = chosen(words, "disable-addr", text, True)
    if one.up_at_boot is None:
        raise Refused(f"{text}: {TEMPORARY}")
    if one.state == "disabled":
        raise Refused(f"{text}: Operation not supported on disabled object")
    objects.put_down(one, objects.links())
    objects.forget(one.name)


def enable_addr(words: list[str]) -> None:
    text = "could not enable address"
    _, one = chosen(words, "enable-addr", text, True)
    if one.state != "disabled":
        raise Refused(f"{text}: Address object already exists")
    present = objects.links()
    ready(one.interface, present, True)
    one.state = objects.put_up(one, present) if one.up_at_boot else "down"
    objects.remember(one)


def refresh_addr(words: list[str]) -> None:
    """Duplicate address detection once more: a duplicate comes up if the other machine has gone."""
    given, names = options(words, "", "i")
    if len(names) != 1:
        raise Usage("refresh-addr [-i] <addrobj>")
    present = objects.links()
    one = the_object("could not refresh address", names[0], present)
    if one.state == "disabled":
        raise Refused("could not refresh address Operation not supported on disabled object")
    if one.kind == "static" and one.state in ("ok", "duplicate"):
        objects.put_down(one, present)
        one.state = objects.put_up(one, present)
        objects.remember(one)


def tree() -> None:
    """A bare `ipadm` on Solaris 11.4: every interface, its addresses below it."""
    from sunlab.net import interfaces
    columns = {"NAME": 18, "CLASS/TYPE": 11, "STATE": 13, "UNDER": 11, "ADDR": 46}
    found = objects.all_addresses(objects.links())
    above = {name: group.name for group in groups.read().values() for name in group.members}
    rows = []
    for each in interfaces.all_interfaces():
        rows.append({"NAME": each.name, "CLASS/TYPE": each.kind, "STATE": each.state,
                     "UNDER": above.get(each.name, ""), "ADDR": ""})
        rows += [{"NAME": f"   {one.name}", "CLASS/TYPE": one.kind, "STATE": one.state, "UNDER": "", "ADDR": one.cidr}
                 for one in found if one.interface == each.name]
    show(columns, ",".join(columns), rows, {})
