"""Since when a node is heard, or silent: for the operator's eyes, nothing is decided by it."""
from typing import Dict


class Presence:
    """Instants and durations are seconds of one monotonic clock."""

    def __init__(self, timeout_s: float, began_at: float) -> None:
        self.timeout_s, self.began_at = timeout_s, began_at
        self._up_since: Dict[str, float] = {}
        self._last: Dict[str, float] = {}

    def heard(self, name: str, now: float) -> None:
        if now - self._last.get(name, float("-inf")) > self.timeout_s:
            self._up_since[name] = now
        self._last[name] = now

    def since_s(self, name: str, up: bool, now: float) -> float:
        """How long it has been so."""
        known = self._up_since if up else self._last
        return round(now - known.get(name, self.began_at), 1)
