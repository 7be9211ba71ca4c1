"""How soon a node whose daemon stands still is reset, and what the guard costs: failfast, its child, the watchdog.

usage: python test/bench/protection.py [--timeout 2s] [--rounds 5] [--seconds 30] [--json FILE]. As root. From SIGSTOP
of sundogd to the end of the node's init, in seconds; CPU in percent of one core by proc(5), memory resident and in
proportional shares, in MB. The watchdog is that of a simulated controller over the network (lanplus).
"""
import argparse
import json
import os
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Dict, List

TOP = Path(__file__).parents[2]
sys.path[:0] = [str(TOP / "lib"), str(Path(__file__).parent)]

import idle  # noqa: E402

from sunlab.demo.shop import status, wait_for  # noqa: E402
from sunlab.lab import Lab, LabError  # noqa: E402

PASSWORD = "s3cret"


def lay_out(folder: Path, nodes: List[str], timeout: str) -> Path:
    """The cluster of idle.py, each node with a controller that watches it."""
    file = idle.lay_out(folder, nodes, timeout)
    lab = json.loads(file.read_text())
    lab["lab"] = f"prot{os.getpid() % 100000}"
    addresses = ", ".join(f"{node}: 192.168.79.10{n}" for n, node in enumerate(nodes, 1))
    config = folder / "cluster.yaml"
    config.write_text(config.read_text() + "protection:\n  watchdog: {type: ipmi, interface: lanplus, user: admin, "
                      "password_file: /etc/sundog/bmc, cipher: 3, timeout: 20s, interrupt: message, "
                      f"addresses: {{{addresses}}}}}\n")
    (folder / "bmc").write_text(PASSWORD)
    lab["files"]["/etc/sundog/bmc"] = {"from": "bmc", "mode": "0600"}
    for n, node in enumerate(nodes, 1):
        lab["nodes"][node]["bmc"] = {"address": {"private": f"192.168.79.10{n}/24"}, "password": PASSWORD}
    file.write_text(json.dumps(lab))
    return file


def owner(lab: Lab, nodes: List[str]) -> str:
    """The node that has the group online, by any that answers."""
    for node in nodes:
        try:
            group = status(lab, node).get("groups", {}).get("tcp", {})
        except LabError:
            continue                    # off, on its way to the next boot
        if group.get("state") == "online":
            return str(group["owner"])
    return ""


def children_cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[13]) + int(fields[14])) / idle.TICK


def shared_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def cost(lab: Lab, node: str, seconds: float) -> Dict[str, Any]:
    pids = idle.processes(lab, node)
    before = {name: idle.cpu_s(pid) for name, pid in pids.items()}
    strokes = children_cpu_s(pids["failfast"])
    began = time.monotonic()
    time.sleep(seconds)
    took = time.monotonic() - began
    rows = {name: {"cpu_percent": 100 * (idle.cpu_s(pid) - before[name]) / took, "resident_mb": idle.resident_mb(pid),
                   "share_mb": shared_mb(pid)} for name, pid in pids.items()}
    rows["ipmitool"] = {"cpu_percent": 100 * (children_cpu_s(pids["failfast"]) - strokes) / took}
    return rows


def stop_and_wait(lab: Lab, nodes: List[str]) -> float:
    """Seconds from SIGSTOP of the owner's daemon to the end of its host."""
    node = owner(lab, nodes)
    init, pid = lab.init_pids()[node], idle.processes(lab, node)["sundogd"]
    began = time.monotonic()
    os.kill(pid, signal.SIGSTOP)
    while Path(f"/proc/{init}").exists():
        time.sleep(0.002)
    took = time.monotonic() - began
    wait_for("the next boot", lambda: lab.init_pids().get(node, init) != init, 60)
    lab.wait_booted(node, 60)
    wait_for("the group online", lambda: owner(lab, nodes) != "", 60)
    wait_for("the node back", lambda: status(lab, node).get("leader") is not None, 60)
    return took


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--timeout", default="2s")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    nodes = ["n1", "n2", "n3"]
    with Lab.up(lay_out(Path(tempfile.mkdtemp(prefix="sundog-protection-")), nodes, options.timeout)) as lab:
        for node in nodes:
            lab.wait_booted(node, 60)
            lab.exec(node, ["svcadm", "enable", "svc:/system/sundog/failfast:default",
                            "svc:/system/sundog/coordinator:default"])
        wait_for("the group online", lambda: owner(lab, nodes) != "", 60)
        time.sleep(5)               # what the start brings about is over
        rows = cost(lab, owner(lab, nodes), options.seconds)
        for name, row in rows.items():
            print(f"{name:<17} {row['cpu_percent']:6.2f} % of a core" + (
                f" {row['resident_mb']:7.1f} MB, {row['share_mb']:.1f} MB in shares" if "share_mb" in row else ""),
                flush=True)
        ends = [stop_and_wait(lab, nodes) for _ in range(options.rounds)]
    print(f"SIGSTOP to reset, timeout {options.timeout}: median {statistics.median(ends):.2f} s "
          f"({min(ends):.2f}-{max(ends):.2f}, {len(ends)} rounds)")
    if options.json:
        Path(options.json).write_text(json.dumps({"cost": rows, "reset_s": ends}, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
