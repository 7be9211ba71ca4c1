"""Layers of Solaris 11.4: what a manifest has set, and what an administrator (svccfg(8), listprop -l, delcust).

Of its four layers the lab has two: manifest and admin; nothing installs profiles as a system or a site.
"""
from fnmatch import fnmatchcase
from typing import Dict, Iterator, List, NamedTuple, Tuple

from sunlab.smf import batch, propedit
from sunlab.smf.batch import Refused, SyntaxWrong, Word
from sunlab.smf.properties import Groups, Prop
from sunlab.smf.repository import Entity, Instance
from sunlab.smf.svccfg import Act, Session

LAYERS = ("manifest", "system-profile", "site-profile", "admin")


class Layered(NamedTuple):
    """A value (None: a whole group) and the layer that it was set in."""
    group: str
    prop: str
    value: Prop
    layer: str


def from_manifest(entity: Entity) -> Groups:
    """What the last import stands for at this level."""
    if isinstance(entity, Instance):
        taken = entity.snapshots.get("last-import")
        return taken.instance if taken is not None else {}
    return entity.imported


def layered(entity: Entity) -> Iterator[Layered]:
    """Each property once for every layer that has it, the manifest's first."""
    below = from_manifest(entity)
    for name, group in entity.groups.items():
        for prop, value in group.props.items():
            old = below[name].props.get(prop) if name in below else None
            if old is not None:
                yield Layered(name, prop, old, "manifest")
            if old != value:
                yield Layered(name, prop, value, "admin")


def listprop(session: Session, words: Tuple[Word, ...]) -> None:
    """[-l layer] [pattern]; layer: all, current, or a layer's name."""
    given = batch.plain(words)
    if given[:1] != ["-l"]:
        propedit.listprop(session, words)
        return
    if len(given) not in (2, 3):
        raise SyntaxWrong()
    wanted = given[1]
    if wanted not in ("all", "current", *LAYERS):
        raise Refused(f'Unknown layer "{wanted}".')
    pattern = given[2] if len(given) == 3 else "*"
    rows: List[Tuple[str, str]] = []
    for one in layered(session.chosen()):
        path = f"{one.group}/{one.prop}"
        effective = session.chosen().groups[one.group].props[one.prop] == one.value
        if (fnmatchcase(path, pattern) or fnmatchcase(one.group, pattern)) and (
                wanted in ("all", one.layer) or (wanted == "current" and effective)):
            kind, _, text = propedit.value_text(one.value).partition(" ")
            rows.append((path, f"{kind:<11} {one.layer:<14} {text.strip()}"))
    propedit.table(session, rows)


def delcust(session: Session, words: Tuple[Word, ...]) -> None:
    """[-M] [pattern]: administrators' values go, the manifest's come back."""
    given = [w for w in batch.plain(words) if w != "-M"]
    if len(given) > 1:
        raise SyntaxWrong()
    entity, pattern = session.to_change(), given[0] if given else "*"
    session.need(session.caller.may_modify())
    below = from_manifest(entity)
    for one in list(layered(entity)):
        path = f"{one.group}/{one.prop}"
        if one.layer != "admin" or not entity.groups[one.group].persistent or not (
                fnmatchcase(path, pattern) or fnmatchcase(one.group, pattern)):
            continue
        group = entity.groups[one.group]
        props = {n: p for n, p in group.props.items() if n != one.prop}
        if one.group in below and one.prop in below[one.group].props:
            props[one.prop] = below[one.group].props[one.prop]
        if props or one.group in below:
            session.repository.put_group(entity, one.group, group._replace(props=props))
        else:
            session.repository.delete_group(entity, one.group)
        session.reply.out(f" Deleting customizations for property: {path}")


ACTS: Dict[str, Act] = {"listprop": listprop, "delcust": delcust}
