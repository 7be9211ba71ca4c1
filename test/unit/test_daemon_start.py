"""What `sundogd` does with what it is called with, before it is anything."""
import subprocess
import sys
from pathlib import Path

import pytest

LIB = str(Path(__file__).parents[2] / "lib")


def sundogd(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-m", "sundog.daemon.start", *arguments], capture_output=True, text=True,
                          env={"PYTHONPATH": LIB}, timeout=60, check=False)


@pytest.mark.parametrize("word", ["-h", "--help"])
def test_help_has_examples_and_the_exit_statuses(word: str) -> None:
    said = sundogd(word)
    assert (said.returncode, said.stderr) == (0, "")
    assert all(text in said.stdout for text in ("usage: sundogd", "examples:", "exit status:", "  96  ", "--witness"))


def test_help_of_a_witness_is_its_own() -> None:
    assert "usage: sundogd --witness" in sundogd("--witness", "--help").stdout


def test_other_arguments_are_refused_with_where_to_read() -> None:
    said = sundogd("/etc/sundog/other.yaml")
    assert (said.returncode, said.stdout) == (2, "") and "sundogd --help" in said.stderr
