"""`bin/demo`: bring a cluster up, cut the power of a host under load, and measure what the customers saw.

Exit status: 0 all was as it should be; 1 something was not (printed last); 2 usage; 3 the lab could not be built.
"""
import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any, List, Optional

from sunlab.demo import shop
from sunlab.demo.report import Report
from sunlab.demo.shop import ADDRESSES, MOUNTS, NODES, PORTS, DemoFailed
from sunlab.lab import Lab, LabError
from sunlab.measure import answers
from sunlab.measure.observer import Observer

SETTLE_S = 2.0          # of steady polling before and after each event, so that a gap has two ends


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


class Demo:
    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab = lab
        self.polls = folder / "polls"
        self.report = Report()
        self.observer = Observer(lab.init_pids, set(ADDRESSES.values()) | set(MOUNTS.values()))
        self.client: Optional["subprocess.Popen[bytes]"] = None

    def run(self) -> None:
        self.bring_up()
        try:
            self.begin_polling()
            dead = self.cut_power()
            self.move_db(dead)
            self.boot(dead)
        finally:
            self.end_polling()
        self.count_writes()

    def bring_up(self) -> None:
        say("making two mirrored pools and a zone on the shared disks")
        shop.make_pools(self.lab)
        say("starting the cluster: svcadm enable failfast coordinator, on each host")
        shop.start_cluster(self.lab)
        shop.wait_for("both groups online", lambda: set(shop.groups_online(self.lab, "n3")) == {"web", "db"}, 60)
        for group, owner in sorted(shop.groups_online(self.lab, "n3").items()):
            say(f"  {group} is online on {owner}, {ADDRESSES[group]}")

    def begin_polling(self) -> None:
        say("a client polls both addresses every 10 ms; every fifth poll is a write")
        services = [f"{group}={ADDRESSES[group]}:{PORTS[group]}" for group in ADDRESSES]
        self.client = self.lab.popen("client", [sys.executable, "-m", "sunlab.measure.poller", "--out",
                                                str(self.polls), *services])
        shop.wait_for("first answers", lambda: all(self.answered_since(group, 0.0) for group in ADDRESSES), 30)
        self.observer.start()
        time.sleep(SETTLE_S)

    def answered_since(self, group: str, moment: float) -> Optional[float]:
        if not self.polls.exists():
            return None
        return answers.first_answer(answers.read(self.polls), group, moment)

    def cut_power(self) -> str:
        """Cut the power of web's owner; measure until web answers again. Returns the dead host's name."""
        dead = shop.groups_online(self.lab, "n3")["web"]
        others = [node for node in NODES if node != dead]
        say(f"cutting the power of {dead}, which owns web")
        cut = time.time()
        self.lab.kill(dead)
        shop.wait_for("web answers again", lambda: self.answered_since("web", cut) is not None, 30)
        shop.wait_for("web is online elsewhere",
                      lambda: shop.groups_online(self.lab, others[0]).get("web", dead) != dead, 30)
        owner = shop.groups_online(self.lab, others[0])["web"]
        answered = self.answered_since("web", cut)
        self.report.first_answer_s = None if answered is None else answered - cut
        self.report.failover = self.timeline(owner, dead, cut)
        self.report.detected_s = dict(self.report.failover)["detected"]
        say(f"web runs on {owner}; first answer {self.report.first_answer_s:.3f} s after the power cut")
        time.sleep(SETTLE_S)
        return dead

    def timeline(self, owner: str, dead: str, cut: float) -> List[Any]:
        """What happened when, in seconds after `cut`, from the journal, SMF's own time stamps and the observer."""
        detected = self.journalled("NODE-DOWN", cut, dead, node=dead)
        ledger = self.journalled("TAKEOVER", cut, dead, group="web")
        moments = [
            ("detected", detected),
            ("ledger changed", ledger),
            ("pool imported", self.observer.gained(owner, MOUNTS["web"], cut)),
            ("zone booted", self.online_since(owner, "svc:/system/sundog/resource/zone:web.zone")),
            ("address up", self.observer.gained(owner, ADDRESSES["web"], cut)),
            ("first answer", self.answered_since("web", cut)),
        ]
        return [(what, None if at is None else at - cut) for what, at in moments]

    def journalled(self, code: str, cut: float, dead: str, **facts: str) -> Optional[float]:
        """When the first entry of this kind after the cut was written, on whichever host; seconds since the epoch."""
        moments = []
        for node in NODES:
            if node == dead:
                continue
            for line in self.lab.exec(node, ["cat", "/var/sundog/journal"]).stdout.splitlines():
                entry = json.loads(line)
                at = datetime.fromisoformat(entry["time"].replace("Z", "+00:00")).timestamp()
                if at > cut and entry["code"] == code and all(entry[key] == value for key, value in facts.items()):
                    moments.append(at)
        return min(moments, default=None)

    def online_since(self, node: str, fmri: str) -> Optional[float]:
        done = self.lab.exec(node, ["svcprop", "-p", "restarter/state_timestamp", fmri], check=False)
        return float(done.stdout) if done.returncode == 0 else None

    def move_db(self, dead: str) -> None:
        source = shop.groups_online(self.lab, "n3" if dead != "n3" else "n2")["db"]
        target = next(node for node in NODES if node not in (dead, source))
        say(f"moving db from {source} to {target} in an orderly way: sundog group move db --node {target}")
        begin = time.time()
        self.lab.exec(source, ["sundog", "group", "move", "db", "--node", target])
        shop.wait_for(f"db online on {target}", lambda: shop.groups_online(self.lab, source).get("db") == target, 30)
        shop.wait_for("db answers", lambda: self.answered_since("db", time.time() - 0.05) is not None, 30)
        time.sleep(SETTLE_S)
        self.report.downtime_s = answers.downtime(answers.read(self.polls), "db", begin, time.time())
        say(f"db was without an answer for {self.report.downtime_s:.3f} s")

    def boot(self, dead: str) -> None:
        say(f"switching {dead} on again")
        alive = next(node for node in NODES if node != dead)
        before = shop.groups_online(self.lab, alive)
        self.lab.boot(dead)
        self.lab.wait_booted(dead, 60)
        shop.wait_for(f"{dead} is back in the cluster",
                      lambda: shop.status(self.lab, alive).get("nodes", {}).get(dead, {}).get("state") == "up", 30)
        time.sleep(SETTLE_S)
        after = shop.groups_online(self.lab, alive)
        carried = [g for g in MOUNTS if MOUNTS[g] in self.lab.exec(dead, ["cat", "/proc/mounts"]).stdout]
        self.report.rejoined = before == after and not carried
        say(f"{dead} is up and carries {', '.join(carried) or 'nothing'}; web and db stayed where they were: "
            f"{'yes' if before == after else 'NO'}")

    def end_polling(self) -> None:
        if self.client:
            self.client.terminate()
            self.client.wait(10)
        self.observer.stop()
        self.report.double_active = len(self.observer.doubles)
        self.report.samples = self.observer.samples

    def count_writes(self) -> None:
        heard = answers.read(self.polls)
        self.report.answers = sum(answer.ok for answer in heard)
        online = shop.groups_online(self.lab, "n2")
        lost = 0
        for group in ADDRESSES:
            safe = answers.acknowledged(heard, group)
            # A group that is nowhere has kept nothing that anybody could read.
            there = set(shop.stored(self.lab, online[group], group)) if group in online else set()
            self.report.acknowledged += len(safe)
            lost += len(safe - there)
        self.report.lost_writes = lost


