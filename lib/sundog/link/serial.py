"""A serial line between two nodes as heartbeat path: 8N1 over pyserial, packets that survive noise.

A datagram travels in pieces of at most 400 bytes. A piece is: message number, index, count, bytes, CRC-32 of all that;
0x7E before and after it, 0x7E and 0x7D inside it as 0x7D and the byte xor 0x20 (byte stuffing of RFC 1662, section
4.2). What is damaged is dropped, and the next 0x7E begins anew; whether a datagram is authentic is known further up.
The line is slow: of datagrams that wait only the newest of a kind is sent, short ones before the rest of a long one.
"""
import asyncio
import os
import struct
import termios
import zlib
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Optional

from sundog.errors import ConfigProblem

if TYPE_CHECKING:
    import serial

PIECE = 400
#: The largest datagram that a line carries: some seconds of it.
LARGEST = 32_000
_FLAG, _ESCAPE, _FLIP = 0x7E, 0x7D, 0x20
_HEAD = struct.Struct(">HBB")           # message number, index, count
_CRC = struct.Struct(">I")
_LONGEST_PACKET = 2 * (_HEAD.size + PIECE + _CRC.size)
_AGAIN_S = 1.0
_MOST_PARTIAL = 4
#: What pyserial opens beside the device, by its attributes.
_PIPES = ("pipe_abort_read_r", "pipe_abort_read_w", "pipe_abort_write_r", "pipe_abort_write_w")

Tell = Callable[[str, str, str], None]  # code, severity, text


class NoPyserial(ConfigProblem):
    """A serial link is configured and pyserial is not installed."""


def stuffed(packet: bytes) -> bytes:
    """The packet as it goes over the line, between its flags."""
    text = packet.replace(b"\x7d", b"\x7d\x5d").replace(b"\x7e", b"\x7d\x5e")
    return b"\x7e" + text + b"\x7e"


def plain(packet: bytes) -> Optional[bytes]:
    """The packet that came between two flags; None when it ends in the middle of an escape."""
    out = bytearray()
    escaped = False
    for byte in packet:
        if escaped:
            out.append(byte ^ _FLIP)
            escaped = False
        elif byte == _ESCAPE:
            escaped = True
        else:
            out.append(byte)
    return None if escaped else bytes(out)


def pieces(number: int, datagram: bytes) -> List[bytes]:
    """The datagram as stuffed packets, in order."""
    cut = [datagram[at:at + PIECE] for at in range(0, len(datagram), PIECE)] or [b""]
    packets = []
    for index, part in enumerate(cut):
        text = _HEAD.pack(number & 0xFFFF, index, len(cut)) + part
        packets.append(stuffed(text + _CRC.pack(zlib.crc32(text))))
    return packets


@dataclass
class Partial:
    count: int
    parts: Dict[int, bytes] = field(default_factory=dict)


class Receiver:
    """Bytes in, datagrams out. `damaged`: packets that were dropped."""

    def __init__(self) -> None:
        self.damaged = 0
        self._rest = bytearray()
        self._partial: Dict[int, Partial] = {}

    def begin(self) -> None:
        """The line was opened anew: what came before is no beginning of what comes now."""
        self._rest.clear()
        self._partial.clear()

    def feed(self, data: bytes) -> List[bytes]:
        """The datagrams that are whole now."""
        whole = []
        self._rest += data
        *packets, self._rest = self._rest.split(b"\x7e")
        if len(self._rest) > _LONGEST_PACKET:
            self._rest.clear()          # noise without an end: what comes before the next flag is not read
            self.damaged += 1
        for packet in packets:
            if packet:
                datagram = self._packet(bytes(packet))
                if datagram is not None:
                    whole.append(datagram)
        return whole

    def _packet(self, packet: bytes) -> Optional[bytes]:
        text = plain(packet) if len(packet) <= _LONGEST_PACKET else None
        if text is None or len(text) < _HEAD.size + _CRC.size \
                or _CRC.unpack(text[-_CRC.size:])[0] != zlib.crc32(text[:-_CRC.size]):
            self.damaged += 1
            return None
        number, index, count = _HEAD.unpack_from(text)
        part = text[_HEAD.size:-_CRC.size]
        if count == 1:
            return part
        partial = self._partial.get(number)
        if partial is None or partial.count != count:
            partial = self._partial[number] = Partial(count)
            if len(self._partial) > _MOST_PARTIAL:
                del self._partial[next(iter(self._partial))]
        partial.parts[index] = part
        if len(partial.parts) < count or index >= count:
            return None
        del self._partial[number]
        return b"".join(partial.parts[at] for at in range(count)) if set(partial.parts) == set(range(count)) else None


