"""zlogin(1): run a command in a running zone; without one, a shell."""
import os
import sys
from typing import List

from sunlab.zones import registry


def main(argv: List[str]) -> int:
    if not argv or argv[0].startswith("-"):
        sys.stderr.write("usage: zlogin ZONE [COMMAND [ARG …]] (options are not modelled in this lab)\n")
        return 2
    zone = argv[0]
    if zone not in registry.index():
        sys.stderr.write(f"zlogin: zone '{zone}' unknown\n")
        return 1
    at = registry.running(zone)
    if at is None:
        sys.stderr.write(f"zlogin: login allowed only to running zones ({zone} is '{registry.index()[zone].state}').\n")
        return 1
    command = ["/usr/sbin/sh", "-c", " ".join(argv[1:])] if len(argv) > 1 else ["/bin/bash"]
    os.execvp("nsenter", ["nsenter", "-t", str(at.init), "-m", "-u", "-i", "-n", "-p", "-r", "-w", "--", *command])
    return 1
