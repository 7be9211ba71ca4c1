"""IPMP groups: which links stand in for each other, and where a group's addresses belong. Decides; moves nothing.

After ipmp.c of illumos: an address is bound to the active interface with the fewest; a standby interface is used while
another has failed.
"""
from __future__ import annotations

import os

from sunlab.net.netlink import Held, Link

FILE = "/var/run/ipadm/groups"


class Group:
    __slots__ = ("name", "members", "standby")

    def __init__(self, name: str, members: tuple[str, ...] = (), standby: tuple[str, ...] = ()) -> None:
        self.name, self.members, self.standby = name, members, standby


def comma(names: tuple[str, ...]) -> str:
    return ",".join(names) or "-"


def names(text: str) -> tuple[str, ...]:
    return tuple(text.split(",")) if text != "-" else ()


def read() -> dict[str, Group]:
    try:
        with open(FILE) as file:
            rows = [line.split() for line in file]
    except FileNotFoundError:
        return {}
    return {name: Group(name, names(members), names(standby)) for name, members, standby in rows}


def write(groups: dict[str, Group]) -> None:
    os.makedirs(os.path.dirname(FILE), exist_ok=True)
    fresh = f"{FILE}.{os.getpid()}"
    with open(fresh, "w") as file:
        file.writelines(f"{one.name} {comma(one.members)} {comma(one.standby)}\n" for one in groups.values())
    os.replace(fresh, FILE)


def works(link: "Link | None") -> bool:
    return link is not None and link.up and link.running


def active(group: Group, present: dict[str, Link]) -> tuple[str, ...]:
    """The members that carry addresses now."""
    sound = [name for name in group.members if works(present.get(name))]
    missing = sum(1 for name in group.members if name not in group.standby and name not in sound)
    spare = [name for name in sound if name in group.standby][:missing]
    return tuple(name for name in sound if name not in group.standby or name in spare)


def bindings(group: Group, present: dict[str, Link], bound: dict[str, str]) -> dict[str, str]:
    """Address -> the member that should carry it, given the member that does ("" for none).

    What works stays, unless another active member has two addresses less.
    """
    can = active(group, present)
    if not can:
        return dict(bound)
    wanted = {address: at if at in can else "" for address, at in bound.items()}
    load = {name: sum(1 for at in wanted.values() if at == name) for name in can}
    for address, at in wanted.items():
        least = min(can, key=lambda name: load[name])
        if not at or load[at] - load[least] >= 2:
            if at:
                load[at] -= 1
            wanted[address] = least
            load[least] += 1
    return wanted


def emptiest(group: Group, present: dict[str, Link], held: list[Held]) -> str:
    """The active member with the fewest addresses; "" if none is active."""
    load = {present[name].index: 0 for name in active(group, present)}
    for one in held:
        if one.index in load:
            load[one.index] += 1
    return min(active(group, present), key=lambda name: load[present[name].index], default="")


def state(group: Group, present: dict[str, Link]) -> str:
    """ok, degraded or failed (ipmpstat(8))."""
    sound = sum(1 for name in group.members if works(present.get(name)))
    return "failed" if not sound else "ok" if sound == len(group.members) else "degraded"
