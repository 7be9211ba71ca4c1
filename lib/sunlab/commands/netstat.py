"""netstat(8): -rn (the routing tables), for IPv4. Everything else says that it is not modelled."""
from __future__ import annotations

import sys

from sunlab.net import netlink, objects, routes

HEADER = ("\nRouting Table: IPv4\n  Destination           Gateway           Flags  Ref     Use     Interface\n"
          "-------------------- -------------------- ----- ----- ---------- ---------\n")


def main(argv: list[str]) -> int:
    letters = "".join(sorted(word[1:] for word in argv if word.startswith("-")))
    operands = [word for word in argv if word[:1] != "-"]
    if sorted(letters.replace("f", "")) != ["n", "r"] or operands not in ([], ["inet"]):
        sys.stderr.write("netstat: sunlab: only -rn [-f inet] is modelled in this lab\n")
        return 1
    by_index = {link.index: name for name, link in objects.links().items()}
    first = {by_index[held.index]: held.address for held in reversed(netlink.addresses()) if ":" not in held.address}
    sys.stdout.write(HEADER)
    rows = [(one.destination, one.gateway or first.get(one.interface, "--"), ("UG" if one.gateway else "U")
             + ("H" if one.prefix == 32 else ""), "" if one.gateway else one.interface) for one in routes.table()]
    rows.append(("127.0.0.1", "127.0.0.1", "UH", "lo0"))
    for destination, gateway, flags, interface in rows:
        line = f"{destination:<20} {gateway:<20} {flags:<5} {2:>5} {0:>10} {interface}"
        sys.stdout.write(line.rstrip() + "\n")
    return 0
