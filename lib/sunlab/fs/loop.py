"""A block device on a disk of the node, for the kernel's file systems: a loop device over a file that the node's disk
driver serves. So the disk's faults count, and after a power cut nothing more gets to the disk; the kernel takes the
device away with its last user.

Sources: linux/loop.h; mount(2) keeps the name that the device has where it is called, hence the root of its own.
"""
from __future__ import annotations

import errno
import fcntl
import os
import stat
import struct

from sunlab import linux
from sunlab.disks import server, wire

CONTROL = os.makedev(10, 237)
GET_FREE, CONFIGURE = 0x4C82, 0x4C0A
READ_ONLY, AUTOCLEAR = 1, 4
SECTOR = 512
#: struct loop_config up to the file's name: fd, block size; five numbers of loop_info64; three more and its flags.
CONFIG = struct.Struct("<IIQQQQQIIII64s")
CONFIG_SIZE = 304
TRIES = 100             # others take free devices at the same time


def mount(disk: str, place: str, kind: str, flags: int, options: str) -> None:
    """Mount the file system on /dev/dsk/DISK there. Raises OSError."""
    root = f"/run/sunlab-loop.{os.getpid()}"
    device = f"{root}/dev/dsk/{disk}"
    os.makedirs(os.path.dirname(device))
    try:
        held = attach(disk, f"{root}/file", f"{root}/node", bool(flags & linux.MS_RDONLY))
        try:
            os.mknod(device, stat.S_IFBLK | 0o600, os.fstat(held).st_rdev)
            inside(root, f"/dev/dsk/{disk}", place, kind, flags, options)
        finally:
            os.close(held)
    finally:
        for path in (device, f"{root}/file", f"{root}/node"):
            if os.path.exists(path):
                os.unlink(path)
        for folder in (f"{root}/dev/dsk", f"{root}/dev", root):
            os.rmdir(folder)


def inside(root: str, source: str, place: str, kind: str, flags: int, options: str) -> None:
    """mount(2) by a child whose root is `root`: the mount table then has `source`. Raises OSError."""
    child = os.fork()
    if child == 0:
        status = errno.EIO
        try:
            os.chdir(place)
            os.chroot(root)
            linux.mount(source, ".", kind, flags, options)
            status = 0
        except OSError as problem:
            status = problem.errno or errno.EIO
        finally:
            os._exit(status)
    _, ended = os.waitpid(child, 0)
    number = os.waitstatus_to_exitcode(ended)
    if number != 0:
        raise OSError(number, f"mount {source} on {place}")


def attach(disk: str, path: str, node: str, read_only: bool) -> int:
    """A descriptor of the loop device, which lasts as long as it has a user. Raises OSError."""
    file = served(disk, path)
    try:
        with open("/proc/self/cgroup", encoding="ascii") as group:
            name = f"{group.read().split('sunlab.')[-1].split('/')[0].strip()}:{disk}"
        for _ in range(TRIES):
            number = control(node)
            held = opened(node, stat.S_IFBLK, os.makedev(7, number))
            config = CONFIG.pack(file, SECTOR, 0, 0, 0, 0, 0, 0, 0, 0, AUTOCLEAR | (READ_ONLY if read_only else 0),
                                 name.encode()[:63])
            try:
                fcntl.ioctl(held, CONFIGURE, config.ljust(CONFIG_SIZE, b"\0"))
                return held
            except OSError as problem:
                os.close(held)
                if problem.errno != errno.EBUSY:
                    raise
        raise OSError(errno.EBUSY, "no loop device is free")
    finally:
        os.close(file)


def served(disk: str, path: str) -> int:
    """A descriptor of the disk as the node's driver serves it; no mount of it stays in sight. Raises OSError."""
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    kernel = wire.attach(path, f"sunlab:{disk}", stat.S_IFREG)
    try:
        wrong = server.ask(server.SOCKET, f"serve {disk}", kernel)
        if wrong:
            raise OSError(errno.ENXIO, wrong)
        return os.open(path, os.O_RDWR | os.O_CLOEXEC)
    finally:
        os.close(kernel)
        linux.umount(path, linux.MNT_DETACH)


def control(node: str) -> int:
    """The number of a free loop device."""
    descriptor = opened(node, stat.S_IFCHR, CONTROL)
    try:
        return fcntl.ioctl(descriptor, GET_FREE)
    finally:
        os.close(descriptor)


def opened(node: str, kind: int, device: int) -> int:
    """A descriptor of a device that this node has no name for."""
    os.mknod(node, kind | 0o600, device)
    try:
        return os.open(node, os.O_RDWR | os.O_CLOEXEC)
    finally:
        os.unlink(node)
