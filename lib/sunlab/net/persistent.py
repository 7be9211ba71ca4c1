"""What ipadm(8) and dladm(8) keep over a boot: interfaces, groups, addresses, VNICs, in ipadm.conf.

A line is a kind, a name and its words: `if net0`, `addr net0/v4 static 10.0.0.1/24 up -`, `ipmp ipmp0 net0,net1 -`,
`vnic vnic0 net0 02:08:20:00:00:09`. The real file holds the same facts in a form of ipmgmtd's own (ipmgmtd(8)).
"""
from __future__ import annotations

import os

FILE = "/etc/ipadm/ipadm.conf"


class Entry:
    """An address that is configured at boot."""
    __slots__ = ("kind", "address", "prefix", "up", "deprecated")

    def __init__(self, kind: str, cidr: str, up: str, deprecated: str) -> None:
        self.kind = kind
        self.address, _, prefix = cidr.partition("/")
        self.prefix = int(prefix or 0)
        self.up, self.deprecated = up == "up", deprecated == "d"


def lines() -> list[list[str]]:
    try:
        with open(FILE) as file:
            return [line.split() for line in file if line.strip()]
    except FileNotFoundError:
        return []


def of_kind(kind: str) -> dict[str, list[str]]:
    """Name -> its words."""
    return {line[1]: line[2:] for line in lines() if line[0] == kind}


def addresses() -> dict[str, Entry]:
    """By the names of the address objects."""
    return {name: Entry(*words) for name, words in of_kind("addr").items()}


def put(kind: str, name: str, *words: str) -> None:
    """Keep it, instead of what was kept under that name."""
    old = lines()
    line = [kind, name, *words]
    at = next((number for number, other in enumerate(old) if other[:2] == line[:2]), len(old))
    _write(old[:at] + [line] + old[at + 1:])


def drop(kind: str, name: str) -> None:
    """No error if it is not there."""
    _write([line for line in lines() if line[:2] != [kind, name]])


def put_address(name: str, kind: str, cidr: str, up: bool, deprecated: bool = False) -> None:
    put("addr", name, kind, cidr, "up" if up else "down", "d" if deprecated else "-")


def _write(kept: list[list[str]]) -> None:
    os.makedirs(os.path.dirname(FILE), exist_ok=True)
    fresh = f"{FILE}.{os.getpid()}"
    with open(fresh, "w") as file:
        file.writelines(" ".join(line) + "\n" for line in kept)
    os.replace(fresh, FILE)
