"""The state of a running zone's milestone/goals, as the zone's own svc.startd tells it: asked once, then waited for."""
from __future__ import annotations

import _socket
from _json import scanstring

GOALS = "svc:/milestone/goals:default"
AGAIN_S = 0.02                          # until the zone's svc.startd is asked again when it does not answer yet
REQUEST = '{{"command":"svcprop","args":[{}],"folder":"/","terminal":false,"input":""}}\n'


class Question:
    """One request under way."""

    def __init__(self, door: str, *args: str) -> None:
        """Raises OSError when nobody is there."""
        self.heard = b""
        self.socket = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
        self.socket.connect(door)
        self.socket.sendall(REQUEST.format(",".join(f'"{arg}"' for arg in args)).encode())
        self.socket.setblocking(False)

    def answered(self) -> bool:
        """Read what there is; is that all?"""
        try:
            piece = self.socket.recv(65536)
        except BlockingIOError:
            return False
        except OSError:
            piece = b""
        self.heard += piece
        if piece:
            return False
        self.socket.close()
        return True

    def said(self) -> str:
        """What was printed; "" for an error."""
        lines = [line for line in self.heard.decode().splitlines() if line.startswith('{"out"')]
        return scanstring(lines[0][7:].lstrip(), 1, True)[0].strip() if lines else ""


class Watch:
    """`init`: of the zone, a pid in this node."""

    def __init__(self, init: int) -> None:
        self.init = init
        self.door = f"/proc/{init}/root/run/svc/door"
        self.asked: list[Question] = []

    def ask(self) -> bool:
        """Wait for the next change, then ask how it is, so that none is missed; False when nobody answers yet."""
        self.close()
        words = ("-p", "restarter/state", GOALS)
        try:
            self.asked = [Question(self.door, "-w", *words)]
            self.asked.append(Question(self.door, *words))
        except OSError:
            self.close()
        return bool(self.asked)

    def descriptors(self) -> list[int]:
        return [one.socket.fileno() for one in self.asked]

    def ready(self, descriptor: int) -> str | None:
        """The state when it has been told; "" where the zone says nothing (it is to be asked again); None: not yet."""
        for one in self.asked:
            if one.socket.fileno() == descriptor and one.answered():
                self.asked.remove(one)
                return one.said()
        return None

    def waits(self) -> bool:
        """Is the next change awaited?"""
        return bool(self.asked) and any(one.heard == b"" for one in self.asked)

    def close(self) -> None:
        for one in self.asked:
            one.socket.close()
        self.asked = []
