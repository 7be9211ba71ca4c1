"""Runs the simulation over many seeds.

Prints the simulated hours, how much faster than life that was, the faults by kind, and how long takeovers took.
Exit status 1 when seeds broke an invariant: the faults of each are then shrunk to the fewest that still break it,
printed with the story of every host, and written to a file for --replay. Interrupted (Ctrl-C, SIGTERM) it gives the
summary of the seeds so far, with exit status 130 when none of them broke.
"""
import argparse
import gc
import os
import signal
import sys
import time
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Sequence, Set, Tuple

from simulation import profiles
from simulation.invariants import Broken
from simulation.lanes import drawn
from simulation.script import Script
from simulation.shrink import shortest
from simulation.trial import Result, replay, trial

_BEFORE_S = 2.0                         # of the story, before the first fault
_MOST_LINES = 400
_INTERRUPTED = 130

Attempt = Tuple[int, Optional[Result], Optional[Script]]


@dataclass
class Summary:
    virtual_s: float = 0.0
    steps: int = 0
    frames: int = 0
    resets: int = 0
    faults: Dict[str, int] = field(default_factory=dict)
    takeovers: List[float] = field(default_factory=list)
    broken: Dict[int, Script] = field(default_factory=dict)
    done: Set[int] = field(default_factory=set)                     # seeds

    def add(self, result: Result) -> None:
        self.virtual_s += result.virtual_s
        self.steps += result.steps
        self.frames += result.frames
        self.resets += result.resets
        self.takeovers += result.takeovers
        for kind, count in result.faults.items():
            self.faults[kind] = self.faults.get(kind, 0) + count

    def lines(self, took_s: float) -> Iterator[str]:
        for seed in sorted(self.broken):
            yield f"BROKEN: seed {seed}"
        whole = len(self.done) - len(self.broken)
        if not whole:
            return
        hours = self.virtual_s / 3600
        yield (f"{whole} seeds, {hours:.1f} simulated hours in {took_s:.0f} s: "
               f"{self.virtual_s / took_s:.0f} times life; {self.steps} steps, {self.frames} frames, "
               f"{self.resets} self-fencing resets")
        yield "faults: " + ", ".join(f"{kind} {count}" for kind, count in sorted(self.faults.items()))
        if self.takeovers:
            ordered = sorted(self.takeovers)
            marks = ", ".join(f"{name} {ordered[min(int(part * len(ordered)), len(ordered) - 1)]:.3f}"
                              for name, part in (("min", 0), ("median", .5), ("p90", .9), ("p99", .99), ("max", 1)))
            yield f"power-off of an owner to online elsewhere, s beyond L, of {len(ordered)}: {marks}"


def attempt(seed: int, storm_s: float, timeout_s: float, profile: str) -> Attempt:
    # The collector finds little in a world that is still needed; once a seed is enough.
    if sys.implementation.name == "cpython":
        gc.disable()
        gc.collect()
    try:
        return seed, trial(seed, storm_s, timeout_s=timeout_s, profile=profile), None
    except Broken as broken:
        return seed, None, broken.script
    except Exception as error:
        raise RuntimeError(f"seed {seed}, profile {profile}: the simulation itself failed") from error


def arguments_of(argv: Optional[Sequence[str]] = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="test/simulation/run", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="profiles:\n" + "".join(f"  {one.name:11} {one.about}\n" for one in profiles.PROFILES.values())
        + "  nightly     all of them in turn\n\nexample: test/simulation/run --hours 10 --profile partitions")
    parser.add_argument("--seed", type=int, help="one seed; with --hours as many from it on as they need")
    parser.add_argument("--seeds", default="", help="FIRST:LAST; default: as many from --first on as --hours needs")
    parser.add_argument("--first", type=int, default=0, help="the seed to begin with")
    parser.add_argument("--hours", type=float, help="simulated hours (without --seeds); default: 1")
    parser.add_argument("--profile", default="mixed", choices=profiles.NAMES)
    parser.add_argument("--storm", type=float, default=600.0, help="seconds of faults for each seed")
    parser.add_argument("--timeout", type=float, default=2.0, help="L, seconds")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="run the script of a failure once more")
    parser.add_argument("--shrink", type=float, default=60.0, metavar="SECONDS",
                        help="how long to look for a shorter script of a failure; 0: not at all")
    parser.add_argument("--out", type=Path, default=Path("."), help="directory for the script of a failure")
    return parser.parse_args(argv)


