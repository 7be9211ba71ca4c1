"""The shell around the core: turns what happens into events, and carries out the effects in the order given.

A Store is durable before anything after it in the same step is begun. Ticks come when the core wants them
(Node.wake_at); nothing here sleeps or polls. Instants are seconds of the loop's clock, which is the monotonic one.
"""
import asyncio
import time
from collections import deque
from typing import Any, Callable, Coroutine, Deque, Dict, List, Optional, Set, Tuple

from sundog.config.model import Cluster
from sundog.core import effects, events, join
from sundog.core.frames import Body
from sundog.core.jumps import Clocks
from sundog.core.node import Node
from sundog.daemon.arbiter import Pinger
from sundog.daemon.control import Answer, Control, Desk
from sundog.daemon.deadline import DeadlineKeeper
from sundog.daemon.execute import Execution
from sundog.daemon.fencing import Fencer
from sundog.daemon.health import Health
from sundog.daemon.holders import Holders
from sundog.daemon.journal import Journal
from sundog.daemon.matrix import matrix
from sundog.daemon.orders import Orders
from sundog.daemon.presence import Presence
from sundog.daemon.pulses import Pulses
from sundog.daemon.quorum import quorum
from sundog.daemon.reservations import Reservations
from sundog.daemon.settle import Settlement
from sundog.daemon.status import explain, status
from sundog.daemon.store import Store
from sundog.daemon.tasks import Tasks
from sundog.daemon.track import ACTIVATING, ACTIVE, DEACTIVATING
from sundog.errors import NotPermitted, SundogError
from sundog.link.frame import FrameTooLarge
from sundog.link.lan import Lan

_ANSWER_WITHIN_S = 18.0
_FAILFAST_WITHIN_S = 1.0
_HAND_OVER_WITHIN_S = 5.0
_SHORTEST_TICK_S = 0.001
_LATE = 0.25                            # of L: a tick that much behind its time is told
_LATE_AGAIN_S = 60.0


class GaveWay(SundogError):
    """This run of the daemon has set its vote file aside: the next one begins without."""


