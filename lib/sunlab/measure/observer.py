"""Who holds what, seen from outside every few milliseconds: a pool mounted or an address up on two nodes at once.

It reads the kernel's own view of each node (/proc/PID of the node's init: mounts, net/fib_trie), asks nobody, and so
cannot be told a lie by what it watches.
"""
import re
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Dict, FrozenSet, List, Mapping, Optional, Set, Tuple

LOCAL = re.compile(r"\|-- (\S+)\n\s+/32 host LOCAL")
Holdings = FrozenSet[str]


def holdings(pid: int, watched: Set[str]) -> Optional[Holdings]:
    """Which of the watched mount points and addresses the node of this init has; None when the node is not running."""
    try:
        mounts = Path(f"/proc/{pid}/mounts").read_text()
        routes = Path(f"/proc/{pid}/net/fib_trie").read_text()
    except (OSError, ValueError):
        return None
    mounted = {line.split(" ")[1] for line in mounts.splitlines()}
    return frozenset(watched & (mounted | set(LOCAL.findall(routes))))


@dataclass
class Observer:
    """Samples every `every_s` seconds in a thread of its own, from start() to stop()."""
    pids: Callable[[], Mapping[str, int]]       # node -> pid of its init, of the nodes that are up now
    watched: Set[str]                           # mount points and IPv4 addresses
    every_s: float = 0.01
    doubles: List[Tuple[float, str, List[str]]] = field(default_factory=list)   # when, what, on which nodes
    changes: List[Tuple[float, str, str, bool]] = field(default_factory=list)   # when, node, what, gained
    samples: int = 0
    stopping: threading.Event = field(default_factory=threading.Event)
    thread: Optional[threading.Thread] = None

    def start(self) -> None:
        self.thread = threading.Thread(target=self.watch, name="observer", daemon=True)
        self.thread.start()

    def stop(self) -> None:
        self.stopping.set()
        if self.thread:
            self.thread.join()

    def watch(self) -> None:
        last: Dict[str, Holdings] = {}
        while not self.stopping.wait(self.every_s):
            now = time.time()
            seen: Dict[str, Holdings] = {}
            for node, pid in self.pids().items():
                held = holdings(pid, self.watched)
                if held is not None:
                    seen[node] = held
            self.note(now, last, seen)
            last = seen
            self.samples += 1

    def note(self, now: float, last: Mapping[str, Holdings], seen: Mapping[str, Holdings]) -> None:
        for what in self.watched:
            holders = sorted(node for node, held in seen.items() if what in held)
            if len(holders) > 1:
                self.doubles.append((now, what, holders))
        for node in set(last) | set(seen):
            before, after = last.get(node, frozenset()), seen.get(node, frozenset())
            self.changes += [(now, node, what, True) for what in after - before]
            self.changes += [(now, node, what, False) for what in before - after]

    def gained(self, node: str, what: str, after: float) -> Optional[float]:
        """When `node` was first seen to have `what` after `after`."""
        return next((at for at, who, thing, gain in self.changes
                     if gain and who == node and thing == what and at > after), None)
