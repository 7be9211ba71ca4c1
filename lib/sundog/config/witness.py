"""The file of a witness: witness.yaml -> Settings, with every mistake at its place.

    listen: 10.9.0.9:3122
    directory: /var/sundog/witness
    clusters:
      shop: {key_file: /etc/sundog/keys/shop}
"""
from dataclasses import dataclass, field
from pathlib import Path
from typing import Mapping, Optional, Tuple

from sundog.config.fields import AbsPath, BadValue
from sundog.config.holders import Server
from sundog.config.load import text_of
from sundog.config.problems import ERROR, ConfigError, Mark, Problem
from sundog.config.shape import TOP, Key, Named, Record, Report, Scalar, Section
from sundog.config.tree import compose

DIRECTORY = "/var/sundog/witness"
MOST_CLUSTERS = 256
SHAPE = Section({
    "listen": Key(Scalar(Server), required=True),
    "directory": Key(Scalar(AbsPath)),
    "clusters": Key(Named(Section({"key_file": Key(Scalar(AbsPath), required=True)}), least=1), required=True),
})


@dataclass(frozen=True)
class Settings:
    address: str
    port: int                           # TCP
    directory: str
    key_files: Mapping[str, str]        # by cluster
    places: Mapping[str, Mark] = field(default_factory=dict, compare=False)     # of these in the file


def examine(text: str, name: str) -> Tuple[Optional[Settings], Tuple[Problem, ...]]:
    """The settings, and everything that is wrong with `text`; None if something is. `name`: what messages call it."""
    report = Report(name, {})
    try:
        top = SHAPE.read(compose(text, name), report, TOP)
    except ConfigError as error:
        return None, error.problems
    if top is not None and len(top.record("clusters").names) > MOST_CLUSTERS:
        report.say(top["clusters"].mark, f"more than {MOST_CLUSTERS} clusters", "run a second witness")
    if top is None or report.failed:
        return None, tuple(sorted(report.problems, key=lambda problem: problem.mark))
    return settings(top), ()


def settings(top: Record) -> Settings:
    listen = top.value("listen")
    return Settings(listen.address, listen.port, str(top.value("directory", DIRECTORY)),
                    {name: str(spec.value("key_file")) for name, spec in top.record("clusters").records()},
                    {name: spec["key_file"].mark for name, spec in top.record("clusters").records()})


def load(path: str) -> Settings:
    """Raises ConfigError with all problems of the file at `path`."""
    try:
        text = text_of(Path(path))
    except BadValue as error:
        raise ConfigError((Problem(ERROR, path, Mark(1, 1), error.what, error.remedy),)) from None
    found, problems = examine(text, path)
    if found is None:
        raise ConfigError(problems)
    return found