def main() -> int:
    arguments = arguments_of()
    if arguments.replay is not None:
        return replay_file(arguments.replay)
    began = time.perf_counter()
    summary, seeds = Summary(), seeds_of(arguments)
    whole = many(seeds, arguments, summary)
    say("\n".join(summary.lines(time.perf_counter() - began)))
    if not whole:
        left = next((seed for seed in seeds if seed not in summary.done), seeds[-1] + 1)
        say(f"interrupted after the {len(summary.done)} seeds that are counted here; --first {left} goes on")
    for seed in sorted(summary.broken) if whole else ():
        explain(summary.broken[seed], arguments)
    return 1 if summary.broken else 0 if whole else _INTERRUPTED


def say(text: str) -> None:
    print(text, flush=True)                                         # noqa: T201


def replay_file(path: Path) -> int:
    script = Script.load(path)
    try:
        replay(script, lanes=True)
    except Broken as broken:
        tell(script, broken)
        return 1
    say(f"seed {script.seed}: {len(script.faults)} faults, nothing broke")
    return 0


def explain(script: Script, arguments: argparse.Namespace) -> None:
    """Shrink a failure, print its story, and keep its script."""
    try:
        replay(script)
    except Broken as broken:
        short, again = shortest(broken, arguments.shrink, say)
        tell(short, again)
        path = arguments.out / f"seed-{script.profile}-{script.seed}.jsonl"
        short.save(path)
        say(f"again: test/simulation/run --replay {path}")
    else:
        say(f"seed {script.seed}: its script alone breaks nothing; run it with --seed {script.seed}")


def tell(script: Script, broken: Broken) -> None:
    """The story in lanes, from a little before the first fault."""
    first = script.faults[0].at if script.faults else 0.0
    lines = list(drawn(list(broken.lanes), first - _BEFORE_S))
    for line in lines[:1] + lines[1:][-_MOST_LINES:]:
        say(line)
    for fault in script.faults:
        say(f"fault at {fault.at:.3f} s: {fault.kind} {' '.join(map(str, fault.drawn))}  ({fault.said})")
    say(f"BROKEN at {broken.at:.3f} s, seed {script.seed}, profile {script.profile}: {str(broken).splitlines()[0]}")


def seeds_of(arguments: argparse.Namespace) -> List[int]:
    if arguments.seed is not None and arguments.hours is None:
        return [arguments.seed]
    if arguments.seeds:
        first, _, last = arguments.seeds.partition(":")
        return list(range(int(first), int(last or first) + 1))
    count = max(1, round((arguments.hours or 1.0) * 3600 / (arguments.storm + 24)))
    first = arguments.first if arguments.seed is None else arguments.seed
    return list(range(first, first + count))


def many(seeds: List[int], arguments: argparse.Namespace, summary: Summary) -> bool:
    """Fill the summary; False: interrupted before all seeds were tried."""
    with ProcessPoolExecutor(arguments.jobs, initializer=signal.signal,
                             initargs=(signal.SIGINT, signal.SIG_IGN)) as pool:
        try:
            _many(pool, seeds, arguments, summary)
        except KeyboardInterrupt:
            pool.shutdown(cancel_futures=True)
            return False
    return True


def _many(pool: ProcessPoolExecutor, seeds: List[int], arguments: argparse.Namespace, summary: Summary) -> None:
    running: "Set[Future[Attempt]]" = set()
    todo = iter(seeds)
    while True:
        for seed in todo:
            running.add(pool.submit(attempt, seed, arguments.storm, arguments.timeout, arguments.profile))
            if len(running) > 2 * arguments.jobs:
                break
        if not running:
            return
        done, running = wait(running, return_when=FIRST_COMPLETED)
        for one in done:
            seed, result, script = one.result()
            summary.done.add(seed)
            if result is not None:
                summary.add(result)
            elif script is not None:
                summary.broken[seed] = script
                say(f"seed {seed} breaks; going on with the others")


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
