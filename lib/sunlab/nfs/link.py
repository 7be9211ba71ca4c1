"""The client's connection to its server: calls wait until they are answered, over as many connections as it takes.

A hard mount asks for ever; a soft one gives up. A connection on which nothing is acknowledged for a while is given up,
so that a healed network is found again soon.
"""
from __future__ import annotations

import errno
import os
import select
import socket
import time
from typing import Callable

from sunlab.nfs import rpc, v3
from sunlab.nfs.xdr import Reader

UNACKNOWLEDGED_MS = 10000
CONNECT_S, PAUSE_S = 5.0, 1.0

Answered = Callable[[Reader], None]
Failed = Callable[[int], None]


class Call:
    """`give_up`: when (time.monotonic()), or inf."""

    def __init__(self, record: bytes, answered: Answered, failed: Failed, give_up: float) -> None:
        self.record, self.answered, self.failed, self.give_up = record, answered, failed, give_up
        self.asked = time.monotonic()


class Link:
    def __init__(self, address: str, port: int, patience_s: float, poll: select.poll) -> None:
        """`patience_s`: how long a call waits for its answer, inf: for ever."""
        self.address, self.port, self.patience_s, self.poll = address, port, patience_s, poll
        self.machine = os.uname().nodename
        self.calls: dict[int, Call] = {}
        self.socket: socket.socket | None = None
        self.up = False
        self.since = 0.0                # of the connection's attempt
        self.records = rpc.Records()
        self.unsent = bytearray()

    def ask(self, procedure: int, arguments: bytes, uid: int, gid: int, answered: Answered, failed: Failed) -> int:
        """The call's number. `failed` gets an errno."""
        xid = next(rpc.XIDS) & 0xFFFFFFFF
        record = rpc.call(xid, v3.NFS, 3, procedure, arguments, uid, gid, self.machine)
        self.calls[xid] = Call(record, answered, failed, time.monotonic() + self.patience_s)
        if self.up:
            self.unsent += record
            self.send()
        elif self.socket is None:
            self.connect()
        return xid

    def fileno(self) -> int:
        return self.socket.fileno() if self.socket is not None else -1

    # ---- the connection

    def connect(self) -> None:
        self.since = time.monotonic()
        try:
            self.socket = rpc.connected(self.address, self.port, None)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.poll.register(self.socket, select.POLLOUT | select.POLLIN)
        except OSError:
            self.drop()

    def drop(self) -> None:
        """The next connection sends again what is not answered."""
        if self.socket is not None:
            try:
                self.poll.unregister(self.socket)
            except KeyError:
                pass
            self.socket.close()
        self.socket, self.up = None, False
        self.records = rpc.Records()
        self.unsent.clear()

    def on_ready(self, events: int) -> None:
        assert self.socket is not None
        try:
            if not self.up:
                problem = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if problem:
                    raise OSError(problem, os.strerror(problem))
                self.up = True
                for one in self.calls.values():
                    self.unsent += one.record
            if events & (select.POLLIN | select.POLLHUP | select.POLLERR):
                self.receive()
            self.send()
        except OSError:
            self.drop()

    def receive(self) -> None:
        """Raises OSError."""
        assert self.socket is not None
        try:
            data = self.socket.recv(1 << 20)
        except BlockingIOError:
            return
        if not data:
            raise OSError(errno.ECONNRESET, "the server has closed the connection")
        for record in self.records.feed(data):
            self.on_record(record)

    def on_record(self, record: bytes) -> None:
        try:
            xid, reader = rpc.results(record)
        except rpc.RpcFailed:
            xid, reader = Reader(record).number(), None
        one = self.calls.pop(xid, None)
        if one is not None and reader is not None:
            one.answered(reader)
        elif one is not None:
            one.failed(errno.EIO)

    def send(self) -> None:
        if self.socket is None:
            return
        try:
            while self.unsent:
                del self.unsent[:self.socket.send(self.unsent)]
        except BlockingIOError:
            pass
        except OSError:
            self.drop()
            return
        self.poll.modify(self.socket, select.POLLIN | (select.POLLOUT if self.unsent else 0))

    # ---- time

    def wait_ms(self) -> int | None:
        """Until on_time has something to do."""
        return 250 if self.calls else None

    def on_time(self) -> None:
        now = time.monotonic()
        for xid, one in [(xid, one) for xid, one in self.calls.items() if one.give_up <= now]:
            del self.calls[xid]
            one.failed(errno.ETIMEDOUT)
        if not self.up and self.socket is not None and now - self.since > CONNECT_S:
            self.drop()
        if self.socket is None and self.calls and now - self.since > PAUSE_S:
            self.connect()
