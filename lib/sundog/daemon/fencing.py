"""Carries out Fence: a node's devices in their order, each in a thread of its own, each with a deadline.

A device that hangs costs its own thread and nobody else's time. Every hour, and soon after the start, the power of the
other nodes is read by their devices, so that a broken one is known before it is needed.
"""
import asyncio
import random
import threading
import time
import traceback
from typing import Any, Callable, Coroutine, Dict, List, NamedTuple, Optional, Tuple

from sundog.config.fencing import name_of
from sundog.config.model import Cluster, FenceLevel
from sundog.core.effects import Fence
from sundog.core.events import Event, FenceDone
from sundog.errors import SundogError
from sundog.fence.device import Device, FenceFailed, NoAnswer, no_thread
from sundog.fence.sequence import Off, device_of, switch_off

TEST_EACH_S = 3600.0
#: The first test is this long after the start, by chance: not all nodes ask all devices at once.
FIRST_TEST_S = (2.0, 20.0)
#: After its own deadline a device's thread is waited for so long, then left alone.
_GRACE_S = 2.0

Tell = Callable[..., None]
Plain = Dict[str, Any]
Open = Callable[[FenceLevel, str], Device]


class Seen(NamedTuple):
    """What a test of a device found. `state` "" before the first."""
    state: str = ""
    error: str = ""
    at: str = ""                        # UTC


class UnknownNode(SundogError):
    """The configuration has no such node, or no device for it."""


