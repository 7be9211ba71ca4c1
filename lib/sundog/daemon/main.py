"""sundogd: puts one node's daemon together from its configuration and runs it until SMF or the cluster ends it.

Exit status, as svc.startd reads it: 0 ended on request, 96 the configuration is wrong or the cluster refuses this node
(a human is needed, so: maintenance); anything else is tried again.
"""
import asyncio
import os
import signal
import sys
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional, Tuple

from sundog import resource
from sundog.config.install import write_whole
from sundog.config.load import load
from sundog.config.model import Cluster
from sundog.core.events import Boot, Preflight
from sundog.core.node import Node
from sundog.daemon.arbiter import Pinger
from sundog.daemon.boot import boot_id, recall
from sundog.daemon.bundle import Shelf
from sundog.daemon.clock import Policy
from sundog.daemon.control import Control
from sundog.daemon.deadline import DeadlineKeeper
from sundog.daemon.door import could_not_accept, raise_limit
from sundog.daemon.execute import Execution
from sundog.daemon.failfast import reset
from sundog.daemon.fencing import Fencer
from sundog.daemon.health import Health
from sundog.daemon.holders import Holders, maker
from sundog.daemon.host import Surroundings, ThisHost
from sundog.daemon.journal import Journal
from sundog.daemon.loop import Daemon, GaveWay
from sundog.daemon.only import OnlyOne
from sundog.daemon.orders import Orders
from sundog.daemon.racks import Racks
from sundog.daemon.reservations import Reservations
from sundog.daemon.settle import Settlement
from sundog.daemon.store import Store
from sundog.errors import ConfigProblem, SundogError
from sundog.link.key import load_key
from sundog.link.lan import Lan
from sundog.solaris.log import log
from sundog.solaris.urgency import be_urgent

OK, AGAIN, USAGE, MISCONFIGURED = 0, 1, 2, 96
PREFLIGHT_EACH_S = 30.0
_FIRST_PREFLIGHT_S = 1.0
_SMF_THREADS = 4
_ASK_AGAIN_S = 1.0
_REFUSED_AGAIN_S = 60.0


@dataclass(frozen=True)
class Paths:
    etc: str = "/etc/sundog"
    var: str = "/var/sundog"
    run: str = "/var/run/sundog"

    def make(self) -> None:
        for path, mode in ((self.etc, 0o755), (self.var, 0o700), (self.run, 0o755)):
            os.makedirs(path, mode, exist_ok=True)


def say(text: str) -> None:
    """A line for the SMF log."""
    log(f"sundogd: {text}")


def fill(pool: ThreadPoolExecutor, count: int) -> None:
    """Have all threads of the pool made now: later the process table may be full."""
    met = threading.Barrier(count)
    for _ in range(count):
        pool.submit(met.wait)


def own_name(cluster: Cluster) -> str:
    """Which of the cluster's nodes this host is: by its name. Raises ConfigProblem."""
    host = os.uname().nodename
    for name in (host, host.split(".")[0]):
        if name in cluster.nodes:
            return name
    raise ConfigProblem(f"this host is called {host}, the cluster has the nodes {', '.join(cluster.nodes)}",
                        "add it to nodes in /etc/sundog/cluster.yaml, or correct the host's name")


