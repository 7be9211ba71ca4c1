"""svcprop(1): the values of properties, from the running snapshot unless asked otherwise (cmd/svc/svcprop)."""
from typing import TYPE_CHECKING, Dict, Iterator, List, NamedTuple, Tuple

from sunlab.smf.authorise import Caller
from sunlab.smf.door import Waiting
from sunlab.smf.fmri import is_glob, matches, matches_service, parse
from sunlab.smf.options import Usage, flags, split
from sunlab.smf.properties import Group, Groups, Prop, compose, shell_quoted
from sunlab.smf.repository import Entity, Instance, Service

if TYPE_CHECKING:
    from sunlab.smf.door import Reply, Request
    from sunlab.smf.startd import Startd

USAGE = """Usage: svcprop [-fqtv] [-C | -c | -s snapshot] [-z zone] [-p [name/]name]... \n         {FMRI | pattern}...
       svcprop -w [-fqtv] [-z zone] [-p [name/]name] {FMRI | pattern}"""
PROPERTIES = "/:properties/"


class Wrong(Exception):
    """svcprop ends here; the text is for stderr."""

    def __init__(self, text: str, status: int = 1) -> None:
        super().__init__(text)
        self.status = status


class Target(NamedTuple):
    """What an operand means: an entity, a group of it (`group`), or a property of that (`prop`)."""
    entity: Entity
    group: str = ""
    prop: str = ""

    def __str__(self) -> str:
        return str(self.entity.fmri) + (PROPERTIES + self.group if self.group else "")


def run(startd: "Startd", request: "Request", reply: "Reply") -> int:
    try:
        found, operands = split(request.args, "Ccfp:qs:tvwz:" + ("l:" if startd.platform.layers else ""))
        options = flags(found)
        wanted = [_wanted(value) for name, value in found if name == "-p"]
        if not operands or len(set(options) & {"C", "c", "s", "w"}) > 1 or (
                "w" in options and (len(wanted) > 1 or len(operands) > 1)):
            raise Usage()
        if "l" in options:
            return max([_layers(one.entity, wanted, options["l"], reply)
                        for one in _targets(startd, operands, False, options, reply)[0]], default=1)
        targets, good = _targets(startd, operands, "w" in options, options, reply)
        told = Told(options, wanted, len(targets), Caller(request.uid), reply)
        if "w" in options:
            return _wait(startd, targets, told)
        for target in targets:
            told.show(target)
        return 0 if good and told.good else 1
    except Usage as wrong:
        reply.err((f"svcprop: {wrong}\n" if str(wrong) else "") + USAGE)
        return 2
    except Wrong as wrong:
        if "q" not in options or wrong.status == 2:
            reply.err(f"svcprop: {wrong}")
        return wrong.status


def _wanted(text: str) -> Tuple[str, ...]:
    """The parts of a -p. Raises Usage, Wrong."""
    from sunlab.smf.entities import NAME
    parts = tuple(text.split("/"))
    if len(parts) > 2:
        raise Usage(f"-p argument `{text}' has too many components.")
    for part in parts:
        if not NAME.fullmatch(part):
            raise Wrong(f"Invalid component name `{part}'.", 2)
    return parts


# --- operands


def _targets(startd: "Startd", operands: List[str], single: bool, options: Dict[str, str],
             reply: "Reply") -> Tuple[List[Target], bool]:
    """What the operands mean, each once, and whether each meant something; with `single` no more than one thing."""
    found: Dict[Target, None] = {}
    good = True
    for pattern in operands:
        here = list(_meant(startd, pattern))
        if len(here) > 1 and single:
            listed = "".join(f"\n    {one}" for one in here)
            raise Wrong(f"Pattern '{pattern}' matches multiple instances:{listed}")
        if not here:
            good = False
            if "q" not in options:
                reply.err(f"svcprop: Pattern '{pattern}' doesn't match any entities")
        found.update(dict.fromkeys(here))
    return list(found), good


def _meant(startd: "Startd", pattern: str) -> Iterator[Target]:
    """A service's full name means the service, else its instances are meant (SCF_WALK_EXPLICIT)."""
    exact = parse(pattern) if not is_glob(pattern) else None
    if exact is not None:
        entity = startd.repository.find(exact)
        group, _, prop = pattern.partition(PROPERTIES)[2].partition("/")
        there = entity is not None and (not group or group in entity.groups and (
            not prop or prop in entity.groups[group].props))
        if entity is not None and there:
            yield Target(entity, group, prop)
        return
    for service in startd.repository.services.values():
        instances = [i for i in service.instances.values() if matches(pattern, service.name, i.name)]
        yield from map(Target, instances)
        if not instances and matches_service(pattern, service.name):
            yield Target(service)


# --- views


def _view(entity: Entity, options: Dict[str, str]) -> Groups:
    """Raises Wrong."""
    if isinstance(entity, Service):
        if "s" in options:
            raise Wrong("Only instances have snapshots.")
        return entity.groups
    if "C" in options:
        return entity.groups
    if "c" in options:
        return entity.current()
    if "s" not in options:
        return entity.running()
    taken = entity.snapshots.get(options["s"])
    if taken is None:
        raise Wrong("No such snapshot.")
    # Groups that do not persist are found by name beside the snapshot, and are not listed with it.
    return compose(taken.instance, taken.service)


