"""What failfast is told besides the lease's deadline, again and again until it has acknowledged it.

How a host ends (reset or panic), the watchdog, and the deadline of the node's orderly end. A failfast of an earlier
version refuses these words and goes on holding the lease's deadline; that is told once.
"""
import asyncio
from typing import Callable, Dict, List, Optional, Tuple

from sundog.config.model import Protection, Watchdog
from sundog.solaris.watchdog import INTERRUPTS, ipmitool

ASK_EACH_S = 2.0
Tell = Callable[[str, str, str], None]  # code, severity, text


def watchdog_order(watchdog: Optional[Watchdog], node: str) -> str:
    if watchdog is None:
        return "off"
    return "\0".join([f"{watchdog.timeout_s:.1f}", str(INTERRUPTS[watchdog.interrupt]), *ipmitool(watchdog, node)])


class Orders:
    """`send` puts a datagram on its way to failfast; `take` gets the answers that name one of ours."""

    def __init__(self, loop: asyncio.AbstractEventLoop, node: str, send: Callable[[bytes], bool], tell: Tell) -> None:
        self.loop, self.node, self._send, self.tell = loop, node, send, tell
        self.state: Dict[str, str] = {}                 # what failfast said of itself last
        self._wanted: Dict[str, str] = {"expiry": "reset", "watchdog": "off", "stop": "none"}
        self._known: Dict[str, str] = {}                # what it has acknowledged
        self._asked: Dict[str, Tuple[str, str]] = {}    # id -> verb, value
        self._old = False
        self._count = 0
        self._timer: Optional[asyncio.TimerHandle] = None
        self._changed: "List[asyncio.Future[None]]" = []

    def follow(self, protection: Protection) -> None:
        """The configuration says this; the same again changes nothing."""
        self._want("expiry", protection.expiry)
        self._want("watchdog", watchdog_order(protection.watchdog, self.node))

    def stop_by(self, at: Optional[float]) -> None:
        """The deadline of this node's orderly end; None: it has come to its end."""
        self._want("stop", "none" if at is None else f"{at:.6f}")

    async def confirmed(self, wait_s: float) -> bool:
        """Has failfast acknowledged everything, now or within `wait_s`?"""
        until = self.loop.time() + wait_s
        while self._known != self._wanted and self.loop.time() < until:
            changed: "asyncio.Future[None]" = self.loop.create_future()
            self._changed.append(changed)
            await asyncio.wait({changed}, timeout=until - self.loop.time())
        return self._known == self._wanted

    def ask(self) -> None:
        """How is failfast, and what does it not know yet? Goes on by itself."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.loop.call_later(ASK_EACH_S, self.ask)
        self._asked.clear()
        self._say("state", "")
        for verb, value in self._wanted.items():
            if self._known.get(verb) != value:
                self._say(verb, value)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _want(self, verb: str, value: str) -> None:
        if self._wanted[verb] != value:
            self._wanted[verb] = value
            self._say(verb, value)

    def _say(self, verb: str, value: str) -> None:
        self._count += 1
        name = f"x{self._count}"
        self._asked[name] = (verb, value)
        self._send(f"{verb} {name} {value}".rstrip().encode())

    # ---- answers

    def take(self, words: List[bytes]) -> None:
        said = [word.decode("ascii", "replace") for word in words]
        if len(said) < 2:
            return
        if said[0] == "bad":
            # It quotes what it was asked: BAD VERB ID.
            self._refused(said[2] if len(said) > 2 else "")
            return
        verb, value = self._asked.pop(said[1], ("", ""))
        if verb == "state":
            self._hear(dict(word.split("=", 1) for word in said[2:] if "=" in word))
        elif verb:
            self._known[verb] = value
            for changed in self._changed:
                if not changed.done():
                    changed.set_result(None)
            self._changed.clear()

    def _refused(self, name: str) -> None:
        if self._asked.pop(name, None) is not None and not self._old:
            self._old = True
            self.tell("FAILFAST-OLD", "warning", "failfast is of an earlier version: it holds the lease's deadline, "
                      "but knows of no panic, no watchdog and no time for a shutdown; svcadm restart failfast")

    def _hear(self, state: Dict[str, str]) -> None:
        before, self.state, self._old = self.state, state, False
        if state.get("pid") != before.get("pid"):
            # Another process, which nobody has told anything yet but its deadlines.
            known, self._known = self._known, {}
            for verb, value in self._wanted.items():
                if known.get(verb) == value or before:
                    self._say(verb, value)
        was, now = before.get("watchdog", ""), state.get("watchdog", "")
        if now == "failing" and was != "failing":
            self.tell("WATCHDOG-FAILED", "error", "the controller's watchdog does not take its commands: ipmitool "
                      "fails; if it counts already, this host is reset when its time is over; protection.watchdog says "
                      "how it is called")
        elif was == "failing" and now != "failing":
            self.tell("WATCHDOG-BACK", "notice", f"the controller's watchdog takes its commands again: it is {now}")
