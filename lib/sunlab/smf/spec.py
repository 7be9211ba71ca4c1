"""What svc.startd needs to know of an instance, read from its running snapshot (svc.startd(8), smf_method(7)). Pure."""
from typing import FrozenSet, NamedTuple, Optional, Tuple

from sunlab.smf.fmri import MASTER, parse
from sunlab.smf.properties import NO_LIMIT, Groups, first, values

GROUPINGS = ("require_all", "require_any", "optional_all", "exclude_all")
RESTART_ON = ("none", "error", "restart", "refresh")
DURATIONS = {"contract": "contract", "transient": "transient", "child": "child", "wait": "child"}
FILE = "file://localhost"


class Dependency(NamedTuple):
    name: str
    grouping: str
    restart_on: str
    entities: Tuple[str, ...]       # canonical FMRIs of services or instances, or file://localhost/PATH


class Spec(NamedTuple):
    duration: str = "contract"      # contract, transient or child
    dependencies: Tuple[Dependency, ...] = ()
    invalid: bool = False           # a dependency group that cannot be read
    events: FrozenSet[str] = frozenset(("exit", "signal", "core", "hwerr"))     # that stop the instance
    timeout_retry: bool = True
    critical: Optional[Tuple[int, float]] = None    # (starts, seconds) of this instance's own rule
    restarter: str = MASTER


_EVENTS = {"all": ("exit", "signal", "core", "hwerr"), "external_fault": ("signal", "hwerr"),
           "any_fault": ("signal", "core", "hwerr")}


def read(view: Groups) -> Spec:
    duration = first(view, "startd", "duration", "contract")
    dependencies = []
    invalid = False
    for name, group in view.items():
        if group.type == "dependency":
            dependency = _dependency(view, name)
            invalid = invalid or dependency is None
            if dependency is not None:
                dependencies.append(dependency)
    ignored = first(view, "startd", "ignore_error").replace(" ", "").split(",")
    events = frozenset(_EVENTS.get(first(view, "start", "restart_on", "all"), _EVENTS["all"])) - frozenset(ignored)
    count, period = (_whole(first(view, "startd", f"critical_failure_{what}")) for what in ("count", "period"))
    return Spec(
        duration=DURATIONS.get(duration, "contract"), dependencies=tuple(dependencies), invalid=invalid,
        events=events, timeout_retry=first(view, "startd", "timeout_retry", "true") == "true",
        critical=(count, float(period)) if count and period else None,
        restarter=first(view, "general", "restarter") or MASTER)


def _dependency(view: Groups, name: str) -> Optional[Dependency]:
    """One dependency group; None when its grouping, its restart_on or an FMRI is not valid."""
    grouping, restart_on = first(view, name, "grouping"), first(view, name, "restart_on")
    kind = first(view, name, "type")
    entities = []
    for text in values(view, name, "entities"):
        if text.startswith("file:"):
            path = text[len("file:"):]
            path = path[len("//localhost"):] if path.startswith("//localhost/") else path.replace("//", "", 1)
            entities.append(FILE + path)
            continue
        fmri = parse(text)
        if fmri is None:
            return None
        entities.append(str(fmri))
    if grouping not in GROUPINGS or restart_on not in RESTART_ON or kind not in ("service", "path"):
        return None
    return Dependency(name, grouping, restart_on, tuple(entities))


def _whole(text: str) -> Optional[int]:
    """None where the property is absent or no number: it then counts as absent."""
    return int(text) if text.isdigit() else None


def timeout_s(view: Groups, method: str) -> Optional[float]:
    """The method's time-out in seconds; None where there is none (0, -1, no property, or no number)."""
    text = first(view, method, "timeout_seconds", "0")
    return None if text == NO_LIMIT else _whole(text) or None
