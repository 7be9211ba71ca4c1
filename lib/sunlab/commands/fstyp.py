"""fstyp(8): which file system a device has, ufs or zfs. -a and -v are not modelled."""
from __future__ import annotations

import os
import sys

from sunlab.fs import superblock

USAGE = "Usage: fstyp [-av] <device>\n"
NO_MATCH, CANNOT_OPEN, IO = 1, 7, 8
TEXTS = {NO_MATCH: "no matches", CANNOT_OPEN: "cannot open device", IO: "I/O error"}
#: A pool's label: 16 KiB into the disk begins a name-value list, whose head says how it is encoded (vdev_label.c), and
#: which has the pool's state; that of a destroyed pool is 2.
LABEL_AT, LABEL_SIZE = 16 * 1024, 112 * 1024
STATE = b"\0\0\0\x05state\0\0\0\0\0\0\x08\0\0\0\x01\0\0\0\0\0\0\0"
DESTROYED = 2


def main(argv: list[str]) -> int:
    operands = [word for word in argv if not word.startswith("-")]
    letters = "".join(word[1:] for word in argv if word.startswith("-"))
    if len(operands) != 1 or set(letters) - set("av"):
        sys.stderr.write(USAGE)
        return 1
    if letters:
        sys.stderr.write(f"fstyp: sunlab: -{letters[0]} is not modelled in this lab\n")
        return 1
    status, name = identify(operands[0])
    if status:
        sys.stderr.write(f"unknown_fstyp ({TEXTS[status]})\n")
    else:
        sys.stdout.write(f"{name}\n")
    return status


def identify(device: str) -> tuple[int, str]:
    """The exit status, and the type."""
    try:
        descriptor = os.open(device, os.O_RDONLY)
    except OSError:
        return CANNOT_OPEN, ""
    try:
        if superblock.decode(os.pread(descriptor, superblock.SIZE, superblock.AT)):
            return 0, "ufs"
        return (0, "zfs") if has_pool(os.pread(descriptor, LABEL_SIZE, LABEL_AT)) else (NO_MATCH, "")
    except OSError:
        return IO, ""
    finally:
        os.close(descriptor)


def has_pool(label: bytes) -> bool:
    """Pure."""
    at = label.find(STATE)
    return label[:2] in (b"\1\0", b"\1\1") and at >= 0 and label[at + len(STATE)] != DESTROYED
