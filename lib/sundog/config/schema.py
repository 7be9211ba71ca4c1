"""What a configuration looks like: the tables of its sections, in the language of shape.py.

A resource type's keys come from its parameters class: a typing.NamedTuple or frozen dataclass whose fields are
annotated with str, a kind of fields.py, int, Tuple[one of these, ...], or Optional of these; a field with a default may
be left out.
"""
import typing
from typing import Any, ClassVar, Dict, List, Mapping, Union

from sundog.config import arbiter, fencing, paths, protection
from sundog.config.fields import AbsPath, Address, Duration, Field, Name, Network, Word
from sundog.config.holders import HOLDER, ZOOKEEPER, LedgerKeeper
from sundog.config.shape import Integer, Key, Later, ListOf, Named, Scalar, Section, Shape, Typed


class Timeout(Duration):
    """timing.timeout: L of the timing argument (docs/architecture.md, Safety)."""
    kind = "a timeout"
    example = "500ms, 1s or 2s; from 500ms to 60s"

    @classmethod
    def objection(cls, text: str) -> str:
        wrong = super().objection(text)
        if not wrong and not 0.5 <= Duration(text).seconds <= 60:
            return "it is out of bounds"
        return wrong


class Failback(Word):
    allowed = ("manual", "automatic")


class OnStopFailed(Word):
    allowed = ("fence", "block")


NODE = Section({
    "addresses": Key(ListOf(Scalar(Address), least=1), required=True),
    "votes": Key(Integer(0, 1)),
    "capacity": Key(Later("leave it out: placement does not weigh sizes yet")),
})
QUORUM = Section({"holders": Key(Named(HOLDER)), **arbiter.KEYS})
RECOVERY = Section({"window": Key(Scalar(Duration)), "on_stop_failed": Key(Scalar(OnStopFailed)),
                    "fencing": Key(Scalar(fencing.Fencing))})
TIMING = Section({"timeout": Key(Scalar(Timeout))})


def cluster(types: Mapping[str, type]) -> Section:
    """The shape of the whole file, with `types` as its resource types."""
    resource = Typed({name: parameters(params) for name, params in types.items()})
    group = Section({
        "nodes": Key(ListOf(Scalar(Name), least=1), required=True),
        "failback": Key(Scalar(Failback)),
        "resources": Key(Named(resource, least=1), required=True),
    })
    return Section({
        "cluster": Key(Scalar(Name), required=True),
        "key_file": Key(Scalar(AbsPath)),
        "timing": Key(TIMING),
        "nodes": Key(Named(NODE, least=1), required=True),
        "links": Key(Named(paths.LINK, least=1), required=True),
        "networks": Key(Named(Scalar(Network))),
        "quorum": Key(QUORUM),
        "recovery": Key(RECOVERY),
        "protection": Key(protection.SECTION),
        "groups": Key(Named(group)),
        "ledger": Key(Scalar(LedgerKeeper)),
        "zookeeper": Key(ZOOKEEPER),
        "fence": Key(fencing.FENCE),
        "on_double_owner": Key(Scalar(arbiter.OnDoubleOwner)),
    })


def parameters(params: type) -> Section:
    """The keys of a resource type."""
    keys = {"type": Key(Scalar(Name), required=True), "needs": Key(ListOf(Scalar(Name)))}
    defaults = defaults_of(params)
    for name, hint in typing.get_type_hints(params).items():
        if typing.get_origin(hint) is ClassVar:
            continue
        if name in ("type", "needs", "group", "resource"):
            raise TypeError(f"{params.__name__}.{name}: the name is taken")
        keys[name] = Key(shape_of(hint, f"{params.__name__}.{name}"), required=name not in defaults)
    return Section(keys)


def defaults_of(params: Any) -> Dict[str, Any]:
    if hasattr(params, "_field_defaults"):
        return dict(params._field_defaults)
    import dataclasses
    missing = dataclasses.MISSING
    return {f.name: f.default for f in dataclasses.fields(params)
            if f.default is not missing or f.default_factory is not missing}


def shape_of(hint: Any, where: str) -> Shape:
    """The shape that an annotation stands for. Raises TypeError for one that no configuration can hold."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is Union and len(args) == 2 and args[1] is type(None):
        return shape_of(args[0], where)
    if origin is tuple and len(args) == 2 and args[1] is Ellipsis:
        return ListOf(shape_of(args[0], where))
    if hint is int:
        return Integer()
    if hint is str:
        return Scalar(Field)
    if isinstance(hint, type) and issubclass(hint, Field):
        return Scalar(hint)
    raise TypeError(f"{where}: {hint!r} is not a kind of word")


def sections(top: Section) -> Dict[str, str]:
    """Every key of the format -> where it belongs, to tell a misplaced key from a misspelt one."""
    places: Dict[str, List[str]] = {}

    def visit(shape: Shape, path: str) -> None:
        if isinstance(shape, Section):
            for key, known in shape.keys.items():
                places.setdefault(key, []).append(path or "the top of the file")
                visit(known.shape, f"{path}.{key}" if path else key)
        elif isinstance(shape, Named):
            visit(shape.item, f"{path}.NAME")
        elif isinstance(shape, Typed):
            for kind, section in shape.kinds.items():
                visit(section, f"{path} of type {kind}")

    visit(top, "")
    return {key: " or ".join(dict.fromkeys(paths)) for key, paths in places.items() if key not in ("type", "needs")}
