"""An operator's requests made on this node, until the leader has answered. Seconds of this node's clock."""
from dataclasses import dataclass
from typing import Dict, List

from sundog.core.effects import AnswerRequest, Effect, Journal
from sundog.core.frames import Ask, Told

#: After this the operator is told that nobody answered; a leader may still have carried it out.
GIVE_UP_AFTER_S = 15.0


@dataclass(frozen=True)
class Waiting:
    ask: Ask
    since: float
    from_smf: bool                      # svcadm, not the control socket: nobody waits for the answer


class Asking:
    def __init__(self, name: str, incarnation: int) -> None:
        self._prefix = f"{name}:{incarnation}.svcadm"
        self._count = 0
        self._waiting: Dict[str, Waiting] = {}

    def requested(self, now: float, ask: Ask) -> None:
        self._waiting[ask.ask] = Waiting(ask, now, False)

    def from_smf(self, now: float, op: str, group: str, node: str = "") -> Ask:
        self._count += 1
        ask = Ask(f"{self._prefix}{self._count}", op, group, node)
        self._waiting[ask.ask] = Waiting(ask, now, True)
        return ask

    def open(self) -> List[Ask]:
        return [one.ask for one in self._waiting.values()]

    def told(self, told: Told) -> List[Effect]:
        one = self._waiting.pop(told.ask, None)
        if one is None:
            return []
        if not one.from_smf:
            return [AnswerRequest(told.ask, told.ok, told.text, told.remedy)]
        if told.ok:
            return []
        return [Journal("REQUEST-REFUSED", "warning", f"svcadm on group {one.ask.group}: {told.text}; {told.remedy}",
                        one.ask.group)]

    def given_up(self, now: float) -> List[Effect]:
        late = [one for one in self._waiting.values() if now > one.since + GIVE_UP_AFTER_S]
        return [effect for one in late for effect in self.told(
            Told(one.ask.ask, False, f"no leader has answered within {GIVE_UP_AFTER_S:g} s",
                 "sundog status tells whether a majority of votes is there"))]
