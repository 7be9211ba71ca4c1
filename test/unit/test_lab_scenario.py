"""Scenario files: every mistake with its place and what to do, and how a step is judged."""
from pathlib import Path

import pytest

from sunlab.rehearse import mismatch
from sunlab.scenario import Step, load
from sunlab.spec import SpecError

LAB = ("lab: x\nnetworks:\n  p: {subnet: 10.0.0.0/24}\nnodes:\n  n1: {addresses: {p: 10.0.0.1/24}}\n"
       "disks: {c0t1d0s0: {size: 1M, faults: true}, c0t2d0s0: {size: 1M}}\n")


@pytest.mark.parametrize("steps, said", [
    ("  - up:\n  - kill: n9\n", "4:11: error: the lab has no node 'n9'; it has n1"),
    ("  - up:\n  - burn: n1\n", "4:5: error: unknown key 'burn'; allowed here: up,"),
    ("  - kill: n1\n", "3:5: error: the first step is `up:`"),
    ("  - up:\n  - exec: {on: n1}\n", "4:11: error: 'run' is missing"),
    ("  - up:\n  - expect: {on: n1, run: a, output: '('}\n", "4:38: error: output is a regular expression"),
    ("  - up:\n  - sleep: long\n", "4:12: error: a time is a number of seconds"),
    ("  - up:\n  - cut: {node: n1, network: q}\n", "4:30: error: the lab has no network 'q'"),
    ("  - up:\n  - disk: {node: n1, disk: c0t2d0s0, fault: hang}\n",
     "4:28: error: the lab has no disk with `faults: true` 'c0t2d0s0'; it has c0t1d0s0"),
    ("  - up:\n  - disk: {node: n1, disk: c0t1d0s0, fault: slow}\n", "4:45: error: 'slow' is no fault of a disk; say"),
    ("  - up:\n  - disk: {node: n1, fault: ok}\n", "4:11: error: 'disk' is missing"),
    ("  - up:\n  - heal: n1\n", "4:11: error: 'heal' takes nothing"),
    ("  up\n", "3:3: error: expected a list of steps")])
def test_a_mistake_is_told_with_its_place(tmp_path: Path, steps: str, said: str) -> None:
    (tmp_path / "lab.yaml").write_text(LAB)
    (tmp_path / "s.yaml").write_text(f"lab: lab.yaml\nsteps:\n{steps}")
    with pytest.raises(SpecError) as wrong:
        load(tmp_path / "s.yaml")
    assert f"{tmp_path}/s.yaml:{said}" in str(wrong.value)


def test_a_step_is_judged_by_its_status_and_output() -> None:
    assert mismatch(Step("exec", 1, {}), 0, "", "") is None
    assert mismatch(Step("exec", 1, {"output": "^on"}), 1, "off\non\n", "") is None
    assert mismatch(Step("exec", 1, {"status": "0"}), 2, "", "why\n") == "expected exit 0, saw exit 2\nwhy"
    assert "saw exit 0\noff" in (mismatch(Step("exec", 1, {"output": "^on"}), 0, "off\n", "") or "")
