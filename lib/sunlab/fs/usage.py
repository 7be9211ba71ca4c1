"""Numbers and columns of df(8) (cmd/fs.d/df.c). Pure. XPG4's are those of Solaris 11.4."""
from __future__ import annotations

SPECIAL, POINT, DEVICE, BLOCKS, CAPACITY, KIND = 20, 19, 18, 8, 9, 8


class Space:
    """What statvfs(2) says, in units of `unit` bytes."""

    def __init__(self, unit: int, blocks: int, free: int, available: int, files: int, free_files: int) -> None:
        self.unit, self.blocks, self.free, self.available = unit, blocks, free, available
        self.files, self.free_files = files, free_files

    @property
    def used(self) -> int:
        return self.blocks - self.free

    @property
    def capacity(self) -> str:
        reserved = self.free - self.available
        share = self.used / (self.blocks - reserved) * 100 + 0.5 if self.blocks - reserved > 0 else 0.0
        return f"{share:5.0f}%"

    def kilobytes(self, number: int) -> int:
        return number * self.unit // 1024

    def sectors(self, number: int) -> int:
        return number * self.unit // 512


def scaled(number: int, unit: int) -> str:
    """With one letter, and one decimal below 10."""
    number, before, letters = number * unit // 1024, 0, "KMGTPE"
    while number >= 1024 and len(letters) > 1:
        letters, before, number = letters[1:], number, (number + 512) // 1024
    if before and before // 1024 < 10:
        return f"{before / 1024:2.1f}{letters[0]}"
    return f"{number:4}{letters[0]}"


def header_k(posix: bool) -> str:
    if posix:
        return (f"{'Filesystem':<{SPECIAL}} {'1024-blocks':>11} {'Used':>11} {'Available':>10} {'Capacity':<9} "
                "Mounted on\n")
    return f"{'Filesystem':<{SPECIAL}} {'kbytes':>7} {'used':>7} {'avail':>6} {'capacity':<{CAPACITY}} Mounted on\n"


def header_h(posix: bool) -> str:
    if posix:
        return (f"{'Filesystem':<{SPECIAL}} {'Size':>6} {'Used':>6} {'Available':>10} {'Capacity':<{CAPACITY}} "
                "Mounted on\n")
    return f"{'Filesystem':<{SPECIAL}} {'size':>6} {'used':>6} {'avail':>6} {'capacity':<{CAPACITY}} Mounted on\n"


def row_k(special: str, point: str, space: Space, posix: bool) -> str:
    wide, avail = (11, 10) if posix else (7, 6)
    size, used, rest = (space.kilobytes(one) for one in (space.blocks, space.used, space.available))
    return f"{special:<{SPECIAL}} {size:>{wide}} {used:>{wide}} {rest:>{avail}} {space.capacity:<{CAPACITY}} {point}\n"


def row_h(special: str, point: str, space: Space, posix: bool) -> str:
    avail = 10 if posix else 6
    size, used, rest = (scaled(one, space.unit) for one in (space.blocks, space.used, space.available))
    return f"{special:<{SPECIAL}} {size:>6} {used:>6} {rest:>{avail}} {space.capacity:<{CAPACITY}} {point}\n"


def row(special: str, point: str, space: Space) -> str:
    """Without options."""
    return (f"{point:<{POINT}}({special:<{DEVICE}}):{space.sectors(space.free):>{BLOCKS}} blocks "
            f"{space.free_files:>{BLOCKS}} files\n")


def rows_t(special: str, point: str, space: Space) -> str:
    return (f"{point:<{POINT}}({special:<{DEVICE}}): {space.sectors(space.free):>{BLOCKS}} blocks "
            f"{space.free_files:>{BLOCKS}} files\n{'total':>{POINT + DEVICE + 2}}: "
            f"{space.sectors(space.blocks):>{BLOCKS}} blocks {space.files:>{BLOCKS}} files\n")
