"""The language of svccfg's commands (svccfg.l, svccfg.y): words, quoted strings, value lists over lines. Pure."""
import re
from typing import Iterator, List, NamedTuple, Optional, Tuple


class Refused(Exception):
    """A subcommand failed; the text is for stderr."""


class SyntaxWrong(Refused):
    """A line that is no command."""

    def __init__(self) -> None:
        super().__init__("Syntax error.")


class Word(NamedTuple):
    """`kind`: word, string (its text keeps the quotes around it), or one of = ( ) > as its own kind."""
    kind: str
    text: str


class Command(NamedTuple):
    line: int               # where it ends, from 1
    words: Tuple[Word, ...]


_TOKEN = re.compile(r'(?P<blank>[ \t]+)|(?P<comment>#[^\n]*)|(?P<word>[^ \t\n">=()]+)|(?P<string>"(?:[^"\\]|\\.)*")'
                    r"|(?P<sign>[=()>])|(?P<newline>\n)", re.DOTALL)


def commands(text: str) -> Iterator[Command]:
    """One after the other, so that what stands before a mistake is carried out. Raises SyntaxWrong, Refused."""
    at, line, depth = 0, 1, 0
    words: List[Word] = []
    text = text if text.endswith("\n") else text + "\n"
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise Refused(f"unrecognized character {text[at]}")
        at, kind, what = found.end(), found.lastgroup or "", found.group()
        line += what.count("\n")
        if kind == "newline":
            if depth <= 0:
                if words:
                    yield Command(line - 1, tuple(words))
                words, depth = [], 0
        elif kind == "string":
            words.append(Word("string", re.sub(r"\\(.)", r"\1", what, flags=re.DOTALL)))
        elif kind == "sign":
            depth += {"(": 1, ")": -1}.get(what, 0)
            words.append(Word(what, what))
        elif kind == "word":
            words.append(Word("word", what))
    if words:
        raise SyntaxWrong()


def plain(words: "Tuple[Word, ...] | List[Word]") -> List[str]:
    """The texts of words and strings (without their quotes). Raises SyntaxWrong where there is a sign."""
    if any(w.kind not in ("word", "string") for w in words):
        raise SyntaxWrong()
    return [bare(w) for w in words]


def bare(word: Word) -> str:
    return word.text[1:-1] if word.kind == "string" else word.text


class Assignment(NamedTuple):
    """`group/property = [type:] value` or `(values)`. `kind` keeps what stood there, with its colon."""
    path: str
    kind: Optional[str]
    values: Tuple[Word, ...]
    listed: bool


def assignment(words: Tuple[Word, ...]) -> Assignment:
    """What setprop is given. Raises SyntaxWrong."""
    if len(words) < 3 or words[0].kind != "word" or words[1].kind != "=":
        raise SyntaxWrong()
    rest = list(words[2:])
    kind = None
    if len(rest) > 1 and rest[0].kind == "word":
        kind = rest.pop(0).text
    if rest[0].kind == "(" and rest[-1].kind == ")":
        plain(rest[1:-1])
        return Assignment(words[0].text, kind, tuple(rest[1:-1]), True)
    if len(rest) != 1:
        raise SyntaxWrong()
    plain(rest)
    return Assignment(words[0].text, kind, tuple(rest), False)


def redirected(words: Tuple[Word, ...]) -> Tuple[List[str], Optional[str]]:
    """Operands, and the file after `>`. Raises SyntaxWrong."""
    signs = [at for at, word in enumerate(words) if word.kind == ">"]
    if not signs:
        return plain(words), None
    if len(words) != signs[0] + 2:
        raise SyntaxWrong()
    return plain(words[:signs[0]]), bare(words[-1])
