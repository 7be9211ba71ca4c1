"""Two ends of a TCP connection prove to each other that they have a cluster's key, and seal what follows with it.

Node -> witness: the hello (magic, version, cluster, 32 fresh bytes). Witness -> node: 32 fresh bytes and its proof over
both. Node -> witness: its proof over all of that and its name. Then each direction has a key of its own, and every
message the HMAC-SHA256 over its number and text: nothing of another connection, direction or place counts. This is
mutual challenge and response as in ISO/IEC 9798-4, three passes. No I/O here.

Every message after the hello has its length in front. The first byte of a message says what it is: PROOF, REFUSAL
(with a text for the other side's operator; before the proofs nothing more rests on it than a line in a log) or SEALED.
"""
import hmac
import os
import struct
from typing import Tuple

from sundog.errors import SundogError
from sundog.link.frame import cluster_id

PORT = 3122
LARGEST = 4 << 20                       # a message: a block of every node
LARGEST_UNPROVEN = 1024
HELLO = struct.Struct(">7sB8s32s")
LENGTH = struct.Struct(">I")
PROOF, REFUSAL, SEALED = b"P", b"R", b"S"
MAGIC, VERSION = b"SUNDOGW", 1
_FRESH = 32
_MAC = 32


class NotProven(SundogError):
    """The other side has not shown that it has the key, or what came was changed on its way."""


def hello(cluster: str) -> bytes:
    return HELLO.pack(MAGIC, VERSION, cluster_id(cluster), os.urandom(_FRESH))


def heard(raw: bytes) -> Tuple[int, bytes]:
    """(version, cluster id) of a hello. Raises NotProven."""
    magic, version, cluster, _ = HELLO.unpack(raw)
    if magic != MAGIC:
        raise NotProven("no node of a Sundog cluster")
    return version, cluster


def challenge(key: bytes, said: bytes) -> bytes:
    """The witness's answer to the hello `said`."""
    fresh = os.urandom(_FRESH)
    return PROOF + fresh + hmac.digest(key, b"witness" + said + fresh, "sha256")


def answer(key: bytes, said: bytes, challenged: bytes, name: str) -> bytes:
    """The node's answer to the witness's challenge. Raises NotProven when the witness has another key."""
    fresh, proof = challenged[1:1 + _FRESH], challenged[1 + _FRESH:]
    if challenged[:1] != PROOF or not hmac.compare_digest(hmac.digest(key, b"witness" + said + fresh, "sha256"), proof):
        raise NotProven("the witness has another key for this cluster")
    return PROOF + hmac.digest(key, b"node" + said + fresh + name.encode(), "sha256") + name.encode()


def prover(key: bytes, said: bytes, challenged: bytes, answered: bytes) -> str:
    """The name of the node that gave this answer. Raises NotProven."""
    fresh, proof, name = challenged[1:1 + _FRESH], answered[1:1 + _MAC], answered[1 + _MAC:]
    wanted = hmac.digest(key, b"node" + said + fresh + name, "sha256")
    if answered[:1] != PROOF or not hmac.compare_digest(wanted, proof):
        raise NotProven("the node has another key for this cluster")
    return name.decode("ascii", "replace")


class Seal:
    """One direction of one connection: `seal` at its beginning, `open` at its end, message by message."""

    def __init__(self, key: bytes, direction: bytes, said: bytes, challenged: bytes, name: str) -> None:
        self._key = hmac.digest(key, direction + said + challenged + name.encode(), "sha256")
        self._number = 0

    def seal(self, text: bytes) -> bytes:
        return SEALED + self._mac(text) + text

    def open(self, message: bytes) -> bytes:
        """Raises NotProven."""
        mac, text = message[1:1 + _MAC], message[1 + _MAC:]
        if message[:1] != SEALED or not hmac.compare_digest(self._mac(text), mac):
            raise NotProven("a message that the other side did not send here")
        return text

    def _mac(self, text: bytes) -> bytes:
        self._number += 1
        return hmac.digest(self._key, self._number.to_bytes(8, "big") + text, "sha256")


def seals(key: bytes, said: bytes, challenged: bytes, name: str) -> Tuple[Seal, Seal]:
    """(node to witness, witness to node) of one connection."""
    return Seal(key, b"to witness", said, challenged, name), Seal(key, b"to node", said, challenged, name)


def framed(message: bytes) -> bytes:
    return LENGTH.pack(len(message)) + message


def refusal(text: str) -> bytes:
    return framed(REFUSAL + text.encode()[:LARGEST_UNPROVEN - 1])


def printable(raw: bytes) -> str:
    """A text from somebody who has proven nothing, fit for a log."""
    return "".join(c if c.isprintable() else "?" for c in raw.decode("utf-8", "replace"))[:400]
