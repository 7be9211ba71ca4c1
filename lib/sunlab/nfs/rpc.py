"""ONC RPC version 2 over TCP (RFC 5531): calls, replies, records. Blocking calls are for mount(8) alone."""
from __future__ import annotations

import itertools
import os
import socket
import struct

from sunlab.nfs import xdr

CALL, REPLY, VERSION, AUTH_NONE, AUTH_SYS = 0, 1, 2, 0, 1
LAST_FRAGMENT = 0x80000000
XIDS = itertools.count(int.from_bytes(os.urandom(4), "big"))


class RpcFailed(Exception):
    """The server did not carry out the call; the text is that of clnt_sperrno(3NSL)."""


def call(xid: int, program: int, version: int, procedure: int, arguments: bytes, uid: int, gid: int,
         machine: str) -> bytes:
    """A whole record. Pure."""
    credential = xdr.numbers(0) + xdr.opaque(machine.encode()) + xdr.numbers(uid, gid, 0)
    body = (xdr.numbers(xid, CALL, VERSION, program, version, procedure, AUTH_SYS) + xdr.opaque(credential)
            + xdr.numbers(AUTH_NONE, 0) + arguments)
    return xdr.numbers(LAST_FRAGMENT | len(body)) + body


def results(reply: bytes) -> tuple[int, xdr.Reader]:
    """The call's number, and what it returned. Raises RpcFailed. Pure."""
    reader = xdr.Reader(reply)
    xid, kind, denied = reader.take(">III")
    if kind != REPLY or denied:
        raise RpcFailed("RPC: Authentication error")
    reader.number()
    reader.opaque()
    accepted = reader.number()
    if accepted:
        raise RpcFailed({1: "RPC: Program unavailable", 2: "RPC: Program/version mismatch",
                         3: "RPC: Procedure unavailable"}.get(accepted, "RPC: Remote system error"))
    return xid, reader


class Records:
    """Takes bytes as they come and gives whole records."""

    def __init__(self) -> None:
        self.kept = bytearray()
        self.parts = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        self.kept += data
        found = []
        while len(self.kept) >= 4:
            head = struct.unpack_from(">I", self.kept)[0]
            size = head & ~LAST_FRAGMENT
            if len(self.kept) < 4 + size:
                break
            self.parts += self.kept[4:4 + size]
            del self.kept[:4 + size]
            if head & LAST_FRAGMENT:
                found.append(bytes(self.parts))
                self.parts.clear()
        return found


def connected(address: str, port: int, timeout_s: float | None) -> socket.socket:
    """From a port that only root has. With no timeout the connection is only begun. Raises OSError."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        for own in range(1023, 664, -1):
            try:
                made.bind(("::" if family == socket.AF_INET6 else "0.0.0.0", own))
                break
            except OSError:
                continue        # in use
        made.settimeout(timeout_s if timeout_s is not None else 0.0)
        try:
            made.connect((address, port))
        except BlockingIOError:
            pass
    except OSError:
        made.close()
        raise
    return made


def ask(address: str, port: int, program: int, version: int, procedure: int, arguments: bytes,
        timeout_s: float = 25.0) -> xdr.Reader:
    """One call, and wait. Raises RpcFailed, OSError (also a timeout)."""
    with connected(address, port, timeout_s) as server:
        server.sendall(call(next(XIDS) & 0xFFFFFFFF, program, version, procedure, arguments, 0, 0, os.uname().nodename))
        records = Records()
        while True:
            data = server.recv(65536)
            if not data:
                raise RpcFailed("RPC: Unable to receive")
            whole = records.feed(data)
            if whole:
                return results(whole[0])[1]
