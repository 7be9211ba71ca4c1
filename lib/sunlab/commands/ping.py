"""ping(8) in its plain form, `ping HOST [TIMEOUT]`: alive or no answer. With options it is the host's own ping."""
from __future__ import annotations

import os
import sys

REAL = "/usr/bin/ping"


def main(argv: list[str]) -> int:
    if argv and argv[0].startswith("-"):
        os.execv(REAL, ["ping", *argv])
    if not argv or len(argv) > 2 or len(argv) == 2 and not argv[1].isdigit():
        sys.stderr.write("usage: ping host [timeout]\n")
        return 1
    host, timeout = argv[0], argv[1] if len(argv) == 2 else "20"
    null = os.open("/dev/null", os.O_RDWR)
    child = os.posix_spawn(REAL, ["ping", "-q", "-n", "-c", "1", "-w", timeout, host], dict(os.environ), file_actions=[
        (os.POSIX_SPAWN_DUP2, null, 1), (os.POSIX_SPAWN_DUP2, null, 2)])
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if ended == 0:
        sys.stdout.write(f"{host} is alive\n")
        return 0
    if ended == 1:
        sys.stdout.write(f"no answer from {host}\n")
    else:
        sys.stderr.write(f"ping: unknown host {host}\n")
    return 1
