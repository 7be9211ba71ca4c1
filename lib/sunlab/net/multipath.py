"""The subcommands of ipadm(8) about IPMP groups. Messages: ipadm.c and libipadm of illumos."""
from __future__ import annotations

from sunlab.net import groups, interfaces, mpathd, objects, persistent
from sunlab.net.columns import Refused, Usage, options
from sunlab.net.groups import Group


def members(words: list[str], verb: str, needed: bool) -> tuple[bool, str, tuple[str, ...]]:
    """Is -t there, the group's name, and what -i names: it may be given several times. Raises Usage."""
    usage = f"{verb} [-t] {'-i <interface>[,...]' if needed else '[-i <interface>[,...]]'} <ipmp-interface>"
    rest, found = list(words), []
    while "-i" in rest:
        at = rest.index("-i")
        if at + 1 == len(rest):
            raise Usage(usage, "option '-i' requires a value")
        found += rest[at + 1].split(",")
        del rest[at:at + 2]
    given, names = options(rest, "", "tf")
    if len(names) != 1 or needed and not found:
        raise Usage(usage)
    return "t" in given, names[0], tuple(found)


def checked(added: tuple[str, ...], text: str) -> None:
    """May these become members? Raises Refused."""
    present = objects.links()
    taken = {name for group in groups.read().values() for name in group.members}
    for name in added:
        if name not in interfaces.plumbed(present) or name == "lo0":
            raise Refused(f"{text}: Interface does not exist")
        if name in taken:
            raise Refused(f"{text}: Interface already in use")


def create_ipmp(words: list[str]) -> None:
    temporary, name, added = members(words, "create-ipmp", False)
    text = f"Could not create {name}"
    if interfaces.exists(name, objects.links()) or name in objects.links():
        raise Refused(f"{text}: Interface already exists")
    if not (name.replace("_", "a").isalnum() and name[0].isalpha() and name[-1].isdigit()):
        raise Refused(f"{text}: Invalid name")
    checked(added, text)
    change(Group(name, added), temporary)


def add_ipmp(words: list[str]) -> None:
    temporary, name, added = members(words, "add-ipmp", True)
    group = the_group(name, f"Could not add interface to {name}")
    checked(added, f"Could not add interface to {name}")
    change(Group(name, group.members + added, group.standby), temporary)


def remove_ipmp(words: list[str]) -> None:
    temporary, name, gone = members(words, "remove-ipmp", True)
    text = f"Could not remove interface from {name}"
    group = the_group(name, text)
    if any(one not in group.members for one in gone):
        raise Refused(f"{text}: Object not found")
    left = tuple(one for one in group.members if one not in gone)
    present = objects.links()
    mine = [one for one in objects.all_addresses(present) if one.interface == name]
    for member in gone:
        for one in mine:
            objects.take_down(present[member], one.address)
    change(Group(name, left, tuple(one for one in group.standby if one in left)), temporary)


def delete_ipmp(words: list[str]) -> None:
    _, name, _ = members(words, "delete-ipmp", False)
    group = the_group(name, f"Could not delete {name}")
    forced = any(word.startswith("-") and "f" in word for word in words)
    if group.members and not forced:
        raise Refused(f"Could not delete {name}: IPMP group is not empty")
    interfaces.drop_addresses(name, objects.links())
    groups.write({other: one for other, one in groups.read().items() if other != name})
    persistent.drop("ipmp", name)


def the_group(name: str, text: str) -> Group:
    group = groups.read().get(name)
    if group is None:
        raise Refused(f"{text}: Interface does not exist")
    return group


def change(group: Group, temporary: bool) -> None:
    """From now on, and unless temporary after a boot, the group is so; its addresses are where they belong."""
    groups.write({**groups.read(), group.name: group})
    if not temporary:
        persistent.put("ipmp", group.name, groups.comma(group.members), groups.comma(group.standby))
    mpathd.ensure()
    mpathd.settle()
