"""The ping arbiter's eyes (rule 9): ICMP echo to its targets each beat, and to floating addresses while it is needed.

One raw socket for each family (icmp(4P), icmp6(4P); RFC 792, RFC 4443), read on the loop; no process. Instants are
seconds of the loop's clock. What is kept is bounded: a few rounds, and one instant for each address.
"""
import asyncio
import ipaddress
import os
import socket
import struct
from typing import Any, Callable, Dict, Iterable, List, Mapping, Optional, Set, Tuple

from sundog.config.model import Cluster
from sundog.core.events import Arbitrated

_ROUNDS = 8                             # whose answers still count
_ANSWERED_BEATS = 5                     # an address that answered so lately answers
_MOST_AT_ONCE = 64
_HEAD = struct.Struct(">BBHHH")         # type, code, checksum, identifier, sequence
_NONCE = 8
#: family -> protocol, type of the request, type of the reply
_FAMILIES = {socket.AF_INET: (socket.IPPROTO_ICMP, 8, 0), socket.AF_INET6: (socket.IPPROTO_ICMPV6, 128, 129)}

Tell = Callable[[str, str, str], None]  # code, severity, text


def checksum(raw: bytes) -> int:
    """The Internet checksum (RFC 1071) of what has its own field zero."""
    words = struct.unpack(f">{(len(raw) + 1) // 2}H", raw + b"\0" * (len(raw) % 2))
    total = sum(words)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return int(~total & 0xFFFF)


def echo(kind: int, identifier: int, sequence: int, nonce: bytes) -> bytes:
    """An echo message. The kernel replaces the checksum of ICMPv6, which is over more than this."""
    raw = _HEAD.pack(kind, 0, 0, identifier, sequence) + nonce
    return _HEAD.pack(kind, 0, checksum(raw), identifier, sequence) + nonce


def reply_in(family: int, packet: bytes) -> Optional[Tuple[int, int, bytes]]:
    """(identifier, sequence, nonce) of the echo reply that a raw socket has read; None: it is something else.

    IPv4 comes with its header, of a length that it says itself; IPv6 without (RFC 3542).
    """
    if family == socket.AF_INET:
        packet = packet[(packet[0] & 0x0F) * 4:] if packet else b""
    if len(packet) < _HEAD.size + _NONCE or packet[0] != _FAMILIES[socket.AddressFamily(family)][2]:
        return None
    _, _, _, identifier, sequence = _HEAD.unpack_from(packet)
    return identifier, sequence, packet[_HEAD.size:_HEAD.size + _NONCE]


def addresses_of(cluster: Cluster) -> Dict[str, str]:
    """Floating address -> its group."""
    return {str(resource.params.address).split("/")[0]: group.name for group in cluster.groups.values()
            for resource in group.resources if resource.type == "floating-ip"}


