"""A short storm of random faults; the long one is test/lab/chaos.py."""
import random
from pathlib import Path

import pytest

from lab.chaos import run

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]


def test_no_group_is_ever_active_twice_and_no_acknowledged_write_is_lost_in_a_storm(tmp_path: Path) -> None:
    report = run(tmp_path, 1.0, random.SystemRandom().randrange(1_000_000), 25)
    evidence = tmp_path / "timeline"
    tail = evidence.read_text()[-6000:] if evidence.exists() else ""
    assert not report.violations, "\n".join([*report.lines(), tail])
    assert sum(report.faults.values()) > 5
