"""The kernel's routes, read from /proc and changed by ip(8), and those that `route -p` keeps over a boot."""
from __future__ import annotations

import os

from sunlab.net import netlink, objects
from sunlab.net.interfaces import ROUTES as KEPT

UP, GATEWAY, HOST = 0x1, 0x2, 0x4
IP = "/usr/sbin/ip"


class Route:
    """IPv4 only; `gateway` is "" for a network that is reached directly."""
    __slots__ = ("network", "prefix", "gateway", "interface")

    def __init__(self, network: str, prefix: int, gateway: str, interface: str) -> None:
        self.network, self.prefix, self.gateway, self.interface = network, prefix, gateway, interface

    @property
    def destination(self) -> str:
        return "default" if not self.prefix else self.network


def dotted(word: str) -> str:
    """An address as /proc/net/route has it: hexadecimal, in the machine's byte order."""
    return ".".join(str(byte) for byte in bytes.fromhex(word)[::-1])


def table() -> list[Route]:
    rows = []
    with open("/proc/net/route") as file:
        next(file)
        for line in file:
            words = line.split()
            bits = int(words[3], 16)
            if bits & UP:
                rows.append(Route(dotted(words[1]), bin(int(words[7], 16)).count("1"),
                                  dotted(words[2]) if bits & GATEWAY else "", objects.solaris(words[0])))
    return sorted(rows, key=lambda one: one.prefix != 0)


def toward(address: str) -> Route | None:
    """The route that a packet takes: the longest prefix."""
    number = int.from_bytes(netlink.packed(address)[1], "big")
    fit = [one for one in table()
           if number >> (32 - one.prefix) == int.from_bytes(netlink.packed(one.network)[1], "big") >> (32 - one.prefix)]
    return max(fit, key=lambda one: one.prefix, default=None)


def change(verb: str, network: str, prefix: int, gateway: str) -> int:
    """`add` or `delete` in the kernel: 0, or the status of ip(8)."""
    null = os.open("/dev/null", os.O_RDWR)
    child = os.posix_spawn(IP, ["ip", "route", verb, f"{network}/{prefix}", "via", gateway], {}, file_actions=[
        (os.POSIX_SPAWN_DUP2, null, 2)])
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def kept() -> list[str]:
    try:
        with open(KEPT) as file:
            return file.read().split("\n")[:-1]
    except FileNotFoundError:
        return []


def keep(lines: list[str]) -> None:
    os.makedirs(os.path.dirname(KEPT), exist_ok=True)
    with open(f"{KEPT}.new", "w") as file:
        file.writelines(f"{line}\n" for line in lines)
    os.replace(f"{KEPT}.new", KEPT)


def restore() -> None:
    for line in kept():
        network, prefix, gateway = line.split()
        change("add", network, int(prefix), gateway)
