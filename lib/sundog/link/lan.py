"""Heartbeat paths that carry frames: UDP on each network, bound to this node's own address on it (IPv4 or IPv6), and
serial lines. What is sent goes out on every link that both ends share.

Counts what it drops, by reason: key, stale, garbage, unknown.
"""
import asyncio
import errno
import os
import socket
from collections import Counter
from typing import Any, Callable, Dict, Iterator, Optional, Set, Tuple

from sundog.config import paths
from sundog.config.model import Cluster, NodeSpec, SerialLink
from sundog.core.events import Heard
from sundog.core.frames import Body, Refused
from sundog.link.codec import FrameError, pack_body
from sundog.link.frame import NO_SESSION, Frame, cluster_id, seal, unseal
from sundog.link.gate import FIRST, GREET, NEW, Gate, Run
from sundog.link.pace import Pace
from sundog.link.serial import SerialLine

_RETRY_BIND_S = 1.0
_MOST_AT_ONCE = 64
_BUFFER = 1 << 18
#: So many datagrams are known again when their copies come over other links: what 32 nodes send in a beat, twice.
_COPIES = 256
_MOST_TOLD = 16                         # addresses, which can be forged

Deliver = Callable[..., None]           # of Heard, in order; no fewer than one
Tell = Callable[[str, str, str], None]  # code, severity, text


def _remedy(error: OSError) -> str:
    """What to look at when an address cannot be bound."""
    if error.errno == errno.EADDRINUSE:
        return "'netstat -an' shows that port in use: end what uses it, or give the link another port"
    return "'ipadm show-addr' lists the addresses of this host and whether they are up"


