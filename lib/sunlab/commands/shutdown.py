"""shutdown(8): warns, waits, and asks init for the run level (/usr/sbin/shutdown)."""
import os
import sys
import time

from sunlab.smf.client import ask

USAGE = 'Usage: shutdown [ -y ] [ -g<grace> ] [ -i<initstate> ] [ message ]\n'
LEVELS = "0123456sS"
LAST_S = 60         # before the end the warning comes again


def main(argv: "list[str]") -> int:
    words, grace, level, asks = list(argv), 60, "s", True
    while words and words[0][:1] == "-" and len(words[0]) > 1:
        word = words.pop(0)
        letter, value = word[1], word[2:]
        if letter == "y" and not value:
            asks = False
            continue
        value = value or (words.pop(0) if words else "")
        if letter == "g" and value.isdigit():
            grace = int(value)
        elif letter == "i" and value and value in LEVELS:
            level = value
        else:
            sys.stderr.write(USAGE)
            return 1
    if os.getuid() != 0:
        sys.stderr.write("shutdown:  Only root can run shutdown.\n")
        return 2
    sys.stdout.write(f"\nShutdown started.    {now()}\n\n")
    sys.stdout.flush()
    return come_down(grace, level, asks, " ".join(words))


def now() -> str:
    return time.strftime("%A, %B %e, %Y %I:%M:%S %p UTC", time.gmtime())


def come_down(grace: int, level: str, asks: bool, message: str) -> int:
    if grace:
        warn(grace, message)
        time.sleep(max(0, grace - LAST_S))
        if grace > LAST_S:
            warn(LAST_S, message)
        time.sleep(min(grace, LAST_S))
    if asks:
        sys.stdout.write("Do you want to continue? (y or n):   ")
        sys.stdout.flush()
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            sys.stdout.write("False Alarm:  The system will not be brought down.\nShut down aborted.\n")
            return 1
    sys.stdout.write(f"Changing to init state {level} - please wait\n")
    sys.stdout.flush()
    return ask("init", [level])


def warn(seconds: int, message: str) -> None:
    span = f"{seconds // 60} minute{'s' if seconds // 60 != 1 else ''}" if seconds % 60 == 0 else f"{seconds} seconds"
    host = os.uname().nodename
    sys.stdout.write(f"Broadcast Message from root on {host} {time.strftime('%a %b %e %H:%M:%S')}...\n"
                     f"The system {host} will be shut down in {span}\n{message}\n")
    sys.stdout.flush()
