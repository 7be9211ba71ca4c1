"""When this node claims shared disks, when a start is refused for them, and when their loss ends the host."""
import asyncio
import contextlib
import threading
from typing import Any, AsyncIterator, Callable, Coroutine, List, Optional, Set

import pytest

from sundog.config.model import Cluster, FenceLevel, Timing
from sundog.config.scsi import Scsi, key
from sundog.daemon import reservations
from sundog.daemon.reservations import Reservations
from sundog.errors import NotPermitted
from sundog.solaris import sgpersist
from unit.array import Array

A, B = "/dev/rdsk/c0t3d0s2", "/dev/rdsk/c0t4d0s2"


class World:
    """Node n1 of a cluster of two, whose disks are A and B."""

    def __init__(self, *disks: str) -> None:
        self.array = Array(A, B)
        level = FenceLevel("scsi", Scsi(disks or (A, B), "shop"))
        self.cluster = Cluster("shop", "k", {}, {}, {}, timing=Timing(0.3), fence={"n1": (level,), "n2": (level,)})
        self.right, self.members = True, ["n1", "n2"]
        self.running: Set[str] = set()
        # Its end; None: it ends 0.25 s ahead at each moment, as if granted for what was said less than 0.05 s ago.
        self.last_lease: Optional[float] = None
        self.condemned = self.changes = self.rights = 0
        self.told: List[str] = []

    def begin(self) -> Reservations:
        self.loop = asyncio.get_running_loop()
        return Reservations(self.loop, "n1", lambda: self.cluster, self._lease,
                            lambda: self.members, lambda: self.running, self._condemn, self._changed,
                            lambda code, severity, text: self.told.append(code), self.array.run_on("n1"))

    def _lease(self) -> Optional[float]:
        self.rights += 1
        if self.last_lease is not None:
            return self.last_lease
        return self.loop.time() + 0.25 if self.right else None

    def _condemn(self) -> None:
        self.condemned += 1

    def _changed(self) -> None:
        self.changes += 1

    def other_joins(self) -> None:
        for disk in (A, B):
            self.array.disks[disk]["n2"] = key("shop", "n2")

    def other_takes(self, disk: str) -> None:
        """n2 fences n1."""
        del self.array.disks[disk]["n1"]
        self.array.held[disk] = "n2"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sgpersist, "PATHS", ("/bin/sh",))
    monkeypatch.setattr(reservations, "AGAIN_S", 0.01)
    monkeypatch.setattr(reservations, "LOOK_EACH_S", 0.01)


def run(scenario: Callable[[], "Coroutine[Any, Any, None]"]) -> None:
    asyncio.run(asyncio.wait_for(scenario(), 30))


async def until(claim: Callable[[], Any]) -> None:
    while not claim():
        await asyncio.sleep(0.002)


async def ready(one: Reservations, group: str) -> bool:
    """As the daemon asks: its steps go on meanwhile."""
    asked = asyncio.ensure_future(one.ready(group))
    while not asked.done():
        one.follow()
        await asyncio.sleep(0.002)
    return asked.result()


async def owning(world: World) -> Reservations:
    """Both nodes have their keys there, and web runs on n1."""
    world.other_joins()
    one = world.begin()
    world.running = {"web"}
    await ready(one, "web")
    return one


@contextlib.asynccontextmanager
async def kept(one: Reservations) -> AsyncIterator[None]:
    """As the daemon does it: the disks are looked at all the time."""
    keeping = asyncio.ensure_future(one.keep())
    try:
        yield
    finally:
        keeping.cancel()


def test_a_node_claims_its_disks_when_it_has_a_right_and_not_before() -> None:
    async def scenario() -> None:
        world = World()
        world.right = False
        one = world.begin()
        async with kept(one):
            await until(lambda: world.rights > 3)
            assert not world.array.asked
            world.right = True
            one.follow()
            await until(lambda: "n1" in world.array.disks[B])
            assert not world.array.held, "n2 has no key yet, and would be kept out"
            world.other_joins()
            await until(lambda: world.told.count("SCSI-HELD") == 2)
            assert world.array.held == {A: "n1", B: "n1"} and world.changes >= 2
    run(scenario)


