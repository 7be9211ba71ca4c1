"""zoneadm(8): list, install, attach, detach, boot, halt, shutdown, ready, uninstall, mark. Texts: zoneadm.c of illumos."""
import os
import sys
import time
from typing import Callable, Dict, List, Tuple

from sunlab.spawn import run
from sunlab.zones import config, registry, root
from sunlab.zones.registry import Zone

DETACHED = "SUNWdetached.xml"
#: What a shutdown stops in an orderly way: the zone's own work, not its milestones.
SERVICES = ("svc:/site/", "svc:/application/", "svc:/network/")
STOP_S = 60.0


class Refused(Exception):
    """Exit 1 with `zone 'N': TEXT`."""


def platform() -> str:
    try:
        with open("/etc/sunlab-platform") as file:
            return file.read().strip()
    except FileNotFoundError:
        return "illumos"


def list_zones(argv: List[str]) -> int:
    flags = "".join(word[1:] for word in argv if word.startswith("-"))
    if set(flags) - set("cipvn") or any(not word.startswith("-") for word in argv):
        return usage()
    if "p" in flags and "v" in flags:
        sys.stderr.write("zoneadm: list -p and -v are mutually exclusive.\n")
        return 1
    rows = [] if "n" in flags else [("0", Zone("global", "running", "/", ""), "running")]
    for zone in registry.index().values():
        at = registry.running(zone.name)
        state = "running" if at else zone.state
        if "c" in flags or state == "running" or ("i" in flags and state == "installed"):
            rows.append((str(at.number) if at else "-", zone, state))
    if "v" in flags:
        print_row("ID", "NAME", "STATUS", "PATH", "BRAND", "IP")
    for number, zone, state in rows:
        brand, sharing = brand_of(zone)
        if "p" in flags:
            path = zone.path.replace(":", "\\:")
            line = f"{number}:{zone.name}:{state}:{path}:{zone.uuid}:{brand}:{sharing}"
            sys.stdout.write(line + (":-:none:\n" if platform() == "solaris11.4" else "\n"))
        elif "v" in flags:
            print_row(number, zone.name, state, zone.path, brand, sharing)
        else:
            sys.stdout.write(zone.name + "\n")
    return 0


def print_row(*cells: str) -> None:
    widths = (4, 16, 10, 30, 8, 6)
    first = f"{cells[0]:>4}"
    sys.stdout.write(" ".join([first, *(f"{c:<{w}}" for c, w in zip(cells[1:], widths[1:]))]).rstrip() + "\n")


def brand_of(zone: Zone) -> Tuple[str, str]:
    if zone.name == "global":
        return ("solaris" if platform() == "solaris11.4" else "ipkg"), "shared"
    own = config.load(zone.name)
    return (own.get("brand"), "excl" if own.get("ip-type") == "exclusive" else "shared") if own else ("", "shared")


def install(zone: Zone, argv: List[str]) -> None:
    if argv:
        raise Refused(f"install {' '.join(argv)}: not modelled in this lab")
    need(zone, "install", ("configured",))
    if root.present(zone.path):
        raise Refused(f"the zonepath {zone.path} is not empty; attach the zone that is there")
    registry.set_state(zone.name, "incomplete")
    root.lay_down(zone.path, zone.name)
    registry.set_state(zone.name, "installed")


def attach(zone: Zone, argv: List[str]) -> None:
    if [word for word in argv if word not in ("-F", "-n", "-u", "-U")]:
        raise Refused(f"attach {' '.join(argv)}: not modelled in this lab")
    need(zone, "attach", ("configured",))
    if "-F" not in argv and not root.present(zone.path):
        raise Refused(f"could not attach: there is no zone at {zone.path}")
    if "-n" in argv:
        return
    registry.set_state(zone.name, "installed")
    if os.path.exists(f"{zone.path}/{DETACHED}"):
        os.unlink(f"{zone.path}/{DETACHED}")


def detach(zone: Zone, argv: List[str]) -> None:
    need(zone, "detach", ("installed",))
    with open("/proc/mounts") as file:
        below = [line.split(" ")[1] for line in file if line.split(" ")[1].startswith(zone.path + "/")]
    if below:
        raise Refused(f"These file systems are mounted on subdirectories of {zone.path}.\n" + "\n".join(below))
    with open(config.path_of(zone.name)) as own, open(f"{zone.path}/{DETACHED}", "w") as copy:
        copy.write(own.read())
    registry.set_state(zone.name, "configured")


