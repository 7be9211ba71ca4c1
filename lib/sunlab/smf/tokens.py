"""Method tokens: %m, %i, %{group/property}, ... in a method's exec string (smf_method(7), Method Tokens). Pure."""
from typing import Callable, Optional, Sequence

from sunlab.smf.properties import token_quoted


class TokenInvalid(Exception):
    """A token that is not known, or names a property that is not there (EINVAL in svc.startd)."""


Look = Callable[[Optional[str], str, str], Optional[Sequence[str]]]


def expand(text: str, *, method: str, service: str, instance: str, look: Look) -> str:
    """Replace the tokens of `text`. `look(fmri or None, group, property)` answers with the values, or None.

    Raises TokenInvalid.
    """
    plain = {"%": "%", "r": "svc.startd", "m": method, "s": service, "i": instance, "f": f"svc:/{service}:{instance}"}
    parts = []
    at = 0
    while at < len(text):
        if text[at] != "%":
            parts.append(text[at])
            at += 1
        elif text[at + 1:at + 2] == "{":
            end = text.find("}", at)
            if end < 0:
                raise TokenInvalid(f'"{text[at:]}" has no closing brace')
            parts.append(_property(text[at + 2:end], look))
            at = end + 1
        elif text[at + 1:at + 2] in plain and at + 1 < len(text):
            parts.append(plain[text[at + 1]])
            at += 2
        else:
            raise TokenInvalid(f'unknown token "{text[at:at + 2]}"')
    return "".join(parts)


def _property(token: str, look: Look) -> str:
    separator = " "
    if token[-1:] in (",", ":"):
        separator, token = token[-1], token[:-1]
    fmri: Optional[str] = None
    if token.startswith("svc:"):
        fmri, _, token = token.partition("/:properties/")
    group, slash, name = token.rpartition("/")
    values = look(fmri, group if slash else "application", name)
    if values is None:
        raise TokenInvalid(f'no property "{token}"')
    return separator.join(token_quoted(v) for v in values)
