"""reboot(8), at once as `reboot -n -q` does; the orderly stop of init 6 is not modelled in this lab."""

from sunlab import linux


def main(argv: "list[str]") -> int:
    linux.restart()
    return 1
