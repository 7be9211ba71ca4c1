"""Sundog beside Pacemaker + Corosync and keepalived: the same power cuts, on the same switches, in the same run.

usage: python test/bench/compare/main.py [--rounds 10] [--out FOLDER]. As root; installs the peers' Debian packages. All
three run at once, each with three hosts and a detection time of 1 s; one client polls each floating address every 10 ms
over new TCP connections. In each round the power of each one's owner is cut in turn and comes back. Downtime is from
the cut to the first answer of another host to a poll that was sent after it. Before that, CPU and memory of the daemons
with nothing to do. FOLDER gets compare.md, compare.json and compare.svg.
"""
import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Dict, List

HERE = Path(__file__).resolve().parent
TOP = HERE.parents[2]
sys.path[:0] = [str(TOP / "lib"), str(TOP / "test"), str(HERE)]

import peers  # noqa: E402
from contestants import PORT, TIMEOUT_S, everyone, lay_out, wait_for  # noqa: E402
from plot import bars  # noqa: E402

from sunlab.lab import Lab  # noqa: E402
from sunlab.measure import answers  # noqa: E402

TICK = os.sysconf("SC_CLK_TCK")
_ANSWER_WITHIN_S = 60.0


class Compare:
    def __init__(self, contestants: List[Any], polls: Path) -> None:
        self.contestants, self.polls = contestants, polls
        self.offset = 0
        self.heard: List[answers.Answer] = []
        self.found: Dict[str, Dict[str, Any]] = {
            one.name: {"settings": one.settings, "downtime_s": [], "cpu_percent": [], "resident_mb": [],
                       "private_mb": []} for one in contestants}

    def listen(self) -> List[answers.Answer]:
        """The good answers since the last power cut, read on from where the last look ended."""
        with open(self.polls, encoding="utf-8") as file:
            file.seek(self.offset)
            text = file.read()
        whole = text[:text.rfind("\n") + 1]
        self.offset += len(whole.encode())
        for line in whole.splitlines():
            fact = json.loads(line)
            if fact["ok"]:
                self.heard.append(answers.Answer(fact["at"], fact["done"], fact["service"], fact["n"], True,
                                                 fact["by"]))
        return self.heard

    def answer(self, service: str, after: float, but: str = "") -> answers.Answer:
        """The first answer to a poll sent after that moment, by another host than `but`."""
        found: List[answers.Answer] = []

        def look() -> bool:
            found[:] = [one for one in self.listen() if one.service == service and one.at > after and one.by != but]
            return bool(found)
        wait_for(f"an answer of {service}", look, _ANSWER_WITHIN_S)
        return min(found, key=lambda one: one.done)

    def idle(self, seconds: float) -> None:
        """What the daemons of every host cost with nothing to do but be polled."""
        hosts = [(one, host, one.daemons(host)) for one in self.contestants for host in one.hosts]
        before = {host: sum(map(cpu_s, pids)) for _, host, pids in hosts}
        began = time.monotonic()
        time.sleep(seconds)
        took = time.monotonic() - began
        for one, host, pids in hosts:
            row = self.found[one.name]
            row["cpu_percent"].append(100 * (sum(map(cpu_s, pids)) - before[host]) / took)
            row["resident_mb"].append(sum(memory_mb(pid, "Rss:") for pid in pids))
            row["private_mb"].append(sum(memory_mb(pid, "Private_") for pid in pids))

    def round(self) -> None:
        for one in self.contestants:
            service = one.name.split()[0]
            owner = self.answer(service, time.time()).by
            self.heard.clear()
            cut = time.time()
            one.cut(owner)
            answered = self.answer(service, cut, owner).done
            self.found[one.name]["downtime_s"].append(answered - cut)
            print(f"  {one.name}: {owner} cut, answered after {answered - cut:.3f} s", flush=True)
            one.boot(owner)
            time.sleep(2)               # of quiet between one contestant's cut and the next one's


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def memory_mb(pid: int, what: str) -> float:
    """From smaps_rollup (proc(5)): Rss:, or what is private to the process."""
    rows = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(row.split()[1]) for row in rows if row.startswith(what)) / 1024


def markdown(found: Dict[str, Dict[str, Any]]) -> str:
    lines = ["| | downtime after a power cut, median (least to most), s | beyond 1 s | CPU, % of a core a host | "
             "resident, MB a host | private, MB a host |", "| --- | --- | --- | --- | --- | --- |"]
    for name, row in found.items():
        down = row["downtime_s"]
        middle = statistics.median(down)
        lines.append(f"| {name} | {middle:.2f} ({min(down):.2f} to {max(down):.2f}), {len(down)} cuts | "
                     f"{middle - TIMEOUT_S:.2f} | " + " | ".join(
                         f"{statistics.median(row[what]):.1f}" for what in ("cpu_percent", "resident_mb", "private_mb"))
                     + " |")
    lines += ["", "| | settings |", "| --- | --- |"]
    lines += [f"| {name} | " + "; ".join(f"{key}: {value}" for key, value in row["settings"].items()) + " |"
              for name, row in found.items()]
    return "\n".join(lines) + "\n"


def run(folder: Path, rounds: int, seconds: float) -> Dict[str, Dict[str, Any]]:
    with Lab.up(lay_out(folder)) as lab:
        for node in lab.spec.nodes:
            lab.wait_booted(node)
        contestants = everyone(lab, folder)
        polls = folder / "polls"
        try:
            for one in contestants:
                one.start()
            client = lab.popen("client", [sys.executable, "-m", "sunlab.measure.poller", "--write-each", "1000000000",
                                          "--out", str(polls),
                                          *(f"{one.name.split()[0]}={one.address}:{PORT}" for one in contestants)])
            try:
                wait_for("the poller", polls.exists, 30)
                compare = Compare(contestants, polls)
                for one in contestants:
                    compare.answer(one.name.split()[0], 0.0)
                time.sleep(5)
                compare.idle(seconds)
                for _ in range(rounds):
                    compare.round()
                return compare.found
            finally:
                client.terminate()
                client.wait(10)
        finally:
            for one in contestants:
                one.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=20, help="how long CPU is counted")
    parser.add_argument("--out", type=Path, metavar="FOLDER")
    options = parser.parse_args()
    peers.install()
    folder = options.out or Path(tempfile.mkdtemp(prefix="sundog-compare-"))
    folder.mkdir(parents=True, exist_ok=True)
    found = run(folder, options.rounds, options.seconds)
    (folder / "compare.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    (folder / "compare.md").write_text(markdown(found), encoding="utf-8")
    (folder / "compare.svg").write_text(bars({name: row["downtime_s"] for name, row in found.items()}, TIMEOUT_S),
                                        encoding="utf-8")
    print(markdown(found) + f"\n{folder}/compare.md, .json, .svg")
    return 0


if __name__ == "__main__":
    sys.exit(main())
