"""From text to a tree of YAML nodes that know their places. Nothing is constructed; only ConfigError comes out.

What a configuration has no use for is refused here: aliases, tags, several documents, deep nesting.
"""
from typing import Any, Dict, List, Optional

import yaml
from yaml.nodes import Node

from sundog.config.problems import ERROR, ConfigError, Mark, Problem

MAX_DEPTH = 20
MAX_CHARACTERS = 1 << 20


class Refusal(yaml.MarkedYAMLError):
    """YAML that is well formed, but that a configuration may not use."""


class Composer(yaml.SafeLoader):
    """PyYAML's composer, which refuses what a hand-written file never needs."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.depth = 0

    def compose_node(self, parent: Optional[Node], index: Any) -> Optional[Node]:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise Refusal(None, None, "anchors and aliases are not read; write the value out", event.start_mark)
        if getattr(event, "tag", None):
            raise Refusal(None, None, "tags are not read; leave it out", event.start_mark)
        if self.depth >= MAX_DEPTH:
            raise Refusal(None, None, f"it is nested more than {MAX_DEPTH} deep", event.start_mark)
        self.depth += 1
        node: Optional[Node] = super().compose_node(parent, index)
        self.depth -= 1
        return node


def compose(text: str, name: str) -> Node:
    """The root node of `text`. Raises ConfigError, with `name` as the file's name."""
    def fail(mark: Mark, what: str, remedy: str = "") -> ConfigError:
        return ConfigError((Problem(ERROR, name, mark, what, remedy),))

    if len(text) > MAX_CHARACTERS:
        raise fail(Mark(1, 1), f"the file has more than {MAX_CHARACTERS} characters", "split the cluster")
    try:
        root = Composer(text).get_single_node()
    except yaml.reader.ReaderError as error:
        raise fail(place(text, error.position), f"character {ascii(text[error.position])[1:-1]} cannot be in YAML",
                   "remove it") from error
    except yaml.MarkedYAMLError as error:
        raise fail(mark_of(error), *explained(error)) from error
    except (ValueError, OverflowError) as error:
        # The scanner hands \U escapes and version numbers to chr() and int() as they come.
        raise fail(Mark(1, 1), f"the file is not YAML ({error})", "look for a '\\U' or '%YAML' in it") from error
    if root is None:
        raise fail(Mark(1, 1), "the file is empty", "begin with 'cluster: NAME'; see docs/configuration.md")
    return root


def place(text: str, index: int) -> Mark:
    before = text[:index]
    return Mark(before.count("\n") + 1, index - before.rfind("\n"))


def mark_of(error: yaml.MarkedYAMLError) -> Mark:
    mark = error.problem_mark or error.context_mark
    return Mark(mark.line + 1, mark.column + 1) if mark else Mark(1, 1)


#: PyYAML's own words -> ours, with what to do.
PLAINLY: Dict[str, List[str]] = {
    "'\\t' that cannot start any token": ["a tab where YAML wants spaces", "indent with spaces only"],
    "expected <block end>": ["the indentation does not fit what is above",
                             "indent the keys of one section alike"],
    "expected '<document start>'": ["the indentation does not fit what is above",
                                    "begin every key of the top at the first column"],
    "could not find expected ':'": ["a key without ':'", "write 'key: value', with a space after the colon"],
    "mapping values are not allowed": ["a second ':' in one line, or a key indented too far",
                                       "put a value that has ': ' in it in quotes"],
    "expected ',' or '}'": ["'{' is not closed, or a comma is missing", "write {key: value, key: value}"],
    "expected ',' or ']'": ["'[' is not closed, or a comma is missing", "write [value, value]"],
    "unexpected end of stream": ["a quote is not closed", "close it"],
    "but found another document": ["a second document begins here", "remove '---'"],
}


def explained(error: yaml.MarkedYAMLError) -> List[str]:
    """[what is wrong, what to do] in words of this trade, as far as the parser's own are known."""
    said = error.problem or "unknown"
    if isinstance(error, Refusal):
        what, _, remedy = said.partition("; ")
        return [what, remedy]
    for theirs, ours in PLAINLY.items():
        if theirs in said:
            return ours
    return [f"this is not YAML: {said}" + (f" {error.context}" if error.context else ""), "see docs/configuration.md"]
