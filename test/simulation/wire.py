"""The links between machines: delay, loss, duplication, reordering, and cuts of one direction or both.

Replay protection of the link floor is modelled by what it lets through: the same frame once per link, its body once,
nothing from a run of the daemon that a later one has replaced, nothing meant for a run of ours that is over.
"""
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Dict, List, Optional, Set, Tuple

from simulation.timeline import Timeline
from sundog.core.frames import Body

if TYPE_CHECKING:
    from simulation.machine import Machine


@dataclass
class Frame:
    sender: str
    boot_id: str
    incarnation: int
    body: Optional[Body]
    came_over: Dict[int, List[str]] = field(default_factory=dict)      # receiver's run -> links


@dataclass
class Quality:
    """How a link behaves. Delays in seconds; loss and duplicate are probabilities per frame."""
    shortest_s: float = 0.0002
    spread_s: float = 0.0008
    loss: float = 0.0
    duplicate: float = 0.0


class Wire:
    def __init__(self, timeline: Timeline, random: Random, links: Tuple[str, ...]) -> None:
        self.timeline, self._random = timeline, random.random
        self.qualities = {link: Quality() for link in links}
        self.cuts: Set[Tuple[str, str, str]] = set()       # link, from, to: machine keys
        self.machines: Dict[str, List["Machine"]] = {}      # by the name they use
        self.frames = 0

    def send(self, sender: "Machine", to: str, body: Optional[Body]) -> None:
        """One frame, on every link that reaches."""
        frame = Frame(sender.name, sender.boot_id, sender.incarnation, body)
        for receiver in self.machines[to]:
            if receiver is sender or receiver.node is None:
                continue
            for link, quality in self.qualities.items():
                if self.cuts and (link, sender.key, receiver.key) in self.cuts:
                    continue
                if quality.loss and self._random() < quality.loss:
                    continue
                self._carry(quality, link, receiver, frame)
                if quality.duplicate and self._random() < quality.duplicate:
                    self._carry(quality, link, receiver, frame)

    def _carry(self, quality: Quality, link: str, receiver: "Machine", frame: Frame) -> None:
        self.frames += 1
        delay = quality.shortest_s + quality.spread_s * self._random()
        self.timeline.at(self.timeline.now + delay, receiver.receive, receiver.run, link, frame)

    def cut(self, one: str, other: str, links: Tuple[str, ...] = (), one_way: bool = False) -> None:
        """Cut from `one` to `other` (and back, unless one way) on some links, or on all."""
        for link in links or tuple(self.qualities):
            self.cuts.add((link, one, other))
            if not one_way:
                self.cuts.add((link, other, one))

    def heal(self) -> None:
        self.cuts.clear()
        self.qualities = {link: Quality() for link in self.qualities}
