"""How sundog-failfast begins: what it is called with, that it is the only one, and its parts put together.

Standard library only, beside failfast.py. What is asked wrongly, or for help, is answered before anything is touched:
a second failfast that took the socket would leave the first with a deadline that nobody moves, and the host is reset.
"""
from __future__ import annotations

import errno
import fcntl
import os
import signal
import sys

from sundog.daemon.failfast import (
    FMRI,
    Keeper,
    Ready,
    asked_to_end,
    be_urgent,
    complain,
    listen,
    lock_in_memory,
    now,
    reset,
    serve,
)

OK, AGAIN, USAGE = 0, 1, 2
LOCK = "/var/run/sundog/failfast.lock"
USED = "usage: sundog-failfast [-h]\n"
HELP = USED + """
Holds the deadline by which sundogd must have renewed this host's lease, and resets the host when it has not.
SMF runs it, without arguments and once on a host.

options:
  -h, --help  show this and end

examples:
  svcadm enable svc:/system/sundog/failfast:default
  sundog status --json | jq .host.failfast              # its pid, and what it was told

exit status:
  0  it has ended as SMF asked, with nothing held
  1  it cannot begin, or another one runs on this host; SMF tries again
  2  called with arguments: nothing was touched
"""


def only_one(path: str = LOCK) -> bool:
    """Is this the only failfast of this host? It stays that until the process ends, however it ends. Raises OSError.

    The lock is the process's, not its children's (fcntl(2)): what outlives it for a moment stops no restart.
    """
    os.makedirs(os.path.dirname(path), 0o755, exist_ok=True)
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)        # never closed: that would give it up
    try:
        fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EAGAIN):
            return False
        # A host without a failfast is worse off than one that may have two.
        complain("warning: %s cannot be locked (%s): take care that there is one failfast" % (path, error.strerror))
    return True


def main(arguments: list[str] | None = None) -> int:
    given = sys.argv[1:] if arguments is None else arguments
    if "-h" in given or "--help" in given:
        sys.stdout.write(HELP)
        return OK
    if given:
        sys.stderr.write(USED)
        complain("takes no arguments; sundog-failfast --help tells what it is")
        return USAGE
    try:
        if not only_one():
            complain("another sundog-failfast runs on this host, and goes on; svcs -p %s" % FMRI)
            return AGAIN
    except OSError as error:
        complain("%s: %s; SMF runs it as root" % (error.filename, error.strerror))
        return AGAIN
    return hold()


def hold() -> int:
    """Be the failfast of this host, until SMF wants it gone and nothing is held."""
    be_urgent()
    ready = Ready()
    sock = listen()
    keeper = Keeper()
    signal.signal(signal.SIGTERM, lambda *_: asked_to_end(keeper))
    lock_in_memory()
    if keeper.at is not None:
        complain("holding again a deadline in %.3f s" % (keeper.at - now()))
    serve(sock, keeper, lambda how: reset(how, ready))
    return OK


if __name__ == "__main__":
    sys.exit(main())
