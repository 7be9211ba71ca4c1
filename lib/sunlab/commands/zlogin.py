"""zlogin(1): enter a zone, for a command, a session at a terminal, or its console. Sentences and statuses: zlogin.c."""
from __future__ import annotations

import os
import sys

from sunlab.net.columns import Usage, options
from sunlab.zones import registry

USAGE = "usage: zlogin [ -nQCES ] [ -e cmdchar ] [-l user] zonename [command [args ...] ]\n"
ORDER = ("configured", "incomplete")


def fail(text: str) -> int:
    sys.stderr.write(f"zlogin: {text}\n")
    return 1


def misused(text: str = "") -> int:
    sys.stderr.write((f"zlogin: {text}\n" if text else "") + USAGE)
    return 2


def objection(given: dict[str, str], words: list[str]) -> str:
    """Options that do not go together."""
    for letter in "lnS":
        if "C" in given and letter in given:
            return f"-{letter} may not be specified for console login"
    if "S" in given and "l" in given:
        return "-l may not be specified for failsafe login"
    if len(words) == 1 and "n" in given:
        return "-n may not be specified for interactive login"
    if len(words) > 1 and "C" in given:
        return "Commands may not be specified for console login."
    return ""


def escape(given: dict[str, str]) -> bytes:
    """The character that begins a command to zlogin itself; empty with -E."""
    text = given.get("e", "~")
    if "E" in given:
        return b""
    if text[:1] != "\\":
        return text[:1].encode()
    return b"\\" if text[1:2] in ("", "\\") else bytes([int(text[1:], 8) & 255])


def main(argv: list[str]) -> int:
    try:
        given, words = options(argv, "el", "nECSQ")
    except Usage:
        return misused()
    wrong = objection(given, words)
    if wrong or not words:
        return misused(wrong)
    if registry.inside():
        return fail("'zlogin' may only be used from the global zone")
    zone = words[0]
    if zone == "global":
        return fail("'zlogin' not applicable to the global zone")
    found = registry.index().get(zone)
    if found is None:
        return fail(f"zone '{zone}' unknown")
    at = registry.running(zone)
    if at is None and found.state in ORDER:
        return fail(f"cannot login to a zone which is '{found.state}'")
    if "C" in given:
        return at_console(zone, given)
    if at is None or at.state != "running":
        return fail(f"login allowed only to running zones ({zone} is '{at.state if at else found.state}').")
    return enter(zone, at.init, given, words[1:])


def enter(zone: str, init: int, given: dict[str, str], command: list[str]) -> int:
    from sunlab.zones import birth, zoneadmd
    from sunlab.zones.login import Login
    login = Login(given.get("l", "root"), " ".join(command) if command else None, os.environ.get("TERM", "dumb"),
                  "S" in given)
    group = zoneadmd.group(zone, "init")
    if command or not os.isatty(0):
        if "n" in given:
            os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
        # WEXITSTATUS, whatever ended it: a command that was killed counts as done (zlogin.c).
        return birth.run_in(init, group, login) >> 8 & 0xFF
    from sunlab.zones import terminal
    master, slave, name = birth.open_terminal(init)     # both stay open until the session has ended
    say(given, f"[Connected to zone '{zone}' {name.removeprefix('/dev/')}]\n")
    with terminal.Raw(0, master):
        child = birth.begin_in(init, group, login, name)
        terminal.relay(0, 1, master, escape(given), os.pidfd_open(child))
    os.close(slave)
    os.close(master)                    # hangs up on what is left of the session
    os.waitpid(child, 0)
    say(given, f"\n[Connection to zone '{zone}' {name.removeprefix('/dev/')} closed]\n", sys.stderr.fileno())
    return 0


def say(given: dict[str, str], text: str, where: int = 1) -> None:
    if "Q" not in given:
        os.write(where, text.encode())


def at_console(zone: str, given: dict[str, str]) -> int:
    import _socket

    from sunlab.zones import calls, console, terminal
    if not os.isatty(0):
        return fail("failed to get user terminal settings: Inappropriate ioctl for device")
    calls.ensure(zone)
    line = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        line.connect(console.path(zone))
    except OSError as failed:
        return fail(f"Could not connect to zone console: {failed.strerror}")
    line.sendall(f"IDENT {os.getpid()} C\n".encode())
    answer = b""
    while not answer.endswith(b"\n"):
        piece = line.recv(1)
        if not piece:
            break
        answer += piece
    if answer != b"OK\n":
        return fail(f"Console is already in use by process ID {answer.decode().strip()}.")
    say(given, f"[Connected to zone '{zone}' console]\n")
    with terminal.Raw(0):
        terminal.relay(0, 1, line.fileno(), escape(given))
    line.close()
    say(given, f"\n[Connection to zone '{zone}' console closed]\n")
    return 0
