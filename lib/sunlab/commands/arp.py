"""arp(8): what this host knows of its IPv4 neighbours: `arp HOST`, `arp -an`."""
from __future__ import annotations

import sys

from sunlab.net import netlink, objects

COMPLETE = 0x2


def table() -> list[tuple[str, str, str, bool]]:
    """Address, MAC address as Solaris prints it, interface, is it known?"""
    rows = []
    with open("/proc/net/arp") as file:
        next(file)
        for line in file:
            address, _, bits, mac, _, interface = line.split()
            known = bool(int(bits, 16) & COMPLETE)
            rows.append((address, ":".join(f"{int(part, 16):x}" for part in mac.split(":")), interface, known))
    return rows


def own(address: str) -> str:
    """The MAC address that this host itself answers with; "" if the address is not here."""
    present = objects.links()
    for held in netlink.addresses():
        if held.address == address:
            return next((":".join(f"{byte:x}" for byte in link.mac) for link in present.values()
                         if link.index == held.index), "")
    return ""


def main(argv: list[str]) -> int:
    if argv in (["-a"], ["-an"], ["-na"], ["-a", "-n"]):
        sys.stdout.write("Net to Media Table: IPv4\nDevice   IP Address               Mask      Flags      Phys Addr\n"
                         "------ -------------------- --------------- -------- ---------------\n")
        for address, mac, interface, known in table():
            shown = f"{interface:<6} {address:<20} 255.255.255.255 {'' if known else 'U':<8} {mac if known else ''}"
            sys.stdout.write(shown.rstrip() + "\n")
        return 0
    if len(argv) != 1 or argv[0].startswith("-"):
        sys.stderr.write("arp: sunlab: only `arp HOST` and `arp -an` are modelled in this lab\n")
        return 1
    mac = own(argv[0])
    if mac:
        sys.stdout.write(f"{argv[0]} ({argv[0]}) at {mac} permanent published\n")
        return 0
    for address, mac, _, known in table():
        if address == argv[0] and known:
            sys.stdout.write(f"{address} ({address}) at {mac}\n")
            return 0
    sys.stdout.write(f"{argv[0]} ({argv[0]}) -- no entry\n")
    return 1
