"""Zones through zoneadm(8) and zonecfg(8)."""
from typing import Dict, NamedTuple

from sundog.errors import SundogError
from sundog.solaris.columns import fields
from sundog.solaris.run import CommandFailed, Run

ZONEADM = "/usr/sbin/zoneadm"
ZONECFG = "/usr/sbin/zonecfg"
LOOK_S = 60.0


class ZoneFailed(SundogError):
    """zoneadm refused or failed."""


class Zone(NamedTuple):
    """A zone as `zoneadm list -cp` shows it. Only fields that Solaris and illumos agree on."""
    state: str
    path: str
    brand: str


def zones(run: Run) -> Dict[str, Zone]:
    """Name -> zone, the global one left out. Raises CommandFailed."""
    done = run([ZONEADM, "list", "-cp"], timeout_s=LOOK_S)
    if not done.ok:
        raise CommandFailed(done)
    found = {}
    for line in done.out.splitlines():
        row = (fields(line) + [""] * 6)[:6]
        if row[1] and row[1] != "global":
            found[row[1]] = Zone(row[2], row[3], row[5])
    return found


def act(run: Run, zone: str, *command: str, timeout_s: float) -> None:
    """zoneadm -z ZONE COMMAND…. Raises ZoneFailed."""
    done = run([ZONEADM, "-z", zone, *command], timeout_s=timeout_s)
    if done.ok:
        return
    how = f"did not end within {done.took_s:.0f} s" if done.timed_out else "failed"
    raise ZoneFailed(f"zone {zone}: {command[0]} {how}",
                     f"zoneadm -z {zone} {' '.join(command)}, by hand, tells more", " ".join(done.said.split()) or None)


def configure(run: Run, zone: str, file: str) -> None:
    """Make the zone's configuration from a file of zonecfg subcommands. Raises CommandFailed."""
    done = run([ZONECFG, "-z", zone, "-f", file], timeout_s=LOOK_S)
    if not done.ok:
        raise CommandFailed(done, f"correct the zone's file in the cluster's configuration, then sundog apply: {file}")


def forget(run: Run, zone: str) -> None:
    """Delete the configuration of a zone that is detached. Raises CommandFailed."""
    done = run([ZONECFG, "-z", zone, "delete", "-F"], timeout_s=LOOK_S)
    if not done.ok:
        raise CommandFailed(done)


def boots_by_itself(run: Run, zone: str) -> bool:
    """Is the configured zone's autoboot set? Raises CommandFailed."""
    done = run([ZONECFG, "-z", zone, "info", "autoboot"], timeout_s=LOOK_S)
    if not done.ok:
        raise CommandFailed(done)
    return done.out.partition(":")[2].strip() == "true"
