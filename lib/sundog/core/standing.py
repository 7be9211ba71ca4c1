"""The deadline that failfast holds for this host (rule 4). Instants: this node's clock, seconds."""
from typing import List, Optional

from sundog.core.agent import Agent
from sundog.core.effects import Effect, SetDeadline


class Standing:
    def __init__(self) -> None:
        self.at: Optional[float] = None                 # what failfast was told last; None: nothing is armed
        self._told = False

    def follow(self, now: float, agent: Agent, lease_until: Optional[float]) -> List[Effect]:
        """Move the deadline with the lease."""
        at = agent.deadline(now, lease_until, self.at)
        # A daemon that has just started first learns what runs, then gets its lease: until then failfast holds the
        # deadline that its predecessor set.
        first = not self._told and agent.known and not agent.active
        if at == self.at and not first:
            return []
        self.at, self._told = at, True
        return [SetDeadline(at)]
