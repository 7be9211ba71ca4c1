"""ipadm(8): interfaces and address objects of a lab node, over the kernel of Linux.

Modelled: create-ip/create-if, delete-ip/delete-if, show-if, create-addr -T static, delete-addr, show-addr, up-addr, down-addr,
refresh-addr. Formats and messages: ipadm.c of illumos. Everything else says that it is not modelled.
"""
import sys
from typing import Callable, Dict, List, NoReturn, Tuple

from sunlab.net import objects
from sunlab.net.objects import Address, IpFailed

ADDR = {"ADDROBJ": 18, "TYPE": 9, "STATE": 13, "ADDR": 46}
IF = {"IFNAME": 11, "STATE": 9, "CURRENT": 13, "PERSISTENT": 11}


class Refused(Exception):
    """Exit 1 with this text."""


def usage(text: str) -> NoReturn:
    sys.stderr.write(f"ipadm: {text}\nusage:\tipadm <subcommand> <args> ...\n")
    raise SystemExit(2)


def options(argv: List[str], with_value: str, flags: str) -> Tuple[Dict[str, str], List[str]]:
    """getopt(3C) over single letters: their values, and the operands."""
    found: Dict[str, str] = {}
    rest = list(argv)
    while rest and rest[0].startswith("-") and len(rest[0]) > 1:
        word = rest.pop(0)[1:]
        while word:
            letter, word = word[0], word[1:]
            if letter in with_value:
                if not word and not rest:
                    usage(f"option '-{letter}' requires an argument")
                found[letter] = word or rest.pop(0)
                word = ""
            elif letter in flags:
                found[letter] = ""
            else:
                usage(f"unrecognized option '-{letter}'")
    return found, rest


def show(columns: Dict[str, int], rows: List[Dict[str, str]], given: Dict[str, str]) -> int:
    if "p" in given and "o" not in given:
        raise Refused("-p requires -o")
    chosen = [name.upper() for name in given.get("o", ",".join(columns)).split(",")]
    if chosen == ["ALL"]:
        chosen = list(columns)
    for name in chosen:
        if name not in columns:
            raise Refused(f"unknown output field `{name.lower()}'")
    if "p" in given:
        for row in rows:
            values = [row[name] for name in chosen]
            if len(values) > 1:
                values = [value.replace("\\", "\\\\").replace(":", "\\:") for value in values]
            sys.stdout.write(":".join(values) + "\n")
        return 0
    for row in [{name: name for name in columns}] + rows:
        line = " ".join((row[name] or "--").ljust(columns[name]) for name in chosen)
        sys.stdout.write(line.rstrip() + "\n")
    return 0


def show_addr(argv: List[str]) -> int:
    given, names = options(argv, "o", "p")
    present = objects.all_addresses()
    for name in names:
        if not any(name in (one.name, one.name.partition("/")[0], one.name.partition("/")[0] + "/") for one in present):
            raise Refused(f"could not show address {name}: Address object not found" if "/" in name
                          else f"interface '{name}' does not exist")
    chosen = [one for one in present
              if not names or one.name in names or one.name.partition("/")[0] in [n.rstrip("/") for n in names]]
    rows = [{"ADDROBJ": one.name, "TYPE": "static", "STATE": one.state, "ADDR": one.cidr} for one in chosen]
    return show(ADDR, rows, given)


def show_if(argv: List[str]) -> int:
    given, names = options(argv, "o", "p")
    present = objects.interfaces()
    for name in names:
        if name not in present:
            raise Refused(f"cannot get information for interface(s): Interface does not exist: {name}")
    rows = [{"IFNAME": name, "STATE": "ok" if up else "down", "CURRENT": "bm--------46" if name != "lo0" else
             "-m-v------46", "PERSISTENT": "-46"} for name, up in present.items() if not names or name in names]
    return show(IF, rows, given)


def create_if(argv: List[str]) -> int:
    _, names = options(argv, "", "t")
    if len(names) != 1:
        usage("create-if: one interface")
    present = objects.interfaces()
    if names[0] not in present:
        raise Refused(f"cannot create interface {names[0]}: Datalink does not exist")
    if present[names[0]]:
        raise Refused(f"cannot create interface {names[0]}: Interface already exists")
    objects.ip("link", "set", objects.linux(names[0]), "up")
    return 0


