"""Chaos: a cluster under random faults, watched from outside; any group active twice or write lost is a violation.

usage: python test/lab/chaos.py [--minutes 30] [--seed N] [--storm SECONDS] [--out FOLDER]. As root. Storms of faults
(power cuts, freezes, cuts of one network or both, of one way or both, disks that hang or are slow, daemons killed)
alternate with calms: everything is healed, and every group must be online on exactly one node within a bound. Clients
write numbered records to the two groups with pools all the while; what was acknowledged must be there in the end.
A host whose group has a pool is frozen for less than the timeout only: that it may write when it wakes up later, before
it is reset, is the risk that `sundog check` names for pools without a fence device.
Exit status: 0 nothing was violated; 1 something was, and FOLDER has the nodes' journals and a merged timeline.
"""
import argparse
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Set, Tuple

TOP = Path(__file__).parents[2]
sys.path[:0] = [str(TOP / "lib"), str(TOP / "test")]

from lab.chaos_site import FAULTY, GROUPS, NODES, TIMEOUT_S, WRITTEN, begin, journal, lay_out, pids  # noqa: E402
from sunlab import cgroups  # noqa: E402
from sunlab.demo import shop  # noqa: E402
from sunlab.lab import Lab, LabError  # noqa: E402
from sunlab.measure import answers  # noqa: E402

CALM_WITHIN_S = 120.0                   # from the healing until every group is online, on a busy machine too
_PAUSE_S = (0.2, 4.0)                   # between two faults
_NETWORKS = ("public", "private")


@dataclass
class Report:
    seed: int
    minutes: float = 0.0
    faults: Dict[str, int] = field(default_factory=dict)
    storms: int = 0
    calm_s: List[float] = field(default_factory=list)       # of each calm: from healed to all groups online
    looks: int = 0
    activations: int = 0
    doubles: List[Dict[str, Any]] = field(default_factory=list)
    thawed: List[Dict[str, Any]] = field(default_factory=list)
    acknowledged: int = 0
    lost: Dict[str, List[int]] = field(default_factory=dict)
    violations: List[str] = field(default_factory=list)

    def lines(self) -> List[str]:
        faults = ", ".join(f"{count} {name}" for name, count in sorted(self.faults.items()))
        slowest = max((one["lasted_s"] for one in self.thawed), default=0.0)
        return [f"seed {self.seed}, {self.minutes:.1f} minutes, {self.storms} storms: {faults}",
                f"double activations {len(self.doubles)} in {self.looks} looks; {self.activations} activations; "
                f"{len(self.thawed)} thawed beside the new owner until their reset, at most {slowest:.3f} s",
                f"acknowledged writes {self.acknowledged}, lost {sum(map(len, self.lost.values()))}",
                f"healed to all groups online: at most {max(self.calm_s, default=0.0):.1f} s",
                *(f"VIOLATION: {text}" for text in self.violations)]


