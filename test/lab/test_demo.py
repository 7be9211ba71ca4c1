"""The README's first command does what it says."""
import json
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]


@pytest.mark.lab
@pytest.mark.timeout(240)
def test_the_demo_fails_over_without_losing_a_write_or_running_anything_twice(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    done = subprocess.run([TOP / "bin/demo", "--json", out], capture_output=True, text=True, timeout=220, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    facts = json.loads(out.read_text())
    assert (facts["double_active"], facts["lost_writes"], facts["rejoined"]) == (0, 0, True)
    assert facts["acknowledged_writes"] > 100
