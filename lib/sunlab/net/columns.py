"""Options and tables of ipadm(8) and dladm(8): getopt(3C), and libofmt's columns and -p output."""
from __future__ import annotations

import sys

FORM = "see the manual page"


class Refused(Exception):
    """Exit 1 with this text."""


class Usage(Exception):
    """Wrong words: `form` says how the command is used."""

    def __init__(self, form: str, what: str = "Invalid arguments") -> None:
        super().__init__(what)
        self.form = form


def options(words: list[str], with_value: str, flags: str) -> tuple[dict[str, str], list[str]]:
    """Single letters, their values, and the operands. Raises Usage."""
    found: dict[str, str] = {}
    rest = list(words)
    while rest and rest[0].startswith("-") and len(rest[0]) > 1:
        word = rest.pop(0)[1:]
        if word == "-":
            break
        while word:
            letter, word = word[0], word[1:]
            if letter in with_value:
                if not word and not rest:
                    raise Usage(FORM, f"option '-{letter}' requires a value")
                found[letter] = word or rest.pop(0)
                word = ""
            elif letter in flags:
                found[letter] = ""
            else:
                raise Usage(FORM, f"unrecognized option '-{letter}'")
    return found, rest


def escaped(values: list[str]) -> str:
    """A line of -p: with two or more fields, : and \\ inside a value are escaped."""
    if len(values) > 1:
        values = [value.replace("\\", "\\\\").replace(":", "\\:") for value in values]
    return ":".join(values)


def show(columns: dict[str, int], default: str, rows: list[dict[str, str]], given: dict[str, str],
         letter: str = "p") -> None:
    """Print rows as -p (or -`letter`) and -o ask. `columns`: each field and its width. Raises Refused."""
    parsable = letter in given
    if parsable and "o" not in given:
        raise Refused(f"-{letter} requires -o" if letter == "p" else "output fields must be specified in parsable mode")
    wanted = given.get("o", default).upper()
    if parsable and wanted == "ALL":
        raise Refused("output field `all' invalid in parsable mode")
    chosen = list(columns) if wanted == "ALL" else wanted.split(",")
    unknown = [name for name in chosen if name not in columns]
    if unknown:
        text = f"unknown output field{'s' if len(unknown) > 1 else ''} `{','.join(unknown).lower()}'"
        chosen = [name for name in chosen if name in columns]
        if parsable or not chosen:
            raise Refused(text if parsable else "no valid output fields")
        sys.stderr.write(f"warning: {text}\n")
    if parsable:
        sys.stdout.write("".join(escaped([row[name] for name in chosen]) + "\n" for row in rows))
        return
    # libofmt prints the header with the first row, so without rows there is none.
    for row in [{name: name for name in columns}, *rows] if rows else []:
        line = " ".join((row[name] or "--").ljust(columns[name] - 1) for name in chosen)
        sys.stdout.write(line.rstrip() + "\n")
