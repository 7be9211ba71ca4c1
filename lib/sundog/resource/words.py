"""A resource's parameters as words of a method's command line, and back: address=10.0.0.100/24.

svc.startd puts the values in by its tokens and quotes them for the shell, except characters by which the shell would
expand them; those travel as %XX. An empty value means that the parameter is absent.
"""
from typing import Any, Dict, Mapping, Sequence, Type, TypeVar, get_args

from sundog.errors import ConfigProblem

EXPANDED_BY_SHELL = "%$*?[]{}~#!"

P = TypeVar("P")


def encoded(text: str) -> str:
    return "".join(f"%{ord(c):02X}" if c in EXPANDED_BY_SHELL else c for c in text)


def decoded(word: str) -> str:
    """Raises ValueError for what `encoded` cannot have made."""
    plain, *rest = word.split("%")
    return plain + "".join(chr(int(part[:2], 16)) + part[2:] for part in rest)


def pairs(words: Sequence[str]) -> Dict[str, str]:
    """name -> value of those that are not empty. Raises ConfigProblem."""
    found: Dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise ConfigProblem(f"'{word}' is no parameter", "write NAME=VALUE")
        if value:
            try:
                found[name] = decoded(value)
            except ValueError:
                raise ConfigProblem(f"{name}: '{value}' is not written as svc.startd passes it",
                                    "svcadm restart coordinator writes the instances anew") from None
    return found


def made(params: Type[P], given: Mapping[str, str]) -> P:
    """Parameters of a type from their texts, which the configuration has checked. Raises ConfigProblem."""
    kinds: Dict[str, Any] = params.__annotations__
    try:
        return params(**{name: kind_of(kinds[name])(text) for name, text in given.items()})
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigProblem(f"parameters {', '.join(given) or 'none'} do not fit the type: {error}",
                            "sundog apply the configuration again") from None


def kind_of(annotation: Any) -> Any:
    """The kind of word that an annotation asks for, Optional or not."""
    return next((kind for kind in get_args(annotation) if kind is not type(None)), annotation)
