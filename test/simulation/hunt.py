"""Looks for anything that breaks a core, as a program of its own: storms of every profile in turn, and the scenarios.

Run by `mutants` with a changed core on PYTHONPATH. Prints one line of JSON: what broke, where, and after how many
seconds of CPU; `rule` null: nothing did.
"""
import inspect
import json
import sys
import time
from itertools import count
from typing import Callable, Dict, Iterator, Optional, Tuple

from simulation import test_mutants, test_scenarios
from simulation.invariants import Broken
from simulation.trial import trial

_PROFILES = ("mixed", "disks", "partitions", "operators", "hosts", "calm")
_STORM_S = 60.0
_STORMS_FIRST = 8

Try = Tuple[str, Callable[[], object]]


def tries() -> Iterator[Try]:
    """Some storms, each scenario, then storms without end."""
    storm = count()
    for _ in range(_STORMS_FIRST):
        yield _storm(next(storm))
    yield from _scenarios()
    for number in storm:
        yield _storm(number)


def _storm(number: int) -> Try:
    seed, profile = number // len(_PROFILES), _PROFILES[number % len(_PROFILES)]
    every_s = None if profile == "calm" else 2.0
    return f"{profile} seed {seed}", lambda: trial(seed, _STORM_S, every_s, profile=profile)


def _scenarios() -> Iterator[Try]:
    directed = {one.__name__: one for mutant in test_mutants.MUTANTS for one in mutant.scenarios
                if one is not test_mutants.storms}
    yield from directed.items()
    for name, function in vars(test_scenarios).items():
        if name.startswith("test_") and "thirty_two" not in name:
            takes_world = "world" in inspect.signature(function).parameters
            yield name, (lambda call=function: call(test_scenarios.three())) if takes_world else function


def broken(attempt: Callable[[], object]) -> Optional[str]:
    """What is wrong, in a word; None when all is well."""
    try:
        attempt()
    except Broken as error:
        return error.rule
    except AssertionError:
        return "scenario"
    return None


def hunt(cpu_s: float) -> Dict[str, object]:
    for tried, (name, attempt) in enumerate(tries(), 1):
        rule = broken(attempt)
        if rule is not None or time.process_time() > cpu_s:
            return {"rule": rule, "where": name if rule else "", "tried": tried, "cpu_s": time.process_time()}
    raise AssertionError("storms have no end")


if __name__ == "__main__":
    print(json.dumps(hunt(float(sys.argv[1]))))                     # noqa: T201
