"""Carrying out a scenario: its steps upon a real lab, what was seen, and a report in JUnit's XML."""
import re
import subprocess
import time
from dataclasses import dataclass
from typing import Callable, List, Optional
from xml.etree import ElementTree

from sunlab.lab import Lab, LabError
from sunlab.network import CommandFailed
from sunlab.scenario import Scenario, Step

EXEC_WITHIN_S = 120.0


@dataclass(frozen=True)
class Outcome:
    step: Step
    seconds: float
    wrong: Optional[str] = None         # what was seen instead; None: it went as the scenario says
    skipped: bool = False


def mismatch(step: Step, status: int, out: str, err: str) -> Optional[str]:
    """What is not as the step says, or None. Pure. Without `status` and `output` the status is to be 0."""
    said = f"exit {status}\n{out}{err}".rstrip()
    wanted = step.what.get("status", None if "output" in step.what else "0")
    if wanted is not None and status != int(wanted):
        return f"expected exit {wanted}, saw {said}"
    if "output" in step.what and not re.search(step.what["output"], out + err, re.MULTILINE):
        return f"expected output that matches {step.what['output']!r}, saw {said}"
    return None


def command(lab: Lab, step: Step, within_s: float) -> Optional[str]:
    try:
        done = lab.exec(step.what["on"], ["/bin/sh", "-c", step.what["run"]], check=False, timeout=within_s)
    except subprocess.TimeoutExpired:
        return f"the command did not end within {within_s:g} s"
    except LabError as problem:
        return str(problem)
    return mismatch(step, done.returncode, done.stdout, done.stderr)


def expect(lab: Lab, step: Step) -> Optional[str]:
    """Ask again until it matches or the time is over; a node that is off meanwhile is asked again too."""
    deadline = time.monotonic() + step.within_s
    while True:
        wrong = command(lab, step, max(deadline - time.monotonic(), 1.0))
        if wrong is None:
            return None
        if time.monotonic() > deadline:
            return f"within {step.within_s:g} s: {wrong}"
        time.sleep(0.1)


def act(lab: Lab, step: Step) -> Optional[str]:
    """One step; what is wrong, or None. Raises LabError, CommandFailed."""
    what = step.what
    if step.kind == "exec":
        return command(lab, step, EXEC_WITHIN_S)
    if step.kind == "expect":
        return expect(lab, step)
    if step.kind == "sleep":
        time.sleep(float(what["seconds"]))
    elif step.kind == "cut":
        lab.cut(what["node"], what.get("network"), what.get("from"), what.get("one-way") == "true")
    elif step.kind == "disk":
        lab.disk(what["node"], what["disk"], what["fault"])
    elif step.kind == "heal":
        lab.heal()
    else:
        getattr(lab, step.kind.replace("-", "_"))(what["node"])
    return None


def carry_out(scenario: Scenario, *, keep: bool, tell: Callable[[Outcome], None]) -> List[Outcome]:
    """All steps until one fails; the lab is taken down at the end unless `keep`."""
    lab: Optional[Lab] = None
    outcomes: List[Outcome] = []
    try:
        for step in scenario.steps:
            if outcomes and (outcomes[-1].wrong or outcomes[-1].skipped):
                outcomes.append(Outcome(step, 0.0, skipped=True))
                continue
            began, wrong = time.monotonic(), None
            try:
                if step.kind == "up":
                    if lab is not None:
                        raise LabError("the lab is up already")
                    lab = Lab.up(scenario.lab)
                    for node in lab.spec.nodes:
                        lab.wait_booted(node)
                else:
                    assert lab is not None      # the first step is up
                    wrong = act(lab, step)
            except (LabError, CommandFailed, RuntimeError, OSError) as problem:
                wrong = str(problem)
            outcomes.append(Outcome(step, time.monotonic() - began, wrong))
            tell(outcomes[-1])
        return outcomes
    finally:
        if lab is not None and not keep:
            lab.down()


def report(scenario: Scenario, outcomes: List[Outcome]) -> str:
    """JUnit's XML: a test case for each step. Pure."""
    suite = ElementTree.Element("testsuite", name=scenario.name, tests=str(len(outcomes)), errors="0",
                                failures=str(sum(o.wrong is not None for o in outcomes)),
                                skipped=str(sum(o.skipped for o in outcomes)),
                                time=f"{sum(o.seconds for o in outcomes):.3f}")
    for number, outcome in enumerate(outcomes, 1):
        case = ElementTree.SubElement(suite, "testcase", classname=scenario.name, time=f"{outcome.seconds:.3f}",
                                      name=f"{number} {outcome.step.name}")
        if outcome.skipped:
            ElementTree.SubElement(case, "skipped")
        elif outcome.wrong is not None:
            failure = ElementTree.SubElement(case, "failure", message=outcome.wrong.splitlines()[0])
            failure.text = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", "?", outcome.wrong)
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True)
