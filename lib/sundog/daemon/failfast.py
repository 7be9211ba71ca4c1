"""sundog-failfast: holds the deadline by which this host must have been told to go on, and resets it when it was not.

Deliberately alone: standard library only, nothing of Sundog imported, locked in memory, in the real-time class where
the host allows it. From the deadline on nothing is written to a file or read from a disk, and no process has to be
made: uadmin(2), and beside it a child that waits since the start to become uadmin(8). Protocol (docs/architecture.md,
Failfast): datagrams `VERB ID …`, answered `ok ID …`. Deadlines are kept in a mapped file, so that a failfast that was
restarted holds them again. failfast_main.py starts it.
"""
from __future__ import annotations

import ctypes
import mmap
import os
import select
import signal
import socket
import struct
import time
import zlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

SOCKET = "/var/run/sundog/failfast"
KEPT = "/var/run/sundog/deadline"
UADMIN = "/sbin/uadmin"
FMRI = "svc:/system/sundog/failfast:default"
#: uadmin(2): command and function of what a host can be told to do. A_REBOOT, A_DUMP; AD_BOOT.
EXPIRIES = {"reset": (1, 1), "panic": (5, 1)}
#: The order in which deadlines lie in the mapped file: the lease's, and that of the host's orderly end.
LEASE, STOP = 0, 1

_RECORD = struct.Struct(">dI")          # deadline (0: none), CRC-32 of it
_STRIDE = 64
_TRY_AGAIN_S = 0.2
_LONGEST_WAIT_S = 1.0
_LONGEST_DATAGRAM = 1024
_CHILD_LOOK_S = 0.1


def now() -> float:
    """Seconds of the clock of all deadlines: one that runs on through a suspend where the host has it (rule 12)."""
    return time.clock_gettime(_CLOCK)


_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class Deadline:
    """One deadline, in memory and in the mapped file. `at`: seconds of now(), or None."""

    def __init__(self, path: str = KEPT, which: int = LEASE) -> None:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.ftruncate(fd, mmap.PAGESIZE)
        self._map = mmap.mmap(fd, mmap.PAGESIZE)
        os.close(fd)
        self._from = which * _STRIDE
        at, crc = _RECORD.unpack_from(self._map, self._from)
        blank = not any(self._map[self._from:self._from + _RECORD.size])
        if not blank and zlib.crc32(struct.pack(">d", at)) != crc:
            # Cut short in the middle of a change: something was armed, so the safe reading is a short deadline.
            at = now() + _LONGEST_WAIT_S
        self.at = at or None

    def set(self, at: float | None) -> None:
        number = struct.pack(">d", at or 0.0)
        self._map[self._from:self._from + _RECORD.size] = number + struct.pack(">I", zlib.crc32(number))
        self.at = at

    def passed(self, instant: float) -> bool:
        return self.at is not None and instant >= self.at


class Ready:
    """A child that waits to become uadmin(8): no process has to be made when the process table is full.

    Orders are signals, for which the kernel needs no memory; a pipe tells the child that failfast has ended.
    """

    ORDERS = {signal.SIGUSR1: "reset", signal.SIGUSR2: "panic"}

    def __init__(self) -> None:
        ended, self._held = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._held)
            self._wait(ended)
        os.close(ended)

    def _wait(self, ended: int) -> None:
        """In the child. SMF's SIGTERM goes to it as well: it stays as long as failfast."""
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        for number in self.ORDERS:
            signal.signal(number, self._become)
        os.read(ended, 1)
        os._exit(0)

    def _become(self, number: int, frame: object) -> None:
        try:
            words = EXPIRIES[self.ORDERS[signal.Signals(number)]]
            os.execve(UADMIN, [UADMIN, *map(str, words)], {"PATH": "/usr/sbin:/usr/bin"})
        finally:
            os._exit(1)

    def go(self, how: str) -> None:
        try:
            os.kill(self.pid, next(number for number, name in self.ORDERS.items() if name == how))
        except OSError:
            pass                        # it has gone already, and failed


