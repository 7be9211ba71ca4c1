"""A zone's console: a terminal that zoneadmd holds, and whoever is at it by `zlogin -C` (zcons.c)."""
from __future__ import annotations

import _socket
import os

from sunlab.zones.registry import RUN


def path(zone: str) -> str:
    return f"{RUN}/{zone}.console_sock"


class Console:
    def __init__(self, zone: str) -> None:
        self.zone = zone
        self.master, self.slave = os.openpty()      # the slave stays open: the zone may have no process at it
        self.name = os.ttyname(self.slave)
        if os.path.exists(path(zone)):
            os.unlink(path(zone))
        self.socket = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
        self.socket.bind(path(zone))
        self.socket.listen(4)
        self.client, self.who = -1, ""

    def descriptors(self) -> list[int]:
        return [self.master, self.socket.fileno(), self.client]

    def attended(self) -> bool:
        return self.client >= 0

    def ready(self, descriptor: int) -> None:
        if descriptor == self.socket.fileno():
            self.accept()
        elif descriptor == self.master:
            self.heard()
        elif descriptor == self.client:
            self.typed()

    def accept(self) -> None:
        """The first one gets it; a second one hears who has it."""
        caller, _ = self.socket._accept()           # type: ignore[attr-defined]
        who = os.read(caller, 256).decode().split()
        if self.client >= 0 or len(who) < 2:
            os.write(caller, f"{self.who}\n".encode())
            os.close(caller)
            return
        self.client, self.who = caller, who[1]
        os.write(caller, b"OK\n")

    def heard(self) -> None:
        try:
            self.show(os.read(self.master, 4096))
        except OSError:                 # a session has ended, which hangs up on everybody who has it open
            os.close(self.slave)
            self.slave = os.open(self.name, os.O_RDWR | os.O_NOCTTY)

    def typed(self) -> None:
        try:
            text = os.read(self.client, 4096)
        except OSError:
            text = b""
        if text:
            os.write(self.master, text)
        else:
            os.close(self.client)
            self.client = -1

    def show(self, text: bytes) -> None:
        """What nobody watches is lost, as on a serial line."""
        if self.client >= 0:
            try:
                os.write(self.client, text)
            except OSError:
                pass                    # seen to at its end of file

    def notice(self, text: str) -> None:
        self.show(f"\r\n[NOTICE: {text}]\r\n".encode())
