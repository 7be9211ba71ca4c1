"""The process behind an NFS mount: what the kernel asks through FUSE, asked of the server in NFS version 3.

A file is known to the kernel by a number, to the server by a handle. Names and attributes are looked up at each use,
so that what another host wrote and closed is seen by who opens it after that (close-to-open); data is written through.
"""
from __future__ import annotations

import errno
import os
import select
import struct
import time
from typing import Callable

from sunlab.disks import wire
from sunlab.nfs import link, v3
from sunlab.nfs.xdr import Reader, long, numbers, opaque

ROOT = 1
ATTRIBUTES_S = 3            # acregmin of Solaris
AUTO_INVALIDATE = 1 << 12
FLAGS = wire.ASYNC_READ | wire.BIG_WRITES | wire.PARALLEL_DIROPS | AUTO_INVALIDATE
DIRECTORY_ROOM = 8192
#: An operation that has been under way for as long can be interrupted on a mount with intr.
INTERRUPTIBLE_S = 1.0
Done = Callable[[Reader], None]


class Node:
    """`lookups`: how often the kernel was given it; `opened`: by how many descriptors; `silly`: its name since it was
    removed while open, and where."""

    def __init__(self, handle: bytes) -> None:
        self.handle, self.lookups, self.opened = handle, 0, 0
        self.silly: tuple[bytes, bytes] | None = None


