"""zonename(1): the zone that this runs in."""
from __future__ import annotations

import sys

from sunlab.zones import registry


def main(argv: list[str]) -> int:
    sys.stdout.write(f"{registry.inside() or 'global'}\n")
    return 0
