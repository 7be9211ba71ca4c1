"""The daemon's side of failfast: tells it the deadline, and knows whether it has acknowledged the current one."""
import asyncio
import os
import socket
from typing import Callable, List, Optional

from sundog.daemon.failfast import reset

_AGAIN_S = 0.1

Tell = Callable[[str, str, str], None]  # code, severity, text


class DeadlineKeeper:
    """Keeps failfast told. `own` is this daemon's end of the socket, `peer` failfast's.

    `expire` ends this host itself, when failfast has not; `other` gets the answers that are not about the deadline.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, own: str, peer: str, first_id: int, tell: Tell,
                 expire: Callable[[], None] = reset) -> None:
        self.loop, self.own, self.peer, self.tell, self.expire = loop, own, peer, tell, expire
        self.at: Optional[float] = None
        self.acknowledged = False
        self.other: Callable[[List[bytes]], None] = lambda words: None
        self._condemned = False
        self._id = first_id
        self._silent = False
        self._retry: Optional[asyncio.TimerHandle] = None
        self._waiting: List["asyncio.Future[bool]"] = []
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._sock.setblocking(False)
        if os.path.exists(own):
            os.unlink(own)
        self._sock.bind(own)
        os.chmod(own, 0o600)
        loop.add_reader(self._sock.fileno(), self._readable)

    def set(self, at: Optional[float]) -> None:
        """Move the deadline (seconds of the loop's clock), or disarm with None; not for a host that is condemned."""
        self.at = self.at if self._condemned else at
        self._id += 1
        self.acknowledged = False
        self._send()

    def condemn(self) -> None:
        """This host is to end now, whatever is said later."""
        if not self._condemned:
            self.set(self.loop.time())
            self._condemned = True

    def send(self, datagram: bytes) -> bool:
        """To failfast; False when there is nobody."""
        try:
            self._sock.sendto(datagram, self.peer)
        except OSError:
            return False
        return True

    def passed(self, now: float) -> bool:
        """Has the deadline passed while this host still runs? Then do what failfast should have done."""
        if self.at is None or now < self.at:
            return False
        self.expire()
        return True

    async def confirmed(self, wait_s: float) -> bool:
        """Has failfast acknowledged the current deadline, now or within `wait_s`?"""
        if self.acknowledged:
            return True
        answer: "asyncio.Future[bool]" = self.loop.create_future()
        self._waiting.append(answer)
        try:
            return await asyncio.wait_for(answer, wait_s)
        except asyncio.TimeoutError:
            return self.acknowledged
        finally:
            self._waiting = [one for one in self._waiting if one is not answer]

    def close(self) -> None:
        self.loop.remove_reader(self._sock.fileno())
        if self._retry is not None:
            self._retry.cancel()
        self._sock.close()

    def _send(self) -> None:
        if self._retry is not None:
            self._retry.cancel()
        # A lost or late answer is asked for again, so silence is noticed within two rounds.
        self._retry = self.loop.call_later(_AGAIN_S, self._unanswered)
        words = f"disarm {self._id}" if self.at is None else f"arm {self._id} {self.at:.6f}"
        try:
            self._sock.sendto(words.encode(), self.peer)
        except OSError as error:
            self._say_silent(error.strerror or "unknown")

    def _unanswered(self) -> None:
        self._say_silent("no answer")
        self._send()

    def _say_silent(self, why: str) -> None:
        if not self._silent:
            self._silent = True
            self.tell("FAILFAST-SILENT", "error", f"failfast does not answer ({why}): nothing may be started here "
                      "until it does; svcs -x svc:/system/sundog/failfast:default")

    def _readable(self) -> None:
        while True:
            try:
                words = self._sock.recv(256).split()
            except BlockingIOError:
                return
            if words == [b"ok", str(self._id).encode()]:
                self._confirmed()
            else:
                self.other(words)

    def _confirmed(self) -> None:
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        self.acknowledged = True
        if self._silent:
            self._silent = False
            self.tell("FAILFAST-BACK", "notice", "failfast answers again")
        for answer in self._waiting:
            if not answer.done():
                answer.set_result(True)
