"""A command of the lab is a new process each time, on the product's way through a failover: it may not load much."""
import subprocess
import sys
from pathlib import Path

import pytest

LIBRARY = Path(__file__).parents[2] / "lib"
HEAVY = {"typing", "re", "json", "argparse", "subprocess", "dataclasses", "pathlib", "enum", "logging"}
OFTEN = ("svcs", "svcadm", "svcprop", "ipadm", "zoneadm", "zonecfg", "hostid", "uname")


@pytest.mark.parametrize("command", OFTEN)
def test_a_command_loads_nothing_heavy(command: str) -> None:
    program = (f"import sys; sys.path.insert(0, {str(LIBRARY)!r}); import sunlab.commands.{command}; "
               "print(*sys.modules)")
    done = subprocess.run([sys.executable, "-IS", "-c", program], capture_output=True, text=True, check=True)
    assert not HEAVY & set(done.stdout.split())