class Pinger:
    """`silent` says whether the other node is; `here` which groups are active on this one."""

    def __init__(self, loop: asyncio.AbstractEventLoop, cluster: Cluster, happen: Callable[[Arbitrated], None],
                 tell: Tell, silent: Callable[[], bool], here: Callable[[], Iterable[str]]) -> None:
        self.loop, self.happen, self.tell, self._silent, self._here = loop, happen, tell, silent, here
        self.answered: Dict[str, float] = {}            # address -> when it last did
        self.reached_at: Optional[float] = None         # the newest round that reached enough targets
        self._sockets: Dict[int, socket.socket] = {}
        self._identifier, self._nonce = struct.unpack(">H", os.urandom(2))[0], os.urandom(_NONCE)
        self._sequence = 0
        self._rounds: Dict[int, Tuple[float, Set[str]]] = {}    # sequence -> begun at, targets that answered
        self._timer: Optional[asyncio.TimerHandle] = None
        self._since = loop.time()
        self._lost = False
        self._trouble = ""
        self.cluster = cluster
        self._addresses = addresses_of(cluster)

    def configured(self, cluster: Cluster) -> None:
        """Another configuration. Without targets the old ones are asked on: the ledger may still count their vote."""
        if cluster.arbiter is None and self.cluster.arbiter is not None:
            return
        self.cluster, self._addresses = cluster, addresses_of(cluster)
        if self._timer is None:
            self.start()

    def start(self) -> None:
        if self.cluster.arbiter is not None:
            self._since = self.loop.time()
            self._beat()

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        for sock in self._sockets.values():
            self.loop.remove_reader(sock.fileno())
            sock.close()
        self._sockets.clear()

    # ---- sending

    def _beat(self) -> None:
        self._timer = self.loop.call_later(self.cluster.timing.beat_s, self._beat)
        assert self.cluster.arbiter is not None
        self._sequence = (self._sequence + 1) & 0xFFFF
        self._rounds[self._sequence] = (self.loop.time(), set())
        if len(self._rounds) > _ROUNDS:
            del self._rounds[next(iter(self._rounds))]
        probed: List[str] = []
        if self._silent():
            here = set(self._here())
            probed = [address for address, group in self._addresses.items() if group not in here]
        for address in (*self.cluster.arbiter.targets, *probed):
            self._send(address)
        self._watch()

    def _send(self, address: str) -> None:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        sock = self._sockets.get(family) or self._open(family)
        if sock is not None:
            try:
                sock.sendto(echo(_FAMILIES[family][1], self._identifier, self._sequence, self._nonce), (address, 0))
            except OSError:
                return                  # no route, or the interface is down: as good as no answer

    def _open(self, family: socket.AddressFamily) -> Optional[socket.socket]:
        try:
            sock = socket.socket(family, socket.SOCK_RAW, _FAMILIES[family][0])
        except OSError as error:
            if str(error) != self._trouble:
                self._trouble = str(error)
                self.tell("ARBITER-NO-SOCKET", "error", f"the arbiter's targets cannot be pinged: {error.strerror}")
            return None
        sock.setblocking(False)
        self._sockets[family] = sock
        self.loop.add_reader(sock.fileno(), self._readable, family, sock)
        return sock

    def _watch(self) -> None:
        """Say when the targets are lost, and when they are back."""
        reached = self._since if self.reached_at is None else self.reached_at
        lost = self.loop.time() - reached > self.cluster.timing.timeout_s
        if lost != self._lost:
            self._lost = lost
            if lost:
                self.tell("TARGETS-LOST", "warning", f"too few of the arbiter's targets answer ({self.line()}): if the "
                          "other node is lost now, this one resets itself")
            else:
                self.tell("TARGETS-REACHED", "notice", f"the arbiter's targets answer again: {self.line()}")

    # ---- receiving

    def _readable(self, family: int, sock: socket.socket) -> None:
        for _ in range(_MOST_AT_ONCE):
            try:
                packet, source = sock.recvfrom(2048)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                return                  # an ICMP error came back for what was sent
            found = reply_in(family, packet)
            if found is not None and found[0] == self._identifier and found[2] == self._nonce:
                self._replied(str(ipaddress.ip_address(source[0].split("%")[0])), found[1])

    def _replied(self, address: str, sequence: int) -> None:
        arbiter, one = self.cluster.arbiter, self._rounds.get(sequence)
        if arbiter is None or one is None:
            return
        began_at, answered = one
        self.answered[address] = self.loop.time()
        targets = {str(ipaddress.ip_address(target)) for target in arbiter.targets}
        if address not in targets or address in answered:
            return
        answered.add(address)
        if len(answered) == arbiter.threshold:
            self.reached_at = began_at
            self.happen(Arbitrated(began_at, self.answering()))

    # ---- what is known

    def answering(self) -> Mapping[str, str]:
        """Group that is not active here -> its address, which answered lately."""
        here, since = set(self._here()), self.loop.time() - _ANSWERED_BEATS * self.cluster.timing.beat_s
        return {group: address for address, group in self._addresses.items()
                if group not in here and self.answered.get(str(ipaddress.ip_address(address)), float("-inf")) >= since}

    def line(self) -> str:
        return ", ".join(f"{target} {'answers' if state['answers'] else 'is silent'}"
                         for target, state in self.state()["targets"].items())

    def state(self) -> Dict[str, Any]:
        """For status and JSON. Ages are seconds; null: never."""
        now, arbiter, timeout_s = self.loop.time(), self.cluster.arbiter, self.cluster.timing.timeout_s
        if arbiter is None:
            return {}
        ages = {target: None if at is None else round(now - at, 3) for target, at in
                ((one, self.answered.get(str(ipaddress.ip_address(one)))) for one in arbiter.targets)}
        return {"threshold": arbiter.threshold, "reached": not self._lost and self.reached_at is not None,
                "targets": {target: {"answers": age is not None and age <= timeout_s, "answered_s": age}
                            for target, age in ages.items()}}