class Run:
    """One life of the daemon on `host`; `types` are the resource types that the configuration may use."""

    signals: Tuple[int, ...] = (signal.SIGTERM, signal.SIGINT)

    def __init__(self, paths: Paths, host: Surroundings, types: Mapping[str, type], name: Optional[str] = None) -> None:
        paths.make()
        self.paths, self.host, self.types = paths, host, types
        self._laid_out = os.path.join(paths.run, "laid_out")
        self._lock = OnlyOne(os.path.join(paths.run, "lock"), "another sundogd runs on this host",
                             "svcs -p svc:/system/sundog/coordinator:default")
        self.cluster = load(os.path.join(paths.etc, "cluster.yaml"), types)
        self.name = name or own_name(self.cluster)
        self.key = load_key(self.cluster.key_file)
        self.store = Store(os.path.join(paths.var, "ledger"))
        stored = recall(self.store, *(os.path.join(place, "incarnation") for place in (paths.var, paths.run)))
        self.boot = Boot(boot_id(os.path.join(paths.run, "boot_id")), stored.incarnation, host.hostid())
        self.racks = Racks(os.path.join(paths.var, "holders"))
        self.cluster = self.racks.with_retired(self.cluster)
        self.node = Node(self.cluster, self.name, self.boot, stored)
        self.journal = Journal(os.path.join(paths.var, "journal"), say)
        self.fast = ThreadPoolExecutor(_SMF_THREADS, thread_name_prefix="smf")
        self.slow = ThreadPoolExecutor(1, thread_name_prefix="slow")
        fill(self.fast, _SMF_THREADS)
        self._unfit: Dict[str, str] = {}                # what preflight found last
        self.reason: Optional[SundogError] = None
        self.crash: Optional[BaseException] = None
        self._refused_at = float("-inf")

    async def live(self) -> int:
        """Until the end; the exit status."""
        self.loop = asyncio.get_running_loop()
        self.over = asyncio.Event()
        self.loop.set_exception_handler(self._crashed)
        self.daemon = self._put_together()
        for number in self.signals:
            self.loop.add_signal_handler(number, self._asked_to_end)
        await self._begin()
        await self.over.wait()
        await self.daemon.close()
        if self.crash is not None:
            say("".join(traceback.format_exception(type(self.crash), self.crash, self.crash.__traceback__)))
            return AGAIN
        if isinstance(self.reason, GaveWay):
            return AGAIN
        return OK if self.reason is None else MISCONFIGURED

    async def _begin(self) -> None:
        await self.loop.run_in_executor(self.slow, self._lay_out)
        adopted = await self.daemon.execution.adopt()
        await self.daemon.control.open()
        await self.daemon.settlement.open()
        say(f"node {self.name} of cluster {self.cluster.name}, incarnation {self.boot.incarnation}"
            + (f", adopts {', '.join(f'{group} ({what})' for group, what in adopted.items())}" if adopted else ""))
        self.daemon.start(adopted)
        self.daemon.orders.ask()
        self.daemon.health.start()
        self.loop.call_later(_FIRST_PREFLIGHT_S, self._preflight)

    def _lay_out(self) -> None:
        """Files and SMF instances, once a boot for the same configuration: a daemon that comes back must be quick."""
        if os.path.exists(self._laid_out):
            with open(self._laid_out, encoding="ascii") as file:
                if file.read() == self.cluster.digest:
                    return
        self.daemon.settlement.shelf.lay_out(self.cluster.files)
        self._apply(self.cluster)

    def _apply(self, cluster: Cluster) -> None:
        """Make the SMF instances those of `cluster`, and remember that they are."""
        if os.path.exists(self._laid_out):
            os.unlink(self._laid_out)
        self.host.apply(cluster)
        write_whole(self._laid_out, cluster.digest.encode())

    def _put_together(self) -> Daemon:
        loop, paths, cluster = self.loop, self.paths, self.cluster
        daemon = Daemon(loop, self.node, cluster, self.name, self.boot, self.store, self.journal, self._end)
        boot = (self.boot.boot_id, self.boot.incarnation)
        lan = Lan(loop, cluster, self.name, boot, self.key, daemon.happen, daemon.tell)
        deadline = DeadlineKeeper(loop, os.path.join(paths.run, "coordinator"), os.path.join(paths.run, "failfast"),
                                  self.boot.incarnation * 1_000_000, daemon.tell,
                                  lambda: reset(daemon.settlement.cluster.protection.expiry))
        orders = Orders(loop, self.name, deadline.send, daemon.tell)
        orders.follow(cluster.protection)
        deadline.other = orders.take
        health = Health(loop, lambda: daemon.settlement.cluster.protection, paths.var, daemon.tell,
                        lambda: deadline.at is not None, deadline.condemn, self._say_fit)
        execution = Execution(loop, self.fast, self.host, cluster, daemon.happen, daemon.tell, self._sweep)
        shelf = Shelf(os.path.join(paths.var, "bundles"), paths.etc)
        settlement = Settlement(loop, self.slow, cluster, self.name, self.key, shelf, self.types, execution,
                                lambda: self.node.ledger, daemon.request, self._apply, daemon.happen, daemon.tell)
        control = Control(loop, os.path.join(paths.run, "control"), daemon, self.journal)
        fencer = Fencer(loop, self.name, lambda: settlement.cluster, self.node.fence_wanted, daemon.happen, daemon.tell,
                        daemon.begin)
        holders = Holders(self.racks, maker(loop, cluster, self.name, self.key, self.node.ledger.version == 0,
                                            daemon.happen, daemon.tell))
        arbiter = self.node.voting.arbiter
        pinger = Pinger(loop, cluster, daemon.happen, daemon.tell,
                        lambda: arbiter.absent or loop.time() >= arbiter.silent_from(), execution.active)
        reservations = Reservations(loop, self.name, lambda: settlement.cluster, daemon.lease,
                                    daemon.members, execution.active, deadline.condemn, fencer.test_soon,
                                    daemon.tell)
        daemon.attach(lan, deadline, execution, settlement, control, holders, orders, health, fencer, pinger,
                      reservations)
        return daemon

    # ---- in a thread

    def _sweep(self, group: str, name: str) -> None:
        self.host.stop_directly(self.daemon.settlement.cluster.groups[group], name)

    # ---- preflight

    def _preflight(self) -> None:
        self.daemon.begin(self._look_ahead())

    async def _look_ahead(self) -> None:
        self.daemon.orders.follow(self.daemon.settlement.cluster.protection)
        self._unfit = await self.loop.run_in_executor(self.slow, self.host.unfit, self.daemon.settlement.cluster,
                                                      self.name, self.daemon.execution.active())
        self._say_fit()
        self.loop.call_later(PREFLIGHT_EACH_S, self._preflight)

    def _say_fit(self) -> None:
        """What preflight found, and what the probes say against every group that does not run here."""
        sick, active = self.daemon.health.unfit, self.daemon.execution.active()
        groups = self.daemon.settlement.cluster.groups if sick else {}
        ill = {name: sick for name, group in groups.items() if self.name in group.nodes and name not in active}
        self.daemon.happen(Preflight({**self._unfit, **ill}))

    # ---- the end

    def _end(self, reason: Optional[SundogError]) -> None:
        self.reason = reason
        self.over.set()

    def _crashed(self, loop: asyncio.AbstractEventLoop, context: Dict[str, Any]) -> None:
        """A defect must not go on half-alive: SMF starts a new daemon, which adopts what runs."""
        error = context.get("exception")
        if could_not_accept(context):
            self._say_refused(error)
            return
        self.crash = self.crash or error or SundogError(str(context.get("message")))
        self.over.set()

    def _say_refused(self, error: Any) -> None:
        """Once a minute: who could not connect tries again, and the event loop does each second."""
        if self.loop.time() >= self._refused_at + _REFUSED_AGAIN_S:
            self._refused_at = self.loop.time()
            self.daemon.tell("ACCEPT-FAILED", "error", f"no connection can be accepted: {error.strerror}; pfiles "
                             f"{os.getpid()} tells what is open, swap -s whether there is memory")

    def _asked_to_end(self) -> None:
        """SIGTERM: stop what runs here if the coordinator is disabled, leave it running if it is restarted."""
        self.daemon.begin(self._leave())

    async def _leave(self) -> None:
        # Before anything is asked: a host that hangs while it goes down is reset.
        self.daemon.orders.stop_by(self.loop.time() + self.daemon.settlement.cluster.protection.shutdown_s)
        if await self._disabled():
            await self.daemon.leave_orderly()
        else:
            self.daemon.orders.stop_by(None)
        self._end(None)

    async def _disabled(self) -> bool:
        """Asked of SMF until it answers. Not in the thread that a hanging pool may hold."""
        said = ""
        while True:
            try:
                return await self.loop.run_in_executor(self.fast, self.host.coordinator_disabled)
            except SundogError as error:
                if str(error) != said:
                    said = str(error)
                    self.daemon.tell("SVCS-FAILED", "error", f"is the coordinator to stop its groups? {said}")
            await asyncio.sleep(_ASK_AGAIN_S)


def main(arguments: Optional[List[str]] = None) -> int:
    if arguments or len(sys.argv) > 1:
        say("takes no arguments: everything is in /etc/sundog/cluster.yaml; sundogd --help tells more")
        return USAGE
    raise_limit()
    asyncio.set_event_loop_policy(Policy())
    refused = be_urgent()
    if refused:
        say(f"warning: no real-time class, so a busy host may hold the coordinator up: {refused}")
    try:
        return asyncio.run(Run(Paths(), ThisHost(), resource.parameters()).live())
    except ConfigProblem as error:
        say(str(error))
        return MISCONFIGURED
    except (SundogError, OSError) as error:
        say(str(error))
        return AGAIN


if __name__ == "__main__":
    sys.exit(main())
