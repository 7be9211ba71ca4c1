"""The shortest script that still breaks the same rule: delta debugging (Zeller & Hildebrandt, 2002, ddmin) over faults.

Then the storm ends with its last fault, and quiet time between faults is taken out as far as it still breaks.
"""
import time
from dataclasses import replace
from typing import Callable, List, Optional, Tuple

from simulation.invariants import Broken
from simulation.script import Fault, Script
from simulation.trial import replay

_QUIET_S = 0.5


class Shrinker:
    """`within_s`: seconds of real time after which the best so far must do."""

    def __init__(self, script: Script, rule: str, within_s: float = 60.0) -> None:
        self.best, self.rule = script, rule
        self.tries = 0
        self._end = time.perf_counter() + within_s
        self.broken: Optional[Broken] = None

    def shortest(self) -> Script:
        if not self._breaks(self.best):
            return self.best
        assert self.broken is not None
        self._cut_at(self.broken.at)
        self._fewer_faults()
        if self.best.faults:
            self._cut_at(self.best.faults[-1].at + _QUIET_S)
        self._less_quiet()
        return self.best

    def _breaks(self, script: Script) -> bool:
        """Does it break the same rule? If so it is the best so far."""
        if self.tries and time.perf_counter() > self._end:
            return False
        self.tries += 1
        try:
            replay(script)
        except Broken as broken:
            if broken.rule == self.rule:
                self.broken = broken
                # Only what struck is kept: faults that found nothing to break are gone already.
                self.best = broken.script or script
                return True
        return False

    def _cut_at(self, at: float) -> None:
        """End the storm there; the world settles first, which the storm's length does not count."""
        faults = tuple(fault for fault in self.best.faults if fault.at <= at)
        for storm_s in (at, at - 30, at - 55):
            if 0 < storm_s < self.best.storm_s and self._breaks(replace(self.best, faults=faults, storm_s=storm_s)):
                continue

    def _fewer_faults(self) -> None:
        """ddmin: leave out ever smaller parts while it still breaks."""
        parts = 2
        while len(self.best.faults) > 0 and parts <= 2 * len(self.best.faults):
            faults = self.best.faults
            size = max(1, len(faults) // parts)
            without = [faults[:at] + faults[at + size:] for at in range(0, len(faults), size)]
            if any(self._breaks(replace(self.best, faults=left)) for left in without):
                parts = max(parts - 1, 2)
            elif size == 1:
                return
            else:
                parts *= 2

    def _less_quiet(self) -> None:
        for number in range(len(self.best.faults)):
            for part in (0.1, 0.5):
                if number < len(self.best.faults) and self._breaks(_closer(self.best, number, part)):
                    break


def _closer(script: Script, number: int, part: float) -> Script:
    """The fault and all after it come earlier: only `part` of the quiet time before it is left."""
    before = script.faults[number - 1].at if number else min(script.faults[0].at, 5.0)
    earlier = (script.faults[number].at - before) * (1 - part)
    moved: List[Fault] = [replace(fault, at=fault.at - earlier) for fault in script.faults[number:]]
    return replace(script, faults=(*script.faults[:number], *moved), storm_s=max(script.storm_s - earlier, 1.0))


def shortest(broken: Broken, within_s: float = 60.0,
             say: Callable[[str], None] = lambda text: None) -> Tuple[Script, Broken]:
    """Shrink what broke; returns the script and how it breaks, with its story in lanes."""
    assert broken.script is not None
    shrinker = Shrinker(broken.script, broken.rule, within_s)
    script = shrinker.shortest()
    say(f"{len(broken.script.faults)} faults shrunk to {len(script.faults)} in {shrinker.tries} runs")
    try:
        replay(script, lanes=True)
    except Broken as again:
        return script, again
    return script, broken
