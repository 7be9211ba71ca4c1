"""The SMF instances of a configuration, as one batch of svccfg(8) subcommands.

Every parameter of a type is written on each instance, empty where it is absent, and the needs of an instance are one
dependency group: so a change is only ever setprop, and nothing has to be known of what was there but its name.
"""
from typing import AbstractSet, Any, List, Mapping, Sequence

from sundog.config.fields import FileName
from sundog.config.model import Cluster, Group, Resource
from sundog.resource import parameters
from sundog.resource.words import encoded
from sundog.resource.zone import CARRIED

METHOD = "/lib/svc/method/sundog-resource"
COORDINATOR = "svc:/system/sundog/coordinator:default"
STOP_S = 600


def batch(cluster: Cluster, existing: AbstractSet[str]) -> str:
    """What makes the instances those of `cluster`; `existing` are the FMRIs that there are of ours now.

    Instances of groups that are gone are deleted last, and only if they do not run: svccfg refuses otherwise.
    """
    lines: List[str] = []
    wanted: List[str] = []
    for group in cluster.groups.values():
        for resource in group.resources:
            fmri = resource.instance(group.name)
            lines += instance(fmri, fmri in existing, properties(group, resource), needed(group, resource))
            if resource.type == "exec":
                lines += stop_method(resource, fmri in existing)
            if resource.type == "service":
                lines += watched_service(resource, fmri in existing)
            lines.append("refresh")
            wanted.append(fmri)
        everything = [resource.instance(group.name) for resource in group.resources]
        lines += instance(group.instance, group.instance in existing, {"group": group.name, "resource": ""}, everything)
        lines.append("refresh")
        wanted.append(group.instance)
    # Groups before what they depend on.
    lines += [f"delete {fmri}" for fmri in sorted(existing - set(wanted))]
    return "".join(line + "\n" for line in lines)


def properties(group: Group, resource: Resource) -> Mapping[str, str]:
    values = {name: written(getattr(resource.params, name)) for name in names(resource.type)}
    return {"group": group.name, "resource": resource.name, **values}


def names(type_name: str) -> Sequence[str]:
    return tuple(parameters()[type_name].__annotations__)


def written(value: Any) -> str:
    """A parameter as it stands in its property; a file of the configuration by its path on the host."""
    if value is None:
        return ""
    return encoded(f"{CARRIED}/{value}" if isinstance(value, FileName) else str(value))


def needed(group: Group, resource: Resource) -> List[str]:
    by_name = {one.name: one.instance(group.name) for one in group.resources}
    return [by_name[name] for name in resource.needs]


def instance(fmri: str, exists: bool, values: Mapping[str, str], needs: Sequence[str]) -> List[str]:
    """Select the instance, made if it is not there, with its parameters and its needs."""
    service, _, name = fmri.rpartition(":")
    lines = [f"select {fmri}"] if exists else [
        f"select {service}", f"add {name}", f"select {name}",
        "addpg general framework", "setprop general/enabled = boolean: false",
        "addpg sundog application", "addpg needs dependency"]
    lines += [f"setprop sundog/{key} = astring: {quoted(value)}" for key, value in values.items()]
    # What needs nothing of its group needs the coordinator, to ask it; it goes on when that is restarted.
    entities, restart_on = (needs, "restart") if needs else ([COORDINATOR], "none")
    lines += ["setprop needs/grouping = astring: require_all", f"setprop needs/restart_on = astring: {restart_on}",
              "setprop needs/type = astring: service",
              f"setprop needs/entities = fmri: ({' '.join(quoted(fmri) for fmri in entities)})"]
    return lines


def stop_method(resource: Resource, exists: bool) -> List[str]:
    """The stop of an exec instance: its command, or SMF's own :kill of the contract."""
    command = method_line("exec", "stop") if resource.params.stop is not None else ":kill"
    return [*([] if exists else ["addpg stop method"]), "setprop stop/type = astring: method",
            f"setprop stop/exec = astring: {quoted(command)}", f"setprop stop/timeout_seconds = count: {STOP_S}"]


def watched_service(resource: Resource, exists: bool) -> List[str]:
    """svc.startd restarts a service instance when the service it stands for fails.

    optional_all, since its own start method is what enables that service; on errors only, since its stop method is
    what disables it.
    """
    return [*([] if exists else ["addpg service dependency"]), "setprop service/grouping = astring: optional_all",
            "setprop service/restart_on = astring: error", "setprop service/type = astring: service",
            f"setprop service/entities = fmri: {quoted(resource.params.fmri)}"]


def method_line(type_name: str, method: str) -> str:
    """The command of a method as the manifest of its type has it, with svc.startd's tokens."""
    keys = ("group", "resource", *(() if type_name == "group" else names(type_name)))
    return f"{METHOD} {type_name} {method} " + " ".join(f"{key}=%{{sundog/{key}}}" for key in keys)


def quoted(value: str) -> str:
    """A value in double quotes, as svccfg reads it."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