class Storm:
    """One fault after the other, each undone at a random time; `say` gets every one."""

    def __init__(self, lab: Lab, dice: random.Random, say: Callable[[str], None], count: Dict[str, int]) -> None:
        self.lab, self.dice, self.say, self.count = lab, dice, say, count
        self.due: List[Tuple[float, str, Callable[[], None]]] = []
        self.busy: Set[str] = set()     # nodes that are off or frozen

    def blow(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        kinds = (self.kill, self.freeze, self.cut, self.cut, self.disk, self.daemon)
        while time.monotonic() < end:
            self.dice.choice(kinds)()
            until = min(end, time.monotonic() + self.dice.uniform(*_PAUSE_S))
            while time.monotonic() < until:
                self.undo(time.monotonic())
                time.sleep(0.02)
        self.undo(float("inf"))

    def undo(self, now: float) -> None:
        for one in [one for one in self.due if one[0] <= now]:
            self.due.remove(one)
            self.say(f"over: {one[1]}")
            one[2]()

    def later(self, what: str, low: float, high: float, undo: Callable[[], None]) -> None:
        self.say(what)
        self.count[what.split()[0]] = self.count.get(what.split()[0], 0) + 1
        self.due.append((time.monotonic() + self.dice.uniform(low, high), what, undo))

    def victim(self) -> Optional[str]:
        free = [node for node in NODES if node not in self.busy and node in self.lab.init_pids()]
        return self.dice.choice(free) if free else None

    def kill(self) -> None:
        node = self.victim()
        if node is not None:
            self.busy.add(node)
            self.lab.kill(node)
            self.later(f"kill {node}", 1.0, 10.0, lambda: self.boot(node))

    def boot(self, node: str) -> None:
        self.busy.discard(node)
        if node not in self.lab.init_pids():
            with contextlib.suppress(RuntimeError):             # the calm tries again
                self.lab.boot(node)

    def freeze(self) -> None:
        node = self.victim()
        if node is not None:
            try:
                pools = Path(f"/proc/{self.lab.pid(node)}/mounts").read_text()
            except (OSError, LabError):                         # it has just reset itself
                return
            self.busy.add(node)
            longest = 0.6 * TIMEOUT_S if any(f" {group.mount} " in pools for group in WRITTEN) else 3 * TIMEOUT_S
            self.lab.freeze(node)
            self.later(f"freeze {node}", 0.1, longest, lambda: self.thaw(node))

    def thaw(self, node: str) -> None:
        self.busy.discard(node)
        if node in self.lab.init_pids():
            self.lab.thaw(node)

    def cut(self) -> None:
        node, network = self.dice.choice(NODES), self.dice.choice((None, *_NETWORKS))
        peer = self.dice.choice((None, *(one for one in NODES if one != node)))
        one_way = self.dice.random() < 0.4
        self.lab.cut(node, network, peer, one_way)
        way = "one way" if one_way else "both ways"
        self.later(f"cut {node} from {peer or 'all'} on {network or 'both networks'} {way}", 0.3, 8.0, self.lab.heal)

    def disk(self) -> None:
        node, disk = self.victim(), self.dice.choice(FAULTY)
        if node is not None:
            fault = self.dice.choice(("hang", "slow 100"))
            self.lab.disk(node, disk, fault)
            self.later(f"disk {disk} of {node}: {fault}", 0.5, 8.0, lambda: self.mend(node, disk))

    def mend(self, node: str, disk: str) -> None:
        self.lab.disk(node, disk, "ok")

    def daemon(self) -> None:
        node, name = self.victim(), self.dice.choice(("main", "main", "failfast"))
        if node is not None:
            for pid in pids(self.lab, node, f"sundog.daemon.{name}"):
                with contextlib.suppress(ProcessLookupError):       # it may end by itself just now
                    os.kill(pid, signal.SIGKILL)
            self.later(f"daemon {name} of {node} killed", 0.0, 0.0, lambda: None)


class Chaos:
    def __init__(self, lab: Lab, folder: Path, seed: int, storm_s: float) -> None:
        self.lab, self.folder, self.storm_s = lab, folder, storm_s
        self.dice = random.Random(seed)
        self.report = Report(seed)
        self.events: List[Tuple[float, str, str]] = []
        self.polls, self.watched = folder / "polls", folder / "watch"

    def say(self, text: str) -> None:
        self.events.append((time.time(), "chaos", text))

    def run(self, minutes: float) -> Report:
        begin(self.lab)
        watch = subprocess.Popen([sys.executable, "-m", "lab.chaos_watch", self.lab.spec.lab, str(self.watched)],
                                 env={"PYTHONPATH": f"{TOP}/lib:{TOP}/test", "PATH": "/usr/sbin:/usr/bin"})
        services = [f"{group.name}={group.address}:{group.port}" for group in GROUPS if group.port]
        client = self.lab.popen("client", [sys.executable, "-m", "sunlab.measure.poller", "--every", "0.04",
                                           "--write-each", "2", "--out", str(self.polls), *services])
        began = time.monotonic()
        try:
            shop.wait_for("answers", lambda: self.polls.exists() and bool(answers.read(self.polls)), 30)
            while time.monotonic() - began < 60 * minutes and not self.report.violations:
                Storm(self.lab, self.dice, self.say, self.report.faults).blow(
                    min(self.storm_s, max(5.0, 60 * minutes - (time.monotonic() - began))))
                self.report.storms += 1
                self.calm()
        finally:
            self.report.minutes = (time.monotonic() - began) / 60
            for process in (client, watch):
                process.terminate()
                process.wait(30)
        self.judge()
        return self.report

    # ---- the calm after a storm

    def calm(self) -> None:
        """Heal everything; an operator clears what failed; every group must come online on exactly one node."""
        self.lab.heal()
        for node in NODES:
            for disk in FAULTY:
                self.lab.disk(node, disk, "ok")
            if node in self.lab.init_pids() and cgroups.frozen(self.lab.places.cgroup(node)):
                self.lab.thaw(node)
        self.say("healed")
        began, cleared = time.monotonic(), float("-inf")
        while not self.all_online():
            if time.monotonic() - began > CALM_WITHIN_S:
                self.report.violations.append(
                    f"not all groups online {CALM_WITHIN_S:g} s after healing: {self.states()}")
                return
            if time.monotonic() - cleared > 5.0:
                cleared = time.monotonic()
                self.boot_all()
                self.clear()
            time.sleep(0.2)
        self.report.calm_s.append(round(time.monotonic() - began, 1))
        self.say("all groups are online")

    def boot_all(self) -> None:
        for node in NODES:
            if node not in self.lab.init_pids():
                try:
                    self.lab.boot(node)
                except (LabError, RuntimeError) as problem:     # a busy machine has not cleared up its last life yet
                    self.say(f"{node} does not boot yet: {problem}")

    def states(self) -> Dict[str, Any]:
        for node in NODES:
            groups = self.seen(node).get("groups", {})
            if groups:
                return {name: (one["state"], one["owner"], one["why"]) for name, one in groups.items()}
        return {}

    def seen(self, node: str) -> Dict[str, Any]:
        try:
            return shop.status(self.lab, node)
        except (LabError, subprocess.TimeoutExpired):
            return {}

    def all_online(self) -> bool:
        """By every node's ledger, and with every node in the cluster."""
        for node in NODES:
            status = self.seen(node)
            if not status.get("lease_s") or any(one["state"] != "up" for one in status["nodes"].values()):
                return False
            if any(status["groups"][group.name]["state"] != "online" for group in GROUPS):
                return False
        return True

    def clear(self) -> None:
        for name, (state, _, why) in self.states().items():
            if state != "online":
                self.say(f"clears {name}: {state}, {why}")
                for node in NODES:
                    if self.try_exec(node, ["sundog", "group", "clear", name]):
                        break

    def try_exec(self, node: str, argv: List[str]) -> bool:
        try:
            return self.lab.exec(node, argv, check=False, timeout=30).returncode == 0
        except (LabError, subprocess.TimeoutExpired):
            return False

    # ---- the judgement

    def judge(self) -> None:
        report = self.report
        facts = [json.loads(line) for line in self.watched.read_text().splitlines()]
        report.looks = next((one["looks"] for one in facts if one["what"] == "end"), 0)
        report.doubles = [one for one in facts if one["what"] == "double"]
        report.thawed = [one for one in facts if one["what"] == "thawed"]
        report.violations += [f"{one['group']} active on {' and '.join(one['nodes'])}" for one in report.doubles]
        report.activations = sum(entry["code"] == "GROUP-ONLINE" for node in NODES for entry in journal(self.lab, node))
        if not report.looks:
            report.violations.append("the watcher has not seen the run to its end")
        if not self.all_online():
            return                      # said already: what cannot be read is not counted as lost
        heard = answers.read(self.polls)
        for group in WRITTEN:
            owner = shop.groups_online(self.lab, "n1")[group.name]
            safe = answers.acknowledged(heard, group.name)
            lost = sorted(safe - set(shop.stored(self.lab, owner, group.name)))
            report.acknowledged += len(safe)
            if lost:
                report.lost[group.name] = lost
                report.violations.append(f"{group.name}: {len(lost)} acknowledged writes lost, the first {lost[0]}")
            pool = group.mount.lstrip("/")
            said = self.lab.exec(owner, ["zpool", "status", pool]).stdout
            if "errors: No known data errors" not in said:
                report.violations.append(f"pool {pool} has data errors: {said[-300:]}")
        if not report.acknowledged:
            report.violations.append("no write was acknowledged: the run proves nothing")

    def keep_evidence(self) -> None:
        """Journals of all nodes, and everything in one order of time."""
        lines = [(at, who, text) for at, who, text in self.events]
        for node in NODES:
            entries = journal(self.lab, node)
            (self.folder / f"journal.{node}").write_text("".join(json.dumps(entry) + "\n" for entry in entries))
            lines += [(datetime.fromisoformat(entry["time"].replace("Z", "+00:00")).timestamp(), node,
                       f"{entry['code']} {entry['text']}") for entry in entries]
        for line in self.watched.read_text().splitlines():
            fact = json.loads(line)
            lines.append((fact.pop("at"), "watch", json.dumps(fact)))
        (self.folder / "timeline").write_text("".join(
            f"{datetime.fromtimestamp(at).strftime('%H:%M:%S.%f')[:-3]} {who:6} {text}\n" for at, who, text in
            sorted(lines)))


def run(folder: Path, minutes: float, seed: int, storm_s: float) -> Report:
    """One run in a lab of its own; the evidence stays in `folder` when something was violated."""
    with Lab.up(lay_out(folder)) as lab:
        chaos = Chaos(lab, folder, seed, storm_s)
        try:
            report = chaos.run(minutes)
        except (shop.DemoFailed, LabError, OSError, RuntimeError, subprocess.SubprocessError) as problem:
            report = chaos.report
            report.violations.append(f"the run broke off: {type(problem).__name__}: {problem}")
            traceback.print_exc()
        if report.violations and chaos.watched.exists():
            chaos.keep_evidence()
    (folder / "report.json").write_text(json.dumps(vars(report), indent=2) + "\n")
    return report


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--storm", type=float, default=60, metavar="SECONDS", help="of faults between two calms")
    parser.add_argument("--out", type=Path, metavar="FOLDER")
    options = parser.parse_args()
    folder = options.out or Path(tempfile.mkdtemp(prefix="sundog-chaos-"))
    folder.mkdir(parents=True, exist_ok=True)
    sys.stdout.write(f"seed {options.seed}; {folder}\n")
    sys.stdout.flush()
    report = run(folder, options.minutes, options.seed, options.storm)
    sys.stdout.write("\n".join(report.lines()) + "\n")
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main())
