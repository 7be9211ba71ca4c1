"""When is an instance restarting too quickly? (startd.h, startd/method.c; the rule differs by platform). Pure."""
from typing import List, NamedTuple, Optional, Tuple

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


SOLARIS = Throttle(starts=10, span_s=9.0, child_count=10)        # mean gap of the last 10 under 1 s
ILLUMOS_2021 = Throttle(starts=5, span_s=2400.0, child_count=5)  # mean gap of the last 5 under 600 s
ILLUMOS = Throttle(starts=10, span_s=600.0, child_count=10)     # SmartOS since 2021, illumos-gate's svc.startd(8) since
