"""IP interfaces of a node: which links have one, of what class, in what state (ipadm_if.c of illumos)."""
from __future__ import annotations

import os
import sys

from sunlab.net import groups, netlink, objects, persistent, vnic
from sunlab.net.columns import Refused, Usage, options, show

#: Interfaces that delete-ip took away or that create-ip has not made yet; the links themselves stay.
UNPLUMBED = f"{objects.STATE}/unplumbed"
COLUMNS = {"IFNAME": 11, "CLASS": 10, "STATE": 9, "ACTIVE": 7, "CURRENT": 13, "PERSISTENT": 11, "OVER": 20}
ROUTES = "/etc/inet/static_routes"
NO_LINK = "Could not open DLPI link"


class Interface:
    __slots__ = ("name", "kind", "state", "current", "at_boot", "over")

    def __init__(self, name: str, kind: str, state: str, current: str, at_boot: str, over: str) -> None:
        self.name, self.state, self.current, self.at_boot, self.over = name, state, current, at_boot, over
        self.kind = kind                    # loopback | ip | ipmp


def plumbed(present: dict[str, netlink.Link]) -> list[str]:
    """The links with an IP interface: those that are up, and those that were not deleted."""
    return [name for name in present if not os.path.exists(f"{UNPLUMBED}/{name}")
            and (present[name].kind != vnic.KIND or present[name].up)]


def exists(name: str, present: dict[str, netlink.Link]) -> bool:
    return name in plumbed(present) or name in groups.read()


def plumb(name: str, present: dict[str, netlink.Link]) -> None:
    """Make the IP interface of a link; no error if it is there. Raises Refused when there is no such link."""
    if name not in present:
        raise Refused(NO_LINK)
    netlink.set_up(present[name].index, True)
    if os.path.exists(f"{UNPLUMBED}/{name}"):
        os.unlink(f"{UNPLUMBED}/{name}")


def unplumb(name: str, present: dict[str, netlink.Link]) -> None:
    netlink.set_up(present[name].index, False)
    os.makedirs(UNPLUMBED, exist_ok=True)
    with open(f"{UNPLUMBED}/{name}", "w"):
        pass


def all_interfaces() -> list[Interface]:
    present = objects.links()
    known, found = groups.read(), []
    up = {one.interface for one in objects.all_addresses(present) if one.state in ("ok", "inaccessible", "tentative")}
    kept = {*persistent.of_kind("if"), *persistent.of_kind("ipmp")}
    member_of = {name: group for group in known.values() for name in group.members}
    for name in plumbed(present):
        link, group = present[name], member_of.get(name)
        standby = "s" if group and name in group.standby else "-"
        inactive = "i" if group and name not in groups.active(group, present) and groups.works(link) else "-"
        current = "-m-v------46" if name == "lo0" else f"bm---{standby}{inactive}---46"
        at_boot = f"{standby}46" if name in kept else "---"
        found.append(Interface(name, "loopback" if name == "lo0" else "ip", link_state(name, link, up, bool(group)),
                               current, at_boot, ""))
    for group in known.values():
        condition = groups.state(group, present)
        state = "failed" if group.members and condition == "failed" else "ok" if group.name in up else "down"
        found.append(Interface(group.name, "ipmp", state, "bm--I-----46", "-46" if group.name in kept else "---",
                               " ".join(group.members)))
    there = {one.name for one in found}
    found += [Interface(name, "ip", "disabled", "-" * 12, "-46", "")
              for name in persistent.of_kind("if") if name in present and name not in there]
    return found


def link_state(name: str, link: netlink.Link, up: set[str], in_group: bool) -> str:
    """An interface is up by its addresses; a member of a group also without."""
    if name == "lo0":
        return "ok"
    if not link.running:
        return "failed" if name in up or in_group else "down"
    return "ok" if name in up or in_group else "down"


def show_if(words: list[str]) -> None:
    from sunlab import platform
    given, wanted = options(words, "o", "p")
    if len(wanted) > 1:
        raise Usage("show-if [[-p] -o <field>,...] [<interface>]")
    here, system = all_interfaces(), platform.here()
    if wanted and wanted[0] not in [one.name for one in here]:
        raise Refused("Could not get interface(s): Interface does not exist")
    classes = {"loopback": "VIRTUAL", "ip": "IP", "ipmp": "IPMP"} if "current" in system.if_columns else {}
    rows = [{"IFNAME": one.name, "CLASS": classes.get(one.kind, one.kind), "STATE": one.state, "OVER": one.over,
             "ACTIVE": "yes" if one.state == "ok" and "i" not in one.current else "no", "CURRENT": one.current,
             "PERSISTENT": one.at_boot} for one in here if not wanted or one.name == wanted[0]]
    show(COLUMNS, system.if_columns, rows, given)


