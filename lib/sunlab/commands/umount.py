"""umount(8) (cmd/fs.d/umount.c): by mount point or by what is mounted, the newest first."""
from __future__ import annotations

import errno
import fcntl
import getopt
import os
import struct
import sys

from sunlab import linux
from sunlab.fs import table

USAGE = """Usage:
umount [-f] [-V] [-o specific_options] {special | mount-point}
umount -a [-f] [-V] [-o specific_options] [mount_point ...]
"""
#: What -a without operands leaves mounted.
KEPT = ("/", "/dev", "/dev/fd", "/devices", "/etc/mnttab", "/etc/svc/volatile", "/lib", "/proc", "/sbin",
        "/system/contract", "/system/object", "/tmp", "/usr", "/var", "/var/adm", "/var/run")
#: zfs-fuse's commands unmount by force with umount -l of Linux, where Solaris has umount2(2).
ZFS = ("/usr/lib/sunlab/zfs-fuse/zfs", "/usr/lib/sunlab/zfs-fuse/zpool")
SHUTDOWN = 0x8004587D       # FS_IOC_SHUTDOWN (linux/fs.h): what is not on the disk yet gets there, then nothing more


def main(argv: list[str]) -> int:
    if argv[:1] == ["-l"] and os.path.realpath(f"/proc/{os.getppid()}/exe") in ZFS:
        os.execv("/bin/umount", ["umount", *argv])
    try:
        pairs, operands = getopt.getopt(argv, "ao:Vf")
    except getopt.GetoptError as problem:
        sys.stderr.write(f"umount: illegal option -- {problem.opt}\n{USAGE}")
        return 1
    said = [name for name, _ in pairs]
    if "-a" not in said and len(operands) != 1 or said.count("-o") > 1 or said.count("-V") > 1:
        sys.stderr.write(USAGE)
        return 1
    mounts = table.read()
    if "-a" in said and len(operands) != 1:
        return all_of(mounts, operands, said)
    name = operands[0]
    # By its name first: to follow links asks a file system, and that of a dead server would not answer.
    found = table.last(mounts, point=name) or table.last(mounts, point=os.path.realpath(name))
    if found is None:
        found = table.last(mounts, special=name)
        over = table.last(mounts, point=found.point) if found else None
        if found and over and over.special != found.special:
            return tell(errno.EBUSY, name)
    if found is None:
        sys.stderr.write(f"umount: warning: {name} not in mnttab\n")
        return 1 if "-V" in said else unlisted(name)
    return one_of(found, said)


def all_of(mounts: list[table.Mounted], points: list[str], said: list[str]) -> int:
    """Lower ones first."""
    chosen = [one for one in mounts if (one.point in points if points else one.point not in KEPT)]
    if points and not chosen:
        sys.stderr.write("umount: no valid entries found in /etc/mnttab\n")
        return 1
    status = 0
    for one in sorted(chosen, key=lambda held: (-held.point.count("/"), -mounts.index(held))):
        status = one_of(one, said) or status
    return status


def one_of(found: table.Mounted, said: list[str]) -> int:
    if "-V" in said:
        sys.stdout.write(f"umount {'-f ' if '-f' in said else ''}{found.point}\n")
        return 0
    if found.place in table.OWN:
        return tell(errno.EBUSY, found.point)
    try:
        if "-f" in said:
            force(found)
        else:
            linux.umount(found.place)
    except OSError as problem:
        if found.kind == "nfs" and problem.errno == errno.EBUSY:
            sys.stderr.write(f"nfs umount: {found.point}: is busy\n")
            return 32
        return tell(problem.errno or errno.EIO, found.point)
    table.forget(found.number)
    return 0


def force(found: table.Mounted) -> None:
    """Whoever still has a file of it gets EIO from now on. Raises OSError."""
    if found.kind == "ufs":
        descriptor = os.open(found.place, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(descriptor, SHUTDOWN, struct.pack("<I", 0))
        finally:
            os.close(descriptor)
    linux.umount(found.place, linux.MNT_DETACH | (linux.MNT_FORCE if found.kind == "nfs" else 0))


def unlisted(name: str) -> int:
    """What is mounted but not shown, as those of the lab's own, is no business of a node."""
    return tell(errno.EINVAL if os.path.exists(name) else errno.ENOENT, name)


def tell(number: int, name: str) -> int:
    texts = {errno.EPERM: "permission denied", errno.ENXIO: f"{name} no device",
             errno.ENOENT: f"{name} no such file or directory", errno.EINVAL: f"{name} not mounted",
             errno.EBUSY: f"{name} busy", errno.ENOTBLK: f"{name} block device required"}
    text = texts.get(number) or f"{os.strerror(number)}\numount: cannot unmount {name}"
    sys.stderr.write(f"umount: {text}\n")
    return 1
