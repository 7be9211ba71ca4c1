"""route(8) for IPv4 through a gateway: [-n] [-p] add|delete [-net|-host] DESTINATION GATEWAY, get, -p show."""
from __future__ import annotations

import sys

from sunlab.net import netlink, routes
from sunlab.net.columns import Refused

FORM = "route [-n] [-p] add|delete [-net|-host] destination gateway; route get destination; route -p show"


def destination(text: str, host: bool) -> tuple[str, int]:
    if text == "default":
        return "0.0.0.0", 0
    address, slash, prefix = text.partition("/")
    try:
        raw = netlink.packed(address)
        bits = int(prefix) if slash else 32 if host or not address.endswith(".0") else 24
    except (OSError, ValueError):
        raise Refused(f"{text}: bad address") from None
    if ":" in address or not 0 <= bits <= 32:
        raise Refused(f"sunlab: {text}: not modelled in this lab" if raw[0] != 2 else f"{text}: bad address")
    return address, bits


def add_or_delete(verb: str, words: list[str], persistent: bool) -> int:
    kind = words.pop(0) if words and words[0] in ("-net", "-host", "-inet") else ""
    if len(words) != 2:
        raise Refused(f"sunlab: route {verb} {' '.join(words)}: not modelled in this lab; usage: {FORM}")
    network, prefix = destination(words[0], kind == "-host")
    gateway, _ = destination(words[1], True)
    shown = "host" if prefix == 32 else "net"
    line = f"{network} {prefix} {gateway}"
    here = [one for one in routes.table() if (one.network, one.prefix, one.gateway) == (network, prefix, gateway)]
    said = f"{verb} {shown} {words[0]}: gateway {gateway}"
    if verb == "add" and here:
        sys.stderr.write(f"{said}: entry exists\n")
        return 1
    if verb == "delete" and not here:
        sys.stderr.write(f"{said}: not in table\n")
        return 1
    if routes.change(verb, network, prefix, gateway) != 0:
        sys.stderr.write(f"{said}: Network is unreachable\n")
        return 1
    sys.stdout.write(f"{said}\n")
    if persistent:
        left = [one for one in routes.kept() if one != line]
        routes.keep([*left, line] if verb == "add" else left)
        sys.stdout.write(f"{verb} persistent {shown} {words[0]}: gateway {gateway}\n")
    return 0


def get(text: str) -> int:
    address, _ = destination(text, True)
    found = routes.toward(address)
    if found is None:
        sys.stderr.write(f"{text}: not in table\n")
        return 1
    flags = "UP,GATEWAY,DONE,STATIC" if found.gateway else "UP,DONE"
    sys.stdout.write(f"   route to: {text}\ndestination: {found.destination}\n")
    if found.gateway:
        sys.stdout.write(f"    gateway: {found.gateway}\n")
    sys.stdout.write(f"  interface: {found.interface}\n      flags: <{flags}>\n")
    return 0


def main(argv: list[str]) -> int:
    words, persistent = list(argv), False
    while words and words[0] in ("-n", "-p", "-f", "-v", "-q"):
        letter = words.pop(0)
        persistent = persistent or letter == "-p"
        if letter == "-f":
            sys.stderr.write("route: sunlab: -f: not modelled in this lab\n")
            return 1
    verb = words.pop(0) if words else ""
    try:
        if verb in ("add", "delete"):
            return add_or_delete(verb, words, persistent)
        if verb == "get" and len(words) == 1:
            return get(words[0])
        if verb == "show" and persistent and not words:
            for line in routes.kept():
                network, prefix, gateway = line.split()
                net = f"-host {network}" if prefix == "32" else f"-net {network}/{prefix}"
                where = "default" if prefix == "0" else net
                sys.stdout.write(f"persistent: route add {where} {gateway}\n")
            if not routes.kept():
                sys.stdout.write("No persistent routes are defined\n")
            return 0
    except Refused as refused:
        sys.stderr.write(f"route: {refused}\n")
        return 1
    sys.stderr.write(f"route: sunlab: {verb or 'nothing'}: not modelled in this lab\nusage: {FORM}\n")
    return 1
