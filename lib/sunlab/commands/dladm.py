"""dladm(8): the links of a lab node. Modelled: show-link, show-phys, create-vnic -t -l, delete-vnic -t."""
from __future__ import annotations

import sys

from sunlab.net import netlink, objects, vnic
from sunlab.net.columns import Refused, Usage, options, show

LINK = {"LINK": 11, "CLASS": 8, "MTU": 6, "STATE": 8, "BRIDGE": 10, "OVER": 10}
PHYS = {"LINK": 12, "MEDIA": 20, "STATE": 10, "SPEED": 6, "DUPLEX": 9, "DEVICE": 12}
VNIC = vnic.KIND


def data_links(names: list[str]) -> dict[str, netlink.Link]:
    """Loopback is no data link. Raises Refused for a name that is none."""
    present = {name: link for name, link in objects.links().items() if name != "lo0"}
    for name in names:
        if name not in present:
            raise Refused(f"invalid link '{name}': link does not exist")
    return {name: link for name, link in present.items() if not names or name in names}


def state(link: netlink.Link) -> str:
    return "up" if link.running else "down" if link.up else "unknown"


def show_link(words: list[str]) -> None:
    given, names = options(words, "o", "p")
    by_index = {link.index: name for name, link in data_links([]).items()}
    rows = [{"LINK": name, "CLASS": "vnic" if link.kind == VNIC else "phys", "MTU": str(link.mtu), "STATE": state(link),
             "BRIDGE": "", "OVER": by_index.get(link.over, "") if link.kind == VNIC else ""}
            for name, link in data_links(names).items()]
    show(LINK, ",".join(LINK), rows, given)


def show_phys(words: list[str]) -> None:
    given, names = options(words, "o", "p")
    rows = [{"LINK": name, "MEDIA": "Ethernet", "STATE": state(link), "SPEED": "10000" if link.running else "0",
             "DUPLEX": "full" if link.running else "unknown", "DEVICE": name}
            for name, link in data_links(names).items() if link.kind != VNIC]
    show(PHYS, ",".join(PHYS), rows, given)


def create_vnic(words: list[str]) -> None:
    given, names = options(words, "l", "t")
    if len(names) != 1 or "l" not in given:
        raise Usage("create-vnic -t -l LINK VNIC (other options are not modelled in this lab)")
    if "t" not in given:
        raise Refused("a persistent VNIC (without -t): not modelled in this lab")
    if not (names[0].replace("_", "a").isalnum() and names[0][0].isalpha() and names[0][-1].isdigit()):
        raise Refused(f"invalid link name '{names[0]}'")
    over = data_links([given["l"]])[given["l"]]
    if names[0] in objects.links():
        raise Refused(f"vnic creation over {given['l']} failed: object already exists")
    vnic.create(names[0], objects.solaris(over.name))


def delete_vnic(words: list[str]) -> None:
    _, names = options(words, "", "t")
    if len(names) != 1:
        raise Usage("delete-vnic [-t] VNIC")
    link = data_links(names)[names[0]]
    if link.kind != VNIC:
        raise Refused(f"invalid vnic name '{names[0]}': object not found")
    netlink.delete_link(link.index)


SUBCOMMANDS = {"show-link": show_link, "show-phys": show_phys, "create-vnic": create_vnic, "delete-vnic": delete_vnic}


def main(argv: list[str]) -> int:
    verb, words = (argv[0], argv[1:]) if argv else ("show-link", [])
    does = SUBCOMMANDS.get(verb)
    if does is None:
        sys.stderr.write(f"dladm: {verb}: not modelled in this lab\n")
        return 1
    try:
        does(words)
    except Usage as wrong:
        sys.stderr.write(f"dladm: usage: {wrong}\n")
        return 2
    except (Refused, netlink.KernelRefused) as refused:
        sys.stderr.write(f"dladm: {refused}\n")
        return 1
    return 0
