"""A configuration that the ledger names comes into force, however often that fails before."""
import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple, Tuple

import pytest

from sundog.config.load import parse
from sundog.core.effects import FetchConfig
from sundog.core.ledger import Ledger
from sundog.daemon import settle
from sundog.daemon.bundle import Bundle, Shelf
from sundog.daemon.settle import Settlement
from sundog.errors import SundogError

OLD = """
cluster: shop
key_file: /etc/sundog/key
nodes:
  n1: {addresses: [127.0.0.1]}
  n2: {addresses: [127.0.0.2]}
links:
  private: {type: lan, network: 127.0.0.0/24}
"""
NEW = OLD + """
groups:
  web:
    nodes: [n1, n2]
    resources:
      app: {type: task, start: a.sh}
"""


class Task(NamedTuple):
    start: str


class Scene:
    """Node n1, with the new configuration on its shelf. `does` is what SMF does with it."""

    def __init__(self, tmp_path: Path, does: Callable[[], None] = lambda: None) -> None:
        self.loop = asyncio.get_running_loop()
        self.told: List[Tuple[str, str]] = []
        self.failed: List[Any] = []
        self.asked: List[str] = []
        self.happened: List[Any] = []
        self.running: Tuple[str, ...] = ()
        self.loop.set_exception_handler(lambda loop, context: self.failed.append(context))
        self.shelf = Shelf(str(tmp_path / "kept"), str(tmp_path / "etc"))
        self.settlement = Settlement(
            self.loop, ThreadPoolExecutor(1), parse(OLD, name="cluster.yaml", types={"task": Task}, files={}), "n1",
            bytes(32), self.shelf, {"task": Task}, self, Ledger, self.ask, lambda cluster: does(),  # type: ignore[arg-type]
            self.happened.append, lambda code, severity, text: self.told.append((code, text)))
        self.new = Bundle(NEW, {"a.sh": "exit 0"})
        self.shelf.put(self.new)
        self.order = FetchConfig(3, self.new.digest, "n2")

    def reconfigure(self, cluster: Any) -> None:
        """As the execution of orders."""

    def active(self) -> Tuple[str, ...]:
        return self.running

    async def ask(self, *words: Any) -> Dict[str, Any]:
        self.asked.append(words[3])
        return {"ok": True, "text": ""}

    async def until(self, claim: Callable[[], Any]) -> None:
        while not claim():
            await asyncio.sleep(0.005)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settle, "_AGAIN_S", 0.02)


def play(scene: Callable[[], Any]) -> None:
    asyncio.run(asyncio.wait_for(scene(), 20))


def test_a_configuration_that_cannot_be_written_is_told_and_tried_again(tmp_path: Path) -> None:
    async def scene() -> None:
        (tmp_path / "etc").mkdir()
        (tmp_path / "etc/files").write_text("in the way")
        one = Scene(tmp_path)
        tried: List[Bundle] = []
        install = one.shelf.install
        one.shelf.install = lambda bundle: tried.append(bundle) or install(bundle)  # type: ignore[method-assign,func-returns-value]
        one.settlement.wanted(one.order)
        await one.until(lambda: len(tried) > 3)
        code, text = one.told[0]
        assert code == "CONFIG-NOT-TAKEN" and str(tmp_path / "etc/files") in text and "df -h" in text
        assert len(one.told) == 1, "the same trouble is told once"
        (tmp_path / "etc/files").unlink()
        await one.until(lambda: one.happened)
        assert (tmp_path / "etc/cluster.yaml").read_text() == NEW and not one.failed
    play(scene)


@pytest.mark.parametrize("trouble", [OSError(28, "No space left on device"), OSError(24, "Too many open files", "/tmp"),
                                     SundogError("svccfg failed")])
def test_whatever_goes_wrong_with_this_host_is_tried_again(tmp_path: Path, trouble: Exception) -> None:
    def does() -> None:
        if len(tries) < 2:
            tries.append(trouble)
            raise trouble
    tries: List[Exception] = []

    async def scene() -> None:
        (tmp_path / "etc").mkdir()
        one = Scene(tmp_path, does)
        one.settlement.wanted(one.order)
        await one.until(lambda: one.happened)
        assert [code for code, _ in one.told] == ["CONFIG-NOT-TAKEN", "CONFIGURED"]
        assert not one.failed
    play(scene)


def test_a_defect_in_it_is_not_passed_over_in_silence(tmp_path: Path) -> None:
    def does() -> None:
        raise LookupError("a defect")

    async def scene() -> None:
        (tmp_path / "etc").mkdir()
        one = Scene(tmp_path, does)
        one.settlement.wanted(one.order)
        await one.until(lambda: one.failed)
        assert isinstance(one.failed[0]["exception"], LookupError)
    play(scene)


def test_what_an_operator_applies_and_cannot_be_kept_is_refused_with_the_place(tmp_path: Path) -> None:
    async def scene() -> None:
        one = Scene(tmp_path)
        one.shelf.kept = str(tmp_path / "etc/bundles")
        (tmp_path / "etc").write_text("in the way")
        with pytest.raises(SundogError, match="etc/bundles.*df -h"):
            await one.settlement.apply(NEW, {})
    play(scene)


def test_what_is_asked_for_while_another_comes_into_force_stays(tmp_path: Path) -> None:
    newer = NEW.replace("a.sh", "b.sh").replace("web", "db")

    async def scene() -> None:
        (tmp_path / "etc").mkdir()
        began, goes_on = asyncio.Event(), threading.Event()

        def does() -> None:
            one.loop.call_soon_threadsafe(began.set)
            assert goes_on.wait(10)
        one = Scene(tmp_path, does)
        one.shelf.put(Bundle("older"))
        one.settlement.wanted(one.order)
        await began.wait()
        applied = asyncio.ensure_future(one.settlement.apply(newer, {}))
        await one.until(lambda: one.asked)
        goes_on.set()
        await one.until(lambda: one.happened)
        assert one.shelf.get(Bundle("older").digest) is None
        asked = Bundle(newer)
        assert one.asked == [asked.digest] and one.shelf.get(asked.digest) == asked
        one.settlement.wanted(FetchConfig(4, asked.digest, "n1"))
        assert (await applied)["ok"]
        assert (tmp_path / "etc/cluster.yaml").read_text() == newer
        assert sorted(path.name for path in (tmp_path / "kept").iterdir()) == [asked.digest]
    play(scene)


def test_a_group_that_changes_while_it_is_active_here_is_waited_for(tmp_path: Path) -> None:
    async def scene() -> None:
        here = Scene(tmp_path)
        here.settlement.wanted(here.order)
        await here.until(lambda: here.happened)
        here.running = ("web",)
        changed = Bundle(NEW.replace("a.sh", "b.sh"), {"b.sh": "exit 1"})
        here.shelf.put(changed)
        here.settlement.wanted(FetchConfig(4, changed.digest, "n2"))
        await here.until(lambda: any(code == "CONFIG-NOT-TAKEN" for code, _ in here.told))
        assert "group web: its resources change while it is active on this node" in here.told[-1][1]
        assert len(here.happened) == 1
        here.running = ()
        await here.until(lambda: len(here.happened) == 2)
    play(scene)
