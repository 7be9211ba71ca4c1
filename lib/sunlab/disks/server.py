"""A node's disk driver: a process that carries out requests to the node's disks, each when the disk's fault allows.

It is in the node's pid namespace, so a power cut ends it: the kernel then fails what it had not answered, and nothing
that was not on a disk by then gets there. It is in no control group of the node's own: a frozen node's disks go on.
A process that waits for a disk cannot be killed, as on Solaris; the node it is in can.
"""
from __future__ import annotations

import ctypes
import errno
import gc
import os
import select
import signal
import socket
import stat
import struct
import time
import traceback
from pathlib import Path
from typing import Callable, Collection

from sunlab import cgroups, linux
from sunlab.disks import lun as luns
from sunlab.disks import wire
from sunlab.disks.fault import OK, Fault, fault_of
from sunlab.disks.iscsi import Answer, Session

#: In the node. A message is `fault DISK FAULT` or `serve DISK` with a /dev/fuse; the answer is empty or what is wrong.
SOCKET = "/run/sunlab-disks"
PR_SET_NAME = 15
FLAGS = wire.ASYNC_READ | wire.BIG_WRITES | wire.ASYNC_DIO
OPENED = struct.pack("<QII", 0, wire.FOPEN_DIRECT_IO | wire.FOPEN_PARALLEL_DIRECT_WRITES, 0)
ATTRIBUTES_LAST_S = 3600
MEDIUM = (wire.READ, wire.WRITE, wire.FSYNC)


class Disk:
    """`unit`: where its data is, if that is an array; the image then only tells how large it is."""

    def __init__(self, image: str, fault: Fault = OK, unit: luns.Unit | None = None) -> None:
        self.descriptor = os.open(image, os.O_RDWR | os.O_CLOEXEC)
        self.fault, self.unit = fault, unit


class Waiting:
    """What `act` does is done at `due` (time.monotonic(); inf: when the disk is healed). `mount`: who asked, if that
    can be unmounted."""

    def __init__(self, disk: Disk, mount: wire.Mount | None, act: Callable[[], None], due: float) -> None:
        self.disk, self.mount, self.act, self.due = disk, mount, act, due


