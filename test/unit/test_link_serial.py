"""Serial lines: packets survive noise, the newest of a kind goes first, a device that fails is tried again."""
import asyncio
import os
import pty
import termios
import tty
from collections import Counter
from typing import Dict, List, Tuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sundog.config.model import Cluster, LanLink, NodeSpec, SerialLink, Timing
from sundog.core.frames import Ask
from sundog.link.lan import Lan
from sundog.link.serial import LARGEST, PIECE, Outbox, Receiver, SerialLine, pieces


@given(st.lists(st.binary(max_size=3 * PIECE), max_size=5), st.integers(1, 97))
def test_datagrams_come_out_as_they_went_in_however_the_bytes_are_cut(datagrams: List[bytes], step: int) -> None:
    line = b"".join(packet for number, one in enumerate(datagrams) for packet in pieces(number, one))
    receiver = Receiver()
    came = [one for at in range(0, len(line), step) for one in receiver.feed(line[at:at + step])]
    assert came == datagrams
    assert receiver.damaged == 0


@settings(deadline=None)
@given(st.binary(max_size=1500), st.binary(min_size=1, max_size=900), st.binary(min_size=1, max_size=2 * PIECE))
def test_noise_before_a_datagram_costs_at_most_that_noise(noise: bytes, more: bytes, datagram: bytes) -> None:
    receiver = Receiver()
    came = receiver.feed(noise + b"".join(pieces(1, datagram)) + more + b"".join(pieces(2, b"after")))
    assert came[-1] == b"after"
    assert datagram in came


@given(st.binary(min_size=1, max_size=PIECE), st.data())
def test_a_byte_that_was_changed_on_the_way_is_noticed(datagram: bytes, data: st.DataObject) -> None:
    line = bytearray(pieces(1, datagram)[0])
    at = data.draw(st.integers(1, len(line) - 2))
    line[at] ^= data.draw(st.integers(1, 255))
    came = Receiver().feed(bytes(line) + b"\x7e")
    assert datagram not in came and len(came) == 0


def test_a_long_datagram_with_a_lost_piece_never_comes_out() -> None:
    packets = pieces(1, os.urandom(5 * PIECE))
    receiver = Receiver()
    assert receiver.feed(b"".join(packets[:2] + packets[3:])) == []
    assert receiver.feed(b"".join(pieces(2, b"next"))) == [b"next"]


def test_the_newest_of_a_kind_goes_and_short_ones_overtake_a_long_one() -> None:
    outbox, receiver, came = Outbox(), Receiver(), []
    assert not outbox.put("LedgerIs", bytes(3 * PIECE))
    first = outbox.take()
    assert not outbox.put("Heartbeat", b"old")
    assert outbox.put("Heartbeat", b"new")
    line = first
    while True:
        packet = outbox.take()
        if not packet:
            break
        line += packet
    came = receiver.feed(line)
    assert came == [b"new", bytes(3 * PIECE)]


class End:
    """One end of a line: a SerialLine on a pseudo-terminal's own side."""

    def __init__(self, path: str) -> None:
        self.came: "asyncio.Queue[bytes]" = asyncio.Queue()
        self.told: "asyncio.Queue[str]" = asyncio.Queue()
        self.texts: List[str] = []
        self.unsent: "Counter[str]" = Counter()
        self.line = SerialLine(asyncio.get_running_loop(), "com1", path, 115200, self.came.put_nowait, lambda: None,
                               self.tell, self.unsent)

    def tell(self, code: str, severity: str, text: str) -> None:
        self.told.put_nowait(code)
        self.texts.append(text)


def terminal() -> Tuple[int, int, str]:
    """Both sides of a raw pseudo-terminal, and the name of the inner one, which stays open as a modem line does."""
    outer, inner = pty.openpty()
    tty.setraw(inner)
    os.set_blocking(outer, False)
    return outer, inner, os.ttyname(inner)


def test_a_line_carries_datagrams_over_a_terminal_and_says_once_when_it_is_not_there(tmp_path) -> None:
    async def scene() -> None:
        outer, inner, name = terminal()
        place = tmp_path / "a"
        end = End(str(place))
        end.line.open()
        try:
            assert await asyncio.wait_for(end.told.get(), 5) == "LINK-NO-DEVICE"
            assert end.texts == [f"link com1: cannot use {place}: No such file or directory; 'ls -lL {place}' shows "
                                 f"whether it is there and whose it is, 'fuser {place}' who else uses it"]
            assert not end.line.send("Ask", b"x")
            place.symlink_to(name)
            assert await asyncio.wait_for(end.told.get(), 5) == "LINK-BOUND"
            os.write(outer, b"noise" + b"".join(pieces(7, b"hello")))
            assert await asyncio.wait_for(end.came.get(), 5) == b"hello"
            assert end.line.send("Ask", b"answer")
            assert not end.line.send("Ask", bytes(LARGEST + 1))
            readable = asyncio.Event()
            asyncio.get_running_loop().add_reader(outer, readable.set)
            await asyncio.wait_for(readable.wait(), 5)
            asyncio.get_running_loop().remove_reader(outer)
            assert Receiver().feed(os.read(outer, 4096)) == [b"answer"]
            assert end.told.empty()
        finally:
            end.line.close()
            os.close(outer)
            os.close(inner)
    asyncio.run(scene())


