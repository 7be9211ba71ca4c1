"""What a poller's answers mean: when a service stopped, when it was back, which writes it acknowledged."""
import json
from dataclasses import dataclass
from pathlib import Path
from typing import List, Optional, Set


@dataclass(frozen=True)
class Answer:
    at: float               # sent, seconds since the epoch
    done: float             # answered or given up
    service: str
    number: Optional[int]   # of the write; None: a read
    ok: bool
    by: str                 # who answered, or why nobody did


def read(path: Path) -> List[Answer]:
    """All answers so far, in order of sending; a line still being written is left out."""
    answers = []
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        if line.endswith("\n"):
            fact = json.loads(line)
            answers.append(Answer(fact["at"], fact["done"], fact["service"], fact["n"], fact["ok"], fact["by"]))
    return sorted(answers, key=lambda answer: answer.at)


def first_answer(answers: List[Answer], service: str, after: float) -> Optional[float]:
    """When the first poll that was *sent* after `after` was answered."""
    return min((a.done for a in answers if a.service == service and a.ok and a.at > after), default=None)


def downtime(answers: List[Answer], service: str, begin: float, end: float) -> float:
    """The longest time without an answer between `begin` and `end`, in seconds: from the last good answer before the
    gap to the first good one after it.
    """
    good = sorted(a.done for a in answers if a.service == service and a.ok and begin <= a.done <= end)
    moments = [begin, *good, end]
    return max(later - earlier for earlier, later in zip(moments, moments[1:]))


def acknowledged(answers: List[Answer], service: str) -> Set[int]:
    """The numbers of the writes that the client knows to be safe."""
    return {a.number for a in answers if a.service == service and a.ok and a.number is not None}
