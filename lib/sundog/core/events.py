"""Everything that can happen to a node's machine. Instants are this node's monotonic seconds."""
from dataclasses import dataclass, field
from typing import Mapping, NamedTuple, Optional, Tuple, Union

from sundog.config.model import Cluster
from sundog.core.frames import Block, Body


@dataclass(frozen=True)
class Boot:
    """Which life of which host this machine is. Nothing of an earlier boot runs any more."""
    boot_id: str                        # random, gone at power-off (/var/run/sundog/boot_id)
    incarnation: int                    # grows with every start of the daemon
    hostid: str
    distrust: str = ""                  # why what this host kept as a vote holder is not to be trusted


@dataclass(frozen=True)
class Tick:
    """Time has passed; the daemon sends one at least every beat and at Node.wake_at()."""


class Heard(NamedTuple):
    """A frame arrived whole, authentic and new. The same frame on a second link is Heard again with body None."""
    link: str
    sender: str
    boot_id: str
    incarnation: int
    body: Optional[Body]


@dataclass(frozen=True)
class DiskAnswered:
    """A passive holder wrote our block and read everybody's. `blocks` None: it failed, with `error`."""
    holder: str
    request: int
    blocks: Optional[Tuple[Block, ...]]
    error: str = ""
    life: str = ""                      # which life of the holder's store answered: made when the store was made


@dataclass(frozen=True)
class Activated:
    """An Activate came to its end."""
    group: str
    epoch: int
    ok: bool
    reason: str = ""


@dataclass(frozen=True)
class Deactivated:
    """A Deactivate came to its end: ok only when every instance was seen disabled."""
    group: str
    epoch: int
    ok: bool
    reason: str = ""


@dataclass(frozen=True)
class Adopted:
    """What SMF says runs here already when the daemon starts: group -> "online" | "partial" | "stop-failed"."""
    groups: Mapping[str, str]


@dataclass(frozen=True)
class GroupFailed:
    """A resource of an active group is in maintenance, or was found to have failed."""
    group: str
    resource: str
    reason: str


@dataclass(frozen=True)
class OperatorDisabled:
    """Somebody ran svcadm disable on the group's instance here: take it offline in the whole cluster."""
    group: str


@dataclass(frozen=True)
class OperatorEnabled:
    """Somebody ran svcadm enable on the group's instance here: bring it online, here."""
    group: str


@dataclass(frozen=True)
class PermitAsked:
    """A start method asks whether it may. Answered by AnswerPermit, at once or when the first lease comes."""
    ask: int
    group: str
    resource: str


@dataclass(frozen=True)
class Requested:
    """An operator's request on this node (ops as in frames.Ask)."""
    ask: str
    op: str
    group: str = ""
    node: str = ""
    digest: str = ""
    voters: Tuple[str, ...] = ()


@dataclass(frozen=True)
class Configured:
    """This node now holds, checked and applied to SMF, the configuration that the ledger names."""
    cluster: Cluster
    version: int


@dataclass(frozen=True)
class FenceDone:
    """The devices of a Fence have answered. Only ok=True means that the node was off, and this boot of it is over.

    `barred`: it may go on, but can write to its disks no more; that is over with its lease.
    """
    node: str
    boot_id: str
    ok: bool
    reason: str = ""
    barred: bool = False


@dataclass(frozen=True)
class Preflight:
    """What this node could not run now: group -> why. Groups not named are fit."""
    unfit: Mapping[str, str]


@dataclass(frozen=True)
class Arbitrated:
    """A round of pings reached as many of the arbiter's targets as it must. `began_at`: before the first was sent.

    `answering`: groups, each with the address of its that has answered lately; probed while the other node is silent.
    """
    began_at: float
    answering: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ClockJumped:
    """The wall clock has gone `by_s` further than the clock of our instants: a pause, or a clock that was set."""
    by_s: float


Event = Union[Tick, Heard, DiskAnswered, Activated, Deactivated, Adopted, GroupFailed, OperatorDisabled,
              OperatorEnabled, PermitAsked, Requested, Configured, FenceDone, Preflight,
              ClockJumped, Arbitrated]
