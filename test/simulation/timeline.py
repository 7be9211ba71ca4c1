"""Virtual time: what happens when, in one order that depends on nothing but the seed."""
from heapq import heappop, heappush
from typing import Any, Callable, List, Tuple


class Timeline:
    """Seconds of true time; no node ever sees them, only its own clock (see Clock)."""

    def __init__(self) -> None:
        self.now = 0.0
        self._heap: List[Tuple[float, int, Callable[..., None], Tuple[Any, ...]]] = []
        self._count = 0

    def at(self, when: float, call: Callable[..., None], *args: Any) -> None:
        self._count += 1
        heappush(self._heap, (when, self._count, call, args))

    def advance(self, until: float) -> bool:
        """Let the next thing happen if it is due by `until`; False when there is none."""
        if not self._heap or self._heap[0][0] > until:
            self.now = max(self.now, until)
            return False
        when, _, call, args = heappop(self._heap)
        self.now = max(self.now, when)
        call(*args)
        return True


class Clock:
    """A host's monotonic clock: its own zero, another one after each boot, and its own rate."""

    def __init__(self, timeline: Timeline, offset: float, rate: float) -> None:
        self.timeline, self.offset, self.rate = timeline, offset, rate
        self._stopped_at = float("inf")                 # true time

    def read(self) -> float:
        return self.offset + self.rate * min(self.timeline.now, self._stopped_at)

    def stop(self) -> None:
        """Stand still, as a virtual machine's clock while it is suspended."""
        self._stopped_at = self.timeline.now

    def go_on(self) -> None:
        """From just after where it stood, so that what was read before and after can be told apart."""
        if self._stopped_at < self.timeline.now:
            self.offset -= self.rate * (self.timeline.now - self._stopped_at) - 1e-6
        self._stopped_at = float("inf")

    def true(self, local: float) -> float:
        """The true instant at which this clock shows `local`."""
        return (local - self.offset) / self.rate
