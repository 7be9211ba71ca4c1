"""A shared raw partition as vote holder and heartbeat path: every node has two slots and writes the older one.

Layout, all of it aligned to 4096 bytes: the label (disklabel.py: who has which slots), then for each node slot A and
slot B of 32 KiB. A slot is header, block, HMAC-SHA256 over both; a slot that was torn in writing does not match its
HMAC and the other one counts. Every version of the format keeps header and HMAC, so that a slot of another one is known
as such. A slot of another key looks torn: the label is what tells that two keys are in use, and whose is not here is
refused, or either would take the disk's vote for its own. Blocking: runs in a thread of its own.
"""
import errno
import hmac
import os
import struct
from binascii import hexlify
from typing import Dict, Optional, Tuple

from sundog.core.frames import Block
from sundog.core.paxos import merged
from sundog.errors import ConfigProblem, SundogError
from sundog.link import disklabel
from sundog.link.codec import FrameError, pack, unpack
from sundog.link.disklabel import Label
from sundog.link.frame import cluster_id, mac
from sundog.link.label import Found, found
from sundog.link.passive import HolderFailed, HolderRefused, Passive

UNIT = disklabel.SIZE
SLOT = 32 * 1024
_SLOT_MAGIC = b"SUNDOGS1"
_FAMILY = 7                                     # bytes of a magic that all versions share
_SLOT_HEAD = struct.Struct(">8s8sQI")           # magic, cluster, sequence, length
_MAC = 32
_BY_ITSELF = "it is tried again by itself"
UNNAMED = "unknown"                             # what stands for a cluster's name that a damaged label does not tell


class DiskUnusable(ConfigProblem, HolderRefused):
    """The partition is not ours to write: something else's, another cluster's or key's; or it is too small."""


class DiskFailed(HolderFailed):
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
        self._slots: Tuple[str, ...] = ()
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
            blocks = tuple(newest[1] for newest in map(self._newest, self._slots) if newest)
            self._must_be_the_same()
            return blocks
        except OSError as error:
            self.close()
            raise DiskFailed(f"{self.device}: {error.strerror}", "check the disk and its paths: iostat -En") from None

    def close(self) -> None:
        if self._fd is not None:
            fd, self._fd = self._fd, None
            os.close(fd)

    # ---- label

    def open(self, anew: bool = False) -> None:
        """Open it, and label it if it is blank, or in any case. Raises OSError, DiskUnusable, DiskFailed."""
        self._fd = os.open(self.device, os.O_RDWR | getattr(os, "O_DSYNC", os.O_SYNC) | os.O_CLOEXEC)
        try:
            self._whole.clear()
            label = (None if anew else self._label()) or Label(self.cluster_name, _new_life(), ())
            absent = tuple(sorted(set(self.nodes) - set(label.slots)))
            if absent:
                self._write_label(label._replace(slots=label.slots + absent))
                label = self._read_back()
            self._slots, self.life = label.slots, label.life
            self._check_size()
            self._resume()
        except (OSError, SundogError):
            self.close()
            raise

    def _label(self) -> Optional[Label]:
        """What the label says; None when the partition is blank. Raises DiskUnusable."""
        self._label_raw = self._pread(UNIT, 0)
        seen = disklabel.seen(self._label_raw)
        if seen is None:
            self._must_be_blank()
            return None
        if seen.cluster != self.cluster:
            whose = f"the Sundog cluster {seen.name}" if seen.name else "another Sundog cluster, its label is damaged"
            raise DiskUnusable(f"{self.device}: belongs to {whose}", "give every cluster a partition of its own; if it "
                               f"is only left over: {self._give_up(f'sundog:{seen.name or UNNAMED}')}")
        if not seen.current:
            raise self._of_another_version("its label")
        if not seen.whole:
            # Torn while two nodes wrote it for the first time: whoever writes it last gives it its life.
            return None
        if not seen.fits(self.key):
            raise DiskUnusable(f"{self.device}: labelled with another key for a cluster of the same name",
                               "put the same key_file on every node; if the partition is left over from an earlier key "
                               f"or cluster: {self._give_up('sundog')}")
        return seen.label()

    def _read_back(self) -> Label:
        # Another node may have written its own at the same moment: what stands there in the end counts, for all.
        label = self._label()
        if label is None or set(self.nodes) - set(label.slots):
            raise DiskFailed(f"{self.device}: several nodes label it at once", _BY_ITSELF)
        return label

    def _must_be_blank(self) -> None:
        # A file system or pool may begin with an empty sector: look further than the first one.
        if self._label_raw.strip(b"\0") or self._pread(64 * UNIT, 0).strip(b"\0"):
            raise self._foreign()

    def _foreign(self) -> DiskUnusable:
        what = found(self.device) or Found("unknown", "something that is not Sundog's")
        return DiskUnusable(f"{self.device}: holds {what.text}", "choose another partition, or if nothing on it "
                            f"matters: {self._give_up(what.kind)}")

    def _of_another_version(self, what: str) -> DiskUnusable:
        return DiskUnusable(f"{self.device}: {what} was written by another version of Sundog",
                            f"run the same version on every node; if it is only left over: {self._give_up('sundog')}")

    def _give_up(self, kind: str) -> str:
        return f"sundog quorum init-disk {self.device} --force {kind}"

    def _write_label(self, label: Label) -> None:
        raw = disklabel.sealed(label, self.key)
        if len(raw) > UNIT:
            raise DiskUnusable(f"{self.device}: {len(label.slots)} nodes do not fit into its label",
                               "use shorter node names")
        self._pwrite(raw, 0)

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

    def _must_be_the_same(self) -> None:
        """What was just read counts for `life` only if nothing that was acknowledged in it was lost before."""
        if self._pread(UNIT, 0) != self._label_raw:
            self.close()
            raise DiskFailed(f"{self.device}: was labelled anew meanwhile", _BY_ITSELF)
        if self._first_sequence < self._sequence and self._is_older():
            self._write_label(Label(self.cluster_name, _new_life(), self._slots))
            self.close()
            raise DiskFailed(f"{self.device}: an older copy was put back under the running cluster",
                             "it has a new life now, and votes again when the cluster has taken it in")

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


def _new_life() -> str:
    return hexlify(os.urandom(8)).decode()
