"""Importing a manifest's definitions: new entities are made, existing ones upgraded three-way (svccfg(8) import).

As svccfg_libscf.c has it: what the last import set is compared with the manifest, and only where these differ with what
is there now, which is the running snapshot: a change that nobody has refreshed is not seen, and overwritten. A property
that is still as the last import set it takes the manifest's value, one that an administrator changed is kept, with a
warning. general/enabled and general/restarter are never upgraded.
"""
from typing import Dict, List, Optional, Tuple

from sunlab.smf.fmri import Fmri, parse
from sunlab.smf.manifest import DependentDef, EntityDef, GroupDef, InstanceDef, ManifestInvalid, ServiceDef
from sunlab.smf.properties import Group, Groups, Prop, first
from sunlab.smf.repository import Entity, Instance, Repository, Service, Snapshot

NEVER_UPGRADED = {("general", "enabled"), ("general", "restarter")}
APART = ("dependents", "manifestfiles")         # groups that upgrades do not compare


class Imported:
    """What an import did: instances to refresh, and warnings for stderr."""

    def __init__(self) -> None:
        self.touched: List[Fmri] = []
        self.warnings: List[str] = []

    def touch(self, entity: Entity) -> None:
        instances = [entity] if isinstance(entity, Instance) else list(entity.instances.values())
        for instance in instances:
            if instance.fmri not in self.touched:
                self.touched.append(instance.fmri)


def apply(repository: Repository, services: List[ServiceDef], source: str) -> Imported:
    """Import all services of one manifest. The caller refreshes `touched` and commits. Raises ManifestInvalid."""
    done = Imported()
    for definition in services:
        _service(repository, definition, source, done)
    return done


def _service(repository: Repository, definition: ServiceDef, source: str, done: Imported) -> None:
    fresh = definition.name not in repository.services
    service = repository.service(definition.name)
    for dependent in _all_dependents(definition):
        _refuse_collision(repository, service, dependent)
    for instance in service.instances.values():
        _take(repository, instance, "previous")
    sample = next((i for i in service.instances.values() if "last-import" in i.snapshots), None)
    # Made by hand: what is there counts, and is from now on what the manifest is compared with.
    by_hand = not fresh and sample is None and any(
        first(i.groups, "general", "enabled") for i in service.instances.values())
    before = dict(service.groups)
    if sample is not None:
        running = sample.snapshots.get("running")
        _upgrade(repository, service, definition, sample.snapshots["last-import"].service,
                 running.service if running is not None else None, done)
    elif not by_hand:
        _force(repository, service, definition)
    last = service.imported
    service.imported = _stands(definition, Fmri(service.name, None))
    _record_source(repository, service, source)
    if service.groups != before:
        done.touch(service)
    if not by_hand:
        _dependents(repository, service, definition, last, done)
    for wanted in definition.instances:
        _instance(repository, service, wanted, by_hand, done)


def _take(repository: Repository, instance: Instance, name: str) -> None:
    """Take the snapshot; where it is no other than there was, nothing has changed."""
    old = instance.snapshots.get(name)
    instance.take(name)
    repository.changed = repository.changed or instance.snapshots[name] != old


def _record_source(repository: Repository, service: Service, source: str) -> None:
    name = source.strip("/").replace("/", "_").replace(".", "_")
    old = service.groups.get("manifestfiles", Group("framework", {}))
    if name not in old.props:
        told = Prop("astring", (source,))
        repository.put_group(service, "manifestfiles", old._replace(props={**old.props, name: told}))


def _instance(repository: Repository, service: Service, wanted: InstanceDef, by_hand: bool, done: Imported) -> None:
    instance = repository.add_instance(service.name, wanted.name)
    last = instance.snapshots.get("last-import")
    before = dict(instance.groups)
    if last is not None:
        running = instance.snapshots.get("running")
        _upgrade(repository, instance, wanted, last.instance, running.instance if running is not None else None, done)
    elif not by_hand:
        _force(repository, instance, wanted)
        if wanted.enabled is not None:
            if "general" not in instance.groups:
                repository.put_group(instance, "general", Group("framework", {}))
            repository.put(instance, "general", "enabled", Prop("boolean", (wanted.enabled,)))
        repository.take(instance, "initial")
    if last is None or instance.groups != before:
        done.touch(instance)
    taken = Snapshot(_stands(wanted, instance.fmri), service.imported)     # not what the administrator made of it
    if last != taken:
        instance.snapshots["last-import"] = taken
        repository.changed = True
    if not by_hand:
        _dependents(repository, instance, wanted, last.instance if last is not None else {}, done)


