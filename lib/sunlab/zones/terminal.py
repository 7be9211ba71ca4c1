"""The terminal of whoever sits at zlogin(1): raw while it lasts, its keys to the zone, ~. to leave."""
from __future__ import annotations

import os
import select
import termios

ISPEED_TO_CC = 6
WINDOW = b"\0" * 8


class Raw:
    """The terminal passes every key on; with `master`, the zone's terminal takes over its settings and its size."""

    def __init__(self, terminal: int, master: int = -1) -> None:
        self.terminal, self.master = terminal, master

    def __enter__(self) -> None:
        import fcntl
        self.saved = termios.tcgetattr(self.terminal)
        if self.master >= 0:
            termios.tcsetattr(self.master, termios.TCSANOW, self.saved)
            fcntl.ioctl(self.master, termios.TIOCSWINSZ, fcntl.ioctl(self.terminal, termios.TIOCGWINSZ, WINDOW))
        raw = termios.tcgetattr(self.terminal)
        raw[0] &= ~(termios.ISTRIP | termios.IXON | termios.IXANY | termios.INLCR | termios.ICRNL | termios.IGNCR)
        raw[1] &= ~termios.OPOST
        raw[3] &= ~(termios.ICANON | termios.ISIG | termios.ECHO | termios.IEXTEN)
        raw[ISPEED_TO_CC][termios.VMIN], raw[ISPEED_TO_CC][termios.VTIME] = 1, 0
        termios.tcsetattr(self.terminal, termios.TCSAFLUSH, raw)

    def __exit__(self, *_: object) -> None:
        termios.tcsetattr(self.terminal, termios.TCSADRAIN, self.saved)


class Keys:
    """Watches for the escape character at the beginning of a line, then a full stop (or end of file).

    The escape character itself is not passed on, whatever follows it, unless it is typed twice (zlogin.c).
    """

    def __init__(self, escape: bytes) -> None:
        self.escape = escape
        self.beginning, self.held = True, False

    def typed(self, text: bytes) -> tuple[bytes, bool]:
        """What goes to the zone, and whether it is the end."""
        out = b""
        for number in text:
            key = bytes([number])
            if self.held:
                self.held = False
                if key in (b".", b"\x04"):
                    return out, True
            elif self.beginning and self.escape and key == self.escape:
                self.held, self.beginning = True, False
                continue
            out += key
            self.beginning = key in (b"\r", b"\n", b"\x15", b"\x1a", b"\x03")
        return out, False


def relay(keys: int, screen: int, zone: int, escape: bytes, until: int = -1) -> None:
    """Until the zone's end closes, `until` becomes readable, or the user leaves."""
    watch, ready = Keys(escape), select.poll()
    for descriptor in (keys, zone, until):
        if descriptor >= 0:
            ready.register(descriptor, select.POLLIN)
    while True:
        found = [descriptor for descriptor, _ in ready.poll()]
        if until in found and zone not in found:
            return
        for descriptor in found:
            if descriptor == until:
                continue
            try:
                text = os.read(descriptor, 4096)
            except OSError:
                text = b""              # a terminal that has gone
            if not text:
                return
            if descriptor == zone:
                os.write(screen, text)
                continue
            out, over = watch.typed(text)
            if out:
                os.write(zone, out)
            if over:
                os.write(screen, escape + b".")
                return
