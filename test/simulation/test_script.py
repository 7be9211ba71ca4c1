"""A failure must be found again from its script, and with fewer faults than chance has thrown at it."""
from collections import deque
from pathlib import Path
from random import Random

import pytest

from simulation.invariants import Broken
from simulation.script import Draws, Script, Void
from simulation.shrink import shortest
from simulation.trial import replay, trial
from sundog.core import takeover


@pytest.mark.parametrize("profile", ["mixed", "partitions", "disks", "pings", "forks"])
def test_a_run_from_its_script_is_the_same_run(profile: str, tmp_path: Path) -> None:
    result = trial(3, storm_s=60.0, profile=profile)
    Script(3, profile, 2.0, 60.0, result.script).save(tmp_path / "script")
    again = replay(Script.load(tmp_path / "script"))
    assert (again.steps, again.frames, again.virtual_s) == (result.steps, result.frames, result.virtual_s)
    assert again.faults == result.faults and result.faults


def test_a_failure_is_shrunk_to_the_few_faults_that_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(takeover, "objection", lambda now, heard, led, timeout_s: "" if now < heard + 0.5 else None)
    with pytest.raises(Broken) as first:
        for seed in range(20):
            trial(seed, storm_s=120.0)
    script, again = shortest(first.value, within_s=30.0)
    assert again.rule == first.value.rule
    assert first.value.script is not None and len(script.faults) <= min(3, len(first.value.script.faults))
    assert any("fault" in line[2] for line in again.lanes)


def test_a_line_that_is_no_fault_is_named(tmp_path: Path) -> None:
    path = tmp_path / "script"
    Script(1, "mixed", 2.0, 60.0).save(path)
    path.write_text(path.read_text() + '{"kind": "freeze"}\n')
    with pytest.raises(ValueError, match=":2: not a line of a script"):
        Script.load(path)


def test_a_fault_that_draws_something_else_this_time_does_not_strike() -> None:
    draws = Draws(Random(1))
    for name in ("g2", ["n1"]):
        with pytest.raises(Void):
            draws.within(None, deque([name]), lambda: draws.randint(0, 3))
