"""A small language to say what a configuration looks like, and the one reader that understands it.

A shape reads a YAML node and returns what it found, with places; what does not fit becomes a Problem and is left out,
so that one run finds every mistake. What values mean to each other is not known here.
"""
from dataclasses import dataclass
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Type, Union

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from sundog.config.fields import BadValue, Field, Name, quoted
from sundog.config.problems import ERROR, Mark, Problem

TOP = "the file"
BOOL, NULL = "tag:yaml.org,2002:bool", "tag:yaml.org,2002:null"


class Found(NamedTuple):
    """A value that fits its shape. `key` is the place of its key, or its own where it has none."""
    value: Any
    mark: Mark
    key: Mark


class Record(Dict[str, Found]):
    """What a section or a mapping of names held; keys whose values did not fit are in `names` only."""

    def __init__(self, mark: Mark) -> None:
        super().__init__()
        self.mark = mark
        self.names: Dict[str, Mark] = {}

    def value(self, key: str, default: Any = None) -> Any:
        return self[key].value if key in self else default

    def record(self, key: str) -> "Record":
        """The record under `key`; an empty one if there is none."""
        found = self.value(key)
        return found if isinstance(found, Record) else Record(self.mark)

    def records(self) -> Iterator[Tuple[str, "Record"]]:
        return ((name, found.value) for name, found in self.items() if isinstance(found.value, Record))


def mark_of(node: Node) -> Mark:
    return Mark(node.start_mark.line + 1, node.start_mark.column + 1)


def kind_of(node: Node) -> str:
    if isinstance(node, MappingNode):
        return "a mapping"
    if isinstance(node, SequenceNode):
        return "a list"
    return "nothing" if is_plain(node, NULL) else quoted(node.value)


def is_plain(node: Node, *tags: str) -> bool:
    """Is this a word without quotes that YAML takes for one of `tags`?"""
    return isinstance(node, ScalarNode) and node.style is None and node.tag in tags


class Report:
    """Collects the problems of one file."""

    def __init__(self, file: str, elsewhere: Mapping[str, str]) -> None:
        self.file = file
        self.elsewhere = elsewhere          # key -> the section that has it, to tell misplaced from misspelt
        self.problems: List[Problem] = []

    def say(self, mark: Mark, text: str, remedy: str = "", severity: str = ERROR) -> None:
        self.problems.append(Problem(severity, self.file, mark, text, remedy))

    @property
    def failed(self) -> bool:
        return any(problem.severity == ERROR for problem in self.problems)


@dataclass(frozen=True)
class Scalar:
    """One word of a kind."""
    kind: Type[Field]

    def read(self, node: Node, report: Report, path: str) -> Optional[Field]:
        if not isinstance(node, ScalarNode) or is_plain(node, NULL):
            report.say(mark_of(node), f"{path} is {kind_of(node)}, not {self.kind.kind}", f"write {self.kind.hint()}")
            return None
        if is_plain(node, BOOL):
            report.say(mark_of(node), f"{path} is {kind_of(node)}, which YAML takes for yes or no",
                       "put the word in quotes, if it is one")
            return None
        try:
            return self.kind.parse(node.value)
        except BadValue as error:
            report.say(mark_of(node), f"{path}: {error.what}", error.remedy)
            return None


@dataclass(frozen=True)
class Integer:
    """A whole number within bounds."""
    low: int = 0
    high: int = 2**31 - 1

    def read(self, node: Node, report: Report, path: str) -> Optional[int]:
        text = node.value if isinstance(node, ScalarNode) and node.style is None else ""
        digits = text[1:] if text.startswith("-") else text
        if not digits.isdecimal() or not digits.isascii() or len(digits) > 12:
            report.say(mark_of(node), f"{path} is {kind_of(node)}, not a whole number", f"write {self.bounds}")
            return None
        if not self.low <= int(text) <= self.high:
            report.say(mark_of(node), f"{path} is {text}", f"write {self.bounds}")
            return None
        return int(text)

    @property
    def bounds(self) -> str:
        return f"a whole number from {self.low} to {self.high}"


@dataclass(frozen=True)
class ListOf:
    """A list of one shape. Its value is a tuple of Found; what did not fit is left out."""
    item: "Shape"
    least: int = 0

    def read(self, node: Node, report: Report, path: str) -> Optional[Tuple[Found, ...]]:
        if not isinstance(node, SequenceNode):
            remedy = f"write [{node.value}]" if isinstance(node, ScalarNode) and node.tag != NULL else "write [a, b]"
            report.say(mark_of(node), f"{path} is {kind_of(node)}, not a list", remedy)
            return None
        if len(node.value) < self.least:
            report.say(mark_of(node), f"{path} is an empty list", "write at least one")
            return None
        found = []
        for child in node.value:
            value = self.item.read(child, report, path)
            if value is not None:
                found.append(Found(value, mark_of(child), mark_of(child)))
        return tuple(found)


@dataclass(frozen=True)
class Key:
    """One key of a section."""
    shape: "Shape"
    required: bool = False


