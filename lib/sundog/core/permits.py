"""The right to start a group here, now (rule 7)."""
from typing import Callable, List, Optional, Tuple

from sundog.core.effects import AnswerPermit, Effect, Journal, Permit
from sundog.core.events import PermitAsked
from sundog.core.ledger import ONLINE, STARTING, GroupEntry, Ledger


def objection(now: float, node: str, boot_id: str, entry: GroupEntry, lease_until: Optional[float],
              stopping: bool) -> Optional[str]:
    """Rule 7: why no start method of the group may do anything on this node; None when it may."""
    if entry.owner != node or entry.state not in (STARTING, ONLINE):
        where = f"it is {entry.state}" + (f" on {entry.owner}" if entry.owner and entry.state != "offline" else "")
        return f"the cluster has not assigned it to {node}: {where}"
    if entry.boot_id != boot_id:
        return f"it was assigned to an earlier boot of {node}"
    if stopping:
        return f"it is being stopped on {node}"
    if lease_until is None or now >= lease_until:
        return f"{node} has no lease: it does not hear the cluster's leader"
    return None


def permit(group: str, node: str, entry: GroupEntry) -> Permit:
    return Permit(group, node, entry.epoch, entry.force, entry.why)


class Applicants:
    """The start methods that have asked.

    A daemon that has just started has its first lease within moments, and svc.startd takes a refusal for good: who
    lacks nothing but that lease is answered when it comes, or refused after `patience_s`.
    """

    def __init__(self, node: str, boot_id: str, patience_s: float) -> None:
        self._node, self._boot_id, self._patience_s = node, boot_id, patience_s
        self._asked: List[Tuple[float, PermitAsked]] = []

    def ask(self, now: float, event: PermitAsked) -> None:
        self._asked.append((now + self._patience_s, event))

    def answers(self, now: float, ledger: Ledger, lease_until: Optional[float],
                stopping: Callable[[str], bool]) -> List[Effect]:
        """What can be said now. `lease_until`: None, when there has been no lease yet for this ledger."""
        asked, self._asked = self._asked, []
        effects: List[Effect] = []
        for patient_until, event in asked:
            entry, stops = ledger.groups.get(event.group, GroupEntry()), stopping(event.group)
            refusal = objection(now, self._node, self._boot_id, entry, lease_until, stops)
            if refusal is None:
                effects.append(AnswerPermit(event.ask, permit(event.group, self._node, entry)))
            elif lease_until is None and now < patient_until and \
                    objection(now, self._node, self._boot_id, entry, float("inf"), stops) is None:
                self._asked.append((patient_until, event))
            else:
                text = f"{event.group}.{event.resource} may not start on {self._node}: {refusal}"
                effects += [AnswerPermit(event.ask, None, refusal),
                            Journal("PERMIT-REFUSED", "warning", text, event.group, self._node)]
        return effects
