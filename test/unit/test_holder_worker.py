"""A holder's worker: what is slow or hangs is answered as failed, and delays neither the loop nor its end."""
import asyncio
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Callable, List, Optional, Tuple

from sundog.core.effects import WriteDisk
from sundog.core.events import DiskAnswered
from sundog.core.frames import Block
from sundog.daemon.disks import HolderWorker
from sundog.link.disk import SlotDisk
from sundog.link.passive import HolderFailed, HolderRefused, Passive

KEY, BLANK = bytes(32), bytes(1 << 17)


class Scripted(Passive):
    """A holder that does what the test says, exchange by exchange. `go` lets one exchange go on."""

    def __init__(self, *outcomes: Any) -> None:
        self.outcomes, self.go, self.seen = list(outcomes), threading.Semaphore(0), []   # type: ignore[var-annotated]
        self.closed = threading.Event()

    def exchange(self, block: Optional[Block]) -> Tuple[Block, ...]:
        self.seen.append(block)
        outcome = self.outcomes.pop(0)
        if outcome == "hang":
            self.go.acquire()
            outcome = ()
        if isinstance(outcome, Exception):
            raise outcome
        self.life, blocks = outcome if len(outcome) == 2 else ("", outcome)
        return tuple(blocks)

    def close(self) -> None:
        self.closed.set()


class Bench:
    def __init__(self, passive: Passive, within_s: float = 30.0, kind: str = "witness") -> None:
        self.answers: "asyncio.Queue[DiskAnswered]" = asyncio.Queue()
        self.told: List[Tuple[str, str, str]] = []
        self.worker = HolderWorker(asyncio.get_running_loop(), "n1", "w1", kind, passive, within_s,
                                   self.answers.put_nowait, lambda *told: self.told.append(told))

    async def exchange(self, request: int, block: Optional[Block] = None) -> DiskAnswered:
        self.worker.write(WriteDisk("w1", request, block))
        return await self.answer()

    async def answer(self) -> DiskAnswered:
        return await asyncio.wait_for(self.answers.get(), 20)

    def codes(self) -> List[str]:
        return [code for code, _, _ in self.told]


def run(story: Callable[[], Any]) -> None:
    asyncio.run(story())


def test_one_that_hangs_is_answered_as_failed_and_goes_on_when_it_comes_back() -> None:
    async def story() -> None:
        passive = Scripted("hang", ("a", ()))
        bench = Bench(passive, within_s=0.05)
        late = await bench.exchange(1)
        assert (late.request, late.blocks) == (1, None) and "no answer" in late.error
        bench.worker.write(WriteDisk("w1", 2, None))
        bench.worker.write(WriteDisk("w1", 3, None))
        assert (await bench.answer()).request == 2, "overtaken"
        passive.go.release()
        again = await bench.answer()
        assert (again.request, again.blocks, again.life) == (3, (), "a"), "what came late is dropped"
        assert bench.codes() == ["HOLDER-FAILED", "HOLDER-BACK"]
        bench.worker.close()
        assert passive.closed.wait(20)
    run(story)


def test_failures_are_told_once_and_by_their_kind() -> None:
    async def story() -> None:
        bench = Bench(Scripted(HolderFailed("gone"), HolderFailed("gone"), HolderRefused("wrong key", "copy it"),
                               ("a", ()), ("b", ())))
        assert [(await bench.exchange(number)).error for number in range(3)] == ["gone", "gone", "wrong key; copy it"]
        assert [(await bench.exchange(number)).life for number in (3, 4)] == ["a", "b"]
        assert bench.codes() == ["HOLDER-FAILED", "HOLDER-REFUSED", "HOLDER-BACK", "HOLDER-FORGOT"]
        bench.worker.close()
    run(story)


def test_a_disk_that_a_human_must_see_to_is_told_as_refused_and_one_that_fails_as_failed(tmp_path: Path) -> None:
    """Another cluster's, another key's, somebody else's: nobody should look for a broken cable."""
    device = tmp_path / "slice"

    def holds(raw: bytes, cluster: str = "", key: bytes = KEY) -> None:
        device.write_bytes(raw)
        if cluster:
            other = SlotDisk(str(device), cluster, ("n1",), "n1", key)
            other.exchange(None)
            other.close()

    async def story() -> None:
        bench = Bench(SlotDisk(str(device), "shop", ("n1",), "n1", KEY), kind="disk")
        await bench.exchange(0)
        for raw, cluster, key in ((b"UFS!" * (1 << 15), "", KEY), (BLANK, "shop", KEY), (BLANK, "bank", KEY),
                                  (BLANK, "shop", KEY), (BLANK, "shop", bytes([1] * 32))):
            holds(raw, cluster, key)
            await bench.exchange(1)
        assert bench.codes() == ["DISK-FAILED", "HOLDER-REFUSED", "DISK-BACK", "HOLDER-REFUSED", "DISK-BACK",
                                 "HOLDER-FORGOT", "HOLDER-REFUSED"]
        assert all("sundog quorum init-disk" in text for code, _, text in bench.told if code == "HOLDER-REFUSED")
        bench.worker.close()
    run(story)


def test_a_defect_reaches_the_loop() -> None:
    async def story() -> None:
        found: "asyncio.Queue[Any]" = asyncio.Queue()
        asyncio.get_running_loop().set_exception_handler(lambda _, context: found.put_nowait(context["exception"]))
        bench = Bench(Scripted(ZeroDivisionError()))
        bench.worker.write(WriteDisk("w1", 1, None))
        assert isinstance(await asyncio.wait_for(found.get(), 20), ZeroDivisionError)
        bench.worker.close()
    run(story)


HANGS = """
import asyncio, threading
from sundog.core.effects import WriteDisk
from sundog.daemon.disks import HolderWorker
from sundog.link.passive import Passive

class Hangs(Passive):
    def exchange(self, block):
        started.set()
        threading.Event().wait()

async def main():
    worker = HolderWorker(asyncio.get_running_loop(), "n1", "w1", "witness", Hangs(), 60.0, print, print)
    worker.write(WriteDisk("w1", 1, None))
    await asyncio.get_running_loop().run_in_executor(None, started.wait)
    worker.close()

started = threading.Event()
asyncio.run(main())
"""


def test_one_that_hangs_for_ever_does_not_keep_the_daemon_from_ending() -> None:
    lib = Path(__file__).parents[2] / "lib"
    done = subprocess.run([sys.executable, "-c", HANGS], env={"PYTHONPATH": str(lib)}, timeout=60, check=False)
    assert done.returncode == 0
