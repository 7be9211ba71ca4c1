"""svccfg's subcommands about property groups and properties (svccfg(8); svccfg_libscf.c)."""
from fnmatch import fnmatchcase
from typing import Dict, List, Optional, Tuple

from sunlab.smf import batch
from sunlab.smf.batch import Assignment, Refused, SyntaxWrong, Word
from sunlab.smf.entities import NAME
from sunlab.smf.options import Usage, split
from sunlab.smf.properties import READABLE, TYPES, Group, Groups, Prop, canonical, quoted, value_error
from sunlab.smf.repository import Entity, Instance
from sunlab.smf.svccfg import Act, Session, operands

STRINGS = ("astring", "ustring")


# --- groups


def addpg(session: Session, words: Tuple[Word, ...]) -> None:
    name, kind, *rest = operands(words, 2, 3)
    entity = session.to_change()
    for letter in "".join(rest):
        if letter not in "Pp":
            raise Refused(f"Invalid property group flag {letter}.")
    if not NAME.fullmatch(name) or not NAME.fullmatch(kind):
        raise Refused("Name, type, or flags are invalid.")
    if name in entity.groups:
        raise Refused("Property group already exists.")
    session.need(session.caller.may_change(entity, name, kind))
    session.repository.put_group(entity, name, Group(kind, {}, persistent="P" not in "".join(rest)[-1:]))


def delpg(session: Session, words: Tuple[Word, ...]) -> None:
    name = operands(words, 1, 1)[0]
    if "/" in name:
        raise Refused(f'Invalid property group name "{name}".')
    delete(session, name)


def delprop(session: Session, words: Tuple[Word, ...]) -> None:
    delete(session, operands(words, 1, 1)[0])


def delete(session: Session, path: str) -> None:
    """A group, or one property of it."""
    entity = session.to_change()
    group, slash, prop = path.partition("/")
    old = existing(entity, group)
    session.need(session.caller.may_change(entity, group, old.type))
    if not slash:
        session.repository.delete_group(entity, group)
        return
    if prop not in old.props:
        raise Refused(f"No such property {group}/{prop}.")
    session.repository.put_group(entity, group, old._replace(props={n: p for n, p in old.props.items() if n != prop}))


def existing(entity: Entity, group: str) -> Group:
    if group not in entity.groups:
        raise Refused(f'No such property group "{group}".')
    return entity.groups[group]


# --- values


def setprop(session: Session, words: Tuple[Word, ...]) -> None:
    given = batch.assignment(words)
    entity = session.to_change()
    group, prop = named(given.path)
    kind = type_named(given.kind)
    old = existing(entity, group).props.get(prop)
    if kind is None and old is None:
        kind = inherited(entity, group, prop)
    if kind is not None and old is not None and kind != old.type:
        raise Refused(f'Property "{given.path}" has type "{old.type}", not "{kind}".')
    kind = kind or (old.type if old is not None else None)
    if kind is None:
        raise Refused("Type required for new properties.")
    store(session, group, prop, kind, listed(given, kind))


def listed(given: Assignment, kind: str) -> List[str]:
    """The values; several strings must each be quoted."""
    if given.listed and kind in STRINGS and any(w.kind != "string" for w in given.values):
        raise Refused("Multiple string values or string values with spaces must be quoted with '\"'.")
    return [batch.bare(w) for w in given.values]


def named(path: str) -> Tuple[str, str]:
    group, slash, prop = path.partition("/")
    if not slash:
        raise Refused("Property names must contain a `/'.")
    if not NAME.fullmatch(prop):
        raise Refused(f'Invalid property name "{prop}".')
    return group, prop


def type_named(text: Optional[str]) -> Optional[str]:
    """The type of `astring:`; None where none was given."""
    if text is None:
        return None
    if not text.endswith(":") or text[:-1] not in TYPES:
        raise Refused(f'Unknown type "{text}".')
    return text[:-1]


def inherited(entity: Entity, group: str, prop: str) -> Optional[str]:
    """An instance's new property is of the type that its service's has."""
    if not isinstance(entity, Instance) or group not in entity.service.groups:
        return None
    found = entity.service.groups[group].props.get(prop)
    return found.type if found is not None else None


def store(session: Session, group: str, prop: str, kind: str, values: List[str]) -> None:
    entity = session.chosen()
    for value in values:
        wrong = value_error(kind, value)
        if wrong:
            raise Refused(wrong)
    session.need(session.caller.may_set(entity, group, entity.groups[group].type, prop))
    session.repository.put(entity, group, prop, Prop(kind, tuple(canonical(kind, v) for v in values)))
    if isinstance(entity, Instance) and (group, prop) == ("general", "enabled"):
        session.startd.load([entity.fmri])        # immediate, not by snapshot


def addpropvalue(session: Session, words: Tuple[Word, ...]) -> None:
    path, *rest = operands(words, 2, 3)
    add_value(session, path, rest[0] if len(rest) == 2 else None, rest[-1])


