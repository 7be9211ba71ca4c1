"""What a node keeps and says while it leads, and no longer: since when, what was asked, which change is on its way."""
from typing import Dict, Iterable, List, Optional, Tuple

from sundog.config.model import Cluster
from sundog.core import authority, changes, fencing, lease, plan, recovery
from sundog.core.asking import Asking
from sundog.core.double import View as ForkView
from sundog.core.draft import Draft, View
from sundog.core.effects import Effect, Journal, Send
from sundog.core.electorate import Present
from sundog.core.events import FenceDone
from sundog.core.frames import Ask, Ballot, Elected, Grant, Heartbeat, LedgerIs, Told
from sundog.core.ledger import Ledger
from sundog.core.membership import Membership
from sundog.core.proofs import Proofs

_REMEMBERED = 200
_MISSED_BEATS = 3


class Leadership:
    """`led_at`: no other leader was acknowledged later (rule 5). Effects go into the list `out`."""

    def __init__(self, now: float, me: str, ballot: Ballot, led_at: float, asking: Asking, out: List[Effect]) -> None:
        self.me, self.ballot, self.elected_at, self.led_at = me, ballot, now, led_at
        self.dirty = True                               # something has happened that may change the plan
        self.plan_at = now
        self._asking, self._out = asking, out
        self._asks: Dict[str, Tuple[str, Ask]] = {}
        self._told: Dict[str, Told] = {}
        self._pending: Optional[Draft] = None
        self._awaited: Dict[str, float] = {}            # node -> when it last beat to us, or was told to
        self._learned: recovery.Learned = {}
        self.proofs = Proofs()
        self.waits = ""                                 # why a change of the voters that is due waits

    def view(self, now: float, cluster: Cluster, peers: Membership, fork: ForkView) -> View:
        return View(now, self.me, cluster, peers, self.elected_at, self.led_at, self.proofs, fork)

    def fence_done(self, now: float, event: FenceDone, timeout_s: float) -> None:
        # A device that stays dead is asked for ever: the same answer is said once.
        if event.ok or event.reason != self.proofs.course(event.node, event.boot_id).said:
            self._out.append(fencing.line(event))
        self.proofs.done(now, event, timeout_s)
        self.dirty = True

    def remind(self, now: float, others: Iterable[str], beat_s: float, version: int) -> None:
        """Tell those that do not beat to us once more: the announcement may be lost, and they beat to others."""
        for node in others:
            if now > self._awaited.setdefault(node, now) + _MISSED_BEATS * beat_s:
                self._awaited[node] = now
                self._out.append(Send(node, Elected(self.ballot, version)))

    def announce(self, others: Iterable[str], version: int) -> None:
        """Tell everybody to beat to us; take up what was asked on this node meanwhile."""
        self._out += [Send(node, Elected(self.ballot, version)) for node in others]
        for ask in self._asking.open():
            self.asked(self.me, ask)

    # ---- requests

    def asked(self, origin: str, ask: Ask) -> None:
        """A request came in, perhaps again: it is planned next, unless it has its answer or is on its way."""
        told = self._told.get(ask.ask)
        if told is not None:
            self._answer([(origin, told)])
        elif self._pending is None or all(one.ask != ask.ask for _, one in self._pending.answers):
            self._asks.setdefault(ask.ask, (origin, ask))
            self.dirty = True

    def _answer(self, answers: List[Tuple[str, Told]]) -> None:
        for origin, told in answers:
            self._told[told.ask] = told
            if len(self._told) > _REMEMBERED:
                del self._told[next(iter(self._told))]
            self._out += self._asking.told(told) if origin == self.me else [Send(origin, told)]

    # ---- the ledger

    def plan(self, now: float, cluster: Cluster, peers: Membership, ledger: Ledger,
             present: Present, fork: ForkView) -> Optional[Ledger]:
        """The ledger to propose now; None when the chosen one is as it should be."""
        self.dirty = False
        draft = plan.make(self.view(now, cluster, peers, fork), ledger, self._asks, self._learned, present)
        self._say_waits(draft.waits)
        self._asks = {}
        self.plan_at = draft.wake_at
        self._out += [*draft.said, *draft.fences]
        self.proofs.planned(draft.fences, draft.confirmed, draft.ordered, draft.refuted)
        self.dirty = bool(draft.ordered)
        if draft.ledger.version == ledger.version:
            self._answer(draft.answers)
            return None
        self._pending = draft
        return draft.ledger

    def _say_waits(self, why: str) -> None:
        if why and why != self.waits:
            self._out.append(Journal("VOTERS-WAIT", "warning", f"the change of the vote holders waits: {why}",
                                     "", self.me))
        self.waits = why

    def chosen(self, before: Ledger, after: Ledger, others: Iterable[str]) -> None:
        """A change was chosen: say what it is, answer those who asked for it, and spread it."""
        self.dirty = True
        pending, self._pending = self._pending, None
        self._out += changes.lines(before, after)
        if pending is not None:
            self._answer(pending.answers)
        self._out += [Send(node, LedgerIs(after, self.ballot)) for node in others]

    # ---- leases

    def answer_beat(self, now: float, node: str, beat: Heartbeat, member: bool, acknowledged_at: float,
                    cluster: Cluster, ledger: Ledger) -> None:
        """A member gets its lease, bounded by our own horizon; whoever is not one yet learns who leads."""
        self._awaited[node] = now
        if member:
            timeout_s = cluster.timing.timeout_s
            for_s = lease.granted_for(now, authority.horizon(acknowledged_at, timeout_s), timeout_s)
            self._out.append(Send(node, Grant(beat.seq, beat.sent_at, for_s, self.ballot, ledger.version)))
        else:
            self.dirty = True
            self._out.append(Send(node, Elected(self.ballot, ledger.version)))
        if beat.version < ledger.version:
            self._out.append(Send(node, LedgerIs(ledger, self.ballot)))