def boot(zone: Zone, argv: List[str]) -> None:
    from sunlab.zones import zoneadmd   # not at the top: it needs ctypes, and list and attach come first
    if argv:
        raise Refused(f"boot {' '.join(argv)}: not modelled in this lab")
    if registry.running(zone.name):
        sys.stderr.write(f"zone '{zone.name}': zone is already booted\n")
        return
    if zone.state == "incomplete":
        raise Refused("zone is incomplete; uninstall required.")
    if zone.state != "installed":
        raise Refused("must be installed before boot.")
    own = config.load(zone.name)
    assert own is not None
    unmodelled = [kind for kind, _ in own.resources if kind in ("net", "dataset") and own.get("ip-type") == "exclusive"]
    if unmodelled:
        raise Refused(f"{unmodelled[0]} of an exclusive-IP zone: not modelled in this lab")
    mounts = [[pairs["dir"], pairs["special"]] for kind, pairs in own.resources if kind == "fs"]
    try:
        zoneadmd.boot(zone.name, zone.path, own.get("ip-type") == "exclusive", mounts)
    except zoneadmd.ZoneBroken as broken:
        raise Refused(f"could not boot: {broken}") from broken


def halt(zone: Zone, argv: List[str]) -> None:
    from sunlab.zones import zoneadmd
    if not registry.running(zone.name):
        if zone.state == "configured":
            raise Refused("must be installed before halt.")
        sys.stderr.write(f"zone '{zone.name}': zone is already halted\n")
        return
    try:
        zoneadmd.halt(zone.name)
    except zoneadmd.ZoneBroken as broken:
        raise Refused(str(broken)) from broken


def shutdown(zone: Zone, argv: List[str]) -> None:
    """Stop the zone's services by its own SMF, then halt it; -r boots it again."""
    at = registry.running(zone.name)
    if at is None:
        raise Refused("not running")
    own = [fmri for state, fmri in services(at.init) if state != "disabled" and fmri.startswith(SERVICES)]
    if own:
        in_zone(at.init, ["svcadm", "disable", "-t", *own])
    deadline = time.monotonic() + STOP_S
    while {fmri for state, fmri in services(at.init) if state not in ("disabled", "maintenance")} & set(own):
        if time.monotonic() > deadline:
            break                       # as after the stop timeout of svc:/system/zones: what is left is killed
        time.sleep(0.01)
    halt(zone, [])
    if "-r" in argv:
        boot(registry.index()[zone.name], [])


def services(init: int) -> List[Tuple[str, str]]:
    """(state, FMRI) of every instance in the zone; a state with * is on its way."""
    listing = in_zone(init, ["svcs", "-aH", "-o", "state,fmri"])[1]
    rows = [line.split() for line in listing.splitlines()]
    return [(row[0], row[1]) for row in rows if len(row) == 2]


def in_zone(init: int, argv: List[str]) -> Tuple[int, str]:
    return run(["nsenter", "-t", str(init), "-m", "-u", "-i", "-n", "-p", "-r", "-w", "--", *argv])


def uninstall(zone: Zone, argv: List[str]) -> None:
    if "-F" not in argv and not sys.stdin.isatty():
        raise Refused("uninstall without a terminal needs -F")
    if zone.state == "configured":
        raise Refused("is already in state 'configured'.")
    need(zone, "uninstall", ("installed", "incomplete"))
    import shutil                       # not at the top: it would slow every other command down
    shutil.rmtree(f"{zone.path}/root", ignore_errors=True)
    registry.set_state(zone.name, "configured")


def mark(zone: Zone, argv: List[str]) -> None:
    if argv != ["incomplete"]:
        raise Refused(f"mark {' '.join(argv)}: only `mark incomplete` is modelled in this lab")
    need(zone, "mark", ("installed",))
    registry.set_state(zone.name, "incomplete")


def need(zone: Zone, verb: str, states: Tuple[str, ...]) -> None:
    """Refuse as zoneadm does when the zone is in no state for this."""
    state = registry.state_of(zone)
    if state in states:
        return
    if state == "running":
        raise Refused(f"{verb} operation is invalid for running zones.")
    if state == "incomplete":
        raise Refused("zone is incomplete; uninstall required.")
    if state == "installed":
        raise Refused("is already installed.")
    raise Refused(f"must be installed before {verb}.")


VERBS: Dict[str, Callable[[Zone, List[str]], None]] = {
    "install": install, "attach": attach, "detach": detach, "boot": boot, "halt": halt, "shutdown": shutdown,
    "uninstall": uninstall, "mark": mark}


def usage() -> int:
    sys.stderr.write("usage:\tzoneadm list [-cinpv]\n\tzoneadm -z ZONE " + "|".join(VERBS) + "\n")
    return 2


def main(argv: List[str]) -> int:
    if argv[:1] == ["list"]:
        return list_zones(argv[1:])
    if len(argv) < 3 or argv[0] != "-z":
        return usage()
    name, verb, rest = argv[1], argv[2], argv[3:]
    zone = registry.index().get(name)
    if zone is None or not registry.well_named(name):
        sys.stderr.write(f"zoneadm: zone '{name}': could not get state: No such zone configured\n")
        return 1
    if verb == "reboot":
        verb, rest = "shutdown", ["-r"]
    does = VERBS.get(verb)
    if does is None:
        sys.stderr.write(f"zoneadm: {verb}: not modelled in this lab\n")
        return 1
    try:
        does(zone, rest)
    except (Refused, OSError) as refused:
        sys.stderr.write(f"zoneadm: zone '{name}': {refused}\n")
        return 1
    return 0
