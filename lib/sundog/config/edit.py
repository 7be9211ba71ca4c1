"""Add or take out a vote holder in the text of a configuration; every other character of it stays as it is.

The text is one that config.load reads without errors. What comes out is read again by the caller before it is used.
"""
from typing import List, Optional, Tuple

from yaml.nodes import MappingNode, Node

from sundog.config.tree import compose
from sundog.errors import ConfigProblem

Pair = Tuple[Node, Node]


class CannotEdit(ConfigProblem):
    """The text is written in a way that is not understood here."""


def with_holder(text: str, name: str, spec: str) -> str:
    """The text with a holder `name` under quorum.holders; `spec` is its value in YAML's flow style."""
    quorum = _child(_root(text), "quorum")
    if quorum is None or not _filled(quorum[1]):
        rest = text if quorum is None else _without(text, _mapping(_root(text)), quorum)
        return f"{rest.rstrip()}\n\nquorum:\n  holders:\n    {name}: {spec}\n"
    holders = _child(quorum[1], "holders")
    if holders is None:
        return _insert(text, _mapping(quorum[1]), f"holders: {{{name}: {spec}}}")
    if not _filled(holders[1]):
        return _replace(text, holders, f"holders: {{{name}: {spec}}}")
    return _insert(text, _mapping(holders[1]), f"{name}: {spec}")


def without_holder(text: str, name: str) -> str:
    """The text without the holder `name`. Raises CannotEdit when it has none."""
    quorum = _child(_root(text), "quorum")
    holders = _child(quorum[1], "holders") if quorum is not None else None
    pair = _child(holders[1], name) if holders is not None else None
    if holders is None or pair is None:
        raise CannotEdit(f"there is no vote holder {name} in the configuration", "sundog quorum status lists them; "
                         "a node's vote is taken with 'votes: 0'")
    if len(holders[1].value) == 1:
        return _replace(text, holders, "holders: {}")
    return _without(text, _mapping(holders[1]), pair)


def _root(text: str) -> Node:
    return compose(text, "cluster.yaml")


def _child(node: Node, key: str) -> Optional[Pair]:
    pairs: List[Pair] = node.value if isinstance(node, MappingNode) else []
    return next((pair for pair in pairs if pair[0].value == key), None)


def _mapping(node: Node) -> MappingNode:
    assert isinstance(node, MappingNode)
    return node


def _filled(node: Node) -> bool:
    return isinstance(node, MappingNode) and bool(node.value)


def _insert(text: str, mapping: MappingNode, entry: str) -> str:
    """One more entry at the end of a mapping that has some."""
    at = _end(mapping.value[-1][1])
    if mapping.flow_style:
        return f"{text[:at]}, {entry}{text[at:]}"
    column = mapping.value[0][0].start_mark.column
    line_end = _line_end(text, at)
    before = text[:line_end] if text[:line_end].endswith("\n") else text[:line_end] + "\n"
    return f"{before}{' ' * column}{entry}\n{text[line_end:]}"


def _replace(text: str, pair: Pair, entry: str) -> str:
    return text[:pair[0].start_mark.index] + entry + text[_end(pair[1]):]


def _without(text: str, mapping: MappingNode, pair: Pair) -> str:
    begin, end = pair[0].start_mark.index, _end(pair[1])
    if not mapping.flow_style:
        return text[:text.rfind("\n", 0, begin) + 1] + text[_line_end(text, end):]
    place = mapping.value.index(pair)
    if place + 1 < len(mapping.value):
        return text[:begin] + text[mapping.value[place + 1][0].start_mark.index:]
    return text[:_end(mapping.value[place - 1][1])] + text[end:]


def _end(node: Node) -> int:
    """Where the last character of a value is; a block mapping's own mark lies behind the comments that follow it."""
    if isinstance(node, MappingNode) and not node.flow_style and node.value:
        return _end(node.value[-1][1])
    if not isinstance(node.value, str) and not getattr(node, "flow_style", True) and node.value:
        return _end(node.value[-1])
    return int(node.end_mark.index)


def _line_end(text: str, at: int) -> int:
    """The beginning of the line after the one that `at` is in."""
    newline = text.find("\n", at)
    return len(text) if newline < 0 else newline + 1
