"""Label a partition as a vote holder (`sundog quorum init-disk`). What it holds is given up only when it is named."""
import json
import os
from typing import Optional, Tuple

from sundog.link.disk import LABEL_HEAD, SLOT, UNIT, DiskFailed, DiskUnusable, SlotDisk
from sundog.link.label import Found, found

_CLEARED = 320 * 1024                   # at least: every mark of what was there before, at its beginning


def held(device: str) -> Optional[Found]:
    """What the partition holds, Sundog's own label among it; None: nothing. Raises OSError."""
    fd = os.open(device, os.O_RDONLY | os.O_CLOEXEC)
    try:
        raw = os.pread(fd, UNIT, 0)
    finally:
        os.close(fd)
    if raw[:7] != b"SUNDOGL":
        return found(device)
    length = LABEL_HEAD.unpack_from(raw)[2]
    try:
        cluster = str(json.loads(raw[LABEL_HEAD.size:LABEL_HEAD.size + length])["cluster"])
    except (ValueError, KeyError, TypeError):
        return Found("sundog", "the damaged label of a Sundog cluster")
    return Found("sundog", f"the votes of the Sundog cluster {cluster}")


def initialise(device: str, cluster: str, nodes: Tuple[str, ...], key: bytes, force: str) -> str:
    """Label it for the cluster's nodes, all slots empty; returns its new life.

    `force`: the kind of what it holds (label.Found), which is lost. Raises DiskUnusable, DiskFailed.
    """
    try:
        what = held(device)
        if what is not None and what.kind != force:
            raise DiskUnusable(f"{device}: holds {what.text}", "choose another partition, or if nothing on it matters: "
                               f"sundog quorum init-disk {device} --force {what.kind}")
        if what is None and force:
            raise DiskUnusable(f"{device}: holds nothing, and not {force}",
                               "is it the right one? then leave out --force")
        _clear(device, UNIT + len(nodes) * 2 * SLOT)
        disk = SlotDisk(device, cluster, nodes, nodes[0], key)
        try:
            disk.open()
            return disk.life
        finally:
            disk.close()
    except OSError as error:
        raise DiskFailed(f"{device}: {error.strerror}", "check the device and its permissions: format(8)") from None


def _clear(device: str, needed: int) -> None:
    fd = os.open(device, os.O_RDWR | os.O_CLOEXEC)
    try:
        size = os.lseek(fd, 0, os.SEEK_END)
        # A raw device may not tell its size this way: then what is needed is cleared.
        left = max(needed, _CLEARED) if size == 0 else min(size, max(needed, _CLEARED))
        at = 0
        while at < left:
            at += os.pwrite(fd, bytes(min(1 << 16, left - at)), at)
        os.fsync(fd)
    finally:
        os.close(fd)
