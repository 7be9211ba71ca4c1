"""This host: how commands are run on it, and who it is. No state, so methods and threads of the daemon share it."""
import os

from sundog.solaris.run import CommandFailed, Run, run

HOSTID = "/usr/bin/hostid"
PATIENCE_S = 20.0


class Host:
    """What a resource module is given. `run` is solaris.run.run, or a test's stand-in for the world."""

    def __init__(self, run: Run = run) -> None:
        self.run = run

    def hostid(self) -> str:
        """hostid(1): eight hexadecimal digits; "00000000" is a host without one. Raises CommandFailed."""
        done = self.run([HOSTID], timeout_s=PATIENCE_S)
        if not done.ok:
            raise CommandFailed(done)
        return done.out.strip().lower().rjust(8, "0")

    def name(self) -> str:
        return os.uname().nodename

    def release(self) -> str:
        """`uname -v`: 11.4.x on Solaris, illumos-… or a distribution's word elsewhere. For a person to read."""
        return os.uname().version
