"""`zoneadm mount`: the zone's file systems below ZONEPATH/lu/a, with nothing running in them (Z_MNT_UPDATE)."""
from __future__ import annotations

import os

from sunlab import linux
from sunlab.zones.config import ZoneConfig


def place(zonepath: str) -> str:
    return f"{zonepath}/lu/a"


def mount(zonepath: str, own: ZoneConfig) -> None:
    """Raises OSError."""
    top = place(zonepath)
    os.makedirs(top, mode=0o755, exist_ok=True)
    linux.mount(f"{zonepath}/root", top, flags=linux.MS_BIND)
    for one in own.all_of("fs"):
        below = f"{top}{one.get('dir')}"
        os.makedirs(below, exist_ok=True)
        linux.mount(one.get("special"), below, flags=linux.MS_BIND)


def unmount(zonepath: str) -> None:
    """Raises OSError when somebody uses it."""
    top = place(zonepath)
    with open("/proc/self/mounts") as file:
        points = [line.split(" ")[1].replace("\\040", " ") for line in file]
    for point in reversed([one for one in points if one == top or one.startswith(f"{top}/")]):
        linux.umount(point)
    for folder in (top, os.path.dirname(top)):
        if os.path.isdir(folder):
            os.rmdir(folder)
