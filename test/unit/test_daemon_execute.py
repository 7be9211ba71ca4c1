"""Orders carried out through an SMF of the test's own: a real thread pool, real time, states in memory."""
import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Tuple

from sundog.config.model import Cluster, Group, NodeSpec, Resource
from sundog.core.effects import Activate, Deactivate, Permit
from sundog.core.events import Activated, Deactivated, OperatorDisabled
from sundog.daemon import execute
from sundog.daemon.execute import Execution, Smf
from sundog.daemon.track import Seen
from sundog.errors import SundogError


class Nothing(NamedTuple):
    pass


WEB = Group("web", ("n1",), (Resource("data", "zpool", (), Nothing()),
                             Resource("ip", "floating-ip", ("data",), Nothing())))
SHOP = Cluster("shop", "", {"n1": NodeSpec("n1", ())}, {}, {"web": WEB})
DATA, IP, GROUP = (*(one.instance("web") for one in WEB.resources), WEB.instance)
ORDER = Activate("web", Permit("web", "n1", 4, False, "first start"))


class Table(Smf):
    """States in memory; `obeys` False: what is enabled or disabled does not change them by itself."""

    def __init__(self) -> None:
        self.now: Dict[str, Seen] = {fmri: Seen("disabled", False) for fmri in (DATA, IP, GROUP)}
        self.calls: List[Tuple[str, Tuple[str, ...]]] = []
        self.refusal = ""
        self.obeys = True
        self.going_down = False
        self.wondered = 0

    def set(self, state: str, *fmris: str) -> None:
        for fmri in fmris or self.now:
            self.now[fmri] = Seen(state.rstrip("*"), state.endswith("*"))

    def states(self) -> Mapping[str, Seen]:
        self.calls.append(("svcs", ()))
        return dict(self.now)

    def _change(self, what: str, state: str, fmris: Tuple[str, ...]) -> None:
        self.calls.append((what, fmris))
        if self.refusal:
            raise SundogError(self.refusal)
        if self.obeys:
            self.set(state, *fmris)

    def enable(self, fmris: Tuple[str, ...]) -> None:
        self._change("enable", "online", fmris)

    def coordinator_disabled(self) -> bool:
        self.wondered += 1
        return self.going_down

    def disable(self, fmris: Tuple[str, ...], lasting: bool) -> None:
        self._change("disable for good" if lasting else "disable", "disabled", fmris)


class Stage:
    def __init__(self) -> None:
        self.smf = Table()
        self.events: "asyncio.Queue[Any]" = asyncio.Queue()
        self.swept: List[Tuple[str, str]] = []
        self.pool = ThreadPoolExecutor(2)
        self.execution = Execution(asyncio.get_running_loop(), self.pool, self.smf, SHOP, self.events.put_nowait,
                                   lambda *args, **named: None, lambda group, name: self.swept.append((group, name)))

    async def next(self) -> Any:
        return await asyncio.wait_for(self.events.get(), 5)

    async def up(self) -> None:
        await self.execution.adopt()
        self.execution.activate(ORDER)
        while self.smf.now[GROUP].state != "online":
            await asyncio.sleep(0)
        self.execution.outcome(GROUP, "web", "start", True, "")
        assert await self.next() == Activated("web", 4, True)


def play(scene: Callable[[Stage], Any]) -> None:
    async def run() -> None:
        stage = Stage()
        try:
            await asyncio.wait_for(scene(stage), 15)
        finally:
            stage.execution.close()
            stage.pool.shutdown()
    asyncio.run(run())


def test_activating_is_one_enable_of_all_instances_and_ends_with_the_groups_own_outcome():
    async def scene(stage: Stage) -> None:
        await stage.up()
        assert [call for call in stage.smf.calls if call[0] != "svcs"] == [("enable", (DATA, IP, GROUP))]
    play(scene)


def test_stopping_is_one_disable_and_the_last_outcome_has_it_looked_at(monkeypatch):
    monkeypatch.setattr(execute, "LOOK_EACH_S", 3600.0)
    monkeypatch.setattr(execute, "_STOPPING_STEPS_S", (3600.0,))

    async def scene(stage: Stage) -> None:
        await stage.up()
        stage.smf.obeys = False
        stage.execution.deactivate(Deactivate("web", 4, "moved"))
        while ("disable", (DATA, IP, GROUP)) not in stage.smf.calls:
            await asyncio.sleep(0)
        stage.smf.set("disabled")
        stage.execution.outcome(DATA, "web", "stop", True, "")
        assert await stage.next() == Deactivated("web", 4, True)
    play(scene)


def test_a_look_begun_before_the_disable_does_not_end_the_stop():
    async def scene(stage: Stage) -> None:
        await stage.execution.adopt()
        stage.smf.obeys = False
        stage.execution.activate(ORDER)
        stage.execution.deactivate(Deactivate("web", 4, "moved"))
        stage.execution._seen(stage.execution.loop.time(), {})
        assert stage.events.empty()
        assert await stage.next() == Deactivated("web", 4, True)
        assert [call[0] for call in stage.smf.calls if call[0] != "svcs"] == ["enable", "disable"]
    play(scene)


def test_an_enable_that_is_refused_ends_the_activation_with_the_reason():
    async def scene(stage: Stage) -> None:
        await stage.execution.adopt()
        stage.smf.refusal = "svcadm: Permission denied."
        stage.execution.activate(ORDER)
        assert await stage.next() == Activated("web", 4, False, "svcadm: Permission denied.")
    play(scene)


def test_a_group_that_an_operator_disables_is_not_left_to_the_regular_look(monkeypatch):
    monkeypatch.setattr(execute, "LOOK_EACH_S", 3600.0)

    async def scene(stage: Stage) -> None:
        await stage.up()
        stage.smf.set("disabled", GROUP)
        stage.execution.outcome(GROUP, "web", "stop", True, "")
        assert await stage.next() == OperatorDisabled("web")
    play(scene)


def test_a_host_that_goes_down_disables_its_groups_and_that_is_no_operators_word():
    async def scene(stage: Stage) -> None:
        await stage.up()
        stage.smf.going_down = True
        stage.smf.set("disabled")
        stage.execution.outcome(GROUP, "web", "stop", True, "")
        while stage.smf.wondered < 2:
            await asyncio.sleep(0)                      # it is looked at again and again
        stage.execution.deactivate(Deactivate("web", 4, "moved to n2"))
        assert await stage.next() == Deactivated("web", 4, True)
    play(scene)


def test_what_a_failed_start_left_is_stopped_directly():
    async def scene(stage: Stage) -> None:
        await stage.execution.adopt()
        stage.execution.activate(ORDER)
        stage.execution.outcome(IP, "web", "start", False, "address in use")
        stage.execution.deactivate(Deactivate("web", 4, "the start failed"))
        assert await stage.next() == Deactivated("web", 4, True)
        assert stage.swept == [("web", "ip")]
    play(scene)


def test_stopping_everything_returns_when_nothing_is_left():
    async def scene(stage: Stage) -> None:
        await stage.up()
        await stage.execution.stop_all()
        assert stage.execution.active() == ()
        assert all(seen.state == "disabled" for seen in stage.smf.now.values())
    play(scene)
