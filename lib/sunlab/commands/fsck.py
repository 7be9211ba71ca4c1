"""fsck(8): the generic half (cmd/fs.d/fsck.c); type ufs is sunlab.fs.check."""
from __future__ import annotations

import getopt
import os
import sys

from sunlab.fs import check, vfstab

USAGE = """Usage:
fsck [-F FSType] [-V] [-m] [special ...]
fsck [-F FSType] [-V] [-y|Y|n|N] [-o specific_options] [special ...]
"""


def main(argv: list[str]) -> int:
    try:
        pairs, operands = getopt.getopt(argv, "F:mnNo:vVyY")
    except getopt.GetoptError as problem:
        sys.stderr.write(f"fsck: illegal option -- {problem.opt}\n{USAGE}")
        return 1
    names = [name for name, _ in pairs]
    said = dict(pairs)
    kind = said.get("-F", "")
    if len(kind) > 8:
        sys.stderr.write(f"fsck: Fstype {kind} exceeds 8 characters\n")
        return 1
    if names.count("-F") > 1:
        sys.stderr.write(f"fsck: more than one fstype specified\n{USAGE}")
        return 1
    if "-m" in names and len(set(names) & {"-n", "-N", "-o", "-v", "-y", "-Y"}) > 0:
        sys.stderr.write(USAGE)
        return 1
    try:
        chosen = [named(one, kind) for one in operands] if operands else listed(kind)
    except OSError:
        sys.stderr.write("fsck: cannot open vfstab\n")
        return 1
    return max([one_of(special, of, names, said.get("-o", "")) for special, of in chosen], default=0)


def listed(kind: str) -> list[tuple[str, str]]:
    """Devices and types that vfstab has as to be checked. Raises OSError."""
    return [(one.raw, one.kind) for one in vfstab.read()[0]
            if one.raw and one.fsck_pass.isdigit() and int(one.fsck_pass) >= 1 and kind in ("", one.kind)]


def named(special: str, kind: str) -> tuple[str, str]:
    """The device to check and its type: a mount point, a raw or a block device. Raises OSError."""
    if kind:
        return special, kind
    found = vfstab.read()[0]
    entry = vfstab.match(found, point=special)
    if entry is not None:
        return entry.raw or special, entry.kind
    entry = vfstab.match(found, raw=special) or vfstab.match(found, special=special)
    return special, entry.kind if entry else vfstab.default_kind(special)


def one_of(special: str, kind: str, names: list[str], suboptions: str) -> int:
    if "-V" in names:
        flags = [name for name in names if name not in ("-F", "-V", "-o")]
        sys.stdout.write(" ".join(["fsck", "-F", kind, *flags, *(["-o", suboptions] if suboptions else []), special])
                         + "\n")
        return 0
    if kind != "ufs":
        sys.stderr.write(f"fsck: operation not applicable to FSType {kind}\n")
        return 1
    words = suboptions.split(",") if suboptions else []
    if any(word not in ("p", "f", "w") for word in words):
        if any(word.startswith("b=") for word in words):
            sys.stderr.write("fsck: sunlab: -o b= is not modelled in this lab\n")
        else:
            sys.stderr.write(check.USAGE)
        return check.BAD_USE
    if "w" in words and not writable(special):
        sys.stderr.write(f"not writeable '{special}'\n")
        return check.BAD_USE
    answers = [name for name in names if name in ("-n", "-N", "-y", "-Y")]
    answer = {"n": "no", "y": "yes"}[answers[-1][1].lower()] if answers else ""
    return check.Check(special, answer, "-m" in names, "p" in words, "f" in words).run()


def writable(special: str) -> bool:
    entry = vfstab.match(vfstab.read()[0], special=check.DSK + os.path.basename(special), kind="ufs")
    return entry is None or "ro" not in entry.options.split(",")
