"""ifconfig(8): refused; a lab node is configured with ipadm(8)."""
from __future__ import annotations

import sys


def main(argv: list[str]) -> int:
    sys.stderr.write("ifconfig: not modelled in this lab: use ipadm show-if, ipadm show-addr, ipadm create-addr -t\n")
    return 1
