"""Property groups, their types and how values are written and checked (smf(7), scf_value_create(3SCF)). Pure."""
import re
from typing import Dict, Mapping, NamedTuple, Optional, Tuple

TYPES = ("boolean", "count", "integer", "opaque", "host", "hostname", "net_address", "net_address_v4", "net_address_v6",
         "time", "astring", "ustring", "fmri", "uri")
NO_LIMIT = "18446744073709551615"       # a count of -1, the way libscf prints it
_SHAPES = {
    "boolean": re.compile(r"true|false|0|1"),
    "count": re.compile(r"\d+"),
    "integer": re.compile(r"-?\d+"),
    "opaque": re.compile(r"(?:[0-9a-fA-F]{2})*"),
    "time": re.compile(r"\d+(?:\.\d{1,9})?"),
    "net_address_v4": re.compile(r"\d{1,3}(?:\.\d{1,3}){3}(?:/\d{1,2})?"),
}
_SPECIAL = re.compile(r'([;&()|^<>\n \t\\"\'`])')       # the Bourne shell's, for svcprop and for method tokens
READABLE = frozenset(' \t\n"()')       # what makes svccfg listprop and svcs -lv put quotes around a value


class Prop(NamedTuple):
    type: str
    values: Tuple[str, ...]


class Group(NamedTuple):
    """A property group; never changed in place, so that a snapshot may share it."""
    type: str
    props: Mapping[str, Prop]
    persistent: bool = True


Groups = Dict[str, Group]


def value_error(kind: str, value: str) -> Optional[str]:
    """Why `value` cannot be of type `kind`, or None."""
    shape = _SHAPES.get(kind)
    if kind not in TYPES:
        return f'Unknown type "{kind}".'
    if shape is not None and not shape.fullmatch(value):
        return f'Invalid "{kind}" value "{value}".'
    return None


def canonical(kind: str, value: str) -> str:
    """The value as the repository prints it back."""
    if kind == "boolean":
        return {"0": "false", "1": "true"}.get(value, value)
    if kind == "count" and value == "-1":
        return NO_LIMIT
    return value


def with_value(groups: Groups, group: str, prop: str, value: Prop) -> None:
    """Put one property into an existing group (copy on write)."""
    old = groups[group]
    groups[group] = old._replace(props={**old.props, prop: value})


def compose(instance: Groups, service: Groups) -> Groups:
    """The view of an instance: its own properties over its service's."""
    view = dict(service)
    for name, group in instance.items():
        below = service.get(name)
        view[name] = group if below is None else group._replace(props={**below.props, **group.props})
    return view


def first(groups: Groups, group: str, prop: str, default: str = "") -> str:
    """The first value of a property, or `default` where there is none."""
    found = groups.get(group)
    values = found.props[prop].values if found is not None and prop in found.props else ()
    return values[0] if values else default


def values(groups: Groups, group: str, prop: str) -> Tuple[str, ...]:
    found = groups.get(group)
    return found.props[prop].values if found is not None and prop in found.props else ()


def shell_quoted(value: str) -> str:
    """As svcprop prints a value: backslashes before what a shell would take apart; an empty one is \"\"."""
    return _SPECIAL.sub(r"\\\1", value) if value else '""'


def token_quoted(value: str) -> str:
    """As a method token is put into a command (smf_method(7), PROPERTY tokens)."""
    return _SPECIAL.sub(r"\\\1", value)


def quoted(value: str) -> str:
    """As people read it: between quotes, with backslashes before quotes and backslashes."""
    inner = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{inner}"'