class Told:
    """The form of what is printed: properties are typed once a whole group has been printed, or several entities."""

    def __init__(self, options: Dict[str, str], wanted: List[Tuple[str, ...]], count: int, caller: Caller,
                 reply: "Reply") -> None:
        self.options, self.wanted, self.caller, self.reply = options, wanted, caller, reply
        self.full = "f" in options or count > 1
        self.typed = "t" in options or self.full or len({len(parts) for parts in wanted}) > 1
        self.good = True

    def show(self, target: Target) -> None:
        """Raises Usage, Wrong."""
        if target.prop:
            if self.wanted:
                raise Usage("The -p option cannot be used with property operands.")
            group = target.entity.groups[target.group]
            self.property(target.entity, target.group, group, target.prop)
        elif target.group:
            self.of_group(target, target.entity.groups[target.group])
        else:
            self.of_entity(target.entity)

    def of_entity(self, entity: Entity) -> None:
        view = _view(entity, self.options)
        for name in [] if self.wanted else view:
            self.group(entity, name, view[name])
        for name, *rest in self.wanted:
            group = view.get(name)
            if group is None and "C" not in self.options and isinstance(entity, Instance):
                current = entity.current().get(name)
                group = current if current is not None and not current.persistent else None
            if group is None:
                self.absent(f"Couldn't find property group `{name}' for {_kind(entity)} `{entity.fmri}'.")
            elif not rest:
                self.group(entity, name, group)
            elif rest[0] in group.props:
                self.property(entity, name, group, rest[0])
            else:
                self.absent(f"Couldn't find property `{name}/{rest[0]}' for {_kind(entity)} `{entity.fmri}'.")

    def of_group(self, target: Target, group: Group) -> None:
        if not self.wanted:
            self.group(target.entity, target.group, group)
        for parts in self.wanted:
            if len(parts) > 1:
                raise Wrong(f"-p argument `{'/'.join(parts)}' has too many components for property group "
                            f"`{target}'.", 2)
            if parts[0] in group.props:
                self.property(target.entity, target.group, group, parts[0])
            else:
                self.absent(f"Couldn't find property `{parts[0]}' in property group `{target}'.")

    def absent(self, text: str) -> None:
        self.good = False
        if "q" not in self.options or "v" in self.options:
            self.reply.err(f"svcprop: {text}")

    def group(self, entity: Entity, name: str, group: Group) -> None:
        self.typed = True
        for prop in group.props:
            self.property(entity, name, group, prop)

    def property(self, entity: Entity, name: str, group: Group, prop: str) -> None:
        if "q" in self.options:
            return
        shown = group.props[prop]
        if not self.caller.may_read(name, group):
            if self.wanted:
                raise Wrong("Permission denied.")
            shown = Prop(shown.type, ())
        told = " ".join(shell_quoted(v) for v in shown.values)
        where = f"{entity.fmri}{PROPERTIES}{name}/{prop}" if self.full else f"{name}/{prop}"
        self.reply.out(f"{where} {shown.type} {told}" if self.typed else told)


def _kind(entity: Entity) -> str:
    return "instance" if isinstance(entity, Instance) else "service"


# --- waiting


def _wait(startd: "Startd", targets: List[Target], told: Told) -> int:
    """-w: answered when the group, of the entity itself, is next written. Raises Wrong."""
    if not targets:
        return 1
    target = targets[0]
    asked = [*(p for p in (target.group, target.prop) if p), *(told.wanted[0] if told.wanted else ())]
    if not asked:
        article = "an instance" if isinstance(target.entity, Instance) else "a service"
        raise Wrong(f"Cannot wait for {article}.", 2)
    if len(asked) > 2:
        raise Wrong("-p cannot be used with property FMRIs." if target.prop else
                    f'-p argument "{"/".join(asked[1:])}" has too many components for property group {target}.', 2)
    group = target.entity.groups.get(asked[0])
    if group is None or (len(asked) > 1 and asked[1] not in group.props):
        raise Wrong("Not found.")

    def answer(reply: "Reply") -> int:
        there = startd.repository.find(target.entity.fmri) is target.entity
        now = target.entity.groups.get(asked[0]) if there else None
        told.reply = reply
        if now is None or (len(asked) > 1 and asked[1] not in now.props):
            told.absent("Not found.")
        elif len(asked) > 1:
            told.property(target.entity, asked[0], now, asked[1])
        else:
            told.group(target.entity, asked[0], now)
        return 0 if told.good else 1
    told.reply.waiting = Waiting(target.entity, asked[0], group, answer)
    return 0


# --- layers


def _layers(entity: Entity, wanted: List[Tuple[str, ...]], layer: str, reply: "Reply") -> int:
    """-l: with the layer that set it, once for every layer (Solaris 11.4)."""
    from sunlab.smf.layer import layered
    shown = False
    for one in layered(entity):
        if (not wanted or (one.group, one.prop) in wanted or (one.group,) in wanted) and layer in ("all", one.layer):
            shown = True
            told = " ".join(shell_quoted(v) for v in one.value.values)
            reply.out(f"{one.group}/{one.prop} {one.value.type} {one.layer} {told}".rstrip())
    return 0 if shown else 1
