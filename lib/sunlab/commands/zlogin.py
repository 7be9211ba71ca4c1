"""zlogin(1): run a command in a running zone; without one, a shell. The exit status is the command's."""
from __future__ import annotations

import os
import sys

from sunlab.zones import registry


def main(argv: list[str]) -> int:
    if not argv or argv[0].startswith("-"):
        sys.stderr.write("usage: zlogin ZONE [COMMAND [ARG …]] (options are not modelled in this lab)\n")
        return 2
    zone = argv[0]
    found = registry.index().get(zone)
    if found is None:
        sys.stderr.write(f"zlogin: zone '{zone}' unknown\n")
        return 1
    at = registry.running(zone)
    if at is None:
        sys.stderr.write(f"zlogin: login allowed only to running zones ({zone} is '{found.state}').\n")
        return 1
    from sunlab.zones import birth, zoneadmd
    command = ["/usr/sbin/sh", "-c", " ".join(argv[1:])] if len(argv) > 1 else ["/usr/bin/bash", "-l"]
    environment = {**birth.ENVIRONMENT, "TERM": os.environ.get("TERM", "dumb")}
    return birth.run_in(at.init, zoneadmd.group(zone, "init"), command, environment)
