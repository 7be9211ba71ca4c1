"""Takes each guard of the core away in turn and runs the simulator against what is left (mutation testing).

A mutant that no seed and no scenario breaks within --cpu seconds must be explained in mutations.py. Exit status 1 when
one is not.
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
from typing import List, Tuple

from simulation.mutations import MUTATIONS, Mutation

TOP = Path(__file__).resolve().parents[2]
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


def tried(mutation: Mutation, cpu_s: float) -> Tuple[Mutation, str, str]:
    """What found the mutant out ("" when nothing did), and how."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as directory:
        lib = mutant_tree(mutation, Path(directory))
        done = subprocess.run([sys.executable, "-m", "simulation.hunt", str(cpu_s)], capture_output=True, text=True,
                              env={**os.environ, "PYTHONPATH": f"{lib}:{TOP / 'test'}", "PYTHONDONTWRITEBYTECODE": "1"},
                              preexec_fn=lambda: _bound(cpu_s))
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [""])[-1]
        return mutation, "crash", last if done.returncode > 0 else f"more than {2 * cpu_s + 60:g} s of CPU in one run"
    found = json.loads(done.stdout)
    return mutation, found["rule"] or "", f"{found['where']}; {found['tried']} runs, {found['cpu_s']:.0f} s"


def _bound(cpu_s: float) -> None:
    seconds = int(2 * cpu_s + 60)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))


def main() -> int:
    parser = argparse.ArgumentParser(prog="test/simulation/mutants", description=__doc__,
                                     epilog="example: test/simulation/mutants --only takeover --cpu 60")
    parser.add_argument("--only", default="", metavar="TEXT", help="mutants whose name has this text")
    parser.add_argument("--cpu", type=float, default=600.0, help="seconds of CPU for each")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    mutations = [one for one in MUTATIONS if arguments.only in one.name]
    unexplained: List[str] = []
    with ThreadPoolExecutor(arguments.jobs) as pool:
        for future in as_completed([pool.submit(tried, one, arguments.cpu) for one in mutations]):
            mutation, rule, how = future.result()
            if not rule and not mutation.survives:
                unexplained.append(mutation.name)
            verdict = f"{rule:9}" if rule else "explained" if mutation.survives else "SURVIVES "
            say(f"{verdict} {mutation.name}  [{how if rule else mutation.survives or how}]")
    say(f"{len(mutations)} mutants, {len(unexplained)} survive without an explanation")
    return 1 if unexplained else 0


def say(text: str) -> None:
    print(text, flush=True)                                         # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
