"""Options and tables of ipadm(8) and dladm(8): getopt(3C), and libofmt's columns and -p output."""
from __future__ import annotations

import sys


class Refused(Exception):
    """Exit 1 with this text."""


class Usage(Exception):
    """Exit 2 with this text."""


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
                    raise Usage(f"option '-{letter}' requires an argument")
                found[letter] = word or rest.pop(0)
                word = ""
            elif letter in flags:
                found[letter] = ""
            else:
                raise Usage(f"unrecognized option '-{letter}'")
    return found, rest


def escaped(values: list[str]) -> str:
    """A line of -p: with two or more fields, : and \\ inside a value are escaped."""
    if len(values) > 1:
        values = [value.replace("\\", "\\\\").replace(":", "\\:") for value in values]
    return ":".join(values)


def show(columns: dict[str, int], default: str, rows: list[dict[str, str]], given: dict[str, str]) -> None:
    """Print rows as -p and -o ask. `columns`: each field and its width. Raises Refused."""
    if "p" in given and "o" not in given:
        raise Refused("-p requires -o")
    wanted = given.get("o", default).upper()
    chosen = list(columns) if wanted == "ALL" else wanted.split(",")
    for name in chosen:
        if name not in columns:
            raise Refused(f"unknown output field `{name.lower()}'")
    if "p" in given:
        sys.stdout.write("".join(escaped([row[name] for name in chosen]) + "\n" for row in rows))
        return
    for row in [{name: name for name in columns}, *rows]:
        line = " ".join((row[name] or "--").ljust(columns[name]) for name in chosen)
        sys.stdout.write(line.rstrip() + "\n")