class Server:
    def __init__(self, disks: dict[str, Disk], door: socket.socket, poll: select.poll,
                 commands: socket.socket | None = None, sessions: Collection[Session] = ()) -> None:
        self.disks, self.door, self.commands, self.sessions = disks, door, commands, sessions
        self.mounts: dict[int, tuple[Disk, wire.Mount]] = {}
        self.callers: dict[int, luns.Caller] = {}
        self.waiting: list[Waiting] = []
        self.poll = poll
        self.poll.register(door, select.POLLIN)
        if commands is not None:
            self.poll.register(commands, select.POLLIN)

    def serve(self, disk: str, descriptor: int) -> None:
        """From now on, answer what is asked through this /dev/fuse with that disk."""
        os.set_blocking(descriptor, False)
        self.mounts[descriptor] = self.disks[disk], wire.Mount(descriptor)
        self.poll.register(descriptor, select.POLLIN)

    def run(self) -> None:
        while True:
            due = min((one.due for one in self.waiting), default=float("inf"))
            timeout = None if due == float("inf") else max(0.0, due - time.monotonic()) * 1000
            for ready, events in self.poll.poll(timeout):
                self.on_ready(ready, events)
            self.carry_out_due()

    def on_ready(self, ready: int, events: int) -> None:
        if ready == self.door.fileno():
            self.on_message()
        elif ready in self.mounts:
            self.on_request(ready)
        elif ready in self.callers:
            self.on_command(ready)
        elif self.commands is not None and ready == self.commands.fileno():
            connection, _ = self.commands.accept()
            self.callers[connection.fileno()] = luns.Caller(connection)
            self.poll.register(connection, select.POLLIN)
        for session in self.sessions:
            if ready == session.fileno():
                session.on_ready(events)

    # ---- requests

    def on_request(self, ready: int) -> None:
        disk, mount = self.mounts[ready]
        try:
            request = mount.receive()
        except wire.Gone:
            self.forget(ready)
            return
        if request is not None:
            self.do(disk, mount, request)

    def do(self, disk: Disk, mount: wire.Mount, request: wire.Request) -> None:
        """Now, or when the disk's fault has it."""
        if request.opcode in MEDIUM and disk.fault.delay_s:
            due = time.monotonic() + disk.fault.delay_s
            self.waiting.append(Waiting(disk, mount, lambda: carry_out(disk, mount, request), due))
        else:
            carry_out(disk, mount, request)

    def on_command(self, ready: int) -> None:
        """A program asks for a SCSI command."""
        caller = self.callers[ready]
        asked = caller.asked()
        if asked is None:
            self.poll.unregister(ready)
            self.callers.pop(ready).connection.close()
            return
        name, cdb, out, room = asked
        disk = self.disks.get(name)
        if disk is None or disk.unit is None:
            caller.tell(Answer(None))
        elif disk.fault.delay_s:
            self.waiting.append(Waiting(disk, None, lambda: command(disk, caller, cdb, out, room),
                                        time.monotonic() + disk.fault.delay_s))
        else:
            command(disk, caller, cdb, out, room)

    def carry_out_due(self) -> None:
        now = time.monotonic()
        for one in [one for one in self.waiting if one.due <= now]:
            self.waiting.remove(one)
            one.act()

    def forget(self, descriptor: int) -> None:
        """It is unmounted."""
        self.poll.unregister(descriptor)
        _, mount = self.mounts.pop(descriptor)
        self.waiting = [one for one in self.waiting if one.mount is not mount]
        os.close(descriptor)

    # ---- orders

    def on_message(self) -> None:
        caller, _ = self.door.accept()
        with caller:
            caller.settimeout(5.0)      # or who connects and says nothing would hold up the disks
            try:
                text, passed, _, _ = socket.recv_fds(caller, 4096, 1)
                caller.send(self.order(text.decode().split(" ", 2), passed).encode())
            except OSError:
                return

    def order(self, words: list[str], passed: list[int]) -> str:
        """Do it; what is wrong, or nothing."""
        if len(words) < 2 or words[1] not in self.disks:
            return f"this node has no disk {' '.join(words[1:2])!r}"
        if words[0] == "serve" and passed:
            self.serve(words[1], passed[0])
            return ""
        try:
            self.become(self.disks[words[1]], fault_of(" ".join(words[2:])))
        except ValueError as problem:
            return str(problem)
        return ""

    def become(self, disk: Disk, fault: Fault) -> None:
        """What waits is carried out as the new fault has it."""
        disk.fault = fault
        for one in self.waiting:
            if one.disk is disk:
                one.due = time.monotonic() + fault.delay_s


def carry_out(disk: Disk, mount: wire.Mount, request: wire.Request) -> None:
    """Do what is asked, and answer."""
    if request.opcode == wire.INIT:
        mount.agree(request, FLAGS)
        return
    if request.opcode in MEDIUM and disk.unit is not None and not disk.fault.fails:
        disk.unit.carry_out(request, lambda body, error: mount.answer(request, body, error))
        return
    try:
        mount.answer(request, outcome(disk, request))
    except OSError as problem:
        mount.answer(request, error=problem.errno or errno.EIO)


def command(disk: Disk, caller: luns.Caller, cdb: bytes, out: bytes, room: int) -> None:
    """Pass a SCSI command on to the disk's array."""
    assert disk.unit is not None
    if disk.fault.fails:
        caller.tell(Answer(None))
    else:
        disk.unit.session.do(disk.unit.number, cdb, out, room, caller.tell)


def outcome(disk: Disk, request: wire.Request) -> bytes:
    """Raises OSError."""
    if request.opcode in MEDIUM:
        if disk.fault.fails:
            raise OSError(errno.EIO, "the lab says so")
        return moved(disk.descriptor, request)
    if request.opcode in (wire.GETATTR, wire.SETATTR):      # nobody truncates a disk
        return struct.pack("<QII", ATTRIBUTES_LAST_S, 0, 0) + wire.attributes(os.fstat(disk.descriptor), 1)
    if request.opcode == wire.OPEN:
        return OPENED
    if request.opcode in (wire.RELEASE, *wire.SILENT):
        return b""
    raise OSError(errno.ENOSYS, "not an operation of a disk")


