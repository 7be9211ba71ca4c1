"""halt(8), at once as `halt -n -q` does."""

from sunlab import linux


def main(argv: "list[str]") -> int:
    linux.power_off()
    return 1
