"""The node's side of iSCSI: one session with a target, as a host bus adapter keeps it. Never blocks.

What may be sent is sent at once, answers are called back. Source: RFC 7143; one connection, no digests, no
authentication, error recovery level 0: a session that fails fails what was under way.
"""
from __future__ import annotations

import errno
import itertools
import select
import socket
import struct
from typing import Callable, Dict, List, Optional

PORT = 3260
NOP_OUT, COMMAND, LOGIN, DATA_OUT = 0x00, 0x01, 0x03, 0x05
NOP_IN, RESPONSE, LOGIN_RESPONSE, DATA_IN, R2T = 0x20, 0x21, 0x23, 0x25, 0x31
IMMEDIATE, FINAL, READS, WRITES, SIMPLE, HAS_STATUS = 0x40, 0x80, 0x40, 0x20, 0x01, 0x01
#: From the operational stage of a login straight to the full feature phase.
TRANSIT = 0x80 | 1 << 2 | 3
NOBODY = 0xFFFFFFFF
HEADER = 48
#: What a target takes in one PDU unless it says more, and what it may send us.
SEGMENT, ROOM = 8192, 1 << 18
KEYS = {"SessionType": "Normal", "HeaderDigest": "None", "DataDigest": "None", "InitialR2T": "Yes",
        "ImmediateData": "Yes", "MaxRecvDataSegmentLength": str(ROOM), "FirstBurstLength": str(SEGMENT),
        "MaxBurstLength": str(ROOM), "MaxConnections": "1", "MaxOutstandingR2T": "1", "ErrorRecoveryLevel": "0"}


class Answer:
    """Of a SCSI command: `status` as SAM-5 has it, or None when the session failed."""

    def __init__(self, status: Optional[int], data: bytes = b"", sense: bytes = b"") -> None:
        self.status, self.data, self.sense = status, data, sense


class Command:
    def __init__(self, lun: int, cdb: bytes, out: bytes, room: int, done: Callable[[Answer], None]) -> None:
        self.lun, self.cdb, self.out, self.room, self.done = lun, cdb, out, room, done
        self.data = bytearray()


