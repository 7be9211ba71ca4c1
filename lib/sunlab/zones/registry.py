"""What the node knows of its zones: /etc/zones/index, and which of them run.

index: `name:state:zonepath:uuid` (zones(5)). A running zone has a file in /var/run/zones with its id and the pids of
its init and its zoneadmd; it goes with the power.
"""
from __future__ import annotations

import os

ZONES = "/etc/zones"
RUN = "/var/run/zones"
LONGEST = 63


class Zone:
    __slots__ = ("name", "state", "path", "uuid")

    def __init__(self, name: str, state: str, path: str, uuid: str) -> None:
        self.name, self.path, self.uuid = name, path, uuid
        self.state = state              # configured | incomplete | installed; that it runs is not in the index


class Running:
    __slots__ = ("number", "init", "daemon")

    def __init__(self, number: int, init: int, daemon: int) -> None:
        self.number = number            # the zone id
        self.init, self.daemon = init, daemon       # pids in the node


def valid(name: str) -> bool:
    """May a zone be called that? (zonecfg(8), zonename)"""
    plain = name.replace("-", "a").replace("_", "a").replace(".", "a")
    return (plain.isalnum() and name.isascii() and name[0].isalnum() and len(name) <= LONGEST
            and name != "global" and not name.startswith(("SUNW", "SYS")))


def index() -> dict[str, Zone]:
    try:
        with open(f"{ZONES}/index") as file:
            lines = [line.rstrip("\n") for line in file if line.strip() and not line.startswith("#")]
    except FileNotFoundError:
        return {}
    rows = [(line.split(":") + [""] * 3)[:4] for line in lines]
    return {row[0]: Zone(*row) for row in rows}


def keep(zones: dict[str, Zone]) -> None:
    """Replace the index, durably."""
    os.makedirs(ZONES, exist_ok=True)
    replace(f"{ZONES}/index", "".join(f"{z.name}:{z.state}:{z.path}:{z.uuid}\n" for z in zones.values()))


def replace(path: str, text: str) -> None:
    """Write a file whole or not at all."""
    with open(f"{path}.{os.getpid()}", "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(f"{path}.{os.getpid()}", path)


def set_state(name: str, state: str) -> None:
    zones = index()
    zone = zones[name]
    zone.state = state
    if state == "installed" and not zone.uuid:
        zone.uuid = random_uuid()
    if state == "configured":
        zone.uuid = ""
    keep(zones)


def random_uuid() -> str:
    """Version 4 (RFC 9562)."""
    raw = bytearray(os.urandom(16))
    raw[6], raw[8] = raw[6] & 0x0F | 0x40, raw[8] & 0x3F | 0x80
    text = raw.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def running(name: str) -> Running | None:
    try:
        with open(f"{RUN}/{name}") as file:
            number, init, daemon = (int(word) for word in file.read().split())
        os.kill(init, 0)
    except (FileNotFoundError, ProcessLookupError):
        return None
    return Running(number, init, daemon)


def state_of(zone: Zone) -> str:
    return "running" if running(zone.name) else zone.state


def next_number() -> int:
    """Zone ids grow while the node is up."""
    path = f"{RUN}/.next"
    try:
        with open(path) as file:
            number = int(file.read())
    except FileNotFoundError:
        number = 1
    with open(path, "w") as file:
        file.write(str(number + 1))
    return number


class Exclusively:
    """While it lasts, no other command changes this zone (zonecfg_grab_lock_file)."""

    def __init__(self, zone: str) -> None:
        self.path = f"{RUN}/{zone}.zoneadm.lock"

    def __enter__(self) -> None:
        import fcntl
        os.makedirs(RUN, exist_ok=True)
        self.lock = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self.lock, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        os.close(self.lock)
