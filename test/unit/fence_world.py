"""Fence devices in memory, and what a Fencer with them has been asked, has said and has done."""
import asyncio
import threading
from typing import Any, Coroutine, Dict, List, Tuple

from sundog.config.fencing import Ipmi
from sundog.config.model import Cluster, FenceLevel
from sundog.core.events import FenceDone
from sundog.daemon.fencing import Fencer
from sundog.fence.device import OFF, ON, Device, NoAnswer


class Board(Device):
    """`power` is shared by the devices of a node; a device in `dead` does not answer, one in `hung` waits for `go`,
    one in `broken` fails as nobody foresaw, one in `stuck` when the power is to be switched on."""
    power: Dict[str, str] = {}

    def __init__(self, level: FenceLevel, node: str, world: "World") -> None:
        super().__init__(level, node)
        self.world = world

    def _begin(self) -> None:
        address = self.level.params.address
        self.world.asked.append(address)
        self.world.asked_at.append(self.world.loop.time())
        if address in self.world.hung:
            self.world.go.wait()
        if address in self.world.dead:
            raise NoAnswer(f"{address} does not answer")
        if address in self.world.broken:
            raise self.world.broken[address]

    def status(self, patience_s: float) -> str:
        self._begin()
        return self.world.power.get(self.node, ON)

    def off(self, patience_s: float) -> None:
        self.world.power[self.node] = OFF

    def on(self, patience_s: float) -> None:
        if self.level.params.address in self.world.stuck:
            raise self.world.stuck[self.level.params.address]
        self.world.power[self.node] = ON


class World:
    def __init__(self, **levels: Tuple[FenceLevel, ...]) -> None:
        self.cluster = Cluster("c", "k", {}, {}, {}, fence=levels)
        self.power: Dict[str, str] = {}
        self.asked: List[str] = []
        self.asked_at: List[float] = []
        self.dead: List[str] = []
        self.hung: List[str] = []
        self.broken: Dict[str, Exception] = {}
        self.stuck: Dict[str, Exception] = {}
        self.go = threading.Event()
        self.done: "asyncio.Queue[FenceDone]" = asyncio.Queue()
        self.journal: List[str] = []
        self.tasks: List[Any] = []
        self.needed = True

    def fencer(self) -> Fencer:
        self.loop = asyncio.get_running_loop()
        return Fencer(self.loop, "n9", lambda: self.cluster, lambda *_: self.needed, self.done.put_nowait,  # type: ignore
                      self._tell, self._begin, lambda level, node: Board(level, node, self))

    def _tell(self, code: str, severity: str, text: str, group: str = "", node: str = "") -> None:
        self.journal.append(f"{code} {node} {text}")

    def _begin(self, work: "Coroutine[Any, Any, None]") -> None:
        self.tasks.append(asyncio.ensure_future(work))


def level(address: str, **more: Any) -> FenceLevel:
    return FenceLevel("ipmi", Ipmi(address, "u", "/p"), **more)
