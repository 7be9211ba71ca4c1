"""Properties of address objects (prefixlen, deprecated) and the standby property of interfaces (ipadm(8))."""
from __future__ import annotations

from sunlab.net import groups, interfaces, multipath, objects, persistent
from sunlab.net.columns import Refused, Usage, options, show
from sunlab.net.objects import Address

COLUMNS = {"ADDROBJ": 18, "PROPERTY": 11, "PERM": 5, "CURRENT": 16, "PERSISTENT": 16, "DEFAULT": 16, "POSSIBLE": 15}
IF_COLUMNS = {"IFNAME": 12, "PROPERTY": 16, "PROTO": 6, "PERM": 5, "CURRENT": 11, "PERSISTENT": 11, "DEFAULT": 11,
              "POSSIBLE": 16}
KNOWN = ("broadcast", "deprecated", "prefixlen", "private", "transmit", "zone")
MODELLED = ("broadcast", "deprecated", "prefixlen")


def broadcast(one: Address) -> str:
    """The last address of the network, as Solaris sets it; none for IPv6."""
    if ":" in one.address:
        return ""
    number = int.from_bytes(bytes(int(part) for part in one.address.split(".")), "big") | ((1 << (32 - one.prefix)) - 1)
    return ".".join(str(part) for part in number.to_bytes(4, "big"))


def row(one: Address, name: str) -> dict[str, str]:
    kept = one.up_at_boot is not None
    longest = 128 if ":" in one.address else 32
    values = {
        "broadcast": ("r-", broadcast(one), "", broadcast(one), ""),
        "deprecated": ("rw", "on" if one.deprecated else "off",
                       ("on" if one.deprecated_at_boot else "off") if kept else "", "off", "on,off"),
        "prefixlen": ("rw", str(one.prefix), str(one.prefix) if kept else "", "", f"1-{longest}"),
    }
    perm, current, at_boot, default, possible = values[name]
    if one.state == "disabled":
        current = ""
    return {"ADDROBJ": one.name, "PROPERTY": name, "PERM": perm, "CURRENT": current, "PERSISTENT": at_boot,
            "DEFAULT": default, "POSSIBLE": possible}


def show_addrprop(words: list[str]) -> None:
    given, names = options(words, "po", "c")
    if len(names) > 1:
        raise Usage("show-addrprop [[-c] -o <field>,...] [-p <prop>,...] <addrobj>")
    if names and "/" not in names[0]:
        raise Refused("invalid addrobj name provided")
    wanted = given["p"].split(",") if "p" in given else list(MODELLED)
    for name in wanted:
        modelled(name, "show-addrprop")
    found = [one for one in objects.all_addresses(objects.links())
             if not one.name.endswith("/?") and one.kind == "static"]
    chosen = [one for one in found if not names or names[0] == one.name or names[0] == f"{one.interface}/"]
    if names and not chosen and not names[0].endswith("/"):
        raise Refused(f"addrobj not found: {names[0]}")
    show(COLUMNS, ",".join(COLUMNS), [row(one, name) for one in chosen for name in wanted], given, "c")


def modelled(name: str, verb: str) -> None:
    if name not in KNOWN:
        raise Refused(f"{verb}: {name}: Unknown property")
    if name not in MODELLED:
        raise Refused(f"sunlab: {verb} -p {name}: not modelled in this lab")


def set_addrprop(words: list[str]) -> None:
    given, names = options(words, "p", "t")
    name, equals, value = given.get("p", "").partition("=")
    if len(names) != 1 or not name:
        raise Usage("set-addrprop [-t] -p <prop>=<value[,...]> <addrobj>")
    if not value:
        raise Refused("please specify the value to be set.")
    assign("set-addrprop", names[0], name, value, "t" in given)


def reset_addrprop(words: list[str]) -> None:
    given, names = options(words, "p", "t")
    name = given.get("p", "")
    if len(names) != 1 or not name:
        raise Usage("reset-addrprop [-t] -p <prop> <addrobj>")
    if name == "prefixlen":
        raise Refused("reset-addrprop: prefixlen: Operation not supported")
    assign("reset-addrprop", names[0], name, "off", "t" in given)


def assign(verb: str, object_name: str, name: str, value: str, temporary: bool) -> None:
    modelled(name, verb)
    present = objects.links()
    one = next((one for one in objects.all_addresses(present) if one.name == object_name), None)
    if one is None:
        raise Refused(f"{verb}: {name}: Object not found")
    if one.kind != "static" or name == "broadcast":
        raise Refused(f"{verb}: {name}: Operation not supported")
    if one.state == "disabled":
        raise Refused(f"{verb}: {name}: Operation not supported on disabled object")
    if not temporary and one.up_at_boot is None:
        raise Refused(f"{verb}: {name}: Persistent operation on temporary object")
    was = one.state
    if was not in ("down", "duplicate"):
        objects.put_down(one, present)
    set_value(one, f"{verb}: {name}", name, value)
    one.state = was if was in ("down", "duplicate") else objects.put_up(one, present)
    objects.remember(one)
    if not temporary:
        persistent.put_address(one.name, one.kind, one.cidr, bool(one.up_at_boot), one.deprecated)


def set_value(one: Address, text: str, name: str, value: str) -> None:
    if name == "deprecated":
        if value not in ("on", "off"):
            raise Refused(f"{text}: Invalid argument provided")
        one.deprecated = value == "on"
        return
    if not value.isdigit():
        raise Refused(f"{text}: Invalid argument provided")
    if not 1 <= int(value) <= (128 if ":" in one.address else 32):
        raise Refused(f"{text}: Value is outside the allowed range")
    one.prefix = int(value)


def set_ifprop(words: list[str]) -> None:
    given, names = options(words, "pm", "t")
    name, _, value = given.get("p", "").partition("=")
    if len(names) != 1 or "m" not in given or not name:
        raise Usage("set-ifprop [-t] -p <prop>=<value[,...]> -m <protocol> <interface>")
    if name != "standby":
        raise Refused(f"sunlab: set-ifprop -p {name}: not modelled in this lab")
    if value not in ("on", "off"):
        raise Refused("set-ifprop: standby: Invalid argument provided")
    group = next((group for group in groups.read().values() if names[0] in group.members), None)
    if group is None:
        raise Refused("sunlab: set-ifprop -p standby of an interface without a group: not modelled in this lab")
    others = tuple(one for one in group.standby if one != names[0])
    standby = (*others, names[0]) if value == "on" else others
    multipath.change(groups.Group(group.name, group.members, standby), "t" in given)


def show_ifprop(words: list[str]) -> None:
    given, names = options(words, "pmo", "c")
    if len(names) > 1:
        raise Usage("show-ifprop [[-c] -o <field>,...] [-p <prop>,...] [-m <protocol>] [interface]")
    for name in given.get("p", "standby").split(","):
        if name != "standby":
            raise Refused(f"sunlab: show-ifprop -p {name}: not modelled in this lab")
    here = [one for one in interfaces.all_interfaces() if not names or one.name == names[0]]
    if names and not here:
        raise Refused(f"no such object '{names[0]}': Interface does not exist")
    rows = [{"IFNAME": one.name, "PROPERTY": "standby", "PROTO": given.get("m", "ip"), "PERM": "rw",
             "CURRENT": "on" if "s" in one.current else "off", "PERSISTENT": "on" if "s" in one.at_boot else "",
             "DEFAULT": "off", "POSSIBLE": "on,off"} for one in here]
    show(IF_COLUMNS, ",".join(IF_COLUMNS), rows, given, "c")
