"""halt(8), at once as `halt -n -q` does."""
from typing import List

from sunlab import linux


def main(argv: List[str]) -> int:
    linux.power_off()
    return 1
