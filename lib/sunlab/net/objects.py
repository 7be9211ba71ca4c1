"""Address objects: the names ipadm(8) gives to addresses, kept in /var/run/ipadm, over what the kernel has.

An address of the kernel that no object names is one of the node's own: it is shown as IF/v4, IF/v6, IF/v4a, …
"""
import os
from typing import Dict, List, NamedTuple, Optional

from sunlab.spawn import run

STATE = "/var/run/ipadm"


class Address(NamedTuple):
    name: str               # net0/web
    cidr: str
    state: str              # ok | down | tentative | duplicate


class IpFailed(Exception):
    """`ip` refused; the text is what it said."""


def ip(*words: str) -> str:
    status, said = run(["ip", *words])
    if status != 0:
        raise IpFailed(said.strip())
    return said


def solaris(interface: str) -> str:
    """Linux calls the loopback lo; a veth is shown as net0@if7."""
    name = interface.partition("@")[0]
    return "lo0" if name == "lo" else name


def linux(interface: str) -> str:
    return "lo" if interface == "lo0" else interface


def interfaces() -> Dict[str, bool]:
    """IP interface -> is it up."""
    found = {}
    for line in ip("-o", "link", "show").splitlines():
        words = line.split()
        found[solaris(words[1].rstrip(":"))] = "UP" in words[2].strip("<>").split(",")
    return found


def _named() -> Dict[str, List[str]]:
    """Object name -> [cidr, state] as it was made; in the order of making."""
    try:
        with open(f"{STATE}/objects") as file:
            return {words[0]: words[1:] for words in (line.split() for line in file) if len(words) == 3}
    except FileNotFoundError:
        return {}


def _keep(named: Dict[str, List[str]]) -> None:
    os.makedirs(STATE, exist_ok=True)
    with open(f"{STATE}/objects.new", "w") as file:
        file.writelines(f"{name} {' '.join(words)}\n" for name, words in named.items())
    os.replace(f"{STATE}/objects.new", f"{STATE}/objects")


def remember(name: str, cidr: str, state: str) -> None:
    _keep({**_named(), name: [cidr, state]})


def forget(name: str) -> None:
    named = _named()
    if named.pop(name, None) is not None:
        _keep(named)


def kernel() -> Dict[str, List[str]]:
    """(interface, cidr) -> flags, as `interface cidr` keys in the kernel's order."""
    found = {}
    for line in ip("-o", "address", "show").splitlines():
        words = line.split()
        if words[2] in ("inet", "inet6"):
            found[f"{solaris(words[1])} {words[3]}"] = words[4:]
    return found


def all_addresses() -> List[Address]:
    here, named = kernel(), _named()
    found, taken = [], set()
    for name, (cidr, state) in named.items():
        key = f"{name.partition('/')[0]} {cidr}"
        taken.add(key)
        if state == "ok" and key not in here:
            state = "inaccessible"
        elif state == "ok" and "tentative" in here[key]:
            state = "tentative"
        found.append(Address(name, cidr, state))
    own: Dict[str, int] = {}
    for key in here:
        if key in taken:
            continue
        interface, cidr = key.split()
        base = f"{interface}/{'v6' if ':' in cidr else 'v4'}"
        number = own[base] = own.get(base, -1) + 1
        found.append(Address(base + ("" if number == 0 else chr(96 + number)), cidr, "ok"))
    return sorted(found, key=lambda one: (one.name.partition("/")[0] != "lo0", one.name.partition("/")[0]))


def find(name: str) -> Optional[Address]:
    return next((one for one in all_addresses() if one.name == name), None)
