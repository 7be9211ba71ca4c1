"""When is an instance restarting too quickly? (svc.startd's startd.h and method.c; the rule differs by platform). Pure."""
from typing import List, NamedTuple, Optional, Tuple

FAULT_THRESHOLD = 3         # failures of a method in a row that end in maintenance


class Throttle(NamedTuple):
    """The start number `count` is not run when the last `count` starts span less than `span_s` seconds."""
    count: int
    span_s: float
    child_count: int        # failed exits of a child service, at more than one a second, that delay its next start by 1 s

    def critical(self, starts: List[float], own: Optional[Tuple[int, float]]) -> bool:
        """`starts`: all attempts since the counter was reset, the present one last. `own`: the instance's own rule."""
        count, span = own if own is not None else (self.count, self.span_s)
        return len(starts) >= count and starts[-1] - starts[-count] < span


SOLARIS = Throttle(count=10, span_s=9.0, child_count=10)        # mean gap of the last 10 under 1 s
ILLUMOS = Throttle(count=5, span_s=2400.0, child_count=5)       # mean gap of the last 5 under 600 s
SMARTOS = Throttle(count=10, span_s=600.0, child_count=10)
