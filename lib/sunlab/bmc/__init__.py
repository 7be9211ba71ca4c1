"""A node's baseboard management controller: IPMI by OpenIPMI's ipmi_sim and Redfish, on a network of the lab.

It has standby power: it answers while its node is off, and dies only with the plug (`sunlab kill --plug`).
"""
import os
import signal
import subprocess
import sys
from pathlib import Path

from sunlab import cgroups, network, power
from sunlab.places import Places

#: Where the package is, for a Python that is started anew.
_LIB = Path(__file__).resolve().parent.parent.parent


def start(places: Places, node: str) -> None:
    """Start the node's controller; returns when it answers. Raises RuntimeError when it cannot be started."""
    folder = places.node(node)
    with open(folder / "bmc.log", "ab") as log:
        board = subprocess.Popen([sys.executable, "-m", "sunlab.bmc.board", places.lab, node], cwd="/",
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, start_new_session=True,
                                 env={**os.environ, "PYTHONPATH": str(_LIB)})
    assert board.stdout is not None
    with board.stdout as pipe:
        if pipe.readline() != b"ready\n":
            raise RuntimeError(f"the controller of node {node} did not start: see {folder}/bmc.log")


def pid_of(folder: Path) -> int:
    """The pid of the controller of the node with this folder; 0 when it does not run."""
    try:
        pid = int((folder / "bmc.pid").read_text())
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return 0
    return pid if b"sunlab.bmc.board" in words else 0


def end(places: Places, node: str) -> None:
    """Take its power away: the controller, and what it was about to do. One that does not run is no error."""
    pid = pid_of(places.node(node))
    if pid:
        os.killpg(pid, signal.SIGKILL)
        power.wait_gone(pid)
    cgroups.kill(places.client_cgroup(network.bmc(node)))
