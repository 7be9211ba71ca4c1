"""zonename(1): the zone that this runs in."""
from __future__ import annotations

import sys


def main(argv: list[str]) -> int:
    try:
        with open("/run/zonename") as file:
            sys.stdout.write(file.read())
    except FileNotFoundError:
        sys.stdout.write("global\n")
    return 0
