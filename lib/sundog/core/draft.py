"""What the leader plans from, and what a plan is made of."""
from dataclasses import dataclass, field
from typing import Dict, List, Set, Tuple

from sundog.config.model import Cluster
from sundog.core import double
from sundog.core.effects import Effect, Fence
from sundog.core.frames import Told
from sundog.core.ledger import GroupEntry, Ledger
from sundog.core.membership import Membership
from sundog.core.proofs import Key, Proofs


@dataclass(frozen=True)
class View:
    """What the leader sees. `led_at`: no other leader has granted a lease by a later acknowledgement."""
    now: float
    me: str
    cluster: Cluster
    peers: Membership
    elected_at: float
    led_at: float
    proofs: Proofs = field(default_factory=Proofs)
    fork: double.View = double.NO_FORK


@dataclass
class Draft:
    """A ledger in the making, and what is to be said. `wake_at`: when time alone may change the plan."""
    ledger: Ledger
    wake_at: float = float("inf")
    said: List[Effect] = field(default_factory=list)                # at once
    answers: List[Tuple[str, Told]] = field(default_factory=list)   # when the change is chosen: node, answer
    fences: List[Fence] = field(default_factory=list)               # at once
    confirmed: Dict[Key, str] = field(default_factory=dict)             # an operator says that these boots are over
    refuted: Dict[Key, str] = field(default_factory=dict)           # boots that are not over, though it was said
    ordered: Set[Key] = field(default_factory=set)                  # an operator wants these boots fenced
    waits: str = ""                                                 # why a change of the voters waits

    def entry(self, group: str) -> GroupEntry:
        return self.ledger.groups.get(group, GroupEntry())

    def put(self, group: str, entry: GroupEntry) -> None:
        if entry != self.ledger.groups.get(group):
            self.ledger = self.ledger.with_group(group, entry)
