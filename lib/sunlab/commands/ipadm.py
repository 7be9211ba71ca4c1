"""ipadm(8): interfaces and address objects of a lab node, over the kernel of Linux.

Modelled: create-ip/create-if, delete-ip/delete-if, show-if, create-addr -t -T static, delete-addr, show-addr, up-addr,
down-addr, refresh-addr. Formats and messages: ipadm.c of illumos. Everything else says that it is not modelled.
"""
from __future__ import annotations

import os
import sys

from sunlab.net import netlink, objects
from sunlab.net.columns import Refused, Usage, options, show
from sunlab.net.objects import Address

ADDR = {"ADDROBJ": 18, "TYPE": 9, "STATE": 13, "CURRENT": 8, "PERSISTENT": 11, "ADDR": 46}
IF = {"IFNAME": 11, "STATE": 9, "CURRENT": 13, "PERSISTENT": 11}
#: Interfaces that delete-ip took away or that create-ip has not made yet; the links themselves stay.
UNPLUMBED = f"{objects.STATE}/unplumbed"


def plumbed(present: dict[str, netlink.Link]) -> list[str]:
    """The links with an IP interface: those that are up, and those that were not deleted."""
    return [name for name in present if not os.path.exists(f"{UNPLUMBED}/{name}") and (present[name].kind != "macvlan"
            or present[name].up)]


def show_addr(words: list[str]) -> None:
    given, names = options(words, "o", "p")
    found = objects.all_addresses(objects.links())
    for name in names:
        if not any(name.rstrip("/") in (one.name, one.interface) for one in found):
            raise Refused(f"could not show address {name}: Address object not found" if "/" in name
                          else f"cannot show address: Interface does not exist: {name}")
    wanted = [name.rstrip("/") for name in names]
    rows = [{"ADDROBJ": one.name, "TYPE": "static", "STATE": one.state, "ADDR": one.cidr,
             "CURRENT": "U----" if one.state == "ok" else "-----", "PERSISTENT": "---"}
            for one in found if not names or one.name in wanted or one.interface in wanted]
    show(ADDR, "ADDROBJ,TYPE,STATE,ADDR", rows, given)


def show_if(words: list[str]) -> None:
    given, names = options(words, "o", "p")
    present = objects.links()
    here = plumbed(present)
    for name in names:
        if name not in here:
            raise Refused(f"cannot get information for interface(s): Interface does not exist: {name}")
    rows = [{"IFNAME": name, "STATE": "ok" if present[name].running else "failed" if present[name].up else "down",
             "CURRENT": "-m-v------46" if name == "lo0" else "bm--------46", "PERSISTENT": "---"}
            for name in here if not names or name in names]
    show(IF, "IFNAME,STATE,CURRENT,PERSISTENT", rows, given)


def one_operand(verb: str, words: list[str], flags: str) -> str:
    _, names = options(words, "", flags)
    if len(names) != 1:
        raise Usage(f"{verb}: exactly one operand is needed")
    return names[0]


def create_if(words: list[str]) -> None:
    name = one_operand("create-ip", words, "t")
    if "-t" not in words:
        raise Refused("a persistent interface (without -t): not modelled in this lab")
    present = objects.links()
    if name not in present:
        raise Refused(f"cannot create interface {name}: No such interface")
    if name in plumbed(present):
        raise Refused(f"cannot create interface {name}: Interface already exists")
    netlink.set_up(present[name].index, True)
    if os.path.exists(f"{UNPLUMBED}/{name}"):
        os.unlink(f"{UNPLUMBED}/{name}")


def delete_if(words: list[str]) -> None:
    name = one_operand("delete-ip", words, "")
    present = objects.links()
    if name == "lo0" or name not in plumbed(present):
        raise Refused(f"cannot delete interface {name}: Interface does not exist")
    for one in objects.all_addresses(present):
        if one.interface == name:
            objects.take_down(present[name], one.address)
            objects.forget(one.name)
    netlink.set_up(present[name].index, False)
    os.makedirs(UNPLUMBED, exist_ok=True)
    with open(f"{UNPLUMBED}/{name}", "w"):
        pass


