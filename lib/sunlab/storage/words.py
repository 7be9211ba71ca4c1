"""What zpool(8) prints on illumos and on Solaris, made of what zfs-fuse (pool version 23) prints. Pure.

Imports next to nothing: zpool stands in the way of every failover.
"""
from __future__ import annotations

#: Columns of `zpool list`: property -> header. zfs-fuse knows those of KNOWN.
HEADERS = {"name": "NAME", "size": "SIZE", "allocated": "ALLOC", "alloc": "ALLOC", "free": "FREE",
           "checkpoint": "CKPOINT", "expandsize": "EXPANDSZ", "expandsz": "EXPANDSZ", "fragmentation": "FRAG",
           "frag": "FRAG", "capacity": "CAP", "cap": "CAP", "dedupratio": "DEDUP", "dedup": "DEDUP",
           "health": "HEALTH", "altroot": "ALTROOT", "guid": "GUID", "version": "VERSION", "bootfs": "BOOTFS",
           "delegation": "DELEGATION", "autoreplace": "REPLACE", "cachefile": "CACHEFILE", "failmode": "FAILMODE",
           "listsnapshots": "LISTSNAPS", "autoexpand": "EXPAND", "dedupditto": "DEDUPDITTO", "freeing": "FREEING",
           "leaked": "LEAKED", "multihost": "MULTIHOST", "readonly": "RDONLY", "comment": "COMMENT",
           "ashift": "ASHIFT"}
SAME = {"alloc": "allocated", "cap": "capacity", "dedup": "dedupratio", "frag": "fragmentation",
        "expandsz": "expandsize"}
#: Properties that zfs-fuse has not, and what they are where nothing ever made use of them.
NEWER = {"checkpoint": "-", "expandsize": "-", "fragmentation": "0%", "freeing": "0", "leaked": "0",
         "readonly": "off", "comment": "-"}
KNOWN = ("size", "capacity", "altroot", "health", "guid", "version", "bootfs", "delegation", "autoreplace",
         "cachefile", "failmode", "listsnapshots", "autoexpand", "dedupditto", "dedupratio", "free", "allocated",
         "ashift")
SIZES = ("size", "free", "allocated", "freeing", "leaked")
RATIOS = ("capacity", "fragmentation", "dedupratio")
DEFAULT = {"illumos": "name,size,allocated,free,checkpoint,expandsize,fragmentation,capacity,dedupratio,health,altroot",
           "solaris11.4": "name,size,allocated,free,capacity,dedupratio,health,altroot"}
UNITS = "KMGTPE"
MESSAGES = "http://www.sun.com/msg/"


def property_of(column: str) -> str:
    return SAME.get(column, column)


def exact(prop: str, value: str) -> str:
    """As -p prints it: bytes, and ratios without their sign. Sizes are as exact as zfs-fuse tells them."""
    if prop in SIZES and value[-1:] in UNITS:
        return str(int(float(value[:-1]) * 1024 ** (UNITS.index(value[-1]) + 1)))
    return value.rstrip("%x") if prop in RATIOS else value


def table(columns: list[str], rows: list[list[str]], scripted: bool) -> str:
    """-H: tabs. Else names to the left, numbers to the right, two blanks between."""
    if scripted:
        return "".join("\t".join(row) + "\n" for row in rows)
    cells = [[HEADERS[c] for c in columns], *rows]
    widths = [max(len(row[at]) for row in cells) for at in range(len(columns))]
    left = ("name", "health", "altroot", "guid", "cachefile", "bootfs", "comment")
    lines = []
    for row in cells:
        parts = [text.ljust(width) if property_of(column) in left else text.rjust(width)
                 for column, text, width in zip(columns, row, widths)]
        lines.append("  ".join(parts).rstrip() + "\n")
    return "".join(lines)


def devices(text: str) -> str:
    """zfs-fuse names a disk dsk/c0t1d0s0 in a tree; both systems c0t1d0s0."""
    lines = []
    for line in text.splitlines(True):
        name = line.strip().partition(" ")[0]
        lines.append(line.replace(name, name[4:] + "    ", 1) if name.startswith("dsk/") else line)
    return "".join(lines)


def status(text: str) -> str:
    return devices(text).replace("\n scrub: ", "\n  scan: ")


def listing(text: str, base: str, indented: bool) -> str:
    """`zpool import` without operands; illumos has a blank more before each key but see."""
    text = devices(text).replace(MESSAGES, base)
    if not indented:
        return text
    keys = ("  pool:", "    id:", " state:", "status:", "action:", "config:")
    return "".join((" " + line if line.startswith(keys) else line) for line in text.splitlines(True))


def refusal(text: str, newer: bool) -> str:
    """Why a pool is not imported. `newer`: illumos since 2019 has three lines where others have two."""
    head, middle, tail = text.partition(": pool may be in use from other system, it was last accessed by ")
    if not middle or not newer:
        return text
    who, _, when = tail.partition("\n")[0].partition(" on ")
    host, _, number = who.partition(" (hostid: 0x")
    return (f"{head}: pool was previously in use from another system.\n"
            f"Last accessed by {host} (hostid={number.rstrip(')')}) at {when}\n"
            "The pool can be imported, use 'zpool import -f' to import the pool.\n")
