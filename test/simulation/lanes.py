"""The story of a run in lanes: time since it began, what every host was at that moment, and what happened.

A lane says `-` no power, `z` frozen, `s` daemon stalled, `x` no daemon, `.` running, `L` leading, then the groups that
are active there: `*` when it could write, else `!`.
"""
import re
from collections import deque
from typing import TYPE_CHECKING, Deque, Dict, Iterator, List, Tuple

if TYPE_CHECKING:
    from simulation.machine import Machine
    from simulation.world import World

_SAME = 6                               # a line like one of these before it, with the same lanes, is left out

Line = Tuple[float, Dict[str, str], str, str]       # when, lanes, who, what


def line_of(world: "World", key: str, text: str) -> Line:
    return world.now, {name: lane(machine) for name, machine in world.machines.items()}, key, text


def lane(machine: "Machine") -> str:
    groups = machine.smf.active if machine.smf is not None else []
    mark = "*" if machine.can_write else "!"
    return _state(machine) + "".join(f" {group}{mark}" for group in groups)


def _state(machine: "Machine") -> str:
    if not machine.power:
        return "-"
    if machine.frozen:
        return "z"
    if machine.node is None:
        return "x"
    if machine.stalled:
        return "s"
    return "L" if machine.leads else "."


def drawn(lines: List[Line], from_s: float = 0.0, widest: int = 5) -> Iterator[str]:
    """The lines to print from a moment on. In a large world only hosts that are mentioned, or not `.`, have a lane."""
    lines = [line for line in lines if line[0] >= from_s]
    if not lines:
        return
    shown = [key for key in lines[-1][1]
             if len(lines[-1][1]) <= widest or any(line[2] == key or line[1].get(key, ".") != "." for line in lines)]
    width = {key: max(len(key), *(len(line[1].get(key, "")) for line in lines)) for key in shown}
    yield f"{'seconds':>9}  " + "  ".join(key.ljust(width[key]) for key in shown) + "  who: what"
    last: Deque[Tuple[str, str, str]] = deque(maxlen=_SAME)
    left_out = 0
    for at, lanes, who, what in lines:
        cells = "  ".join(lanes.get(key, "").ljust(width[key]) for key in shown)
        same = cells, who, re.sub(r"[0-9.]+", "#", what)
        if same in last:
            left_out += 1
            continue
        if left_out:
            yield f"{'':9}  ({left_out} more of the same)"
        left_out = 0
        last.append(same)
        yield f"{at - lines[0][0]:9.3f}  {cells}  {who}: {what}"
    if left_out:
        yield f"{'':9}  ({left_out} more of the same)"
