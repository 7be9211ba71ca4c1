"""What a witness keeps of one cluster: a file for each writer, with two places that are written in turn.

Each place has a checksum, and one pwrite and one fdatasync make a write durable: a torn one leaves the one before. The
folder has a random life, made with it. Every write takes the next number over all writers, so that who saw a later
number knows that the files were put back. Blocks are bytes here. Blocking.
"""
import hashlib
import os
import re
import struct
from typing import Dict, Optional, Tuple

from sundog.config.install import sync_directory, to_look_at, write_whole
from sundog.errors import ConfigProblem, SundogError
from sundog.link.witness_messages import LIFE, Kept

PLACE = 64 * 1024
MOST_WRITERS = 256
_MAGIC = b"SUNDOGB1"
_FAMILY = 7                             # bytes of the magic that all versions share
_HEAD = struct.Struct(">8sQI32s")       # magic, number, length, SHA-256 of number and block
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,31}")


#: What a crash leaves of a life that was being made: it was not in place, so nobody has learnt it.
_ABANDONED = re.compile(r"life\.(?:\d+\.)?new")


class StoreFailed(SundogError):
    """The folder could not be read or written, or what should be written does not fit."""


class WitnessStore:
    """The folder of one cluster. Raises ConfigProblem for files that are damaged or of another version, StoreFailed."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._blocks: Dict[str, bytes] = {}
        self._sides: Dict[str, int] = {}                # the place that is written next
        self._files: Dict[str, int] = {}
        self._number = 0
        try:
            fresh = not os.path.isdir(folder)
            os.makedirs(folder, 0o700, exist_ok=True)
            if fresh:
                sync_directory(os.path.dirname(folder))
            self.life = self._life()
            for entry in sorted(os.listdir(folder)):
                if entry.endswith(".block"):
                    self._load(entry[:-len(".block")])
        except OSError as error:
            self.close()
            raise StoreFailed(f"{error.filename or folder}: {error.strerror}",
                              to_look_at(os.path.dirname(folder))) from None
        except ConfigProblem:
            self.close()
            raise

    def _life(self) -> str:
        path = os.path.join(self.folder, "life")
        if not os.path.exists(path):
            if not all(_ABANDONED.fullmatch(entry) for entry in os.listdir(self.folder)):
                raise self._damaged("there are blocks, but no life")
            write_whole(path, os.urandom(LIFE // 2).hex().encode(), 0o600)
        with open(path, encoding="ascii", errors="replace") as file:
            life = file.read(LIFE + 1)
        if not re.fullmatch(f"[0-9a-f]{{{LIFE}}}", life):
            raise self._damaged("its life is not readable")
        return life

    def _load(self, writer: str) -> None:
        file = self._open(writer)
        places = [_whole(os.pread(file, PLACE, side * PLACE), f"{self.folder}/{writer}.block") for side in (0, 1)]
        found = [(one[0], one[1], side) for side, one in enumerate(places) if one is not None]
        if not found:
            if os.fstat(file).st_size > 0:
                raise self._damaged(f"both copies of {writer}'s block are damaged")
            return
        number, block, side = max(found)
        self._blocks[writer], self._sides[writer] = block, 1 - side
        self._number = max(self._number, number)

    def _damaged(self, what: str) -> ConfigProblem:
        return ConfigProblem(f"{self.folder}: {what}", f"if the other votes of the cluster are a majority, remove "
                             f"{self.folder} and start the witness again: it comes back with a new life")

    def _open(self, writer: str) -> int:
        if writer not in self._files:
            path = os.path.join(self.folder, f"{writer}.block")
            fresh = not os.path.exists(path)
            self._files[writer] = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            if fresh:
                sync_directory(self.folder)
        return self._files[writer]

    def write(self, writer: str, block: bytes) -> None:
        """Durable when it returns. Raises StoreFailed."""
        if not _NAME.fullmatch(writer):
            raise StoreFailed("the writer's name is none that a node may have")
        if len(block) > PLACE - _HEAD.size:
            raise StoreFailed(f"a block of {len(block)} bytes; {PLACE - _HEAD.size} fit",
                              "make the configuration smaller: fewer groups in one cluster")
        if writer not in self._blocks and len(self._blocks) >= MOST_WRITERS:
            raise StoreFailed(f"{MOST_WRITERS} nodes have blocks here already",
                              f"where some are of nodes that are gone: while the other votes are a majority, remove "
                              f"{self.folder} and start the witness again")
        number, side = self._number + 1, self._sides.get(writer, 0)
        raw = _HEAD.pack(_MAGIC, number, len(block), _digest(number, block)) + block
        try:
            file = self._open(writer)
            if os.pwrite(file, raw, side * PLACE) != len(raw):
                raise StoreFailed(f"{self.folder}: no space left", to_look_at(self.folder))
            os.fdatasync(file)
        except OSError as error:
            raise StoreFailed(f"{self.folder}: {error.strerror}", to_look_at(self.folder)) from None
        self._number, self._blocks[writer], self._sides[writer] = number, block, 1 - side

    def kept(self) -> Kept:
        return Kept(self.life, self._number, dict(self._blocks))

    def close(self) -> None:
        files, self._files = self._files, {}
        for file in files.values():
            os.close(file)


def _digest(number: int, block: bytes) -> bytes:
    return hashlib.sha256(number.to_bytes(8, "big") + block).digest()


def _whole(raw: bytes, name: str) -> Optional[Tuple[int, bytes]]:
    """(number, block) of a place, None when it is torn or empty. Raises ConfigProblem for another version's."""
    if len(raw) < _HEAD.size:
        return None
    magic, number, length, digest = _HEAD.unpack_from(raw)
    if magic[:_FAMILY] == _MAGIC[:_FAMILY] and magic != _MAGIC:
        raise ConfigProblem(f"{name}: written by another version of Sundog", "install that version again")
    block = raw[_HEAD.size:_HEAD.size + length]
    return (number, block) if magic == _MAGIC and _digest(number, block) == digest else None
