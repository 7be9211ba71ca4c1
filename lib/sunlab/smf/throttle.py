"""When is an instance restarting too quickly? (startd.h, startd/method.c; the rule differs by platform). Pure."""
from typing import List, NamedTuple, Optional, Tuple

from sunlab.platform import Platform

FAULT_THRESHOLD = 3         # failures of a method in a row that end in maintenance


class Throttle(NamedTuple):
    """The start number `starts` is not run when the last `starts` of them span less than `span_s` seconds."""
    starts: int
    span_s: float
    child_count: int        # failed exits of a child service, more than one a second, that delay its next start by 1 s

    def critical(self, begun: List[float], own: Optional[Tuple[int, float]]) -> bool:
        """`begun`: all attempts since the counter was reset, the present one last. `own`: the instance's own rule."""
        count, span = own if own is not None else (self.starts, self.span_s)
        return len(begun) >= count and begun[-1] - begun[-count] < span


def of(platform: Platform) -> Throttle:
    return Throttle(platform.starts, platform.starts_within_s, platform.child_count)
