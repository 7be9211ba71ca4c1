"""Takes each guard of the core away in turn and runs the simulator against what is left (mutation testing).

A mutant that no seed and no scenario breaks within --cpu seconds must be explained in mutations/. What found a mutant
the last time (docs/mutants.md) is tried first. Exit status 1 when one survives without an explanation.
"""
import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Dict, List

from simulation import verdicts
from simulation.mutations import MUTATIONS
from simulation.mutations.mutation import Mutation
from simulation.verdicts import Verdict

TOP = Path(__file__).resolve().parents[2]
#: Where the guards of a module are missed first.
_LIKELY = {"fencing": "fencing", "fence_requests": "fencing", "voters": "voters", "electorate": "voters",
           "arbiter": "arbiter", "alone": "arbiter", "double": "arbiter", "jumps": "scenarios", "join": "namesakes"}
_PARTS = ("__init__.py", "version.py", "errors.py", "config", "core")


def mutant_tree(mutation: Mutation, directory: Path) -> Path:
    """A library with the core changed; returns what to put on PYTHONPATH."""
    lib = directory / "sundog"
    lib.mkdir(parents=True)
    for part in _PARTS:
        source = TOP / "lib" / "sundog" / part
        (shutil.copytree if source.is_dir() else shutil.copy)(source, lib / part)
    path = lib / "core" / f"{mutation.module}.py"
    path.write_text(mutation.applied(path.read_text()))
    return directory


def tried(mutation: Mutation, cpu_s: float, first: str) -> Verdict:
    """What found the mutant out, if anything did. `first`: what is to be tried before all else."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as directory:
        lib = mutant_tree(mutation, Path(directory))
        done = subprocess.run([sys.executable, "-m", "simulation.hunt", str(cpu_s), *([first] if first else [])],
                              capture_output=True, text=True, cwd=directory,
                              env={**os.environ, "PYTHONPATH": f"{lib}:{TOP / 'test'}", "PYTHONDONTWRITEBYTECODE": "1"},
                              preexec_fn=lambda: _bound(cpu_s))
    if done.returncode > 0:
        return Verdict("crash", (done.stderr.strip().splitlines() or [""])[-1], 0.0)
    if done.returncode < 0:
        return Verdict("loop", "one run without an end", 2 * cpu_s + 60)
    found = json.loads(done.stdout.strip().splitlines()[-1])
    return Verdict(found["rule"] or "", found["where"], found["cpu_s"])


def _bound(cpu_s: float) -> None:
    seconds = int(2 * cpu_s + 60)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))


def arguments_of() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="test/simulation/mutants", description=__doc__,
                                     epilog="example: test/simulation/mutants --only takeover --cpu 60")
    parser.add_argument("--only", default="", metavar="TEXT", help="mutants whose name has this text")
    parser.add_argument("--left", action="store_true", help="those on which the page has no verdict")
    parser.add_argument("--unexplained", action="store_true", help="those that must be found out")
    parser.add_argument("--cpu", type=float, default=600.0, help="seconds of CPU for each")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--page", type=Path, default=TOP / "docs" / "mutants.md", help="the verdicts")
    parser.add_argument("--write", action="store_true", help="put the new verdicts into it")
    return parser.parse_args()


def main() -> int:
    arguments = arguments_of()
    known = verdicts.read(arguments.page)
    mutations = [one for one in MUTATIONS if arguments.only in one.name
                 and not (arguments.unexplained and one.survives)
                 and not (arguments.left and one.name in known and (known[one.name].rule or one.survives))]
    unexplained: List[str] = []
    with ThreadPoolExecutor(arguments.jobs) as pool:
        runs = {pool.submit(tried, one, arguments.cpu, _found_by(known, one)): one for one in mutations}
        for run in as_completed(runs):
            mutation, verdict = runs[run], run.result()
            if not verdict.rule and not mutation.survives:
                unexplained.append(mutation.name)
            say(verdicts.line(mutation, verdict))
            if arguments.write:
                # Again and again: a long check that is ended keeps what it has.
                known = {**verdicts.read(arguments.page), mutation.name: verdict}
                arguments.page.write_text(verdicts.page(known))
    if arguments.write:
        arguments.page.write_text(verdicts.page(verdicts.read(arguments.page)))
    say(f"{len(mutations)} mutants, {len(unexplained)} survive without an explanation")
    return 1 if unexplained else 0


def _found_by(known: Dict[str, Verdict], mutation: Mutation) -> str:
    found = known[mutation.name].where if mutation.name in known else ""
    return found or _LIKELY.get(mutation.module, "")


def say(text: str) -> None:
    print(text, flush=True)                                         # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
