"""Devices of zpool's command lines: Solaris knows them by their short names, zfs-fuse by their paths (zpool(8))."""
from __future__ import annotations

import os

DISKS = "/dev/dsk"
COMMANDS = ("create", "add", "attach", "detach", "remove", "replace", "split", "online", "offline", "clear")


def whole(words: list[str]) -> list[str]:
    """The words with the path in place of each short name of a disk, such as c0t1d0s0."""
    return [f"{DISKS}/{word}" if _is_disk(word) else word for word in words]


def told(text: str, words: list[str]) -> str:
    """What zfs-fuse says of devices, as Solaris does: what cannot be done is said of a name as it was given."""
    text = text.replace("no such device in /dev\n", f"no such device in {DISKS}\n").replace(" dsk/", " ")
    for word in filter(_is_disk, words):
        text = text.replace(f"cannot {words[0]} {DISKS}/{word}", f"cannot {words[0]} {word}")
    return text


def _is_disk(word: str) -> bool:
    return "/" not in word and not word.startswith((".", "-")) and os.path.exists(f"{DISKS}/{word}")
