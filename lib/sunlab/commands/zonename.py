"""zonename(1): the zone this runs in."""
import os
import sys
from typing import List


def main(argv: List[str]) -> int:
    # Only a zone has no /etc/zones of its own node: its init was told its name, which is its host name.
    name = "global" if os.path.isdir("/etc/zones") or os.path.exists("/var/log/zfs-fuse.log") else os.uname().nodename
    sys.stdout.write(name + "\n")
    return 0
