"""svccfg's subcommands about services, instances and their snapshots (svccfg(8); svccfg_libscf.c)."""
import re
from fnmatch import fnmatchcase
from typing import Dict, List, Tuple

from sunlab.smf import batch
from sunlab.smf.batch import Refused, SyntaxWrong, Word
from sunlab.smf.fmri import COMPONENT, Fmri, is_glob, matches, matches_service, parse
from sunlab.smf.options import Usage, split
from sunlab.smf.properties import Groups, first
from sunlab.smf.repository import Entity, Instance, Service
from sunlab.smf.svccfg import Act, Session, operands

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.,-]*")


def meant(session: Session, pattern: str) -> List[Entity]:
    """Services and instances that a name, an FMRI or a glob means."""
    repository = session.repository
    exact = parse(pattern)
    if exact is not None and not is_glob(pattern):
        entity = repository.find(exact)
        return [entity] if entity is not None else []
    found: List[Entity] = [s for s in repository.services.values() if matches_service(pattern, s.name)]
    if ":" in pattern.replace("svc:", "", 1):
        found += [i for i in repository.instances() if matches(pattern, i.service.name, i.name)]
    return found


def one(session: Session, pattern: str) -> Entity:
    """Raises Refused where that is none or several."""
    found = meant(session, pattern)
    if not found:
        raise Refused(f"Pattern '{pattern}' doesn't match any instances or services")
    if len(found) > 1:
        listed = "".join(f"\n    {e.fmri}" for e in found)
        raise Refused(f"Pattern '{pattern}' matches multiple instances:{listed}")
    return found[0]


def select_by(session: Session, name: str) -> None:
    if isinstance(session.entity, Service) and name in session.entity.instances:
        session.entity = session.entity.instances[name]
    else:
        session.entity = one(session, name)
    session.snapshot = None


def select(session: Session, words: Tuple[Word, ...]) -> None:
    select_by(session, operands(words, 1, 1)[0])


def unselect(session: Session, words: Tuple[Word, ...]) -> None:
    operands(words, 0, 0)
    if session.entity is None:
        raise Refused("Cannot unselect at scope level.")
    session.snapshot = None
    session.entity = session.entity.service if isinstance(session.entity, Instance) else None


def add(session: Session, words: Tuple[Word, ...]) -> None:
    name = operands(words, 1, 1)[0]
    if not all(COMPONENT.fullmatch(p) for p in name.split("/")):
        raise Refused("Invalid name.")
    session.need(session.caller.may_modify())
    if isinstance(session.entity, Instance):
        raise Refused("Cannot add entities to an instance.")
    if isinstance(session.entity, Service):
        if name in session.entity.instances:
            raise Refused(f"{session.entity.instances[name].fmri} already exists")
        session.repository.add_instance(session.entity.name, name)
        session.startd.load([Fmri(session.entity.name, name)])
    elif name in session.repository.services:
        raise Refused(f"svc:/{name} already exists")
    else:
        session.repository.service(name)


def list_(session: Session, words: Tuple[Word, ...]) -> None:
    given = operands(words, 0, 1)
    names = [":properties"] if session.entity is not None else []
    if session.entity is None:
        names += list(session.repository.services)
    elif isinstance(session.entity, Service):
        names += list(session.entity.instances)
    for name in names:
        if fnmatchcase(name, given[0] if given else "*"):
            session.reply.out(name)


# --- deleting


def delete(session: Session, words: Tuple[Word, ...]) -> None:
    try:
        found, names = split(batch.plain(words), "f")
    except Usage as wrong:
        raise SyntaxWrong() from wrong
    if len(names) != 1:
        raise SyntaxWrong()
    entity = session.entity
    if isinstance(entity, Service) and names[0] in entity.instances:
        remove(session, entity.instances[names[0]], bool(found))
    else:
        remove(session, one(session, names[0]), bool(found))


