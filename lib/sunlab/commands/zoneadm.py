"""zoneadm(8): list, install, attach, detach, boot, halt, shutdown, reboot, uninstall, mark incomplete.

Texts: zoneadm.c and zoneadmd.c of illumos. Everything else says that it is not modelled.
"""
from __future__ import annotations

import os
import sys

from sunlab.platform import here
from sunlab.zones import config, registry, root
from sunlab.zones.registry import Zone

DETACHED = "SUNWdetached.xml"
SERVICES_S = 100.0              # what svc:/system/zones gives its stop method


class Refused(Exception):
    """Exit 1 with `zoneadm: zone 'N': TEXT`."""


# --- list

def list_zones(words: list[str]) -> int:
    flags = "".join(word[1:] for word in words)
    if set(flags) - set("cipvn") or any(not word.startswith("-") for word in words):
        return usage()
    if "p" in flags and "v" in flags:
        sys.stderr.write("zoneadm: list -p and -v are mutually exclusive.\n")
        return 1
    rows = [] if "n" in flags else [("0", Zone("global", "running", "/", ""))]
    for zone in registry.index().values():
        at = registry.running(zone.name)
        zone.state = "running" if at else zone.state
        if "c" in flags or at or ("i" in flags and zone.state == "installed"):
            rows.append((str(at.number) if at else "-", zone))
    if "v" in flags:
        sys.stdout.write(row("ID", "NAME", "STATUS", "PATH", "BRAND", "IP"))
    for number, zone in rows:
        brand, sharing = brand_of(zone.name)
        if "p" in flags:
            sys.stdout.write(colons(number, zone, brand, sharing))
        elif "v" in flags:
            sys.stdout.write(row(number, zone.name, zone.state, zone.path, brand, sharing))
        else:
            sys.stdout.write(zone.name + "\n")
    return 0


def row(number: str, name: str, state: str, path: str, brand: str, sharing: str) -> str:
    return f"{number:>4} {name:<16} {state:<10} {path:<30} {brand:<8} {sharing:<6}\n"


def colons(number: str, zone: Zone, brand: str, sharing: str) -> str:
    path = zone.path.replace("\\", "\\\\").replace(":", "\\:")
    line = f"{number}:{zone.name}:{zone.state}:{path}:{zone.uuid}:{brand}:{sharing}"
    return line + here().zone_fields + "\n"


def brand_of(name: str) -> tuple[str, str]:
    if name == "global":
        return config.brands()[0], "shared"
    own = config.load(name)
    return (own.get("brand"), "excl" if own.get("ip-type") == "exclusive" else "shared") if own else ("", "shared")


# --- changes

def configuration(zone: Zone) -> config.ZoneConfig:
    own = config.load(zone.name)
    if own is None:
        raise Refused("could not get state: No such zone configured")
    return own


def need(zone: Zone, verb: str, *states: str) -> None:
    """Refuse as zoneadm does when the zone is in no state for this (sanity_check)."""
    state = registry.state_of(zone)
    if state in states:
        return
    if state == "running":
        raise Refused(f"{verb} operation is invalid for running zones.")
    if state == "incomplete":
        raise Refused("zone is incomplete; uninstall required.")
    if state == "installed":
        raise Refused("is already installed.")
    if verb == "uninstall":
        raise Refused("is already in state 'configured'.")
    raise Refused(f"must be installed before {verb}.")


def only(verb: str, words: list[str], *modelled: str) -> None:
    for word in words:
        if word not in modelled:
            raise Refused(f"{verb} {word}: not modelled in this lab")


def install(zone: Zone, words: list[str]) -> None:
    only("install", words)
    need(zone, "install", "configured")
    if os.path.exists(f"{zone.path}/root"):
        raise Refused(f"{zone.path}/root is there already; attach that zone, or remove it")
    if not os.path.isdir(os.path.dirname(zone.path)):
        raise Refused(f"could not verify zonepath {zone.path}: its parent directory does not exist")
    registry.set_state(zone.name, "incomplete")
    root.lay_down(zone.path, zone.name)
    registry.set_state(zone.name, "installed")


def attach(zone: Zone, words: list[str]) -> None:
    """-F does no checks; -u and -U find nothing to update, for a zone's programs are its node's."""
    only("attach", words, "-F", "-n", "-u", "-U")
    need(zone, "attach", "configured")
    if "-F" not in words and not root.present(zone.path):
        raise Refused(f"could not attach: there is no zone at {zone.path}")
    if "-n" in words:
        return
    registry.set_state(zone.name, "installed")
    if os.path.exists(f"{zone.path}/{DETACHED}"):
        os.unlink(f"{zone.path}/{DETACHED}")


def detach(zone: Zone, words: list[str]) -> None:
    only("detach", words, "-n")
    need(zone, "detach", "installed")
    with open("/proc/self/mounts") as file:
        below = [line.split(" ")[1] for line in file if line.split(" ")[1].startswith(f"{zone.path}/")]
    if below:
        raise Refused("\n".join([f"These file systems are mounted on subdirectories of {zone.path}.", *below]))
    if "-n" in words:
        return
    registry.replace(f"{zone.path}/{DETACHED}", config.written(zone.name, configuration(zone)))
    registry.set_state(zone.name, "configured")