def test_a_start_waits_for_the_key_and_puts_it_there() -> None:
    async def scenario() -> None:
        world = World()
        one = world.begin()
        world.running = {"web"}
        assert await ready(one, "web") and "n1" in world.array.disks[A]
        asked = len(world.array.asked)
        assert not await ready(one, "web") and len(world.array.asked) == asked, "once for each activation"
        world.running = set()
        one.follow()
        world.running = {"web"}
        assert await ready(one, "web") and len(world.array.asked) > asked
    run(scenario)


def test_a_start_that_put_its_key_there_needs_a_lease_from_after_that() -> None:
    """Paused in between it may have been barred: only the cluster can tell."""
    async def scenario() -> None:
        world = World()
        world.last_lease, world.running = asyncio.get_running_loop().time() + 0.2, {"web"}
        with pytest.raises(NotPermitted, match="no new lease since its key is on the disks"):
            await ready(world.begin(), "web")
    run(scenario)


def test_a_node_without_disks_of_its_own_starts_at_once() -> None:
    async def scenario() -> None:
        world = World()
        world.cluster = Cluster("shop", "k", {}, {}, {})
        assert not await ready(world.begin(), "web") and not world.array.asked
    run(scenario)


def test_no_key_is_put_where_something_may_write() -> None:
    async def scenario() -> None:
        world = World()
        world.other_joins()
        world.array.held, world.array.types = {A: "n2", B: "n2"}, {A: "5", B: "5"}
        one = world.begin()
        one.adopt(["db"])
        world.running = {"db", "web"}
        with pytest.raises(NotPermitted, match=f"no key on disk {A}, which is reserved for others"):
            await ready(one, "web")
        assert "n1" not in world.array.disks[A] and not world.condemned, "it may never have had one"
        world.running = {"web"}
        one.follow()
        assert await ready(one, "web") and world.array.may_write("n1", A)
    run(scenario)


def test_a_key_that_is_taken_away_ends_a_host_that_runs_something() -> None:
    async def scenario() -> None:
        world = World()
        one = await owning(world)
        async with kept(one):
            world.other_takes(B)
            await until(lambda: world.condemned)
            assert world.told.count("SCSI-BARRED") == 1 and not world.array.may_write("n1", B)
    run(scenario)


def test_a_key_that_is_taken_from_an_idle_node_is_put_back() -> None:
    async def scenario() -> None:
        world = World()
        world.other_joins()
        one = world.begin()
        async with kept(one):
            await until(lambda: world.told.count("SCSI-HELD") == 2)
            world.other_takes(A)
            await until(lambda: world.array.may_write("n1", A))
            assert not world.condemned
    run(scenario)


def test_a_disk_that_has_forgotten_all_ends_nobody_and_is_said() -> None:
    async def scenario() -> None:
        world = World()
        one = await owning(world)
        async with kept(one):
            await until(lambda: world.told.count("SCSI-HELD") == 2)
            world.array.disks[A].clear()
            world.array.held.pop(A)
            await until(lambda: "SCSI-KEYLESS" in world.told)
            assert not world.condemned and not world.array.disks[A]
    run(scenario)


def test_half_a_mirror_that_is_away_stops_no_start_but_a_strangers_key_does() -> None:
    async def scenario() -> None:
        world = World()
        world.array.silent = [B]
        one = world.begin()
        world.running = {"web"}
        assert await ready(one, "web") and "SCSI-KEYLESS" in world.told
        world.array.silent, world.array.disks[B] = [], {"x": 0xabc}
        world.running = {"db"}
        one.follow()
        with pytest.raises(NotPermitted, match="0xabc, which is no key of this cluster"):
            await ready(one, "db")
    run(scenario)


def test_a_host_without_threads_starts_nothing_and_its_daemon_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_thread(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    async def scenario() -> None:
        world = World()
        world.other_joins()
        one = world.begin()
        async with kept(one):
            with monkeypatch.context() as patch:
                patch.setattr(threading.Thread, "start", no_thread)
                await until(lambda: world.told.count("SCSI-KEYLESS") == 2)
                world.running = {"web"}
                with pytest.raises(NotPermitted, match="no thread can be started"):
                    await ready(one, "web")
            assert await ready(one, "web") and world.array.may_write("n1", A)
    run(scenario)
