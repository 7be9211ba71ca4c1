"""Milestones: what a boot or `svcadm milestone` leaves enabled (smf(7), startd/graph.c dgraph_set_milestone)."""
from typing import TYPE_CHECKING, Optional, Set

from sunlab.smf import spec
from sunlab.smf.fmri import GOALS, MASTER, parse
from sunlab.smf.graph import Graph, Vertex
from sunlab.smf.orders import Enabled
from sunlab.smf.properties import Group, Prop, first
from sunlab.smf.repository import Instance, Repository

if TYPE_CHECKING:
    from sunlab.smf.startd import Startd

NAMES = ("all", "none", "svc:/milestone/single-user:default", "svc:/milestone/multi-user:default",
         "svc:/milestone/multi-user-server:default")
INSTALLED_GOALS = ("svc:/milestone/multi-user-server:default",)


def named(text: str) -> Optional[str]:
    """The milestone that a full or partial FMRI means: it begins at a slash and ends at the instance, or whole."""
    for name in NAMES:
        at = name.find(text)
        if text == name or (at >= 0 and (at == 0 or name[at - 1] == "/") and name[at + len(text):][:1] in ("", ":")):
            return name
    return None


def master(repository: Repository) -> Optional[Instance]:
    name = parse(MASTER)
    return repository.instance(name) if name is not None else None


def goals(repository: Repository) -> Optional[Instance]:
    name = parse(GOALS)
    return repository.instance(name) if name is not None else None


def kept(graph: Graph, milestone: str) -> Optional[Set[str]]:
    """The instances of the milestone's subgraph: itself and all it depends on. None: every one."""
    if milestone == "all":
        return None
    found = {MASTER}
    ahead = [milestone] if milestone in graph.vertices else []
    while ahead:
        fmri = ahead.pop()
        if fmri not in found:
            found.add(fmri)
            ahead += graph.requires(fmri)
    return found


def without_override(instance: Instance) -> bool:
    """The properties go, the group stays; has that changed anything?"""
    old = instance.groups.get("general_ovr")
    if old is None or not old.props:
        return False
    instance.groups["general_ovr"] = old._replace(
        props={n: p for n, p in old.props.items() if n not in ("enabled", "comment")})
    return True


def set_override(instance: Instance, keep: bool) -> bool:
    """Take the temporary setting away, or make it false (a comment stays); has that changed anything?"""
    old = instance.groups.get("general_ovr")
    if keep:
        return without_override(instance)
    comment = {n: p for n, p in old.props.items() if n == "comment"} if old is not None else {}
    props = {"enabled": Prop("boolean", ("false",)), **comment}
    instance.groups["general_ovr"] = Group("framework", props, persistent=False)
    return old != instance.groups["general_ovr"]


def go(startd: "Startd", milestone: str) -> None:
    """Enable what belongs to the milestone as it is configured, disable the rest until the next boot or milestone."""
    keep = kept(startd.machine.graph, milestone)
    for fmri in list(startd.machine.units):
        name = parse(fmri)
        instance = startd.repository.instance(name) if name is not None else None
        if instance is not None and fmri != MASTER and set_override(instance, keep is None or fmri in keep):
            startd.queue.append(Enabled(fmri, enabled(instance)))


def at_boot(startd: "Startd") -> None:
    """Before anything is started: the boot argument -m milestone= holds, else options/milestone of the restarter."""
    restarter = master(startd.repository)
    milestone = first(restarter.current(), "options", "milestone", "all") if restarter is not None else "all"
    if startd.milestone:
        asked = named(startd.milestone)
        if asked is None:
            startd.say(f"svc.startd: ignoring unknown milestone \"{startd.milestone}\"")
        milestone = asked or milestone
    if milestone == "all":
        return
    graph = Graph(lambda path: False)
    for instance in startd.repository.instances():
        graph.put(Vertex(str(instance.fmri), spec.read(instance.running()), enabled(instance)))
    keep = kept(graph, milestone) or set()
    for instance in startd.repository.instances():
        set_override(instance, str(instance.fmri) in keep)


def enabled(instance: Instance) -> bool:
    """general_ovr over general (smf(7))."""
    general = first(instance.groups, "general", "enabled", "false")
    return first(instance.groups, "general_ovr", "enabled", general) == "true"
