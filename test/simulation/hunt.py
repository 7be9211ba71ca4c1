"""Looks for anything that breaks a core, as a program of its own: storms of every profile in turn, and the scenarios.

Run by `mutants` with a changed core on PYTHONPATH; `python -m simulation.hunt SECONDS [FIRST]`, FIRST being the storm,
scenario or test that found it last time, or the tests to begin with. Prints one line of JSON: what broke, where, and
after how many seconds of CPU; `rule` null: nothing did.
"""
import json
import sys
import time
from itertools import count
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple

import pytest

from simulation import scenarios
from simulation.invariants import Broken
from simulation.trial import trial

_PROFILES = ("mixed", "disks", "partitions", "operators", "hosts", "votes", "clocks", "fences", "pings", "calm")
_STORM_S = 60.0
_STORMS_FIRST = 10
#: Tests of a world with the core in it; not those of the judges, and no storms.
_TESTS = ("scenarios", "namesakes", "late", "stale", "fencing", "voters", "passive_holders", "links", "arbiter",
          "leaderless", "reservations")
_NOT = ("storms", "thirty_two")

Found = Tuple[Optional[str], str]               # rule, where


def rule_of(error: BaseException) -> str:
    """What broke, in a word."""
    return error.rule if isinstance(error, Broken) else "scenario"


def tried(name: str, attempt: Callable[[], object]) -> Found:
    try:
        attempt()
    except AssertionError as error:
        return rule_of(error), name
    return None, ""


def storm(number: int) -> Found:
    seed, profile = number // len(_PROFILES), _PROFILES[number % len(_PROFILES)]
    every_s = None if profile == "calm" else 2.0
    return tried(f"{profile} seed {seed}", lambda: trial(seed, _STORM_S, every_s, profile=profile))


def directed(only: str = "") -> Iterator[Found]:
    for scenario in scenarios.ALL:
        if only in ("", scenario.__name__):
            yield tried(scenario.__name__, scenario)


class Watch:
    """A plugin of pytest: keeps the first failure, stops when the CPU is spent. `only`: one test, by its name."""

    def __init__(self, cpu_s: float, only: str = "") -> None:
        self.cpu_s, self.only = cpu_s, only
        self.found: Found = (None, "")

    def pytest_collection_modifyitems(self, items: List[Any]) -> None:
        items[:] = [one for one in items if (not self.only or one.name == self.only)
                    and not any(part in one.name for part in _NOT)]

    def pytest_runtest_logfinish(self) -> None:
        if time.process_time() > self.cpu_s:
            raise pytest.exit.Exception("the CPU is spent", 0)

    def pytest_exception_interact(self, node: Any, call: Any) -> None:
        if self.found[0] is None:
            self.found = rule_of(call.excinfo.value), node.name


def tests(cpu_s: float, only: str = "", of: Sequence[str] = _TESTS) -> Found:
    """The tests in pytest, which knows their fixtures and parameters; the path stays as it is."""
    here, watch = Path(__file__).parent, Watch(cpu_s, only)
    quiet = ["-p", "no:cacheprovider", "-p", "no:terminal"]
    pytest.main(["-x", *quiet, "-c", "/dev/null", f"--rootdir={here}", "--import-mode=importlib",
                 *(str(here / f"test_{name}.py") for name in of)], plugins=[watch])
    return watch.found


def tries(cpu_s: float, first: str) -> Iterator[Found]:
    """What found it last time, or the tests most likely to; some storms, each scenario, then storms without end."""
    profile, _, seed = first.partition(" seed ")
    if seed:
        yield storm(int(seed) * len(_PROFILES) + _PROFILES.index(profile))
    elif first.startswith("test_"):
        yield tests(cpu_s, first)
    elif first in _TESTS:
        yield tests(cpu_s, of=[first])
    elif first:
        yield from directed(first)
    yield from map(storm, range(_STORMS_FIRST))
    yield from directed()
    yield tests(cpu_s)
    yield from map(storm, count(_STORMS_FIRST))


def hunt(cpu_s: float, first: str = "") -> Dict[str, object]:
    for rule, where in tries(cpu_s, first):
        if rule is not None or time.process_time() > cpu_s:
            return {"rule": rule, "where": where, "cpu_s": time.process_time()}
    raise AssertionError("storms have no end")


if __name__ == "__main__":
    print(json.dumps(hunt(float(sys.argv[1]), *sys.argv[2:])))      # noqa: T201
