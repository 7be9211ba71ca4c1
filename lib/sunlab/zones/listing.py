"""What `zoneadm list` prints (zone_print in zoneadm.c)."""
from __future__ import annotations

import sys

from sunlab.platform import here
from sunlab.zones import config, registry

UP = ("ready", "running", "shutting_down", "down", "mounted")


class Row:
    __slots__ = ("number", "name", "state", "path", "uuid", "brand", "sharing")

    def __init__(self, number: str, zone: registry.Zone, brand: str, sharing: str) -> None:
        self.number, self.name, self.state = number, zone.name, zone.state
        self.path, self.uuid, self.brand, self.sharing = zone.path, zone.uuid, brand, sharing

    def shown(self, configured: bool, installed: bool) -> bool:
        return configured or self.state in UP or installed and self.state == "installed"

    def columns(self) -> str:
        return here().zone_columns.format(self.number, self.name, self.state, self.path, self.brand, self.sharing)

    def colons(self) -> str:
        path = self.path.replace(":", "\\:")
        return (f"{self.number}:{self.name}:{self.state}:{path}:{self.uuid}:{self.brand}:{self.sharing}"
                f"{here().zone_fields}\n")


def rows() -> list[Row]:
    """All of them: the global one, those that are up by their ids, then the others by name."""
    up: list[Row] = []
    down: list[Row] = []
    for zone in registry.index().values():
        at = registry.running(zone.name)
        zone.state = at.state if at else zone.state
        own = config.load(zone.name)
        sharing = "excl" if own is not None and own.get("ip-type") == "exclusive" else "shared"
        row = Row(str(at.number) if at else "-", zone, own.get("brand") if own is not None else "", sharing)
        (up if at else down).append(row)
    first = Row("0", registry.Zone("global", "running", "/", ""), here().brands[0], "shared")
    return [first, *sorted(up, key=lambda row: int(row.number)), *down]


def itself(zone: str) -> Row:
    """What a zone sees of itself: not where it is on its host."""
    with open("/run/zoneid") as file:
        number, brand, sharing = file.read().split()
    return Row(number, registry.Zone(zone, "running", "/", ""), brand, "excl" if sharing == "exclusive" else sharing)


def show(found: list[Row], verbose: bool, parsable: bool) -> int:
    if verbose:
        sys.stdout.write(here().zone_columns.format("ID", "NAME", "STATUS", "PATH", "BRAND", "IP"))
    for row in found:
        sys.stdout.write(row.columns() if verbose else row.colons() if parsable else f"{row.name}\n")
    return 0
