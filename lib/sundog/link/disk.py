"""A shared raw partition as vote holder and heartbeat path: every node has two slots and writes the older one.

Layout, all of it aligned to 4096 bytes: the label (who has which slots), then for each node slot A and slot B of
32 KiB. A slot is header, block, HMAC-SHA256 over both; a slot that was torn in writing does not match its HMAC and the
other one counts. Every version of the format keeps header and HMAC, so that a slot of another one is known as such.
Blocking: runs in a thread of its own.
"""
import errno
import hashlib
import hmac
import json
import os
import struct
from binascii import hexlify
from typing import Dict, List, Optional, Tuple

from sundog.core.frames import Block
from sundog.core.paxos import merged
from sundog.errors import ConfigProblem, SundogError
from sundog.link.codec import FrameError, pack, unpack
from sundog.link.frame import cluster_id, mac
from sundog.link.label import Found, found
from sundog.link.passive import Passive

UNIT = 4096
SLOT = 32 * 1024
_LABEL_MAGIC = b"SUNDOGL1"
_SLOT_MAGIC = b"SUNDOGS1"
_FAMILY = 7                                     # bytes of a magic that all versions share
LABEL_HEAD = struct.Struct(">8s8sI32s")        # magic, cluster, length, SHA-256 of the text
_SLOT_HEAD = struct.Struct(">8s8sQI")           # magic, cluster, sequence, length
_MAC = 32


class DiskUnusable(ConfigProblem):
    """The partition is not ours to write: it holds something else, or it is too small."""


class DiskFailed(SundogError):
    """Reading or writing the partition failed."""


