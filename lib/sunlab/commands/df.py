"""df(8): free space of what is mounted, with -F -h -k -l -n -t -b -e -a -Z; the other options are not modelled."""
from __future__ import annotations

import getopt
import os
import sys

from sunlab import platform
from sunlab.fs import table, usage, vfstab

USAGE = "Usage: df [-F FSType] [-abeghklntVvZ] [-o FSType-specific_options] [directory | block_device | resource]\n"


def main(argv: list[str]) -> int:
    try:
        pairs, operands = getopt.getopt(argv, "F:o:abehkVtgnlvZP")
    except getopt.GetoptError as problem:
        sys.stderr.write(f"df: unknown option: {problem.opt}\n{USAGE}")
        return 1
    said = dict(pairs)
    for name in ("-g", "-o", "-V", "-v", "-P"):
        if name in said:
            sys.stderr.write(f"df: sunlab: {name} is not modelled in this lab\n")
            return 1
    mounts = table.read()
    chosen: list[table.Mounted] = []
    errors = 0
    for operand in operands:
        found = named(mounts, operand)
        if found is None:
            sys.stderr.write(f"df: ({operand:<10}) not a block device, directory or mounted resource\n")
            errors += 1
        else:
            chosen.append(found)
    if not operands:
        chosen = mounts
    kept = []
    for one in chosen:
        warning = unwanted(one, said)
        if warning and operands:
            sys.stderr.write(f"df: Warning: {warning}\n")
            errors += 1
        elif not warning:
            kept.append(one)
    return errors + show(kept, said)


def named(mounts: list[table.Mounted], operand: str) -> table.Mounted | None:
    """A file or directory stands for what it is on; else it is a device or a resource."""
    found = table.last(mounts, special=operand)
    if found is not None or operand.startswith(("/dev/dsk/", "/dev/rdsk/")):
        return found
    try:
        device = os.stat(operand).st_dev
    except OSError:
        return None
    place = os.path.realpath(operand)
    held = [one for one in mounts if one.device == device]
    return max((one for one in held if place == one.place or place.startswith(one.place.rstrip("/") + "/")),
               key=lambda one: len(one.place), default=held[-1] if held else None)


def unwanted(one: table.Mounted, said: dict[str, str]) -> str:
    """Why the options leave it out, or nothing."""
    if said.get("-F", one.kind) != one.kind:
        return f"{one.point} mounted as a {one.kind} file system"
    return f"{one.point} is not a local file system" if "-l" in said and one.kind in vfstab.remote_kinds() else ""


def show(mounts: list[table.Mounted], said: dict[str, str]) -> int:
    """Rows, the header before the first; how many could not be asked."""
    posix, errors, headed = platform.here().df_posix, 0, False
    for one in mounts:
        if "-n" in said and not {"-h", "-k", "-t", "-b", "-e"} & set(said):
            sys.stdout.write(f"{one.point:<19}: {one.kind:<8}\n")
            continue
        try:
            found = os.statvfs(one.place)
        except OSError as problem:
            sys.stderr.write(f"df: cannot statvfs {one.point}: {problem.strerror}\n")
            errors += 1
            continue
        space = usage.Space(found.f_frsize, found.f_blocks, found.f_bfree, found.f_bavail, found.f_files, found.f_ffree)
        head, line = rows(one, space, said, posix)
        sys.stdout.write(line if headed else head + line)
        headed = True
    return errors


def rows(one: table.Mounted, space: usage.Space, said: dict[str, str], posix: bool) -> tuple[str, str]:
    """Header and row, as the first option in this order has them."""
    if "-h" in said:
        return usage.header_h(posix), usage.row_h(one.special, one.point, space, posix)
    if "-k" in said:
        return usage.header_k(posix), usage.row_k(one.special, one.point, space, posix)
    if "-t" in said:
        return "", usage.rows_t(one.special, one.point, space)
    free_kb = space.kilobytes(space.free)
    if {"-b", "-e"} <= set(said):
        before = f"{one.point:<19}({one.special:<18}): "
        return "", f"{before}{free_kb:>8} kilobytes\n{before}{space.free_files:>8} files\n"
    if "-b" in said:
        return f"{'Filesystem':<20} {'avail':>8}\n", f"{one.special:<20} {free_kb:>8}\n"
    if "-e" in said:
        return f"{'Filesystem':<20} {'ifree':>8}\n", f"{one.special:<20} {space.free_files:>8}\n"
    return "", usage.row(one.special, one.point, space)