def moved(descriptor: int, request: wire.Request) -> bytes:
    """Data between the disk and the caller."""
    if request.opcode == wire.FSYNC:
        os.fsync(descriptor)
        return b""
    _, offset, size, _, _, _, _ = wire.IO.unpack_from(request.body)
    if request.opcode == wire.READ:
        return os.pread(descriptor, size, offset)
    end = os.fstat(descriptor).st_size
    if offset >= end:
        raise OSError(errno.ENXIO, "beyond the end of the disk")
    data = memoryview(request.body)[wire.IO.size:wire.IO.size + min(size, end - offset)]
    return struct.pack("<II", os.pwrite(descriptor, data, offset), 0)


def listening(place: str) -> socket.socket:
    door = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    door.bind(place)
    os.chmod(place, 0o600)
    door.listen(16)
    return door


def start(root: str, images: dict[str, str], faults: dict[str, str], shimmed: tuple[str, ...],
          group: Path, units: dict[str, luns.Lun]) -> None:
    """Fork the driver of a node whose root (not yet its own) is `root`. Those of `shimmed` are then at /dev/dsk/NAME.

    `faults`: disk -> what is wrong with it from the start. `units`: those of `shimmed` that an array has.
    """
    door = listening(f"{root}{SOCKET}")
    commands = listening(f"{root}{luns.SOCKET}") if units else None
    served = {name: shim(root, name) for name in shimmed}
    # Opened here: the child's root becomes the node's at a moment of its own.
    procs = os.open(cgroups.make(group) / "cgroup.procs", os.O_WRONLY)
    poll = select.poll()
    sessions = luns.sessions(units, poll)
    disks = {name: Disk(image, fault_of(faults.get(name, "ok")), unit_of(name, image, units, sessions))
             for name, image in images.items()}
    server = Server(disks, door, poll, commands, tuple(sessions.values()))
    if os.fork() == 0:
        try:
            os.setsid()
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            os.write(procs, b"0")
            ctypes.CDLL(None).prctl(PR_SET_NAME, b"sunlab-disks", 0, 0, 0)
            gc.freeze()
            for name, descriptor in served.items():
                server.serve(name, descriptor)
            os.chdir("/")
            keep_open({0, 1, 2, door.fileno(), *([commands.fileno()] if commands else []), *served.values(),
                       *(disk.descriptor for disk in disks.values())})
            server.run()
        except Exception:  # noqa: BLE001 - the end of a daemon: all there is to say goes to its log
            os.write(2, traceback.format_exc().encode())
        finally:
            os._exit(1)
    for descriptor in (procs, door.detach(), *([commands.detach()] if commands else []), *served.values(),
                       *(disk.descriptor for disk in disks.values())):
        os.close(descriptor)


def shim(root: str, name: str) -> int:
    """Put a file system that the driver serves at the disk's names; its /dev/fuse."""
    for kind in ("dsk", "rdsk"):
        Path(f"{root}/dev/{kind}/{name}").touch()
    descriptor = wire.attach(f"{root}/dev/dsk/{name}", f"sunlab:{name}", stat.S_IFREG)
    linux.mount(f"{root}/dev/dsk/{name}", f"{root}/dev/rdsk/{name}", flags=linux.MS_BIND)
    return descriptor


def unit_of(name: str, image: str, units: dict[str, luns.Lun],
            sessions: dict[tuple[str, str], Session]) -> luns.Unit | None:
    if name not in units:
        return None
    lun = units[name]
    return luns.Unit(lun, sessions[lun.address, lun.target], os.stat(image).st_size)


def keep_open(wanted: set[int]) -> None:
    """Close all else: the power supply waits for the ends of pipes that a fork has too."""
    for name in os.listdir("/proc/self/fd"):
        if int(name) not in wanted:
            try:
                os.close(int(name))
            except OSError:
                pass        # the one that listed the folder


def ask(place: str, message: str, descriptor: int | None = None, within_s: float = 10.0) -> str:
    """Tell the driver whose socket is at `place`; what is wrong, or nothing. Raises OSError."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as caller:
        caller.settimeout(within_s)
        caller.connect(place)
        if descriptor is None:
            caller.send(message.encode())
        else:
            socket.send_fds(caller, [message.encode()], [descriptor])
        return caller.recv(4096).decode()
