"""A shared raw partition as vote holder and heartbeat path: every node has two slots and writes the older one.

Layout, all of it aligned to 4096 bytes: the label (who has which slots), then for each node slot A and slot B of
32 KiB. A slot is header, block, HMAC-SHA256 over both; a slot that was torn in writing does not match its HMAC and the
other one counts.
Blocking: runs in a thread of its own.
"""
import errno
import hashlib
import hmac
import json
import os
import struct
from typing import Dict, List, Optional, Tuple

from sundog.core.frames import Block
from sundog.errors import ConfigProblem, SundogError
from sundog.link.codec import FrameError, pack, unpack
from sundog.link.frame import cluster_id
from sundog.link.passive import Passive

UNIT = 4096
SLOT = 32 * 1024
_LABEL_MAGIC = b"SUNDOGL1"
_SLOT_MAGIC = b"SUNDOGS1"
_LABEL_HEAD = struct.Struct(">8s8sI32s")        # magic, cluster, length, SHA-256 of the text
_SLOT_HEAD = struct.Struct(">8s8sQI")           # magic, cluster, sequence, length
_MAC = 32


class DiskUnusable(ConfigProblem):
    """The partition is not ours to write: it holds something else, or it is too small."""


class DiskFailed(SundogError):
    """Reading or writing the partition failed."""


