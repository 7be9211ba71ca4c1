"""The end of a boot: what halt(8), reboot(8), uadmin(8) and init(8) do to a node's processes and file systems."""
from __future__ import annotations

import os
import signal
import time

from sunlab import linux
from sunlab.smf import client
from sunlab.storage.mounts import Served

KERNEL = ("zfs-fuse", "sunlab-disks", "sunlab-nfs")      # stands for what is in the kernel on Solaris
TERM_S = 5.0                # halt.c gives processes so long after SIGTERM


def others() -> list[int]:
    """Every process but init, this one and what stands for the kernel."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) not in (1, os.getpid()):
            try:
                with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
                    text = file.read()
            except OSError:
                continue
            comm, state = text[text.index("(") + 1:text.rindex(")")], text[text.rindex(")") + 2]
            if comm not in KERNEL and state != "Z":
                found.append(int(name))
    return found


def kill_all() -> None:
    """SIGTERM to everybody, SIGKILL to who is left 5 s later. Nobody's stop method runs, and nothing starts again."""
    client.call("ending", [])
    for number, wait_s in ((signal.SIGTERM, TERM_S), (signal.SIGKILL, 1.0)):
        for pid in others():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass
        deadline = time.monotonic() + wait_s
        while others() and time.monotonic() < deadline:
            time.sleep(0.01)


def flush() -> None:
    """Write everything that file systems still hold, by unmounting those of ZFS and UFS; a zone's are its host's."""
    if os.path.exists("/run/zonename"):
        os.sync()
        return
    with open("/proc/mounts", encoding="utf-8") as file:
        mounts = [line.split() for line in file]
    places = [place for _, place, kind, *_ in mounts if kind == "fuse.zfs"]
    disks = [place for source, place, kind, *_ in mounts if kind == "ext4" and source.startswith("/dev/dsk/")]
    served = Served()
    for place in reversed([place for _, place, *_ in mounts if place in places + disks]):
        if os.spawnv(os.P_WAIT, "/bin/umount", ["umount", place]):
            os.spawnv(os.P_WAIT, "/bin/umount", ["umount", "-l", place])
    served.await_fewer(len(places))
    os.sync()


def act(what: str) -> None:
    """reboot, halt or power off; does not return."""
    if what == "reboot":
        linux.restart()
    linux.power_off()