class SlotDisk(Passive):
    """One node's access to a disk holder's partition. `life`: as its label says, after an exchange.

    Raises DiskUnusable, DiskFailed.
    """

    def __init__(self, device: str, cluster: str, nodes: Tuple[str, ...], name: str, key: bytes) -> None:
        self.device, self.name, self.key = device, name, key
        self.cluster_name, self.cluster = cluster, cluster_id(cluster)
        self.nodes = nodes
        self.life = ""
        self._fd: Optional[int] = None
        self._label_raw = b""
        self._slots: List[str] = []
        self._sequence = 0
        self._first_sequence = 0                        # of this opening
        self._kept: Optional[Block] = None              # what our own slots hold
        self._whole: Dict[Tuple[str, int], Tuple[bytes, int, Block]] = {}

    def exchange(self, block: Optional[Block]) -> Tuple[Block, ...]:
        """Write `block` durably into our older slot, then read everybody's newest whole block; None: only read."""
        try:
            if self._fd is not None and self._pread(UNIT, 0) != self._label_raw:
                self.close()                            # labelled anew by somebody: begin again with what is there
            if self._fd is None:
                self.open()
            if block is not None:
                self._write(merged(self._kept, block))
            return self._read_all()
        except OSError as error:
            self.close()
            raise DiskFailed(f"{self.device}: {error.strerror}", "check the disk and its paths: iostat -En") from None

    def close(self) -> None:
        if self._fd is not None:
            fd, self._fd = self._fd, None
            os.close(fd)

    # ---- label

    def open(self) -> None:
        """Open it, and label it if it is blank. Raises OSError, DiskUnusable."""
        self._fd = os.open(self.device, os.O_RDWR | getattr(os, "O_DSYNC", os.O_SYNC) | os.O_CLOEXEC)
        try:
            self._whole.clear()
            self._slots, self.life = self._label()
            absent = sorted(set(self.nodes) - set(self._slots))
            if absent or not self.life:
                self._slots += absent
                self._write_label(self.life or hexlify(os.urandom(8)).decode())
            self._label_raw = self._pread(UNIT, 0)
            self._check_size()
            self._resume()
        except (OSError, SundogError):
            self.close()
            raise

    def _label(self) -> Tuple[List[str], str]:
        """The names in order of their slots, and the label's life; both empty when the partition is blank."""
        raw = self._pread(UNIT, 0)
        if not raw.strip(b"\0"):
            self._must_be_blank()
            return [], ""
        magic, cluster, length, digest = LABEL_HEAD.unpack_from(raw)
        text = raw[LABEL_HEAD.size:LABEL_HEAD.size + length]
        if magic[:_FAMILY] != _LABEL_MAGIC[:_FAMILY]:
            raise self._foreign()
        if magic != _LABEL_MAGIC:
            raise self._of_another_version("its label")
        if hashlib.sha256(text).digest() != digest:
            # Torn while two nodes wrote it for the first time: whoever writes it last gives it its life.
            return [], ""
        if cluster != self.cluster:
            raise DiskUnusable(f"{self.device}: belongs to the Sundog cluster {json.loads(text)['cluster']}",
                               "give every cluster a partition of its own")
        plain = json.loads(text)
        return list(plain["slots"]), str(plain.get("life", ""))

    def _must_be_blank(self) -> None:
        # A file system or pool may begin with an empty sector: look further than the first one.
        if self._pread(64 * UNIT, 0).strip(b"\0"):
            raise self._foreign()

    def _foreign(self) -> DiskUnusable:
        what = found(self.device) or Found("unknown", "something that is not Sundog's")
        return DiskUnusable(f"{self.device}: holds {what.text}", "choose another partition, or if nothing on it "
                            f"matters: sundog quorum init-disk {self.device} --force {what.kind}")

    def _of_another_version(self, what: str) -> DiskUnusable:
        return DiskUnusable(f"{self.device}: {what} was written by another version of Sundog",
                            "run the same version on every node; if it is only left over: "
                            f"sundog quorum init-disk {self.device} --force sundog")

    def _write_label(self, life: str) -> None:
        self.life = life
        text = json.dumps({"cluster": self.cluster_name, "slots": self._slots, "life": life}).encode()
        if len(text) > UNIT - LABEL_HEAD.size:
            raise DiskUnusable(f"{self.device}: {len(self._slots)} nodes do not fit into its label",
                               "use shorter node names")
        head = LABEL_HEAD.pack(_LABEL_MAGIC, self.cluster, len(text), hashlib.sha256(text).digest())
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
        self._sequence, self._kept = newest if newest else (0, None)
        self._first_sequence = self._sequence + 1

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
        self._sequence, self._kept = sequence, block

    def _read_all(self) -> Tuple[Block, ...]:
        blocks = tuple(newest[1] for newest in map(self._newest, self._slots) if newest)
        if self._first_sequence < self._sequence and self._is_older():
            self._write_label(hexlify(os.urandom(8)).decode())
            self.close()
            raise DiskFailed(f"{self.device}: an older copy was put back under the running cluster",
                             "it has a new life now, and votes again when the cluster has taken it in")
        return blocks

    def _is_older(self) -> bool:
        """Is our other slot older than what we wrote into it? Then the partition has forgotten what it acknowledged."""
        # A whole unit: a raw device refuses what does not end at a sector.
        head = self._pread(UNIT, self._at(self.name, self._sequence % 2))[:_SLOT_HEAD.size]
        if head[:8] == _SLOT_MAGIC:
            return int(_SLOT_HEAD.unpack(head)[2]) < self._sequence - 1
        return not head.strip(b"\0")

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
        if len(raw) < SLOT or raw[:_FAMILY] != _SLOT_MAGIC[:_FAMILY]:
            return None
        _, cluster, sequence, length = _SLOT_HEAD.unpack_from(raw)
        end = _SLOT_HEAD.size + length
        text, mac = raw[:end], raw[end:end + _MAC]
        if cluster != self.cluster or not hmac.compare_digest(self._mac(name, text), mac):
            return None
        if raw[:8] != _SLOT_MAGIC:
            raise self._of_another_version(f"the slot of {name}")
        try:
            block: Block = unpack(Block, text[_SLOT_HEAD.size:])
        except FrameError:
            raise self._of_another_version(f"the slot of {name}") from None
        if block.writer != name:
            return None
        self._whole[name, side] = (text + mac, sequence, block)
        return sequence, block

    def _mac(self, name: str, text: bytes) -> bytes:
        return mac(self.key, b"slot " + name.encode() + b"\0" + text)

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
