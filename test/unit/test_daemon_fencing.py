"""The daemon's way with fence devices: in their order, never stalled by one that hangs, one answer for one order."""
import asyncio
import errno
import threading
from pathlib import Path
from typing import Any, Callable, Coroutine

import pytest

from sundog.config.fencing import Agent
from sundog.config.model import FenceLevel
from sundog.core.effects import Fence
from sundog.daemon import fencing
from sundog.errors import SundogError
from sundog.fence import agent
from sundog.fence.device import OFF, ON, Device
from unit.fence_world import World, level


def run(scenario: Callable[[], "Coroutine[Any, Any, None]"]) -> None:
    asyncio.run(asyncio.wait_for(scenario(), 30))


def test_levels_are_tried_in_turn_and_the_answer_names_the_boot() -> None:
    async def scenario() -> None:
        world = World(n1=(level("10.0.0.1"), level("10.0.0.2")))
        world.dead = ["10.0.0.1"]
        fencer = world.fencer()
        fencer.fence(Fence("n1", "boot1", "it is silent"))
        done = await world.done.get()
        assert (done.node, done.boot_id, done.ok) == ("n1", "boot1", True)
        await asyncio.gather(*world.tasks)
        assert world.power["n1"] == ON, "after: start"
        assert any("FENCE-LEVEL n1 n1, level 1: 10.0.0.1 does not answer" in line for line in world.journal)
        fencer.close()
    run(scenario)


def test_stay_off_stays_off_and_a_node_that_was_off_is_not_switched_on() -> None:
    async def scenario() -> None:
        world = World(n1=(level("10.0.0.1", after="stay-off"),), n2=(level("10.0.0.2"),))
        world.power["n2"] = OFF
        fencer = world.fencer()
        for node in ("n1", "n2"):
            fencer.fence(Fence(node, "b", "x"))
            assert (await world.done.get()).ok
        await asyncio.gather(*world.tasks)
        assert world.power == {"n1": OFF, "n2": OFF}
        fencer.close()
    run(scenario)


def test_all_levels_failing_says_what_each_answered() -> None:
    async def scenario() -> None:
        world = World(n1=(level("10.0.0.1"), level("10.0.0.2")))
        world.dead = ["10.0.0.1", "10.0.0.2"]
        fencer = world.fencer()
        fencer.fence(Fence("n1", "b", "x"))
        done = await world.done.get()
        assert not done.ok and done.reason == "10.0.0.1 does not answer; 10.0.0.2 does not answer"
        fencer.fence(Fence("n2", "b", "x"))
        assert (await world.done.get()).reason == "no fence device is configured"
        fencer.close()
    run(scenario)


def test_a_device_that_hangs_delays_no_other_and_ends_by_its_deadline(monkeypatch: Any) -> None:
    monkeypatch.setattr(fencing, "_GRACE_S", 0.0)

    async def scenario() -> None:
        world = World(n1=(level("10.0.0.1", timeout_s=1.0),), n2=(level("10.0.0.2"),))
        world.hung = ["10.0.0.1"]
        fencer = world.fencer()
        fencer.fence(Fence("n1", "b", "x"))
        fencer.fence(Fence("n2", "b", "x"))
        first, second = await world.done.get(), await world.done.get()
        assert (first.node, first.ok) == ("n2", True)
        assert (second.node, second.ok) == ("n1", False) and "hangs" in second.reason
        world.go.set()
        fencer.close()
    run(scenario)


def test_a_need_that_is_over_ends_it_before_the_next_level() -> None:
    async def scenario() -> None:
        world = World(n1=(level("10.0.0.1"), level("10.0.0.2")))
        world.dead, world.needed = ["10.0.0.1"], False
        fencer = world.fencer()
        fencer.fence(Fence("n1", "b", "x"))
        done = await world.done.get()
        assert not done.ok and done.reason.endswith("it is not needed any more") and world.asked == ["10.0.0.1"]
        fencer.close()
    run(scenario)


def test_a_test_reads_and_changes_nothing_and_remembers() -> None:
    async def scenario() -> None:
        world = World(n1=(level("10.0.0.1"),), n2=(level("10.0.0.2"),), n9=(level("10.0.0.9"),))
        world.dead = ["10.0.0.2"]
        fencer = world.fencer()
        told = await fencer.test()
        assert told["n1"][0]["state"] == ON and told["n2"][0]["error"] == "10.0.0.2 does not answer"
        assert told["n9"][0]["state"] == "untested", "its own controller is for the others to test"
        assert world.power == {} and [line.split()[0] for line in world.journal] == ["FENCE-UNREACHABLE"]
        world.dead = []
        assert (await fencer.test("n2"))["n2"][0]["error"] == ""
        assert world.journal[-1].startswith("FENCE-REACHABLE n2")
        fencer.close()
    run(scenario)


