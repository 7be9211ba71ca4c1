"""uadmin(8): A_REBOOT (1) and A_DUMP (5) at once, A_SHUTDOWN (2) after the processes are killed and disks flushed."""
import os
import sys

from sunlab import ending

#: AD_HALT, AD_BOOT, AD_POWEROFF, AD_FASTREBOOT
FUNCTIONS = {"0": "halt", "1": "reboot", "6": "power off", "8": "reboot"}


def main(argv: "list[str]") -> int:
    words = [word for word in argv if word not in ("-n", "-u", "-nu")]
    if len(words) not in (2, 3) or not all(word.isdigit() for word in words[:2]):
        sys.stderr.write("Usage: uadmin [-nu] cmd fcn [mdep]\n")
        return 1
    if os.getuid() != 0:
        sys.stderr.write("uadmin: Not owner\n")
        return 1
    command, function = words[:2]
    if command not in ("1", "2", "5") or function not in FUNCTIONS:
        sys.stderr.write("uadmin: Invalid argument\n" if command not in ("3", "4", "7", "16", "23", "25")
                         else f"uadmin: {command} {function}: not modelled in this lab\n")
        return 1
    if command == "2":
        ending.kill_all()
        ending.flush()
    ending.act("reboot" if command == "5" else FUNCTIONS[function])
    return 1
