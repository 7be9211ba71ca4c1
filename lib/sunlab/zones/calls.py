"""The door of a zone's zoneadmd, /var/run/zones/NAME.zoneadmd_door: zoneadm(8) asks, the daemon answers."""
from __future__ import annotations

import _socket
import os

from sunlab.zones.registry import RUN, Exclusively

ATTEMPTS = 20                           # a daemon may end between being found and being asked


def path(zone: str) -> str:
    return f"{RUN}/{zone}.zoneadmd_door"


class Door:
    """The daemon's side."""

    def __init__(self, zone: str) -> None:
        self.path = path(zone)
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.socket = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
        self.socket.bind(self.path)
        self.socket.listen(16)
        self.listener = self.socket.fileno()
        self.caller = -1

    def called(self) -> bool:
        """Is somebody at the door whom we have not heard yet?"""
        import select
        return bool(select.select([self.socket], [], [], 0)[0])

    def accept(self) -> list[str]:
        """The words of a command; none from one who only looked whether anybody is here."""
        self.caller, _ = self.socket._accept()      # type: ignore[attr-defined]
        heard = b""
        while not heard.endswith(b"\n"):
            try:
                piece = os.read(self.caller, 4096)
            except OSError:
                piece = b""
            if not piece:
                os.close(self.caller)
                return []
            heard += piece
        return heard.decode().rstrip("\n").split("\x1f")

    def reply(self, status: int, text: str) -> None:
        try:
            os.write(self.caller, f"{status}\n{text}".encode())
        except OSError:
            pass                        # whoever asked has gone; it was done all the same
        os.close(self.caller)

    def close(self) -> None:
        os.unlink(self.path)
        self.socket.close()


def connect(zone: str) -> "_socket.socket | None":
    caller = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        caller.connect(path(zone))
    except OSError:
        caller.close()
        return None
    return caller


def ensure(zone: str) -> None:
    """Start the zone's daemon unless it runs. Raises ZoneBroken."""
    with Exclusively(zone):
        caller = connect(zone)
        if caller is not None:
            caller.close()
            return
        from sunlab.zones import zoneadmd
        zoneadmd.start(zone)


def call(zone: str, *words: str) -> tuple[int, str]:
    """Have the daemon do it, starting one where none is: its status, and what it said. Raises ZoneBroken."""
    for _ in range(ATTEMPTS):
        caller = connect(zone)
        if caller is None:
            ensure(zone)
            caller = connect(zone)
        if caller is None:
            continue
        pieces = []
        try:
            caller.sendall(("\x1f".join(words) + "\n").encode())
            while True:
                piece = caller.recv(65536)
                if not piece:
                    break
                pieces.append(piece)
        except OSError:
            pass                        # it was about to end
        finally:
            caller.close()
        status, _, text = b"".join(pieces).decode().partition("\n")
        if status:
            return int(status), text
    from sunlab.zones import zoneadmd
    raise zoneadmd.ZoneBroken(f"zoneadmd does not answer; see {zoneadmd.LOG}")
