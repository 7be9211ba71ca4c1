"""From cluster.yaml to a Cluster: `load` a file, `parse` a text, or `examine` either for all that is to be said of it.

Resource types come as `types`: name -> parameters class (schema.py says what such a class looks like). A file that the
configuration names is read from beside it, and becomes a part of the Cluster.
"""
from pathlib import Path
from typing import Any, Mapping, NamedTuple, Optional, Tuple

from sundog.config import arbiter, fencing, holders, paths, protection, schema, workload
from sundog.config.fields import BadValue, quoted
from sundog.config.model import Cluster, Group, Recovery, Resource, Timing
from sundog.config.problems import ERROR, ConfigError, Mark, Problem
from sundog.config.shape import TOP, Record, Report
from sundog.config.topology import Topology, check_votes
from sundog.config.tree import compose

DEFAULT_KEY_FILE = "/etc/sundog/key"
MAX_FILE_BYTES = 1 << 18


class Reading(NamedTuple):
    """What came of reading a configuration. `cluster` is None exactly if one of `problems` is an error."""
    cluster: Optional[Cluster]
    problems: Tuple[Problem, ...]


def load(path: str, types: Mapping[str, type]) -> Cluster:
    """The cluster that the file at `path` describes. Raises ConfigError with all problems."""
    return required(examine_file(path, types))


def parse(text: str, *, name: str, types: Mapping[str, type], files: Mapping[str, str]) -> Cluster:
    """The cluster that `text` describes, as it came with `files` from another node. Raises ConfigError.

    `name` is what messages call the text.
    """
    def fetch(file: str) -> str:
        if file not in files:
            raise BadValue(f"file {quoted(file)} did not come with the configuration", "apply both together")
        return files[file]

    return required(examine(text, name=name, types=types, fetch=fetch))


def examine_file(path: str, types: Mapping[str, type]) -> Reading:
    """Everything that is to be said of the file at `path`. Never raises for what is in it or for its absence."""
    try:
        text = text_of(Path(path))
    except BadValue as error:
        return Reading(None, (Problem(ERROR, path, Mark(1, 1), error.what, error.remedy),))

    def fetch(file: str) -> str:
        return text_of(Path(path).parent / file)

    return examine(text, name=path, types=types, fetch=fetch)


def examine(text: str, *, name: str, types: Mapping[str, type], fetch: workload.Fetch) -> Reading:
    """Everything that is to be said of `text`; `fetch` gives the files that it names, or raises BadValue."""
    shape = schema.cluster(types)
    report = Report(name, schema.sections(shape))
    try:
        top = shape.read(compose(text, name), report, TOP)
    except ConfigError as error:
        return Reading(None, error.problems)
    files: Mapping[str, str] = {}
    if top is not None:
        topology = Topology(top)
        topology.check(report)
        paths.check(top, report)
        files = workload.check(top, topology, fetch, report)
        check_votes(top, report)
        arbiter.check(top, report)
        protection.check(top, report)
        fencing.check(top, report)
    problems = tuple(sorted(report.problems, key=lambda problem: problem.mark))
    if top is None or report.failed:
        return Reading(None, problems)
    return Reading(build(top, types, text, files), problems)


def required(reading: Reading) -> Cluster:
    if reading.cluster is None:
        raise ConfigError(reading.problems)
    return reading.cluster


def text_of(path: Path) -> str:
    """The UTF-8 text of a file. Raises BadValue."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise BadValue(f"{path} is larger than {MAX_FILE_BYTES >> 10} KiB", "is it the right file?")
        raw = path.read_bytes()
    except OSError as error:
        raise BadValue(f"{path}: {error.strerror}", "write the file, or correct its name") from error
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise BadValue(f"{path} is not UTF-8: byte 0x{raw[error.start]:02x} on line {line}",
                       "save it as UTF-8, or keep to ASCII") from error


def build(top: Record, types: Mapping[str, type], text: str, files: Mapping[str, str]) -> Cluster:
    """The model of a file without errors."""
    recovery = top.record("recovery")
    timing = Timing(top.record("timing").value("timeout").seconds) if "timeout" in top.record("timing") else Timing()
    return Cluster(
        name=plain(top.value("cluster")),
        key_file=plain(top.value("key_file", DEFAULT_KEY_FILE)),
        nodes=holders.nodes_of(top),
        links=paths.build(top.record("links")),
        groups={name: group_of(name, spec, types) for name, spec in top.record("groups").records()},
        timing=timing,
        holders=holders.holders_of(top),
        recovery=Recovery(
            recovery.value("window").seconds if "window" in recovery else Recovery.window_s,
            plain(recovery.value("on_stop_failed", Recovery.on_stop_failed)),
            plain(recovery.value("fencing", Recovery.fencing))),
        arbiter=arbiter.build(top.record("quorum")),
        on_double_owner=plain(top.value("on_double_owner", Cluster.on_double_owner)),
        protection=protection.build(top.record("protection"), timing.timeout_s),
        fence=fencing.levels_of(top),
        networks={name: plain(found.value) for name, found in top.record("networks").items()},
        source=text,
        files=files)


def group_of(name: str, spec: Record, types: Mapping[str, type]) -> Group:
    resources = tuple(resource_of(resource, params, types) for resource, params in spec.record("resources").records())
    return Group(name, plain(spec.value("nodes")), resources, plain(spec.value("failback", Group.failback)))


def resource_of(name: str, params: Record, types: Mapping[str, type]) -> Resource:
    kind = plain(params.value("type"))
    own = {key: bare(found.value) for key, found in params.items() if key not in ("type", "needs")}
    return Resource(name, kind, plain(params.value("needs", ())), types[kind](**own))


def bare(value: Any) -> Any:
    """A value of a parameters class: its kinds are kept, places are dropped."""
    return tuple(found.value for found in value) if isinstance(value, tuple) else value


def plain(value: Any) -> Any:
    """A value of the model: a plain str, or a tuple of them."""
    return tuple(str(found.value) for found in value) if isinstance(value, tuple) else str(value)
