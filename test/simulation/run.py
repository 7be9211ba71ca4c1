"""Many seeds: python -m simulation.run --hours 100 (with lib and test on PYTHONPATH).

Prints the simulated hours, how much faster than life that was, the faults by kind, and how long takeovers took.
Exit status 1 when a seed broke an invariant; its story is printed.
"""
import argparse
import gc
import sys
import time
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Dict, Iterator, List, Optional, Set, Tuple

from simulation.invariants import Broken
from simulation.trial import Result, trial


@dataclass
class Summary:
    seeds: int = 0
    virtual_s: float = 0.0
    steps: int = 0
    frames: int = 0
    resets: int = 0
    faults: Dict[str, int] = field(default_factory=dict)
    takeovers: List[float] = field(default_factory=list)
    broken: List[Tuple[int, str]] = field(default_factory=list)

    def add(self, result: Result) -> None:
        self.seeds += 1
        self.virtual_s += result.virtual_s
        self.steps += result.steps
        self.frames += result.frames
        self.resets += result.resets
        self.takeovers += result.takeovers
        for kind, count in result.faults.items():
            self.faults[kind] = self.faults.get(kind, 0) + count

    def lines(self, took_s: float) -> Iterator[str]:
        hours = self.virtual_s / 3600
        yield (f"{self.seeds} seeds, {hours:.1f} simulated hours in {took_s:.0f} s: "
               f"{self.virtual_s / took_s:.0f} times life; {self.steps} steps, {self.frames} frames, "
               f"{self.resets} self-fencing resets")
        yield "faults: " + ", ".join(f"{kind} {count}" for kind, count in sorted(self.faults.items()))
        if self.takeovers:
            ordered = sorted(self.takeovers)
            marks = ", ".join(f"{name} {ordered[min(int(part * len(ordered)), len(ordered) - 1)]:.3f}"
                              for name, part in (("min", 0), ("median", .5), ("p90", .9), ("p99", .99), ("max", 1)))
            yield f"power-off of an owner to online elsewhere, s beyond L, of {len(ordered)}: {marks}"
        for seed, story in self.broken:
            yield f"BROKEN: seed {seed}: {story.splitlines()[0]}"


def attempt(seed: int, storm_s: float, timeout_s: float) -> Tuple[int, Optional[Result], str]:
    # The collector finds little in a world that is still needed; once a seed is enough.
    gc.disable()
    gc.collect()
    try:
        return seed, trial(seed, storm_s, timeout_s=timeout_s), ""
    except Broken as broken:
        return seed, None, str(broken)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="", help="FIRST:LAST or one number; default: as many as --hours needs")
    parser.add_argument("--hours", type=float, default=1.0, help="simulated hours (without --seeds)")
    parser.add_argument("--storm", type=float, default=600.0, help="seconds of faults for each seed")
    parser.add_argument("--timeout", type=float, default=2.0, help="L, seconds")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--first", type=int, default=0, help="the seed to begin with")
    arguments = parser.parse_args()
    began = time.perf_counter()
    summary = many(seeds_of(arguments), arguments)
    print("\n".join(summary.lines(time.perf_counter() - began)))    # noqa: T201
    if summary.broken:
        print(min(summary.broken)[1], file=sys.stderr)              # noqa: T201
    return 1 if summary.broken else 0


def seeds_of(arguments: argparse.Namespace) -> List[int]:
    if arguments.seeds:
        first, _, last = arguments.seeds.partition(":")
        return list(range(int(first), int(last or first) + 1))
    count = max(1, round(arguments.hours * 3600 / (arguments.storm + 40)))
    return list(range(arguments.first, arguments.first + count))


def many(seeds: List[int], arguments: argparse.Namespace) -> Summary:
    summary = Summary()
    with ProcessPoolExecutor(arguments.jobs) as pool:
        running: "Set[Future[Tuple[int, Optional[Result], str]]]" = set()
        todo = iter(seeds)
        while True:
            for seed in todo:
                running.add(pool.submit(attempt, seed, arguments.storm, arguments.timeout))
                if len(running) > 2 * arguments.jobs:
                    break
            if not running:
                return summary
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for one in done:
                seed, result, story = one.result()
                if result is None:
                    summary.broken.append((seed, story))
                else:
                    summary.add(result)


if __name__ == "__main__":
    sys.exit(main())
