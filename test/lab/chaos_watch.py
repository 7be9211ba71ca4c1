"""Who holds which group, seen from outside: a process of its own that looks every 50 ms and asks nobody.

usage: python -m lab.chaos_watch LAB OUT. It reads the kernel's view of each node (/proc/PID of the node's init: mounts,
net/fib_trie, net/tcp) and notes every change in OUT, one JSON object a line, until SIGTERM; then a last line with the
number of looks. A node holds a group as long as it has any sign of it: its address, its pool's mount point, a process
that listens on its port.

Two nodes that hold one group are a double activation, with one exception. A frozen node counts as holding what it had,
but it is silent (the lab drops its frames) and writes nothing: another may hold the group beside it. When it is thawed
it is reset before it does anything; until the reset is through its kernel still shows what it had. That overlap is
noted as `thawed` with how long it lasted, and is a double activation too when it lasts longer than THAW_S.
"""
import json
import os
import re
import signal
import sys
import time
from pathlib import Path
from typing import IO, Dict, FrozenSet, List, Optional, Set, Tuple

from lab.chaos_site import GROUPS, NODES
from sunlab import cgroups, power
from sunlab.places import Places

EVERY_S = 0.05
THAW_S = 1.0
LOCAL = re.compile(r"\|-- (\S+)\n\s+/32 host LOCAL")
_LISTEN = "0A"                          # TCP_LISTEN, as net/tcp writes states (proc(5))
WATCHED = frozenset(sign for group in GROUPS for sign in group.signs)

Held = Dict[str, FrozenSet[str]]        # node -> groups


def signs_of(pid: int) -> FrozenSet[str]:
    """What the node of this init has of all that is watched; nothing when it is not running."""
    try:
        mounts = Path(f"/proc/{pid}/mounts").read_text()
        routes = Path(f"/proc/{pid}/net/fib_trie").read_text()
        sockets = Path(f"/proc/{pid}/net/tcp").read_text()
    except (OSError, ValueError):
        return frozenset()
    found = {line.split(" ")[1] for line in mounts.splitlines()} | set(LOCAL.findall(routes))
    for row in sockets.splitlines()[1:]:
        fields = row.split()
        if fields[3] == _LISTEN:
            found.add(f"port {int(fields[1].rpartition(':')[2], 16)}")
    return WATCHED & found


def held(signs: FrozenSet[str]) -> FrozenSet[str]:
    return frozenset(group.name for group in GROUPS if signs & group.signs)


class Watch:
    def __init__(self, places: Places, out: IO[str]) -> None:
        self.places, self.out = places, out
        self.last: Dict[str, Tuple[FrozenSet[str], str]] = {}
        self.beside: Set[Tuple[str, str]] = set()                   # (frozen node, group) while another holds it
        self.thawed: Dict[Tuple[str, str], float] = {}              # the same, since its thaw
        self.double: Set[str] = set()
        self.looks, self.stopping = 0, False

    def note(self, what: str, **facts: object) -> None:
        self.out.write(json.dumps({"at": time.time(), "what": what, **facts}) + "\n")
        self.out.flush()

    def see(self, node: str) -> Tuple[FrozenSet[str], str]:
        """Its signs, and whether it is on, frozen or off."""
        pid = power.pid_of(self.places, node)
        if not pid:
            return frozenset(), "off"
        try:
            frozen = cgroups.frozen(self.places.cgroup(node))
        except OSError:
            return frozenset(), "off"
        return signs_of(pid), "frozen" if frozen else "on"

    def look(self) -> None:
        seen = {node: self.see(node) for node in NODES}
        for node, (signs, power_is) in seen.items():
            if self.last.get(node) != (signs, power_is):
                self.note("holds", node=node, power=power_is, signs=sorted(signs))
        holders = {group.name: [node for node in NODES if group.signs & seen[node][0]] for group in GROUPS}
        for group, nodes in holders.items():
            self.judge(group, nodes, {node: seen[node][1] for node in nodes})
        self.last = seen
        self.looks += 1

    def judge(self, group: str, nodes: List[str], powers: Dict[str, str]) -> None:
        frozen = [node for node in nodes if powers[node] == "frozen"]
        if len(nodes) > 1:
            self.beside |= {(node, group) for node in frozen}
        for key in [one for one in self.beside if one[1] == group and one[0] not in frozen]:
            self.beside.discard(key)
            self.thawed[key] = time.monotonic()
        awake = [node for node in nodes if node not in frozen]
        for key in [one for one in self.thawed if one[1] == group]:
            lasted = time.monotonic() - self.thawed[key]
            if key[0] not in awake or len(awake) < 2:
                del self.thawed[key]
                self.note("thawed", node=key[0], group=group, lasted_s=round(lasted, 3))
            elif lasted <= THAW_S:
                awake.remove(key[0])
        if len(awake) > 1 and self.still(group, awake):
            if group not in self.double:
                self.note("double", group=group, nodes=awake)
            self.double.add(group)
        else:
            self.double.discard(group)

    def still(self, group: str, nodes: List[str]) -> bool:
        """One look is not one instant: do those that were seen first still hold it after the last was seen?"""
        return all(group in held(signs) and power_is == "on" for signs, power_is in map(self.see, nodes))

    def run(self) -> None:
        due = time.monotonic()
        while not self.stopping:
            self.look()
            due = max(due + EVERY_S, time.monotonic())
            time.sleep(due - time.monotonic() if due > time.monotonic() else 0)
        self.note("end", looks=self.looks)

    def stop(self, *_: object) -> None:
        self.stopping = True


def main(arguments: Optional[List[str]] = None) -> None:
    lab, out = arguments or sys.argv[1:]
    os.nice(-10)                        # what it watches must not keep it from looking
    with open(out, "w", encoding="utf-8") as file:
        watch = Watch(Places(lab), file)
        signal.signal(signal.SIGTERM, watch.stop)
        watch.run()


if __name__ == "__main__":
    main()