class Outbox:
    """What waits for the line: the newest datagram of each kind, short ones first, then the pieces of a long one."""

    def __init__(self) -> None:
        self._waiting: Dict[str, bytes] = {}
        self._long: List[bytes] = []                    # the pieces that are left of the long one under way
        self._number = 0

    def put(self, kind: str, datagram: bytes) -> bool:
        """Take a datagram; says whether it replaces one that has not been sent."""
        late = self._waiting.pop(kind, None) is not None
        self._waiting[kind] = datagram
        return late

    def take(self) -> bytes:
        """What is to be written next; empty when nothing waits."""
        kind = next((one for one, datagram in self._waiting.items() if len(datagram) <= PIECE), None)
        if kind is None and self._long:
            return self._long.pop(0)
        if kind is None and self._waiting:
            kind = next(iter(self._waiting))
        if kind is None:
            return b""
        self._number += 1
        first, *rest = pieces(self._number, self._waiting.pop(kind))
        self._long = rest or self._long
        return first

    def clear(self) -> None:
        self._waiting.clear()
        self._long.clear()


class SerialLine:
    """This node's end of a line.

    `deliver` gets datagrams, `opened` is called whenever the device is there, `tell` gets journal lines; what could not
    be sent is counted in `unsent`.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, name: str, device: str, speed: int,
                 deliver: Callable[[bytes], None], opened: Callable[[], None], tell: Tell,
                 unsent: "Counter[str]") -> None:
        self.loop, self.name, self.device, self.speed = loop, name, device, speed
        self.deliver, self.opened, self.tell, self.unsent = deliver, opened, tell, unsent
        self.receiver = Receiver()
        self._port: "Optional[serial.Serial]" = None
        self._outbox = Outbox()
        self._writing = b""
        self._retry: Optional[asyncio.TimerHandle] = None
        self._trouble = ""

    def open(self) -> None:
        """Open the device; one that is not there or fails is tried again each second."""
        self._retry = None
        serial = _pyserial()
        try:
            self._port = serial.Serial(self.device, self.speed, timeout=0, write_timeout=0, exclusive=True)
        except (OSError, ValueError, NotImplementedError, termios.error) as error:
            # SerialException is an OSError, and may have a number; termios.error is none, and has number and text.
            known = isinstance(error, OSError) and error.errno
            self._failed(os.strerror(known) if known else str(error.args[-1] if error.args else error))
            return
        if self._trouble:
            self._trouble = ""
            self.tell("LINK-BOUND", "notice", f"link {self.name}: {self.device} is there now")
        self.receiver.begin()
        self.loop.add_reader(self._port.fileno(), self._readable)
        self.opened()

    def close(self) -> None:
        if self._retry is not None:
            self._retry.cancel()
        self._shut()

    def _shut(self) -> None:
        port, self._port = self._port, None
        if port is None:
            return
        fd = port.fileno()
        self.loop.remove_reader(fd)
        self.loop.remove_writer(fd)
        # Not port.close(): it waits until the line has taken what is written, which a pulled cable never does.
        port.fd, port.is_open = None, False
        os.close(fd)
        for pipe in _PIPES:
            os.close(getattr(port, pipe))
        self._outbox.clear()
        self._writing = b""

    def _failed(self, why: str) -> None:
        self._shut()
        if why != self._trouble:
            self._trouble = why
            self.tell("LINK-NO-DEVICE", "error",
                      f"link {self.name}: cannot use {self.device}: {why}; 'ls -lL {self.device}' shows whether it is "
                      f"there and whose it is, 'fuser {self.device}' who else uses it")
        self._retry = self.loop.call_later(_AGAIN_S, self.open)

    def send(self, kind: str, datagram: bytes) -> bool:
        """Put it on its way, instead of an older one of its kind; says whether the line can carry it."""
        if self._port is None:
            return False
        if len(datagram) > LARGEST:
            self.unsent[f"{self.name}: too long for a serial line"] += 1
            return False
        if self._outbox.put(kind, datagram):
            self.unsent[f"{self.name}: overtaken"] += 1
        if not self._writing:
            self._writable()
        return True

    def _writable(self) -> None:
        port = self._port
        if port is None:
            return
        while True:
            self._writing = self._writing or self._outbox.take()
            if not self._writing:
                self.loop.remove_writer(port.fileno())
                return
            try:
                self._writing = self._writing[os.write(port.fileno(), self._writing):]
            except BlockingIOError:
                self.loop.add_writer(port.fileno(), self._writable)
                return
            except OSError as error:
                self._failed(error.strerror or "unknown")
                return

    def _readable(self) -> None:
        assert self._port is not None
        try:
            data = os.read(self._port.fileno(), 4096)
        except BlockingIOError:
            return
        except OSError as error:
            self._failed(error.strerror or "unknown")
            return
        if not data:
            self._failed("it has been hung up")
            return
        for datagram in self.receiver.feed(data):
            self.deliver(datagram)


def _pyserial() -> Any:
    try:
        import serial
    except ImportError:
        raise NoPyserial("a serial link is configured, and pyserial is not installed",
                         "pip install pyserial, or take the link out of the configuration") from None
    return serial