class Client:
    def __init__(self, descriptor: int, root: bytes, address: str, port: int, patience_s: float, intr: bool) -> None:
        self.mount = wire.Mount(descriptor)
        self.intr = intr
        self.nodes = {ROOT: Node(root)}
        self.numbers = {root: ROOT}
        self.last = ROOT
        self.silly = 0
        self.asked: dict[int, tuple[wire.Request, float]] = {}      # FUSE's unique -> what is under way
        self.interrupted: set[int] = set()
        self.poll = select.poll()
        self.link = link.Link(address, port, patience_s, self.poll)
        os.set_blocking(descriptor, False)
        self.poll.register(descriptor, select.POLLIN)

    def run(self) -> None:
        """Until it is unmounted."""
        while True:
            for ready, events in self.poll.poll(self.link.wait_ms()):
                if ready == self.mount.descriptor:
                    try:
                        request = self.mount.receive()
                    except wire.Gone:
                        return
                    if request is not None:
                        self.on_request(request)
                elif ready == self.link.fileno():
                    self.link.on_ready(events)
            self.link.on_time()
            self.end_interrupted()

    def on_request(self, request: wire.Request) -> None:
        act = ACTS.get(request.opcode)
        if act is None:
            self.mount.answer(request, error=errno.ENOSYS)
            return
        try:
            act(self, request)
        except OSError as problem:
            self.mount.answer(request, error=problem.errno or errno.EIO)

    # ---- towards the server

    def handle(self, number: int) -> bytes:
        """Raises OSError."""
        if number not in self.nodes:
            raise OSError(errno.ESTALE, "forgotten")
        return self.nodes[number].handle

    def ask(self, request: wire.Request, procedure: int, arguments: bytes, done: Done) -> None:
        """`done` gets what follows an NFS3_OK, and may raise OSError."""
        self.asked[request.unique] = request, time.monotonic()

        def answered(reader: Reader) -> None:
            if self.asked.pop(request.unique, None) is None:
                return          # interrupted
            try:
                done(v3.checked(reader))
            except (OSError, struct.error) as problem:
                self.mount.answer(request, error=getattr(problem, "errno", None) or errno.EIO)

        def failed(number: int) -> None:
            if self.asked.pop(request.unique, None) is not None:
                self.mount.answer(request, error=number)

        self.link.ask(procedure, arguments, request.uid, request.gid, answered, failed)

    def nothing(self, request: wire.Request) -> Done:
        return lambda reader: self.mount.answer(request)

    # ---- files

    def known(self, handle: bytes) -> int:
        """The number of a file that the kernel is given once more."""
        number = self.numbers.get(handle)
        if number is None:
            self.last += 1
            number = self.numbers[handle] = self.last
            self.nodes[number] = Node(handle)
        self.nodes[number].lookups += 1
        return number

    def forget(self, number: int, times: int) -> None:
        node = self.nodes.get(number)
        if node is None or number == ROOT:
            return
        node.lookups -= times
        if node.lookups <= 0:
            del self.nodes[number]
            self.numbers.pop(node.handle, None)

    def entry(self, request: wire.Request, handle: bytes | None, attributes: v3.Attributes | None,
              more: bytes = b"") -> None:
        """Answer with a file; `more` follows. Its attributes are asked for when the server did not tell them."""
        if handle is None:
            raise OSError(errno.EIO, "the server gives no handle")
        if attributes is None:
            self.ask(request, v3.GETATTR, opaque(handle),
                     lambda reader: self.entry(request, handle, v3.Attributes(reader), more))
            return
        number = self.known(handle)
        if more:
            self.nodes[number].opened += 1
        head = struct.pack("<QQQQII", number, 0, 0, ATTRIBUTES_S, 0, 0)
        self.mount.answer(request, head + attributes.fuse() + more)

    def attributes(self, request: wire.Request, found: v3.Attributes) -> None:
        self.mount.answer(request, struct.pack("<QII", ATTRIBUTES_S, 0, 0) + found.fuse())

    # ---- what the kernel asks

    def on_init(self, request: wire.Request) -> None:
        self.mount.agree(request, FLAGS)

    def on_lookup(self, request: wire.Request) -> None:
        name = request.body.rstrip(b"\0")
        self.ask(request, v3.LOOKUP, opaque(self.handle(request.node)) + opaque(name),
                 lambda reader: self.entry(request, reader.opaque(), v3.after(reader)))

    def on_forget(self, request: wire.Request) -> None:
        self.forget(request.node, struct.unpack_from("<Q", request.body)[0])

    def on_batch_forget(self, request: wire.Request) -> None:
        count = struct.unpack_from("<I", request.body)[0]
        for at in range(count):
            self.forget(*struct.unpack_from("<QQ", request.body, 8 + 16 * at))

    def on_getattr(self, request: wire.Request) -> None:
        self.ask(request, v3.GETATTR, opaque(self.handle(request.node)),
                 lambda reader: self.attributes(request, v3.Attributes(reader)))

    def on_setattr(self, request: wire.Request) -> None:
        self.ask(request, v3.SETATTR, v3.set_attributes(self.handle(request.node), request.body),
                 lambda reader: self.on_getattr(request))

    def on_readlink(self, request: wire.Request) -> None:
        def done(reader: Reader) -> None:
            v3.after(reader)
            self.mount.answer(request, reader.opaque())
        self.ask(request, v3.READLINK, opaque(self.handle(request.node)), done)

    def on_open(self, request: wire.Request) -> None:
        self.handle(request.node)
        self.nodes[request.node].opened += 1
        self.mount.answer(request, struct.pack("<QII", 0, 0, 0))

    def on_release(self, request: wire.Request) -> None:
        node = self.nodes.get(request.node)
        self.mount.answer(request)
        if node is None:
            return
        node.opened -= 1
        if node.opened <= 0 and node.silly:
            directory, name = node.silly
            node.silly = None
            self.link.ask(v3.REMOVE, opaque(directory) + opaque(name), 0, 0, lambda reader: None, lambda number: None)

    def on_read(self, request: wire.Request) -> None:
        _, offset, size, *_ = wire.IO.unpack_from(request.body)
        self.read(request, offset, size, b"")

    def read(self, request: wire.Request, offset: int, size: int, before: bytes) -> None:
        """A server may give less than it is asked for; the rest is asked for then."""
        def done(reader: Reader) -> None:
            v3.after(reader)
            _, end = reader.take(">2I")
            data = reader.opaque()
            if end or not data or len(data) >= size:
                self.mount.answer(request, before + data)
            else:
                self.read(request, offset + len(data), size - len(data), before + data)
        self.ask(request, v3.READ, opaque(self.handle(request.node)) + long(offset) + numbers(size), done)

    def on_write(self, request: wire.Request) -> None:
        _, offset, size, *_ = wire.IO.unpack_from(request.body)
        self.write(request, offset, request.body[wire.IO.size:wire.IO.size + size], size)

    def write(self, request: wire.Request, offset: int, data: bytes, whole: int) -> None:
        def done(reader: Reader) -> None:
            v3.skip_change(reader)
            count = reader.number()
            if count == 0 or count >= len(data):
                self.mount.answer(request, struct.pack("<II", whole - len(data) + count, 0))
            else:
                self.write(request, offset + count, data[count:], whole)
        self.ask(request, v3.WRITE, opaque(self.handle(request.node)) + long(offset)
                 + numbers(len(data), v3.FILE_SYNC) + opaque(data), done)

    def on_done(self, request: wire.Request) -> None:
        """Nothing waits to be written."""
        self.mount.answer(request)

    # ---- directories

    def make(self, request: wire.Request, procedure: int, name: bytes, rest: bytes, more: bytes = b"") -> None:
        self.ask(request, procedure, opaque(self.handle(request.node)) + opaque(name) + rest,
                 lambda reader: self.found_or_made(request, name, reader, more))

    def found_or_made(self, request: wire.Request, name: bytes, reader: Reader, more: bytes) -> None:
        handle, attributes = v3.made(reader)
        if handle is not None:
            self.entry(request, handle, attributes, more)
        else:
            self.ask(request, v3.LOOKUP, opaque(self.handle(request.node)) + opaque(name),
                     lambda found: self.entry(request, found.opaque(), v3.after(found), more))

    def on_create(self, request: wire.Request) -> None:
        flags, mode, _, _ = struct.unpack_from("<IIII", request.body)
        how = v3.GUARDED if flags & os.O_EXCL else v3.UNCHECKED
        settings = v3.settings(mode=mode & 0o7777, size=0 if flags & os.O_TRUNC else None)
        self.make(request, v3.CREATE, request.body[16:].rstrip(b"\0"), numbers(how) + settings,
                  struct.pack("<QII", 0, 0, 0))

    def on_mkdir(self, request: wire.Request) -> None:
        mode, _ = struct.unpack_from("<II", request.body)
        self.make(request, v3.MKDIR, request.body[8:].rstrip(b"\0"), v3.settings(mode=mode & 0o7777))

    def on_mknod(self, request: wire.Request) -> None:
        mode, device, _, _ = struct.unpack_from("<IIII", request.body)
        name, settings = request.body[16:].rstrip(b"\0"), v3.settings(mode=mode & 0o7777)
        kind = next(number for number, bits in v3.KINDS.items() if bits == mode & 0o170000)
        if kind == 1:
            self.make(request, v3.CREATE, name, numbers(v3.GUARDED) + settings)
        else:
            rest = numbers(device >> 8 & 0xFFF, device & 255) if kind in (3, 4) else b""
            self.make(request, v3.MKNOD, name, numbers(kind) + settings + rest)

    def on_symlink(self, request: wire.Request) -> None:
        name, target = request.body.rstrip(b"\0").split(b"\0", 1)
        self.make(request, v3.SYMLINK, name, v3.settings(mode=0o777) + opaque(target))

    def on_link(self, request: wire.Request) -> None:
        old = self.handle(struct.unpack_from("<Q", request.body)[0])
        self.ask(request, v3.LINK, opaque(old) + opaque(self.handle(request.node))
                 + opaque(request.body[8:].rstrip(b"\0")), lambda reader: self.entry(request, old, v3.after(reader)))

    def on_unlink(self, request: wire.Request) -> None:
        """What is open goes by another name until it is closed, as the server does not know that it is."""
        directory, name = self.handle(request.node), request.body.rstrip(b"\0")

        def found(reader: Reader) -> None:
            node = self.nodes.get(self.numbers.get(reader.opaque(), 0))
            if node is None or node.opened <= 0 or node.silly:
                self.ask(request, v3.REMOVE, opaque(directory) + opaque(name), self.nothing(request))
                return
            self.silly += 1
            other = b".nfs%08X" % (os.getpid() << 12 & 0xFFFFF000 | self.silly)
            node.silly = directory, other
            self.ask(request, v3.RENAME, opaque(directory) + opaque(name) + opaque(directory) + opaque(other),
                     self.nothing(request))
        self.ask(request, v3.LOOKUP, opaque(directory) + opaque(name), found)

    def on_rmdir(self, request: wire.Request) -> None:
        self.ask(request, v3.RMDIR, opaque(self.handle(request.node)) + opaque(request.body.rstrip(b"\0")),
                 self.nothing(request))

    def on_rename(self, request: wire.Request) -> None:
        self.rename(request, struct.unpack_from("<Q", request.body)[0], request.body[8:])

    def on_rename2(self, request: wire.Request) -> None:
        where, flags, _ = struct.unpack_from("<QII", request.body)
        if flags:
            raise OSError(errno.EINVAL, "NFS has no such rename")
        self.rename(request, where, request.body[16:])

    def rename(self, request: wire.Request, where: int, names: bytes) -> None:
        old, new = names.rstrip(b"\0").split(b"\0", 1)
        self.ask(request, v3.RENAME, opaque(self.handle(request.node)) + opaque(old) + opaque(self.handle(where))
                 + opaque(new), self.nothing(request))

    def on_opendir(self, request: wire.Request) -> None:
        self.mount.answer(request, struct.pack("<QII", 0, 0, 0))

    def on_readdir(self, request: wire.Request) -> None:
        _, cookie, size, *_ = wire.IO.unpack_from(request.body)

        def done(reader: Reader) -> None:
            self.mount.answer(request, v3.listed(v3.entries(reader)[1], size))
        self.ask(request, v3.READDIR, opaque(self.handle(request.node)) + long(cookie) + bytes(8)
                 + numbers(DIRECTORY_ROOM), done)

    def on_statfs(self, request: wire.Request) -> None:
        def done(reader: Reader) -> None:
            v3.after(reader)
            total, free, available, files, free_files, _ = reader.take(">6Q")
            unit = 4096
            self.mount.answer(request, struct.pack("<5Q4I24x", total // unit, free // unit, available // unit, files,
                                                   free_files, unit, 255, unit, 0))
        self.ask(request, v3.FSSTAT, opaque(self.handle(request.node)), done)

    def on_interrupt(self, request: wire.Request) -> None:
        """Only who waits for a server that does not answer is set free."""
        unique = struct.unpack_from("<Q", request.body)[0]
        if self.intr and unique in self.asked:
            self.interrupted.add(unique)

    def end_interrupted(self) -> None:
        now = time.monotonic()
        for unique in [one for one in self.interrupted if one not in self.asked]:
            self.interrupted.discard(unique)
        for unique in [one for one in self.interrupted if now - self.asked[one][1] > INTERRUPTIBLE_S]:
            self.mount.answer(self.asked.pop(unique)[0], error=errno.EINTR)


