"""dladm(8): the links of a lab node: show-link, show-phys, show-vnic, create-vnic, delete-vnic, rename-link."""
from __future__ import annotations

import sys

from sunlab import platform
from sunlab.net import interfaces, netlink, objects, persistent, vnic
from sunlab.net.columns import Refused, Usage, options, show

LINK = {"LINK": 11, "CLASS": 9, "MTU": 7, "STATE": 9, "BRIDGE": 11, "OVER": 11}
PHYS = {"LINK": 13, "MEDIA": 21, "STATE": 11, "SPEED": 7, "DUPLEX": 10, "DEVICE": 13}
VNIC = {"LINK": 13, "OVER": 13, "SPEED": 7, "MACADDRESS": 18, "MACADDRTYPE": 20, "VID": 5}


def data_links(names: list[str]) -> dict[str, netlink.Link]:
    """Loopback is no data link. Raises Refused for a name that is none."""
    present = {name: link for name, link in objects.links().items() if name != "lo0"}
    for name in names:
        if name not in present:
            raise Refused(f"invalid link '{name}': link does not exist")
    return {name: link for name, link in present.items() if not names or name in names}


def state(link: netlink.Link, under: netlink.Link | None = None) -> str:
    """A link that nobody has opened does not know whether its cable is plugged in; a VNIC is as the link under it."""
    if under is not None and not link.up:
        return state(under)
    return "up" if link.running else "down" if link.up else "unknown"


def one_at_most(names: list[str], verb: str) -> list[str]:
    if len(names) > 1:
        raise Usage(f"{verb} [-p] [-o <field>,...] [<link>]")
    return names


def show_link(words: list[str]) -> None:
    given, names = options(words, "o", "pP")
    if "P" in given:
        raise Refused("sunlab: show-link -P: not modelled in this lab")
    by_index = {link.index: name for name, link in data_links([]).items()}
    here = data_links([])
    under = {name: here[by_index[link.over]] for name, link in here.items()
             if link.kind == vnic.KIND and link.over in by_index}
    rows = [{"LINK": name, "CLASS": "vnic" if link.kind == vnic.KIND else "phys", "MTU": str(link.mtu),
             "STATE": state(link, under.get(name)), "BRIDGE": "",
             "OVER": by_index.get(link.over, "") if link.kind == vnic.KIND else ""}
            for name, link in data_links(one_at_most(names, "show-link")).items()]
    show(LINK, platform.here().link_columns, rows, given)


def show_phys(words: list[str]) -> None:
    given, names = options(words, "o", "p")
    here = data_links(one_at_most(names, "show-phys"))
    if names and here[names[0]].kind == vnic.KIND:
        raise Refused(f"invalid link name '{names[0]}': not a physical link")
    rows = [{"LINK": name, "MEDIA": "Ethernet", "STATE": state(link), "SPEED": "10000" if link.running else "0",
             "DUPLEX": "full" if link.running else "unknown", "DEVICE": name}
            for name, link in here.items() if link.kind != vnic.KIND]
    show(PHYS, ",".join(PHYS), rows, given)


def mac(raw: bytes) -> str:
    """As Solaris prints one: no leading zeros."""
    return ":".join(f"{byte:x}" for byte in raw)


def show_vnic(words: list[str]) -> None:
    given, names = options(words, "ol", "p")
    here = data_links(one_at_most(names, "show-vnic"))
    if names and here[names[0]].kind != vnic.KIND:
        raise Refused(f"invalid vnic name '{names[0]}': object not found")
    by_index = {link.index: name for name, link in data_links([]).items()}
    rows = [{"LINK": name, "OVER": by_index.get(link.over, "?"), "SPEED": "10000" if link.running else "0",
             "MACADDRESS": mac(link.mac), "MACADDRTYPE": "random", "VID": "0"}
            for name, link in here.items()
            if link.kind == vnic.KIND and given.get("l", by_index.get(link.over)) == by_index.get(link.over)]
    show(VNIC, ",".join(VNIC), rows, given)


def given_mac(text: str) -> bytes:
    """Of -m: six numbers, or that it be made up. Raises Refused."""
    if text in ("", "random"):
        return b""
    if text in ("auto", "factory", "vrrp"):
        raise Refused(f"sunlab: create-vnic -m {text}: not modelled in this lab")
    parts = text.split(":")
    try:
        raw = bytes(int(part, 16) for part in parts)
    except ValueError:
        raw = b""
    if len(raw) != 6 or raw[0] & 1:
        raise Refused("invalid MAC address")
    return raw


def create_vnic(words: list[str]) -> None:
    given, names = options(words, "lmvpR", "tf")
    if len(names) != 1 or "l" not in given:
        raise Usage("create-vnic [-t] -l <link> [-m <value>] <vnic-link>")
    for letter in "vpR":
        if letter in given:
            raise Refused(f"sunlab: create-vnic -{letter}: not modelled in this lab")
    checked_name(names[0])
    over = given["l"]
    data_links([over])
    if names[0] in objects.links():
        raise Refused(f"vnic creation over {over} failed: object already exists")
    own = vnic.create(names[0], over, mac=given_mac(given.get("m", "")))
    if "t" not in given:
        persistent.put("vnic", names[0], over, own.hex(":"))


def checked_name(name: str) -> None:
    if not (name.replace("_", "a").isalnum() and name[0].isalpha() and name[-1].isdigit()) or len(name) > 15:
        raise Refused(f"invalid link name '{name}'")


def delete_vnic(words: list[str]) -> None:
    given, names = options(words, "", "t")
    if len(names) != 1:
        raise Usage("delete-vnic [-t] <vnic-link>")
    link = data_links(names)[names[0]]
    if link.kind != vnic.KIND:
        raise Refused(f"invalid vnic name '{names[0]}': object not found")
    if names[0] in interfaces.plumbed(objects.links()):
        raise Refused("vnic deletion failed: link busy")
    netlink.delete_link(link.index)
    if "t" not in given:
        persistent.drop("vnic", names[0])


def rename_link(words: list[str]) -> None:
    """Of a VNIC only: the lab gives the physical links their names at every boot."""
    _, names = options(words, "", "")
    if len(names) != 2:
        raise Usage("rename-link <oldlink> <newlink>")
    link = data_links(names[:1])[names[0]]
    checked_name(names[1])
    if link.kind != vnic.KIND:
        raise Refused("sunlab: rename-link of a physical link: not modelled in this lab")
    if names[1] in objects.links():
        raise Refused("rename operation failed: object already exists")
    if names[0] in interfaces.plumbed(objects.links()):
        raise Refused("rename operation failed: link busy")
    netlink.rename(link.index, names[1])
    kept = persistent.of_kind("vnic").get(names[0])
    if kept:
        persistent.drop("vnic", names[0])
        persistent.put("vnic", names[1], *kept)


SUBCOMMANDS = {"show-link": show_link, "show-phys": show_phys, "show-vnic": show_vnic, "create-vnic": create_vnic,
               "delete-vnic": delete_vnic, "rename-link": rename_link}


def main(argv: list[str]) -> int:
    verb, words = (argv[0], argv[1:]) if argv else ("show-link", [])
    does = SUBCOMMANDS.get(verb)
    if does is None:
        sys.stderr.write(f"dladm: sunlab: {verb}: not modelled in this lab\n")
        return 1
    try:
        does(words)
    except Usage as wrong:
        sys.stderr.write(f"dladm: {wrong}\nusage: dladm {wrong.form}\n")
        return 1
    except (Refused, netlink.KernelRefused) as refused:
        sys.stderr.write(f"dladm: {refused}\n")
        return 1
    return 0
