"""A controller's watchdog as ipmitool(1) reaches it: where the command is, how it is called, what the host lacks."""
import os
import shutil
from typing import List, Optional

from sundog.config.model import Watchdog

#: Pre-timeout interrupts of Set Watchdog Timer (IPMI 2.0, 27.6, byte 2).
INTERRUPTS = {"none": 0, "nmi": 2, "message": 3}
_IPMITOOL = ("/usr/sbin/ipmitool", "/usr/bin/ipmitool", "/opt/ooce/bin/ipmitool")


def program() -> Optional[str]:
    """Where ipmitool is on this host."""
    return next((path for path in _IPMITOOL if shutil.which(path)), None)


def missing(watchdog: Watchdog) -> List[str]:
    """What this host lacks to reach its controller, as sentences."""
    lacks = []
    if program() is None:
        lacks.append("protection.watchdog: there is no ipmitool on this host; pkg install ipmitool")
    path = watchdog.password_file
    if path and not os.path.isfile(path):
        lacks.append(f"protection.watchdog.password_file: {path} is not there; write the controller's password into it")
    elif path and os.stat(path).st_mode & 0o077:
        lacks.append(f"protection.watchdog.password_file: {path} can be read by others; chmod 600 {path}")
    return lacks


def ipmitool(watchdog: Watchdog, node: str) -> List[str]:
    """How ipmitool(1) is called for this node's controller, without the command.

    One try, as failfast tries again by itself.
    """
    words = [program() or _IPMITOOL[0], "-I", watchdog.interface]
    if watchdog.interface == "lanplus":
        words += ["-H", watchdog.addresses[node], "-U", watchdog.user, "-f", watchdog.password_file, "-R", "1"]
        words += [] if watchdog.cipher is None else ["-C", str(watchdog.cipher)]
    return words
