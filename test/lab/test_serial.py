"""Serial lines between nodes: bytes go through whole, nothing is kept for a host that is off, cables can be pulled."""
import fcntl
import os
import sys
import termios
from typing import Iterator

import pytest

from lab.two_hosts import plan, until
from sunlab.lab import Lab, LabError

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("serial")]
#: Writes what stands on the command line, as bytes, to the port.
SEND = "import os,sys; os.write(os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY), bytes.fromhex(sys.argv[2]))"
#: Says `listening`, then prints what comes until there are as many bytes as wanted.
HEAR = """
import os, sys
port, wanted, heard = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY), int(sys.argv[2]), b""
print("listening", flush=True)
while len(heard) < wanted:
    heard += os.read(port, 4096)
print(heard.hex(), flush=True)
"""
ALL = bytes(range(256)).hex()


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab.up({**plan("ser"), "serial": [{"n1": "a", "n2": "b"}, {"n1": "c", "n2": "c"}]}) as made:
        for node in made.spec.nodes:
            made.wait_booted(node)
        yield made


def send(lab: Lab, node: str, port: str, text: str) -> None:
    lab.exec(node, ["/usr/bin/python3", "-IS", "-c", SEND, port, text])


class Listener:
    def __init__(self, lab: Lab, node: str, port: str, wanted: int) -> None:
        self.process = lab.popen(node, ["/usr/bin/python3", "-IS", "-c", HEAR, port, str(wanted)], stdout=-1)
        assert self.process.stdout is not None and self.process.stdout.readline() == b"listening\n"

    def heard(self) -> str:
        out, _ = self.process.communicate(timeout=30)
        return out.decode().strip()


@pytest.mark.parametrize(("sender", "its", "receiver", "other"), [
    ("n1", "/dev/term/a", "n2", "/dev/cua/b"), ("n2", "/dev/term/b", "n1", "/dev/term/a")])
def test_every_byte_goes_through_unchanged(lab: Lab, sender: str, its: str, receiver: str, other: str) -> None:
    listener = Listener(lab, receiver, other, 256)
    send(lab, sender, its, ALL)
    assert listener.heard() == ALL


def test_a_pulled_cable_loses_what_is_sent(lab: Lab) -> None:
    listener = Listener(lab, "n2", "/dev/term/b", 2)
    lab.unplug("n1", "term/a")
    send(lab, "n1", "/dev/term/a", "aaaa")
    pass_by(lab)
    lab.plug("n1", "term/a")
    send(lab, "n1", "/dev/term/a", "0102")
    assert listener.heard() == "0102"


def pass_by(lab: Lab) -> None:
    """What was sent before on any line has been carried: one daemon has them all, and this byte comes after it."""
    listener = Listener(lab, "n2", "/dev/term/c", 1)
    send(lab, "n1", "/dev/term/c", "ff")
    assert listener.heard() == "ff"


def arrived(lab: Lab, end: str) -> int:
    """Bytes in the receiver of a line's end."""
    port = os.open(os.readlink(lab.places.top / "serial" / end), os.O_RDWR | os.O_NOCTTY)
    try:
        return int.from_bytes(fcntl.ioctl(port, termios.FIONREAD, bytes(4)), sys.byteorder)
    finally:
        os.close(port)


def test_nothing_is_kept_for_a_host_that_is_off(lab: Lab) -> None:
    lab.kill("n2")
    send(lab, "n1", "/dev/term/a", "dead")
    until(lambda: arrived(lab, "n2.b") == 2, "the bytes at the dead host's end")
    lab.boot("n2")
    lab.wait_booted("n2")
    listener = Listener(lab, "n2", "/dev/term/b", 1)
    send(lab, "n1", "/dev/term/a", "07")
    assert listener.heard() == "07"


def test_a_port_that_is_not_there_is_said(lab: Lab) -> None:
    with pytest.raises(LabError, match="node n1 has no interface 'term/b'; it has net0, net1, term/a, term/c"):
        lab.unplug("n1", "term/b")
