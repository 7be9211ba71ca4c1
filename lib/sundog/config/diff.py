"""What is different between two configurations, told apart by what can change while the cluster runs."""
from dataclasses import dataclass, replace
from typing import Any, Mapping, Tuple

from sundog.config.model import Cluster, Group, NodeSpec


@dataclass(frozen=True)
class Diff:
    """Names of groups, and of the file's sections; all empty if the two mean the same."""
    added: Tuple[str, ...]
    removed: Tuple[str, ...]
    changed: Tuple[str, ...]            # resources, their parameters or the files they name
    preference: Tuple[str, ...]         # only nodes, their order, or failback: nothing to stop for
    live: Tuple[str, ...]               # sections besides groups that take effect at once
    fixed: Tuple[str, ...]              # sections that cannot change while the cluster runs, in this version

    @property
    def empty(self) -> bool:
        return not (self.added or self.removed or self.changed or self.preference or self.live or self.fixed)

    def __str__(self) -> str:
        parts = (("added", self.added), ("removed", self.removed), ("changed", self.changed),
                 ("placed differently", self.preference), ("settings", self.live + self.fixed))
        return "; ".join(f"{what}: {', '.join(names)}" for what, names in parts if names) or "nothing changed"


def diff(old: Cluster, new: Cluster) -> Diff:
    """What changes from `old` to `new`. Comments, order of keys and the way a value is written do not count."""
    both = [name for name in new.groups if name in old.groups]
    same_work = {name for name in both if work(old, old.groups[name]) == work(new, new.groups[name])}
    fixed = {
        "cluster": old.name != new.name,
        "key_file": old.key_file != new.key_file,
        "timing": old.timing != new.timing,
        "nodes": _without_votes(old) != _without_votes(new),
        "links": old.links != new.links,
    }
    live = {"votes": old.nodes != new.nodes and not fixed["nodes"],
            "quorum": (old.holders, old.arbiter) != (new.holders, new.arbiter),
            "on_double_owner": old.on_double_owner != new.on_double_owner,
            "recovery": old.recovery != new.recovery, "protection": old.protection != new.protection,
            "networks": old.networks != new.networks, "fence": old.fence != new.fence}
    return Diff(
        added=tuple(name for name in new.groups if name not in old.groups),
        removed=tuple(name for name in old.groups if name not in new.groups),
        changed=tuple(name for name in both if name not in same_work),
        preference=tuple(name for name in both
                         if name in same_work and placing(old.groups[name]) != placing(new.groups[name])),
        live=tuple(section for section, differs in live.items() if differs),
        fixed=tuple(section for section, differs in fixed.items() if differs))


def _without_votes(cluster: Cluster) -> Mapping[str, NodeSpec]:
    return {name: replace(node, votes=0) for name, node in cluster.nodes.items()}


def work(cluster: Cluster, group: Group) -> Tuple[Group, Mapping[str, str]]:
    """What a group runs, without where: its resources as a set, and the texts of the files that they name."""
    resources = tuple(sorted(group.resources, key=lambda resource: resource.name))
    named = {word for resource in resources for value in fields_of(resource.params)
             for word in (value if isinstance(value, tuple) else (value,))}
    files = {name: text for name, text in cluster.files.items() if name in named}
    return replace(group, nodes=(), failback="", resources=resources), files


def placing(group: Group) -> Tuple[Tuple[str, ...], str]:
    return group.nodes, group.failback


def fields_of(params: Any) -> Tuple[Any, ...]:
    """The values of a parameters class, whichever of the two kinds it is."""
    return tuple(params) if isinstance(params, tuple) else tuple(vars(params).values())
