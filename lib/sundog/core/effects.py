"""Everything a node's machine can ask for. The caller carries effects out in the order given.

A Store is durable before anything after it is begun: an answer that leaves before its Store breaks Paxos.
"""
from dataclasses import dataclass, field
from typing import Mapping, NamedTuple, Optional, Union

from sundog.core.frames import Ballot, Block, Body
from sundog.core.ledger import Ledger


@dataclass(frozen=True)
class Stored:
    """What a node must find again after a crash: its own part as a vote holder and as a writer."""
    blocks: Mapping[str, Block] = field(default_factory=dict)   # by writer, as this holder keeps them
    highest: Ballot = (0, "")           # no ballot at or below it is begun again by this node
    ledger: Ledger = field(default_factory=Ledger)              # last chosen value this node has learned
    life: str = ""                      # random, made with the file; voters.AFTER_LOSS at its end if one was lost
    incarnation: int = 0                # of the daemon that wrote it
    distrust: str = ""                  # why this life never votes again; empty: it may


@dataclass(frozen=True)
class Permit:
    """The right to start one group on one node (rule 7)."""
    group: str
    node: str
    epoch: int
    force: bool                         # zpool import -f is allowed
    why: str                            # for the journal: what proves that nobody else has it


class Send(NamedTuple):
    to: str                             # a node; sent on every link that reaches it
    body: Body


@dataclass(frozen=True)
class Greet:
    """A sign of life to a node on every link that reaches it; heard there as a frame without a body."""
    to: str


@dataclass(frozen=True)
class Store:
    stored: Stored


@dataclass(frozen=True)
class WriteDisk:
    """Write `block` into our slot at a passive holder, then read all slots; answered by DiskAnswered.

    `block` None: only read.
    """
    holder: str
    request: int
    block: Optional[Block]


@dataclass(frozen=True)
class Activate:
    group: str
    permit: Permit


@dataclass(frozen=True)
class Deactivate:
    group: str
    epoch: int
    why: str


@dataclass(frozen=True)
class Fence:
    """Have the node's devices, in their order, put this boot of it to an end; answered by one FenceDone."""
    node: str
    boot_id: str
    why: str


@dataclass(frozen=True)
class SetDeadline:
    """Failfast resets the host at this instant unless it is moved before. None: nothing active, disarm."""
    at: Optional[float]


@dataclass(frozen=True)
class AnswerPermit:
    ask: int
    permit: Optional[Permit]
    refusal: str = ""


@dataclass(frozen=True)
class AnswerRequest:
    ask: str
    ok: bool
    text: str
    remedy: str = ""


@dataclass(frozen=True)
class FetchConfig:
    """The ledger names a configuration this node does not have: get it from `source`, apply it, say Configured."""
    version: int
    digest: str
    source: str


@dataclass(frozen=True)
class Journal:
    """One line of the journal. `code` is the event's id, fixed for ever (see docs/events.md)."""
    code: str
    severity: str                       # "info" | "notice" | "warning" | "error"
    text: str
    group: str = ""
    node: str = ""


@dataclass(frozen=True)
class Leave:
    """The cluster refuses this node for a reason only a human can mend: stop the daemon, exit as misconfigured."""
    reason: str
    remedy: str


@dataclass(frozen=True)
class Forget:
    """This node gives way in a fork: set the vote file aside, and begin again as one that has lost it."""
    why: str


Effect = Union[Send, Greet, Store, WriteDisk, Activate, Deactivate, Fence, SetDeadline, AnswerPermit, AnswerRequest,
               FetchConfig, Journal, Leave, Forget]