def add_value(session: Session, path: str, given: Optional[str], value: str) -> None:
    entity = session.to_change()
    group, prop = named(path)
    kind = type_named(given)
    old = existing(entity, group).props.get(prop)
    if old is None and kind is None:
        raise Refused("Type required for new properties.")
    if old is not None and kind not in (None, old.type):
        raise Refused(f'Property "{prop}" is not of type "{given}".')
    before = old if old is not None else Prop(str(kind), ())
    store(session, group, prop, before.type, [*before.values, value])


def delpropvalue(session: Session, words: Tuple[Word, ...]) -> None:
    path, pattern = operands(words, 2, 2)
    delete_value(session, path, pattern)


def delete_value(session: Session, path: str, pattern: str) -> None:
    entity = session.to_change()
    group, prop = named(path)
    old = existing(entity, group).props.get(prop)
    if old is None:
        raise Refused(f"No such property {group}/{prop}.")
    store(session, group, prop, old.type, [v for v in old.values if not fnmatchcase(v, pattern)])


# --- the environment of methods


def setenv(session: Session, words: Tuple[Word, ...]) -> None:
    change_environment(session, words, 2)


def unsetenv(session: Session, words: Tuple[Word, ...]) -> None:
    change_environment(session, words, 1)


def change_environment(session: Session, words: Tuple[Word, ...], count: int) -> None:
    """[-s | -i | -m method] NAME [value]: of the whole service or instance, of a method, or of the start method."""
    try:
        found, given = split(batch.plain(words), "sim:")
    except Usage as wrong:
        raise SyntaxWrong() from wrong
    options = dict(found)
    if len(given) != count or ("-s" in options and "-i" in options):
        raise SyntaxWrong()
    chosen = session.to_change()
    try:
        group = environment_group(session, options, count == 2)
        old = session.chosen().groups.get(group)
        if old is not None and "environment" in old.props:
            delete_value(session, f"{group}/environment", f"{given[0]}=*")
        elif count == 1:
            raise Refused(f"No such property {group}/environment." if old is not None
                          else f'No such property group "{group}".')
        if count == 2:
            add_value(session, f"{group}/environment", "astring:", f"{given[0]}={given[1]}")
    finally:
        session.entity = chosen


def environment_group(session: Session, options: Dict[str, str], make: bool) -> str:
    """The group whose environment it is; the entity that has it becomes the selected one."""
    entity = session.chosen()
    if "-i" in options and not isinstance(entity, Instance):
        raise Refused("No instance is selected.")
    if "-s" in options and isinstance(entity, Instance):
        session.entity = entity = entity.service
    method = options.get("-m")
    if method is not None:
        if method not in entity.groups:
            raise Refused(f"Couldn't find the method \"{method}\".")
        if entity.groups[method].type != "method":
            raise Refused(f'Property group "{method}" is not of type "method".')
        return method
    if "-i" in options or "-s" in options:
        if make and "method_context" not in entity.groups:
            session.need(session.caller.may_change(entity, "method_context", "framework"))
            session.repository.put_group(entity, "method_context", Group("framework", {}))
        return "method_context"
    candidates: List[Entity] = [entity, entity.service] if isinstance(entity, Instance) else [entity]
    for candidate in candidates:
        for name in ("start", "inetd_start"):
            if name in candidate.groups and candidate.groups[name].type == "method":
                session.entity = candidate
                return name
    raise Refused("Couldn't find start method; please specify a method with '-m'.")


# --- listing


def shown(session: Session) -> Groups:
    entity = session.chosen()
    if session.snapshot is not None and isinstance(entity, Instance):
        return entity.snapshots[session.snapshot].instance
    return entity.groups


def listpg(session: Session, words: Tuple[Word, ...]) -> None:
    given = operands(words, 0, 1)
    table(session, [(name, group_text(group)) for name, group in shown(session).items()
                    if not given or fnmatchcase(name, given[0])])


def listprop(session: Session, words: Tuple[Word, ...]) -> None:
    given = operands(words, 0, 1)
    rows = []
    for name, group in shown(session).items():
        whole = not given or fnmatchcase(name, given[0])
        if whole:
            rows.append((name, group_text(group)))
        readable = session.caller.may_read(name, group)
        for prop, value in group.props.items():
            if whole or fnmatchcase(f"{name}/{prop}", given[0]):
                rows.append((f"{name}/{prop}", value_text(value if readable else value._replace(values=()))))
    table(session, rows)


def table(session: Session, rows: List[Tuple[str, str]]) -> None:
    width = max((len(name) for name, _ in rows), default=0)
    for name, text in rows:
        session.reply.out(f"{name:<{width}}  {text}")


def group_text(group: Group) -> str:
    return group.type + ("" if group.persistent else "\tNONPERSISTENT")


def value_text(prop: Prop) -> str:
    """TYPE and values for people: several strings, and what has a blank in it, in quotes (list_prop_info)."""
    several = len(prop.values) > 1 and prop.type in STRINGS
    told = [quoted(v) if several or READABLE & set(v) else v for v in prop.values]
    return f"{prop.type:<7} " + "".join(f" {v}" for v in told)


ACTS: Dict[str, Act] = {
    "addpg": addpg, "delpg": delpg, "setprop": setprop, "delprop": delprop, "addpropvalue": addpropvalue,
    "delpropvalue": delpropvalue, "setenv": setenv, "unsetenv": unsetenv, "listpg": listpg, "listprop": listprop}
