"""What the demonstration measured, as a timeline to read and as data."""
import json
from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional, Tuple

from sunlab.demo.shop import TIMEOUT_S


@dataclass
class Report:
    detected_s: Optional[float] = None          # from the power cut to the cluster's own notice of it
    first_answer_s: Optional[float] = None      # from the power cut to the first poll answered
    downtime_s: Optional[float] = None          # of the orderly move, between two answers
    rejoined: bool = False
    double_active: int = -1                     # moments at which two hosts held the same thing; -1: not looked
    lost_writes: int = -1                       # acknowledged writes that are not there; -1: not looked
    acknowledged: int = 0
    answers: int = 0
    samples: int = 0
    failover: List[Tuple[str, Optional[float]]] = field(default_factory=list)
    problems: List[str] = field(default_factory=list)

    @property
    def beyond_timeout_s(self) -> Optional[float]:
        return None if self.first_answer_s is None else self.first_answer_s - TIMEOUT_S

    def data(self) -> Dict[str, Any]:
        return {
            "timeout_s": TIMEOUT_S,
            "failover": {"detected_s": rounded(self.detected_s), "first_answer_s": rounded(self.first_answer_s),
                         "beyond_timeout_s": rounded(self.beyond_timeout_s),
                         "timeline": {what: rounded(at) for what, at in self.failover}},
            "move": {"downtime_s": rounded(self.downtime_s)},
            "rejoined": self.rejoined,
            "double_active": self.double_active,
            "lost_writes": self.lost_writes,
            "acknowledged_writes": self.acknowledged,
            "problems": self.problems,
        }

    def json(self) -> str:
        return json.dumps(self.data(), indent=2) + "\n"

    def faults(self) -> List[str]:
        """Why this run was not as it should be; empty when it was."""
        wrong = list(self.problems)
        if self.first_answer_s is None:
            wrong.append("the web group never answered again after its owner lost power")
        if self.downtime_s is None:
            wrong.append("the move of db was not measured")
        if not self.rejoined:
            wrong.append("the dead host did not come back into the cluster clean")
        if self.double_active != 0:
            wrong.append(f"something was active on two hosts at {self.double_active} moments")
        if self.acknowledged == 0:
            wrong.append("no write was ever acknowledged, so none could be lost")
        if self.lost_writes != 0:
            wrong.append(f"{self.lost_writes} acknowledged writes are gone")
        return wrong

    def lines(self) -> List[str]:
        rows = [f"  {'power cut':<28} 0.000 s"]
        rows += [f"  {what:<28} {seconds(at)}" for what, at in self.failover]
        return [
            "failover of web, from the power cut of its owner:", *rows,
            f"  beyond the timeout of {TIMEOUT_S:g} s: {seconds(self.beyond_timeout_s)}",
            f"orderly move of db: {seconds(self.downtime_s)} without an answer",
            f"the dead host rejoined clean: {'yes' if self.rejoined else 'NO'}",
            f"active on two hosts at once: {self.double_active} of {self.samples} looks",
            f"acknowledged writes lost: {self.lost_writes} of {self.acknowledged}",
        ]


def rounded(value: Optional[float]) -> Optional[float]:
    return None if value is None else round(value, 3)


def seconds(value: Optional[float]) -> str:
    return "   -" if value is None else f"{value:.3f} s"