# --- groups


def _stands(definition: EntityDef, fmri: Fmri) -> Groups:
    """The groups that the definition stands for, with the dependencies that it puts into others."""
    groups = {n: _group(g) for n, g in definition.groups.items() if not g.delete}
    kept = [d for d in definition.dependents if not d.delete]
    if kept:
        groups["dependents"] = Group("framework", {d.name: Prop("fmri", (d.target,)) for d in kept})
    return {**groups, **{d.name: _dependency(d, fmri) for d in kept}}


def _group(wanted: GroupDef) -> Group:
    return Group(wanted.type, {n: p.prop for n, p in wanted.props.items()})


def _force(repository: Repository, entity: Entity, definition: EntityDef) -> None:
    """Whoever made what is there: the manifest's values count."""
    for name, wanted in definition.groups.items():
        _force_group(repository, entity, name, wanted)


def _force_group(repository: Repository, entity: Entity, name: str, wanted: GroupDef) -> None:
    old, new = entity.groups.get(name), _group(wanted)
    if wanted.delete:
        if old is not None:
            repository.delete_group(entity, name)
        return
    if old is not None and old.type == new.type:
        new = old._replace(props={**old.props, **new.props})
    if new != old:
        repository.put_group(entity, name, new)


def _upgrade(repository: Repository, entity: Entity, definition: EntityDef, old: Groups, running: Optional[Groups],
             done: Imported) -> None:
    """`old`: what the last import stood for; `running`: what the running snapshot has at this level."""
    current = entity.groups if running is None else running
    for name, last in old.items():
        if name not in APART and not (last.type == "dependency" and "external" in last.props):
            _old_group(repository, entity, name, last, definition.groups.get(name), current, done)
    for name, wanted in definition.groups.items():
        if name in old:
            continue
        if name not in current:
            _force_group(repository, entity, name, wanted)
        else:
            done.warnings += _differences(entity.fmri, name, _group(wanted), current[name], True)


def _old_group(repository: Repository, entity: Entity, name: str, last: Group, wanted: Optional[GroupDef],
               running: Groups, done: Imported) -> None:
    """A group of the last import (process_old_pg)."""
    live, conflict = entity.groups.get(name), f"Conflict upgrading {entity.fmri} (property group"
    if wanted is None or wanted.delete:
        if live is not None and (wanted is not None or live == last):
            repository.delete_group(entity, name)
        elif live is not None:
            done.warnings += _differences(entity.fmri, name, last, live, False)
        return
    new, current = _group(wanted), running.get(name)
    if new == last:
        return
    if current is None:
        done.warnings.append(f"{conflict} {name} is missing)")
    elif current.type != last.type:
        if current.type != new.type:
            done.warnings.append(f'{conflict} "{name}" has different type).')
    elif current == last and new.type != last.type:
        repository.put_group(entity, name, new)
    elif live is None:
        _force_group(repository, entity, name, wanted)
    else:
        props, warnings = entries(entity.fmri, name, last, wanted, current, live)
        done.warnings += warnings
        if props != live.props:
            repository.put_group(entity, name, live._replace(props=props))


def entries(fmri: Fmri, name: str, last: Group, wanted: GroupDef, current: Group,
            live: Group) -> Tuple[Dict[str, Prop], List[str]]:
    """The group's properties after the upgrade, and the conflicts (add_upgrade_entries)."""
    props, warnings = dict(live.props), []
    for prop, old in last.props.items():
        new, now = wanted.props.get(prop), current.props.get(prop)
        never = (name, prop) in NEVER_UPGRADED
        if new is not None and new.prop == old:
            continue
        if new is not None and new.override:
            props[prop] = new.prop
        elif now is None:
            if new is not None and not never:
                warnings.append(f'Conflict upgrading {fmri} (property "{name}/{prop}" is missing).')
        elif never:
            continue
        elif now != old:
            warnings += _difference(fmri, f"{name}/{prop}", now, old if new is None else new.prop, False)
        elif new is None:
            props.pop(prop, None)
        else:
            props[prop] = new.prop
    for prop, added in wanted.props.items():
        if prop not in last.props:
            if prop not in current.props:
                props[prop] = added.prop
            elif (name, prop) != ("general", "enabled"):
                warnings += _difference(fmri, f"{name}/{prop}", current.props[prop], added.prop, True)
    return props, warnings