def remove(session: Session, entity: Entity, force: bool) -> None:
    """A service with all its instances, or one instance. Nothing is deleted where one of them may be running."""
    session.need(session.caller.may_modify())
    instances = list(entity.instances.values()) if isinstance(entity, Service) else [entity]
    for instance in instances:
        if not force and first(instance.groups, "restarter", "state") in ("online", "degraded"):
            raise Refused(f"Instance {instance.fmri} may be running.  Use delete -f if it is not.")
    for instance in instances:
        session.startd.removed(instance.fmri)
        drop_dependents(session, instance)
        suppress(session, instance)
    if isinstance(entity, Service):
        drop_dependents(session, entity)
        suppress(session, entity)
    if session.entity in [entity, *instances]:
        session.entity = None


def suppress(session: Session, entity: Entity) -> None:
    """Delete it; dependencies that others have put into it stay, in an entity that has nothing else."""
    external = {name: group for name, group in entity.groups.items()
                if group.type == "dependency" and first(entity.groups, name, "external") == "true"}
    if external or (isinstance(entity, Service) and entity.instances):
        entity.groups = external
        if isinstance(entity, Instance):
            entity.snapshots = {}
        session.repository.changed = True
    else:
        session.repository.delete(entity)


def drop_dependents(session: Session, entity: Entity) -> None:
    """The dependencies that it has put into others go with it."""
    group = entity.groups.get("dependents")
    for name, prop in (group.props if group is not None else {}).items():
        target = session.repository.find(parse(prop.values[0]) or entity.fmri)
        if target is not None and name in target.groups:
            session.repository.delete_group(target, name)
            session.startd.refresh([target.fmri] if isinstance(target, Instance)
                                   else [i.fmri for i in target.instances.values()])


# --- snapshots


def refresh(session: Session, words: Tuple[Word, ...]) -> None:
    operands(words, 0, 0)
    instance = session.instance()
    session.need(session.caller.may_act(instance))
    session.startd.refresh([instance.fmri])
    if first(instance.groups, "restarter", "state") in ("online", "degraded"):
        from sunlab.smf.orders import Asked
        session.startd.queue.append(Asked(str(instance.fmri), "refresh"))


def listsnap(session: Session, words: Tuple[Word, ...]) -> None:
    operands(words, 0, 0)
    for name in session.instance().snapshots:
        session.reply.out(name)


def selectsnap(session: Session, words: Tuple[Word, ...]) -> None:
    given = operands(words, 0, 1)
    if given and given[0] not in session.instance().snapshots:
        raise Refused(f'No such snapshot "{given[0]}".')
    session.instance()
    session.snapshot = given[0] if given else None


def revert(session: Session, words: Tuple[Word, ...]) -> None:
    """Make a snapshot's values those of the instance and its service, but for general/enabled; `running` follows at
    the next refresh.
    """
    given = operands(words, 0, 1)
    session.need(session.caller.may_modify())
    instance = session.instance()
    if given and given[0] not in instance.snapshots:
        raise Refused("No such snapshot.")
    name = given[0] if given else session.snapshot
    if name is None:
        raise Refused("No snapshot selected.")
    taken = instance.snapshots[name]
    session.repository.take(instance, "previous")
    enabled = instance.groups["general"].props.get("enabled") if "general" in instance.groups else None
    instance.groups = with_temporary(taken.instance, instance.groups)
    instance.service.groups = with_temporary(taken.service, instance.service.groups)
    if enabled is not None and "general" in instance.groups:
        session.repository.put(instance, "general", "enabled", enabled)
    session.snapshot = None if not given else session.snapshot
    session.repository.changed = True


def with_temporary(taken: Groups, current: Groups) -> Groups:
    return {**taken, **{name: group for name, group in current.items() if not group.persistent}}


ACTS: Dict[str, Act] = {
    "select": select, "unselect": unselect, "add": add, "list": list_, "delete": delete, "refresh": refresh,
    "listsnap": listsnap, "selectsnap": selectsnap, "revert": revert}