def one_name(words: list[str], usage: str, flags: str = "t") -> tuple[bool, str]:
    """Is -t there, and the operand. Raises Usage."""
    given, found = options(words, "", flags)
    if len(found) != 1:
        raise Usage(usage)
    return "t" in given, found[0]


def create_ip(words: list[str]) -> None:
    temporary, name = one_name(words, "create-ip [-t] <interface>")
    present = objects.links()
    if exists(name, present):
        raise Refused(f"Could not create {name} : Interface already exists")
    if name not in present:
        raise Refused(f"Could not create {name} : {NO_LINK}")
    plumb(name, present)
    if not temporary:
        persistent.put("if", name)


def delete_ip(words: list[str]) -> None:
    _, name = one_name(words, "delete-ip <interface>", "")
    present = objects.links()
    if name == "lo0" or name not in plumbed(present) and name not in persistent.of_kind("if"):
        raise Refused(f"Could not delete {name}: Interface does not exist")
    if any(name in group.members for group in groups.read().values()):
        raise Refused(f"Could not delete {name}: Interface already in use")
    drop_addresses(name, present)
    persistent.drop("if", name)
    if name in present:
        unplumb(name, present)


def drop_addresses(name: str, present: dict[str, netlink.Link]) -> None:
    for one in objects.all_addresses(present):
        if one.interface == name:
            objects.put_down(one, present)
            objects.forget(one.name)
            persistent.drop("addr", one.name)


def disable_if(words: list[str]) -> None:
    temporary, name = one_name(words, "disable-if -t <interface>")
    if not temporary:
        raise Refused("persistent operation not supported for disable-if")
    present = objects.links()
    if name == "lo0" or name not in plumbed(present):
        raise Refused(f"Could not disable {name}: Interface does not exist")
    if name not in persistent.of_kind("if"):
        raise Refused(f"Could not disable {name}: Persistent operation on temporary object")
    drop_active(name, present)
    unplumb(name, present)


def drop_active(name: str, present: dict[str, netlink.Link]) -> None:
    """The interface's addresses go, until a boot brings back those that are kept."""
    for one in objects.all_addresses(present):
        if one.interface == name:
            objects.put_down(one, present)
            objects.forget(one.name)


def enable_if(words: list[str]) -> None:
    temporary, name = one_name(words, "enable-if -t <interface>")
    if not temporary:
        raise Refused("persistent operation not supported for enable-if")
    present = objects.links()
    if name in plumbed(present):
        raise Refused(f"Could not enable {name} : Interface already exists")
    if name not in persistent.of_kind("if"):
        raise Refused(f"Could not enable {name} : Interface does not exist")
    plumb(name, present)
    restore(name)


def restore(interface: str = "") -> None:
    """Configure what ipadm.conf has and the kernel has not, on one interface or on all."""
    for one in objects.all_addresses(objects.links()):
        if one.state != "disabled" or interface not in ("", one.interface) or one.up_at_boot is None:
            continue
        try:
            one.state = objects.put_up(one, objects.links()) if one.up_at_boot else "down"
            objects.remember(one)
        except netlink.KernelRefused as problem:
            sys.stderr.write(f"ipadm: {one.name}: {problem}\n")


def at_boot() -> None:
    """What the start method of network/physical does: VNICs, interfaces, groups and addresses, in this order."""
    for name, (over, mac) in persistent.of_kind("vnic").items():
        vnic.create(name, over, mac=bytes.fromhex(mac.replace(":", "")))
    present = objects.links()
    if not os.path.exists(objects.ZONE):     # the links that a zone sees may be the global zone's own
        for name in present:
            if name not in ("lo0", *persistent.of_kind("if")):
                unplumb(name, present)
    for name in persistent.of_kind("if"):
        if name in present:
            plumb(name, present)
    kept = persistent.of_kind("ipmp")
    if kept:
        from sunlab.net import mpathd
        groups.write({name: groups.Group(name, groups.names(members), groups.names(standby))
                      for name, (members, standby) in kept.items()})
        mpathd.ensure()
    restore()
    if os.path.exists(ROUTES):
        from sunlab.net import routes
        routes.restore()
