"""A scenario file: steps upon a lab, one after the other. Every mistake is said with its line. Reading alone; no I/O.

lab: lab.yaml
steps:
  - up:
  - exec: {on: n1, run: svcs -x, status: 0, output: regular expression}
  - kill: n1
  - expect: {on: n2, run: svcs -Ho state web, output: online, within: 20}
"""
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, List, Mapping, Tuple

import yaml

from sunlab.disks.fault import fault_of
from sunlab.spec import Reader, Spec, SpecError, read

ON_NODE = ("kill", "boot", "freeze", "thaw", "wait-booted")
COMMANDS = ("exec", "expect")
KEYS: Dict[str, Tuple[str, ...]] = {"exec": ("on", "run", "status", "output"),
                                    "expect": ("on", "run", "status", "output", "within"),
                                    "cut": ("node", "network", "from", "one-way"),
                                    "disk": ("node", "disk", "fault")}
KINDS = ("up", *ON_NODE, "cut", "heal", "disk", *COMMANDS, "sleep")
WITHIN_S = 30.0


@dataclass(frozen=True)
class Step:
    kind: str
    line: int
    what: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return " ".join([self.kind, *self.what.values()])

    @property
    def within_s(self) -> float:
        return float(self.what.get("within", WITHIN_S))


@dataclass(frozen=True)
class Scenario:
    name: str
    lab: Path
    steps: Tuple[Step, ...]


def load(path: Path) -> Scenario:
    """Raises SpecError with every mistake of the file (or of its lab file), OSError."""
    text = path.read_text(encoding="utf-8")
    reader = Reader(str(path))
    try:
        tree = yaml.compose(text)
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark
        where = f"{mark.line + 1}:{mark.column + 1}" if mark else "1:1"
        raise SpecError([f"{path}:{where}: error: this is not YAML: {problem.problem}"]) from problem
    if tree is None:
        raise SpecError([f"{path}:1:1: error: the file is empty; see `sunlab run --help` for its form"])
    top = reader.mapping(tree, ("lab", "steps"))
    for key in ("lab", "steps"):
        if key not in top:
            reader.wrong(tree, f"{key!r} is missing")
    if reader.problems:
        raise SpecError(reader.problems)
    lab = path.parent / reader.text(top["lab"])
    if not lab.is_file():
        reader.wrong(top["lab"], f"there is no lab file {lab}; name one relative to this file")
        raise SpecError(reader.problems)
    steps = steps_of(reader, top["steps"], read(lab))
    if reader.problems:
        raise SpecError(reader.problems)
    return Scenario(path.stem, lab, tuple(steps))


def steps_of(reader: Reader, node: Any, spec: Spec) -> List[Step]:
    if not isinstance(node, yaml.SequenceNode) or not node.value:
        reader.wrong(node, "expected a list of steps here, each `- KIND: …`")
        return []
    steps = []
    for item in node.value:
        pairs = reader.mapping(item, KINDS)
        if len(item.value) != 1 and isinstance(item, yaml.MappingNode):
            reader.wrong(item, "a step is one `KIND: …`; begin each with its own dash")
        for kind, value in pairs.items():
            steps.append(Step(kind, item.start_mark.line + 1, words_of(reader, kind, value, spec)))
    if steps and steps[0].kind != "up":
        reader.wrong(node.value[0], "the first step is `up:`, which builds the lab")
    return steps


def words_of(reader: Reader, kind: str, node: Any, spec: Spec) -> Dict[str, str]:
    if kind in ON_NODE:
        known(reader, node, [*spec.nodes, *(spec.nas if kind in ("kill", "boot") else ())], "node")
        return {"node": reader.text(node)}
    if kind == "sleep":
        number(reader, node)
        return {"seconds": reader.text(node)}
    if kind not in KEYS:
        if not isinstance(node, yaml.ScalarNode) or node.value:
            reader.wrong(node, f"{kind!r} takes nothing; write `- {kind}:`")
        return {}
    own = reader.mapping(node, KEYS[kind])
    for key in {"cut": ("node",), "disk": KEYS["disk"]}.get(kind, ("on", "run")):
        if key not in own:
            reader.wrong(node, f"{key!r} is missing; this step takes {', '.join(KEYS[kind])}")
    for key, value in own.items():
        check(reader, key, value, spec)
    return {key: reader.text(value) for key, value in own.items()}


def check(reader: Reader, key: str, value: Any, spec: Spec) -> None:
    if key in ("node", "from"):
        known(reader, value, [*spec.nodes, *spec.nas], "node")
    elif key == "on":
        known(reader, value, list(spec.hosts), "node or client")
    elif key == "network":
        known(reader, value, spec.networks, "network")
    elif key == "disk":
        known(reader, value, spec.faulty, "disk with `faults: true`")
    elif key == "fault":
        try:
            fault_of(reader.text(value))
        except ValueError as wrong:
            reader.wrong(value, str(wrong))
    elif key == "one-way" and reader.text(value) not in ("true", "false"):
        reader.wrong(value, "one-way is true or false")
    elif key == "status" and not re.fullmatch(r"\d{1,3}", reader.text(value)):
        reader.wrong(value, "status is an exit status, such as 0")
    elif key == "within":
        number(reader, value)
    elif key == "output":
        try:
            re.compile(reader.text(value))
        except re.error as wrong:
            reader.wrong(value, f"output is a regular expression: {wrong}; put \\ before a sign that stands for itself")


def known(reader: Reader, node: Any, names: Any, what: str) -> None:
    if reader.text(node) not in names:
        reader.wrong(node, f"the lab has no {what} {reader.text(node)!r}; it has {', '.join(names)}")


def number(reader: Reader, node: Any) -> None:
    if not re.fullmatch(r"\d+(\.\d+)?", reader.text(node)):
        reader.wrong(node, "a time is a number of seconds, such as 2.5")
