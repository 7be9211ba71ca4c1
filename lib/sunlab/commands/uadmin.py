"""uadmin(8): reset or halt the node at once. Nothing is stopped in an orderly way, nothing is printed."""
import sys

from sunlab import linux

RESET = {("2", "1"), ("1", "1"), ("5", "1")}            # A_SHUTDOWN, A_REBOOT and A_DUMP with AD_BOOT
OFF = {("2", "0"), ("1", "0"), ("2", "6"), ("1", "6")}  # AD_HALT, AD_POWEROFF


def main(argv: "list[str]") -> int:
    wanted = tuple(argv[:2])
    if wanted in RESET:
        linux.restart()
    elif wanted in OFF:
        linux.power_off()
    else:
        sys.stderr.write(f"uadmin: {' '.join(argv) or 'no operation'}: not modelled in this lab\n")
    return 1
