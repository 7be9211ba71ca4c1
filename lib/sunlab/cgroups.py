"""Control groups, version 2 (the kernel's cgroup-v2.rst): a node is frozen and killed by them, a contract is one."""
import errno
import os
import time
from pathlib import Path

from sunlab.linux import mount

_OWN_MOUNT = Path("/run/sunlab-cgroup")


def top() -> Path:
    """Where the version 2 hierarchy is mounted; mounts it when it is mounted nowhere."""
    for line in Path("/proc/mounts").read_text().splitlines():
        _, where, kind = line.split(" ")[:3]
        if kind == "cgroup2":
            return Path(where)
    _OWN_MOUNT.mkdir(exist_ok=True)
    mount("none", str(_OWN_MOUNT), "cgroup2")
    return _OWN_MOUNT


def make(group: Path) -> Path:
    group.mkdir(parents=True, exist_ok=True)
    return group


def enter(group: Path, pid: int = 0) -> None:
    """Move `pid` (0: this process) into the group."""
    (group / "cgroup.procs").write_text(str(pid))


def freeze(group: Path, frozen: bool, within_s: float = 1.0) -> None:
    """Freeze or thaw; returns when the kernel says so.

    A process that waits for a frozen one, as for its file system, is never counted as frozen: hence the bound.
    """
    (group / "cgroup.freeze").write_text("1" if frozen else "0")
    wanted = f"frozen {int(frozen)}"
    deadline = time.monotonic() + within_s
    while wanted not in (group / "cgroup.events").read_text() and time.monotonic() < deadline:
        time.sleep(0.001)


def frozen(group: Path) -> bool:
    """Has it been told to freeze?"""
    return (group / "cgroup.freeze").read_text().strip() == "1"


def kill(group: Path) -> None:
    """SIGKILL to everything in the group and below it."""
    if group.exists():
        (group / "cgroup.kill").write_text("1")


def remove(group: Path, within_s: float = 5.0) -> None:
    """Remove the group and all below it. Its processes must be dying already. Raises OSError when they do not."""
    deadline = time.monotonic() + within_s
    for folder, _, _ in sorted(os.walk(group), key=lambda entry: len(entry[0]), reverse=True):
        while True:
            try:
                os.rmdir(folder)
                break
            except FileNotFoundError:
                break
            except OSError as problem:
                if problem.errno != errno.EBUSY or time.monotonic() > deadline:
                    raise
                time.sleep(0.005)
