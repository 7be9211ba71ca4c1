"""useradd, usermod, roleadd, rolemod(8): accounts with their profiles, authorisations and roles."""
from __future__ import annotations

import sys

from sunlab.rbac.accounts import run


def main(argv: list[str]) -> int:
    return run(sys.argv[0].rpartition("/")[2], argv)
