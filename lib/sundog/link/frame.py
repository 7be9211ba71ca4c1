"""A datagram: header, body, HMAC-SHA256 over both.

The header names the cluster, the sender and its boot, and two sessions: the sender's own (random at each start of its
daemon) and, as `echo`, the receiver's as far as the sender knows it. A frame whose echo is not the receiver's session
may be a replay from an earlier run and is only good for an answer (see gate.py). A frame without a body is such an
answer: a hello.
"""
import hashlib
import hmac
import struct
from functools import lru_cache
from typing import NamedTuple, Optional

from sundog.core.frames import Body
from sundog.errors import SundogError
from sundog.link.codec import FrameError, garbage, unpack_body

MAGIC = b"SDOG"
VERSION = 1
#: Largest datagram: what UDP over IPv4 carries, less some room.
LARGEST = 60_000
_HEAD = struct.Struct(">4sB8sI8s8sQBB")
_MAC = 32
NO_SESSION = bytes(8)


class FrameTooLarge(SundogError):
    """A body that does not fit into one datagram even when compressed."""


class Frame(NamedTuple):
    sender: str
    boot_id: str
    incarnation: int
    session: bytes                      # 8 bytes
    echo: bytes                         # 8 bytes, NO_SESSION when not known
    seq: int
    packed: bytes = b""                 # its body by pack_body; empty: hello

    @property
    def body(self) -> Optional[Body]:
        """What it says, None for a hello. Raises FrameError."""
        return unpack_body(self.packed) if self.packed else None


def cluster_id(name: str) -> bytes:
    return hashlib.sha256(b"sundog cluster " + name.encode()).digest()[:8]


@lru_cache(maxsize=8)
def _keyed(key: bytes) -> hmac.HMAC:
    return hmac.new(key, digestmod="sha256")


def mac(key: bytes, text: bytes) -> bytes:
    """HMAC-SHA256 (RFC 2104). What depends on the key alone is worked out once: half the time of hmac.digest."""
    one = _keyed(key).copy()
    one.update(text)
    return one.digest()


def seal(frame: Frame, cluster: bytes, key: bytes) -> bytes:
    """The datagram for `frame`. Raises FrameTooLarge."""
    sender, boot_id = frame.sender.encode(), frame.boot_id.encode()
    head = _HEAD.pack(MAGIC, VERSION, cluster, frame.incarnation, frame.session, frame.echo, frame.seq,
                      len(sender), len(boot_id))
    text = head + sender + boot_id + frame.packed
    if len(text) + _MAC > LARGEST:
        raise FrameTooLarge(f"a message of {len(text)} bytes is larger than a datagram ({LARGEST} bytes)",
                            "make the configuration smaller: fewer groups in one cluster")
    return text + mac(key, text)


def unseal(datagram: bytes, cluster: bytes, key: bytes) -> Frame:
    """The frame in `datagram`, its body still packed. Raises FrameError: garbage, unknown (another cluster) or key."""
    if len(datagram) < _HEAD.size + _MAC or datagram[:4] != MAGIC:
        raise garbage("no Sundog frame")
    _, version, theirs, incarnation, session, echo, seq, name_size, boot_size = _HEAD.unpack_from(datagram)
    if version != VERSION:
        raise garbage(f"frame version {version}")
    if theirs != cluster:
        raise FrameError("unknown", "frame of another cluster")
    text = datagram[:-_MAC]
    if not hmac.compare_digest(mac(key, text), datagram[-_MAC:]):
        raise FrameError("key", "the frame's authentication does not match")
    body_at = _HEAD.size + name_size + boot_size
    if body_at > len(text):
        raise garbage("frame shorter than its header says")
    try:
        sender = text[_HEAD.size:_HEAD.size + name_size].decode()
        boot_id = text[_HEAD.size + name_size:body_at].decode()
    except UnicodeDecodeError:
        raise garbage("name is not UTF-8") from None
    return Frame(sender, boot_id, incarnation, session, echo, seq, text[body_at:])
