"""mount(8): what is mounted, and the generic half of mounting; types are in sunlab.fs (cmd/fs.d/mount.c)."""
from __future__ import annotations

import getopt
import os
import sys
import time

from sunlab import linux
from sunlab.fs import options, table, vfstab

USAGE = """Usage:
mount [-v | -p]
mount [-F FSType] [-V] [current_options] [-o specific_options]
\t{special | mount_point}
mount [-F FSType] [-V] [current_options] [-o specific_options]
\tspecial mount_point
mount -a [-F FSType ] [-V] [current_options] [-o specific_options]
\t[mount_point ...]
"""


class Refused(Exception):
    """The text for standard error; `status`: the exit status."""

    def __init__(self, text: str, status: int = 1) -> None:
        super().__init__(text)
        self.status = status


def main(argv: list[str]) -> int:
    try:
        try:
            pairs, operands = getopt.getopt(argv, "acF:gmno:pqrvVO")
        except getopt.GetoptError as problem:
            raise Refused(f"mount: illegal option -- {problem.opt}\n{USAGE}") from None
        said = dict(pairs)
        check(said, operands)
        if not operands and "-a" not in said:
            show("-v" in said, "-p" in said)
            return 0
        if "-a" in said and len(operands) != 1:
            return mount_all(said, operands)
        return mount_one(said, operands)
    except Refused as refused:
        sys.stderr.write(str(refused))
        return refused.status


def check(said: dict[str, str], operands: list[str]) -> None:
    """Raises Refused."""
    if "-a" not in said and len(operands) > 2:
        raise Refused(USAGE)
    if len({"-p", "-v", "-a"} & set(said)) > 1:
        raise Refused(f"mount: -a, -p, and -v are mutually exclusive\n{USAGE}")
    if "-a" in said and "-O" in said:
        raise Refused(f"mount: -a and -O are mutually exclusive\n{USAGE}")
    if not operands and "-a" not in said and {"-c", "-m", "-o", "-r", "-q", "-F"} & set(said):
        raise Refused(USAGE)
    if operands and {"-p", "-v"} & set(said):
        raise Refused(f"mount: Cannot use -p and -v with arguments\n{USAGE}")
    if "-g" in said:
        raise Refused("mount: sunlab: -g (global file systems) is not modelled in this lab\n")


def show(long: bool, as_vfstab: bool) -> None:
    remote = vfstab.remote_kinds()
    for one in table.read():
        when = time.strftime("%a %b %e %H:%M:%S %Y", time.localtime(one.time))
        far = "remote/" if one.kind in remote else ""
        if as_vfstab:
            line = f"{one.special} - {one.point} {one.kind} - no {options.without_device(one.options)}"
        elif long:
            line = f"{one.special} on {one.point} type {one.kind} {far}{options.told(one.options, True)} on {when}"
        else:
            line = f"{one.point} on {one.special} {far}{options.told(one.options, False)} on {when}"
        sys.stdout.write(line + "\n")


def known_entries() -> list[vfstab.Entry]:
    """Those of vfstab; lines that are wrong are told. Raises Refused."""
    try:
        found, wrong = vfstab.read()
    except OSError:
        raise Refused(f"mount: Cannot open {vfstab.FILE}\n") from None
    for special, which in wrong:
        sys.stderr.write(f"mount: Warning: Line for \"{special}\" in vfstab has too {which} entries\n")
    return found


def mount_one(said: dict[str, str], operands: list[str]) -> int:
    """With what vfstab says where the command line does not. Raises Refused."""
    kind, words = said.get("-F", ""), said.get("-o", "")
    special, point = operands if len(operands) == 2 else ("", operands[0])
    if not (kind and words and special):
        found = known_entries()
        entry = vfstab.match(found, special, point, kind)
        if entry is None and not special:
            special, point = point, ""
            entry = vfstab.match(found, special, "", kind)
            if entry is None:
                raise Refused(f"mount: cannot stat {special}\n" if not os.path.exists(special) else
                              "mount: mount point cannot be determined\n" if special.startswith("/dev/") else
                              "mount: special cannot be determined\n", 1 if os.path.exists(special) else 2)
        if entry is not None:
            kind, special, point = kind or entry.kind, special or entry.special, point or entry.point
            words = words or entry.options
    kind = kind or vfstab.default_kind(special)
    return of_type(kind, special, checked(kind, point), words, said)


