"""This node's daemon as a vote holder: write one block, then tell of the others (Gafni & Lamport, 2003, Disk Paxos).

Blocks are durable before the answer leaves (the caller stores `blocks` when they change); counters are not kept.
"""
from dataclasses import replace
from typing import Mapping, Optional, Tuple

from sundog.core import authority, paxos
from sundog.core.frames import NO_BALLOT, Ballot, Block, Blocks

Run = Tuple[str, str]                   # node, boot id


class Holder:
    def __init__(self, now: float, blocks: Mapping[str, Block], promise_s: float, life: str = "") -> None:
        self.blocks: Mapping[str, Block] = blocks
        self.life = life
        self._promise_s = promise_s
        self._leader: Optional[Run] = None              # whom it acknowledged last, since its own start
        self._at = now                                  # when; its own start before any acknowledgement

    def refuses_for(self, now: float, writer: Run, block: Block) -> float:
        """Seconds for which another leader's acknowledgement binds this holder."""
        same = writer == self._leader or (self._leader is None and self._goes_on(block))
        return authority.refuses_for(now, same, self._at, self._promise_s)

    def free_at(self, writer: Run) -> float:
        """When this holder is next free to begin a ballot of `writer`."""
        return float("-inf") if writer == self._leader else self._at + self._promise_s

    def highest(self) -> Ballot:
        return max((block.mbal for block in self.blocks.values()), default=NO_BALLOT)

    def _goes_on(self, block: Block) -> bool:
        """Is this the leader from before this holder's restart, under the same ballot?"""
        known = self.blocks.get(block.writer)
        return known is not None and block.mbal == block.bal == known.bal == self.highest()

    def write(self, now: float, writer: Run, request: int, block: Block) -> Optional[Blocks]:
        """Accept or refuse; None: the write was overtaken by a later one of the same writer."""
        known = self.blocks.get(block.writer)
        above = self.highest()
        if above > block.mbal:
            tops = tuple(replace(one, ledger=None) for one in self.blocks.values() if one.mbal == above)
            return Blocks(request, False, tops, refused_for_s=self.refuses_for(now, writer, block), life=self.life)
        for_s = self.refuses_for(now, writer, block)
        if for_s > 0:
            return Blocks(request, False, (), refused_for_s=for_s, life=self.life)
        if known is not None and known.mbal == block.mbal and (block.bal, block.version) < (known.bal, known.version):
            return None
        same = known is not None and (known.bal, known.version) == (block.bal, block.version)
        if block.ledger is None and block.bal != NO_BALLOT:
            if known is None or not same:
                return Blocks(request, False, (), need_ledger=True, life=self.life)
            block = replace(block, ledger=known.ledger)
        if known is None or not same or known.mbal != block.mbal:
            self.blocks = {**self.blocks, block.writer: paxos.merged(known, block)}
        return self._accepted(now, writer, request, block)

    def _accepted(self, now: float, writer: Run, request: int, block: Block) -> Blocks:
        if block.mbal == block.bal:
            self._leader, self._at = writer, now
            return Blocks(request, True, (), life=self.life)
        best = paxos.newest(self.blocks.values())
        return Blocks(request, True, () if best is None else (best,), leader_age_s=max(0.0, now - self._at),
                      life=self.life)
