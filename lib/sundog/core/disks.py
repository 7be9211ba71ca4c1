"""What the passive disk holders show of the writers. A disk is answered for here, by the one who reads it."""
from dataclasses import dataclass, field
from typing import Dict, Iterable, List, Optional, Tuple

from sundog.core import authority
from sundog.core.frames import NO_BALLOT, Ballot, Block


@dataclass
class Disk:
    signs: Dict[str, Block] = field(default_factory=dict)       # writer -> what was read last
    led_at: Dict[str, float] = field(default_factory=dict)      # writer -> when it was last seen to move as a leader
    read_at: Optional[float] = None
    life: str = ""                      # of its label, when it was read last


class Disks:
    def __init__(self, names: Iterable[str], me: str, promise_s: float) -> None:
        self.by_name = {name: Disk() for name in names}
        self._me, self._promise_s = me, promise_s

    def follow(self, names: Iterable[str]) -> None:
        """The disks of another configuration: those that stay keep what is known of them."""
        self.by_name = {name: self.by_name.get(name) or Disk() for name in names}

    def read(self, now: float, name: str, life: str, blocks: Tuple[Block, ...]) -> List[str]:
        """Take in what was read; returns the writers whose counters moved."""
        disk = self.by_name[name]
        if disk.life != life:
            # Another partition, or one that was labelled anew: what the one before showed says nothing of it.
            disk = self.by_name[name] = Disk(life=life)
        moved = []
        for block in blocks:
            writer, before = block.writer, disk.signs.get(block.writer)
            if before is None or _moved(before, block):
                if before is not None and before.counter != block.counter:
                    moved.append(writer)
                # Whoever looks away for a while may miss that a writer led: what it wrote last says so.
                if before is None or block.led != before.led:
                    disk.led_at[writer] = now
            disk.signs[writer] = block
        disk.read_at = now
        return moved

    def highest(self, name: str) -> Ballot:
        """The highest ballot that another writer has begun on this disk."""
        return max((block.mbal for block in self.by_name[name].signs.values() if block.writer != self._me),
                   default=NO_BALLOT)

    def led_at(self, now: float, name: str) -> float:
        """When another leader can last have been acknowledged by this disk: it was seen to move, or seen first."""
        disk = self.by_name[name]
        others = [at for writer, at in disk.led_at.items() if writer != self._me]
        return max(others, default=now if disk.read_at is None else disk.read_at)

    def refuses_for(self, now: float, name: str) -> float:
        """Seconds for which a challenger must not begin a ballot here; a disk not read yet is unknown."""
        if self.by_name[name].read_at is None:
            return self._promise_s
        return authority.disk_refuses_for(now, self._leader_moved_at(name), self._promise_s)

    def free_at(self, name: str) -> float:
        """When a challenger may next begin a ballot here."""
        return float("inf") if self.by_name[name].read_at is None else self._leader_moved_at(name) + self._promise_s

    def _leader_moved_at(self, name: str) -> float:
        """When the one who may be acknowledged here was last seen to move: the leading writer of the highest ballot."""
        disk = self.by_name[name]
        leading = (block for block in disk.signs.values() if block.leads and block.writer != self._me)
        top = max(leading, key=lambda block: block.mbal, default=None)
        return float("-inf") if top is None else disk.led_at[top.writer]


def _moved(before: Block, now: Block) -> bool:
    return (before.counter, before.mbal, before.bal, before.version) != (now.counter, now.mbal, now.bal, now.version)