class Daemon(Desk):
    """One node's daemon. The parts are made by main.py and put in with `attach` before `start`."""

    def __init__(self, loop: asyncio.AbstractEventLoop, node: Node, cluster: Cluster, name: str, boot: events.Boot,
                 store: Store, journal: Journal, end: Callable[[Optional[SundogError]], None]) -> None:
        self.loop, self.node, self.cluster, self.name, self.boot = loop, node, cluster, name, boot
        self.store, self.journal, self.end = store, journal, end
        self.presence = Presence(cluster.timing.timeout_s, loop.time())
        self._pulses = Pulses(node, self.tell)
        self.leaving = self._disarmed = False
        self._clocks = Clocks(cluster.timing.guard_s, cluster.timing.timeout_s)
        self._jumps = 0
        self._late_at = float("-inf")
        self._queue: Deque[events.Event] = deque()
        self._draining = False
        self._closed = False
        self._tick: Optional[asyncio.TimerHandle] = None
        self._asks = 0
        self._permits: Dict[int, "asyncio.Future[effects.AnswerPermit]"] = {}
        self._answers: Dict[str, "asyncio.Future[effects.AnswerRequest]"] = {}
        self._tasks = Tasks(loop, "a task of the daemon")
        self._refused: Set[str] = set()
        self._carry: Dict[type, Callable[[Any], None]] = {
            effects.Send: self._send, effects.Greet: self._greet, effects.Store: self._store,
            effects.WriteDisk: self._write_disk,
            effects.Activate: self._activate, effects.Deactivate: self._deactivate, effects.Fence: self._fence,
            effects.SetDeadline: self._set_deadline, effects.AnswerPermit: self._answer_permit,
            effects.AnswerRequest: self._answer_request, effects.FetchConfig: self._fetch_config,
            effects.Journal: self._journal, effects.Leave: self._leave, effects.Forget: self._forget}

    def attach(self, lan: Lan, deadline: DeadlineKeeper, execution: Execution, settlement: Settlement,
               control: Control, disks: Holders, orders: Orders, health: Health, fencer: Fencer,
               pinger: Pinger, reservations: Reservations) -> None:
        self.lan, self.deadline, self.execution = lan, deadline, execution
        self.orders, self.health, self.fencer, self.reservations = orders, health, fencer, reservations
        self.settlement, self.control, self.disks, self.pinger = settlement, control, disks, pinger

    def start(self, adopted: Dict[str, str]) -> None:
        self.lan.open()
        self.pinger.start()
        self.reservations.adopt(adopted)
        self.begin(self.reservations.keep())
        self.happen(events.Adopted(adopted))
        self.happen(events.Tick())

    def tell(self, code: str, severity: str, text: str, group: str = "", node: str = "") -> None:
        self.journal.add(code, severity, text, group, node or self.name)
        if severity in ("warning", "error"):
            # The SMF log is where an operator looks first when svcs -x names this service.
            self.journal.say(f"{code}: {text}")

    # ---- events in, effects out

    def happen(self, *what: events.Event) -> None:
        """Take events, in order; those that carrying out effects brings forth wait for their turn."""
        if self._closed:
            return
        self._queue.extend(what)
        if self._draining:
            return
        # Stays set when a step fails: half a step's effects are no state to go on from, the daemon ends.
        self._draining = True
        try:
            while self._queue:
                event = self._queue.popleft()
                self._step(event)
        except BaseException as error:
            self.loop.call_exception_handler({"message": f"taking {type(event).__name__}", "exception": error})
            raise
        self._draining = False
        self._set_tick()
        self.control.changed()

    def _step(self, event: events.Event) -> None:
        now = self.loop.time()
        # Before anything else: a host that was stopped and goes on after its deadline has no right to act.
        if self.deadline.passed(now):
            return
        self.reservations.follow(isinstance(event, events.Heard))
        by_s = self._clocks.jumped(now, time.time())
        if by_s:
            self._jumps += 1
            self._queue.appendleft(event)
            event = events.ClockJumped(by_s)
        if isinstance(event, events.Heard):
            self.presence.heard(event.sender, now)
        elif isinstance(event, events.Configured):
            self.cluster = event.cluster
            self.disks.configured(event.cluster)
            self.pinger.configured(event.cluster)
        for effect in self.node.step(now, event):
            self._carry[type(effect)](effect)
        self.disks.keep(self.node.voting.disks.by_name)

    def _set_tick(self) -> None:
        now = self.loop.time()
        at = max(self.node.wake_at(now), now + _SHORTEST_TICK_S)
        if self._tick is not None:
            # A tick that comes too early costs less than a new timer for every frame; it sets the next one.
            if self._tick.when() <= at:
                return
            self._tick.cancel()
        self._tick = self.loop.call_at(at, self._on_tick)

    def _on_tick(self) -> None:
        assert self._tick is not None
        late_s, now = self.loop.time() - self._tick.when(), self.loop.time()
        self._tick = None
        if late_s > _LATE * self.cluster.timing.timeout_s and now >= self._late_at + _LATE_AGAIN_S:
            self._late_at = now
            self.tell("LOOP-LATE", "warning", f"the coordinator was held up for {late_s:.3f} s: this host, or its root "
                      f"disk, is too slow for a timeout of {self.cluster.timing.timeout_s:g} s")
        self.happen(events.Tick())
        self._pulses.look(now, self.cluster)

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine beside the loop; its failure ends the daemon."""
        self._tasks.begin(work)

    # ---- effects

    def _send(self, effect: effects.Send) -> None:
        try:
            self.lan.send(effect.to, effect.body)
        except FrameTooLarge as error:
            self._once("FRAME-TOO-LARGE", str(error), effect.body)

    def _once(self, code: str, text: str, body: Body) -> None:
        kind = type(body).__name__
        if kind not in self._refused:
            self._refused.add(kind)
            self.tell(code, "error", f"{kind}: {text}")

    def _greet(self, effect: effects.Greet) -> None:
        self.lan.hail(effect.to)

    def _store(self, effect: effects.Store) -> None:
        self.store.save(effect.stored)

    def _write_disk(self, effect: effects.WriteDisk) -> None:
        self.disks.write(effect)

    def _activate(self, effect: effects.Activate) -> None:
        # A host that was paused in the middle of a step goes on here: its lease may be over (rule 12).
        if not self.leaving and not self.deadline.passed(self.loop.time()):
            self.execution.activate(effect)

    def _deactivate(self, effect: effects.Deactivate) -> None:
        if not self.leaving:
            self.execution.deactivate(effect)

    def _fence(self, effect: effects.Fence) -> None:
        self.fencer.fence(effect)

    def _set_deadline(self, effect: effects.SetDeadline) -> None:
        if not self._disarmed:
            self.deadline.set(effect.at)

    def _answer_permit(self, effect: effects.AnswerPermit) -> None:
        self._permits[effect.ask].set_result(effect)

    def _answer_request(self, effect: effects.AnswerRequest) -> None:
        waiting = self._answers.pop(effect.ask, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(effect)

    def _fetch_config(self, effect: effects.FetchConfig) -> None:
        self.settlement.wanted(effect)

    def _journal(self, effect: effects.Journal) -> None:
        self.tell(effect.code, effect.severity, effect.text, effect.group, effect.node)

    def _leave(self, effect: effects.Leave) -> None:
        self.tell("LEAVING", "error", f"{effect.reason}; {effect.remedy}")
        self.end(NotPermitted(effect.reason, effect.remedy))

    def _forget(self, effect: effects.Forget) -> None:
        aside = self.store.set_aside()
        self.tell("GAVE-WAY", "error", f"{effect.why}; this node begins again without its ledger, kept as {aside}")
        self.end(GaveWay(effect.why))

    # ---- what the control socket offers

    async def permit(self, group: str, resource: str) -> Answer:
        answer = await self._ask_permit(group, resource)
        if answer.permit is not None and not self.leaving and await self.reservations.ready(group):
            answer = await self._ask_permit(group, resource)        # that took time
        if answer.permit is None or self.leaving:
            raise NotPermitted(f"group {group}: {answer.refusal or 'the coordinator is being stopped on this node'}",
                               f"sundog explain {group} tells where it may run")
        if not await self.deadline.confirmed(_FAILFAST_WITHIN_S) or self.deadline.at is None:
            raise NotPermitted(f"group {group}: failfast does not hold a deadline for this node",
                               "svcs -x svc:/system/sundog/failfast:default")
        return {"ok": True, "epoch": answer.permit.epoch, "force": answer.permit.force, "why": answer.permit.why}

    async def _ask_permit(self, group: str, resource: str) -> effects.AnswerPermit:
        """The core's answer; an answer from before a pause of this host is asked for again (rule 12)."""
        while True:
            jumps, self._asks = self._jumps, self._asks + 1
            ask = self._asks
            answered: "asyncio.Future[effects.AnswerPermit]" = self.loop.create_future()
            self._permits[ask] = answered
            self.happen(events.PermitAsked(ask, group, resource))
            # Not bounded here: the core gives every applicant an answer within the cluster's timeout.
            answer = await answered
            del self._permits[ask]
            self.happen(events.Tick())
            if answer.permit is None or jumps == self._jumps:
                return answer

    def lease(self) -> Optional[float]:
        """When this node's lease ends, if this boot of it has its place in the ledger, as far as it knows."""
        return self.node.lease_until if join.is_member(self.name, self.boot.boot_id, self.node.ledger) else None

    def members(self) -> List[str]:
        """The nodes that are in the cluster, as far as this one knows."""
        return [name for name, member in self.node.ledger.members.items() if member.joined]

    def outcome(self, fmri: str, group: str, method: str, ok: bool, error: str) -> None:
        if not ok:
            self.tell("METHOD-FAILED", "warning", f"{fmri}: {method} method: {error}", group=group)
        self.execution.outcome(fmri, group, method, ok, error)
        self.control.changed()

    def status(self) -> Answer:
        return status(self)

    async def explain(self, group: str) -> Answer:
        return await explain(self, group)

    async def quorum(self) -> Answer:
        return await quorum(self)

    async def links(self) -> Answer:
        return await matrix(self)

    async def request(self, op: str, group: str, node: str = "", digest: str = "",
                      voters: Tuple[str, ...] = ()) -> Answer:
        """Ask the leader; raises NotPermitted with its refusal."""
        self._asks += 1
        ask = f"{self.name}:{self.boot.incarnation}.{self._asks}"
        answer: "asyncio.Future[effects.AnswerRequest]" = self.loop.create_future()
        self._answers[ask] = answer
        self.happen(events.Requested(ask, op, group, node, digest, voters))
        try:
            said = await asyncio.wait_for(answer, _ANSWER_WITHIN_S)
        except asyncio.TimeoutError:
            raise NotPermitted(f"no leader has answered within {_ANSWER_WITHIN_S:g} s; the request may still be "
                               "carried out", "sundog status tells whether a majority of votes is there") from None
        finally:
            self._answers.pop(ask, None)
        if not said.ok:
            raise NotPermitted(said.text, said.remedy)
        return {"ok": True, "text": said.text}

    async def apply(self, source: str, files: Dict[str, str]) -> Answer:
        return await self.settlement.apply(source, files)

    async def fence(self, request: str, node: str) -> Answer:
        """An operator's word on the boot of `node` that this node's ledger knows now, and on no later one."""
        member = self.node.ledger.members.get(node)
        return await self.request(request, "", node, member.boot_id if member is not None else "")

    async def fence_test(self, node: str) -> Answer:
        return {"ok": True, "fence": await self.fencer.test(node)}

    # ---- the end

    async def leave_orderly(self) -> None:
        """Hand over or stop what runs here, keeping the lease alive meanwhile; then nothing is armed any more.

        Failfast holds a deadline for that too, until here: a host that hangs while it stops is reset, so that others
        may start.
        """
        await asyncio.gather(*(self._hand_over(group) for group in self.execution.active()))
        self.leaving = True
        await self.execution.stop_all()
        self._disarmed = True           # the core was not asked for these stops: a lease that comes now is for nothing
        self.deadline.set(None)
        self.orders.stop_by(None)
        await self.deadline.confirmed(_FAILFAST_WITHIN_S)
        await self.orders.confirmed(_FAILFAST_WITHIN_S)

    async def _hand_over(self, group: str) -> None:
        """Move a group to another node in an orderly way, if there is one that takes it."""
        try:
            await asyncio.wait_for(self.request("move", group), _HAND_OVER_WITHIN_S)
        except (NotPermitted, asyncio.TimeoutError) as error:
            self.tell("NOT-HANDED-OVER", "notice", f"group {group} only stops: {error or 'no leader answers'}", group)
            return
        track = self.execution.tracks[group]
        await self.execution.until(lambda: track.phase not in (ACTIVATING, ACTIVE, DEACTIVATING))

    async def close(self) -> None:
        self._closed = True             # what is still on its way finds nobody
        if self._tick is not None:
            self._tick.cancel()
        self._tasks.cancel()
        self.health.close()
        self.orders.close()
        await self.settlement.close()
        await self.control.close()
        self.fencer.close()
        self.execution.close()
        self.lan.close()
        self.pinger.close()
        self.disks.close()
        self.deadline.close()
        self.store.close()
        self.journal.close()
