"""What is wrong with a disk, as one node sees it, and when a request to it is carried out. Pure."""
from __future__ import annotations

import math

FORM = "slow MILLISECONDS, hang, fail or ok"


class Fault:
    """`delay_s`: how long a request waits (inf: until healed); `fails`: it then ends with EIO."""

    def __init__(self, delay_s: float = 0.0, fails: bool = False) -> None:
        self.delay_s, self.fails = delay_s, fails

    @property
    def hangs(self) -> bool:
        return math.isinf(self.delay_s)


OK = Fault()
NAMED = {"ok": OK, "hang": Fault(math.inf), "fail": Fault(fails=True)}


def fault_of(text: str) -> Fault:
    """`slow 200`, `hang`, `fail` or `ok`. Raises ValueError, whose text says what is wrong."""
    words = text.split()
    if len(words) == 1 and words[0] in NAMED:
        return NAMED[words[0]]
    if len(words) == 2 and words[0] == "slow" and words[1].isdigit() and int(words[1]) > 0:
        return Fault(int(words[1]) / 1000)
    raise ValueError(f"{text!r} is no fault of a disk; say {FORM}")
