"""The orderly end of a coordinator."""
import asyncio
from typing import Any, List, Optional, Tuple

from sundog.core.effects import SetDeadline
from sundog.daemon.loop import Daemon


class Parts:
    """What the daemon stops and disarms, in place of the execution, failfast's deadline and its orders."""

    def __init__(self) -> None:
        self.at: List[Optional[float]] = []
        self.set = self.stop_by = self.at.append

    def active(self) -> Tuple[str, ...]:
        return ()

    async def stop_all(self) -> None:
        """Nothing runs."""

    async def confirmed(self, within_s: float) -> None:
        """At once."""


def test_a_lease_that_comes_when_all_has_stopped_arms_nothing_again() -> None:
    parts: Any = Parts()
    daemon = Daemon.__new__(Daemon)
    daemon.execution = daemon.deadline = daemon.orders = parts
    daemon.leaving = daemon._disarmed = False
    daemon._set_deadline(SetDeadline(5.0))
    asyncio.run(daemon.leave_orderly())
    daemon._set_deadline(SetDeadline(9.0))
    assert parts.at[0] == 5.0 and set(parts.at[1:]) == {None}
