"""How fast an address and a small TCP service come back: power cut, planned move, killed service; and what it costs.

usage: python test/bench/failover.py [--rounds N] [--json FILE]. As root. Each figure is the median of the rounds, with
the smallest and the largest; a client polls every 10 ms, so no figure is finer than that.
"""
import argparse
import json
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Dict, List

TOP = Path(__file__).parents[2]
sys.path.insert(0, str(TOP / "lib"))

from sunlab.demo.shop import groups_online, start_cluster, status, wait_for, write_key  # noqa: E402
from sunlab.lab import Lab  # noqa: E402
from sunlab.measure import answers  # noqa: E402

NODES = ("n1", "n2", "n3")
#: Pacemaker 2.1 + Corosync 3.1, token 1 s, monitor 1 s, an address and a TCP service, measured on such a machine.
PEER = {"power_cut_s": 2.33, "move_s": 0.26, "service_s": 0.65, "resident_mb": 202.0}


class Bench:
    def __init__(self, lab: Lab, polls: Path) -> None:
        self.lab = lab
        self.polls = polls
        self.figures: Dict[str, List[float]] = {"power_cut_s": [], "move_s": [], "service_s": [], "resident_mb": []}

    def owner(self, ask: str) -> str:
        return groups_online(self.lab, ask).get("tcp", "")

    def answered_after(self, moment: float) -> float:
        """When the first poll sent after `moment` was answered."""
        found: List[float] = []

        def look() -> bool:
            at = answers.first_answer(answers.read(self.polls), "tcp", moment)
            if at is not None:
                found.append(at)
            return at is not None
        wait_for("an answer", look, 30)
        return found[0]

    def round(self) -> None:
        owner = self.owner("n3") or self.owner("n2")
        others = [node for node in NODES if node != owner]
        self.kill_service(owner)
        self.move(owner, others[0])
        self.resident()
        self.power_cut(others[0], [owner, others[1]])

    def gap(self, begin: float) -> float:
        self.answered_after(time.time())
        time.sleep(0.3)
        return answers.downtime(answers.read(self.polls), "tcp", begin, time.time())

    def kill_service(self, owner: str) -> None:
        done = self.lab.exec(owner, ["svcs", "-H", "-p", "svc:/system/sundog/resource/exec:tcp.server"])
        pid = done.stdout.splitlines()[1].split()[1]
        begin = time.time()
        self.lab.exec(owner, ["kill", "-9", pid])
        time.sleep(1.0)
        self.figures["service_s"].append(self.gap(begin))

    def move(self, owner: str, target: str) -> None:
        begin = time.time()
        self.lab.exec(owner, ["sundog", "group", "move", "tcp", "--node", target])
        wait_for("the move", lambda: self.owner(owner) == target, 30)
        self.figures["move_s"].append(self.gap(begin))

    def power_cut(self, owner: str, others: List[str]) -> None:
        cut = time.time()
        self.lab.kill(owner)
        self.figures["power_cut_s"].append(self.answered_after(cut) - cut)
        wait_for("takeover", lambda: self.owner(others[0]) in others, 30)
        self.lab.boot(owner)
        self.lab.wait_booted(owner, 60)
        wait_for("rejoin", lambda: status(self.lab, others[0])["nodes"][owner]["state"] == "up", 30)
        time.sleep(1.0)

    def resident(self) -> None:
        """Of sundogd and failfast together, per node: resident memory as the kernel counts it."""
        for node in NODES:
            listing = self.lab.exec(node, ["ps", "-eo", "rss=,args="]).stdout
            kilobytes = sum(int(line.split()[0]) for line in listing.splitlines()
                            if "sundog.daemon" in line and " ps " not in line)
            self.figures["resident_mb"].append(kilobytes / 1024)


def summary(figures: Dict[str, List[float]]) -> Dict[str, Any]:
    return {name: {"median": round(statistics.median(values), 3), "min": round(min(values), 3),
                   "max": round(max(values), 3), "peer": PEER[name]} for name, values in figures.items() if values}


def lay_out(folder: Path) -> Path:
    shutil.copytree(TOP / "test/bench/plain", folder, dirs_exist_ok=True)
    shutil.copy(TOP / "lib/sunlab/demo/files/store.py", folder / "store.py")
    write_key(folder)
    return folder / "lab.yaml"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="sundog-bench-"))
    with Lab.up(lay_out(folder)) as lab:
        for node in NODES:
            lab.wait_booted(node, 60)
        start_cluster(lab)
        wait_for("the group online", lambda: "tcp" in groups_online(lab, "n3"), 60)
        client = lab.popen("client", [sys.executable, "-m", "sunlab.measure.poller", "--write-each", "1000000", "--out",
                                      str(folder / "polls"), "tcp=10.78.0.100:7000"])
        try:
            wait_for("the poller", (folder / "polls").exists, 30)
            bench = Bench(lab, folder / "polls")
            for _ in range(options.rounds):
                bench.round()
        finally:
            client.terminate()
            client.wait(10)
    found = summary(bench.figures)
    for name, row in found.items():
        print(f"{name:<14} median {row['median']:>8.3f}  min {row['min']:>8.3f}  max {row['max']:>8.3f}  "
              f"Pacemaker+Corosync {row['peer']:>8.3f}")
    if options.json:
        Path(options.json).write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
