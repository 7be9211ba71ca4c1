"""sundog-failfast: holds the deadline by which this host must have been told to go on, and resets it when it was not.

Deliberately alone: standard library only, nothing of Sundog imported, locked in memory, in the real-time class where
the host allows it. Protocol (docs/architecture.md, Failfast): datagrams `arm ID DEADLINE` and `disarm ID`, answered
`ok ID`; DEADLINE is seconds of the monotonic clock. The deadline is kept in a mapped file, so that a failfast that was
restarted holds it again.
"""
from __future__ import annotations

import ctypes
import mmap
import os
import select
import signal
import socket
import struct
import sys
import time
import zlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

SOCKET = "/var/run/sundog/failfast"
KEPT = "/var/run/sundog/deadline"
UADMIN = "/sbin/uadmin"
A_REBOOT, AD_BOOT = 1, 1                # uadmin(2)

_RECORD = struct.Struct(">dI")          # deadline (0: none), CRC-32 of it
_TRY_AGAIN_S = 0.2
_LONGEST_WAIT_S = 1.0


class Deadline:
    """The deadline, in memory and in its mapped file. Instants are monotonic seconds."""

    def __init__(self, path: str = KEPT) -> None:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.ftruncate(fd, mmap.PAGESIZE)
        self._map = mmap.mmap(fd, mmap.PAGESIZE)
        os.close(fd)
        at, crc = _RECORD.unpack_from(self._map)
        blank = not any(self._map[:_RECORD.size])
        if not blank and zlib.crc32(struct.pack(">d", at)) != crc:
            # Cut short in the middle of a change: something was armed, so the safe reading is a short deadline.
            at = time.monotonic() + _LONGEST_WAIT_S
        self.at = at or None

    def set(self, at: float | None) -> None:
        number = struct.pack(">d", at or 0.0)
        self._map[:_RECORD.size] = number + struct.pack(">I", zlib.crc32(number))
        self.at = at

    def passed(self, now: float) -> bool:
        return self.at is not None and now >= self.at


def answer(deadline: Deadline, datagram: bytes) -> bytes:
    """Carry out one request; the answer to send back. Anything else than the two requests changes nothing."""
    words = datagram.decode("ascii", "replace").split()
    if len(words) == 3 and words[0] == "arm":
        try:
            at = float(words[2])
        except ValueError:
            return b"bad " + datagram[:100]
        if not 0 < at < float("inf"):
            return b"bad " + datagram[:100]
        deadline.set(at)
    elif len(words) == 2 and words[0] == "disarm":
        deadline.set(None)
    else:
        return b"bad " + datagram[:100]
    return b"ok " + words[1].encode()


def reset() -> None:
    """Reset this host at once, flushing and stopping nothing (uadmin(2) A_REBOOT). Comes back only if that failed."""
    call = getattr(ctypes.CDLL(None), "uadmin", None)
    if call is not None:
        # The system call needs no disk, which a host in trouble may not have.
        call(A_REBOOT, AD_BOOT, None)
    try:
        pid = os.posix_spawn(UADMIN, [UADMIN, str(A_REBOOT), str(AD_BOOT)], {"PATH": "/usr/sbin:/usr/bin"})
        os.waitpid(pid, 0)
    except OSError as error:
        complain("%s: %s" % (UADMIN, error.strerror))


def complain(text: str) -> None:
    """A line for the SMF log."""
    sys.stderr.write("sundog-failfast: %s\n" % text)
    sys.stderr.flush()


def settle_in() -> None:
    """Lock this process in memory and ask for the real-time class; carry on with a warning when refused."""
    if ctypes.CDLL(None, use_errno=True).mlockall(3) != 0:     # MCL_CURRENT | MCL_FUTURE
        complain("warning: not locked in memory: %s" % os.strerror(ctypes.get_errno()))
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(os.sched_get_priority_min(os.SCHED_RR)))
    except (AttributeError, OSError) as error:
        try:
            pid = os.posix_spawn("/usr/bin/priocntl", ["priocntl", "-s", "-c", "RT", "-i", "pid", str(os.getpid())], {})
            os.waitpid(pid, 0)
        except OSError:
            complain("warning: no real-time class: %s" % error)


def listen(path: str = SOCKET) -> socket.socket:
    os.makedirs(os.path.dirname(path), 0o755, exist_ok=True)
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sock.setblocking(False)
    sock.bind(path)
    os.chmod(path, 0o600)
    return sock


def serve(sock: socket.socket, deadline: Deadline, expire: Callable[[], None] = reset,
          clock: Callable[[], float] = time.monotonic, once: bool = False) -> None:
    """Answer requests and call `expire` from the deadline on, again and again, until the host is gone.

    The clock is looked at before anything that has arrived meanwhile: a host that was stopped and goes on after its
    deadline has no right to a longer one.
    """
    poller = select.poll()
    poller.register(sock, select.POLLIN)
    while True:
        now = clock()
        if deadline.at is not None and now >= deadline.at:
            complain("the deadline passed %.3f s ago: resetting this host" % (now - deadline.at))
            expire()
            if once:
                return
            time.sleep(_TRY_AGAIN_S)
            continue
        wait_s = min(deadline.at - now, _LONGEST_WAIT_S) if deadline.at is not None else None
        if not poller.poll(None if wait_s is None else int(wait_s * 1000) + 1):
            continue
        if deadline.passed(clock()):
            continue
        try:
            datagram, sender = sock.recvfrom(256)
        except BlockingIOError:
            continue
        said = answer(deadline, datagram)
        try:
            if sender:
                sock.sendto(said, sender)
        except OSError as error:
            # The asker is gone or does not read; it will ask again.
            complain("no answer sent: %s" % error.strerror)


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    sock = listen()
    deadline = Deadline()
    settle_in()
    if deadline.at is not None:
        complain("holding again a deadline in %.3f s" % (deadline.at - time.monotonic()))
    serve(sock, deadline)
    return 0


if __name__ == "__main__":
    sys.exit(main())