def arguments(words: Optional[List[str]]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bin/demo", description="A three-host cluster fails over before your eyes, on this machine.",
        epilog="example: bin/demo --json out.json")
    parser.add_argument("--json", metavar="FILE", help="write what was measured as data")
    parser.add_argument("--keep", action="store_true", help="leave the lab running (see: sunlab status demo)")
    return parser.parse_args(words)


def main(words: Optional[List[str]] = None) -> int:
    options = arguments(words)
    folder = Path(tempfile.mkdtemp(prefix="sundog-demo-"))
    say("building a lab of three hosts")
    try:
        lab = Lab.up(shop.lay_out(folder))
    except (LabError, OSError) as problem:
        print(f"demo: {problem}", file=sys.stderr)
        return 3
    demo = Demo(lab, folder)
    try:
        for node in NODES:
            lab.wait_booted(node, 60)
        demo.run()
    except (DemoFailed, LabError, subprocess.TimeoutExpired) as problem:
        demo.report.problems.append(str(problem))
    finally:
        if options.keep:
            say("the lab is left running; end it with: bin/sunlab down demo")
        else:
            lab.down()
            shutil.rmtree(folder)
    if options.json:
        Path(options.json).write_text(demo.report.json(), encoding="utf-8")
    print("\n".join(demo.report.lines()))
    faults = demo.report.faults()
    for fault in faults:
        print(f"demo: {fault}", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
