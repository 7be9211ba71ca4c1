"""`sunlab run`, `draw` and `shell` with real labs."""
import json
import os
import subprocess
from pathlib import Path
from typing import Tuple
from xml.etree import ElementTree

import pytest

from lab.two_hosts import build
from sunlab.lab import labs

pytestmark = [pytest.mark.lab]
SUNLAB = str(Path(__file__).parents[2] / "bin/sunlab")


def sunlab(*words: str, said: str = "") -> "subprocess.CompletedProcess[str]":
    return subprocess.run([SUNLAB, *words], input=said, capture_output=True, text=True, check=False)


def example(folder: Path, name: str) -> Tuple[Path, str]:
    """The example's two files under a lab's name of our own; the scenario's path and that name."""
    lab = f"{name}{os.getpid() % 100000}"
    here = Path(__file__).parent
    (folder / "scenario-lab.yaml").write_text((here / "scenario-lab.yaml").read_text().replace("lab: scenario",
                                                                                             f"lab: {lab}"))
    (folder / "scenario.yaml").write_text((here / "scenario.yaml").read_text())
    return folder / "scenario.yaml", lab


def test_the_example_runs_to_its_end_and_leaves_a_report(tmp_path: Path) -> None:
    path, lab = example(tmp_path, "sc")
    done = sunlab("run", str(path), "--report", str(tmp_path / "report.xml"))
    assert done.returncode == 0, done.stdout + done.stderr
    suite = ElementTree.parse(tmp_path / "report.xml").getroot()
    assert (suite.get("tests"), suite.get("failures"), len(suite.findall("testcase"))) == ("10", "0", 10)
    assert lab not in labs()


def test_a_failing_step_says_what_was_seen_and_takes_the_lab_down(tmp_path: Path) -> None:
    path, lab = example(tmp_path, "sf")
    path.write_text("lab: scenario-lab.yaml\nsteps:\n  - up:\n  - exec: {on: n1, run: echo purple; exit 3}\n"
                    "  - heal:\n")
    done = sunlab("run", str(path), "--report", str(tmp_path / "report.xml"))
    assert done.returncode == 1
    assert f"{path}:4: expected exit 0, saw exit 3\npurple" in done.stderr
    suite = ElementTree.parse(tmp_path / "report.xml").getroot()
    assert (suite.get("failures"), suite.get("skipped")) == ("1", "1")
    assert lab not in labs()


def test_draw_and_shell_show_the_node() -> None:
    with build("dr") as lab:
        name = lab.spec.lab
        lab.kill("n2")
        text = sunlab("--lab", name, "draw").stdout
        assert "  |-- n1          net1  192.168.7.1/24" in text
        assert "[n2]  off, illumos, hostid 18450002" in text
        assert json.loads(sunlab("--lab", name, "draw", "--json").stdout)["zones"] == {"n1": []}
        done = sunlab("--lab", name, "shell", "n1", said="hostname; exit 5\n")
        assert (done.returncode, done.stdout) == (5, "n1\n")
        assert "root@n1:" in done.stderr
