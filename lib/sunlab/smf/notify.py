"""Notification parameters: who is told of state changes (svccfg(8), setnotify, listnotify, delnotify; svcs -n).

They are kept with the entity, or for all services with svc:/system/svc/global:default. Nobody sends mail in the lab.
"""
from typing import Dict, Iterator, List, Tuple

from sunlab.smf import batch
from sunlab.smf.batch import Refused, SyntaxWrong, Word
from sunlab.smf.properties import Group, Prop, first
from sunlab.smf.repository import Entity
from sunlab.smf.svccfg import Act, Session

GLOBAL = ("system/svc/global", "default")
STATES = ("uninitialized", "maintenance", "offline", "disabled", "online", "degraded")
SETS = {"all": [f"{way}-{state}" for state in STATES for way in ("from", "to")]}
SCHEMES = {"mailto": "smtp", "snmp": "snmp", "syslog": "syslog"}
KIND = "notify_params"


def events_of(text: str) -> List[str]:
    """from-online,to-maintenance; a bare state means both ways, all every state. Raises Refused."""
    found: List[str] = []
    for word in text.split(","):
        if word in SETS:
            found += SETS[word]
        elif word in STATES:
            found += [f"from-{word}", f"to-{word}"]
        elif word.partition("-")[0] in ("from", "to") and word.partition("-")[2] in STATES:
            found.append(word)
        else:
            raise Refused("Invalid input.")
    return found


def group_of(event: str, kind: str) -> str:
    return f"{event}_{kind}"


def target(session: Session, words: List[str]) -> Tuple[Entity, List[str]]:
    """The entity that -g or the selection names, and the other words."""
    if words[:1] == ["-g"]:
        return session.repository.add_instance(*GLOBAL), words[1:]
    return session.chosen(), words


def setnotify(session: Session, words: Tuple[Word, ...]) -> None:
    """[-g] {event,...} uri ..."""
    entity, given = target(session, batch.plain(words))
    if len(given) < 2:
        raise SyntaxWrong()
    session.need(session.caller.may_modify())
    events = events_of(given[0])
    for uri in given[1:]:
        scheme, colon, rest = uri.partition(":")
        if not colon:
            raise Refused(f"'{uri}' is not an URI")
        if scheme not in SCHEMES:
            raise Refused(f"Unkown URI scheme: {scheme}")       # sic
        for event in events:
            session.repository.put_group(entity, group_of(event, SCHEMES[scheme]), Group(KIND, parameters(rest)))


def parameters(rest: str) -> Dict[str, Prop]:
    """mailto:ADDRESS[?HEADER=VALUE&...], mailto:active, snmp:inactive, ..."""
    if rest in ("", "active", "inactive"):
        return {"active": Prop("boolean", ("false" if rest == "inactive" else "true",))}
    address, _, headers = rest.partition("?")
    found = {"active": Prop("boolean", ("true",)), "to": Prop("astring", (address,))}
    for pair in headers.split("&") if headers else ():
        name, _, value = pair.partition("=")
        found[name] = Prop("astring", (value,))
    return found


def listnotify(session: Session, words: Tuple[Word, ...]) -> None:
    """[-g] [event,...]"""
    entity, given = target(session, batch.plain(words))
    for line in listed(entity, events_of(given[0] if given else "all")):
        session.reply.out(line)


def listed(entity: Entity, events: List[str]) -> Iterator[str]:
    for event in events:
        for kind in sorted(SCHEMES.values()):
            group = entity.groups.get(group_of(event, kind))
            if group is not None and group.type == KIND:
                yield f"    Event: {event} (source: {entity.fmri})"
                yield f"        Notification Type: {kind}"
                yield f"            Active: {first(entity.groups, group_of(event, kind), 'active')}"
                yield from (f"            {n}: {p.values[0]}" for n, p in group.props.items() if n != "active")


def delnotify(session: Session, words: Tuple[Word, ...]) -> None:
    """[-g] event,..."""
    entity, given = target(session, batch.plain(words))
    if len(given) != 1:
        raise SyntaxWrong()
    session.need(session.caller.may_modify())
    for event in events_of(given[0]):
        for kind in SCHEMES.values():
            if group_of(event, kind) in entity.groups:
                session.repository.delete_group(entity, group_of(event, kind))


ACTS: Dict[str, Act] = {"setnotify": setnotify, "listnotify": listnotify, "delnotify": delnotify}
