"""This node's part in the vote: it is a holder, may stand as a candidate, and leads while a majority acknowledges it.

Effects are appended to the list that the node gives; `chosen` and `elected` tell the node what came of a step.
"""
from typing import List, Optional, Tuple

from sundog.config.model import Cluster
from sundog.core import authority, paxos
from sundog.core.disks import Disks
from sundog.core.effects import Effect, Send, Stored, WriteDisk
from sundog.core.events import Boot
from sundog.core.frames import NO_BALLOT, Ballot, Block, Blocks, Write
from sundog.core.holder import Holder
from sundog.core.ledger import Ledger
from sundog.core.paxos import IDLE, PREPARING, WRITING, Promise, Sent, Writer

_NUMBERS = 1_000_000                    # requests and counters of one incarnation
_PATIENCE_BEATS = 3
_LONGEST_STAGGER = 0.25                 # of L


class Voting:
    def __init__(self, cluster: Cluster, name: str, boot: Boot, stored: Stored, out: List[Effect]) -> None:
        self.name, self.run, self._out, self._timing = name, (name, boot.boot_id), out, cluster.timing
        voters = tuple(sorted(node.name for node in cluster.nodes.values() if node.votes))
        self.votes = name in voters
        self.nodes = tuple(node for node in voters if node != name)
        self.disks = Disks(tuple(sorted(cluster.holders)), name, cluster.timing.authority_s)
        index = voters.index(name) if self.votes else 0
        self._stagger_s = min(index / 40, _LONGEST_STAGGER) * cluster.timing.timeout_s
        number = boot.incarnation * _NUMBERS
        self.writer = Writer(name, (*voters, *self.disks.by_name), stored.blocks.get(name, Block(name)), number)
        self.highest: Ballot = stored.highest           # begun by us
        self._seen: Ballot = stored.highest             # begun by anybody
        self._blocks = stored.blocks
        self._holder: Optional[Holder] = None
        self._refused: set[str] = set() if False else set()
        self._back_off_until = float("-inf")
        self._attempts = 0
        self.leads_until = float("-inf")
        self.acknowledged_at = float("-inf")            # send time of the newest probe that a majority acknowledged
        self.led_at = float("-inf")                     # of leaders before us
        self.leads = False
        self.elected = False
        self.chosen: Optional[Ledger] = None
