"""May this caller do that to the repository? The rules of smf_security(7); root may do everything.

`Caller` is what svcadm, svccfg and svcprop ask. The databases are read when a caller other than root asks first.
"""
from typing import Callable, List, Optional, Sequence

from sunlab.smf.properties import Group, Groups, values
from sunlab.smf.repository import Entity, Instance

MODIFY = "solaris.smf.modify"
MANAGE = "solaris.smf.manage"
TYPES = ("method", "dependency", "application", "framework")
ACTIONS = ("restarter_actions", "general_ovr")
#: Properties of a group that say who may change it; who may only set values may not change these.
GUARDS = ("modify_authorization", "value_authorization", "action_authorization", "read_authorization")


def modifying(kind: str) -> List[str]:
    """What lets change groups of that type."""
    return [MODIFY, f"{MODIFY}.{kind}"] if kind in TYPES else [MODIFY]


def acting(view: Groups) -> List[str]:
    """What lets restart, refresh, mark, clear and temporarily enable an instance."""
    return [*modifying("framework"), MANAGE, *values(view, "general", "action_authorization")]


def changing(view: Groups, group: str, kind: str) -> List[str]:
    """What lets add and delete properties of the group, and the group."""
    if group in ACTIONS:
        return acting(view)
    return [*modifying(kind), *values(view, group, "modify_authorization")]


def setting(view: Groups, group: str, kind: str, prop: str) -> List[str]:
    """What lets set the values of a property that is there already."""
    if prop in GUARDS:
        return changing(view, group, kind)
    return [*changing(view, group, kind), *values(view, group, "value_authorization")]


def reading(group_name: str, group: Group) -> Optional[List[str]]:
    """What lets read the values of a group; None: everybody may."""
    view = {group_name: group}
    if group.type != "application" or not values(view, group_name, "read_authorization"):
        return None
    return [*setting(view, group_name, group.type, ""), *values(view, group_name, "read_authorization")]


class Caller:
    """Who asks over the door. `lookup` gives the authorisations of a uid."""

    def __init__(self, uid: int, lookup: "Callable[[int], Sequence[str]] | None" = None) -> None:
        self.uid = uid
        self.lookup = lookup or _lookup
        self.found: Optional[Sequence[str]] = None

    def holds_one(self, names: Sequence[str]) -> bool:
        if self.uid == 0:
            return True
        if self.found is None:
            self.found = self.lookup(self.uid)
        from sunlab.rbac.rights import holds
        return any(holds(self.found, name) for name in names)

    def may_act(self, instance: Instance) -> bool:
        return self.holds_one(acting(instance.current()))

    def may_enable(self, instance: Instance, temporary: bool) -> bool:
        """Enable or disable; lastingly, it sets a value of `general`, and it takes the override away."""
        view = instance.current()
        return self.holds_one(acting(view)) if temporary else (
            self.holds_one(setting(view, "general", "framework", "enabled")))

    def may_modify(self) -> bool:
        """Add and delete services and instances, import, take and revert snapshots."""
        return self.uid == 0 or self.holds_one([MODIFY])

    def may_change(self, entity: Entity, group: str, kind: str) -> bool:
        return self.holds_one(changing(_view(entity), group, kind))

    def may_set(self, entity: Entity, group: str, kind: str, prop: str) -> bool:
        view = _view(entity)
        there = group in view and prop in view[group].props
        return self.holds_one(setting(view, group, kind, prop) if there else changing(view, group, kind))

    def may_read(self, name: str, group: Group) -> bool:
        needed = reading(name, group)
        return needed is None or self.holds_one(needed)


def _view(entity: Entity) -> Groups:
    return entity.current() if isinstance(entity, Instance) else entity.groups


def _lookup(uid: int) -> Sequence[str]:
    from sunlab.rbac.database import load, user_named
    from sunlab.rbac.rights import auths_of
    return auths_of(load(), user_named(uid))
