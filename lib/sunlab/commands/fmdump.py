"""fmdump(8): the fault log, one line an event; -v with the resource; -u one case."""
from __future__ import annotations

import sys
import time

from sunlab.fault import log

USAGE = "Usage: fmdump [-v] [-u uuid]\n"


def main(argv: list[str]) -> int:
    letters = "".join(word[1:] for word in argv if word.startswith("-"))
    if set(letters) - set("vu"):
        sys.stderr.write(f"fmdump: -{sorted(set(letters) - set('vu'))[0]}: not modelled in this lab\n{USAGE}")
        return 2
    wanted = argv[argv.index("-u") + 1:][:1] if "-u" in argv else []
    found = [fault for fault in log.kept() if not wanted or fault.uuid in wanted]
    if not found:
        sys.stderr.write("fmdump: warning: /var/fm/fmd/fltlog is empty\n")
        return 0
    sys.stdout.write("TIME                 UUID                                 SUNW-MSG-ID EVENT\n")
    for fault in found:
        at = time.strftime("%b %d %H:%M:%S", time.localtime(fault.at)) + f".{int(fault.at % 1 * 10000):04d}"
        event = {"faulty": "Diagnosed", "repaired": "Repaired", "acquitted": "Resolved"}[fault.status]
        sys.stdout.write(f"{at:<20} {fault.uuid} {fault.code} {event}\n")
        if "v" in letters:
            sys.stdout.write(f"  100%  {fault.kind}\n\n        Problem in: {fault.resource}\n"
                             f"           Affects: {fault.resource}\n               FRU: -\n          Location: -\n\n")
    return 0
