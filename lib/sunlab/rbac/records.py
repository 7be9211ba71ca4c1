"""The lines of auth_attr(5), prof_attr(5), exec_attr(5), user_attr(5) and policy.conf(5). Pure.

Of svc.startd and of commands that are to be quick, so it imports nothing but re.
"""
import re
from typing import Dict, Iterable, Iterator, List, NamedTuple, Tuple

_COLON = re.compile(r"(?<!\\):")
_SEMICOLON = re.compile(r"(?<!\\);")
_ESCAPED = re.compile(r"\\([:;=,\\])")

Attributes = Dict[str, str]


class Execution(NamedTuple):
    """A command of a profile, and what it is run with."""
    profile: str
    policy: str
    path: str
    attributes: Attributes


def attributes(text: str) -> Attributes:
    """`key=value;key=value`."""
    pairs = (pair.split("=", 1) for pair in _SEMICOLON.split(text.strip()) if "=" in pair)
    return {key.strip(): _ESCAPED.sub(r"\1", value.strip()) for key, value in pairs}


def listed(value: str) -> List[str]:
    """`a,b`: names in their order."""
    return [name.strip() for name in value.split(",") if name.strip()]


def fields(lines: Iterable[str], least: int) -> Iterator[List[str]]:
    """The fields of each line that is neither empty nor a comment; a line with fewer than `least` is passed over."""
    for line in lines:
        if line.strip() and not line.startswith("#"):
            found = _COLON.split(line.rstrip("\n"))
            if len(found) >= least:
                yield found


def names(lines: Iterable[str]) -> Dict[str, Attributes]:
    """auth_attr, prof_attr, user_attr: name -> attributes. A name's first line counts."""
    found: Dict[str, Attributes] = {}
    for parts in fields(lines, 5):
        found.setdefault(parts[0], attributes(parts[-1]))
    return found


def executions(lines: Iterable[str]) -> Tuple[Execution, ...]:
    """exec_attr: the commands, in the order of the file."""
    return tuple(Execution(parts[0], parts[1], parts[5], attributes(parts[6]))
                 for parts in fields(lines, 7) if parts[2] == "cmd")


def policy(lines: Iterable[str]) -> Attributes:
    """policy.conf: KEY=value lines."""
    pairs = (line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    return {key.strip(): value.strip() for key, value in pairs}
