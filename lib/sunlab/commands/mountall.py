"""mountall(8): checks and mounts what vfstab has as mounted at boot: -F TYPE, -l (local ones), -r (remote ones)."""
from __future__ import annotations

import getopt
import sys

from sunlab.commands import fsck, mount
from sunlab.fs import check, table, vfstab

USAGE = "Usage:\nmountall [-F FSType] [-l|-r] [file_system_table]\n"


def main(argv: list[str]) -> int:
    try:
        pairs, operands = getopt.getopt(argv, "F:lr")
    except getopt.GetoptError:
        pairs, operands = [], ["", ""]
    said = dict(pairs)
    if len(operands) > 1 or {"-l", "-r"} <= set(said):
        sys.stderr.write(USAGE)
        return 2
    if operands:
        sys.stderr.write("mountall: sunlab: another file than /etc/vfstab is not modelled in this lab\n")
        return 1
    remote = vfstab.remote_kinds()
    found = [one for one in vfstab.read()[0] if one.at_boot == "yes" and one.point
             and said.get("-F", one.kind) == one.kind
             and not ("-l" in said and one.kind in remote) and not ("-r" in said and one.kind not in remote)]
    status = 0
    for one in sorted(found, key=lambda entry: entry.point.count("/")):
        if not table.last(table.read(), special=one.special, point=one.point):
            status = (checked(one) or mount.main(["-F", one.kind, *(["-o", one.options] if one.options else []),
                                                  one.special, one.point])) or status
    return status


def checked(one: vfstab.Entry) -> int:
    """A UFS that needs it is checked; the exit status of a check that failed."""
    if one.kind != "ufs" or not one.raw:
        return 0
    sane = fsck.main(["-F", "ufs", "-m", one.raw])
    if sane != check.NEEDS_CHECK:
        return sane
    sys.stdout.write(f"{one.raw} is being checked.\n")
    return fsck.main(["-F", "ufs", "-o", "p", one.raw])
