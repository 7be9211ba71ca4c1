"""What a raw partition holds, told by its own marks: nothing that matters is written over unless it is called by name.

Offsets in bytes from the start of the slice. Sources: ZFS On-Disk Specification (Sun, 2006), chapter 1;
sys/fs/ufs_fs.h, sys/dklabel.h,
sys/vtoc.h; UEFI 2.9, 5.3 (GPT); sys/dktp/fdisk.h; ECMA-119, section 8; sys/fs/pc_label.h.
"""
import os
import struct
from typing import Callable, NamedTuple, Optional, Tuple

_LOOK = 512 * 1024                      # two ZFS labels, and everything else that is looked for
_SECTOR = 512

_UBERBLOCK = 0x00BAB10C
_UBERBLOCKS_AT, _UBERBLOCK_STEP, _ZFS_LABEL, _NVLIST_AT = 128 * 1024, 1024, 256 * 1024, 16 * 1024
_UFS_AT, _UFS_MAGIC_AT, _UFS_MAGICS = 8192, 1372, (0x00011954, 0x00DECADE)
_VTOC_MAGIC, _VTOC_SANE = 0xDABE, 0x600DDEEE


class Found(NamedTuple):
    """What a partition holds: `kind` is what --force must name, `text` is for people."""
    kind: str
    text: str


def found(device: str) -> Optional[Found]:
    """What the device holds besides a Sundog label; None: it is blank as far as is looked. Raises OSError."""
    fd = os.open(device, os.O_RDONLY | os.O_CLOEXEC)
    try:
        head = os.pread(fd, _LOOK, 0)
        size = os.lseek(fd, 0, os.SEEK_END)
        tail = b"" if size < 2 * _ZFS_LABEL else os.pread(fd, _ZFS_LABEL, (size // _ZFS_LABEL - 1) * _ZFS_LABEL)
    finally:
        os.close(fd)
    for look in _LOOKS:
        seen = look(head)
        if seen is not None:
            return seen
    # The first labels of a pool may have been written over: the last ones still say that it was one.
    behind = _zfs(tail)
    if behind is not None:
        return behind
    return Found("unknown", "something that has no known mark") if head.strip(b"\0") else None


def _pool(raw: bytes) -> Optional[Found]:
    return _zfs(raw) or _zfs(raw[_ZFS_LABEL:])


def _zfs(raw: bytes) -> Optional[Found]:
    """A vdev label: 8 KiB blank, boot header, name-value pairs at 16 KiB, a ring of uberblocks at 128 KiB."""
    ring = range(_UBERBLOCKS_AT, min(_ZFS_LABEL, len(raw)) - 8, _UBERBLOCK_STEP)
    if not any(_UBERBLOCK in struct.unpack("<Q", raw[at:at + 8]) + struct.unpack(">Q", raw[at:at + 8]) for at in ring):
        return None
    name = _nvlist_string(raw[_NVLIST_AT:_UBERBLOCKS_AT], b"name")
    return Found("zfs", f"a device of the ZFS pool {name}" if name else "a device of a ZFS pool")


def _nvlist_string(raw: bytes, key: bytes) -> str:
    """The string of that name in an XDR name-value list (nvpair: size, decoded size, name, type 9, 1, string)."""
    mark = struct.pack(">I", len(key)) + key.ljust(-(-len(key) // 4) * 4, b"\0") + struct.pack(">II", 9, 1)
    at = raw.find(mark)
    if at < 0 or at + len(mark) + 4 > len(raw):
        return ""
    at += len(mark)
    length, = struct.unpack_from(">I", raw, at)
    return raw[at + 4:at + 4 + min(length, 256)].decode("utf-8", "replace")


def _ufs(raw: bytes) -> Optional[Found]:
    """The super-block is in sector 16; its magic number near its end, in the byte order of the host that made it."""
    magic = raw[_UFS_AT + _UFS_MAGIC_AT:_UFS_AT + _UFS_MAGIC_AT + 4]
    known = [struct.pack(order + "I", number) for number in _UFS_MAGICS for order in "<>"]
    return Found("ufs", "a UFS file system") if magic in known else None


def _efi(raw: bytes) -> Optional[Found]:
    at = next((at for at in (_SECTOR, 4096) if raw[at:at + 8] == b"EFI PART"), None)
    return None if at is None else Found("efi", "an EFI (GPT) label: this is a whole disk, not a slice of it")


def _vtoc(raw: bytes) -> Optional[Found]:
    """The label of a SPARC disk is its sector 0, that of an x86 Solaris partition its sector 1."""
    for at in (0, _SECTOR):
        sector = raw[at:at + _SECTOR]
        for order in "<>":
            if len(sector) == _SECTOR and struct.unpack_from(order + "H", sector, 508)[0] == _VTOC_MAGIC \
                    and _even(sector):
                return Found("vtoc", "a disk's VTOC label: the slice begins where the disk does")
            if len(sector) == _SECTOR and struct.unpack_from(order + "I", sector, 12)[0] == _VTOC_SANE:
                return Found("vtoc", "a disk's VTOC label: the slice begins where the disk does")
    return None


def _even(sector: bytes) -> bool:
    """Is the exclusive or of its 16-bit words zero, as the checksum makes it?"""
    total = 0
    for word, in struct.iter_unpack(">H", sector):
        total ^= word
    return total == 0


def _pcfs(raw: bytes) -> Optional[Found]:
    fat = raw[54:57] == b"FAT" or raw[82:87] == b"FAT32"
    return Found("pcfs", "a PC (FAT) file system") if fat and raw[510:512] == b"\x55\xaa" else None


def _fdisk(raw: bytes) -> Optional[Found]:
    return Found("fdisk", "an fdisk partition table: this is a whole disk") if raw[510:512] == b"\x55\xaa" else None


def _hsfs(raw: bytes) -> Optional[Found]:
    return Found("hsfs", "a High Sierra (ISO 9660) file system") if raw[32769:32774] == b"CD001" else None


# A pool or file system in the slice that begins where the disk does has the disk's own label in its first sectors.
_LOOKS: Tuple[Callable[[bytes], Optional[Found]], ...] = (_pool, _ufs, _hsfs, _efi, _vtoc, _pcfs, _fdisk)
