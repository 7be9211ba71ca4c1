"""What a node must find again after a crash: one file with two places, written in turn, each with a checksum.

Writing is one pwrite and one fdatasync into the older place, so a torn write leaves the one before.
"""
import hashlib
import os
import struct
from typing import Optional, Tuple

from sundog.config.install import sync_directory, to_look_at
from sundog.core.effects import Stored
from sundog.errors import ConfigProblem, SundogError
from sundog.link.codec import FrameError, pack, unpack

PLACE = 1 << 20
_MAGIC = b"SUNDOGV1"
_HEAD = struct.Struct(">8sQI32s")       # magic, sequence, length, SHA-256 of sequence and text


class StoreFailed(SundogError):
    """The node's own record could not be read or written: it must not take part as a vote holder."""


class Store:
    """The file `path`, opened once and kept open.

    Raises StoreFailed; ConfigProblem when both places are damaged, or when another version of Sundog wrote one: that
    is never overwritten.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._remedy = to_look_at(os.path.dirname(path))
        try:
            fresh = not os.path.exists(path)
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            if fresh:
                sync_directory(os.path.dirname(path))
        except OSError as error:
            raise StoreFailed(f"{path}: {error.strerror}", self._remedy) from None
        self._sequence = 0

    def load(self) -> Stored:
        """The newest whole record; an empty one when nothing was ever written."""
        raw = [os.pread(self._fd, PLACE, side * PLACE) for side in (0, 1)]
        found = [one for one in map(_whole, raw) if one is not None]
        stored: Optional[Stored]
        if not found:
            if any(place.strip(b"\0") for place in raw):
                raise ConfigProblem(f"{self.path}: both copies are damaged", "if every other node is healthy, "
                                    f"remove {self.path}: the node then learns everything from them")
            return Stored()
        if any(stored is None for _, stored in found):
            raise ConfigProblem(f"{self.path}: written by another version of Sundog",
                                f"install that version again; or, if a majority of the other votes is there, remove "
                                f"{self.path}: this node then has no vote until the cluster takes it in again")
        self._sequence, stored = max(found, key=lambda one: one[0])
        assert stored is not None
        return stored

    def save(self, stored: Stored) -> None:
        """Durable when it returns."""
        text = pack(stored)
        if _HEAD.size + len(text) > PLACE:
            raise StoreFailed(f"{self.path}: a record of {len(text)} bytes; {PLACE - _HEAD.size} fit",
                              "make the configuration smaller: fewer groups in one cluster")
        sequence = self._sequence + 1
        raw = _HEAD.pack(_MAGIC, sequence, len(text), _digest(sequence, text)) + text
        try:
            written = os.pwrite(self._fd, raw, (sequence % 2) * PLACE)
            if written != len(raw):
                # Cut short is no error to pwrite(2), and after a restart the older place would count.
                raise StoreFailed(f"{self.path}: only {written} of {len(raw)} bytes could be written",
                                  f"free some space: df -h {os.path.dirname(self.path)}")
            os.fdatasync(self._fd)
        except OSError as error:
            raise StoreFailed(f"{self.path}: {error.strerror}", self._remedy) from None
        self._sequence = sequence

    def set_aside(self) -> str:
        """Give the file another name, under which nothing looks for it; returns that. Raises StoreFailed."""
        aside = f"{self.path}.forked"
        try:
            os.replace(self.path, aside)
            sync_directory(os.path.dirname(self.path))
        except OSError as error:
            raise StoreFailed(f"{self.path}: {error.strerror}", self._remedy) from None
        return aside

    def close(self) -> None:
        os.close(self._fd)


def _digest(sequence: int, text: bytes) -> bytes:
    return hashlib.sha256(sequence.to_bytes(8, "big") + text).digest()


def _whole(raw: bytes) -> Optional[Tuple[int, Optional[Stored]]]:
    """(sequence, record) of a place that is whole; the record is None when another version of Sundog wrote it."""
    if len(raw) < _HEAD.size:
        return None
    if raw[:7] == _MAGIC[:7] and raw[:8] != _MAGIC:
        return 0, None
    magic, sequence, length, digest = _HEAD.unpack_from(raw)
    text = raw[_HEAD.size:_HEAD.size + length]
    if magic != _MAGIC or _digest(sequence, text) != digest:
        return None
    try:
        return sequence, unpack(Stored, text)
    except FrameError:
        return sequence, None