class Fencer:
    """`wanted` tells whether a fence that is under way is still needed; `happen` takes events for the core."""

    def __init__(self, loop: asyncio.AbstractEventLoop, name: str, cluster: Callable[[], Cluster],
                 wanted: Callable[[str, str], bool], happen: Callable[[Event], None], tell: Tell,
                 begin: Callable[[Coroutine[Any, Any, None]], None], open_device: Optional[Open] = None) -> None:
        self.loop, self.name, self.cluster, self.wanted = loop, name, cluster, wanted
        self.happen, self.tell, self.begin = happen, tell, begin
        self.open_device = open_device or (lambda level, node: device_of(level, node, name))
        self._seen: Dict[Tuple[str, FenceLevel], Seen] = {}
        self._said: Dict[Tuple[str, int], Tuple[str, str]] = {}     # node, level -> boot and what was said of it last
        self._timer = loop.call_later(random.uniform(*FIRST_TEST_S), self._test_others)

    def close(self) -> None:
        self._timer.cancel()

    # ---- fencing

    def fence(self, order: Fence) -> None:
        self._say_once(order, 0, "FENCING", f"{order.node} is to be fenced: {order.why}")
        self.begin(self._through_levels(order))

    def _say_once(self, order: Fence, level: int, code: str, text: str) -> None:
        """Orders come again as long as devices fail: what they say again is not said again."""
        boot_id, said = self._said.get((order.node, level), ("", ""))
        if (boot_id, said) != (order.boot_id, text):
            self._said[(order.node, level)] = (order.boot_id, text)
            self.tell(code, "warning", text, node=order.node)

    async def _through_levels(self, order: Fence) -> None:
        """The first level that has the node off ends it; exactly one FenceDone comes of it."""
        answers: List[str] = []
        for number, level in enumerate(self.cluster().fence.get(order.node, ())):
            if level.delay_s:
                await asyncio.sleep(level.delay_s)
            if (number or level.delay_s) and not self.wanted(order.node, order.boot_id):
                answers.append("it is not needed any more")
                break
            try:
                off = await self._bounded(level, order.node, switch_off)
            except FenceFailed as error:
                answers.append(str(error))
                self._say_once(order, number + 1, "FENCE-LEVEL", f"{order.node}, level {number + 1}: {error}")
                continue
            self.happen(FenceDone(order.node, order.boot_id, True, off.said, off.barred))
            await self._afterwards(level, order.node, off)
            return
        self.happen(FenceDone(order.node, order.boot_id, False, "; ".join(answers) or "no fence device is configured"))

    async def _afterwards(self, level: FenceLevel, node: str, off: Off) -> None:
        """Switch it on again, if it was us who switched it off: not a host that somebody works on."""
        if level.after != "start" or not off.acted or off.barred:
            return
        try:
            await self._bounded(level, node, lambda device: device.on(level.timeout_s))
        except FenceFailed as error:
            self.tell("FENCE-STAYS-OFF", "warning", f"{node} could not be switched on again: {error}", node=node)

    async def _bounded(self, level: FenceLevel, node: str, call: Callable[[Device], Any]) -> Any:
        """`call` on the level's device, in a thread. Raises FenceFailed, by the deadline at the latest.

        Nothing else: a failure that nobody foresaw would end this daemon, each next leader's too, and no level would
        have its turn.
        """
        by_hand = f"sundog fence test {node}"
        try:
            device = self.open_device(level, node)
            return await asyncio.wait_for(in_thread(self.loop, lambda: call(device)), level.timeout_s + _GRACE_S)
        except FenceFailed:
            raise
        except asyncio.TimeoutError:
            raise NoAnswer(f"{name_of(level)} hangs: no answer within {level.timeout_s + _GRACE_S:g} s",
                           by_hand) from None
        except SundogError as error:
            raise FenceFailed(f"{name_of(level)}: {error.what}", error.remedy or by_hand, error.said) from error
        except (OSError, MemoryError) as error:
            raise FenceFailed(f"{name_of(level)} cannot be used: {getattr(error, 'strerror', None) or repr(error)}",
                              by_hand) from error
        except Exception as error:  # noqa: BLE001 (a defect of one device's module, or an answer that it cannot take)
            at = traceback.extract_tb(error.__traceback__)[-1]
            raise FenceFailed(f"{name_of(level)} cannot be used: {error!r} in {at.filename}, line {at.lineno}",
                              by_hand) from error

    # ---- tests

    def test_soon(self) -> None:
        """Something is different: do not wait for the hour."""
        self._timer.cancel()
        self._timer = self.loop.call_later(random.uniform(*FIRST_TEST_S), self._test_others)

    def _test_others(self) -> None:
        self._timer = self.loop.call_later(TEST_EACH_S, self._test_others)
        others = [node for node in self.cluster().fence if node != self.name]
        self.begin(self._test(others))

    async def test(self, node: str = "") -> Plain:
        """Read the power of `node`, or of every other node, by each of its devices; what came of it."""
        known = self.cluster().fence
        if node and node not in known:
            raise UnknownNode(f"there is no fence device for {node}", f"they are for {', '.join(known) or 'no node'}")
        await self._test([node] if node else [other for other in known if other != self.name])
        told = self.told()
        return {node: told[node]} if node else told

    async def _test(self, nodes: List[str]) -> None:
        await asyncio.gather(*(self._read(node, level) for node in nodes for level in self.cluster().fence.get(node, ())
                               if level.type != "manual"))

    async def _read(self, node: str, level: FenceLevel) -> None:
        before = self._seen.get((node, level), Seen())
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        try:
            state = await self._bounded(level, node, lambda device: device.status(level.timeout_s))
        except FenceFailed as error:
            self._seen[(node, level)] = Seen("unknown", str(error), at)
            self.tell("FENCE-UNREACHABLE", "warning", f"fence device of {node}: {error}", node=node)
            return
        self._seen[(node, level)] = Seen(state, "", at)
        if before.error:
            self.tell("FENCE-REACHABLE", "notice", f"fence device {name_of(level)} of {node} answers again", node=node)

    def told(self) -> Plain:
        """For `sundog status` and `sundog fence list`: node -> its levels, in order."""
        return {node: [self._level(node, level) for level in levels] for node, levels in self.cluster().fence.items()}

    def _level(self, node: str, level: FenceLevel) -> Plain:
        seen = self._seen.get((node, level), Seen())
        state = "operator" if level.type == "manual" else seen.state or "untested"
        return {"device": name_of(level), "type": level.type, "state": state, "error": seen.error, "tested": seen.at}


def in_thread(loop: asyncio.AbstractEventLoop, call: Callable[[], Any]) -> "asyncio.Future[Any]":
    """What `call` gives or raises, from a thread of its own that keeps no daemon from ending; or NoThread."""
    answer: "asyncio.Future[Any]" = loop.create_future()

    def settle(error: Any, result: Any) -> None:
        if answer.done():
            return                      # nobody waits any more
        if error is None:
            answer.set_result(result)
        else:
            answer.set_exception(error)

    def run() -> None:
        error, result = None, None
        try:
            result = call()
        except Exception as raised:  # noqa: BLE001 (handed on to who waits)
            error = raised
        try:
            loop.call_soon_threadsafe(settle, error, result)
        except RuntimeError:
            # The loop is closed: the daemon has ended meanwhile.
            return

    try:
        threading.Thread(target=run, daemon=True, name="fence").start()
    except RuntimeError as error:
        answer.set_exception(no_thread(error))
    return answer
