"""svcprop(1): the values of properties, from the running snapshot unless asked otherwise."""
from typing import TYPE_CHECKING, Dict, Iterator, List, Optional, Tuple, Union

from sunlab.smf.authorise import Caller
from sunlab.smf.fmri import is_glob, matches, matches_service, parse
from sunlab.smf.options import Usage, flags, split
from sunlab.smf.properties import Groups, Prop, compose, line, shell_quoted
from sunlab.smf.repository import Entity, Instance, Service

if TYPE_CHECKING:
    from sunlab.smf.door import Reply, Request
    from sunlab.smf.startd import Startd

USAGE = """Usage: svcprop [-fqtv] [-C | -c | -s snapshot] [-p [name/]name]... \n               {FMRI | pattern}...
       svcprop -w [-fqtv] [-p [name/]name] {FMRI | pattern}"""


def run(startd: "Startd", request: "Request", reply: "Reply") -> int:
    try:
        found, operands = split(request.args, "Ccfp:qs:tvwz:" + ("l:" if startd.platform.layers else ""))
        options = flags(found)
        wanted = [value for name, value in found if name == "-p"]
        if not operands or len(set(options) & {"C", "c", "s", "w"}) > 1 or ("w" in options and len(wanted) > 1):
            raise Usage()
    except Usage as wrong:
        reply.err((f"svcprop: {wrong}\n" if str(wrong) else "") + USAGE)
        return 2
    entities, good = _entities(startd, operands, options, reply)
    if "w" in options and entities:
        return _wait(entities, wanted, reply)
    if "l" in options:
        return max([_layers(entity, wanted, options["l"], reply) for entity in entities], default=1)
    many = len(entities) > 1 or len(wanted) > 1
    caller = Caller(request.uid)
    for entity in entities:
        good = _show(entity, wanted, options, many, len(entities) > 1, reply, caller) and good
    return 0 if good else 1


def _entities(startd: "Startd", operands: List[str], options: Dict[str, str],
              reply: "Reply") -> Tuple[List[Entity], bool]:
    """What the operands mean. A service's name means the service where it is a full FMRI, else its instances."""
    found: Dict[str, Entity] = {}
    good = True
    for pattern in operands:
        here = list(_meant(startd, pattern))
        if not here:
            good = False
            if "q" not in options or "v" in options:
                reply.err(f"svcprop: Pattern '{pattern}' doesn't match any entities")
        found.update((str(e.fmri), e) for e in here)
    return list(found.values()), good


def _meant(startd: "Startd", pattern: str) -> Iterator[Entity]:
    exact = parse(pattern)
    for service in startd.repository.services.values():
        if exact is not None and exact.instance is None and not is_glob(pattern):
            if exact.service == service.name:
                yield service
            continue
        instances = [i for i in service.instances.values() if matches(pattern, service.name, i.name)]
        yield from instances
        if not instances and matches_service(pattern, service.name):
            yield service


def _view(entity: Entity, options: Dict[str, str]) -> Optional[Groups]:
    if isinstance(entity, Service):
        return entity.groups
    if "C" in options:
        return entity.groups
    if "c" in options:
        return entity.current()
    if "s" in options:
        taken = entity.snapshots.get(options["s"])
        return compose(taken.instance, taken.service) if taken is not None else None
    return entity.running()


def _show(entity: Entity, wanted: List[str], options: Dict[str, str], many: bool, full: bool, reply: "Reply",
          caller: Caller) -> bool:
    view = _view(entity, options)
    quiet = "q" in options and "v" not in options
    if view is None:
        reply.err("svcprop: No such snapshot.")
        return False
    good = True
    for name in wanted or list(view):
        shown = _lookup(view, name)
        if shown is None:
            good = False
            if not quiet:
                reply.err(f"svcprop: {_absent(entity, name)}")
            continue
        if not caller.may_read(name.partition("/")[0], view[name.partition("/")[0]]):
            good = False
            reply.err("svcprop: Permission denied.")
            continue
        alone = isinstance(shown, Prop) and not many and not set(options) & {"t", "f"}
        if "q" not in options:
            for path, prop in _lines(name, shown):
                reply.out(" ".join(shell_quoted(v) for v in prop.values) if alone else
                          _typed(entity, path, prop, "f" in options or full))
    return good


def _layers(entity: Entity, wanted: List[str], layer: str, reply: "Reply") -> int:
    """-l: with the layer that set it, once for every layer (Solaris 11.4)."""
    from sunlab.smf.layer import layered
    shown = False
    for one in layered(entity):
        path = f"{one.group}/{one.prop}"
        if (not wanted or path in wanted or one.group in wanted) and layer in ("all", one.layer):
            shown = True
            told = " ".join(shell_quoted(v) for v in one.value.values)
            reply.out(f"{path} {one.value.type} {one.layer} {told}".rstrip())
    return 0 if shown else 1


def _lookup(view: Groups, name: str) -> Optional[Union[Prop, Dict[str, Prop]]]:
    group, _, prop = name.partition("/")
    if group not in view:
        return None
    if prop:
        return view[group].props.get(prop)
    return dict(view[group].props)


def _lines(name: str, shown: Union[Prop, Dict[str, Prop]]) -> List[Tuple[str, Prop]]:
    if isinstance(shown, Prop):
        return [(name, shown)]
    return [(f"{name}/{p}", value) for p, value in shown.items()]


def _typed(entity: Entity, path: str, prop: Prop, full: bool) -> str:
    where = path
    if full:
        group, _, name = path.partition("/")
        where = f"{entity.fmri}/:properties/{group}/{name}"
    return f"{where} {line(prop.type, prop.values)}"


def _absent(entity: Entity, name: str) -> str:
    kind = "instance" if isinstance(entity, Instance) else "service"
    if "/" in name:
        return f"Couldn't find property `{name}' for {kind} `{entity.fmri}'."
    return f"Couldn't find property group `{name}' for {kind} `{entity.fmri}'."


def _wait(entities: List[Entity], wanted: List[str], reply: "Reply") -> int:
    """-w: answered when the group is next written."""
    if len(entities) != 1 or not wanted:
        reply.err("svcprop: Cannot wait for an instance." if not wanted else USAGE)
        return 2
    reply.waits_for = entities[0].fmri
    reply.group = wanted[0].partition("/")[0]
    return 0