def boot(zone: Zone, words: list[str]) -> None:
    only("boot", words)
    from sunlab.zones import zoneadmd
    if registry.running(zone.name):
        sys.stderr.write(f"zone '{zone.name}': zone is already booted\n")
        return
    need(zone, "boot", "installed")
    own = configuration(zone)
    if own.get("ip-type") == "exclusive":
        raise Refused("boot with ip-type=exclusive: not modelled in this lab")
    if not root.present(zone.path):
        raise Refused(f"could not boot: there is no root at {zone.path}; is its pool imported?")
    addresses = zoneadmd.add_addresses(zone.name, own.all_of("net"))
    try:
        zoneadmd.boot(zoneadmd.Birth(zone.name, zone.path, own.all_of("fs"), addresses))
    except zoneadmd.ZoneBroken as broken:
        raise Refused(f"could not boot: {broken}") from broken


def halt(zone: Zone, words: list[str]) -> None:
    only("halt", words)
    from sunlab.zones import zoneadmd
    if not registry.running(zone.name):
        need(zone, "halt", "installed")
        sys.stderr.write(f"zone '{zone.name}': zone is already halted\n")
        return
    nets = configuration(zone).all_of("net")
    try:
        zoneadmd.halt(zone.name, [(net["physical"], net["address"].partition("/")[0]) for net in nets])
    except zoneadmd.ZoneBroken as broken:
        raise Refused(str(broken)) from broken


def shutdown(zone: Zone, words: list[str]) -> None:
    """Let the zone's own SMF stop its services, then halt it; -r boots it again."""
    only("shutdown", words, "-r")
    if not registry.running(zone.name):
        raise Refused("not running")
    stop_services(zone.name)
    with registry.Exclusively(zone.name):
        halt(zone, [])
        if "-r" in words:
            boot(zone, [])


def stop_services(name: str) -> None:
    """As at run level 0: every service stops, dependents first. Raises Refused."""
    import time

    from sunlab import zones
    from sunlab.smf import client
    door, deadline, told = zones.door(name), time.monotonic() + SERVICES_S, False
    while True:
        answer = client.call("svcs", ["-a", "-H", "-o", "state,nstate,fmri"], door=door)
        rows = [line.split() for key, text in answer or [] if key == "out" for line in text.splitlines()]
        up = [fmri for state, after, fmri in rows if (state in ("online", "degraded") or after != "-")
              and not fmri.startswith("svc:/system/svc/restarter:")]
        if not up:
            return
        if not told:
            client.call("svcadm", ["disable", "-t", *up], door=door)
            told = True
        elif time.monotonic() > deadline:
            raise Refused(f"shutdown: still stopping after {SERVICES_S:g} s: {' '.join(up)}")
        else:
            time.sleep(0.005)


def reboot(zone: Zone, words: list[str]) -> None:
    """Unlike shutdown -r, without its services' stop methods."""
    only("reboot", words)
    if not registry.running(zone.name):
        raise Refused("not running")
    halt(zone, [])
    boot(zone, [])


def uninstall(zone: Zone, words: list[str]) -> None:
    only("uninstall", words, "-F")
    need(zone, "uninstall", "installed", "incomplete")
    if "-F" not in words:
        raise Refused("uninstall without -F asks first, which is not modelled in this lab")
    import shutil
    if os.path.isdir(f"{zone.path}/root"):
        shutil.rmtree(f"{zone.path}/root")
    registry.set_state(zone.name, "configured")


def mark(zone: Zone, words: list[str]) -> None:
    only("mark", words, "incomplete")
    need(zone, "mark", "installed")
    registry.set_state(zone.name, "incomplete")


VERBS = {"install": install, "attach": attach, "detach": detach, "boot": boot, "halt": halt, "shutdown": shutdown,
         "reboot": reboot, "uninstall": uninstall, "mark": mark}


def usage() -> int:
    sys.stderr.write(f"usage:\tzoneadm list [-cinpv]\n\tzoneadm -z ZONE {'|'.join(VERBS)}\n")
    return 2


def main(argv: list[str]) -> int:
    if argv[:1] == ["list"]:
        return list_zones(argv[1:])
    if len(argv) < 3 or argv[0] != "-z":
        return usage()
    name, verb, words = argv[1], argv[2], argv[3:]
    does = VERBS.get(verb)
    if does is None:
        sys.stderr.write(f"zoneadm: {verb}: not modelled in this lab\n")
        return 1
    if name not in registry.index():
        sys.stderr.write(f"zoneadm: zone '{name}': could not get state: No such zone configured\n")
        return 1
    try:
        if verb == "shutdown":
            does(registry.index()[name], words)
        else:
            with registry.Exclusively(name):
                does(registry.index()[name], words)
    except (Refused, OSError) as refused:
        sys.stderr.write(f"zoneadm: zone '{name}': {refused}\n")
        return 1
    return 0
