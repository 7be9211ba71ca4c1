"""Faults of links: cuts of one way or both, halves, rings, islands, bad links in one direction; targets lost."""
from typing import TYPE_CHECKING, Callable, Dict, List, Set, Tuple

from simulation.part import Kind, Part
from simulation.wire import Quality

if TYPE_CHECKING:
    from simulation.machine import Machine


class WireFaults(Part):
    """What a storm does to links; `Storm` has the rest."""

    def wire_kinds(self) -> List[Kind]:
        return [("cut off", 5, self.cut_off), ("cut pair", 5, self.cut_pair), ("cut one link", 3, self.cut_one_link),
                ("bad link", 5, self.bad_link), ("bad way", 3, self.bad_way), ("halves", 2, self.halves),
                ("ring", 1, self.ring), ("heard by some", 2, self.heard_by_some),
                ("targets lost", 0, self.targets_lost)]

    def _mend_cuts(self, before: Set[Tuple[str, str, str]]) -> Callable[[], None]:
        new = self.world.wire.cuts - before
        return lambda: self.world.wire.cuts.difference_update(new)

    def cut_off(self) -> bool:
        def off(machine: "Machine") -> None:
            before = set(self.world.wire.cuts)
            self.world.cut(machine.key, one_way=self.random.random() < 0.3)
            self.later(self.a_while(), self._mend_cuts(before))
        return self._on_a_machine(off)

    def cut_pair(self) -> bool:
        if len(self.world.machines) < 2:
            return False
        one, other = self.random.sample(sorted(self.world.machines), 2)
        before = set(self.world.wire.cuts)
        self.world.cut(one, other, one_way=self.random.random() < 0.5)
        self.later(self.a_while(), self._mend_cuts(before))
        return True

    def cut_one_link(self) -> bool:
        def off(machine: "Machine") -> None:
            before = set(self.world.wire.cuts)
            link = self.random.choice(sorted(self.world.wire.qualities))
            self.world.cut(machine.key, links=(link,), one_way=self.random.random() < 0.3)
            self.later(self.a_while(), self._mend_cuts(before))
        return self._on_a_machine(off)

    def bad_link(self) -> bool:
        link = self.random.choice(sorted(self.world.wire.qualities))
        bad = self._bad()
        self.world.wire.qualities[link] = bad

        def mend() -> None:
            if self.world.wire.qualities[link] is bad:
                self.world.wire.qualities[link] = Quality()
        self.later(self.a_while(), mend)
        return True

    def _mend_after(self, before: Set[Tuple[str, str, str]]) -> bool:
        self.later(self.a_while(), self._mend_cuts(before))
        return True

    def halves(self) -> bool:
        """Two sides that do not hear each other; sometimes one of them still hears the other."""
        keys = sorted(self.world.machines)
        if len(keys) < 3:
            return False
        side = self.random.sample(keys, self.random.randint(1, len(keys) - 1))
        others = tuple(key for key in keys if key not in side)
        one_way, before = self.random.random() < 0.2, set(self.world.wire.cuts)
        for key in side:
            self.world.cut(key, *others, one_way=one_way)
        return self._mend_after(before)

    def ring(self) -> bool:
        """Everybody hears two neighbours and nobody else."""
        keys = sorted(self.world.machines)
        if len(keys) < 4:
            return False
        ring, before = self.random.sample(keys, len(keys)), set(self.world.wire.cuts)
        for at, key in enumerate(ring):
            near = (ring[at - 1], ring[(at + 1) % len(ring)], key)
            self.world.cut(key, *(other for other in keys if other not in near))
        return self._mend_after(before)

    def heard_by_some(self) -> bool:
        """A node that only some of the others hear, while it hears all; or the reverse."""
        def some(machine: "Machine") -> None:
            others = sorted(key for key in self.world.machines if key != machine.key)
            deaf, before = self.random.sample(others, self.random.randint(1, len(others))), set(self.world.wire.cuts)
            if self.random.random() < 0.5:
                self.world.cut(machine.key, *deaf, one_way=True)
            else:
                for key in deaf:
                    self.world.cut(key, machine.key, one_way=True)
            self._mend_after(before)
        return len(self.world.machines) > 1 and self._on_a_machine(some)

    def targets_lost(self) -> bool:
        """One of two nodes does not reach the ping targets, whether it hears the other or not."""
        pings = self.world.pings
        if pings is None:
            return False
        key = self.random.choice(sorted(self.world.machines))
        pings.unreached.add(key)
        self.world.note(key, "does not reach the ping targets")
        self.later(2 * self.a_while(), lambda: pings.unreached.discard(key))
        return True

    def bad_way(self) -> bool:
        """One link is bad in one direction between two nodes."""
        if len(self.world.machines) < 2:
            return False
        one, other = self.random.sample(sorted(self.world.machines), 2)
        link = self.random.choice(sorted(self.world.wire.qualities))
        bad = self._bad()
        ways: Dict[Tuple[str, str, str], Quality] = self.world.wire.ways
        ways[link, one, other] = bad
        self.world.note(one, f"to {other} on {link}: up to {bad.spread_s:.2g} s late, {bad.loss:.0%} lost, "
                             f"{bad.duplicate:.0%} twice")

        def mend() -> None:
            if ways.get((link, one, other)) is bad:
                del ways[link, one, other]
        self.later(self.a_while(), mend)
        return True

    def _bad(self) -> Quality:
        return Quality(0.0005, self.random.choice((0.002, 0.05, 0.3, 1.0)) * self.world.cluster.timing.timeout_s,
                       self.random.choice((0.0, 0.05, 0.3)), self.random.choice((0.0, 0.1)))
