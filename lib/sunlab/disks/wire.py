"""The kernel's FUSE protocol over /dev/fuse, without a library: a request may be answered at any later time, so one
thread serves a disk that hangs as well as one that does not.

Source: linux/fuse.h, minor version 31; every kernel that is newer speaks it.
"""
from __future__ import annotations

import errno
import os
import struct

from sunlab import linux

(LOOKUP, FORGET, GETATTR, SETATTR, READLINK, SYMLINK, MKNOD, MKDIR, UNLINK, RMDIR, RENAME, LINK, OPEN, READ, WRITE,
 STATFS, RELEASE, FSYNC) = (1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 20)
(FLUSH, INIT, OPENDIR, READDIR, RELEASEDIR, FSYNCDIR, ACCESS, CREATE, INTERRUPT, DESTROY, BATCH_FORGET, RENAME2) = (
    25, 26, 27, 28, 29, 30, 34, 35, 36, 38, 42, 45)
#: No answer is expected to these.
SILENT = (FORGET, BATCH_FORGET, INTERRUPT, DESTROY)
MAX_WRITE = 128 * 1024
#: A read of /dev/fuse needs room for the largest request and its headers.
ROOM = MAX_WRITE + 4096
FOPEN_DIRECT_IO, FOPEN_PARALLEL_DIRECT_WRITES = 1, 64
ASYNC_READ, BIG_WRITES, ASYNC_DIO, PARALLEL_DIROPS = 1, 1 << 5, 1 << 15, 1 << 18
MAJOR, MINOR = 7, 31
HEADER = struct.Struct("<IIQQIIIHH")
ANSWER = struct.Struct("<IiQ")
ATTR = struct.Struct("<QQQQQQIIIIIIIIII")
IO = struct.Struct("<QQIIQII")


class Gone(Exception):
    """The file system has been unmounted."""


class Request:
    """What the kernel asks: `opcode` of inode `node`, with its operands in `body`."""

    def __init__(self, packet: bytes) -> None:
        (_, self.opcode, self.unique, self.node, self.uid, self.gid, self.pid, _, _) = HEADER.unpack_from(packet)
        self.body = packet[HEADER.size:]


class Mount:
    """The kernel's side of one mounted file system; `descriptor` is an open /dev/fuse."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def receive(self) -> Request | None:
        """The next request; None when it was withdrawn meanwhile. Raises Gone."""
        try:
            packet = os.read(self.descriptor, ROOM)
        except OSError as problem:
            if problem.errno in (errno.ENOENT, errno.EINTR, errno.EAGAIN):
                return None
            raise Gone(problem.strerror) from problem
        if not packet:
            raise Gone("end of file")
        return Request(packet)

    def answer(self, request: Request, body: bytes = b"", error: int = 0) -> None:
        """`error`: an errno, or 0. The kernel may have given the request up meanwhile."""
        if request.opcode in SILENT:
            return
        try:
            os.writev(self.descriptor, (ANSWER.pack(ANSWER.size + len(body), -error, request.unique), body))
        except OSError as problem:
            if problem.errno not in (errno.ENOENT, errno.ENODEV):
                raise

    def agree(self, request: Request, flags: int) -> None:
        """Answer INIT."""
        major, _, readahead, offered = struct.unpack_from("<IIII", request.body)
        if major != MAJOR:
            self.answer(request, error=errno.EPROTO)
            return
        body = struct.pack("<IIIIHHIIHHI", MAJOR, MINOR, readahead, offered & flags, 64, 48, MAX_WRITE, 1, 0, 0, 0)
        self.answer(request, body.ljust(64, b"\0"))


def attach(target: str, source: str, mode: int, kind: str = "fuse", options: str = "", flags: int = 0) -> int:
    """Mount a FUSE file system whose root has the type `mode` (a file's can stand on a file); its /dev/fuse.

    Returns before the first request is answered.
    """
    descriptor = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    try:
        linux.mount(source, target, kind, flags, f"fd={descriptor},rootmode={mode:o},user_id=0,group_id=0,"
                    f"default_permissions,allow_other{options}")
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def attributes(found: os.stat_result, inode: int) -> bytes:
    """struct fuse_attr of a file."""
    times = [int(moment) for moment in (found.st_atime, found.st_mtime, found.st_ctime)]
    rests = [moment % 1_000_000_000 for moment in (found.st_atime_ns, found.st_mtime_ns, found.st_ctime_ns)]
    return ATTR.pack(inode, found.st_size, found.st_blocks, *times, *rests, found.st_mode, found.st_nlink,
                     found.st_uid, found.st_gid, 0, found.st_blksize, 0)