ACTS: dict[int, Callable[[Client, wire.Request], None]] = {
    wire.INIT: Client.on_init, wire.LOOKUP: Client.on_lookup, wire.FORGET: Client.on_forget,
    wire.BATCH_FORGET: Client.on_batch_forget, wire.GETATTR: Client.on_getattr, wire.SETATTR: Client.on_setattr,
    wire.READLINK: Client.on_readlink, wire.OPEN: Client.on_open, wire.RELEASE: Client.on_release,
    wire.READ: Client.on_read, wire.WRITE: Client.on_write, wire.FLUSH: Client.on_done, wire.FSYNC: Client.on_done,
    wire.FSYNCDIR: Client.on_done, wire.CREATE: Client.on_create, wire.MKDIR: Client.on_mkdir,
    wire.MKNOD: Client.on_mknod, wire.SYMLINK: Client.on_symlink, wire.LINK: Client.on_link,
    wire.UNLINK: Client.on_unlink, wire.RMDIR: Client.on_rmdir, wire.RENAME: Client.on_rename,
    wire.RENAME2: Client.on_rename2, wire.OPENDIR: Client.on_opendir, wire.RELEASEDIR: Client.on_done,
    wire.READDIR: Client.on_readdir, wire.STATFS: Client.on_statfs, wire.INTERRUPT: Client.on_interrupt}
