"""The words that all resource types share: the permit to start, the state, what stands in the way."""
from enum import Enum
from typing import NamedTuple


class Permit(NamedTuple):
    """The cluster's word that this node may start the group (rule 7). `force`: the last owner cannot write any more."""
    epoch: int
    force: bool
    why: str


class Condition(Enum):
    ONLINE = "online"
    OFFLINE = "offline"
    UNKNOWN = "unknown"
    FAILED = "failed"


class State(NamedTuple):
    """How a resource is on this host, seen from the host itself; `detail` says what was seen."""
    condition: Condition
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.condition.value}: {self.detail}" if self.detail else self.condition.value


class Problem(NamedTuple):
    """Why this node could not run a resource now, and what to do about it."""
    what: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.what}; {self.remedy}" if self.remedy else self.what
