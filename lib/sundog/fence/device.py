"""What every fence device can be asked, and how it says that it cannot."""
import os
import stat
from typing import Optional

from sundog.config.fencing import name_of
from sundog.config.model import FenceLevel
from sundog.errors import SundogError

ON, OFF, UNKNOWN = "on", "off", "unknown"


class FenceFailed(SundogError):
    """A device did not do, or did not say, what it was asked for."""


class NoAnswer(FenceFailed):
    """The device cannot be reached, or did not answer in time."""


class LoginRefused(FenceFailed):
    """The device does not take the user or the password."""


class NoThread(FenceFailed):
    """This host has no thread for it."""


class OperatorNeeded(FenceFailed):
    """There is no device here: an operator must confirm."""


class Device:
    """One device of one node. Every call blocks for at most `patience_s` seconds and raises FenceFailed, or
    CommandNotRun where it runs a command.

    One that `bars` does not end the node but keeps it from writing to its disks; OFF means that it is kept so.
    """
    bars = False
    found, done = "says that it was off already", "switched it off and says so"

    def __init__(self, level: FenceLevel, node: str) -> None:
        self.level, self.node = level, node
        self.name = name_of(level)

    def ready(self) -> None:
        """Has this host what it takes to use the device? Asks nothing of it. Raises FenceFailed."""

    def status(self, patience_s: float) -> str:
        """ON, OFF, or UNKNOWN where the device says something else. Changes nothing."""
        raise NotImplementedError

    def off(self, patience_s: float) -> None:
        """Ask for the power to be cut at once. That it is off, only `status` tells."""
        raise NotImplementedError

    def on(self, patience_s: float) -> None:
        """Ask for the power to be switched on."""
        raise NotImplementedError


def no_thread(error: RuntimeError) -> NoThread:
    return NoThread("no thread can be started", "prstat -s rss and swap -s tell what fills this host", str(error))


def secret(path: str) -> str:
    """The password in the first line of a file. Raises FenceFailed when it is absent, empty, or others can read it."""
    try:
        with open(path, encoding="utf-8") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            line = file.readline(1024).rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        what = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise FenceFailed(f"password file {path}: {what}",
                          f"write the password into it: (umask 077; cat > {path})") from None
    if mode & 0o077:
        raise FenceFailed(f"password file {path}: mode {mode:04o} lets others than its owner use it",
                          f"chmod 600 {path}")
    if not line:
        raise FenceFailed(f"password file {path} is empty", f"write the password into it: (umask 077; cat > {path})")
    return line


def installed(*candidates: str) -> Optional[str]:
    """The first of some paths that this host can execute."""
    return next((path for path in candidates if os.access(path, os.X_OK)), None)