def test_an_agent_that_cannot_be_started_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its interpreter is not there: the file is, so it is found out only when it is to be run."""
    monkeypatch.setattr(agent, "PLACES", (str(tmp_path),))
    (tmp_path / "fence_x").write_text("#!/usr/bin/python9\n")
    (tmp_path / "fence_x").chmod(0o755)

    async def scenario() -> None:
        broken = FenceLevel("agent", Agent("fence_x"))
        world = World(n1=(broken, level("10.0.0.2", after="stay-off")))
        fencer = world.fencer()
        boards = fencer.open_device
        fencer.open_device = lambda one, node: agent.AgentDevice(one, node) if one is broken else boards(one, node)
        fencer.fence(Fence("n1", "b", "x"))
        assert (await world.done.get()).ok and world.power["n1"] == OFF
        await asyncio.gather(*world.tasks)
        assert any(line.startswith("FENCE-LEVEL n1 n1, level 1: fence_x: ") and "cannot be run" in line
                   for line in world.journal), world.journal
        fencer.close()
    run(scenario)


FULL = OSError(errno.EAGAIN, "Resource temporarily unavailable")


@pytest.mark.parametrize("error", [FULL, SundogError("no such command", "install it"), RuntimeError("it is over"),
                                   MemoryError(), AttributeError("'list' object has no attribute 'get'")])
def test_whatever_goes_wrong_with_a_device_the_next_level_acts(error: Exception) -> None:
    async def scenario() -> None:
        world = World(n1=(level("10.0.0.1"), level("10.0.0.2")))
        world.broken = {"10.0.0.1": error}
        fencer = world.fencer()
        fencer.fence(Fence("n1", "b", "x"))
        assert (await world.done.get()).ok
        await asyncio.gather(*world.tasks)
        assert world.done.empty() and any("FENCE-LEVEL n1 n1, level 1: ipmi 10.0.0.1" in line for line in world.journal)
        fencer.close()
    run(scenario)


def test_a_device_that_cannot_be_opened_or_has_no_thread_fails_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        world = World(n1=(level("10.0.0.1"),))
        fencer = world.fencer()

        def no_thread(thread: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        def no_module(one: FenceLevel, node: str) -> Device:
            raise OSError(errno.EMFILE, "Too many open files")

        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", no_thread)
            fencer.fence(Fence("n1", "b", "x"))
            done = await world.done.get()
        assert not done.ok and "no thread can be started" in done.reason and "swap -s" in done.reason
        fencer.open_device = no_module
        fencer.fence(Fence("n1", "b", "x"))
        done = await world.done.get()
        assert not done.ok and done.reason.startswith("ipmi 10.0.0.1 cannot be used: Too many open files; ")
        await asyncio.gather(*world.tasks)
        fencer.close()
    run(scenario)


def test_a_device_that_cannot_be_used_any_more_leaves_a_node_off_and_says_so() -> None:
    async def scenario() -> None:
        world = World(n1=(level("10.0.0.1"),))
        world.stuck = {"10.0.0.1": FULL}
        fencer = world.fencer()
        fencer.fence(Fence("n1", "b", "x"))
        assert (await world.done.get()).ok
        await asyncio.gather(*world.tasks)
        assert world.power["n1"] == OFF and world.journal[-1].startswith("FENCE-STAYS-OFF n1 n1 could not be switched")
        fencer.close()
    run(scenario)


def test_a_test_that_cannot_be_made_is_told_like_a_device_that_is_silent() -> None:
    async def scenario() -> None:
        world = World(n1=(level("10.0.0.1"),), n2=(level("10.0.0.2"),))
        world.broken = {"10.0.0.1": FULL}
        fencer = world.fencer()
        told = await fencer.test()
        assert (told["n1"][0]["state"], told["n2"][0]["state"]) == ("unknown", ON)
        assert "Resource temporarily unavailable" in told["n1"][0]["error"]
        assert [line.split()[:2] for line in world.journal] == [["FENCE-UNREACHABLE", "n1"]]
        world.broken = {}
        assert (await fencer.test("n1"))["n1"][0]["state"] == ON
        assert world.journal[-1].startswith("FENCE-REACHABLE n1")
        fencer.close()
    run(scenario)
