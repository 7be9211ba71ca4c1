"""svcadm -s: is an instance where it is wanted, and can it still get there? (svcadm's synch.c)."""
from typing import TYPE_CHECKING

from sunlab.smf.options import find
from sunlab.smf.properties import first

if TYPE_CHECKING:
    from sunlab.smf.door import Reply, Request
    from sunlab.smf.startd import Startd

WAIT = -1
ITSELF = 3          # the instance cannot get there
DEPENDENCIES = 4


def run(startd: "Startd", request: "Request", reply: "Reply") -> int:
    """args: enable|disable and the operands. Status 0, 3, 4, or -1: look again."""
    wanted = request.args[0]
    statuses = []
    for pattern in request.args[1:]:
        for instance in find(startd.repository, pattern):
            unit = startd.machine.units.get(str(instance.fmri))
            if unit is None:
                statuses.append(DEPENDENCIES if wanted == "disable" else ITSELF)
                continue
            status, why = _judge(startd, str(instance.fmri), wanted, first(instance.groups, "restarter", "state"))
            if why:
                reply.err(f'svcadm: Instance "{instance.fmri}" {why}')
            statuses.append(status)
    failed = [s for s in statuses if s > 0]
    if failed:
        return min(failed)
    return WAIT if WAIT in statuses else 0


def _judge(startd: "Startd", fmri: str, wanted: str, state: str) -> "tuple[int, str]":
    unit = startd.machine.units[fmri]
    if wanted == "disable":
        if unit.enabled:
            return ITSELF, "has been enabled by another entity."
        return (0, "") if state == "disabled" else (WAIT, "")
    if state in ("online", "degraded"):
        return 0, ""
    if state == "maintenance":
        return ITSELF, "is in maintenance state."
    if not unit.enabled:
        return ITSELF, "has been disabled by another entity."
    if not unit.moving and startd.machine.graph.satisfied(fmri) < 0:
        return DEPENDENCIES, "has unsatisfied dependencies."
    return WAIT, ""
