"""The simulation as a tool: what it says when it is told to end."""
from typing import Any, List

import pytest

from simulation import run


def test_an_interrupted_run_gives_the_summary_of_what_it_has_done(monkeypatch: pytest.MonkeyPatch,
                                                                   capsys: pytest.CaptureFixture[str]) -> None:
    waits: List[Any] = []
    wait = run.wait

    def interrupted(running: Any, **how: Any) -> Any:
        waits.append(running)
        if len(waits) > 1:
            raise KeyboardInterrupt
        return wait(running, **how)
    monkeypatch.setattr(run, "wait", interrupted)
    monkeypatch.setattr("sys.argv", ["run", "--storm", "1", "--hours", "10", "--jobs", "1"])
    assert run.main() == 130
    told = capsys.readouterr().out
    assert "1 seeds, " in told and "interrupted after the 1 seeds that are counted here; --first 1 goes on" in told


@pytest.mark.parametrize(("given", "seeds"), [
    ("--seed 7", [7]), ("--seed 7 --hours 0.5", [7, 8, 9]), ("--first 2 --hours 0.4", [2, 3]), ("--seeds 4:5", [4, 5]),
    ("", list(range(6)))])
def test_which_seeds_are_run(given: str, seeds: List[int]) -> None:
    assert run.seeds_of(run.arguments_of(given.split())) == seeds
