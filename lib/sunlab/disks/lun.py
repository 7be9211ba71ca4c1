"""A disk of a node that is a logical unit of an array: what the node reads, writes and asks goes there by iSCSI.

SCSI commands of programs in the node come by the socket of sgio.c, over the same session (one I_T nexus for the host,
as with a real adapter), so a persistent reservation counts for both.
"""
from __future__ import annotations

import errno
import os
import select
import socket
import struct
from typing import Callable, NamedTuple

from sunlab.disks import wire
from sunlab.disks.iscsi import Answer, Session

#: In the node; sgio.c connects to it once for each open of a disk.
SOCKET = "/run/sunlab-scsi"
BLOCK = 512
GOOD, CHECK_CONDITION, RESERVATION_CONFLICT = 0x00, 0x02, 0x18
READ_16, WRITE_16, SYNCHRONIZE = 0x88, 0x8A, 0x35
UNIT_ATTENTION = 6
#: Name of the disk, command, its length, whether it writes (else reads), bytes that it gives at most; then its data.
ASKED = struct.Struct("=32s16sBBHI")
#: Status, length of the sense data, bytes of data; then both. Status LOST: the disk could not be reached.
TOLD = struct.Struct("=BBHI")
LOST = 0xFF
LARGEST = 1 << 16


class Lun(NamedTuple):
    """Where a disk is: number `number` of `target` at `address`; `initiator` is what the node calls itself."""
    address: str
    target: str
    number: int
    initiator: str


Reply = Callable[[bytes, int], None]    # what a request gives, or an errno


class Unit:
    """One logical unit, as the node's disk driver uses it."""

    def __init__(self, lun: Lun, session: Session, size: int) -> None:
        self.number, self.session, self.size = lun.number, session, size

    def carry_out(self, request: wire.Request, reply: Reply) -> None:
        """A READ, WRITE or FSYNC of the node."""
        if request.opcode == wire.FSYNC:
            self._block(bytes([SYNCHRONIZE]).ljust(10, b"\0"), b"", 0, lambda data: reply(b"", 0), reply)
            return
        _, offset, size, _, _, _, _ = wire.IO.unpack_from(request.body)
        if request.opcode == wire.READ:
            self._read(offset, min(size, max(0, self.size - offset)), reply)
            return
        data = request.body[wire.IO.size:wire.IO.size + size]
        if offset % BLOCK or size % BLOCK:
            reply(b"", errno.EINVAL)
        elif offset + size > self.size:
            reply(b"", errno.ENXIO)
        else:
            self._block(moving(WRITE_16, offset, size), data, 0,
                        lambda _: reply(struct.pack("<II", size, 0), 0), reply)

    def _read(self, offset: int, size: int, reply: Reply) -> None:
        if not size:
            reply(b"", 0)
            return
        before = offset % BLOCK
        room = before + size + -(before + size) % BLOCK
        self._block(moving(READ_16, offset - before, room), b"", room,
                    lambda data: reply(data[before:before + size], 0), reply)

    def _block(self, cdb: bytes, out: bytes, room: int, done: Callable[[bytes], None], reply: Reply) -> None:
        """A command of the disk driver: what a unit attention has kept from being done is done again."""
        def ended(answer: Answer) -> None:
            if answer.status == CHECK_CONDITION and answer.sense[2:3] == bytes([UNIT_ATTENTION]):
                self._block(cdb, out, room, done, reply)
            elif answer.status == GOOD:
                done(answer.data)
            else:
                # As sd(4D) has it.
                reply(b"", errno.EACCES if answer.status == RESERVATION_CONFLICT else errno.EIO)

        self.session.do(self.number, cdb.ljust(16, b"\0"), out, room, ended)


def moving(code: int, offset: int, size: int) -> bytes:
    """READ(16) or WRITE(16), SBC-3."""
    return struct.pack(">BBQIBB", code, 0, offset // BLOCK, size // BLOCK, 0, 0)


class Caller:
    """A program in the node that has a disk open through sgio.c."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection

    def asked(self) -> tuple[str, bytes, bytes, int] | None:
        """Disk, command, data, room for an answer; None when it is gone or talks nonsense."""
        try:
            packet = self.connection.recv(ASKED.size + LARGEST)
        except OSError:
            return None
        if len(packet) < ASKED.size:
            return None
        name, cdb, _, writes, _, length = ASKED.unpack_from(packet)
        disk = os.path.basename(name.rstrip(b"\0").decode("ascii", "replace"))
        return disk, cdb, packet[ASKED.size:] if writes else b"", 0 if writes else min(length, LARGEST)

    def tell(self, answer: Answer) -> None:
        status = LOST if answer.status is None else answer.status
        sense, data = answer.sense[:252], answer.data[:LARGEST]
        try:
            self.connection.send(TOLD.pack(status, len(sense), 0, len(data)) + sense + data)
        except OSError:
            return                      # it has gone away meanwhile


def sessions(luns: dict[str, Lun], poll: "select.poll") -> dict[tuple[str, str], Session]:
    """One for each target."""
    return {(lun.address, lun.target): Session(lun.address, lun.target, lun.initiator, poll) for lun in luns.values()}