def checked(kind: str, point: str) -> str:
    """The mount point without symbolic links. Raises Refused."""
    if len(kind) > 8:
        raise Refused(f"mount: FSType {kind} exceeds 8 characters\n")
    if not point:
        raise Refused("mount: Mount point cannot be determined\n")
    if not point.startswith("/"):
        raise Refused(f"mount: Mount point {point} is not an absolute pathname.\n")
    if not os.path.exists(point):
        raise Refused(f"mount: Mount point {point} does not exist.\n")
    return os.path.realpath(point)


def of_type(kind: str, special: str, place: str, words: str, said: dict[str, str]) -> int:
    """Raises Refused."""
    if "-V" in said:
        line = ["mount", "-F", kind, *(flag for flag in ("-m", "-q") if flag in said),
                *(["-o", words] if words else []), *(flag for flag in ("-O", "-r") if flag in said), special, place]
        sys.stdout.write(" ".join(line) + "\n")
        return 0
    chosen = options.split(words) + (["ro"] if "-r" in said else [])
    if kind == "ufs":
        from sunlab.fs import ufs
        return ufs.mount(special, place, chosen, "-O" in said, "-q" in said)
    if kind == "nfs":
        from sunlab.fs import nfs
        return nfs.mount(special, place, chosen, "-O" in said, "-q" in said)
    if kind == "lofs" or kind == "tmpfs":
        return plain(kind, special, place, chosen)
    if kind == "zfs":
        raise Refused("mount: sunlab: type zfs is not modelled in this lab; use zfs mount\n")
    raise Refused(f"mount: Operation not applicable to FSType {kind}\n")


def plain(kind: str, special: str, place: str, chosen: list[str]) -> int:
    """A lofs or tmpfs."""
    try:
        if kind == "lofs":
            linux.mount(os.path.realpath(special), place, "", linux.MS_BIND)
        flags = options.flags(chosen)
        if kind == "tmpfs":
            sizes = [f"size={word[5:]}" for word in chosen if word.startswith("size=")]
            linux.mount(special, place, "tmpfs", flags, ",".join(sizes))
        elif flags:
            linux.mount("none", place, "", flags | linux.MS_BIND | linux.MS_REMOUNT)
        table.note(place, kind, ",".join(["ro" if flags & linux.MS_RDONLY else "rw",
                                          *(word for word in chosen if word not in ("ro", "rw"))]), int(time.time()))
    except OSError as problem:
        sys.stderr.write(f"mount: {special}: {os.strerror(problem.errno or 0)}\n")
        return 32
    return 0


def mount_all(said: dict[str, str], points: list[str]) -> int:
    """What vfstab has as mounted at boot, or at those mount points; upper ones first. Raises Refused."""
    kind, status = "" if points else said.get("-F", ""), 0
    found = known_entries()
    chosen = [one for one in found if one.point and one.kind != "swap" and kind in ("", one.kind)
              and (one.point in points if points else one.at_boot == "yes")]
    for point in points:
        if not any(one.point == point for one in found):
            sys.stderr.write(f"mount: Warning: {point} not found in {vfstab.FILE}\n")
            status = 1
    if points and not chosen:
        raise Refused(f"mount: No valid entries found in {vfstab.FILE}\n")
    for one in sorted(chosen, key=lambda entry: entry.point.rstrip("/").count("/")):
        try:
            if not os.path.exists(one.point):
                raise Refused(f"mount: Nonexistent mount point: {one.point}\n")
            failed = of_type(one.kind, one.special, checked(one.kind, one.point), said.get("-o", one.options), said)
        except Refused as refused:
            sys.stderr.write(str(refused))
            failed = refused.status
        status = failed or status
    return status
