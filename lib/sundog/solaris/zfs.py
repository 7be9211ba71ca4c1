"""ZFS file systems through zfs(8), and who uses them through fuser(8)."""
from typing import List, NamedTuple

from sundog.solaris.run import CommandFailed, Run

ZFS = "/usr/sbin/zfs"
FUSER = "/usr/sbin/fuser"
LOOK_S = 60.0
MOUNT_S = 300.0


class FileSystem(NamedTuple):
    name: str
    mountpoint: str
    mounted: bool
    wanted: bool                        # import mounts it: canmount=on, a mount point of ZFS's own, and in no zone


def file_systems(run: Run, pool: str) -> List[FileSystem]:
    """The file systems of an imported pool, parents first. Raises CommandFailed."""
    done = run([ZFS, "list", "-H", "-r", "-t", "filesystem", "-o", "name,mounted,canmount,zoned,mountpoint", pool],
               timeout_s=LOOK_S)
    if not done.ok:
        raise CommandFailed(done)
    found = []
    for line in done.out.splitlines():
        name, mounted, canmount, zoned, mountpoint = (line.split("\t") + [""] * 5)[:5]
        wanted = canmount == "on" and zoned != "on" and mountpoint.startswith("/")
        found.append(FileSystem(name, mountpoint, mounted == "yes", wanted))
    return found


def mount(run: Run, name: str) -> None:
    """Mount one file system. Raises CommandFailed."""
    done = run([ZFS, "mount", name], timeout_s=MOUNT_S)
    if not done.ok and "already mounted" not in done.said:
        raise CommandFailed(done, f"'zfs get mountpoint,canmount {name}'; the directory must be empty")


def users(run: Run, mountpoint: str) -> str:
    """The pids of those who use a file system, as fuser prints them; "" if it names none."""
    done = run([FUSER, "-c", mountpoint], timeout_s=LOOK_S)
    return " ".join(done.out.split()) if done.ok else ""
