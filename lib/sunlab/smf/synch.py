"""svcadm -s: is an instance where it is wanted, and can it still get there? (svcadm.c wait_fmri_*, synch.c).

Solaris 11.4's svcadm(8) has -s also for restart, refresh, clear and mark: until the restarter has done it.
"""
import os
from typing import TYPE_CHECKING, FrozenSet, Tuple

from sunlab.smf.fmri import MASTER, parse
from sunlab.smf.milestone import enabled
from sunlab.smf.options import find
from sunlab.smf.properties import first, values
from sunlab.smf.repository import Instance, Repository, Service
from sunlab.smf.spec import FILE

if TYPE_CHECKING:
    from sunlab.smf.door import Reply, Request
    from sunlab.smf.startd import Startd

WAIT = -1
ITSELF = 3          # the instance cannot get there
DEPENDENCIES = 4


def run(startd: "Startd", request: "Request", reply: "Reply") -> int:
    """args: enable, disable, restart, refresh, clear or the state of mark, and the operands.

    Status 0, 3, 4, or -1: look again.
    """
    wanted = request.args[0]
    statuses = []
    for pattern in request.args[1:]:
        for instance in find(startd.repository, pattern):
            unit = startd.machine.units.get(str(instance.fmri))
            moving = unit is not None and unit.moving
            status, why = judge(Potential(startd.repository), instance, wanted, moving)
            if why:
                reply.err("svcadm: " + why.replace("%", f'"{instance.fmri}"'))
            statuses.append(status)
    failed = [s for s in statuses if s > 0]
    if failed:
        return min(failed)
    return WAIT if WAIT in statuses else 0


def judge(potential: "Potential", instance: Instance, wanted: str, moving: bool) -> Tuple[int, str]:
    """The status, and what to say; % stands for the instance."""
    state = first(instance.groups, "restarter", "state")
    if wanted not in ("enable", "disable"):
        if moving or state == "uninitialized":
            return WAIT, ""
        if state == wanted or (wanted == "refresh" and state != "maintenance"):
            return 0, ""
        if wanted in ("maintenance", "degraded"):
            return ITSELF, f"Instance % is {state}."
        wanted = "disable" if wanted == "clear" and not enabled(instance) else "enable"
    if wanted == "disable" and state == "disabled":
        return 0, ""
    if wanted == "enable" and state in ("online", "degraded"):
        return 0, ""
    if state == "maintenance" and (wanted == "enable" or not moving):
        return ITSELF, "Instance % is in maintenance state."
    if enabled(instance) != (wanted == "enable"):
        return ITSELF, f"Instance % has been {'disabled' if wanted == 'enable' else 'enabled'} by another entity."
    if not potential.of_restarter(instance):
        return DEPENDENCIES, ("Instance % has unsatisfied dependencies." if wanted == "enable"
                              else "Restarter for instance % is unavailable.")
    if wanted == "enable" and not moving and not potential.of(instance):
        return DEPENDENCIES, "Instance % has unsatisfied dependencies."
    return WAIT, ""


class Potential:
    """May instances still come online without an administrator? An absent service may yet be made: there is hope."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository

    def of(self, instance: Instance, seen: FrozenSet[str] = frozenset()) -> bool:
        name = str(instance.fmri)
        view = instance.running()
        groups = [group for group in view if view[group].type == "dependency"]
        return name in seen or (self.of_restarter(instance)
                                and all(self._group(instance, group, seen | {name}) for group in groups))

    def of_restarter(self, instance: Instance) -> bool:
        """Unlike a dependency, a restarter that is absent is hopeless."""
        name = parse(first(instance.current(), "general", "restarter") or MASTER)
        restarter = self.repository.find(name) if name is not None else None
        if isinstance(restarter, Service):
            restarter = next(iter(restarter.instances.values()), None)
        return isinstance(restarter, Instance) and enabled(restarter) and (
            first(restarter.groups, "restarter", "state") != "maintenance")

    def _group(self, instance: Instance, name: str, seen: FrozenSet[str]) -> bool:
        view = instance.running()
        grouping, entities = first(view, name, "grouping"), values(view, name, "entities")
        verdicts = [self._entity(entity, grouping, seen) for entity in entities]
        return any(verdicts) or not verdicts if grouping == "require_any" else all(verdicts)

    def _entity(self, entity: str, grouping: str, seen: FrozenSet[str]) -> bool:
        exclude, optional = grouping == "exclude_all", grouping == "optional_all"
        if entity.startswith("file:"):
            path = entity[len(FILE):] if entity.startswith(FILE) else entity[len("file:"):].replace("//", "/", 1)
            return os.path.exists(path) != exclude
        name = parse(entity)
        found = self.repository.find(name) if name is not None else None
        if found is None:
            return not exclude
        if isinstance(found, Instance):
            return self._instance(found, exclude, optional, seen)
        verdicts = [self._instance(one, exclude, optional, seen) for one in found.instances.values()]
        return all(verdicts) if exclude else any(verdicts) or (optional and not verdicts)

    def _instance(self, instance: Instance, exclude: bool, optional: bool, seen: FrozenSet[str]) -> bool:
        state = first(instance.groups, "restarter", "state")
        if not enabled(instance) or state == "maintenance":
            return optional or exclude
        if exclude:
            return False
        return optional or state in ("online", "degraded") or self.of(instance, seen)
