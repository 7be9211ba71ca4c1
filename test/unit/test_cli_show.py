"""Answers as they look on a terminal and in a pipe."""
import re

import pytest

from sundog.cli import show

HEAD, ROWS = ("NODE", "STATE"), [("n1", "up"), ("node-22", "down")]


def test_a_pipe_gets_plain_aligned_columns() -> None:
    assert show.plain(HEAD, ROWS).splitlines() == ["NODE     STATE", "n1       up", "node-22  down"]


def test_a_terminal_gets_the_same_cells_as_a_pipe() -> None:
    drawn = re.sub(r"\x1b\[[0-9;]*m", "", show.coloured(HEAD, ROWS))
    assert [line.split() for line in drawn.splitlines()] == [["NODE", "STATE"], ["n1", "up"], ["node-22", "down"]]


def test_what_a_command_printed_cannot_drive_the_terminal() -> None:
    assert "\x1b" not in show.table(HEAD, [("n1", "failed: \x1b[2Jgone\nnext")])
    line = show.entry({"time": "T", "severity": "error", "code": "X", "group": "web", "node": "", "text": "\x1b[2J\nz"})
    assert "\x1b" not in line
    assert "\n" not in line


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0 s"), (119, "119 s"), (120, "2 min"), (7200, "2 h"),
                                               (172800, "2 d"), (None, "-")])
def test_an_age_has_one_unit(seconds: float, text: str) -> None:
    assert show.age(seconds) == text