@dataclass(frozen=True)
class Later:
    """Something that the format knows and this version does not do: said plainly, whatever its value."""
    instead: str = ""

    def read(self, node: Node, report: Report, path: str) -> None:
        report.say(mark_of(node), f"{path} is not in this version", self.instead or "leave it out")


@dataclass(frozen=True)
class Section:
    """A mapping whose keys are known."""
    keys: Mapping[str, Key]

    def read(self, node: Node, report: Report, path: str) -> Optional[Record]:
        pairs = mapping(node, report, path, f"with {', '.join(self.keys)}")
        if pairs is None:
            return None
        record = Record(mark_of(node))
        for key, key_mark, child in pairs:
            record.names[key] = key_mark
            known = self.keys.get(key)
            if known is None:
                report.say(key_mark, f"unknown key {quoted(key)} in {path}", self.remedy(key, report))
                continue
            value = known.shape.read(child, report, joined(path, key))
            if value is not None:
                record[key] = Found(value, mark_of(child), key_mark)
        for key, known in self.keys.items():
            if known.required and key not in record.names:
                report.say(record.mark, f"{path} has no {quoted(key)}", f"add '{key}: …'")
        return record

    def remedy(self, key: str, report: Report) -> str:
        if key in report.elsewhere:
            return f"it belongs in {report.elsewhere[key]}; {allowed(self.keys)}"
        near = nearest(key, self.keys)
        return (f"did you mean '{near}'? " if near else "") + allowed(self.keys)


@dataclass(frozen=True)
class Named:
    """A mapping whose keys are names that the operator gives."""
    item: "Shape"
    least: int = 0

    def read(self, node: Node, report: Report, path: str) -> Optional[Record]:
        pairs = mapping(node, report, path, "of names")
        if pairs is None:
            return None
        record = Record(mark_of(node))
        if len(pairs) < self.least:
            report.say(record.mark, f"{path} is empty", "write at least one")
        for key, key_mark, child in pairs:
            try:
                Name.parse(key)
            except BadValue as error:
                report.say(key_mark, f"{path}: {error.what}", error.remedy)
                continue
            record.names[key] = key_mark
            value = self.item.read(child, report, joined(path, key))
            if value is not None:
                record[key] = Found(value, mark_of(child), key_mark)
        return record


@dataclass(frozen=True)
class Typed:
    """A section whose keys depend on its key `type`."""
    kinds: Mapping[str, Section]

    def read(self, node: Node, report: Report, path: str) -> Optional[Record]:
        pairs = mapping(node, report, path, "with 'type'")
        if pairs is None:
            return None
        kind = next((child for key, _, child in pairs if key == "type"), None)
        if kind is None:
            report.say(mark_of(node), f"{path} has no 'type'", f"add 'type: …', one of {', '.join(self.kinds)}")
            return None
        if not isinstance(kind, ScalarNode) or kind.value not in self.kinds:
            self.refuse(kind, report, path)
            return None
        return self.kinds[kind.value].read(node, report, path)

    def refuse(self, kind: Node, report: Report, path: str) -> None:
        near = nearest(kind.value, self.kinds) if isinstance(kind, ScalarNode) else ""
        report.say(mark_of(kind), f"{path}: unknown type {kind_of(kind)}",
                   (f"did you mean '{near}'? " if near else "") + f"known are {', '.join(self.kinds)}")


Shape = Union[Scalar, Integer, ListOf, Section, Named, Typed, Later]


def mapping(node: Node, report: Report, path: str, of: str) -> Optional[List[Tuple[str, Mark, Node]]]:
    """The pairs of a mapping, each key once. None, and a problem, if the node is none."""
    if not isinstance(node, MappingNode):
        report.say(mark_of(node), f"{path} is {kind_of(node)}, not a mapping {of}", "write 'key: value' below it")
        return None
    first: Dict[str, Mark] = {}
    pairs: List[Tuple[str, Mark, Node]] = []
    for key, value in node.value:
        mark = mark_of(key)
        if not isinstance(key, ScalarNode) or is_plain(key, BOOL, NULL):
            report.say(mark, f"{path} has a key that is {kind_of(key)}", "put the key in quotes, if it is a word")
        elif key.value in first:
            report.say(mark, f"{path} has {quoted(key.value)} twice, first on line {first[key.value].line}",
                       "keep one of them")
        else:
            first[key.value] = mark
            pairs.append((key.value, mark, value))
    return pairs


def joined(path: str, key: str) -> str:
    return key if path == TOP else f"{path}.{key}"


def allowed(keys: Mapping[str, Key]) -> str:
    return f"allowed here: {', '.join(keys)}"


def nearest(word: str, known: Union[Sequence[str], Mapping[str, Any]]) -> str:
    """The known word that `word` was most likely meant to be, or an empty string."""
    import difflib
    close = difflib.get_close_matches(word[:60].lower().replace("-", "_"), [k.replace("-", "_") for k in known], 1, 0.6)
    return next((k for k in known if close and k.replace("-", "_") == close[0]), "")
