"""One handler for each class of things that can happen, found by its name when the machine is made."""
import re
import typing
from typing import Any, Callable, Dict

_HUMPS = re.compile(r"(?<=[a-z])(?=[A-Z])")


def handlers(machine: object, kinds: Any, prefix: str) -> Dict[type, Callable[..., None]]:
    """Class -> bound method: ClockJumped -> machine.on_clock_jumped. `kinds`: a Union. Raises AttributeError."""
    return {kind: getattr(machine, prefix + _HUMPS.sub("_", kind.__name__).lower()) for kind in typing.get_args(kinds)}
