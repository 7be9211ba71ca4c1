"""What a cluster costs that has nothing to do: CPU and resident memory of the daemons, by role.

usage: python test/bench/idle.py [--nodes N] [--timeout 2s] [--seconds 30] [--json FILE]. As root. CPU is percent of one
core, from the kernel's own count of each process (proc(5), stat); memory is resident, in MB.
"""
import argparse
import base64
import json
import os
import secrets
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Dict, List

TOP = Path(__file__).parents[2]
sys.path.insert(0, str(TOP / "lib"))

from sunlab.demo.shop import status, wait_for  # noqa: E402
from sunlab.lab import Lab  # noqa: E402

TICK = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
DAEMONS = {"sundog.daemon.start": "sundogd", "sundog.daemon.failfast": "failfast", "svc.startd": "svc.startd"}


def lay_out(folder: Path, nodes: List[str], timeout: str) -> Path:
    config = ["cluster: idle", "key_file: /etc/sundog/key", f"timing: {{timeout: {timeout}}}", "nodes:"]
    config += [f"  {node}: {{addresses: [10.79.0.{n}, 192.168.79.{n}]}}" for n, node in enumerate(nodes, 1)]
    config += ["links:", "  private: {type: lan, network: 192.168.79.0/24}",
               "  public: {type: lan, network: 10.79.0.0/24}",
               "groups:", "  tcp:", f"    nodes: [{', '.join(nodes)}]", "    resources:",
               "      server: {type: exec, start: /usr/bin/sleep 100000 &}",
               "      ip: {type: floating-ip, address: 10.79.0.100/24}"]
    (folder / "cluster.yaml").write_text("\n".join(config) + "\n")
    (folder / "key").write_text(base64.b64encode(secrets.token_bytes(32)).decode() + "\n")
    lab: Dict[str, Any] = {
        "lab": "idle", "networks": {"public": {"subnet": "10.79.0.0/24"}, "private": {"subnet": "192.168.79.0/24"}},
        "nodes": {node: {"addresses": {"public": f"10.79.0.{n}/24", "private": f"192.168.79.{n}/24"}}
                  for n, node in enumerate(nodes, 1)},
        "files": {"/etc/sundog/cluster.yaml": "cluster.yaml", "/etc/sundog/key": {"from": "key", "mode": "0600"}}}
    (folder / "lab.yaml").write_text(json.dumps(lab))
    return folder / "lab.yaml"


def processes(lab: Lab, node: str) -> Dict[str, int]:
    """Name of a daemon -> its pid on the host."""
    found: Dict[str, int] = {}
    pids = sorted(int(pid) for folder, _, _ in os.walk(lab.places.cgroup(node))
                  for pid in Path(folder, "cgroup.procs").read_text().split())
    for pid in pids:
        words = Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
        # failfast's child, which waits to become uadmin, comes after it.
        found.update({f"{name}'s child" if name in found else name: pid
                      for word, name in DAEMONS.items() if word in words})
    return found


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def resident_mb(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE / (1 << 20)


def measure(lab: Lab, nodes: List[str], seconds: float) -> List[Dict[str, Any]]:
    pids = {node: processes(lab, node) for node in nodes}
    began = time.monotonic()
    before = {pid: cpu_s(pid) for daemons in pids.values() for pid in daemons.values()}
    time.sleep(seconds)
    took = time.monotonic() - began
    seen = status(lab, nodes[0])
    rows = []
    for node in nodes:
        role = "leader" if node == seen["leader"] else "follower"
        owner = "owner" if seen["groups"]["tcp"]["owner"] == node else ""
        rows += [{"node": node, "role": f"{role} {owner}".strip(), "daemon": name, "resident_mb": resident_mb(pid),
                  "cpu_percent": 100 * (cpu_s(pid) - before[pid]) / took} for name, pid in pids[node].items()]
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--nodes", type=int, default=2)
    parser.add_argument("--timeout", default="2s")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    nodes = [f"n{number}" for number in range(1, options.nodes + 1)]
    with Lab.up(lay_out(Path(tempfile.mkdtemp(prefix="sundog-idle-")), nodes, options.timeout)) as lab:
        for node in nodes:
            lab.wait_booted(node, 60)
        for node in nodes:
            lab.exec(node, ["svcadm", "enable", "svc:/system/sundog/failfast:default",
                            "svc:/system/sundog/coordinator:default"])
        wait_for("the group online", lambda: status(lab, nodes[-1]).get("groups", {}).get(
            "tcp", {}).get("state") == "online", 60)
        time.sleep(5)               # what the start brings about is over
        rows = measure(lab, nodes, options.seconds)
    for row in rows:
        print(f"{row['node']:<5} {row['role']:<14} {row['daemon']:<17} {row['cpu_percent']:6.2f} % of a core "
              f"{row['resident_mb']:7.1f} MB")
    if options.json:
        Path(options.json).write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