class Session:
    """With `target` (its name) at `address`, as initiator `name`. `poll` is told what to wait for."""

    def __init__(self, address: str, target: str, name: str, poll: "select.poll") -> None:
        self.address, self.target, self.name, self.poll = address, target, name, poll
        self.socket: Optional[socket.socket] = None
        self.ready = False                              # in the full feature phase
        self._tags = itertools.count(1)
        self._waiting: List[Command] = []               # for the login
        self._running: Dict[int, Command] = {}
        self._in, self._out = bytearray(), bytearray()
        self._command_sn = self._status_sn = 0

    def do(self, lun: int, cdb: bytes, out: bytes, room: int, done: Callable[[Answer], None]) -> None:
        """Carry out a command that sends `out` or gives at most `room` bytes; `done` is called once."""
        command = Command(lun, cdb, out, room, done)
        if self.ready:
            self._send_command(command)
            return
        self._waiting.append(command)
        if self.socket is None:
            self._connect()

    def fileno(self) -> int:
        return -1 if self.socket is None else self.socket.fileno()

    def on_ready(self, events: int) -> None:
        """What poll has found about the socket."""
        assert self.socket is not None
        try:
            if events & select.POLLOUT:
                self._flush()
            if events & ~select.POLLOUT:
                self._receive()
        except OSError:
            self._fail()

    # ---- the connection

    def _connect(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        found = self.socket.connect_ex((self.address, PORT))
        if found not in (0, errno.EINPROGRESS):
            self._fail()
            return
        self._command_sn = self._status_sn = 0
        words = {"InitiatorName": self.name, "TargetName": self.target, **KEYS}
        text = b"".join(f"{key}={value}\0".encode() for key, value in words.items())
        # Bytes 8 to 13 are the ISID: the same after every boot, as the port's name has to be.
        header = struct.pack(">BBBBI6sHIHHII", LOGIN | IMMEDIATE, TRANSIT, 0, 0, len(text), b"\x80sundg", 0,
                             next(self._tags), 0, 0, self._command_sn, self._status_sn)
        self._put(header, text)

    def _fail(self) -> None:
        """The session is no more; the next command begins another."""
        if self.socket is not None:
            try:
                self.poll.unregister(self.socket)
            except KeyError:
                pass                    # nothing was waited for yet
            self.socket.close()
        self.socket, self.ready = None, False
        self._in.clear()
        self._out.clear()
        lost, self._waiting = [*self._running.values(), *self._waiting], []
        self._running.clear()
        for command in lost:
            command.done(Answer(None))

    def _put(self, header: bytes, data: bytes = b"") -> None:
        """Send a PDU: as much as the socket takes now, the rest when it is writable."""
        self._out += header.ljust(HEADER, b"\0") + data + b"\0" * (-len(data) % 4)
        try:
            self._flush()
        except OSError:
            self._fail()

    def _flush(self) -> None:
        assert self.socket is not None
        if self._out:
            try:
                del self._out[:self.socket.send(self._out)]
            except (BlockingIOError, InterruptedError):
                pass
            except OSError as problem:
                if problem.errno not in (errno.ENOTCONN, errno.EINPROGRESS):
                    raise
        self.poll.register(self.socket, select.POLLIN | (select.POLLOUT if self._out else 0))

    # ---- what we say

    def _send_command(self, command: Command) -> None:
        if self.socket is None:
            command.done(Answer(None))
            return
        tag = next(self._tags) & 0x7FFFFFFF
        self._running[tag] = command
        flags = FINAL | SIMPLE | (WRITES if command.out else READS if command.room else 0)
        now = command.out[:SEGMENT]
        header = struct.pack(">BBHIQIIII16s", COMMAND, flags, 0, len(now), command.lun << 48, tag,
                             len(command.out) or command.room, self._command_sn, self._status_sn, command.cdb)
        self._command_sn += 1
        self._put(header, now)

    def _send_data(self, packet: bytes) -> None:
        """The target is ready for a part of what a command writes."""
        tag, transfer = struct.unpack_from(">II", packet, 16)
        offset, length = struct.unpack_from(">II", packet, 40)
        command = self._running[tag]
        for number, start in enumerate(range(offset, offset + length, SEGMENT)):
            part = command.out[start:min(start + SEGMENT, offset + length)]
            last = FINAL if start + SEGMENT >= offset + length else 0
            self._put(struct.pack(">BBHI8sIIIIIII", DATA_OUT, last, 0, len(part), packet[8:16], tag, transfer, 0,
                                  self._status_sn, 0, number, start), part)

    # ---- what we hear

    def _receive(self) -> None:
        assert self.socket is not None
        part = self.socket.recv(ROOM)
        if not part:
            raise ConnectionResetError("the target hung up")
        self._in += part
        while len(self._in) >= HEADER:
            length = int.from_bytes(self._in[5:8], "big")
            end = HEADER + length + -length % 4
            if len(self._in) < end:
                return
            packet, data = bytes(self._in[:HEADER]), bytes(self._in[HEADER:HEADER + length])
            del self._in[:end]
            self._take(packet, data)
            if self.socket is None:
                return

    def _take(self, packet: bytes, data: bytes) -> None:
        kind, tag = packet[0] & 0x3F, int.from_bytes(packet[16:20], "big")
        if kind == R2T:
            self._send_data(packet)
        elif kind == DATA_IN:
            self._take_data(packet, tag, data)
        elif kind == RESPONSE:
            self._count(packet)
            size = int.from_bytes(data[:2], "big")
            failed = packet[2] != 0
            self._end(tag, None if failed else packet[3], data[2:2 + size])
        elif kind == LOGIN_RESPONSE:
            self._logged_in(packet)
        elif kind == NOP_IN:
            self._answer_nop(packet)
        else:
            raise ConnectionResetError(f"the target sent what is not expected: {kind:#x}")

    def _logged_in(self, packet: bytes) -> None:
        self._count(packet)
        if packet[36] != 0 or packet[1] & TRANSIT != TRANSIT:
            raise ConnectionRefusedError(f"login refused: {packet[36]:#x} {packet[37]:#x}")
        self.ready = True
        waiting, self._waiting = self._waiting, []
        for command in waiting:
            self._send_command(command)

    def _take_data(self, packet: bytes, tag: int, data: bytes) -> None:
        command = self._running[tag]
        offset = int.from_bytes(packet[40:44], "big")
        command.data[offset:offset + len(data)] = data
        if packet[1] & HAS_STATUS:
            self._count(packet)
            self._end(tag, packet[3], b"")

    def _answer_nop(self, packet: bytes) -> None:
        if packet[20:24] != b"\xff" * 4:
            self._put(struct.pack(">BBHI8sI4sII", NOP_OUT | IMMEDIATE, FINAL, 0, 0, packet[8:16], NOBODY,
                                  packet[20:24], self._command_sn, self._status_sn))

    def _count(self, packet: bytes) -> None:
        self._status_sn = (int.from_bytes(packet[24:28], "big") + 1) & 0xFFFFFFFF

    def _end(self, tag: int, status: Optional[int], sense: bytes) -> None:
        command = self._running.pop(tag)
        command.done(Answer(status, bytes(command.data), sense))
