"""What one leader knows of boots that are over, and of the fencing that is under way. Instants: the leader's.

A boot that is over stays so: proof is kept by node and boot id, and never speaks for a later boot.
"""
from dataclasses import dataclass, replace
from typing import Dict, List, Optional, Set, Tuple

from sundog.core.effects import Fence
from sundog.core.events import FenceDone
from sundog.core.membership import NEVER

Key = Tuple[str, str]                   # node, boot id
_LONGEST_PAUSE_S = 30.0


def key(node: str, boot_id: str) -> Key:
    """What is known goes by the boot: it never speaks for another of the same node."""
    return node, boot_id


@dataclass(frozen=True)
class Course:
    """How far the fencing of one boot has come."""
    tries: int = 0
    running: bool = False               # the devices are at work; a FenceDone will come
    retry_at: float = NEVER
    over: bool = False                  # proved: nothing of this boot runs any more
    at: float = NEVER                   # when the devices, or the operator, answered
    said: str = ""                      # what they said
    barred: bool = False                # proved by its disks alone: it may go on speaking


def leasable(course: Course) -> bool:
    """Rule 5: may this boot have another lease? One that is barred may not: its addresses are over with its last."""
    return not (course.over and course.barred)


_NONE = Course()


class Proofs:
    """What one leader knows of it. Its successor begins anew: a node that is off is found off."""

    def __init__(self) -> None:
        self.courses: Dict[Key, Course] = {}
        self.ordered: Set[Key] = set()  # an operator has asked for these; tried once

    def course(self, node: str, boot_id: str) -> Course:
        return self.courses.get(key(node, boot_id), _NONE)

    def over(self, node: str, boot_id: str) -> bool:
        return self.course(node, boot_id).over

    def barred_at(self, node: str, boot_id: str) -> Optional[float]:
        """From when a boot that speaks on has been granted no lease; None: it is not barred."""
        course = self.course(node, boot_id)
        return None if leasable(course) else course.at

    def planned(self, fences: List[Fence], confirmed: Dict[Key, str], ordered: Set[Key],
                refuted: Dict[Key, str]) -> None:
        """What a plan asks for, what operators said in it, and which answers have turned out wrong."""
        for fence in fences:
            before = self.course(fence.node, fence.boot_id)
            self.courses[key(fence.node, fence.boot_id)] = replace(before, running=True)
        for boot, said in confirmed.items():
            self.courses[boot] = Course(over=True, said=said)
        for boot, said in refuted.items():
            self.courses[boot] = replace(self.courses[boot], over=False, said=said)
        self.ordered |= ordered

    def done(self, now: float, event: FenceDone, timeout_s: float) -> None:
        """The devices have answered: for good, or to be asked again after a pause that doubles from L up to 30 s."""
        boot, before = key(event.node, event.boot_id), self.course(event.node, event.boot_id)
        self.ordered.discard(boot)
        pause_s = min(timeout_s * 2 ** min(before.tries, 10), _LONGEST_PAUSE_S)
        self.courses[boot] = Course(before.tries + 1, False, now + pause_s, before.over or event.ok,
                                    now, event.reason, event.barred if event.ok else before.barred)
