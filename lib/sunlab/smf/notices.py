"""What svc.startd tells the administrator: /var/svc/log/svc.startd.log and syslog (cmd/svc/startd/log.c)."""
from __future__ import annotations

import os
import socket
import time
from collections import deque
from typing import Deque

from sunlab.smf.orders import MethodDone
from sunlab.syslog.message import FACILITIES, LEVELS, LONG, id_of

DOOR = "/dev/log"
_SEE = "(see 'svcs -xv' for details)"


class Notices:
    def __init__(self, folder: str, door: str = DOOR) -> None:
        self.path = os.path.join(folder, "svc.startd.log")
        self.door = door
        self.waiting: Deque[bytes] = deque(maxlen=200)      # until syslogd listens: Solaris' kernel keeps them so long

    def tell(self, level: str, form: str, *values: object) -> None:
        """`form`: svc.startd's own printf(3C) format, from which the message ID is made."""
        text = form.replace("%ld", "%d") % values
        stamp = time.strftime("%b %e %H:%M:%S")
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(f"{stamp}/{os.getpid()}: {text}\n")
        priority = FACILITIES["daemon"] << 3 | LEVELS.index(level)
        self.waiting.append(f"<{priority}>{stamp} svc.startd[{os.getpid()}]: "
                            f"[ID {id_of(form)} daemon.{LONG.get(level, level)}] {text}".encode())
        self.flush()

    def flush(self) -> None:
        """Send what waits for syslogd, as far as it listens and keeps up."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sender:
            while self.waiting:
                try:
                    sender.sendto(self.waiting[0], self.door)
                except OSError:
                    return
                self.waiting.popleft()


def in_maintenance(aux: str, last: MethodDone | None) -> str | None:
    """How log_transition() says why an instance is in maintenance; None where it says nothing."""
    if aux == "restarting_too_quickly":
        said = "failed repeatedly: "
    elif aux == "fault_threshold_reached":
        said = "failed: "
    elif aux == "method_failed":
        code = last.code if last is not None and not last.signal else 0
        timed_out = last is not None and (last.timed_out or last.lingered)
        said = "timed out: " if timed_out else {96: "misconfigured: ", 95: "failed fatally: "}.get(code, "failed: ")
    elif aux in ("administrative_request", "service_request"):
        return f"transitioned to maintenance by request {_SEE}"
    else:
        return None
    return f"{said}transitioned to maintenance {_SEE}"
