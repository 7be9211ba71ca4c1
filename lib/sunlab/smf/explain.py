"""svcs -x: why an instance does not run, and what that keeps from running (svcs's explain.c)."""
import signal
import time
from typing import TYPE_CHECKING, Dict, Iterator, List, NamedTuple, Tuple

from sunlab.smf import listing
from sunlab.smf.fmri import MASTER
from sunlab.smf.options import each
from sunlab.smf.properties import Groups, first, values
from sunlab.smf.repository import Instance

if TYPE_CHECKING:
    from sunlab.smf.door import Reply
    from sunlab.smf.startd import Startd

BY_EXIT = {95: "$SMF_EXIT_ERR_FATAL", 96: "$SMF_EXIT_ERR_CONFIG", 99: "$SMF_EXIT_ERR_NOSMF", 100: "$SMF_EXIT_ERR_PERM"}


class Cause(NamedTuple):
    reason: str
    code: str


def run(startd: "Startd", operands: List[str], verbose: bool, reply: "Reply") -> int:
    good = True
    dependents = listing.Dependents(startd)
    if operands:
        chosen, good = each(startd.repository, operands, reply, "svcs")
        impacts = {str(i.fmri): kept_down(startd, i, dependents) for i in chosen}
    else:
        impacts = {str(i.fmri): kept_down(startd, i, dependents) for i in startd.repository.instances()}
        chosen = [i for i in startd.repository.instances() if _is_cause(startd, i, impacts)]
        chosen.sort(key=lambda i: (-len(impacts[str(i.fmri)]), str(i.fmri)))
    for number, instance in enumerate(chosen):
        if number:
            reply.out("")
        for text in paragraph(startd, instance, impacts[str(instance.fmri)], verbose):
            reply.out(text)
    return 0 if good else 1


def state_of(instance: Instance) -> str:
    return first(instance.groups, "restarter", "state", "uninitialized")


def is_wanted(instance: Instance) -> bool:
    general = first(instance.groups, "general", "enabled", "false")
    return first(instance.groups, "general_ovr", "enabled", general) == "true"


def runs(instance: Instance) -> bool:
    return state_of(instance) in ("online", "degraded")


def _is_cause(startd: "Startd", instance: Instance, impacts: Dict[str, List[Instance]]) -> bool:
    """Enabled but not running for a reason of its own, or what keeps an enabled one down."""
    if runs(instance):
        return False
    if not is_wanted(instance):
        return bool(impacts[str(instance.fmri)])
    return not _blockers(startd, instance)


def _blockers(startd: "Startd", instance: Instance) -> List[Tuple[str, str]]:
    """(entity, its state) of each require_all entity that does not run and that is an instance here."""
    if state_of(instance) != "offline":
        return []
    view = instance.running()
    found = []
    for name in listing.dependency_groups(view):
        if first(view, name, "grouping") == "require_all":
            for entity in values(view, name, "entities"):
                targets = listing.named(startd, entity)
                if targets and not any(runs(t) for t in targets):
                    found.append((str(targets[0].fmri), state_of(targets[0])))
    return found


def kept_down(startd: "Startd", instance: Instance, dependents: listing.Dependents) -> List[Instance]:
    """The enabled instances that do not run because this one does not, directly or through others."""
    if runs(instance):
        return []
    found: List[Instance] = []
    ahead = [instance]
    while ahead:
        for other in dependents.of(ahead.pop(0)):
            blocked = other not in found and other is not instance and is_wanted(other) and state_of(other) == "offline"
            if blocked and startd.machine.graph.satisfied(str(other.fmri)) < 1:
                found.append(other)
                ahead.append(other)
    return found


def paragraph(startd: "Startd", instance: Instance, impact: List[Instance], verbose: bool) -> Iterator[str]:
    yield f"{instance.fmri} ({listing.common_name(instance) or '?'})"
    moment = float(first(instance.groups, "restarter", "state_timestamp", "0"))
    since = time.strftime("%a %b %e %H:%M:%S %Y", time.localtime(moment))
    yield f" State: {state_of(instance)} since {since}"
    if not runs(instance):
        cause = reason(startd, instance)
        yield f"Reason: {cause.reason}"
        yield f"   See: {startd.platform.messages}SMF-8000-{cause.code}"
    yield from _see(instance, verbose)
    yield from _impact(instance, impact, verbose)


