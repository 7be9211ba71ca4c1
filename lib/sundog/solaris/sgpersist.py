"""Persistent reservations of one disk through sg_persist(8) of sg3_utils, which Solaris and illumos package.

Blocks; durations are seconds. Words and exit statuses as sg3_utils 1.46 has them (src/sg_persist.c, sg3_utils(8)).
"""
import os
import re
from typing import FrozenSet, NamedTuple, Optional

from sundog.errors import SundogError
from sundog.solaris.run import Done, Run, run

PATHS = ("/usr/sbin/sg_persist", "/usr/bin/sg_persist", "/opt/ooce/bin/sg_persist", "/usr/local/bin/sg_persist",
         "/opt/local/bin/sg_persist")
#: The type of reservation by which all who have a key may write, and nobody else (SPC-4, table 64).
REGISTRANTS_ONLY, _TYPE = "Write Exclusive, registrants only", "5"
_ILLEGAL_REQUEST, _UNIT_ATTENTION, _INVALID_OPCODE, _FILE_ERROR, _CONFLICT = 5, 6, 9, 15, 24
#: An error of the host, as 50 and its errno; older versions say 15.
_ERRNO = range(51, 97)
#: A disk reports each event (a reset, a key taken away) once, in place of what it was asked.
_ATTENTIONS = 4
_KEY = re.compile(r"^\s+0x([0-9a-fA-F]{1,16})\s*$", re.MULTILINE)
_HELD = re.compile(r"Key=0x([0-9a-fA-F]{1,16})\s+scope: ([A-Z_]+|\d+)\s*,?\s*type: ([^\n]*)")


class ReservationFailed(SundogError):
    """A disk did not do, or did not say, what it was asked for."""


class NoTool(ReservationFailed):
    """The host has no sg_persist."""


class NotSupported(ReservationFailed):
    """The disk does not know persistent reservations, or not this part of them."""


class Conflict(ReservationFailed):
    """The disk refuses it to who has no key there (status RESERVATION CONFLICT)."""


class DiskSilent(ReservationFailed):
    """The disk cannot be opened, or does not answer in time."""


class Reservation(NamedTuple):
    """Who holds a disk, and how."""
    key: int
    type: str


class Abilities(NamedTuple):
    """REPORT CAPABILITIES: does it know our type; does it keep keys over a loss of its power?"""
    registrants_only: bool
    lasting: bool


class Disk:
    """One disk, by a path such as /dev/rdsk/c0t3d0s2. Each call raises ReservationFailed and changes at most what
    its name says."""

    def __init__(self, path: str, run: Run = run) -> None:
        self.path, self.run = path, run

    def abilities(self, within_s: float) -> Abilities:
        said = self._ask(within_s, "--in", "--report-capabilities").out
        masked = "Type Mask Valid(TMV): 1" in said
        return Abilities(not masked or f"{REGISTRANTS_ONLY}: 1" in said,
                         "Persist Through Power Loss Capable(PTPL_C): 1" in said)

    def keys(self, within_s: float) -> FrozenSet[int]:
        """The keys that are registered, of every initiator."""
        done = self._ask(within_s, "--in", "--read-keys")
        found = frozenset(int(digits, 16) for digits in _KEY.findall(done.out))
        if not found and "NO registered reservation keys" not in done.out:
            raise self._failure(done)
        return found

    def reservation(self, within_s: float) -> Optional[Reservation]:
        done = self._ask(within_s, "--in", "--read-reservation")
        held = _HELD.search(done.out)
        if held is None and "NO reservation held" not in done.out:
            raise self._failure(done)
        return None if held is None else Reservation(int(held[1], 16), held[3].strip())

    def register(self, key: int, lasting: bool, within_s: float) -> None:
        """Put our key there in place of any that this host has. `lasting`: also over a loss of the disk's power."""
        self._ask(within_s, "--out", "--register-ignore", f"--param-sark={key:#x}",
                  *(["--param-aptpl"] if lasting else []))

    def reserve(self, key: int, within_s: float) -> None:
        """Let only those write who have a key. Raises Conflict also when it is held already."""
        self._ask(within_s, "--out", "--reserve", f"--param-rk={key:#x}", f"--prout-type={_TYPE}")

    def preempt(self, key: int, victim: int, abort: bool, within_s: float) -> None:
        """Take the victim's key off, wherever it is registered from; `abort`: and end its commands in the disk."""
        self._ask(within_s, "--out", "--preempt-abort" if abort else "--preempt", f"--param-rk={key:#x}",
                  f"--param-sark={victim:#x}", f"--prout-type={_TYPE}")

    def _ask(self, within_s: float, *words: str) -> Done:
        argv = [tool(), "--no-inquiry", *words, self.path]
        for _ in range(_ATTENTIONS):
            done = self.run(argv, timeout_s=within_s)
            if done.rc != _UNIT_ATTENTION or done.timed_out:
                break
        if done.ok:
            return done
        raise self._failure(done)

    def _failure(self, done: Done) -> ReservationFailed:
        by_hand, said = f"try: {' '.join(done.argv)}", done.last_line or None
        if done.timed_out:
            return DiskSilent(f"disk {self.path} did not answer within {done.took_s:.0f} s", by_hand, said)
        if done.rc == _CONFLICT:
            return Conflict(f"disk {self.path} refuses it: reservation conflict", by_hand, said)
        if done.rc in (_ILLEGAL_REQUEST, _INVALID_OPCODE):
            return NotSupported(f"disk {self.path} does not know {done.argv[3].lstrip('-')} of SCSI-3 persistent "
                                "reservations", by_hand, said)
        if done.rc == _FILE_ERROR or done.rc in _ERRNO:
            how = "cannot be opened" if "error opening" in done.said else "does not answer"
            return DiskSilent(f"disk {self.path} {how}", "check the path to it on this node: format", said)
        return ReservationFailed(f"sg_persist failed on disk {self.path} with status {done.rc}", by_hand, said)


def tool() -> str:
    """Raises NoTool."""
    found = next((path for path in PATHS if os.access(path, os.X_OK)), None)
    if found is None:
        raise NoTool("this host has no sg_persist", "pkg install sg3_utils")
    return found
