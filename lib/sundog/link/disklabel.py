"""The label of a vote partition: whose it is, its life, and who has which slots. Sealed with the cluster's key.

Head, text (JSON), HMAC-SHA256 over both. The head's digest covers text and HMAC: where it does not fit the label was
torn in writing; where it fits and the HMAC does not, the label was made with another key. Every version of the format
keeps the head, and the name of the cluster in the text.
"""
import hashlib
import hmac
import json
import struct
from typing import NamedTuple, Optional, Tuple

from sundog.link.frame import cluster_id, mac

SIZE = 4096
_MAGIC = b"SUNDOGL2"
_FAMILY = 7                                     # bytes of the magic that all versions share
_HEAD = struct.Struct(">8s8sI32s")              # magic, cluster, length of the text, SHA-256 of text and HMAC
_DIGEST_AT = 20
_MAC = 32


class Label(NamedTuple):
    cluster: str
    life: str
    slots: Tuple[str, ...]                      # nodes, in the order of their slots


class Seen(NamedTuple):
    """A label of whatever version, cluster and key. `name`: of its cluster, "" where it cannot be told."""
    cluster: bytes                              # its id
    name: str
    current: bool                               # of this version
    whole: bool
    head: bytes
    text: bytes
    mac: bytes

    def fits(self, key: bytes) -> bool:
        """Is it whole, of this version, and made by somebody who has the key?"""
        return self.current and self.whole and hmac.compare_digest(_mac(key, self.head, self.text), self.mac)

    def label(self) -> Label:
        """What it says; only of one that fits."""
        plain = json.loads(self.text)
        return Label(self.name, str(plain["life"]), tuple(plain["slots"]))


def seen(raw: bytes) -> Optional[Seen]:
    """The label at the beginning of a partition; None: there is none of Sundog's."""
    if len(raw) < SIZE or raw[:_FAMILY] != _MAGIC[:_FAMILY]:
        return None
    magic, cluster, length, digest = _HEAD.unpack_from(raw)
    text = raw[_HEAD.size:_HEAD.size + length]
    sealed_by = raw[_HEAD.size + length:_HEAD.size + length + _MAC]
    current = magic == _MAGIC
    whole = current and hashlib.sha256(text + sealed_by).digest() == digest
    return Seen(cluster, _name(text) if whole or not current else "", current, whole, raw[:_DIGEST_AT], text, sealed_by)


def sealed(label: Label, key: bytes) -> bytes:
    """SIZE bytes to be written, or more: then it has too many slots."""
    text = json.dumps(label._asdict()).encode()
    head = _HEAD.pack(_MAGIC, cluster_id(label.cluster), len(text), b"")[:_DIGEST_AT]
    rest = text + _mac(key, head, text)
    return (head + hashlib.sha256(rest).digest() + rest).ljust(SIZE, b"\0")


def _name(text: bytes) -> str:
    try:
        return str(json.loads(text)["cluster"])
    except (ValueError, KeyError, TypeError):
        return ""


def _mac(key: bytes, head: bytes, text: bytes) -> bytes:
    # Its first bytes keep it from being taken for the HMAC of a slot or a frame.
    return mac(key, b"label " + head + text)
