"""Label a partition as a vote holder (`sundog quorum init-disk`). What it holds is given up only when it is named."""
import os
import time
from typing import Optional, Tuple

from sundog.link import disklabel
from sundog.link.disk import SLOT, UNIT, UNNAMED, DiskFailed, DiskUnusable, SlotDisk
from sundog.link.frame import cluster_id
from sundog.link.label import Found, found

_CLEARED = 320 * 1024                   # at least: every mark of what was there before, at its beginning
_WATCHED = UNIT + 128 * 2 * SLOT        # the slots of the largest cluster
#: Longer than from one pulse of a node to the next, a tenth of its timeout of at most 60 s.
IDLE_S = 8.0


def held(device: str, cluster: str, key: bytes) -> Optional[Found]:
    """What the partition holds, seen from `cluster`, Sundog's labels among it; None: nothing. Raises OSError."""
    return _told(device, cluster, key, _label(device))


def initialise(device: str, cluster: str, nodes: Tuple[str, ...], key: bytes, force: str,
               idle_s: float = IDLE_S) -> str:
    """Label it for the cluster's nodes, all slots empty; returns its new life.

    `force`: the kind of what it holds (label.Found), which is lost. Raises DiskUnusable, DiskFailed.
    """
    try:
        label = _label(device)
        what = _told(device, cluster, key, label)
        if what is not None and what.kind != force:
            raise DiskUnusable(f"{device}: holds {what.text}", "choose another partition, or if nothing on it matters: "
                               f"sundog quorum init-disk {device} --force {what.kind}")
        if what is None and force:
            raise DiskUnusable(f"{device}: holds nothing, and not {force}",
                               "is it the right one? then leave out --force")
        if label is not None and not (label.name == cluster and label.fits(key)):
            _must_be_idle(device, idle_s)
        _clear(device, UNIT + len(nodes) * 2 * SLOT)
        disk = SlotDisk(device, cluster, nodes, nodes[0], key)
        try:
            # A coordinator that found it blank may have labelled it meanwhile, and written what was cleared then.
            disk.open(anew=True)
            return disk.life
        finally:
            disk.close()
    except OSError as error:
        raise DiskFailed(f"{device}: {error.strerror}", "check the device and its permissions: format(8)") from None


def _label(device: str) -> Optional[disklabel.Seen]:
    return disklabel.seen(_read(device, UNIT))


def _told(device: str, cluster: str, key: bytes, label: Optional[disklabel.Seen]) -> Optional[Found]:
    if label is None:
        return found(device)
    text = f"the votes of the Sundog cluster {label.name}" if label.name else "the damaged label of a Sundog cluster"
    if label.whole and not label.fits(key):
        text += ", labelled with another key"
    # Another cluster's votes are lost by its own name only: whoever mistypes the device names what is there, not what
    # he expects.
    ours = label.cluster == cluster_id(cluster)
    return Found("sundog" if ours else f"sundog:{label.name or UNNAMED}", text)


def _must_be_idle(device: str, for_s: float) -> None:
    """Nobody may lose votes that are in use, but a cluster that has our key and finds the new life."""
    before = _read(device, _WATCHED)
    time.sleep(for_s)
    if _read(device, _WATCHED) != before:
        raise DiskUnusable(f"{device}: is written to now, by a cluster of another name, key or version",
                           "is it the right one? then disable the coordinators of that cluster first, on every node")


def _read(device: str, size: int) -> bytes:
    fd = os.open(device, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.pread(fd, size, 0)
    finally:
        os.close(fd)


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
