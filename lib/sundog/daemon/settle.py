"""A new configuration on its way to being this node's: checked, kept, agreed through the ledger, applied to SMF."""
import asyncio
from concurrent.futures import Executor
from typing import Any, Callable, Coroutine, Dict, List, Mapping, Optional, Set, Tuple

from sundog.config import paths
from sundog.config.diff import Diff, diff
from sundog.config.load import parse
from sundog.config.model import Cluster
from sundog.core import voters
from sundog.core.effects import FetchConfig
from sundog.core.events import Configured, Event
from sundog.core.ledger import OFFLINE, Ledger
from sundog.daemon.bundle import Bundle, BundleServer, FetchFailed, Shelf, fetch, not_kept
from sundog.daemon.execute import Execution, Tell
from sundog.daemon.tasks import Tasks
from sundog.errors import ConfigProblem, SundogError

_AGAIN_S = 1.0
_AGREED_WITHIN_S = 8.0

Answer = Dict[str, Any]
Ask = Callable[[str, str, str, str, Tuple[str, ...]], Coroutine[Any, Any, Answer]]


class Settlement:
    """Follows the configuration that the ledger names. `apply_to_smf` blocks; `ask` puts a request to the leader."""

    def __init__(self, loop: asyncio.AbstractEventLoop, pool: Executor, cluster: Cluster, name: str, key: bytes,
                 shelf: Shelf, types: Mapping[str, type], execution: Execution, ledger: Callable[[], Ledger], ask: Ask,
                 apply_to_smf: Callable[[Cluster], None], happen: Callable[[Event], None], tell: Tell) -> None:
        self.loop, self.pool, self.cluster, self.name, self.key = loop, pool, cluster, name, key
        self.shelf, self.types, self.execution = shelf, types, execution
        self.ledger, self.ask, self.apply_to_smf, self.happen, self.tell = ledger, ask, apply_to_smf, happen, tell
        self.server = BundleServer(loop, shelf, key, Bundle(cluster.source, cluster.files))
        self._tasks = Tasks(loop, "a new configuration")
        self._asked: Set[str] = set()                   # what this run has put to the leader, who may still take it
        self._order: Optional[FetchConfig] = None
        self._task: "Optional[asyncio.Task[None]]" = None
        self._settled = asyncio.Event()

    async def open(self) -> None:
        await self.server.open(list(paths.seats(self.cluster, self.name).values()))

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
        await self.server.close()

    # ---- an operator applies

    async def apply(self, source: str, files: Dict[str, str]) -> Answer:
        """Check, keep and put to the leader. Raises ConfigProblem with everything that is wrong."""
        new = parse(source, name="cluster.yaml", types=self.types, files=files)
        change = diff(self.cluster, new)
        self._must_be_possible(change)
        bundle = Bundle(source, new.files)
        ledger = self.ledger()
        if bundle.digest == ledger.config_digest:
            return {"ok": True, "text": "this configuration is in force already", "version": ledger.config_version}
        self._asked.add(bundle.digest)
        self.shelf.put(bundle)
        names = voters.wanted(new)
        said = await self.ask("apply", "", "", bundle.digest, names if names != voters.wanted(self.cluster) else ())
        agreed = await self._agreed(bundle.digest)
        return {"ok": True, "text": f"{said['text']}; {change}", "version": agreed}

    def _must_be_possible(self, change: Diff) -> None:
        if change.fixed:
            raise ConfigProblem(f"{', '.join(change.fixed)}: cannot change while the cluster runs",
                                "disable the coordinator on every node, put the file in place, enable it again")
        groups = self.ledger().groups
        busy = [name for name in change.removed + change.changed if name in groups and groups[name].state != OFFLINE]
        if busy:
            raise ConfigProblem(f"group {', '.join(busy)}: its resources change while it is not offline",
                                f"sundog group offline {busy[0]} first, and online after")

    async def _agreed(self, digest: str) -> int:
        """The version under which it is in force here, or the ledger's when that takes longer."""
        until = self.loop.time() + _AGREED_WITHIN_S
        while self.cluster.digest != digest and self.loop.time() < until:
            self._settled.clear()
            try:
                await asyncio.wait_for(self._settled.wait(), until - self.loop.time())
            except asyncio.TimeoutError:
                break
        return self.ledger().config_version

    # ---- the ledger names one

    def wanted(self, order: FetchConfig) -> None:
        """Get this configuration, from wherever it is; the same order again changes nothing."""
        if self._order == order and self._task is not None:
            return
        self._order = order
        if self._task is not None:
            self._task.cancel()
        self._task = self._tasks.begin(self._settle(order))

    async def _settle(self, order: FetchConfig) -> None:
        trouble = ""
        while True:
            try:
                bundle, new, change = await self._taken(order)
                break
            except SundogError as error:
                again = str(error)
            except OSError as error:
                again = str(not_kept(error, "a file of this host"))
            if again != trouble:
                trouble = again
                self.tell("CONFIG-NOT-TAKEN", "error", f"configuration {order.version} from {order.source}: {trouble}")
            await asyncio.sleep(_AGAIN_S)
        self._follow(order, bundle, new, change)
        self._task = None
        self._settled.set()

    async def _taken(self, order: FetchConfig) -> Tuple[Bundle, Cluster, Diff]:
        """The configuration that the order names, in force on this host. Raises SundogError, OSError."""
        bundle = await self._bundle(order)
        new = parse(bundle.source, name="cluster.yaml", types=self.types, files=bundle.files)
        change = diff(self.cluster, new)
        if change.fixed:
            raise ConfigProblem(f"{', '.join(change.fixed)}: differs from what this node was started with",
                                "copy the other nodes' /etc/sundog here and restart the coordinator")
        running = [name for name in change.removed + change.changed if name in self.execution.active()]
        if running:
            # It was brought online here by the configuration before: put in force now, it would be lost sight of.
            raise ConfigProblem(f"group {', '.join(running)}: its resources change while it is active on this node",
                                f"sundog group offline {running[0]}, and online after")
        await self.loop.run_in_executor(self.pool, self._put_in_force, bundle, new)
        return bundle, new, change

    def _follow(self, order: FetchConfig, bundle: Bundle, new: Cluster, change: Diff) -> None:
        self.cluster = new
        self.server.current = bundle
        self._asked.discard(bundle.digest)
        self.shelf.clear(keep={bundle.digest, *self._asked})
        self.execution.reconfigure(new)
        self.tell("CONFIGURED", "notice", f"configuration {order.version} is in force here: {change}")
        self.happen(Configured(new, order.version))

    def _put_in_force(self, bundle: Bundle, new: Cluster) -> None:
        self.shelf.install(bundle)
        self.apply_to_smf(new)

    async def _bundle(self, order: FetchConfig) -> Bundle:
        if self.cluster.digest == order.digest:
            return Bundle(self.cluster.source, self.cluster.files)
        kept = self.shelf.get(order.digest)
        if kept is not None:
            return kept
        others = [order.source] + [name for name in self.cluster.nodes if name not in (order.source, self.name)]
        trouble = FetchFailed(f"configuration {order.digest[:12]} is nowhere")
        for other in others:
            try:
                return await fetch(self._addresses(other), self.key, order.digest)
            except FetchFailed as error:
                trouble = error
        raise trouble

    def _addresses(self, other: str) -> List[Tuple[str, int]]:
        if other not in self.cluster.nodes or other == self.name:
            return []
        seats, own = paths.seats(self.cluster, other), paths.seats(self.cluster, self.name)
        return [seat for link, seat in seats.items() if link in own]
