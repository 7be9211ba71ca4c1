"""ipmpstat(8): IPMP groups, their addresses and interfaces. -p and -t show probes, which are not modelled."""
from __future__ import annotations

import sys

from sunlab.net import groups, mpathd, netlink, objects
from sunlab.net.columns import Refused, Usage, options, show

ADDRESS = {"ADDRESS": 26, "STATE": 7, "GROUP": 12, "INBOUND": 12, "OUTBOUND": 23}
GROUP = {"GROUP": 12, "GROUPNAME": 12, "STATE": 10, "FDT": 10, "INTERFACES": 30}
INTERFACE = {"INTERFACE": 12, "ACTIVE": 8, "GROUP": 12, "FLAGS": 10, "LINK": 10, "PROBE": 10, "STATE": 10}
FORM = "[-n] [-o <field> [-P]] -a|-g|-i|-p|-t"


def addresses(present: dict[str, netlink.Link]) -> list[dict[str, str]]:
    by_index = {link.index: name for name, link in present.items()}
    where = {held.address: by_index[held.index] for held in netlink.addresses()}
    rows, known = [], groups.read()
    for one in objects.all_addresses(present):
        if one.interface not in known or one.state == "disabled":
            continue
        can = groups.active(known[one.interface], present)
        up, bound = one.state in ("ok", "inaccessible"), where.get(one.address, "")
        inbound = bound if up and bound in can else ""
        rows.append({"ADDRESS": one.address, "STATE": "up" if up else "down", "GROUP": one.interface,
                     "INBOUND": inbound, "OUTBOUND": " ".join(can) if inbound else ""})
    return rows


def all_groups(present: dict[str, netlink.Link]) -> list[dict[str, str]]:
    rows = []
    for group in groups.read().values():
        can = groups.active(group, present)
        idle = [f"({name})" for name in group.members if name not in can and groups.works(present.get(name))]
        bad = [f"[{name}]" for name in group.members if not groups.works(present.get(name))]
        rows.append({"GROUP": group.name, "GROUPNAME": group.name, "STATE": groups.state(group, present), "FDT": "",
                     "INTERFACES": " ".join([*can, *idle, *bad])})
    return rows


def interfaces(present: dict[str, netlink.Link]) -> list[dict[str, str]]:
    rows = []
    for group in groups.read().values():
        can = groups.active(group, present)
        for name in group.members:
            link = present.get(name)
            works = groups.works(link)
            standby = "s" if name in group.standby else "-"
            inactive = "i" if works and name not in can else "-"
            chosen = "mbM" if name in can[:1] else "---"
            rows.append({"INTERFACE": name, "ACTIVE": "yes" if name in can else "no", "GROUP": group.name,
                         "FLAGS": f"{inactive}{standby}{chosen}--", "LINK": "up" if works else "down",
                         "PROBE": "disabled", "STATE": "ok" if works else "failed"})
    return rows


MODES = {"a": (ADDRESS, addresses), "g": (GROUP, all_groups), "i": (INTERFACE, interfaces)}


def main(argv: list[str]) -> int:
    try:
        given, rest = options(argv, "o", "nLPagipt")
        modes = [letter for letter in "agipt" if letter in given]
        if len(modes) > 1:
            raise Refused("only one output format may be specified")
        if rest or not modes:
            raise Usage(FORM)
        if modes[0] in "pt":
            raise Refused(f"sunlab: -{modes[0]}: not modelled in this lab")
        if not mpathd.running():
            raise Refused("cannot contact in.mpathd(1M) -- is IPMP in use?")
        columns, rows = MODES[modes[0]]
        show(columns, ",".join(columns), rows(objects.links()), given, "P")
    except Usage as wrong:
        sys.stderr.write(f"usage: ipmpstat {wrong.form}\n")
        return 1
    except Refused as refused:
        sys.stderr.write(f"ipmpstat: {refused}\n")
        return 1
    return 0
