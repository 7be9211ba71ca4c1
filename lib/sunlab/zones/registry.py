"""What the node knows of its zones: /etc/zones/index and one XML file each, and which of them run.

index: `name:state:zonepath:uuid` (zones(4)). A running zone has a file in /var/run/zones with the pids of its zoneadmd and
its init; the file goes with the power.
"""
import os
from typing import Dict, List, NamedTuple, Optional

ZONES = "/etc/zones"
RUN = "/var/run/zones"
LETTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")


def well_named(name: str) -> bool:
    """Up to 64 of letters, digits and "_.-", the first a letter or a digit (zones(7))."""
    return name[:1] in LETTERS and set(name) <= LETTERS | set("_.-") and 0 < len(name) <= 64


class Zone(NamedTuple):
    name: str
    state: str              # configured | incomplete | installed; running comes from the run file
    path: str
    uuid: str


class Running(NamedTuple):
    number: int             # the zone id
    init: int               # pid of its init, in the node's pid namespace
    daemon: int             # pid of its zoneadmd


def index() -> Dict[str, Zone]:
    try:
        with open(f"{ZONES}/index") as file:
            lines = [line.rstrip("\n") for line in file if line.strip() and not line.startswith("#")]
    except FileNotFoundError:
        return {}
    found = {}
    for line in lines:
        name, state, path, uuid = (line.split(":") + ["", "", ""])[:4]
        found[name] = Zone(name, state, path, uuid)
    return found


def keep(zones: Dict[str, Zone]) -> None:
    os.makedirs(ZONES, exist_ok=True)
    with open(f"{ZONES}/index.new", "w") as file:
        file.writelines(":".join(zone) + "\n" for zone in zones.values())
        file.flush()
        os.fsync(file.fileno())
    os.replace(f"{ZONES}/index.new", f"{ZONES}/index")


def set_state(name: str, state: str) -> None:
    zones = index()
    zones[name] = zones[name]._replace(state=state)
    keep(zones)


def running(name: str) -> Optional[Running]:
    try:
        with open(f"{RUN}/{name}") as file:
            number, init, daemon = (int(word) for word in file.read().split())
        return Running(number, init, daemon)
    except (FileNotFoundError, ValueError):
        return None


def state_of(zone: Zone) -> str:
    return "running" if running(zone.name) else zone.state


def next_number() -> int:
    """Zone ids grow while the node is up."""
    os.makedirs(RUN, exist_ok=True)
    path = f"{RUN}/.next"
    try:
        with open(path) as file:
            number = int(file.read())
    except FileNotFoundError:
        number = 1
    with open(path, "w") as file:
        file.write(str(number + 1))
    return number


def names_running() -> List[str]:
    return [name for name in index() if running(name)]
