"""The language of zonecfg(8): its words, and the statements that they make (zonecfg_lex.l, zonecfg_grammar.y). Pure."""
from __future__ import annotations

from sunlab.zones import schema

VERBS = {
    "add": "add <resource-type>\n\t(global scope)\nadd <property-name> <property-value>\n\t(resource scope)",
    "cancel": "cancel",
    "clear": "clear <property-name>",
    "commit": "commit",
    "create": "create [-F] [ -a <path> | -b | -t <template> ]",
    "delete": "delete [-F]",
    "end": "end",
    "exit": "exit [-F]",
    "export": "export [-f output-file]",
    "help": "help [commands] [syntax] [usage] [<command-name>]",
    "info": "info [<resource-type> [property-name=property-value]*]",
    "remove": "remove [-F] <resource-type> [ <property-name>=<property-value> ]*\n\t(global scope)\n"
              "remove <property-name> <property-value>\n\t(resource scope)",
    "revert": "revert [-F]",
    "select": "select <resource-type> { <property-name>=<property-value> }",
    "set": "set <property-name>=<property-value>",
    "verify": "verify",
}
MARKS = "=[]()"
INNER = ("options", "value", "priv", "limit", "action", "zonename")


class Word:
    """`quoted`: stood between quotation marks, so it is never a mark or an option."""
    __slots__ = ("text", "quoted")

    def __init__(self, text: str, quoted: bool = False) -> None:
        self.text, self.quoted = text, quoted

    @property
    def mark(self) -> bool:
        return not self.quoted and len(self.text) == 1 and self.text in MARKS + ","


class SyntaxWrong(Exception):
    """The token at which reading stopped; `usage`: the verb whose usage is said instead."""

    def __init__(self, token: str, usage: str = "") -> None:
        super().__init__(token)
        self.token, self.usage = token, usage


class Value:
    """`shape`: simple, complex (in parentheses) or list (in brackets)."""
    __slots__ = ("shape", "items")

    def __init__(self, shape: str, items: list[str]) -> None:
        self.shape, self.items = shape, items


class Statement:
    """One subcommand: its verb, its options and operands, the property or resource it names, and the values."""
    __slots__ = ("verb", "options", "name", "value", "pairs")

    def __init__(self, verb: str) -> None:
        self.verb = verb
        self.options: list[str] = []
        self.name = ""
        self.value: Value | None = None
        self.pairs: dict[str, str] = {}


def property_names() -> set[str]:
    found = set(schema.scalars()) | set(schema.ALIASES) | set(INNER)
    for kind in schema.kinds().values():
        found |= set(kind.properties)
    return found


def words_of(line: str) -> list[list[Word]]:
    """A line's statements, as words. Raises SyntaxWrong for a quotation that does not end."""
    found: list[list[Word]] = [[]]
    at, within = 0, 0
    while at < len(line):
        letter = line[at]
        at += 1
        if letter in " \t":
            continue
        if letter == "#" and not found[-1]:
            break
        if letter == ";":
            found.append([])
        elif letter == '"':
            end = line.find('"', at)
            if end < 0:
                raise SyntaxWrong("\\n")
            found[-1].append(Word(line[at:end], True))
            at = end + 1
        elif letter in MARKS or letter == "," and within:
            within += (letter in "[(") - (letter in "])")
            found[-1].append(Word(letter))
        else:
            stops = ' \t";=[]()' + ("," if within else "")
            end = at
            while end < len(line) and line[end] not in stops:
                end += 1
            found[-1].append(Word(line[at - 1:end]))
            at = end
    return [words for words in found if words]


def token(words: list[Word], at: int = 0) -> str:
    return words[at].text if at < len(words) else "\\n"


def statement(words: list[Word]) -> Statement:
    """Raises SyntaxWrong."""
    verb = "help" if words[0].text == "?" else words[0].text
    if verb not in VERBS:
        raise SyntaxWrong(verb[:1])
    made, rest = Statement(verb), words[1:]
    while rest and not rest[0].quoted and rest[0].text.startswith("-"):
        made.options.append(rest.pop(0).text)
    if verb in ("create", "export") or verb == "help":
        made.options += [word.text for word in rest]
        return made
    if verb in ("cancel", "commit", "delete", "end", "exit", "revert", "verify"):
        if rest:
            raise SyntaxWrong(rest[0].text, verb)
        return made
    if not rest:
        if verb == "info":
            return made
        raise SyntaxWrong("", verb)
    return _named(made, rest)


def _named(made: Statement, rest: list[Word]) -> Statement:
    """set, clear, add, remove, select and info of something."""
    first = rest.pop(0)
    made.name = first.text
    if made.verb == "set":
        if first.text not in property_names() or token(rest) != "=":
            raise SyntaxWrong(token(rest))
        made.value = _value(rest[1:])
        return made
    if made.verb == "clear":
        if first.text not in property_names() or rest:
            raise SyntaxWrong(token(rest) if first.text in property_names() else first.text)
        return made
    if first.text in schema.kinds():
        made.pairs = _pairs(rest, made.verb)
    elif first.text in property_names() and made.verb == "info" and not rest:
        pass
    elif first.text in property_names() and made.verb in ("add", "remove") and rest:
        made.value = _value(rest)
    else:
        raise SyntaxWrong("", made.verb)
    return made


def _pairs(rest: list[Word], verb: str) -> dict[str, str]:
    """NAME=VALUE …; a number alone is the position of an anet or net, as Solaris counts them."""
    if len(rest) == 1 and rest[0].text.isdigit() and verb in ("remove", "select"):
        return {"": rest[0].text}
    found = {}
    while rest:
        if rest[0].text not in property_names():
            raise SyntaxWrong(rest[0].text)
        if token(rest, 1) != "=":
            raise SyntaxWrong(token(rest, 1))
        if len(rest) < 3 or rest[2].mark:
            raise SyntaxWrong(token(rest, 2))
        found[rest[0].text] = rest[2].text
        rest = rest[3:]
    return found


def _value(rest: list[Word]) -> Value:
    if not rest:
        raise SyntaxWrong("\\n")
    if rest[0].mark and rest[0].text == "(":
        text, rest = _complex(rest)
        made = Value("complex", [text])
    elif rest[0].mark and rest[0].text == "[":
        items: list[str] = []
        rest = rest[1:]
        while token(rest) != "]":
            if not rest:
                raise SyntaxWrong("\\n")
            if rest[0].text == "(":
                text, rest = _complex(rest)
                items.append(text)
            elif rest[0].text == "," and not rest[0].quoted:
                rest = rest[1:]
            else:
                items.append(_joined(rest))
                rest = rest[_length(rest):]
        made, rest = Value("list", items), rest[1:]
    elif rest[0].mark:
        raise SyntaxWrong(rest[0].text)
    else:
        made, rest = Value("simple", [rest[0].text]), rest[1:]
    if rest:
        raise SyntaxWrong(rest[0].text)
    return made


def _length(rest: list[Word]) -> int:
    """How many words until the next mark that ends a list's item."""
    return next((at for at, word in enumerate(rest) if word.mark and word.text in ",]"), len(rest))


def _joined(rest: list[Word]) -> str:
    return "".join(word.text for word in rest[:_length(rest)])


def _complex(rest: list[Word]) -> tuple[str, list[Word]]:
    end = next((at for at, word in enumerate(rest) if word.mark and word.text == ")"), -1)
    if end < 0:
        raise SyntaxWrong("\\n")
    return "".join(word.text for word in rest[:end + 1]), rest[end + 1:]
