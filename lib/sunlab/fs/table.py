"""The mount table as mnttab(5) has it, made of the kernel's (/proc/self/mountinfo) and of what mount(8) noted.

A mount of the lab's own (devices, programs) is not shown. What is not told by a note has the time of the boot.
"""
from __future__ import annotations

import os

NOTES = "/run/sunlab-mounts"
#: Mount point -> special and type, of what Solaris has too; where the special is nothing the kernel here knows.
OWN = {"/": ("sunlab", "lofs"), "/proc": ("proc", "proc"), "/dev": ("/devices", "dev"),
       "/system/contract": ("ctfs", "ctfs"), "/run": ("swap", "tmpfs"), "/tmp": ("swap", "tmpfs")}
SHOWN_AS = {"/run": "/var/run"}
ZFS_OPTIONS = "devices,setuid,nonbmand,exec,xattr,atime"
ESCAPES = (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\"))


class Mounted:
    """`options`: comma-separated, as in mnttab; `device`: st_dev; `place`: where the kernel has it."""

    def __init__(self, special: str, point: str, kind: str, options: str, time: int, device: int, place: str,
                 number: str) -> None:
        self.special, self.point, self.kind, self.options, self.time = special, point, kind, options, time
        self.device, self.place, self.number = device, place, number

    @property
    def read_only(self) -> bool:
        return "ro" in self.options.split(",")


def plain(text: str) -> str:
    for escape, sign in ESCAPES:
        text = text.replace(escape, sign)
    return text


def rows(text: str, notes: dict[str, str], booted: int) -> list[Mounted]:
    """mountinfo (proc(5)) and notes -> what mnttab has, oldest first. Pure."""
    found = []
    for line in text.splitlines():
        before, _, after = line.partition(" - ")
        number, _, device, root, place, flags = before.split(" ")[:6]
        kind, source = after.split(" ")[:2]
        known = shown(plain(place), kind, plain(source), root, notes.get(number, ""))
        if known is None:
            continue
        major, minor = (int(part) for part in device.split(":"))
        dev = os.makedev(major, minor)
        special, kind, options, time = known
        options = options or f"{'ro' if 'ro' in flags.split(',') else 'rw'},{ZFS_OPTIONS}"
        point = SHOWN_AS.get(plain(place), plain(place))
        found.append(Mounted(special, point, kind, f"{options},dev={dev:x}", time or booted, dev, plain(place), number))
    return found


def shown(place: str, kind: str, source: str, root: str, note: str) -> tuple[str, str, str, int] | None:
    """Special, type, options and time of a mount; None: of the lab's own. Pure."""
    if note:
        kind, time, options = note.split(" ", 2)
        return source if kind != "lofs" else root, kind, options, int(time)
    if place in OWN:
        special, kind = OWN[place]
        return special, kind, "", 0
    if kind in ("fuse", "fuse.zfs") and not source.startswith("/") and ":" not in source:
        return source, "zfs", "", 0
    return None


def note(place: str, kind: str, options: str, now: int) -> None:
    """Remember what the newest mount there is. Raises OSError."""
    os.makedirs(NOTES, exist_ok=True)
    number = newest(place)
    with open(f"{NOTES}/{number}.new", "w", encoding="utf-8") as file:
        file.write(f"{kind} {now} {options}")
    os.replace(f"{NOTES}/{number}.new", f"{NOTES}/{number}")


def forget(number: str) -> None:
    """It is unmounted; the kernel may give its number again."""
    try:
        os.unlink(f"{NOTES}/{number}")
    except FileNotFoundError:
        pass


def newest(place: str) -> str:
    """The kernel's number of the last mount at that place. Raises OSError, LookupError."""
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        numbers = [line.split(" ")[0] for line in file if plain(line.split(" ")[4]) == place]
    return numbers[-1]


def read() -> list[Mounted]:
    """This node's. Raises OSError."""
    notes = {}
    if os.path.isdir(NOTES):
        for name in os.listdir(NOTES):
            if name.isdigit():
                with open(f"{NOTES}/{name}", encoding="utf-8") as file:
                    notes[name] = file.read()
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        return rows(file.read(), notes, int(os.stat("/proc/1").st_ctime))


def last(mounts: list[Mounted], special: str = "", point: str = "") -> Mounted | None:
    """The newest that has that special, or is there."""
    return next((one for one in reversed(mounts) if special in ("", one.special) and point in ("", one.point)), None)
