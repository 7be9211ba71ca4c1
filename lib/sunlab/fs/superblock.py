"""What the superblock of a UFS says. In the lab a UFS is an ext4 (linux, Documentation/filesystems/ext4/super.rst):
its journal is the log, its flag of a clean unmount is fs_clean. Pure but for read().
"""
from __future__ import annotations

import os
import struct

AT, SIZE = 1024, 1024
MAGIC = 0xEF53
VALID, ERRORS = 1, 2
HAS_JOURNAL, RECOVER = 4, 4


class Superblock:
    """`state`: clean, logging, active or bad, as printclean() of fsck_ufs has them."""

    def __init__(self, data: bytes) -> None:
        self.inodes: int = struct.unpack_from("<I", data, 0)[0]
        self.block_kb = (1024 << int(struct.unpack_from("<I", data, 24)[0])) // 1024
        state = struct.unpack_from("<H", data, 58)[0]
        compatible, incompatible = struct.unpack_from("<II", data, 92)
        self.last_mounted = data[136:200].split(b"\0")[0].decode(errors="replace")
        self.logs = bool(compatible & HAS_JOURNAL)
        self.unrolled = bool(incompatible & RECOVER)
        if state & ERRORS:
            self.state = "bad"
        elif self.logs and (self.unrolled or state & VALID):
            self.state = "logging"
        else:
            self.state = "clean" if state & VALID else "active"

    @property
    def okay(self) -> bool:
        """May it be mounted read/write (ufs_vfsops.c, mountfs())?"""
        return self.state in ("clean", "logging")


def decode(data: bytes) -> Superblock | None:
    """None: not a UFS."""
    if len(data) < SIZE or struct.unpack_from("<H", data, 56)[0] != MAGIC:
        return None
    return Superblock(data)


def read(device: str) -> Superblock | None:
    """Raises OSError."""
    descriptor = os.open(device, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return decode(os.pread(descriptor, SIZE, AT))
    finally:
        os.close(descriptor)