class Watchdog:
    """The controller's watchdog (IPMI 2.0, 27), by ipmitool: it counts while a deadline is held, and is stroked then.

    Raw commands, as ipmitool before 1.8.19 has no `mc watchdog set`. One process at a time, and nobody waits for it.
    """

    def __init__(self) -> None:
        self.words: list[str] = []      # how ipmitool is called; empty: there is no watchdog
        self.period_s = 0.0
        self.interrupt = 0              # of the last second, as IPMI counts them
        self.counting = False           # as far as we know
        self.failed = 0                 # commands in a row
        self._unknown = False           # it may count since before this boot: stopped once, if nothing is held
        self._due_at = self._until = 0.0
        self._pid = 0
        self._todo: list[str] = []      # "set", "stroke", "stop"
        self._given_up: list[str] = []  # how to call what is to be stopped, once the configuration has no watchdog

    @property
    def said(self) -> str:
        if self.failed:
            return "failing"
        return "off" if not self.words else "counting" if self.counting else "stopped"

    @property
    def busy(self) -> bool:
        return self._pid != 0 or bool(self._todo)

    def follow(self, period_s: float, interrupt: int, words: list[str]) -> None:
        """Another configuration, or the same again. No words: what counts is stopped."""
        if words and (period_s, interrupt, words) != (self.period_s, self.interrupt, self.words):
            self.period_s, self.interrupt, self.words = period_s, interrupt, words
            self._todo, self._due_at, self.failed = [], 0.0, 0
            self.counting, self._unknown = False, True
        elif not words and self.words:
            self.words, self._given_up, self._due_at = [], self.words, 0.0

    def _command(self, order: str) -> list[str]:
        """Set Watchdog Timer (27.6; SMS/OS, hard reset or no action, in 100 ms), which stops it; or Reset (27.5)."""
        if order == "stroke":
            return [*self.words, "raw", "0x06", "0x22"]
        count = round(self.period_s * 10)
        numbers = (1 | self.interrupt << 4, 1 if self.interrupt else 0) if order == "set" else (0, 0)
        return [*(self.words or self._given_up), "raw", "0x06", "0x24", "0x04", *map(str, numbers), "0x10",
                str(count & 255), str(count >> 8)]

    def step(self, instant: float, held: bool) -> None:
        """Do what is due; `held`: a deadline is held, so the watchdog is to count."""
        if self._pid:
            self._reap(instant)
        if self._pid:
            return
        held = held and bool(self.words)
        if not self._todo and instant >= self._due_at and (held or self.counting or self._unknown):
            self._unknown = False
            self._todo = ["stop"] if not held else ["stroke"] if self.counting else ["set", "stroke"]
            self._due_at = instant + self.period_s / 4
        if self._todo:
            self._run(instant)

    def _run(self, instant: float) -> None:
        command = self._command(self._todo[0])
        urgent = hasattr(os, "sched_getscheduler") and os.sched_getscheduler(0) == os.SCHED_RR     # not for ipmitool
        calm: dict[str, Any] = {"scheduler": (os.SCHED_OTHER, os.sched_param(0))} if urgent else {}
        try:
            self._pid = os.posix_spawnp(command[0], command, os.environ, **calm, file_actions=[
                (os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_WRONLY, 0) for number in (1, 2)])
            self._until = instant + self.period_s / 3
        except (OSError, MemoryError):
            self._ended(instant, False)

    def _reap(self, instant: float) -> None:
        pid, status = os.waitpid(self._pid, os.WNOHANG)
        if pid:
            self._pid = 0
            self._ended(instant, status == 0)
        elif instant >= self._until:
            os.kill(self._pid, signal.SIGKILL)

    def _ended(self, instant: float, ok: bool) -> None:
        order = self._todo.pop(0) if self._todo else ""
        if ok:
            self.failed = 0
            self.counting = order == "stroke"
            if self._todo:
                self._run(instant)
        else:
            # A stroke that failed is begun anew: the controller may have forgotten what was set. A stop is tried again.
            self._todo.clear()
            self.counting = order == "stop"
            self.failed += 1
            self._due_at = instant + self.period_s / 10


class Keeper:
    """What failfast holds: two deadlines, what happens at their end, the watchdog. `ending`: SMF wants it gone."""

    def __init__(self, path: str = KEPT) -> None:
        self.lease, self.stop = Deadline(path, LEASE), Deadline(path, STOP)
        self.expiry = "reset"
        self.watchdog = Watchdog()
        self.ending = False

    @property
    def at(self) -> float | None:
        """The first of the deadlines."""
        held = [one.at for one in (self.lease, self.stop) if one.at is not None]
        return min(held) if held else None

    @property
    def idle(self) -> bool:
        """Nothing is held, and the watchdog does not count, or cannot be stopped."""
        return self.at is None and not self.watchdog.busy and (not self.watchdog.counting or self.watchdog.failed > 2)

    def answer(self, datagram: bytes) -> bytes:
        """Carry out one request; the answer to send back. What is no request changes nothing."""
        words = datagram.split(b"\0")[0].decode("ascii", "replace").split()
        said = self._carry_out(words, datagram.split(b"\0")[1:]) if len(words) in (2, 3) else None
        return b"bad " + datagram[:100] if said is None else f"ok {words[1]} {said}".rstrip().encode()

    def _carry_out(self, words: list[str], more: list[bytes]) -> str | None:
        verb, value = words[0], words[2] if len(words) == 3 else None
        if verb == "disarm" and value is None:
            self.lease.set(None)
        elif verb == "stop" and value == "none":
            self.stop.set(None)
        elif verb in ("arm", "stop") and _instant(value):
            (self.lease if verb == "arm" else self.stop).set(_instant(value))
        elif verb == "expiry" and value in EXPIRIES:
            self.expiry = str(value)
        elif verb == "watchdog" and value == "off":
            self.watchdog.follow(0.0, 0, [])
        elif verb == "watchdog" and _instant(value) and len(more) > 1 and more[0] in (b"0", b"2", b"3"):
            self.watchdog.follow(_instant(value) or 0.0, int(more[0]), [os.fsdecode(word) for word in more[1:]])
        elif verb == "state" and value is None:
            return f"pid={os.getpid()} expiry={self.expiry} watchdog={self.watchdog.said}"
        else:
            return None
        return ""


