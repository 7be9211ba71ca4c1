"""Serial lines between nodes: a pair of pseudo-terminals each, joined by a daemon of the lab.

usage: python -m sunlab.serial LAB; prints `ready` when the lines stand.
A node has its end as /dev/term/PORT and /dev/cua/PORT (cu(1)). What nobody takes is lost, as in a receiver that
overruns. The speed is that of the machine, and there are no modem lines: carrier is always there (as -crtscts clocal).
"""
import errno
import os
import select
import signal
import subprocess
import sys
import tty
from pathlib import Path
from typing import Dict, List, Tuple

from sunlab import network
from sunlab.places import Places
from sunlab.spec import Spec

#: Where the package is, for a Python that is started anew.
_LIB = Path(__file__).resolve().parent.parent


def start(places: Places) -> None:
    """Raises RuntimeError when the lines cannot be made."""
    with open(places.top / "serial.log", "ab") as log:
        relay = subprocess.Popen([sys.executable, "-m", "sunlab.serial", places.lab], cwd="/", stderr=log,
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, start_new_session=True,
                                 env={**os.environ, "PYTHONPATH": str(_LIB)})
    assert relay.stdout is not None
    with relay.stdout as pipe:
        if pipe.readline() != b"ready\n":
            raise RuntimeError(f"the serial lines of lab {places.lab} do not stand: see {places.top}/serial.log")


def end(places: Places) -> None:
    """A lab without lines is no error."""
    try:
        pid = int((places.top / "serial.pid").read_text())
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return
    if b"sunlab.serial" in words:
        from sunlab import power  # which asks us for a node's ends
        os.kill(pid, signal.SIGKILL)
        power.wait_gone(pid)


def ends(places: Places, node: str) -> Dict[str, str]:
    """Port -> the pseudo-terminal, on the host, of a node's end."""
    return {link.name.partition(".")[2]: os.readlink(link) for link in (places.top / "serial").glob(f"{node}.*")}


def cable(node: str, port: str) -> str:
    """What the cable's end in a node is called."""
    return f"{node}.term.{port}"


class Relay:
    def __init__(self, places: Places, spec: Spec) -> None:
        self.places = places
        self.others: Dict[int, Tuple[int, List[Path]]] = {}     # master -> the other one, and both ends' marks
        folder = places.top / "serial"
        folder.mkdir(exist_ok=True)
        for line in spec.serial:
            masters = [self.make(folder / f"{node}.{port}") for node, port in line.items()]
            marks = [network.unplugged(places, cable(node, port)) for node, port in line.items()]
            self.others[masters[0]] = (masters[1], marks)
            self.others[masters[1]] = (masters[0], marks)

    def make(self, link: Path) -> int:
        master, slave = os.openpty()
        tty.setraw(slave)               # it stays open: else a master whose node is off would be at its end
        os.symlink(os.ttyname(slave), link)
        os.set_blocking(master, False)
        return master

    def serve(self) -> None:
        poll = select.epoll()
        for master in self.others:
            poll.register(master, select.EPOLLIN)
        while True:
            for master, _ in poll.poll():
                other, marks = self.others[master]
                said = os.read(master, 4096)
                if any(mark.exists() for mark in marks):
                    continue
                try:
                    os.write(other, said)
                except OSError as full:
                    if full.errno != errno.EAGAIN:
                        raise


def main(lab: str) -> None:
    places = Places(lab)
    (places.top / "serial.pid").write_text(str(os.getpid()))
    relay = Relay(places, Spec.load(places.spec.read_text(encoding="utf-8")))
    print("ready", flush=True)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    relay.serve()


if __name__ == "__main__":
    main(sys.argv[1])