def test_a_line_that_is_opened_again_and_again_keeps_no_descriptor() -> None:
    async def scene() -> None:
        outer, inner, name = terminal()
        end = End(name)
        before = len(os.listdir("/dev/fd"))
        try:
            for _ in range(10):
                end.line.open()
                end.line.close()
            assert len(os.listdir("/dev/fd")) == before
        finally:
            os.close(outer)
            os.close(inner)
    asyncio.run(scene())


@pytest.mark.parametrize("error", [termios.error(5, "Input/output error"), NotImplementedError("no such speed")])
@pytest.mark.parametrize("call", ["tcsetattr", "tcflush"])
def test_a_device_that_cannot_be_set_up_is_tried_again(monkeypatch, call: str, error: Exception) -> None:
    def refuse(*_: object) -> None:
        raise error

    async def scene() -> None:
        outer, inner, name = terminal()
        end = End(name)
        before = len(os.listdir("/dev/fd"))
        try:
            with monkeypatch.context() as broken:
                broken.setattr(termios, call, refuse)
                end.line.open()
                assert len(os.listdir("/dev/fd")) == before
            said = await asyncio.wait_for(end.told.get(), 5)
            assert said == "LINK-NO-DEVICE" and f": {error.args[-1]}; 'ls -lL" in end.texts[0]
            assert await asyncio.wait_for(end.told.get(), 5) == "LINK-BOUND"
            assert end.line.send("Ask", b"x")
        finally:
            end.line.close()
            os.close(outer)
            os.close(inner)
    asyncio.run(scene())


def test_a_line_that_nobody_reads_stalls_nothing_and_keeps_the_newest() -> None:
    async def scene() -> None:
        outer, inner, name = terminal()
        end = End(name)
        end.line.open()
        try:
            for number in range(500):
                end.line.send("Heartbeat", number.to_bytes(2, "big") + bytes(300))
            assert end.unsent["com1: overtaken"] > 400
            receiver, last = Receiver(), b""
            readable = asyncio.Event()
            asyncio.get_running_loop().add_reader(outer, readable.set)
            while last[:2] != (499).to_bytes(2, "big"):
                await asyncio.wait_for(readable.wait(), 5)
                readable.clear()
                last = ([last] + receiver.feed(os.read(outer, 65536)))[-1]
            asyncio.get_running_loop().remove_reader(outer)
        finally:
            end.line.close()
            os.close(outer)
            os.close(inner)
    asyncio.run(scene())


def test_two_nodes_hear_each_other_over_a_serial_line_alone(tmp_path) -> None:
    async def scene() -> None:
        ends: Dict[str, Tuple[int, int, str]] = {node: terminal() for node in ("n1", "n2")}
        loop = asyncio.get_running_loop()
        for node, other in (("n1", "n2"), ("n2", "n1")):
            def carry(source: int, sink: int) -> None:
                os.write(sink, os.read(source, 4096))
            loop.add_reader(ends[node][0], carry, ends[node][0], ends[other][0])
        # A LAN whose addresses this host does not have: only the line works.
        cluster = Cluster("shop", "", {node: NodeSpec(node, (f"192.0.2.{at}",)) for at, node in enumerate(ends, 1)},
                          {"lan": LanLink("lan", "192.0.2.0/24"),
                           "com1": SerialLink("com1", {node: end[2] for node, end in ends.items()})}, {}, Timing(1.0))
        heard: "asyncio.Queue[object]" = asyncio.Queue()
        lans = [Lan(loop, cluster, node, ("boot", 1), b"k" * 32, heard.put_nowait, lambda *_: None) for node in ends]
        try:
            for lan in lans:
                lan.open()
            while not all(lan.gate.known(other.name) for lan in lans for other in lans if lan is not other):
                await asyncio.wait_for(heard.get(), 5)
            lans[0].send("n2", Ask("n1:1", "online", "web"))
            while True:
                one = await asyncio.wait_for(heard.get(), 5)
                if one.body is not None:
                    break
            assert (one.link, one.sender, one.body) == ("com1", "n1", Ask("n1:1", "online", "web"))
        finally:
            for lan in lans:
                lan.close()
            for outer, inner, _ in ends.values():
                loop.remove_reader(outer)
                os.close(outer)
                os.close(inner)
    asyncio.run(scene())
