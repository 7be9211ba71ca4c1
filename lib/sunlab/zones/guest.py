"""What runs in place of a guest of brand lx or bhyve: a process that takes SIGTERM as the press of its power button.

Neither a Linux userland nor a virtual machine is modelled; the zone has the life that zoneadm(8) gives one.
"""
import os
import signal
import sys


def main() -> None:
    """As process 1: reap what is left to it, until it is told to go. Never returns."""
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM, signal.SIGCHLD))
    while True:
        heard = signal.sigwait((signal.SIGTERM, signal.SIGCHLD))
        if heard == signal.SIGTERM:
            sys.exit(0)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            pass
