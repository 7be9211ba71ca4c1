"""Explore the model of ledger, authority and lease whole, with every guard and with each one left out.

    python test/model/check.py [--deep] [--jobs N] [GUARD ...]

Needs Debian's spin and gcc. With all guards no assertion may fail; with any one left out, one must. Exit status 1 if
that is not so; the shortest story of an unexpected failure is printed. --deep explores larger instances (minutes,
some GB of memory).
"""
import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, Optional, Tuple

MODEL = Path(__file__).with_name("sundog.pml")
SMALL = {"L": 3, "A": 1, "DELAY": 1}
LARGE = {"L": 4, "A": 2, "DELAY": 2}

#: What is explored whole: changes of the ledger, restarts, ballots.
WHOLE: List[Dict[str, int]] = [
    {**SMALL, "VERSIONS": 1, "CRASHES": 1, "BALLOTS": 2},
    {**SMALL, "VERSIONS": 2, "CRASHES": 0, "BALLOTS": 2},
]
DEEP: List[Dict[str, int]] = [
    {**SMALL, "VERSIONS": 2, "CRASHES": 1, "BALLOTS": 2},
    {**SMALL, "VERSIONS": 1, "CRASHES": 1, "BALLOTS": 3},
    {**LARGE, "VERSIONS": 1, "CRASHES": 0, "BALLOTS": 2},
]
_MOVE = {**SMALL, "VERSIONS": 2, "CRASHES": 0, "BALLOTS": 2}
_CRASH = {**SMALL, "VERSIONS": 1, "CRASHES": 1, "BALLOTS": 2}
_SLOW = {**LARGE, "VERSIONS": 1, "CRASHES": 0, "BALLOTS": 2}

#: Each guard, what it says, and an instance that is large enough to miss it.
GUARDS: Dict[str, Tuple[str, Dict[str, int]]] = {
    "NEWEST_BLOCK": ("rule 1: a new ballot carries on what may have been chosen", _MOVE),
    "BALLOTS": ("rule 1: a holder refuses an older ballot", _MOVE),
    "PROMISE": ("rule 2: a holder refuses another ballot for A after an acknowledgement", _MOVE),
    "PROBE_TIME": ("rule 2: authority counts from when the probe left", _SLOW),
    "RESTART_WAIT": ("rule 2: a holder that has just started refuses everybody for A", _CRASH),
    "SEND_TIME": ("rule 3: a lease counts from when the heartbeat left", _SLOW),
    "HORIZON": ("rule 3: no lease ends after the leader's own horizon", _SLOW),
    "GUARD": ("rule 3: a lease ends a guard earlier, for clocks that differ", _MOVE),
    "FENCING": ("rule 4: without a lease nothing stays active", _MOVE),
    "SILENCE": ("rule 5: a node must have been silent for L", _MOVE),
    "PREDECESSORS": ("rule 5: leases of earlier leaders must be over", _MOVE),
    "DEPOSED": ("rule 5: a node that is being deposed gets no lease", _MOVE),
    "CONFIRMED_STOP": ("rule 6: the owner has said that it has stopped", _MOVE),
    "PERMIT": ("rule 7: only the owner by the ledger may start", _MOVE),
    "BOOT_ID": ("rule 7: a permit is for one boot of the owner", _CRASH),
    "NEWEST": ("rule 7: an outdated ledger starts nothing", _MOVE),
    "FIRST_GRANT": ("rule 8: a daemon that has just started waits for a grant of its own", _CRASH),
}


@dataclass
class Run:
    failed: bool
    states: int
    took_s: float
    story: str = ""


def explore(defines: Dict[str, int], without: Optional[str] = None, within_s: float = 1800) -> Run:
    """Explore one instance. Raises RuntimeError when it could not be explored to its end."""
    words = [f"-D{name}={value}" for name, value in defines.items()]
    if without == "GUARD":
        words.append("-DGUARD=0")
    elif without is not None:
        words.append(f"-DWITHOUT_{without}")
    with tempfile.TemporaryDirectory() as place:
        began = time.monotonic()
        shutil.copy(MODEL, place)       # spin looks for a trail beside the model
        _run(place, ["spin", "-a", *words, MODEL.name])
        _run(place, ["gcc", "-w", "-O2", "-DSAFETY", "-DCOLLAPSE", "-DMEMLIM=8000", "-o", "pan", "pan.c"])
        # -w: size of the hash table; breadth does not matter, depth does: no branch may be cut off.
        said = _run(place, ["./pan", "-m1000000", "-w24"], within_s)
        errors, states = re.search(r"errors: (\d+)", said), re.search(r"(\d+(?:\.\d+e\+\d+)?) states, stored", said)
        if errors is None or states is None or "max search depth too small" in said or "out of memory" in said:
            raise RuntimeError(f"spin did not come to an end with {' '.join(words)}:\n{said}")
        story = _run(place, ["spin", "-t", "-g", "-p", *words, MODEL.name]) if errors[1] != "0" else ""
        return Run(errors[1] != "0", int(float(states[1])), time.monotonic() - began, story)


def _run(place: str, argv: List[str], within_s: float = 600) -> str:
    done = subprocess.run(argv, cwd=place, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=within_s, check=False)
    if done.returncode != 0 and argv[0] != "./pan":
        raise RuntimeError(f"{' '.join(argv)}: {done.stdout}")
    return done.stdout


def whole(defines: Dict[str, int]) -> Tuple[bool, str]:
    run = explore(defines)
    what = " ".join(f"{name}={value}" for name, value in defines.items())
    verdict = "an assertion FAILS" if run.failed else "holds"
    return not run.failed, f"all guards, {what}: {verdict}; {run.states} states, {run.took_s:.0f} s" \
        + (f"\n{run.story}" if run.failed else "")


def missed(guard: str) -> Tuple[bool, str]:
    text, defines = GUARDS[guard]
    run = explore(defines, guard)
    verdict = "missed at once" if run.failed else "NOT MISSED"
    return run.failed, f"without {guard} ({text}): {verdict}; {run.states} states, {run.took_s:.0f} s"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("guards", nargs="*", metavar="GUARD", help="only these, left out")
    parser.add_argument("--deep", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    unknown = [guard for guard in arguments.guards if guard not in GUARDS]
    if unknown:
        parser.error(f"no guard {', '.join(unknown)}; there are {', '.join(GUARDS)}")
    right = True
    instances = [] if arguments.guards else WHOLE + (DEEP if arguments.deep else [])
    with ThreadPoolExecutor(arguments.jobs) as pool:
        for answers in (pool.map(whole, instances), pool.map(missed, arguments.guards or GUARDS)):
            for good, text in answers:
                right = right and good
                print(text, flush=True)     # noqa: T201
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
