"""Names of services and instances, and which of them a pattern means (svcs(1) OPERANDS, smf(7)). Pure."""
import re
from fnmatch import fnmatchcase
from typing import Iterable, List, NamedTuple, Optional

SCHEME = "svc:/"
#: An identifier, with a provider's stock symbol or reversed domain before a comma (uu_check_name, libuutil); the dot is
#: more than illumos allows.
COMPONENT = re.compile(r"(?:[A-Za-z][A-Za-z0-9.-]*,)?[A-Za-z][A-Za-z0-9_.-]*")
MASTER = "svc:/system/svc/restarter:default"
GOALS = "svc:/milestone/goals:default"      # Solaris 11.4: what the host is there for; in maintenance when it cannot be


class Fmri(NamedTuple):
    """A service, or with an instance's name an instance."""
    service: str
    instance: Optional[str]

    def __str__(self) -> str:
        return SCHEME + self.service + (f":{self.instance}" if self.instance is not None else "")


def parse(text: str) -> Optional[Fmri]:
    """A full FMRI, `svc:/S[:I]` or `svc://localhost/S[:I]`; None when it is none. `/:properties/...` is cut off."""
    if text.startswith("svc://localhost/"):
        text = SCHEME + text[len("svc://localhost/"):]
    if not text.startswith(SCHEME):
        return None
    body = text[len(SCHEME):].split("/:properties", 1)[0].lstrip("/")
    service, colon, instance = body.partition(":")
    if not all(COMPONENT.fullmatch(c) for c in service.split("/")) or (colon and not COMPONENT.fullmatch(instance)):
        return None
    return Fmri(service, instance if colon else None)


def is_glob(pattern: str) -> bool:
    return any(c in pattern for c in "*?[")


def matches(pattern: str, service: str, instance: str) -> bool:
    """Does `pattern` (full FMRI, abbreviation or glob) mean this instance?"""
    if is_glob(pattern):
        full = pattern if pattern.startswith("svc:") else f"{SCHEME}{pattern}"
        return fnmatchcase(f"{SCHEME}{service}:{instance}", full)
    if pattern.startswith("svc:"):
        exact = parse(pattern)
        return exact is not None and exact.service == service and exact.instance in (None, instance)
    name, colon, wanted = pattern.lstrip("/").partition(":")
    if colon:
        return wanted == instance and (name == "" or _trails(name, service))
    return name == instance or _trails(name, service)


def matches_service(pattern: str, service: str) -> bool:
    """Does `pattern` mean the service itself (no instance named)?"""
    if is_glob(pattern):
        full = pattern if pattern.startswith("svc:") else f"{SCHEME}{pattern}"
        return fnmatchcase(SCHEME + service, full)
    if pattern.startswith("svc:"):
        exact = parse(pattern)
        return exact is not None and exact == Fmri(service, None)
    return ":" not in pattern and _trails(pattern.lstrip("/"), service)


def _trails(name: str, service: str) -> bool:
    """Is `name` the whole of `service` or its trailing components?"""
    return name != "" and (service == name or service.endswith("/" + name))


def select(pattern: str, instances: Iterable[Fmri]) -> List[Fmri]:
    return [i for i in instances if matches(pattern, i.service, i.instance or "")]


def log_name(service: str, instance: str) -> str:
    """The base name of an instance's log under /var/svc/log."""
    return f"{service.replace('/', '-')}:{instance}.log"
