"""Importing a manifest's definitions: new entities are made, existing ones upgraded three-way (svccfg(8) import).

Three-way: a property that still is what the last import set takes the manifest's value; one that the administrator
changed is kept, with a warning where the manifest changed it too. general/enabled and general/restarter are never
upgraded.
"""
from typing import Dict, List, Mapping, Optional, Set, Tuple

from sunlab.smf.fmri import Fmri, parse
from sunlab.smf.manifest import DependentDef, EntityDef, GroupDef, InstanceDef, PropDef, ServiceDef
from sunlab.smf.properties import Group, Groups, Prop
from sunlab.smf.repository import Entity, Instance, Repository, Service, Snapshot

NEVER_UPGRADED = {("general", "enabled"), ("general", "restarter")}


class Imported:
    """What an import did: instances to refresh, and warnings for stderr."""

    def __init__(self) -> None:
        self.touched: List[Fmri] = []
        self.warnings: List[str] = []

    def touch(self, repository: Repository, entity: Entity) -> None:
        instances = [entity] if isinstance(entity, Instance) else list(entity.instances.values())
        for instance in instances:
            if instance.fmri not in self.touched:
                self.touched.append(instance.fmri)


def apply(repository: Repository, services: List[ServiceDef], source: str) -> Imported:
    """Import all services of one manifest. The caller refreshes `touched` and commits."""
    done = Imported()
    for definition in services:
        service = repository.service(definition.name)
        fresh = [i for i in definition.instances if i.name not in service.instances]
        _record_source(definition, source)
        before = dict(service.groups)
        last = service.imported
        service.imported = _upgrade(repository, service, definition, last, done)
        if service.groups != before:
            done.touch(repository, service)
        for wanted in definition.instances:
            _instance(repository, service, wanted, wanted in fresh, done)
        _dependents(repository, service, definition, done)
        for wanted in definition.instances:
            _dependents(repository, service.instances[wanted.name], wanted, done)
    return done


def _record_source(definition: ServiceDef, source: str) -> None:
    name = source.strip("/").replace("/", "_").replace(".", "_")
    definition.group("manifestfiles", "framework").put(name, "astring", source)


def _instance(repository: Repository, service: Service, wanted: InstanceDef, fresh: bool, done: Imported) -> None:
    instance = repository.add_instance(service.name, wanted.name)
    last = instance.snapshots.get("last-import")
    before = dict(instance.groups)
    stands = _upgrade(repository, instance, wanted, last.instance if last else {}, done)
    if fresh:
        if wanted.enabled is not None:
            if "general" not in instance.groups:
                repository.put_group(instance, "general", Group("framework", {}))
            repository.put(instance, "general", "enabled", Prop("boolean", (wanted.enabled,)))
        repository.take(instance, "initial")
    if fresh or instance.groups != before:
        done.touch(repository, instance)
    taken = Snapshot(stands, service.imported)      # the manifest's, not what the administrator made of it
    if last != taken:
        if last is not None:
            instance.snapshots["previous"] = last
        instance.snapshots["last-import"] = taken
        repository.changed = True


def _upgrade(repository: Repository, entity: Entity, definition: EntityDef, last: Groups, done: Imported) -> Groups:
    """Bring the entity's own groups up to the definition; returns what the manifest now stands for."""
    for name in list(last):
        if name not in definition.groups and name in entity.groups and entity.groups[name] == last[name]:
            repository.delete_group(entity, name)
    stands: Groups = {}
    for name, wanted in definition.groups.items():
        if wanted.delete:
            _delete(repository, entity, name, last, done)
            continue
        stands[name] = Group(wanted.type, {n: p.prop for n, p in wanted.props.items()})
        if name not in entity.groups:
            if name in last:
                continue                                # the administrator deleted it
            repository.put_group(entity, name, stands[name])
        else:
            _merge(repository, entity, name, wanted, last.get(name), done)
    return stands


def _delete(repository: Repository, entity: Entity, name: str, last: Groups, done: Imported) -> None:
    if name not in entity.groups:
        return
    if name in last and entity.groups[name] != last[name]:
        done.warnings.append(f'Conflict upgrading {entity.fmri} (property group "{name}" was customized).')
        return
    repository.delete_group(entity, name)


def _merge(repository: Repository, entity: Entity, name: str, wanted: GroupDef, last: Optional[Group],
           done: Imported) -> None:
    current = entity.groups[name]
    before: Mapping[str, Prop] = last.props if last is not None else {}
    props: Dict[str, Prop] = dict(current.props)
    seen: Set[str] = set(wanted.props) | set(before)
    for prop in seen:
        if (name, prop) in NEVER_UPGRADED and prop in props:
            continue
        kept = _decide(props.get(prop), before.get(prop), wanted.props.get(prop))
        if kept[1]:
            done.warnings.append(f'Conflict upgrading {entity.fmri} (property "{name}/{prop}" has different values).')
        if kept[0] is None:
            props.pop(prop, None)
        else:
            props[prop] = kept[0]
    if props != current.props:
        repository.put_group(entity, name, current._replace(props=props))


def _decide(current: Optional[Prop], last: Optional[Prop], wanted: Optional[PropDef]) -> Tuple[Optional[Prop], bool]:
    """The property to have, and whether administrator and manifest disagree."""
    new = wanted.prop if wanted is not None else None
    if current == last or (wanted is not None and wanted.override):
        return new, False
    return current, new not in (last, current)


def _dependents(repository: Repository, entity: Entity, definition: EntityDef, done: Imported) -> None:
    for wanted in definition.dependents:
        _dependent(repository, entity, wanted, done)


def _dependent(repository: Repository, entity: Entity, wanted: DependentDef, done: Imported) -> None:
    """Put the dependency group into the target service, and remember it here in `dependents`."""
    target_name = parse(wanted.target)
    assert target_name is not None      # manifest.py checked it
    target: Optional[Entity] = repository.find(target_name)
    if wanted.delete:
        if target is not None and wanted.name in target.groups:
            repository.delete_group(target, wanted.name)
            done.touch(repository, target)
        return
    if target is None:
        target = (repository.service(target_name.service) if target_name.instance is None
                  else repository.add_instance(target_name.service, target_name.instance))
    props = {n: p.prop for n, p in wanted.group.props.items()}
    props["entities"] = Prop("fmri", (str(entity.fmri),))
    props["external"] = Prop("boolean", ("true",))
    group = Group("dependency", props)
    if target.groups.get(wanted.name) != group:
        repository.put_group(target, wanted.name, group)
        done.touch(repository, target)
    if "dependents" not in entity.groups:
        repository.put_group(entity, "dependents", Group("framework", {}))
    note = Prop("fmri", (wanted.target,))
    if entity.groups["dependents"].props.get(wanted.name) != note:
        repository.put(entity, "dependents", wanted.name, note)
