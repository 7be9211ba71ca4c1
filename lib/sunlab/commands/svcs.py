"""svcs: asks svc.startd over its door."""
from typing import List

from sunlab.smf.client import ask


def main(argv: List[str]) -> int:
    return ask("svcs", argv)
