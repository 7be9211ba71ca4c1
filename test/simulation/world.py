"""A cluster of the real core in virtual time: build it, break it, run it, look at it. Everything follows from the seed.

Invariants are checked at every step (invariants.py); a breach raises Broken with the seed and the story so far.
"""
from collections import deque
from dataclasses import replace
from typing import Callable, Deque, Dict, List, Optional, Set, Tuple

from simulation.health import Health
from simulation.invariants import Broken
from simulation.lanes import Line, line_of
from simulation.looking import Looking
from simulation.machine import Machine
from simulation.storage import Pool
from simulation.wire import Frame
from sundog.config.model import Cluster
from sundog.core import effects, frames, voters
from sundog.core.effects import Effect
from sundog.core.events import Configured, Event, Heard
from sundog.core.ledger import OFFLINE, Ledger
from sundog.core.node import Node

_STORY = 120


class World(Looking):
    """Say what is there (`nodes`, `disk`, `witness`, `ensemble`, `group`), then `settle()`: machines exist, time runs.

    `drift` is how far a clock's rate may be off (0.02: 2 %), within what the guard covers.
    """

    def __init__(self, seed: int = 0, timeout_s: float = 2.0, links: int = 2, drift: float = 0.02) -> None:
        super().__init__(seed, timeout_s, links, drift)
        self.answers: Dict[str, effects.AnswerRequest] = {}
        self.steps = self.runs = self.resets = self.forgotten = 0
        self.failing: Set[Tuple[str, str, str]] = set()        # (machine key, group, "start" | "stop")
        self.slowness = 1.0                                     # of methods
        self.takeovers: List[float] = []                        # power gone to online elsewhere, seconds
        self.store_s = 0.0                                      # how long a daemon waits for what it stores
        self.codes: Dict[str, int] = {}                         # journal entries by code
        self._dark: Dict[str, float] = {}                       # group -> when its owner's power went
        self.health: Optional[Health] = None                    # there in trials: liveness while faults go on
        self.said, self.last_said = 0, ""
        self.lanes: Optional[List[Line]] = None                 # the whole story, if wanted
        self._story: Deque[Tuple[float, str, str]] = deque(maxlen=_STORY)

    def settle(self, within_s: float = 60.0) -> "World":
        """Switch on what is off, and run until every group that is wanted is online."""
        if not self.machines:
            self.build()
        for machine in self.machines.values():
            if not machine.left:
                machine.power_on()
        return self.run(until=lambda: all(map(self.online, self.cluster.groups)), within_s=within_s)

    # ---- time

    def run(self, for_s: float = 0.0, until: Optional[Callable[[], bool]] = None, within_s: float = 60.0) -> "World":
        """Let `for_s` seconds pass, or run until something holds; raises Broken if it does not hold in time."""
        end = self.timeline.now + (within_s if until else for_s)
        advance = self.timeline.advance
        while until is None or not until():
            if not advance(end):
                if until is not None:
                    self.fail(f"not so within {within_s:g} s", *self.invariants.online_once())
                break
        return self

    @property
    def now(self) -> float:
        return self.timeline.now

    def fail(self, *text: str) -> None:
        raise Broken("liveness: " + "; ".join(text) + f"\n{self.story()}")

    # ---- faults

    def power_off(self, key: str) -> "World":
        self.machines[key].power_off()
        return self

    def boot(self, key: str, active: Tuple[str, ...] = ()) -> "World":
        """Switch on; `active` groups were not stopped from coming up with the host."""
        self.machines[key].power_on(active)
        return self

    def freeze(self, key: str) -> "World":
        self.machines[key].freeze()
        return self

    def suspend(self, key: str) -> "World":
        """Freeze a host with its clock; `thaw` lets both go on."""
        self.machines[key].suspend()
        return self

    def set_wall_clocks(self, by_s: float, *keys: str) -> "World":
        for key in keys or tuple(self.machines):
            self.machines[key].set_wall_clock(by_s)
        return self

    def thaw(self, key: str) -> "World":
        self.machines[key].thaw()
        return self

    def lead_elsewhere(self, node: str) -> "World":
        """See to it that another than `node` leads: who leads cannot be asked to fence itself."""
        if self.leader() == node:
            self.kill_daemon(node, back_in_s=0.9).run(until=lambda: self.leader() not in (None, node)).run(5)
        return self

    def kill_daemon(self, key: str, back_in_s: Optional[float] = 0.5) -> "World":
        """The daemon dies alone; SMF starts it again after `back_in_s`, or never."""
        machine = self.machines[key]
        machine.kill_daemon()
        if back_in_s is not None:
            machine.later(back_in_s, machine.start_daemon)
        return self

    def cut(self, one: str, *others: str, links: Tuple[str, ...] = (), one_way: bool = False) -> "World":
        """Cut `one` from the others, or from everybody."""
        for other in others or tuple(key for key in self.machines if key != one):
            self.wire.cut(one, other, links, one_way)
        way = "does not reach" if one_way else "cut from"
        self.note(one, f"{way} {', '.join(others) or 'anybody'} on {', '.join(links) or 'all links'}")
        return self

    def disk_fails(self, name: str) -> "World":
        """A partition of which every exchange fails, also before it is configured."""
        self._shelve_one(name)
        self.partitions[name].failing = 1.0
        return self

    def heal(self) -> "World":
        """All links whole, targets reached, disks well, methods willing, frozen hosts thawed; what is off stays off."""
        self.wire.heal()
        for partition in self.partitions.values():
            partition.slowest_s, partition.failing = partition.usual_s, 0.0
            partition.unreachable.clear()
            partition.release()
        for device in self.devices.values():
            device.mend()
        if self.pings is not None:
            self.pings.unreached.clear()
        self.failing.clear()
        self.slowness = 1.0
        for machine in self.machines.values():
            machine.fuse = None
            machine.thaw()
            machine.resume()
            if machine.barred:
                # Its next boot is what such a host needs, and an operator is told so.
                machine.power_off("switched off and on by an operator")
                machine.power_on()
        self.note("world", "healed")
        return self

    def ask(self, op: str, group: str = "", node: str = "", at: str = "", digest: str = "",
            names: Tuple[str, ...] = ()) -> str:
        """An operator's request at some node; returns the name under which `answers` will have the answer."""
        self.note(at or "operator", f"asks: {op} {group} {node}")
        machine = self.machines[at or next(key for key in self.machines if self.is_up(key))]
        return machine.request(op, group, node, digest, names)

    def apply(self, cluster: Cluster, at: str) -> str:
        """An operator applies another configuration at some node, which keeps it for the others to fetch."""
        cluster_before = self.known_cluster(self.machines[at])
        new = replace(cluster, source=f"configuration {len(self.configurations)} of seed {self.seed}")
        self.configurations[new.digest] = new
        self.machines[at].shelf.add(new.digest)
        for name in new.groups:
            self.pools.setdefault(name, Pool(name))
        self._shelve(new)
        names = voters.wanted(new) if voters.wanted(new) != voters.wanted(cluster_before) else ()
        return self.ask("apply", at=at, digest=new.digest, names=names)

    def confirm(self, node: str, at: str = "") -> str:
        """An operator has seen that the host is off, and says so."""
        assert not self.machines[node].power
        device = self.devices[node]
        device.over = max(device.over, device.machine.boot)
        return self.ask_fence("fence-confirm", node, at)

    def ask_fence(self, op: str, node: str, at: str = "") -> str:
        """An operator's word on the boot of the node that the ledger of the host where it is typed knows."""
        at = at or next(key for key in self.machines if self.is_up(key))
        asked = self.machines[at].node
        assert asked is not None
        member = asked.ledger.members.get(node)
        return self.ask(op, node=node, at=at, digest=member.boot_id if member is not None else "")

    def answered(self, ask: str, within_s: float = 20.0) -> effects.AnswerRequest:
        """Run until a request has its answer."""
        self.run(until=lambda: ask in self.answers, within_s=within_s)
        return self.answers[ask]

    # ---- what the machines need of the world

    def boot_s(self) -> float:
        return 3.0 + 20 * self.random.random()

    def method_s(self, kind: str, method: str) -> float:
        return (0.02 + (0.25 if kind == "zpool" else 0.05) * self.random.random()) * self.slowness

    def method_fails(self, machine: Machine, group: str, method: str) -> bool:
        return (machine.key, group, method) in self.failing

    def guarded(self, machine: Machine, node: Node, now: float, event: Event) -> List[Effect]:
        """One step of the core; that it raises anything is a breach of its contract."""
        if type(event) is Heard and type(event.body) is frames.Grant and event.body.sent_at >= machine.woke_at:
            self.invariants.granted(machine, event.sender, event.body)
        try:
            wanted: List[Effect] = node.step(now, event)
            return wanted
        except Exception as error:  # noqa: BLE001
            raise Broken(f"crash: {machine.key}: the core raised {error!r} on {event}\n{self.story()}") from error

    def replaced(self, machine: Machine, frame: Frame) -> bool:
        """Has a later run of the sender's daemon, of the same boot, been heard of by now?"""
        for sender in self.wire.machines[frame.sender]:
            if sender.boot_id == frame.boot_id:
                return sender.incarnation > frame.incarnation and sender.node is not None
        return False

    def known_cluster(self, machine: Machine) -> Cluster:
        return machine.cluster or self.first

    def fetch(self, machine: Machine, effect: effects.FetchConfig) -> None:
        """As the daemon does it: from the node named, or from any other that has it; again and again."""
        machine.daemon_later(0.01 + 0.2 * self.random.random(), self._fetched, machine, effect)

    def _fetched(self, machine: Machine, effect: effects.FetchConfig) -> None:
        if not any(effect.digest in other.shelf for other in self.machines.values() if self.is_up(other.key)):
            machine.daemon_later(1.0, self.fetch, machine, effect)
            return
        machine.shelf.add(effect.digest)
        machine.cluster = self.configurations[effect.digest]
        for group in machine.cluster.groups.values():
            if machine.smf is not None and group.name not in machine.smf.groups:
                machine.smf.add(group)
        machine.holders.update(machine.cluster.holders)
        machine.happen(Configured(machine.cluster, effect.version))

    def down(self, machine: Machine, groups: List[str]) -> None:
        for group in groups:
            self._times["stopped", machine.key, group] = self.now
            self._dark.setdefault(group, self.now)

    def stopped_at(self, machine: Machine, group: str) -> None:
        self._times["stopped", machine.key, group] = self.now

    def online_at(self, machine: Machine, group: str) -> None:
        self._times["started", machine.key, group] = self.now
        self.note(machine.key, f"{group} is online")
        dark_at = self._dark.pop(group, None)
        if dark_at is not None:
            self.takeovers.append(self.now - dark_at)

    def chosen(self, before: Ledger, after: Ledger) -> None:
        self.cluster = self.configurations.get(after.config_digest, self.cluster)
        for name, entry in after.groups.items():
            if entry.wanted == OFFLINE:
                self._dark.pop(name, None)

    def forget_takeovers(self) -> None:
        self.takeovers.clear()
        self._dark.clear()

    def journal(self, machine: Machine, entry: effects.Journal) -> None:
        self.codes[entry.code] = self.codes.get(entry.code, 0) + 1
        self.note(machine.key, f"{entry.code} {entry.text}")

    def note(self, key: str, text: str) -> None:
        self.said += 1
        self.last_said = f"{key}: {text}"
        self._story.append((self.timeline.now, key, text))
        if self.lanes is not None:
            self.lanes.append(line_of(self, key, text))

    def story(self) -> str:
        lines = [f"{at:10.4f} {key:7} {text}" for at, key, text in self._story]
        return "\n".join([f"SEED {self.seed}, at {self.now:.4f} s", *lines])
