"""svcs -l, -d and -D: one instance in full, what it depends on, and who depends on it."""
import os
import time
from typing import TYPE_CHECKING, Collection, Dict, Iterator, List

from sunlab.smf.fmri import MASTER, parse
from sunlab.smf.graph import service_of
from sunlab.smf.properties import READABLE, Groups, first, quoted, values
from sunlab.smf.repository import Instance
from sunlab.smf.spec import FILE

if TYPE_CHECKING:
    from sunlab.smf.startd import Startd


def common_name(instance: Instance) -> str:
    return first(instance.current(), "tm_common_name", "C")


def named(startd: "Startd", entity: str) -> List[Instance]:
    """The instances that an entity of a dependency stands for."""
    name = parse(entity)
    if name is None:
        return []
    service = startd.repository.services.get(name.service)
    if service is None:
        return []
    return [i for i in service.instances.values() if name.instance in (None, i.name)]


def dependency_groups(view: Groups) -> List[str]:
    return [name for name, group in view.items() if group.type == "dependency"]


def dependency_entities(view: Groups) -> Iterator[str]:
    """Of every group but those that exclude (walk_dependencies)."""
    for name in dependency_groups(view):
        if first(view, name, "grouping", "exclude_all") != "exclude_all":
            yield from values(view, name, "entities")


def dependencies(startd: "Startd", instance: Instance, found: List[Instance], good: bool) -> bool:
    """Adds the instances that it depends on; the answer is whether svcs -d is content (list_svc_or_inst_fmri).

    A file or a service that is not there makes it discontent, a service that is there makes up for what was before.
    """
    for entity in dependency_entities(instance.running()):
        name = parse(entity)
        found += named(startd, entity)
        if name is None:
            good = False
        elif name.instance is None:
            good = name.service in startd.repository.services
    return good


class Dependents:
    """Who depends on an instance, or on its service. Reads every instance once."""

    def __init__(self, startd: "Startd") -> None:
        self._citing: Dict[str, List[Instance]] = {}
        for other in startd.repository.instances():
            for cited in {str(parse(e)) for e in dependency_entities(other.running())}:
                self._citing.setdefault(cited, []).append(other)

    def of(self, instance: Instance) -> List[Instance]:
        own = str(instance.fmri)
        found = self._citing.get(own, []) + self._citing.get(service_of(own), [])
        return list({id(one): one for one in found}.values())


def entity_state(startd: "Startd", entity: str) -> str:
    """As svcs -l says it behind each entity."""
    if entity.startswith("file:"):
        path = entity[len(FILE):] if entity.startswith(FILE) else entity[len("file:"):]
        return "online" if os.path.exists(path) else "absent"
    if parse(entity) is None:
        return "invalid"
    found = named(startd, entity)
    if len(found) != 1:
        return "multiple" if found else "absent"
    return first(found[0].groups, "restarter", "state", "uninitialized")


def full(startd: "Startd", instance: Instance, options: Collection[str]) -> Iterator[str]:
    """The lines of svcs -l with these options."""
    groups, view = instance.groups, instance.running()
    general = first(groups, "general", "enabled", "false")
    override = first(groups, "general_ovr", "enabled")
    enabled = override or general
    yield _key("fmri", str(instance.fmri))
    if common_name(instance):
        yield _key("name", common_name(instance))
    if "z" in options or "Z" in options:
        yield _key("zone", startd.zone)
    yield _key("enabled", enabled + (" (temporary)" if override and override != general else ""))
    comment = first(groups, "general_ovr" if override else "general", "comment")
    if comment:
        yield _key("comment", comment)
    yield _key("state", first(groups, "restarter", "state", "-"))
    yield _key("next_state", first(groups, "restarter", "next_state", "none"))
    moment = float(first(groups, "restarter", "state_timestamp", "0"))
    yield _key("state_time", time.strftime("%a %b %e %H:%M:%S %Y", time.localtime(moment)))
    if "restarter" in groups:
        yield _key("logfile", first(groups, "restarter", "logfile"))
    yield _key("restarter", first(view, "general", "restarter", MASTER))
    contracts = values(groups, "restarter", "contract")
    if first(groups, "restarter", "start_method_waitstatus") or contracts:
        yield _key("contract_id", "".join(f"{c} " for c in contracts))
    for name in dependency_groups(view):
        entities = "".join(f" {e} ({entity_state(startd, e)})" for e in values(view, name, "entities"))
        yield _key("dependency", f"{first(view, name, 'grouping')}/{first(view, name, 'restart_on')}{entities}")
    if "p" in options:
        for contract in contracts:
            for pid in sorted(startd.contracts.members(int(contract))):
                yield _key("process", f"{pid} {_arguments(pid)}")
    if "v" in options:
        yield from _application(view)


def _application(view: Groups) -> Iterator[str]:
    """As print_application_properties() puts values: a blank behind each that needs no quotes."""
    for name, group in view.items():
        if group.type == "application":
            yield f"{name} (application)"
            for prop, value in group.props.items():
                told = "".join(quoted(v) if READABLE & set(v) else f"{v} " for v in value.values)
                yield f"{name}/{prop} ({value.type}) = {told}"


def _key(name: str, text: str) -> str:
    return f"{name:<12} {text}"


def _arguments(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().replace(b"\0", b" ").decode(errors="replace").strip()[:79]     # pr_psargs
    except (FileNotFoundError, ProcessLookupError):
        return "-"
