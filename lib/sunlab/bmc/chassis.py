"""What a controller does to its node: power on, off, cycle, reset, and the power button."""
import subprocess
import sys
import threading
import time

from sunlab import power
from sunlab.places import Places


class Refused(Exception):
    """The node cannot do that now; the text says why."""


class Chassis:
    """One node's. Its calls may come from several threads; one acts at a time."""

    def __init__(self, places: Places, node: str) -> None:
        self.places, self.node = places, node
        self._one = threading.Lock()

    def is_on(self) -> bool:
        return bool(power.pid_of(self.places, self.node))

    def on(self) -> None:
        """Nothing to do for a node that is on."""
        with self._one:
            if not self.is_on():
                self._sunlab("boot")

    def off(self) -> None:
        """As pulling the plug. Returns when nothing of the node runs; raises Refused when that was not reached."""
        with self._one:
            if self.is_on():
                self._sunlab("kill")

    def reset(self) -> None:
        """Everything in the node is dead at once, then it boots. Raises Refused when it is off (IPMI 2.0, 28.3)."""
        with self._one:
            if not self.is_on():
                raise Refused("the node is off")
            self._sunlab("kill")
            self._sunlab("boot")

    def cycle(self, pause_s: float = 1.0) -> None:
        """Off for at least the chassis's power cycle interval, then on."""
        self.off()
        time.sleep(pause_s)
        self.on()

    def button(self) -> None:
        """The power button, pressed shortly: the node's own orderly end, as power.conf(5) has it."""
        if not self.is_on():
            raise Refused("the node is off")
        self._sunlab("exec", "--", "/usr/sbin/init", "5")

    def _sunlab(self, verb: str, *words: str) -> None:
        # A program of its own, for it forks, which a process with threads should not.
        done = subprocess.run([sys.executable, "-m", "sunlab.cli", "--lab", self.places.lab, verb, self.node, *words],
                              capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise Refused(done.stderr.strip() or f"sunlab {verb} {self.node}: exit {done.returncode}")
