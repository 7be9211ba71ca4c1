"""What a node keeps while it leads, and no longer: since when, what was asked, which change is on its way."""
from typing import Dict, List, Optional, Tuple

from sundog.config.model import Cluster
from sundog.core import changes, plan, recovery
from sundog.core.effects import Effect
from sundog.core.frames import Ask, Told
from sundog.core.ledger import Ledger
from sundog.core.membership import Membership

_REMEMBERED = 200


class Leadership:
    def __init__(self, now: float, me: str, led_at: float) -> None:
        self.me, self.elected_at, self.led_at = me, now, led_at
        self.dirty = True
        self.plan_at = now
        self._asks: Dict[str, Tuple[str, Ask]] = {}
        self._told: Dict[str, Told] = {}
        self._pending: Optional[plan.Draft] = None
        self._learned: recovery.Learned = {}

    def asked(self, origin: str, ask: Ask) -> Optional[Told]:
        """A request came in; the answer when it was answered before, else it is planned next."""
        if ask.ask not in self._told and ask.ask not in self._on_its_way():
            self._asks.setdefault(ask.ask, (origin, ask))
            self.dirty = True
        return self._told.get(ask.ask)

    def _on_its_way(self) -> Tuple[str, ...]:
        return tuple(told.ask for _, told in self._pending.answers) if self._pending is not None else ()

    def view(self, now: float, cluster: Cluster, peers: Membership) -> plan.View:
        return plan.View(now, self.me, cluster, peers, self.elected_at, self.led_at)

    def plan(self, now: float, cluster: Cluster, peers: Membership,
             ledger: Ledger) -> Tuple[Optional[Ledger], List[Effect], List[Tuple[str, Told]]]:
        """The next ledger to propose if there is one, what to say at once, and the answers that need no change."""
        self.dirty = False
        draft = plan.make(self.view(now, cluster, peers), ledger, self._asks, self._learned)
        self._asks = {}
        self.plan_at = draft.wake_at
        if draft.ledger.version == ledger.version:
            return None, draft.said, self._answer(draft.answers)
        self._pending = draft
        return draft.ledger, draft.said, []

    def chosen(self, before: Ledger, after: Ledger) -> Tuple[List[Effect], List[Tuple[str, Told]]]:
        """A change was chosen: the lines for the journal and the answers that waited for it."""
        self.dirty = True
        pending, self._pending = self._pending, None
        told: List[Effect] = list(changes.lines(before, after))
        return told, self._answer(pending.answers) if pending is not None else []

    def _answer(self, answers: List[Tuple[str, Told]]) -> List[Tuple[str, Told]]:
        for _, told in answers:
            self._told[told.ask] = told
            if len(self._told) > _REMEMBERED:
                del self._told[next(iter(self._told))]
        return answers