def _see(instance: Instance, verbose: bool) -> Iterator[str]:
    view = instance.current()
    for name, group in view.items():
        if name.startswith("tm_man_"):
            title, section = first(view, name, "title"), first(view, name, "section")
            path = first(view, name, "manpath", ":default")
            option = "" if path == ":default" else f"-M {path} "
            yield f"   See: man {option}-s {section} {title}" if verbose else f"   See: {title}({section})"
        elif name.startswith("tm_doc_") and group.type == "template":
            yield f"   See: {first(view, name, 'uri')}"
    log = first(instance.groups, "restarter", "logfile")
    if log:
        yield f"   See: {log}"


def _impact(instance: Instance, impact: List[Instance], verbose: bool) -> Iterator[str]:
    if runs(instance):
        yield "Impact: None."
    elif not impact:
        yield "Impact: This service is not running."
    else:
        text = "1 dependent service is" if len(impact) == 1 else f"{len(impact)} dependent services are"
        yield f"Impact: {text} not running" + (":" if verbose else ".  (Use -v for list.)")
        if verbose:
            yield from (f"        {i.fmri}" for i in impact)


def reason(startd: "Startd", instance: Instance) -> Cause:
    groups, state = instance.groups, state_of(instance)
    if state == "maintenance":
        return _maintenance(groups)
    if state == "disabled" or not is_wanted(instance):
        return _disabled(groups)
    if first(groups, "restarter", "next_state", "none") != "none":
        following = first(groups, "restarter", "next_state")
        return Cause("Start method is running.", "C4") if following == "online" else Cause(
            f"Transitioning to state {following}.", "PH")
    restarter = first(instance.running(), "general", "restarter", MASTER)
    if restarter != MASTER:
        return Cause(f'Restarter "{restarter}" does not exist.', "3P")
    return _offline(startd, instance)


def _maintenance(groups: Groups) -> Cause:
    aux = first(groups, "restarter", "auxiliary_state", "none")
    status = int(first(groups, "restarter", "start_method_waitstatus", "0"))
    code, number = status >> 8, status & 0x7f
    fixed = {"administrative_request": Cause("Maintenance requested by an administrator.", "63"),
             "service_request": Cause("Maintenance requested by another service.", "R4"),
             "restarting_too_quickly": Cause("Restarting too quickly.", "L5"),
             "dependency_cycle": Cause("Completes a dependency cycle.", "HP"),
             "invalid_dependency": Cause("Has invalid dependency.", "JA")}
    if aux in fixed:
        return fixed[aux]
    repeated = aux == "fault_threshold_reached"
    if not status:
        return Cause("Method failed repeatedly." if repeated else "Method failed.", "8Q")
    if number:
        died = f"{signal.strsignal(number)} ({number})."
        return Cause(f"Start method {'failed repeatedly, last ' if repeated else ''}died on {died}", "KS")
    if repeated:
        return Cause(f"Start method failed repeatedly, last exited with status {code}.", "KS")
    return Cause(f"Start method exited with {BY_EXIT[code]}." if code in BY_EXIT else
                 f"Start method exited with status {code}.", "KS")


def _disabled(groups: Groups) -> Cause:
    temporary = "general_ovr" in groups
    comment = first(groups, "general_ovr" if temporary else "general", "comment")
    tail = f": {comment}" if comment else "."
    return Cause(f"Temporarily disabled by an administrator{tail}", "1S") if temporary else Cause(
        f"Disabled by an administrator{tail}", "05")


def _offline(startd: "Startd", instance: Instance) -> Cause:
    """The first dependency that is not satisfied."""
    view = instance.running()
    graph = startd.machine.graph
    for dependency in startd.machine.units[str(instance.fmri)].spec.dependencies:
        if graph.group(dependency, frozenset((str(instance.fmri),))) == 1:
            continue
        for entity in dependency.entities:
            state = listing.entity_state(startd, entity)
            if dependency.grouping == "exclude_all":
                if state in ("online", "degraded", "offline", "uninitialized"):
                    return Cause(f"Service {entity} is {'running' if state == 'online' else state}.", "GE")
            elif state == "absent":
                return Cause(f"Dependency {entity} is absent.", "E2")
            elif state not in ("online", "degraded"):
                text = {"maintenance": "in maintenance", "offline": "not running"}.get(state, state)
                name = next((str(i.fmri) for i in listing.named(startd, entity)), entity)
                return Cause(f"Service {name} is {text}.", "GE")
    return Cause("Unknown." if view else "None.", "AR")
