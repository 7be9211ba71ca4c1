"""What the node knows of its zones: /etc/zones/index, and which of them are up.

index: `name:state:zonepath:uuid`, a path with a colon between quotation marks (libzonecfg, getzoneent.c). A zone that
is ready or more has a file in /var/run/zones with its id, the pids of its init and its zoneadmd, and its state; it goes
with the power.
"""
from __future__ import annotations

import os

ZONES = "/etc/zones"
RUN = "/var/run/zones"
NEWS = f"{RUN}/.svc.zones"              # where svc.zones hears of changes (Solaris 11.4)
LONGEST = 63
AT_REST = ("configured", "incomplete", "unavailable", "installed")


class Zone:
    __slots__ = ("name", "state", "path", "uuid")

    def __init__(self, name: str, state: str, path: str, uuid: str) -> None:
        self.name, self.path, self.uuid = name, path, uuid
        self.state = state              # configured | incomplete | unavailable | installed; not that it runs


class Running:
    """A zone that the kernel knows: ready, running, shutting_down or down."""
    __slots__ = ("number", "init", "daemon", "state")

    def __init__(self, number: int, init: int, daemon: int, state: str = "running") -> None:
        self.number = number            # the zone id
        self.init, self.daemon = init, daemon       # pids in the node; 0: none yet
        self.state = state


def valid(name: str) -> bool:
    """May a zone be called that? (zonecfg(8), zonename)"""
    plain = name.replace("-", "a").replace("_", "a").replace(".", "a")
    return (plain.isalnum() and name.isascii() and name[0].isalnum() and len(name) <= LONGEST
            and name != "global" and not name.startswith(("SUNW", "SYS")))


def inside() -> str:
    """The zone that this runs in; "" in the global one."""
    try:
        with open("/run/zonename") as file:
            return file.read().strip()
    except FileNotFoundError:
        return ""


def index() -> dict[str, Zone]:
    try:
        with open(f"{ZONES}/index") as file:
            lines = [line.rstrip("\n") for line in file if line.strip() and not line.startswith("#")]
    except FileNotFoundError:
        return {}
    rows = [_fields(line) for line in lines]
    return {row[0]: Zone(*row) for row in rows if row[0] != "global"}


def _fields(line: str) -> list[str]:
    name, _, rest = line.partition(":")
    state, _, rest = rest.partition(":")
    if rest.startswith('"'):
        path, _, uuid = rest[1:].partition('":')
    else:
        path, _, uuid = rest.partition(":")
    return [name, state, path, uuid.partition(":")[0]]


def keep(zones: dict[str, Zone]) -> None:
    """Replace the index, durably."""
    os.makedirs(ZONES, exist_ok=True)
    rows = [f'{z.name}:{z.state}:{f"{chr(34)}{z.path}{chr(34)}" if ":" in z.path else z.path}:{z.uuid}\n'
            for z in zones.values()]
    replace(f"{ZONES}/index", "global:installed:/:\n" + "".join(rows))


class Changing:
    """`with Changing() as zones`: what becomes of `zones` is the new index; no other command changes it meanwhile."""

    def __enter__(self) -> dict[str, Zone]:
        import fcntl
        os.makedirs(ZONES, exist_ok=True)
        self.lock = os.open(f"{ZONES}/.index.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        self.zones = index()
        return self.zones

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            keep(self.zones)
        os.close(self.lock)


def replace(path: str, text: str) -> None:
    """Write a file whole or not at all."""
    with open(f"{path}.{os.getpid()}", "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(f"{path}.{os.getpid()}", path)


def set_state(name: str, state: str) -> None:
    with Changing() as zones:
        zone = zones[name]
        zone.state = state
        if state == "installed" and not zone.uuid:
            zone.uuid = random_uuid()
        if state == "configured":
            zone.uuid = ""
    announce(name, state)


def random_uuid() -> str:
    """Version 4 (RFC 9562)."""
    raw = bytearray(os.urandom(16))
    raw[6], raw[8] = raw[6] & 0x0F | 0x40, raw[8] & 0x3F | 0x80
    text = raw.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def running(name: str) -> Running | None:
    """What /var/run/zones says, and whether its init still lives."""
    try:
        with open(f"{RUN}/{name}") as file:
            words = file.read().split()
    except FileNotFoundError:
        return None
    at = Running(int(words[0]), int(words[1]), int(words[2]), words[3])
    if at.state in ("running", "shutting_down") and not alive(at.init):
        if not alive(at.daemon):
            return None
        at.state = "down"               # its zoneadmd has not tidied up yet
    return at


def alive(pid: int) -> bool:
    """Is there such a process, and not only its zombie?"""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def record(name: str, at: Running | None) -> None:
    """Keep what a zone is in /var/run/zones; None: it is not up."""
    if at is not None:
        replace(f"{RUN}/{name}", f"{at.number} {at.init} {at.daemon} {at.state}\n")
    elif os.path.exists(f"{RUN}/{name}"):
        os.unlink(f"{RUN}/{name}")
    announce(name, at.state if at is not None else "installed")


def announce(name: str, state: str) -> None:
    """Tell svc.zones, where there is one."""
    if not os.path.exists(NEWS):
        return
    import _socket
    news = _socket.socket(_socket.AF_UNIX, _socket.SOCK_DGRAM)
    try:
        news.sendto(f"{name}\x1f{state}".encode(), NEWS)
    except OSError:
        pass                            # it has just ended
    news.close()


def state_of(zone: Zone) -> str:
    at = running(zone.name)
    return at.state if at else zone.state


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
