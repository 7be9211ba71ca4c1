"""The coordinator in the real-time class, what it starts in none."""
import subprocess
import sys

TELL = "import os; print(os.sched_getscheduler(0))"
RUN = f"""
import os, sys
from sundog.solaris.run import run
from sundog.solaris.urgency import be_urgent, calm
refused = be_urgent()
print(refused or os.sched_getscheduler(0) == os.SCHED_RR)
print(run([sys.executable, "-c", {TELL!r}], timeout_s=30).out, end="")
import subprocess
with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as other:
    calm(other.pid)
    print(os.sched_getscheduler(other.pid))
"""


def test_a_child_has_the_class_from_before() -> None:
    before = subprocess.run([sys.executable, "-c", TELL], stdout=subprocess.PIPE, text=True, check=True).stdout
    told = subprocess.run([sys.executable, "-c", RUN], stdout=subprocess.PIPE, text=True, check=True).stdout
    own, child, other = told.splitlines()
    assert own == "True" or "not permitted" in own
    assert child == other == before.strip()