def _difference(fmri: Fmri, path: str, one: Prop, other: Prop, fresh: bool) -> List[str]:
    if one == other:
        return []
    what = "type" if one.type != other.type else "values"
    return [f'Conflict upgrading {fmri} ({"new " if fresh else ""}property "{path}" has different {what}).']


def _differences(fmri: Fmri, name: str, wanted: Group, found: Group, fresh: bool) -> List[str]:
    """Why a group cannot be what the manifest wants; what it has beyond that is no conflict (report_pg_diffs)."""
    begin = f"Conflict upgrading {fmri} ("
    if wanted.type != found.type:
        return [f'{begin}{"new " if fresh else ""}property group "{name}" has different type).']
    warnings = []
    for prop, value in wanted.props.items():
        if prop in found.props:
            warnings += _difference(fmri, f"{name}/{prop}", value, found.props[prop], fresh)
        elif fresh:
            warnings.append(f'{begin}new property group "{name}" is missing property "{prop}").')
        else:
            warnings.append(f'{begin}property "{name}/{prop}" is missing).')
    return warnings


# --- dependencies put into others


def _all_dependents(definition: ServiceDef) -> List[DependentDef]:
    return [*definition.dependents, *(d for i in definition.instances for d in i.dependents)]


def _refuse_collision(repository: Repository, service: Service, wanted: DependentDef) -> None:
    """The target may have a dependency of that name already, and not by this service. Raises ManifestInvalid."""
    target = repository.find(_target(wanted.target))
    own: List[Entity] = [service, *service.instances.values()]
    if target is not None and wanted.name in target.groups and not wanted.delete and not any(
            wanted.name in one.groups["dependents"].props for one in own if "dependents" in one.groups):
        raise ManifestInvalid(f'Could not create "{wanted.name}" dependency in {wanted.target} (already exists).')


def _target(text: str) -> Fmri:
    found = parse(text)
    assert found is not None        # manifest.py checked it
    return found


def _dependency(wanted: DependentDef, fmri: Fmri) -> Group:
    return Group("dependency", {**{n: p.prop for n, p in wanted.group.props.items()},
                                "entities": Prop("fmri", (str(fmri),)), "external": Prop("boolean", ("true",))})


def _dependents(repository: Repository, entity: Entity, definition: EntityDef, last: Groups, done: Imported) -> None:
    """Put what the definition wants into its targets, and take away what it wants no more where nobody changed it."""
    wanted = {d.name: d for d in definition.dependents if not d.delete}
    for name in last["dependents"].props if "dependents" in last else ():
        if name not in wanted:
            _drop_dependent(repository, entity, name, last, any(d.name == name for d in definition.dependents), done)
    for dependent in wanted.values():
        _dependent(repository, entity, dependent, last.get(dependent.name), done)


def _drop_dependent(repository: Repository, entity: Entity, name: str, last: Groups, forced: bool,
                    done: Imported) -> None:
    target = repository.find(_target(last["dependents"].props[name].values[0]))
    if target is not None and name in target.groups:
        if target.groups[name] != last[name] and not forced:
            done.warnings += _differences(target.fmri, name, last[name], target.groups[name], False)
            return
        repository.delete_group(target, name)
        done.touch(target)
    notes = entity.groups.get("dependents")
    if notes is not None and name in notes.props:
        repository.put_group(entity, "dependents", notes._replace(
            props={n: p for n, p in notes.props.items() if n != name}))


def _dependent(repository: Repository, entity: Entity, wanted: DependentDef, last: Optional[Group],
               done: Imported) -> None:
    """Put the dependency group into the target service, and remember it here in `dependents`."""
    name, group = _target(wanted.target), _dependency(wanted, entity.fmri)
    target: Optional[Entity] = repository.find(name)
    if target is None:
        target = (repository.service(name.service) if name.instance is None
                  else repository.add_instance(name.service, name.instance))
    found = target.groups.get(wanted.name)
    if found is None or found == last:
        if found != group:
            repository.put_group(target, wanted.name, group)
            done.touch(target)
    elif group != last:
        done.warnings += _differences(target.fmri, wanted.name, group, found, False)
    if "dependents" not in entity.groups:
        repository.put_group(entity, "dependents", Group("framework", {}))
    note = Prop("fmri", (wanted.target,))
    if entity.groups["dependents"].props.get(wanted.name) != note:
        repository.put(entity, "dependents", wanted.name, note)
