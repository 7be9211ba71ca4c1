"""Arguments and results of NFS version 3 and MOUNT version 3 (RFC 1813). Pure."""
from __future__ import annotations

import errno
import stat
import struct

from sunlab.disks import wire
from sunlab.nfs.xdr import Reader, long, numbers, opaque

PORTMAP, MOUNT, NFS = 100000, 100005, 100003
PORTMAP_PORT, TCP = 111, 6
GETPORT, MNT, UMNT = 3, 1, 3
(GETATTR, SETATTR, LOOKUP, READLINK, READ, WRITE, CREATE, MKDIR, SYMLINK, MKNOD, REMOVE, RMDIR, RENAME, LINK, READDIR,
 FSSTAT) = (1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18)
FILE_SYNC = 2
UNCHECKED, GUARDED = 0, 1
KINDS = {1: stat.S_IFREG, 2: stat.S_IFDIR, 3: stat.S_IFBLK, 4: stat.S_IFCHR, 5: stat.S_IFLNK, 6: stat.S_IFSOCK,
         7: stat.S_IFIFO}
#: Where a status of NFS is another number than the errno of the kernel here.
ERRNOS = {63: errno.ENAMETOOLONG, 66: errno.ENOTEMPTY, 69: errno.EDQUOT, 70: errno.ESTALE, 71: errno.EREMOTE,
          10001: errno.ESTALE, 10002: errno.EIO, 10003: errno.EINVAL, 10004: errno.EOPNOTSUPP, 10005: errno.EIO,
          10006: errno.EIO, 10007: errno.EINVAL, 10008: errno.EAGAIN}
#: Bits of FUSE's SETATTR (linux/fuse.h).
MODE, UID, GID, SIZE, ATIME, MTIME, ATIME_NOW, MTIME_NOW = 1, 2, 4, 8, 16, 32, 128, 256
SETATTR_IN = struct.Struct("<IIQQQQQQIIIIIIII")


class Attributes:
    """fattr3."""

    def __init__(self, reader: Reader) -> None:
        kind, mode, self.links, self.uid, self.gid = reader.take(">5I")
        self.size, self.used = reader.take(">2Q")
        self.device = reader.take(">2I")
        _, self.number = reader.take(">2Q")
        self.times = reader.take(">6I")
        self.mode = KINDS.get(kind, 0) | mode & 0o7777

    def fuse(self) -> bytes:
        """struct fuse_attr."""
        atime, atime_ns, mtime, mtime_ns, ctime, ctime_ns = self.times
        return wire.ATTR.pack(self.number, self.size, -(-self.used // 512), atime, mtime, ctime, atime_ns, mtime_ns,
                              ctime_ns, self.mode, self.links, self.uid, self.gid,
                              self.device[0] << 8 | self.device[1] & 255, 32768, 0)


def checked(reader: Reader) -> Reader:
    """Past the status. Raises OSError with the errno that it means."""
    status = reader.number()
    if status:
        raise OSError(ERRNOS.get(status, status), "the server says so")
    return reader


def after(reader: Reader) -> Attributes | None:
    """post_op_attr."""
    return Attributes(reader) if reader.number() else None


def skip_change(reader: Reader) -> None:
    """wcc_data."""
    if reader.number():
        reader.take(">Q4I")
    after(reader)


def made(reader: Reader) -> tuple[bytes | None, Attributes | None]:
    """The handle and attributes of what CREATE, MKDIR, SYMLINK and MKNOD have made."""
    handle = reader.opaque() if reader.number() else None
    return handle, after(reader)


def settings(mode: int | None = None, uid: int | None = None, gid: int | None = None, size: int | None = None,
             atime: bytes = b"", mtime: bytes = b"") -> bytes:
    """sattr3; the times as they stand there, without them the file keeps its own."""
    found = b"".join(numbers(0) if value is None else numbers(1, value) for value in (mode, uid, gid))
    found += numbers(0) if size is None else numbers(1) + long(size)
    return found + (atime or numbers(0)) + (mtime or numbers(0))


def set_attributes(handle: bytes, body: bytes) -> bytes:
    """SETATTR's arguments from FUSE's."""
    (valid, _, _, size, _, atime, mtime, _, atime_ns, mtime_ns, _, mode, _, uid, gid, _) = SETATTR_IN.unpack_from(body)

    def time(bit: int, now: int, seconds: int, rest: int) -> bytes:
        if not valid & bit:
            return b""
        return numbers(1) if valid & now else numbers(2, seconds & 0xFFFFFFFF, rest)

    return opaque(handle) + settings(
        mode & 0o7777 if valid & MODE else None, uid if valid & UID else None, gid if valid & GID else None,
        size if valid & SIZE else None, time(ATIME, ATIME_NOW, atime, atime_ns),
        time(MTIME, MTIME_NOW, mtime, mtime_ns)) + numbers(0)


def entries(reader: Reader) -> tuple[bytes, list[tuple[int, bytes, int]]]:
    """READDIR's: the cookie verifier; number, name and cookie of each."""
    after(reader)
    verifier = reader.fixed(8)
    found = []
    while reader.number():
        number, name = reader.long(), reader.opaque()
        found.append((number, name, reader.long()))
    return verifier, found


def listed(found: list[tuple[int, bytes, int]], room: int) -> bytes:
    """As struct fuse_dirent, as many as there is room for."""
    data = b""
    for number, name, cookie in found:
        entry = struct.pack("<QQII", number, cookie, len(name), 0) + name
        entry += bytes(-len(entry) % 8)
        if len(data) + len(entry) > room:
            break
        data += entry
    return data
