"""What zfs-fuse serves: an unmount has reached it when it has let go of that file system's descriptor of /dev/fuse."""
from __future__ import annotations

import os
import time

PAUSE_S = 0.002
WITHIN_S = 2.0


class Served:
    """The node's zfs-fuse, and how many file systems it served when this was made."""

    def __init__(self) -> None:
        self.pid = _zfs_fuse()
        self.before = self.count()

    def count(self) -> int:
        found = 0
        try:
            for name in os.listdir(f"/proc/{self.pid}/fd"):
                try:
                    found += os.readlink(f"/proc/{self.pid}/fd/{name}") == "/dev/fuse"
                except OSError:
                    continue
        except OSError:
            return 0
        return found

    def await_fewer(self, gone: int) -> None:
        """Until it has let go of so many; it has then written all of them (2 s at most)."""
        deadline = time.monotonic() + WITHIN_S
        while self.count() > self.before - gone and time.monotonic() < deadline:
            time.sleep(PAUSE_S)


def _zfs_fuse() -> int:
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/comm", encoding="ascii") as file:
                    if file.read() == "zfs-fuse\n":
                        return int(name)
            except OSError:
                continue
    return 0
