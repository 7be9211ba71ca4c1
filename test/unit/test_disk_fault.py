"""A disk's faults: how they are written, and what waits when one takes the place of another."""
import math
import struct
from pathlib import Path

import pytest

from sunlab.disks import server, wire
from sunlab.disks.fault import fault_of


@pytest.mark.parametrize(("text", "delay_s", "fails"), [
    ("ok", 0.0, False), ("fail", 0.0, True), ("hang", math.inf, False), ("slow 250", 0.25, False)])
def test_a_fault_is_read(text: str, delay_s: float, fails: bool) -> None:
    fault = fault_of(text)
    assert (fault.delay_s, fault.fails, fault.hangs) == (delay_s, fails, text == "hang")


@pytest.mark.parametrize("text", ["", "slow", "slow 0", "slow -1", "slow 1 2", "hang 3", "burn"])
def test_what_is_no_fault_is_told(text: str) -> None:
    with pytest.raises(ValueError, match="say slow MILLISECONDS, hang, fail or ok"):
        fault_of(text)


class Asked:
    """In the kernel's place: requests to the driver, and its answers."""

    def __init__(self, folder: Path) -> None:
        image = folder / "image"
        image.write_bytes(b"0123" * 1024)
        self.disk = server.Disk(str(image))
        self.server = server.Server.__new__(server.Server)
        self.server.disks, self.server.waiting = {"c0t1d0s0": self.disk}, []
        self.said: "list[tuple[int, bytes, int]]" = []

    def answer(self, request: wire.Request, body: bytes = b"", error: int = 0) -> None:
        self.said.append((request.unique, body, error))

    def read(self, unique: int, offset: int, size: int) -> None:
        body = wire.IO.pack(0, offset, size, 0, 0, 0, 0)
        packet = wire.HEADER.pack(wire.HEADER.size + len(body), wire.READ, unique, 1, 0, 0, 0, 0, 0) + body
        self.server.do(self.disk, self, wire.Request(packet))       # type: ignore[arg-type]


@pytest.fixture
def asked(tmp_path: Path) -> Asked:
    return Asked(tmp_path)


def test_a_disk_that_is_well_answers_at_once(asked: Asked) -> None:
    asked.read(7, 2, 4)
    assert asked.said == [(7, b"2301", 0)]


def test_what_hangs_is_answered_when_the_disk_is_healed(asked: Asked) -> None:
    asked.server.order(["fault", "c0t1d0s0", "hang"], [])
    asked.read(7, 0, 4)
    asked.server.carry_out_due()
    assert asked.said == []
    assert asked.server.order(["fault", "c0t1d0s0", "ok"], []) == ""
    asked.server.carry_out_due()
    assert asked.said == [(7, b"0123", 0)]


def test_what_hangs_fails_when_the_disk_fails(asked: Asked) -> None:
    asked.server.order(["fault", "c0t1d0s0", "hang"], [])
    asked.read(7, 0, 4)
    asked.server.order(["fault", "c0t1d0s0", "fail"], [])
    asked.server.carry_out_due()
    assert asked.said == [(7, b"", 5)]


def test_an_order_that_cannot_be_carried_out_is_answered(asked: Asked) -> None:
    assert asked.server.order(["fault", "c9t9d9s9", "ok"], []) == "this node has no disk 'c9t9d9s9'"
    assert "is no fault of a disk" in asked.server.order(["fault", "c0t1d0s0", "purple"], [])
    assert "is no fault of a disk" in asked.server.order(["fault", "c0t1d0s0"], [])


def test_the_kernel_is_told_no_more_than_it_offered() -> None:
    sent: "list[bytes]" = []

    class Kernel(wire.Mount):
        def answer(self, request: wire.Request, body: bytes = b"", error: int = 0) -> None:
            sent.append(body)

    body = struct.pack("<IIII", 7, 40, 65536, wire.BIG_WRITES)
    Kernel(-1).agree(wire.Request(wire.HEADER.pack(56, wire.INIT, 1, 0, 0, 0, 0, 0, 0) + body), server.FLAGS)
    assert struct.unpack_from("<IIII", sent[0]) == (7, wire.MINOR, 65536, wire.BIG_WRITES)
