"""How a cluster does as it grows: frames, CPU and memory of each daemon by role, and the time to settle after deaths.

usage: python test/bench/scale.py [--nodes 2 4 8 16 32] [--simulated 64] [--json FILE]. As root. A cluster has one group
with a floating address for each node, but twelve at most. Up to seven nodes vote, the rest has `votes: 0`; two nodes
have a disk for the third vote. CPU is percent of one core from proc(5), memory is resident. Membership is settled when
the record that each survivor has on disk shows the dead out, the cluster when it also shows every group online on
somebody alive: the times are those of the writes. Exit 1 when a bound of the design is missed.
"""
import argparse
import json
import os
import shutil
import socket
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Set, Tuple

TOP = Path(__file__).parents[2]
sys.path[:0] = [str(TOP / "lib"), str(TOP / "test")]

from lab.chaos_site import pids  # noqa: E402
from simulation.world import World  # noqa: E402
from sundog.core.ledger import Ledger  # noqa: E402
from sundog.daemon.store import Store  # noqa: E402
from sunlab.demo.shop import wait_for, write_key  # noqa: E402
from sunlab.lab import Lab, LabError  # noqa: E402

TICK, PAGE = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
TIMEOUT_S = 2.0
BEYOND_S = 0.3                          # after L membership is settled
RESIDENT_MB = 40.0
CPU_PERCENT = {2: 1.5, 32: 5.0}
GROUPS = 12                             # at most
_CANDIDATES = (0, 1, 3, 7, 12, 18)      # where a group may run: so many nodes further; one more than die at once
_POLL_S = 0.01
_SETTLES_WITHIN_S = 60.0
_STARTS_WITHIN_S = 600.0               # 32 hosts boot on two cores


def voters(count: int) -> int:
    return {2: 2, 4: 3, 8: 5}.get(count, 7)


def lay_out(folder: Path, count: int) -> Path:
    names = [f"n{number}" for number in range(1, count + 1)]
    config = ["cluster: scale", "key_file: /etc/sundog/key", f"timing: {{timeout: {TIMEOUT_S:g}s}}", "nodes:"]
    config += [f"  n{n}: {{addresses: [10.83.0.{n}, 192.168.83.{n}], votes: {int(n <= voters(count))}}}"
               for n in range(1, count + 1)]
    config += ["links:", "  private: {type: lan, network: 192.168.83.0/24}",
               "  public: {type: lan, network: 10.83.0.0/24}"]
    if count == 2:
        config += ["quorum:", "  holders: {disk1: {type: disk, device: /dev/rdsk/c0t1d0s0}}"]
    config += ["groups:"]
    for number in range(min(count, GROUPS)):
        home = number * count // min(count, GROUPS)
        order = list(dict.fromkeys(names[(home + step) % count] for step in _CANDIDATES))
        config += [f"  g{number + 1}:", f"    nodes: [{', '.join(order)}]", "    resources:",
                   f"      ip: {{type: floating-ip, address: 10.83.0.{101 + number}/24}}"]
    (folder / "cluster.yaml").write_text("\n".join(config) + "\n")
    write_key(folder)
    lab: Dict[str, Any] = {
        "lab": f"sc{os.getpid() % 10_000_000}", "disks": {"c0t1d0s0": {"size": "8M"}} if count == 2 else {},
        "networks": {"public": {"subnet": "10.83.0.0/24"}, "private": {"subnet": "192.168.83.0/24"}},
        "nodes": {name: {"addresses": {"public": f"10.83.0.{n}/24", "private": f"192.168.83.{n}/24"}}
                  for n, name in enumerate(names, 1)},
        "files": {"/etc/sundog/cluster.yaml": "cluster.yaml", "/etc/sundog/key": {"from": "key", "mode": "0600"}}}
    (folder / "lab.yaml").write_text(json.dumps(lab))
    return folder / "lab.yaml"


def pid_of_daemon(lab: Lab, node: str) -> int:
    """The host's pid of the node's sundogd."""
    return pids(lab, node, "sundog.daemon.start")[0]


