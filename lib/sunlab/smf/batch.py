"""The language of svccfg's commands: lines, words and value lists (svccfg(8)). Pure."""
import re
import shlex
from typing import List


class Refused(Exception):
    """A subcommand failed; the text is for stderr."""


def lines_of(text: str) -> List[str]:
    """Commands, one a line; a backslash joins lines, and so does a value list until its closing parenthesis."""
    joined: List[str] = []
    for piece in text.replace("\\\n", " ").splitlines():
        open_list = joined and re.search(r"=\s*(\w+:)?\s*\(", joined[-1]) and not joined[-1].rstrip().endswith(")")
        if open_list:
            joined[-1] += " " + piece
        else:
            joined.append(piece)
    return joined


def words_of(text: str) -> List[str]:
    """Words of a command; setprop's and addpropvalue's values keep their quotes for value_list."""
    head = text.strip().split(None, 1)
    if head and head[0] in ("setprop", "addpropvalue", "delpropvalue"):
        return head
    try:
        return shlex.split(text, comments=True)
    except ValueError as wrong:
        raise Refused(f'Syntax error: {wrong}: "{text}"') from wrong


def value_list(text: str) -> List[str]:
    """The values of `VALUE` or `("a" "b")`; a double-quoted value may hold \\\" and \\\\."""
    text = text.strip()
    if text.startswith("("):
        if not text.endswith(")"):
            raise Refused("Syntax error: missing )")
        text = text[1:-1]
    found = []
    for quoted, plain in re.findall(r'"((?:[^"\\]|\\.)*)"|([^\s"]+)', text):
        found.append(plain if plain else re.sub(r"\\(.)", r"\1", quoted))
    rest = re.sub(r'"((?:[^"\\]|\\.)*)"|([^\s"]+)', "", text).strip()
    if rest:
        raise Refused(f"Syntax error: unbalanced quotes in {text}")
    return found