def _instant(word: str | None) -> float | None:
    """A positive finite number; None when it is no such thing."""
    try:
        at = float(word or "")
    except ValueError:
        return None
    return at if 0 < at < float("inf") else None


def reset(how: str = "reset", ready: Ready | None = None) -> None:
    """Reset or panic this host at once, flushing and stopping nothing (uadmin(2)). Comes back only if that failed."""
    call = getattr(ctypes.CDLL(None), "uadmin", None)
    if call is not None:
        # The system call needs no disk, which a host in trouble may not have.
        call(*EXPIRIES[how], None)
    if ready is not None:
        ready.go(how)
        time.sleep(_TRY_AGAIN_S)
    try:
        pid = os.posix_spawn(UADMIN, [UADMIN, *map(str, EXPIRIES[how])], {"PATH": "/usr/sbin:/usr/bin"})
        os.waitpid(pid, 0)
    except OSError:
        pass                            # tried again by who called


def complain(text: str) -> None:
    """A line for the SMF log, which may be on a full disk: that keeps no host from being reset."""
    try:
        os.write(2, ("sundog-failfast: %s\n" % text).encode("utf-8", "backslashreplace"))
    except OSError:
        pass


def be_urgent() -> None:
    """Ask for the real-time class, above the coordinator; carry on with a warning when refused."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(os.sched_get_priority_min(os.SCHED_RR) + 1))
    except (AttributeError, OSError) as error:
        try:
            pid = os.posix_spawn("/usr/bin/priocntl", ["priocntl", "-s", "-c", "RT", "-m", "1", "-p", "1", "-i", "pid",
                                                       str(os.getpid())], {})
            os.waitpid(pid, 0)
        except OSError:
            complain("warning: no real-time class: %s" % error)


def lock_in_memory() -> None:
    if ctypes.CDLL(None, use_errno=True).mlockall(3) != 0:     # MCL_CURRENT | MCL_FUTURE
        complain("warning: not locked in memory: %s" % os.strerror(ctypes.get_errno()))


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


def serve(sock: socket.socket, keeper: Keeper, expire: Callable[[str], None] = reset,
          clock: Callable[[], float] = now, once: bool = False) -> None:
    """Answer requests and call `expire` from the deadline on, again and again, until the host is gone.

    The clock is looked at before anything that has arrived meanwhile: a host that was stopped and goes on after its
    deadline has no right to a longer one. Comes back when SMF wants it gone and nothing is held.
    """
    poller = select.poll()
    poller.register(sock, select.POLLIN)
    while not (keeper.ending and keeper.idle):
        instant = clock()
        if keeper.at is not None and instant >= keeper.at:
            expire(keeper.expiry)
            if once:
                return
            # Not a word in the log: it is on a disk, which may hang.
            time.sleep(_TRY_AGAIN_S)
            continue
        keeper.watchdog.step(instant, keeper.at is not None)
        # A fresh look at the clock: starting a child may have taken what is left.
        if poller.poll(_wait_ms(keeper, clock())) and not (keeper.at is not None and clock() >= keeper.at):
            _take(sock, keeper)


def _wait_ms(keeper: Keeper, instant: float) -> int | None:
    """Until when nothing has to be done unless a request comes."""
    longest_s = _CHILD_LOOK_S if keeper.watchdog.busy else _LONGEST_WAIT_S
    if keeper.at is None:
        return None if keeper.idle else int(longest_s * 1000)
    return int(max(0.0, min(keeper.at - instant, longest_s)) * 1000) + 1


def _take(sock: socket.socket, keeper: Keeper) -> None:
    try:
        datagram, sender = sock.recvfrom(_LONGEST_DATAGRAM)
        said = keeper.answer(datagram)
        if sender:
            sock.sendto(said, sender)
    except (OSError, MemoryError):
        pass                            # the asker is gone or does not read; it will ask again


def is_disabled(wait_s: float) -> bool:
    """Does SMF end failfast for good, and not to start another one? Yes, if that is not known within `wait_s`."""
    try:
        receives, sends = os.pipe()
        pid = os.posix_spawn("/usr/bin/svcs", ["svcs", "-H", "-o", "nstate", FMRI], os.environ,
                             file_actions=[(os.POSIX_SPAWN_DUP2, sends, 1)])
        os.close(sends)
        said = os.read(receives, 100) if select.select([receives], [], [], wait_s)[0] else b""
        os.close(receives)
        if not said:
            os.kill(pid, signal.SIGKILL)
            return True                 # not waited for: it may hang in the kernel
        os.waitpid(pid, 0)
    except OSError:
        return True
    return said.strip() != b"offline"


def asked_to_end(keeper: Keeper) -> None:
    """SIGTERM. Another failfast holds the deadlines again; if there is to be none, this one holds them to their end."""
    left_s = _LONGEST_WAIT_S if keeper.at is None else max(0.0, keeper.at - now()) / 2
    if keeper.idle or not is_disabled(min(left_s, _LONGEST_WAIT_S)):
        os._exit(0)
    keeper.ending = True
