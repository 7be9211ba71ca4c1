"""When devices are tested and how long a level waits for its turn, under a clock that skips what nothing happens in."""
import asyncio
import selectors
from typing import Any, Callable, Coroutine, List, Optional, Tuple

import pytest

from sundog.config.fencing import Manual
from sundog.config.model import FenceLevel
from sundog.core.effects import Fence
from sundog.daemon import fencing
from sundog.daemon.fencing import FIRST_TEST_S, TEST_EACH_S
from sundog.fence.device import ON
from unit.fence_world import World, level

SOON, LATE = FIRST_TEST_S


class Skip(selectors.SelectSelector):
    """Does not wait: the clock is put to where the wait would have ended."""
    now = 0.0

    def select(self, timeout: Optional[float] = None) -> "List[Tuple[selectors.SelectorKey, int]]":
        self.now += timeout or 0.0
        return super().select(0)


class SkippingLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self.skip = Skip()
        super().__init__(self.skip)

    def time(self) -> float:
        return self.skip.now


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A device answers in no time: while a thread worked the clock would skip its deadline."""
    def answered(loop: asyncio.AbstractEventLoop, call: Callable[[], Any]) -> "asyncio.Future[Any]":
        answer = loop.create_future()
        try:
            answer.set_result(call())
        except Exception as error:  # noqa: BLE001 (handed on, as from a thread)
            answer.set_exception(error)
        return answer
    monkeypatch.setattr(fencing, "in_thread", answered)


def run(scenario: Callable[[], "Coroutine[Any, Any, None]"]) -> None:
    loop = SkippingLoop()
    try:
        loop.run_until_complete(scenario())
    finally:
        loop.close()


async def until(at: float) -> None:
    await asyncio.sleep(at - asyncio.get_running_loop().time())


def test_the_others_are_tested_soon_after_the_start_and_then_every_hour() -> None:
    async def scenario() -> None:
        world = World(n1=(level("10.0.0.1"), FenceLevel("manual", Manual())), n9=(level("10.0.0.9"),))
        fencer = world.fencer()
        await until(LATE + 1)
        assert world.asked == ["10.0.0.1"], "not its own device, and not the operator"
        first = world.asked_at[0]
        assert SOON <= first <= LATE
        await until(first + 3 * TEST_EACH_S + 1)
        assert world.asked_at == pytest.approx([first + hour * TEST_EACH_S for hour in range(4)])
        assert fencer.told()["n1"][0]["state"] == ON and world.journal == []
        fencer.close()
        await until(first + 9 * TEST_EACH_S)
        assert len(world.asked) == 4, "a daemon that ends tests nothing more"
    run(scenario)


def test_the_first_tests_of_nodes_that_start_together_are_spread() -> None:
    async def scenario() -> None:
        worlds = [World(n1=(level("10.0.0.1"),)) for _ in range(20)]
        fencers = [world.fencer() for world in worlds]
        await until(LATE + 1)
        assert len({world.asked_at[0] for world in worlds}) > 10
        for fencer in fencers:
            fencer.close()
    run(scenario)


def test_a_device_that_fails_is_told_each_hour_and_once_when_it_works_again() -> None:
    async def scenario() -> None:
        world = World(n1=(level("10.0.0.1"),), n2=(level("10.0.0.2"),))
        world.dead = ["10.0.0.1"]
        fencer = world.fencer()
        await until(LATE + 1)
        silent = "FENCE-UNREACHABLE n1 fence device of n1: 10.0.0.1 does not answer"
        assert world.journal == [silent]
        assert fencer.told()["n1"][0]["error"] == "10.0.0.1 does not answer"
        await until(LATE + 1 + TEST_EACH_S)
        assert world.journal == [silent] * 2
        world.dead = []
        await until(LATE + 1 + 3 * TEST_EACH_S)
        assert world.journal == [silent] * 2 + ["FENCE-REACHABLE n1 fence device ipmi 10.0.0.1 of n1 answers again"]
        assert fencer.told()["n1"][0]["error"] == ""
        fencer.close()
    run(scenario)


def test_what_changes_is_tested_soon_and_the_hour_counts_from_then() -> None:
    async def scenario() -> None:
        world = World(n1=(level("10.0.0.1"),))
        fencer = world.fencer()
        await until(1000.0)
        fencer.test_soon()
        await until(1000.0 + LATE + 1)
        assert len(world.asked) == 2 and world.asked_at[1] >= 1000.0 + SOON
        await until(world.asked_at[1] + TEST_EACH_S + 1)
        assert world.asked_at[2] == pytest.approx(world.asked_at[1] + TEST_EACH_S) and len(world.asked) == 3
        fencer.close()
    run(scenario)


def test_a_delay_is_waited_for_before_its_level_is_asked() -> None:
    async def scenario() -> None:
        world = World(n1=(level("10.0.0.1", delay_s=30.0), level("10.0.0.2", delay_s=5.0)))
        world.dead = ["10.0.0.1"]
        fencer = world.fencer()
        fencer.close()                                      # no tests, which would ask as well
        fencer.fence(Fence("n1", "b", "x"))
        assert (await world.done.get()).ok
        asked = dict(zip(world.asked[:2], world.asked_at))
        assert asked == pytest.approx({"10.0.0.1": 30.0, "10.0.0.2": 35.0})
    run(scenario)


def test_a_need_that_ends_within_the_delay_has_no_device_asked() -> None:
    async def scenario() -> None:
        world = World(n1=(level("10.0.0.1", delay_s=30.0), level("10.0.0.2")))
        fencer = world.fencer()
        fencer.close()
        fencer.fence(Fence("n1", "b", "x"))
        await until(29.0)
        assert world.done.empty()
        world.needed = False
        done = await world.done.get()
        assert (done.ok, done.reason, world.asked) == (False, "it is not needed any more", [])
        assert asyncio.get_running_loop().time() == pytest.approx(30.0)
    run(scenario)
