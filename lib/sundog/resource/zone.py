"""zone: a non-global zone that moves with its pool. Its configuration travels in the cluster's own."""
import os
from typing import List, NamedTuple, Optional

from sundog.config.fields import FileName, ZoneName
from sundog.errors import ConfigProblem, SundogError
from sundog.resource.terms import Condition, Permit, Problem, State
from sundog.solaris import zones
from sundog.solaris.host import Host
from sundog.solaris.run import CommandFailed
from sundog.solaris.zones import ZoneFailed

CARRIED = "/etc/sundog/files"           # where the daemon lays the files of the configuration
CONFIGURED = "/var/sundog/zones"        # what this host's zones were configured from
BRANDS = "/usr/lib/brand"
ATTACH_S, BOOT_S = 900.0, 300.0
SHUTDOWN_S, HALT_S = 120.0, 120.0


class ZoneNotInstalled(SundogError):
    """The zone has never been installed: there is nothing at its path to attach."""


class Params(NamedTuple):
    zone: ZoneName
    config: FileName


def start(host: Host, p: Params, permit: Permit) -> None:
    """Configure, attach and boot, whichever is still to do. Raises ConfigProblem, ZoneNotInstalled, ZoneFailed."""
    found = zones.zones(host.run).get(p.zone)
    if found is None or found.state == "configured":
        configure(host, p, found is not None)
        attach(host, p.zone)
    elif found.state == "running":
        return
    elif found.state not in ("installed", "ready"):
        raise ZoneFailed(f"zone {p.zone} is {found.state}", f"zoneadm -z {p.zone} halt or uninstall, as fits")
    zones.act(host.run, p.zone, "boot", timeout_s=BOOT_S)


def carried(p: Params) -> str:
    """The path of the zone's file on this host."""
    return os.path.join(CARRIED, p.config)


def text_of(path: str) -> Optional[str]:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return None


def configure(host: Host, p: Params, known: bool) -> None:
    """Make the zone's configuration what the cluster's file says, unless a person has made one by hand."""
    path, copy = carried(p), os.path.join(CONFIGURED, p.zone)
    text, before = text_of(path), text_of(copy)
    if text is None:
        raise ConfigProblem(f"zone {p.zone}: {path} is not there", "sundog apply the configuration again")
    if sets_autoboot(text) or known and before is None and zones.boots_by_itself(host.run, p.zone):
        raise autoboot(p.zone)
    if known and before is None:
        return
    if known and before == text:
        return
    if known:
        zones.forget(host.run, p.zone)
    try:
        zones.configure(host.run, p.zone, path)
    except CommandFailed:
        # zonecfg(8) keeps what stood before the mistake: half a configuration, which would pass for one made by hand.
        if p.zone in zones.zones(host.run):
            zones.forget(host.run, p.zone)
        raise
    os.makedirs(CONFIGURED, 0o700, exist_ok=True)
    with open(copy, "w", encoding="utf-8") as file:
        file.write(text)


def sets_autoboot(text: str) -> bool:
    return any("".join(line.split()) == "setautoboot=true" for line in text.splitlines())


def autoboot(zone: str) -> ConfigProblem:
    return ConfigProblem(f"zone {zone} has autoboot=true, so the host would boot it on its own",
                         f"set autoboot=false in the zone's file, or: zonecfg -z {zone} set autoboot=false")


def attach(host: Host, zone: str) -> None:
    """Attach as it is; where the brand says that its packages lag behind the host's, attach with an update."""
    try:
        zones.act(host.run, zone, "attach", timeout_s=ATTACH_S)
    except ZoneFailed as refused:
        path = zones.zones(host.run)[zone].path
        if not os.path.isdir(path) or not os.listdir(path):
            raise ZoneNotInstalled(f"zone {zone} has never been installed at {path}",
                                   f"once, where its pool is imported: zoneadm -z {zone} install; then zoneadm -z "
                                   f"{zone} detach", refused.said) from None
        if not any(word in (refused.said or "") for word in ("-u", "update", "out of sync", "older", "newer")):
            raise
        zones.act(host.run, zone, "attach", "-u", timeout_s=ATTACH_S)


def stop(host: Host, p: Params) -> None:
    """Shut down, halt what does not end in time, and detach. Raises ZoneFailed."""
    found = zones.zones(host.run).get(p.zone)
    if found is None or found.state == "configured":
        return
    if found.state == "running":
        try:
            zones.act(host.run, p.zone, "shutdown", timeout_s=SHUTDOWN_S)
        except ZoneFailed:
            # A zone that does not shut down in its time is halted: the group must be able to move.
            zones.act(host.run, p.zone, "halt", timeout_s=HALT_S)
    elif found.state != "installed":
        zones.act(host.run, p.zone, "halt", timeout_s=HALT_S)
    zones.act(host.run, p.zone, "detach", timeout_s=ATTACH_S)


def probe(host: Host, p: Params) -> State:
    found = zones.zones(host.run).get(p.zone)
    if found is None or found.state in ("configured", "installed"):
        return State(Condition.OFFLINE, found.state if found else "not configured")
    if found.state == "running":
        return State(Condition.ONLINE, found.state)
    broken = found.state in ("incomplete", "unavailable")
    return State(Condition.FAILED if broken else Condition.UNKNOWN, found.state)


def preflight(host: Host, p: Params) -> List[Problem]:
    """Could the zone be configured and attached here, and will the host leave it alone?"""
    text = text_of(carried(p))
    if text is None:
        return [Problem(f"zone {p.zone}: {carried(p)} is not there", "sundog apply the configuration again")]
    problems = []
    found = zones.zones(host.run).get(p.zone)
    if sets_autoboot(text) or found is not None and zones.boots_by_itself(host.run, p.zone):
        refused = autoboot(p.zone)
        problems.append(Problem(refused.what, refused.remedy))
    brand = next((line.partition("=")[2].strip() for line in text.splitlines()
                  if line.strip().startswith("set brand")), "")
    if brand and os.path.isdir(BRANDS) and not os.path.isdir(os.path.join(BRANDS, brand)):
        problems.append(Problem(f"zone {p.zone}: this host has no brand {brand}", f"pkg install the brand {brand}"))
    if found is not None and found.state not in ("configured", "installed"):
        problems.append(Problem(f"zone {p.zone} is {found.state} here although its group does not run here",
                                f"zoneadm -z {p.zone} halt"))
    return problems
