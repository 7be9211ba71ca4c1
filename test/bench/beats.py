"""What the beats of a large cluster cost each role, without hosts for it: the core, the codec and the authentication.

usage: python test/bench/beats.py [--nodes 2 8 32 64] [--json FILE]. All nodes' cores and links run in this one process
on a virtual clock; each one's CPU time is counted for itself (clock_gettime(2), CLOCK_THREAD_CPUTIME_ID), so a busy
machine changes little. The kernel's part, sending and receiving, is not in it, nor is the event loop's.
"""
import argparse
import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, Tuple

TOP = Path(__file__).parents[2]
sys.path[:0] = [str(TOP / "lib"), str(TOP / "test"), str(TOP / "test/bench")]

import scale  # noqa: E402

from sundog import resource  # noqa: E402
from sundog.config import paths  # noqa: E402
from sundog.config.load import load  # noqa: E402
from sundog.config.model import Cluster  # noqa: E402
from sundog.core.effects import Activate, Greet, Send, Stored  # noqa: E402
from sundog.core.events import Activated, Adopted, Boot, Event, Tick  # noqa: E402
from sundog.core.node import Node  # noqa: E402
from sundog.link.lan import Lan  # noqa: E402

_STEP_S = 0.01
_KEY = bytes(32)


class Socket:
    """Puts what is sent into the queue of the wire."""

    def __init__(self, wire: "Wire", link: str, own: str) -> None:
        self.wire, self.link, self.own = wire, link, own

    def sendto(self, datagram: bytes, to: Tuple[str, int]) -> None:
        self.wire.queue.append((self.wire.names[to[0]], self.link, (self.own, to[1]), datagram))


class Wire:
    """All nodes of a cluster, and the virtual time that they share."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster, self.now = cluster, 100.0
        self.loop = asyncio.new_event_loop()
        self.loop.time = lambda: self.now              # type: ignore[method-assign]
        self.queue: List[Tuple[str, str, Tuple[str, int], bytes]] = []
        self.names = {address: name for name, spec in cluster.nodes.items() for address in spec.addresses}
        self.cost_s = dict.fromkeys(cluster.nodes, 0.0)
        self.frames = dict.fromkeys(cluster.nodes, 0)
        self.cores = {name: Node(cluster, name, Boot(f"boot-{name}", 1, f"host-{name}"),
                               Stored(life=f"{name}.1"))
                      for name in cluster.nodes}
        self.lans = {name: self.lan(name) for name in cluster.nodes}
        for name, lan in self.lans.items():
            for link in cluster.links:
                lan.greet(link)
            self.happen(name, Adopted({}))

    def lan(self, name: str) -> Lan:
        lan = Lan(self.loop, self.cluster, name, (f"boot-{name}", 1), _KEY, lambda event: self.happen(name, event),
                  lambda code, severity, text: None)
        for link, (own, _) in paths.seats(self.cluster, name).items():
            lan._sockets[link] = Socket(self, link, own)     # type: ignore[assignment]
        return lan

    def happen(self, name: str, event: Event) -> None:
        """One step; a group that is to start is online at once."""
        for effect in self.cores[name].step(self.now, event):
            if isinstance(effect, Send):
                self.lans[name].send(effect.to, effect.body)
            elif isinstance(effect, Greet):
                self.lans[name].hail(effect.to)
            elif isinstance(effect, Activate):
                self.happen(name, Activated(effect.group, effect.permit.epoch, True))

    def timed(self, name: str, call: Callable[..., None], *arguments: Any) -> None:
        began = time.thread_time()
        call(*arguments)
        self.cost_s[name] += time.thread_time() - began

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        while self.now < end:
            self.now += _STEP_S
            for name, core in self.cores.items():
                if core.wake_at(self.now) <= self.now:
                    self.timed(name, self.happen, name, Tick())
            while self.queue:
                arrived, self.queue = self.queue, []
                for name, link, source, datagram in arrived:
                    self.frames[name] += 1
                    self.timed(name, self.lans[name]._receive, link, source, datagram)


def measure(count: int, seconds: float) -> Dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        scale.lay_out(Path(folder), count)
        wire = Wire(load(str(Path(folder) / "cluster.yaml"), resource.parameters()))
    wire.run(10)
    leader = next(name for name, core in wire.cores.items() if core.leader == name)
    for counts in (wire.cost_s, wire.frames):
        counts.update(dict.fromkeys(counts, 0))
    wire.run(seconds)
    roles: Dict[str, List[str]] = {"leader": [leader], "vote holder": [], "follower": []}
    for name, spec in wire.cluster.nodes.items():
        if name != leader:
            roles["vote holder" if spec.votes else "follower"].append(name)
    wire.loop.close()
    return {"nodes": count, "roles": {
        role: {"cpu_percent": round(100 * sum(wire.cost_s[name] for name in names) / len(names) / seconds, 2),
               "received_per_s": round(sum(wire.frames[name] for name in names) / len(names) / seconds, 1)}
        for role, names in roles.items() if names}}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, nargs="+", default=[4, 8, 16, 32, 64])
    parser.add_argument("--seconds", type=float, default=10, help="of virtual time")
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    results = [measure(count, options.seconds) for count in options.nodes]
    print("| nodes | role | CPU, % of a core | frames received, a second |\n| --- | --- | --- | --- |")
    for found in results:
        for role, row in found["roles"].items():
            print(f"| {found['nodes']} | {role} | {row['cpu_percent']} | {row['received_per_s']} |")
    if options.json:
        Path(options.json).write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