def ask(lab: Lab, node: str) -> Dict[str, Any]:
    """The daemon's status, by its control socket as it is seen from outside: no program is started for it.

    Empty while the daemon does not answer.
    """
    try:
        with socket.socket(socket.AF_UNIX) as door:
            door.settimeout(10)
            door.connect(f"/proc/{lab.pid(node)}/root/run/sundog/control")
            door.sendall(b'{"op":"status"}\n')
            with door.makefile("rb") as answer:
                return dict(json.loads(answer.readline())["status"])
    except (LabError, OSError, ValueError):
        return {}


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def resident_mb(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE / (1 << 20)


class Record:
    """The ledger as one node has it on disk, read from outside without asking the node."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.written_at = 0.0           # seconds since the epoch, by the file's own time stamp
        self.ledger = Ledger()
        self.out_at = 0.0               # when it first showed the nodes out that are waited for
        self._seen = 0

    def look(self) -> None:
        """Raises OSError while there is none."""
        stamp = os.stat(self.path).st_mtime_ns
        # Two writes may carry one time stamp: what is younger than the clock's grain is read again.
        if stamp == self._seen and time.time_ns() - stamp > 50_000_000:
            return
        store = Store(str(self.path))
        try:
            ledger = store.load().ledger
        finally:
            store.close()
        if ledger.version != self.ledger.version:
            self.ledger, self.written_at = ledger, stamp / 1e9
        self._seen = stamp


def are_out(ledger: Ledger, dead: Set[str]) -> bool:
    return all(not ledger.members[node].joined for node in dead if node in ledger.members)


def is_settled(ledger: Ledger, alive: Set[str], dead: Set[str]) -> bool:
    return are_out(ledger, dead) and all(entry.state == "online" and entry.owner in alive
                                         for entry in ledger.groups.values())


class Scale:
    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.nodes = list(lab.spec.nodes)
        self.voters = set(self.nodes[:voters(len(self.nodes))])
        self.records = {node: Record(lab.path(node, "/var/sundog/ledger")) for node in self.nodes}

    def until_settled(self, alive: Set[str], dead: Set[str],
                      within_s: float = _SETTLES_WITHIN_S) -> Tuple[float, float]:
        """Wait until every survivor's record is as it should be; when the last of them showed the dead out, and the
        groups online too.
        """
        deadline = time.monotonic() + within_s
        waiting = set(alive)
        for record in self.records.values():
            record.out_at = 0.0
        while waiting:
            for node in sorted(waiting):
                try:
                    self.records[node].look()
                except OSError:
                    continue
                ledger = self.records[node].ledger
                if not self.records[node].out_at and are_out(ledger, dead):
                    self.records[node].out_at = self.records[node].written_at
                if len(ledger.groups) == min(len(self.nodes), GROUPS) and is_settled(ledger, alive, dead):
                    waiting.discard(node)
            if time.monotonic() > deadline:
                raise TimeoutError(f"{', '.join(sorted(waiting))}: not settled within {within_s:g} s")
            time.sleep(_POLL_S)
        return tuple(max(getattr(self.records[node], what) for node in alive)    # type: ignore[return-value]
                     for what in ("out_at", "written_at"))

    def start(self) -> None:
        for node in self.nodes:
            self.lab.wait_booted(node, 300)
        for node in self.nodes:
            self.lab.exec(node, ["svcadm", "enable", "svc:/system/sundog/failfast:default",
                                 "svc:/system/sundog/coordinator:default"])
        self.until_settled(set(self.nodes), set(), _STARTS_WITHIN_S)

    def leader(self) -> str:
        found: List[str] = []

        def look() -> bool:
            on = [node for node in sorted(self.voters) if node in self.lab.init_pids()]
            leader = next((seen for seen in (ask(self.lab, node).get("leader") for node in on) if seen), None)
            found[:] = [leader] if leader else []
            return bool(found)
        wait_for("a leader", look, 30)
        return found[0]

    def role(self, node: str, leader: str) -> str:
        return "leader" if node == leader else "vote holder" if node in self.voters else "follower"

    def idle(self, seconds: float) -> Dict[str, Any]:
        """What each role costs with nothing to do."""
        time.sleep(5)                   # what the start brings about is over
        leader = self.leader()
        pids = {node: pid_of_daemon(self.lab, node) for node in self.nodes}
        frames = {node: ask(self.lab, node)["counters"] for node in self.nodes}
        before, began = {node: cpu_s(pid) for node, pid in pids.items()}, time.monotonic()
        time.sleep(seconds)
        took = time.monotonic() - began
        used = {node: 100 * (cpu_s(pid) - before[node]) / took for node, pid in pids.items()}
        later = {node: ask(self.lab, node)["counters"] for node in self.nodes}
        rows: Dict[str, Dict[str, List[float]]] = {}
        for node in self.nodes:
            row = rows.setdefault(self.role(node, leader), {"cpu_percent": [], "resident_mb": [], "received_per_s": [],
                                                            "sent_per_s": []})
            row["cpu_percent"].append(used[node])
            row["resident_mb"].append(resident_mb(pids[node]))
            row["received_per_s"].append((later[node]["frames"] - frames[node]["frames"]) / took)
            row["sent_per_s"].append((later[node]["sent"] - frames[node]["sent"]) / took)
        return {role: {name: {"median": round(statistics.median(values), 2), "max": round(max(values), 2)}
                       for name, values in row.items()} for role, row in rows.items()}

    def death(self, dead: List[str]) -> Tuple[float, float]:
        """Cut the power of these nodes; seconds until membership, and all, is settled. Then they come back."""
        alive = set(self.nodes) - set(dead)
        for node in dead:
            cut = time.time()           # of the last one: it takes a while to cut five
            self.lab.kill(node)
        out_at, settled_at = self.until_settled(alive, set(dead))
        for node in dead:
            self.lab.boot(node)
        for node in dead:
            self.lab.wait_booted(node, 300)
        self.until_back(dead)
        return out_at - cut, settled_at - cut

    def until_back(self, nodes: List[str]) -> None:
        witness = self.leader()

        def joined() -> bool:
            self.records[witness].look()
            members = self.records[witness].ledger.members
            return all(node in members and members[node].joined for node in nodes)
        wait_for("the dead are back", joined, 60)
        time.sleep(2 * TIMEOUT_S)

    def followers(self, count: int) -> List[str]:
        """Nodes to die together: owners if there are enough, not the leader, and never a majority of the votes."""
        leader = self.leader()
        owners = {entry.owner for entry in self.records[leader].ledger.groups.values()}
        can_vote = [node for node in self.nodes if node in self.voters and node != leader and node in owners]
        others = sorted((node for node in self.nodes if node not in self.voters and node != leader),
                        key=lambda node: node not in owners)
        spare = (len(self.voters) - 1) // 2 if len(self.nodes) > 2 else 1
        votes = can_vote[:min(spare, max(1, count // 2))]
        if count == 1:
            return (others or can_vote or [node for node in self.nodes if node != leader])[:1]
        return (others[:count - len(votes)] + votes)[:count]


def measure(count: int, seconds: float, rounds: int) -> Dict[str, Any]:
    folder = Path(tempfile.mkdtemp(prefix="sundog-scale-"))
    try:
        began = time.monotonic()
        with Lab.up(lay_out(folder, count)) as lab:
            scale = Scale(lab)
            scale.start()
            found: Dict[str, Any] = {"nodes": count, "votes": voters(count), "online_s": time.monotonic() - began,
                                     "roles": scale.idle(seconds), "membership_beyond_s": {},
                                     "settled_beyond_s": {}}
            kinds = ["follower", "leader"] + (["five"] if count >= 8 else [])
            for kind in kinds * rounds:
                dead = [scale.leader()] if kind == "leader" else scale.followers(5 if kind == "five" else 1)
                membership, settled = (took - TIMEOUT_S for took in scale.death(dead))
                found["membership_beyond_s"].setdefault(kind, []).append(round(membership, 3))
                found["settled_beyond_s"].setdefault(kind, []).append(round(settled, 3))
                print(f"  {count} nodes: {', '.join(dead)} ({kind}) dead, membership settled L {membership:+.3f} s, "
                      f"all L {settled:+.3f} s", flush=True)
            return found
    finally:
        shutil.rmtree(folder)


def _virtual_death(world: World, dead: List[str]) -> Tuple[float, float]:
    """As Scale.death, beyond L and rounded; the dead stay off."""
    cut = world.now
    for name in dead:
        world.power_off(name)
    gone = {name for name, machine in world.machines.items() if not machine.power}
    alive = set(world.machines) - gone

    def everywhere(holds: Callable[[Ledger], bool]) -> bool:
        nodes = [world.machines[name].node for name in alive]
        return all(node is not None and holds(node.ledger) for node in nodes)
    world.run(until=lambda: everywhere(lambda ledger: are_out(ledger, gone)))
    membership = world.now - cut - TIMEOUT_S
    world.run(until=lambda: everywhere(lambda ledger: is_settled(ledger, alive, gone)))
    return round(membership, 3), round(world.now - cut - TIMEOUT_S, 3)


def simulate(count: int) -> Dict[str, Any]:
    """The same deaths under the simulator's virtual time, and the real time that a step of the core takes."""
    names = tuple(f"n{number}" for number in range(1, count + 1))
    world = World(seed=64, timeout_s=TIMEOUT_S).nodes(*names[:7]).nodes(*names[7:], votes=0)
    for name in names:
        world.group(f"g-{name}", on=name, pool=False)
    world.settle(120).run(10)
    found: Dict[str, Any] = {"nodes": count, "votes": 7, "membership_beyond_s": {}, "settled_beyond_s": {}}
    leader = world.leader()
    assert leader is not None
    for kind, dead in (("follower", [names[-1]]), ("five", list(names[-6:-1])), ("leader", [leader])):
        membership, settled = _virtual_death(world, dead)
        found["membership_beyond_s"][kind] = [membership]
        found["settled_beyond_s"][kind] = [settled]
        world.run(10)
    steps, began = world.steps, time.process_time()
    world.run(10)
    found["step_us"] = round(1e6 * (time.process_time() - began) / (world.steps - steps), 1)
    return found


def misses(found: Dict[str, Any]) -> List[str]:
    """The bounds of the design that these figures break."""
    count, wrong = found["nodes"], []
    for kind, values in found["membership_beyond_s"].items():
        median = statistics.median(values)
        if median > BEYOND_S:
            wrong.append(f"{count} nodes: membership settled {median:.3f} s beyond L after the death of {kind} "
                         f"({BEYOND_S:g} s)")
    bound: Optional[float] = CPU_PERCENT.get(count)
    for role, row in found.get("roles", {}).items():
        if bound is not None and row["cpu_percent"]["median"] > bound:
            wrong.append(f"{count} nodes: {role} takes {row['cpu_percent']['median']} % of a core ({bound:g} %)")
        if row["resident_mb"]["max"] > RESIDENT_MB:
            wrong.append(f"{count} nodes: {role} has {row['resident_mb']['max']} MB resident ({RESIDENT_MB:g} MB)")
    return wrong


def table(results: List[Dict[str, Any]]) -> List[str]:
    """The figures as rows of markdown."""
    lines = ["| nodes | role | CPU, % of a core | resident, MB | frames received, a second | sent |",
             "| --- | --- | --- | --- | --- | --- |"]
    for found in results:
        for role, row in sorted(found.get("roles", {}).items()):
            cpu = row["cpu_percent"]
            lines.append(f"| {found['nodes']} | {role} | {cpu['median']} ({cpu['max']}) | "
                         f"{row['resident_mb']['median']} | {row['received_per_s']['median']} | "
                         f"{row['sent_per_s']['median']} |")
    lines += ["", "| nodes | death of | membership settled, s beyond L | groups online, s beyond L |",
              "| --- | --- | --- | --- |"]
    for found in results:
        for kind, values in found["settled_beyond_s"].items():
            both = (", ".join(f"{value:.3f}" for value in one) for one in (found["membership_beyond_s"][kind], values))
            lines.append(f"| {found['nodes']}{' simulated' if 'step_us' in found else ''} | {kind} | "
                         f"{' | '.join(both)} |")
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, nargs="*", default=[2, 4, 8, 16, 32])
    parser.add_argument("--simulated", type=int, default=64, metavar="N", help="0: none")
    parser.add_argument("--seconds", type=float, default=20, help="how long CPU and frames are counted")
    parser.add_argument("--rounds", type=int, default=3, help="how often each death is tried")
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    results = [measure(count, options.seconds, options.rounds) for count in options.nodes]
    if options.simulated:
        results.append(simulate(options.simulated))
    print("\n".join(table(results)))
    if options.json:
        Path(options.json).write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    wrong = [line for found in results for line in misses(found)]
    for line in wrong:
        print(f"scale: {line}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