def create_addr(words: list[str]) -> None:
    given, names = options(words, "Ta", "td")
    if len(names) != 1:
        raise Usage("create-addr: exactly one address object is needed, such as net0/web")
    name, kind = names[0], given.get("T", "static")
    interface, slash, own = name.partition("/")
    if kind != "static":
        raise Refused(f"-T {kind}: not modelled in this lab")
    if "t" not in given:
        raise Refused("a persistent address (without -t): not modelled in this lab")
    if not slash or not own or not own.replace("_", "a").isalnum() or not own[0].isalpha() or len(name) > 32:
        raise Refused(f"Invalid address object name: {name}")
    address, prefix = read_address(given.get("a", ""))
    present = objects.links()
    if interface not in present:
        raise Refused("Could not create address: No such interface")
    found = objects.all_addresses(present)
    if any(one.name == name for one in found):
        raise Refused("Could not create address: Address object already exists")
    if any(one.address == address for one in found):
        raise Refused("Could not create address: Address already exists")
    # A duplicate is a soft error: the command succeeds and the object says so (IPADM_DAD_FOUND).
    state = "down" if "d" in given else objects.bring_up(present[interface], address, prefix)
    objects.remember(Address(name, address, prefix, state))
    if os.path.exists(f"{UNPLUMBED}/{interface}"):
        os.unlink(f"{UNPLUMBED}/{interface}")


def read_address(text: str) -> tuple[str, int]:
    """[local=]ADDRESS[/PREFIX], as the kernel spells it. Raises Refused."""
    key, equals, value = text.rpartition("=")
    if equals and key != "local":
        raise Refused(f"-a {key}=: not modelled in this lab")
    address, _, prefix = value.partition("/")
    longest = 128 if ":" in address else 32
    try:
        family, raw = netlink.packed(address)
        bits = int(prefix) if prefix else longest
    except (OSError, ValueError):
        raise Refused(f"Invalid address: {value or 'none given'}") from None
    if not 0 <= bits <= longest:
        raise Refused(f"Invalid address: {value}")
    from _socket import inet_ntop
    return inet_ntop(family, raw), bits


def the_object(verb: str, name: str, present: dict[str, netlink.Link]) -> Address:
    for one in objects.all_addresses(present):
        if one.name == name and not name.endswith("/?"):
            return one
    raise Refused(f"could not {verb} address: Object not found")


def delete_addr(words: list[str]) -> None:
    present = objects.links()
    one = the_object("delete", one_operand("delete-addr", words, "r"), present)
    if one.interface in present and one.state != "duplicate":
        objects.take_down(present[one.interface], one.address)
    objects.forget(one.name)


def down_addr(words: list[str]) -> None:
    present = objects.links()
    one = the_object("down", one_operand("down-addr", words, "t"), present)
    if "-t" not in words:
        raise Refused("Persistent operation on temporary object")
    objects.take_down(present[one.interface], one.address)
    objects.remember(Address(one.name, one.address, one.prefix, "down"))


def up_addr(words: list[str]) -> None:
    present = objects.links()
    one = the_object("up", one_operand("up-addr", words, "t"), present)
    if "-t" not in words:
        raise Refused("Persistent operation on temporary object")
    if one.state != "ok":
        state = objects.bring_up(present[one.interface], one.address, one.prefix)
        objects.remember(Address(one.name, one.address, one.prefix, state))


def refresh_addr(words: list[str]) -> None:
    """Duplicate address detection once more: a duplicate comes up if the other machine has gone."""
    present = objects.links()
    one = the_object("refresh", one_operand("refresh-addr", words, ""), present)
    if one.state in ("ok", "duplicate"):
        objects.take_down(present[one.interface], one.address)
        state = objects.bring_up(present[one.interface], one.address, one.prefix)
        objects.remember(Address(one.name, one.address, one.prefix, state))


SUBCOMMANDS = {"show-addr": show_addr, "show-if": show_if, "create-if": create_if, "create-ip": create_if,
               "delete-if": delete_if, "delete-ip": delete_if, "create-addr": create_addr, "delete-addr": delete_addr,
               "down-addr": down_addr, "up-addr": up_addr, "refresh-addr": refresh_addr}


def main(argv: list[str]) -> int:
    verb, words = (argv[0], argv[1:]) if argv else ("show-addr", [])
    does = SUBCOMMANDS.get(verb)
    if does is None:
        sys.stderr.write(f"ipadm: {verb}: not modelled in this lab\n")
        return 1
    try:
        does(words)
    except Usage as wrong:
        sys.stderr.write(f"ipadm: {wrong}\nusage: ipadm <subcommand> <args> ...\n")
        return 2
    except (Refused, netlink.KernelRefused, PermissionError) as refused:
        sys.stderr.write(f"ipadm: {refused}\n")
        return 1
    return 0