def delete_if(argv: List[str]) -> int:
    _, names = options(argv, "", "t")
    if len(names) != 1 or not objects.interfaces().get(names[0]):
        raise Refused(f"cannot delete interface {' '.join(names)}: Interface does not exist")
    for one in objects.all_addresses():
        if one.name.partition("/")[0] == names[0]:
            _remove(one)
    objects.ip("link", "set", objects.linux(names[0]), "down")
    return 0


def create_addr(argv: List[str]) -> int:
    given, names = options(argv, "Ta", "td")
    if len(names) != 1 or "/" not in names[0]:
        usage("create-addr: one address object, such as net0/web")
    if given.get("T", "static") != "static":
        raise Refused(f"-T {given['T']}: not modelled in this lab")
    if "t" not in given:
        raise Refused("a persistent address (without -t): not modelled in this lab")
    name, cidr = names[0], given.get("a", "").split("local=")[-1]
    interface = name.partition("/")[0]
    address, _, prefix = cidr.partition("/")
    if not address:
        usage("create-addr: -a local=ADDRESS/PREFIX is missing")
    cidr = f"{address}/{prefix or ('128' if ':' in address else '32')}"
    if interface not in objects.interfaces():
        raise Refused("Could not create address: Datalink does not exist" if ":" not in interface
                      else "Could not create address: Invalid argument")
    if objects.find(name):
        raise Refused("Could not create address: Address object already exists")
    if any(one.cidr.partition("/")[0] == address for one in objects.all_addresses()):
        raise Refused("Could not create address: Address already exists")
    _add(name, interface, address, cidr, "d" not in given)
    return 0


def _add(name: str, interface: str, address: str, cidr: str, up: bool) -> None:
    from sunlab.net import neighbours
    if not up:
        objects.remember(name, cidr, "down")
        return
    device, v6 = objects.linux(interface), ":" in address
    asks, tells = ((neighbours.in_use_v6, neighbours.announce_v6) if v6
                   else (neighbours.in_use_v4, neighbours.announce_v4))
    if interface != "lo0" and asks(device, address):
        # A soft error on Solaris: the command succeeds, the object says `duplicate` (IPADM_DAD_FOUND).
        objects.remember(name, cidr, "duplicate")
        return
    objects.ip("address", "add", cidr, "dev", device, *(["nodad"] if v6 else []))
    objects.remember(name, cidr, "ok")
    if interface != "lo0":
        tells(device, address)


def _remove(one: Address) -> None:
    interface = one.name.partition("/")[0]
    if f"{interface} {one.cidr}" in objects.kernel():
        objects.ip("address", "del", one.cidr, "dev", objects.linux(interface))
    objects.forget(one.name)


def _the_object(verb: str, names: List[str]) -> Address:
    if len(names) != 1:
        usage(f"{verb}: one address object")
    one = objects.find(names[0])
    if one is None:
        raise Refused(f"could not {verb.partition('-')[0]} address: Object not found")
    return one


def delete_addr(argv: List[str]) -> int:
    _, names = options(argv, "", "r")
    _remove(_the_object("delete-addr", names))
    return 0


def down_addr(argv: List[str]) -> int:
    _, names = options(argv, "", "t")
    one = _the_object("down-addr", names)
    _remove(one)
    objects.remember(one.name, one.cidr, "down")
    return 0


def up_addr(argv: List[str]) -> int:
    _, names = options(argv, "", "t")
    one = _the_object("up-addr", names)
    if one.state != "ok":
        objects.forget(one.name)
        _add(one.name, one.name.partition("/")[0], one.cidr.partition("/")[0], one.cidr, True)
    return 0


SUBCOMMANDS: Dict[str, Callable[[List[str]], int]] = {
    "show-addr": show_addr, "show-if": show_if, "create-if": create_if, "create-ip": create_if, "delete-if": delete_if,
    "delete-ip": delete_if, "create-addr": create_addr, "delete-addr": delete_addr, "down-addr": down_addr,
    "up-addr": up_addr, "refresh-addr": up_addr}


def main(argv: List[str]) -> int:
    if not argv:
        return show_addr([])
    does = SUBCOMMANDS.get(argv[0])
    if does is None:
        sys.stderr.write(f"ipadm: {argv[0]}: not modelled in this lab\n")
        return 1
    try:
        return does(argv[1:])
    except (Refused, IpFailed) as refused:
        sys.stderr.write(f"ipadm: {refused}\n")
        return 1
