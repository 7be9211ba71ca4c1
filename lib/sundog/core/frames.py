"""What nodes say to each other. Bodies only: the link floor adds sender, boot, sequence and authentication.

Durations (`*_s`) are seconds and travel; instants (`*_at`) are the sender's own monotonic clock and never leave it,
except to come back as they were sent.
"""
from dataclasses import dataclass
from typing import Mapping, Optional, Tuple, Union

from sundog.core.ledger import Ledger

Ballot = Tuple[int, str]                # (number, node and life): ordered, and never shared by two
NO_BALLOT: Ballot = (0, "")


@dataclass(frozen=True)
class Block:
    """What one writer keeps at one vote holder (Gafni & Lamport, Disk Paxos: dblock)."""
    writer: str
    mbal: Ballot = NO_BALLOT            # the highest ballot this writer has begun
    bal: Ballot = NO_BALLOT             # the ballot under which `ledger` was written
    ledger: Optional[Ledger] = None     # None in a Write: as I wrote it before under the same bal and version
    version: int = 0
    counter: int = 0                    # grows with every write: the writer's pulse on a passive disk
    committed: int = 0                  # the highest version the writer knows to be chosen
    leads: bool = False                 # it counts on this holder's promise: a challenger watches the counter
    led: int = 0                        # the counter of the newest block that it wrote leading, or of its start


@dataclass(frozen=True)
class GroupReport:
    """What a node says about one group of its own."""
    group: str
    epoch: int
    state: str                          # "starting" | "online" | "stopping" | "stopped" | "failed" | "stop-failed"
    reason: str = ""


@dataclass(frozen=True)
class Heartbeat:
    seq: int
    sent_at: float                      # comes back in the Grant untouched: the lease counts from here
    version: int                        # the ledger version the sender acts on
    hostid: str
    groups: Tuple[GroupReport, ...] = ()
    unfit: Mapping[str, str] = None     # type: ignore[assignment]  # group -> why preflight says it cannot run here
    #                                     (None reads as empty)
    config: str = ""                    # digest of the configuration that is in force there
    vote: str = ""                      # as in arbiter.py: NONE, ALONE or LED_ALONE; empty: as ever
    silent: Mapping[str, float] = None  # type: ignore[assignment]  # "peer/link" -> seconds, see links.py (None: empty)


@dataclass(frozen=True)
class Grant:
    """The leader's answer to a heartbeat: a lease until sent_at + for_s - guard."""
    seq: int
    sent_at: float
    for_s: float                        # min(L, what is left of the leader's own horizon)
    ballot: Ballot
    version: int


@dataclass(frozen=True)
class Refused:
    """The leader does not admit this node; it must not run anything."""
    reason: str
    remedy: str
    fatal: bool                         # True: same name, same hostid, unclean: a human decides
    boot_id: str = ""                   # the boot that is refused; another host of the same name is not meant


@dataclass(frozen=True)
class Elected:
    """I am the leader under this ballot: beat to me now."""
    ballot: Ballot
    version: int


@dataclass(frozen=True)
class LedgerIs:
    ledger: Ledger                      # chosen by a majority
    ballot: Ballot


@dataclass(frozen=True)
class Write:
    """Holder operation: write my block, then tell me everybody's."""
    request: int
    block: Block


@dataclass(frozen=True)
class Blocks:
    """A node's daemon answers as a vote holder. `accepted` False: nothing was written."""
    request: int
    accepted: bool
    blocks: Tuple[Block, ...]
    need_ledger: bool = False           # the Write left the ledger out and this holder has not got it
    refused_for_s: float = 0.0          # accepted False because another leader was acknowledged: try again then
    leader_age_s: Optional[float] = None    # since this holder last acknowledged a leader other than the writer
    life: str = ""                      # of the holder's vote file: made when it was made


@dataclass(frozen=True)
class Ask:
    """An operator's request on its way to the leader."""
    ask: str                            # unique: node:number
    op: str                             # see requests.py; fence…: fence_requests.py
    group: str = ""
    node: str = ""                      # where to, for online and move; on which node, for clear; which, for fence
    digest: str = ""                    # for apply; for fence…, the boot that is meant
    voters: Tuple[str, ...] = ()        # for apply: the holders that the configuration names


@dataclass(frozen=True)
class Told:
    """The leader's answer: accepted (and being carried out) or refused with a reason."""
    ask: str
    ok: bool
    text: str
    remedy: str = ""


Body = Union[Heartbeat, Grant, Refused, Elected, LedgerIs, Write, Blocks, Ask, Told]
