"""A message to syslogd, and how a line of /var/adm/messages shows it (syslog(3C), log(4D)). Pure."""
from __future__ import annotations

import re

LEVELS = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
#: As log(4D) writes them between the brackets.
LONG = {"err": "error"}
#: Numbers of Solaris; those of Linux are the same but for cron's, whose messages arrive as 9.
FACILITIES = {"kern": 0, "user": 1, "mail": 2, "daemon": 3, "auth": 4, "syslog": 5, "lpr": 6, "news": 7, "uucp": 8,
              "cron": 9, "authpriv": 10, "ftp": 11, "ntp": 12, "audit": 13, "console": 14,
              **{f"local{number}": 16 + number for number in range(8)}}
_NAMES = {number: name for name, number in FACILITIES.items()}
_FORM = re.compile(r"(?:<(\d{1,3})>)?(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d )?"
                   r"(?:([^\s:\[]{1,64}(?:\[\d+\])?): ?)?(.*)", re.DOTALL)


def id_of(form: str) -> int:
    """The message ID of a printf(3C) format (STRLOG_MAKE_MSGID of sys/strlog.h)."""
    total = 0
    for byte in form.encode():
        if byte >= ord(" "):
            total = ((total >> 5) + (total << 27) + byte) & 0xFFFFFFFF
    return total % 899981 + 100000


class Message:
    """`facility`, `level`: numbers; `tag`: the program, with its pid if it told it."""

    def __init__(self, facility: int, level: int, tag: str, text: str) -> None:
        self.facility, self.level, self.tag, self.text = facility, level, tag, text

    def line(self, stamp: str, host: str) -> str:
        """As in /var/adm/messages. The format is the sender's secret, so the ID is that of "%s", or told."""
        name = f"{_NAMES.get(self.facility, str(self.facility))}.{LONG.get(LEVELS[self.level], LEVELS[self.level])}"
        marked = self.text if self.text.startswith("[ID ") else f"[ID {id_of('%s')} {name}] {self.text}"
        return f"{stamp} {host} {self.tag + ': ' if self.tag else ''}{marked}"


def parse(datagram: bytes) -> Message:
    """What a program wrote to /dev/log: <PRI>, its own time, its name, each of which may be missing."""
    found = _FORM.match(datagram.rstrip(b"\0\n").decode(errors="replace"))
    assert found is not None
    priority = int(found[1]) if found[1] else FACILITIES["user"] << 3 | LEVELS.index("notice")
    text = "".join(letter if letter >= " " else " " for letter in found[3])
    return Message(priority >> 3, priority & 7, found[2] or "", text)