class Lan:
    """All links of this node that carry frames.

    `deliver` gets every authentic frame as an event, all that one look at a socket finds at once; `tell` gets journal
    lines.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, cluster: Cluster, name: str, boot: Tuple[str, int], key: bytes,
                 deliver: Deliver, tell: Tell) -> None:
        self.loop, self.cluster, self.name, self.key = loop, cluster, name, key
        self.boot_id, self.incarnation = boot
        self.deliver, self.tell = deliver, tell
        self.id = cluster_id(cluster.name)
        self.gate = Gate(os.urandom(8))
        self.received = 0
        self.sent = 0
        self.dropped: Counter[str] = Counter()
        self.unsent: Counter[str] = Counter()
        self._seq = 0
        self._sockets: Dict[str, socket.socket] = {}
        self._retries: Dict[str, asyncio.TimerHandle] = {}
        self._told: Dict[str, str] = {}
        self._pace = Pace(cluster.timing.beat_s)
        self._polling: Optional[asyncio.TimerHandle] = None
        self._without_key: Set[str] = set()             # addresses that were told of
        self._copies: Dict[bytes, Frame] = {}           # authentic datagrams that came lately
        self._lines = {link.name: self._line(link, link.devices[name]) for link in cluster.links.values()
                       if isinstance(link, SerialLink) and name in link.devices}
        self._peers = {peer: dict(self._paths(spec)) for peer, spec in cluster.nodes.items() if peer != name}

    def _line(self, link: SerialLink, device: str) -> SerialLine:
        def deliver(datagram: bytes) -> None:
            self._deliver(self._receive(link.name, device, datagram))
        return SerialLine(self.loop, link.name, device, link.speed, deliver, lambda: self.greet(link.name), self.tell,
                          self.unsent)

    def _paths(self, peer: NodeSpec) -> Iterator[Tuple[str, Any]]:
        """Each link to `peer`, and where to send on it: an address, or the device of a line."""
        seats = paths.seats(self.cluster, peer.name)
        for name in paths.shared(self.cluster, self.name, peer.name):
            link = self.cluster.links[name]
            yield name, link.devices[self.name] if isinstance(link, SerialLink) else seats[name]

    @property
    def damaged(self) -> int:
        """Packets of serial lines that noise has hit."""
        return sum(line.receiver.damaged for line in self._lines.values())

    def links(self, peer: str) -> Tuple[str, ...]:
        """The links that this node shares with `peer`."""
        return tuple(self._peers.get(peer, ()))

    def open(self) -> None:
        """Bind every link's socket and greet all peers; an address that is not there yet is tried again each second."""
        for name, seat in paths.seats(self.cluster, self.name).items():
            self._bind(name, seat)
        for line in self._lines.values():
            line.open()

    def close(self) -> None:
        for retry in self._retries.values():
            retry.cancel()
        if self._polling is not None:
            self._polling.cancel()
        for link in list(self._sockets):
            self._unbind(link)
        for line in self._lines.values():
            line.close()

    def _bind(self, link: str, seat: Tuple[str, int]) -> None:
        self._retries.pop(link, None)
        address, port = seat
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_DGRAM)
        sock.setblocking(False)
        try:
            sock.bind(seat)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        except OSError as error:
            sock.close()
            self._say_once(link, f"link {link}: cannot use {address} port {port}: {error.strerror}; {_remedy(error)}")
            self._retries[link] = self.loop.call_later(_RETRY_BIND_S, self._bind, link, seat)
            return
        if self._told.pop(link, None):
            self.tell("LINK-BOUND", "notice", f"link {link}: {address} is there now")
        self._sockets[link] = sock
        if not self._pace.polls:
            self._listen(link, sock)
        self.greet(link)

    def _say_once(self, link: str, text: str) -> None:
        if self._told.get(link) != text:
            self._told[link] = text
            self.tell("LINK-NO-ADDRESS", "error", text)

    def _unbind(self, link: str) -> None:
        sock = self._sockets.pop(link)
        self.loop.remove_reader(sock.fileno())
        sock.close()

    # ---- receiving

    def _listen(self, link: str, sock: socket.socket) -> None:
        self.loop.add_reader(sock.fileno(), self._readable, link, sock)

    def _readable(self, link: str, sock: socket.socket) -> None:
        if self._pace.woken(self.loop.time()):
            for one in self._sockets.values():
                self.loop.remove_reader(one.fileno())
            self._polling = self.loop.call_later(self._pace.pause_s, self._poll)
        self._drain(link, sock)

    def _poll(self) -> None:
        before = self.received
        for link, sock in tuple(self._sockets.items()):
            self._drain(link, sock)
        if self._pace.polled(self.received - before):
            self._polling = self.loop.call_later(self._pace.pause_s, self._poll)
        else:
            for link, sock in self._sockets.items():
                self._listen(link, sock)

    def _drain(self, link: str, sock: socket.socket) -> None:
        found = []
        for _ in range(_MOST_AT_ONCE):
            try:
                datagram, source = sock.recvfrom(65536)
            except (BlockingIOError, InterruptedError):
                break
            except OSError as error:
                # An ICMP answer to something sent before; the socket itself is well.
                self.unsent[error.strerror or "unknown"] += 1
                continue
            found.append(self._receive(link, source, datagram))
        self._deliver(*found)

    def _deliver(self, *found: Optional[Heard]) -> None:
        events = [event for event in found if event is not None]
        if events:
            self.deliver(*events)

    def _receive(self, link: str, source: Any, datagram: bytes) -> Optional[Heard]:
        self.received += 1
        try:
            frame = self._unseal(datagram)
            if frame.sender not in self._peers:
                raise FrameError("unknown", f"{frame.sender} is no other node of this cluster")
            verdict = self.gate.admit(self.loop.time(), link, source, frame)
            body = frame.body if verdict in (NEW, FIRST) else None
        except FrameError as error:
            self.dropped[error.reason] += 1
            if error.reason == "key":
                self._say_key(link, source)
            return None
        if verdict in (GREET, FIRST):
            self._hello(link, source, frame.session)
        if verdict == GREET:
            return None
        return Heard(link, frame.sender, frame.boot_id, frame.incarnation, body)

    def _say_key(self, link: str, source: Any) -> None:
        """Once of each address: whoever names our cluster and has not its key is a mistake, or worse."""
        address = source[0] if isinstance(source, tuple) else source
        if address not in self._without_key and len(self._without_key) < _MOST_TOLD:
            self._without_key.add(address)
            self.tell("WRONG-KEY", "warning", f"link {link}: {address} sends frames of cluster {self.cluster.name} "
                      "with another key: give both hosts one key file, or the other cluster another name")

    def _unseal(self, datagram: bytes) -> Frame:
        """The frame in it. The same bytes over another link are as authentic as they were over the first."""
        frame = self._copies.pop(datagram, None)
        if frame is None:
            frame = self._copies[datagram] = unseal(datagram, self.id, self.key)
            if len(self._copies) > _COPIES:
                del self._copies[next(iter(self._copies))]
        return frame

    # ---- sending

    def send(self, to: str, body: Body) -> None:
        """Send to every live run of `to` over every shared link; a node not heard yet gets a hello.

        Raises FrameTooLarge.
        """
        if to not in self._peers:
            return
        # A refusal is for one boot: the rightful bearer of the name must not get it.
        runs = self.gate.known(to, (body.boot_id or None) if isinstance(body, Refused) else None)
        if not runs:
            for link in self._peers[to]:
                self.greet(link, to)
            return
        packed = pack_body(body)
        for run in runs:
            self._send_run(to, run, packed, type(body).__name__)

    def _send_run(self, to: str, run: Run, packed: bytes, kind: str) -> None:
        datagram = seal(self._frame(run.session, packed), self.id, self.key)
        for link, configured in self._peers[to].items():
            self._put(link, run.sources.get(link, configured), datagram, kind)

    def hail(self, to: str) -> None:
        """A frame without a body to every live run of `to`, so that each link is known to work; else a hello."""
        for run in self.gate.known(to) if to in self._peers else ():
            self._send_run(to, run, b"", "hail")
        if to in self._peers and not self.gate.known(to):
            for link in self._peers[to]:
                self.greet(link, to)

    def greet(self, link: str, to: Optional[str] = None) -> None:
        """A hello over one link, to one peer or all: the answer brings the peer's session."""
        for peer, ways in self._peers.items():
            if link in ways and to in (None, peer):
                self._hello(link, ways[link], NO_SESSION)

    def _hello(self, link: str, address: Any, echo: bytes) -> None:
        self._put(link, address, seal(self._frame(echo, b""), self.id, self.key))

    def _frame(self, echo: bytes, packed: bytes) -> Frame:
        self._seq += 1
        return Frame(self.name, self.boot_id, self.incarnation, self.gate.session, echo, self._seq, packed)

    def _put(self, link: str, address: Any, datagram: bytes, kind: str = "") -> None:
        if link in self._lines:
            self.sent += self._lines[link].send(kind, datagram)
            return
        sock = self._sockets.get(link)
        if sock is None:
            return
        try:
            sock.sendto(datagram, address)
            self.sent += 1
        except OSError as error:
            # A datagram may always be lost: silence is judged by the receiver, the reason is kept for status.
            self.unsent[f"{link}: {error.strerror}"] += 1
