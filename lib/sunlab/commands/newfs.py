"""newfs(8): a new UFS on a disk, which in the lab is an ext4. Geometry is shown as of a disk with an EFI label."""
from __future__ import annotations

import getopt
import os
import sys

from sunlab import spawn
from sunlab.fs import superblock, table

USAGE = """usage: newfs [ -v ] [ mkfs-options ] raw-special-device
where mkfs-options are:
\t-N do not create file system, just print out parameters
\t-T configure file system for eventual growth to over a terabyte
\t-s file system size (sectors)
\t-b block size
\t-f frag size
\t-t tracks/cylinder
\t-c cylinders/group
\t-m minimum free space %
\t-o optimization preference (`space' or `time')
\t-r revolutions/minute
\t-i number of bytes per inode
\t-a number of alternates per cylinder
\t-C maxcontig
\t-d rotational delay
\t-n number of rotational positions
\t-S print a textual version of the calculated superblock to stdout
\t-B dump a binary version of the calculated superblock to stdout
"""
SECTORS, TRACKS, CYLINDERS = 128, 48, 16        # a track, a cylinder, a group
SECTOR = 512
FIRST_BACKUP, PER_GROUP = 32, CYLINDERS * SECTORS * TRACKS + 128


def main(argv: list[str]) -> int:
    try:
        pairs, operands = getopt.getopt(argv, "vNBSs:C:d:t:o:a:b:f:c:m:n:r:i:T")
    except getopt.GetoptError as problem:
        sys.stderr.write(f"{USAGE}newfs: -{problem.opt}: unknown flag\n")
        return 10
    said = dict(pairs)
    if len(operands) != 1:
        sys.stderr.write(USAGE)
        return 1
    if {"-B", "-S"} & set(said):
        sys.stderr.write("newfs: sunlab: -B and -S are not modelled in this lab\n")
        return 1
    device, wrong, status = raw_device(operands[0])
    if status:
        sys.stderr.write(f"newfs: {wrong}\n")
        return status
    size = os.stat(device).st_size // SECTOR
    asked = said.get("-s", str(size))
    if not asked.isdigit() or int(asked) < 1024:
        sys.stderr.write(f"newfs: {asked}: fssize must be at least 1024\n")
        return 10
    size = min(size, int(asked))
    if size < SECTORS * TRACKS:
        sys.stderr.write(f"newfs: file system size must be at least {SECTORS * TRACKS} sectors\n")
        return 10
    if sys.stdin.isatty() and "-N" not in said and not confirmed(device):
        return 0
    return make(device, size, said)


def raw_device(name: str) -> tuple[str, str, int]:
    """The raw device that is meant; else what is wrong, and the exit status."""
    for place in (name,) if "/" in name else (f"/dev/rdsk/{name}", f"/dev/{name}"):
        raw = place.replace("/dev/dsk/", "/dev/rdsk/", 1)
        if os.path.dirname(raw) == "/dev/rdsk" and os.path.exists(raw):
            return raw, "", 0
    if "/" in name and not os.path.exists(name):
        return "", f"{name}: No such file or directory", 2
    return "", f"{name}: not a raw disk device", 10


def confirmed(device: str) -> bool:
    found = superblock.read(device)
    if found and found.last_mounted:
        sys.stdout.write(f"newfs: {device} last mounted as {found.last_mounted}\n")
    sys.stdout.write(f"newfs: construct a new file system {device}: (y/n)? ")
    sys.stdout.flush()
    return sys.stdin.readline().startswith("y")


def make(device: str, size: int, said: dict[str, str]) -> int:
    block = f"/dev/dsk/{os.path.basename(device)}"
    if table.last(table.read(), special=block) and "-N" not in said:
        sys.stderr.write(f"{block} is mounted, can't mkfs\n")
        return 32
    inode, spare = said.get("-i", "8192"), said.get("-m", "10" if size < 1310720 else "1")
    if "-v" in said:
        sys.stdout.write(f"mkfs -F ufs {'-o N ' if '-N' in said else ''}{device} {size} {SECTORS} {TRACKS} 8192 1024 "
                         f"{CYLINDERS} {spare} 1 {inode} t 0 -1 1 128 n\n")
    if "-N" not in said:
        status, text = spawn.run(["/usr/sbin/mke2fs", "-q", "-F", "-t", "ext4", "-i", inode, "-m", spare, "-E",
                                  "lazy_itable_init=0,lazy_journal_init=0,nodiscard", device, f"{size // 2}k"])
        if status != 0:
            sys.stderr.write(text)
            return 32
    found = superblock.read(device)
    sys.stderr.write(told(device, size, found.inodes if found else 0))
    return 0


def told(device: str, size: int, inodes: int) -> str:
    """What mkfs says of a new file system (mkfs.c). Pure."""
    cylinders = -(-size // (SECTORS * TRACKS))
    groups = -(-cylinders // CYLINDERS)
    rest = cylinders * SECTORS * TRACKS - size
    text = f"Warning: {rest} sector(s) in last cylinder unallocated\n" if rest else ""
    text += (f"{device}:\t{size} sectors in {cylinders} cylinders of {TRACKS} tracks, {SECTORS} sectors\n"
             f"\t{size * SECTOR / (1 << 20):.1f}MB in {groups} cyl groups ({CYLINDERS} c/g, "
             f"{CYLINDERS * TRACKS * SECTORS * SECTOR / (1 << 20):.2f}MB/g, {inodes // groups} i/g)\n"
             "super-block backups (for fsck -F ufs -o b=#) at:\n")
    numbers = [str(FIRST_BACKUP + group * PER_GROUP) for group in range(groups)]
    return text + " " + ", ".join(numbers) + "\n"