class SlotDisk(Passive):
    """One node's access to a disk holder's partition. Raises DiskUnusable, DiskFailed."""

    def __init__(self, device: str, cluster: str, nodes: Tuple[str, ...], name: str, key: bytes) -> None:
        self.device, self.name, self.key = device, name, key
        self.cluster_name, self.cluster = cluster, cluster_id(cluster)
        self.nodes = nodes
        self._fd: Optional[int] = None
        self._slots: List[str] = []
        self._sequence = 0
        self._whole: Dict[Tuple[str, int], Tuple[bytes, int, Block]] = {}

    def exchange(self, block: Optional[Block]) -> Tuple[Block, ...]:
        """Write `block` durably into our older slot, then read everybody's newest whole block; None: only read."""
        try:
            if self._fd is None:
                self._open()
            if block is not None:
                self._write(block)
            return self._read_all()
        except OSError as error:
            self.close()
            raise DiskFailed(f"{self.device}: {error.strerror}", "check the disk and its paths: iostat -En") from None

    def close(self) -> None:
        if self._fd is not None:
            fd, self._fd = self._fd, None
            os.close(fd)

    # ---- label

    def _open(self) -> None:
        self._fd = os.open(self.device, os.O_RDWR | getattr(os, "O_DSYNC", os.O_SYNC) | os.O_CLOEXEC)
        try:
            self._slots = self._label()
            absent = sorted(set(self.nodes) - set(self._slots))
            if absent:
                self._slots += absent
                self._write_label()
            self._check_size()
            self._resume()
        except (OSError, SundogError):
            self.close()
            raise

    def _label(self) -> List[str]:
        """The names in order of their slots; empty when the partition is blank."""
        raw = self._pread(UNIT, 0)
        if not raw.strip(b"\0"):
            self._must_be_blank()
            return []
        magic, cluster, length, digest = _LABEL_HEAD.unpack_from(raw)
        text = raw[_LABEL_HEAD.size:_LABEL_HEAD.size + length]
        if magic != _LABEL_MAGIC:
            raise self._foreign()
        if hashlib.sha256(text).digest() != digest:
            # Torn while two nodes wrote it for the first time: every node writes the same label.
            return []
        if cluster != self.cluster:
            raise DiskUnusable(f"{self.device}: belongs to the Sundog cluster {json.loads(text)['cluster']}",
                               "give every cluster a partition of its own")
        return list(json.loads(text)["slots"])

    def _must_be_blank(self) -> None:
        # A file system or pool may begin with an empty sector: look further than the first one.
        if self._pread(64 * UNIT, 0).strip(b"\0"):
            raise self._foreign()

    def _foreign(self) -> DiskUnusable:
        return DiskUnusable(f"{self.device}: holds something that is not Sundog's", "choose another partition, "
                            f"or if nothing on it matters: dd if=/dev/zero of={self.device} bs=1024k count=4")

    def _write_label(self) -> None:
        text = json.dumps({"cluster": self.cluster_name, "slots": self._slots}).encode()
        if len(text) > UNIT - _LABEL_HEAD.size:
            raise DiskUnusable(f"{self.device}: {len(self._slots)} nodes do not fit into its label",
                               "use shorter node names")
        head = _LABEL_HEAD.pack(_LABEL_MAGIC, self.cluster, len(text), hashlib.sha256(text).digest())
        self._pwrite((head + text).ljust(UNIT, b"\0"), 0)

    def _check_size(self) -> None:
        need = UNIT + len(self._slots) * 2 * SLOT
        have = os.lseek(self._file(), 0, os.SEEK_END)
        # A raw device may not tell its size this way; then the first write beyond the end says it.
        if 0 < have < need:
            raise DiskUnusable(f"{self.device}: {have} bytes, {need} needed for {len(self._slots)} nodes",
                               "make the partition larger")

    # ---- slots

    def _at(self, name: str, side: int) -> int:
        return UNIT + (self._slots.index(name) * 2 + side) * SLOT

    def _resume(self) -> None:
        """Go on counting where our last run stopped."""
        newest = self._newest(self.name)
        self._sequence = newest[0] if newest else 0

    def _write(self, block: Block) -> None:
        packed = pack(block)
        sequence = self._sequence + 1
        text = _SLOT_HEAD.pack(_SLOT_MAGIC, self.cluster, sequence, len(packed)) + packed
        raw = text + self._mac(self.name, text)
        if len(raw) > SLOT:
            raise DiskFailed(f"{self.device}: a block of {len(raw)} bytes does not fit into a slot of {SLOT}",
                             "make the configuration smaller: fewer groups in one cluster")
        # Odd sequences go to slot A, even ones to B: the newest whole block is never overwritten.
        self._pwrite(raw.ljust(-(-len(raw) // UNIT) * UNIT, b"\0"), self._at(self.name, 1 - sequence % 2))
        self._sequence = sequence

    def _read_all(self) -> Tuple[Block, ...]:
        return tuple(newest[1] for newest in map(self._newest, self._slots) if newest)

    def _newest(self, name: str) -> Optional[Tuple[int, Block]]:
        """(sequence, block) of the newer whole slot of `name`."""
        pair = self._pread(2 * SLOT, self._at(name, 0))
        both = (self._read_slot(name, side, pair[side * SLOT:(side + 1) * SLOT]) for side in (0, 1))
        return max((one for one in both if one), key=lambda one: one[0], default=None)

    def _read_slot(self, name: str, side: int, raw: bytes) -> Optional[Tuple[int, Block]]:
        """(sequence, block) when the slot is whole and its writer's own, else None."""
        known = self._whole.get((name, side))
        if known and raw.startswith(known[0]):
            return known[1], known[2]
        if len(raw) < SLOT or raw[:8] != _SLOT_MAGIC:
            return None
        _, cluster, sequence, length = _SLOT_HEAD.unpack_from(raw)
        end = _SLOT_HEAD.size + length
        text, mac = raw[:end], raw[end:end + _MAC]
        if cluster != self.cluster or not hmac.compare_digest(self._mac(name, text), mac):
            return None
        try:
            block: Block = unpack(Block, text[_SLOT_HEAD.size:])
        except FrameError:
            # Authentic but of another version of the software: as good as empty.
            return None
        if block.writer != name:
            return None
        self._whole[name, side] = (text + mac, sequence, block)
        return sequence, block

    def _mac(self, name: str, text: bytes) -> bytes:
        return hmac.digest(self.key, b"slot " + name.encode() + b"\0" + text, "sha256")

    # ---- device

    def _file(self) -> int:
        if self._fd is None:
            raise DiskFailed(f"{self.device}: not open")
        return self._fd

    def _pread(self, size: int, at: int) -> bytes:
        raw = os.pread(self._file(), size, at)
        while len(raw) < size:
            more = os.pread(self._file(), size - len(raw), at + len(raw))
            if not more:
                break
            raw += more
        return raw

    def _pwrite(self, raw: bytes, at: int) -> None:
        if os.pwrite(self._file(), raw, at) != len(raw):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
