"""syslog.conf(5): `SELECTOR[;SELECTOR…] TAB ACTION`. Pure."""
from __future__ import annotations

from sunlab.syslog.message import FACILITIES, LEVELS

_OTHER = {"panic": "emerg", "error": "err", "warn": "warning"}
NONE = -1


class Rule:
    """`wants`: facility -> the least urgent level that is logged; `action`: a file's path or @HOST."""

    def __init__(self, wants: dict[int, int], action: str) -> None:
        self.wants, self.action = wants, action

    def takes(self, facility: int, level: int) -> bool:
        return level <= self.wants.get(facility, NONE)


def rules(text: str) -> tuple[list[Rule], list[str]]:
    """The rules, and what syslogd says of the lines that it leaves out."""
    found: list[Rule] = []
    problems: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        selectors, _, action = line.partition("\t")
        action = action.strip()
        try:
            if not action.startswith(("/", "@")):
                raise ValueError("sunlab: not modelled: an action that is neither a file nor @HOST" if action
                                 else "no action: selectors and action are separated by TABs")
            found.append(Rule(_wanted(selectors.strip()), action))
        except ValueError as problem:
            problems.append(f"syslogd: line {number}: {problem}")
    return found, problems


def _wanted(selectors: str) -> dict[int, int]:
    wants: dict[int, int] = {}
    for selector in selectors.split(";"):
        names, dot, level = selector.rpartition(".")
        level = _OTHER.get(level, level)
        if not dot or (level not in LEVELS and level != "none"):
            raise ValueError(f'unknown priority name "{level}"')
        for name in names.split(","):
            if name != "*" and name not in FACILITIES and name != "mark":
                raise ValueError(f'unknown facility name "{name}"')
            # mark is no facility of *; nothing sends it here
            chosen = list(FACILITIES.values()) if name == "*" else [FACILITIES[name]] if name in FACILITIES else []
            wants.update(dict.fromkeys(chosen, NONE if level == "none" else LEVELS.index(level)))
    return wants
