"""Which ledger has been chosen, worked out from the vote holders' disks alone, without believing any node.

A holder accepts a value when the writer's block stands there under (ballot, version) and no block there has begun a
higher ballot (Gafni & Lamport, 2003: phase 2). A value accepted by a majority of holders is chosen, for ever.
"""
from typing import Callable, Dict, Iterable, List, Mapping, Optional, Set, Tuple

from sundog.core import voters
from sundog.core.frames import Ballot, Block
from sundog.core.ledger import Ledger


class Forked(Exception):
    """Two values for one version, or for one ballot and version."""


class Ballots:
    """`chosen` is told of every version when it is chosen first, with the ledger before it.

    `holders`: those of the first configuration. `alive` says whether a life of a holder still remembers what it kept.
    """

    def __init__(self, holders: Iterable[str], chosen: Callable[[Ledger, Ledger], None],
                 alive: Callable[[str, str], bool] = lambda holder, life: True) -> None:
        self.holders, self.alive = frozenset(holders), alive
        self.by_version: Dict[int, Ledger] = {0: Ledger()}
        self.latest = self.by_version[0]
        self._chosen = chosen
        self._accepted: Dict[Tuple[Ballot, int], Set[Tuple[str, str]]] = {}
        self._values: Dict[Tuple[Ballot, int], Ledger] = {}
        self._undecided: Dict[Tuple[Ballot, int], Ledger] = {}          # of these, those beyond `latest`

    def holder_changed(self, holder: str, life: str, before: Dict[str, Block], after: Dict[str, Block]) -> None:
        """A node's daemon has made its part as a holder durable."""
        for writer, block in after.items():
            old = before.get(writer)
            if old is not None and (block.mbal, block.bal, block.version) < (old.mbal, old.bal, old.version):
                raise Forked(f"{holder} has forgotten version {old.version} of {writer} under {old.bal}")
            if block is not old:
                highest = max((other.mbal for other in after.values()), default=block.mbal)
                self.accept(holder, life, block, highest)

    def read_back(self, holder: str, life: str, block: Block, blocks: Tuple[Block, ...]) -> None:
        """A writer has written to a passive disk, and this is what it read afterwards."""
        self.accept(holder, life, block, max((other.mbal for other in blocks), default=block.mbal))

    def accept(self, holder: str, life: str, block: Block, highest: Ballot) -> None:
        if block.ledger is None or block.mbal != block.bal or highest > block.bal:
            return
        at = (block.bal, block.version)
        value = self._values.setdefault(at, block.ledger)
        if block.version > self.latest.version:
            self._undecided[at] = value
        if value is not block.ledger and value != block.ledger:
            raise Forked(f"ballot {block.bal} carries two ledgers of version {block.version}")
        holders = self._accepted.setdefault(at, set())
        if (holder, life) in holders:
            return
        holders.add((holder, life))
        if self._is_agreed(value, holders):
            self._is_chosen(block.version, value, f"by {sorted(holders)} under {block.bal}")

    def _is_agreed(self, value: Ledger, by: Set[Tuple[str, str]]) -> bool:
        """By a majority of each set that the value itself names; a holder's other life is another holder."""
        if not value.voters:
            return 2 * len({holder for holder, life in by if not life.endswith("+")} & self.holders) > len(self.holders)
        sets = [value.voters, value.next_voters] if value.next_voters else [value.voters]
        return all(2 * len(by & set(voters.items())) > len(voters) for voters in sets)

    def spared(self, holder: str) -> bool:
        """Could this holder lose what it keeps, and a majority of every set that may be in force still remember?"""
        return all(value.voters and 2 * len(self._intact(voters) - {holder}) > len(voters) for value in self.open()
                   for voters in (value.voters, value.next_voters) if voters or voters is value.voters)

    def open(self) -> List[Ledger]:
        """The newest ledger, and what some holder has accepted that may yet be chosen after it."""
        return [self.latest, *self._undecided.values()]

    def _intact(self, voters: Mapping[str, str]) -> Set[str]:
        return {holder for holder, life in voters.items() if self.alive(holder, life)}

    def _is_chosen(self, version: int, ledger: Ledger, how: str) -> None:
        known = self.by_version.get(version)
        if known is None:
            before = self.latest
            self.by_version[version] = ledger
            if version > before.version and voters.ARBITER not in ledger.voters:
                self._now_latest(before, ledger)
        elif known is not ledger and known != ledger:
            raise Forked(f"version {version} was chosen before with another value; now {how}")

    def follow(self, ledger: Ledger) -> None:
        """The newest by a leader's own word: where an arbiter without memory votes, no holder can prove another."""
        if self.latest is not ledger:
            self._now_latest(self.latest, ledger)

    def _now_latest(self, before: Ledger, ledger: Ledger) -> None:
        self.latest = ledger
        self._undecided = {at: value for at, value in self._values.items() if at[1] > ledger.version}
        self._chosen(before, ledger)

    def objection(self, ledger: Ledger) -> Optional[str]:
        """Why `ledger`, which a node takes for chosen, is not."""
        known = self.by_version.get(ledger.version)
        if known is None:
            return f"version {ledger.version} has not been chosen by a majority"
        if known is not ledger and known != ledger:
            return f"version {ledger.version} was chosen with another value"
        return None
