"""How answers look on a terminal and in a pipe: tables, ages, one cluster at a glance.

On a terminal rich draws them in colour, where it is installed; a pipe gets plain columns.
"""
import sys
from typing import Any, Dict, List, Mapping, Sequence, Tuple

import click

Row = Sequence[str]
COLOURS: Mapping[str, str] = {
    "up": "green", "online": "green", "down": "red", "out": "red", "stop-failed": "red", "maintenance": "red",
    "starting": "yellow", "stopping": "yellow", "unknown": "yellow", "chosen": "green",
}


def table(head: Row, rows: Sequence[Row]) -> str:
    """The rows under their heads, the columns aligned."""
    rows = [[printable(cell) for cell in row] for row in rows]
    return coloured(head, rows) if sys.stdout.isatty() and rich_is_there() else plain(head, rows)


def plain(head: Row, rows: Sequence[Row]) -> str:
    every = [head, *rows]
    widths = [max(len(row[column]) for row in every) for column in range(len(head))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in every)


def printable(text: str) -> str:
    """`text` in one line and without control sequences: a reason may quote what any command printed."""
    return "".join(c if c.isprintable() else " " for c in text)


def rich_is_there() -> bool:
    from importlib.util import find_spec
    return find_spec("rich") is not None


def coloured(head: Row, rows: Sequence[Row]) -> str:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for name in head:
        drawn.add_column(name, overflow="fold")
    for row in rows:
        drawn.add_row(*(Text(cell, style=COLOURS.get(cell, "")) for cell in row))
    console = Console()
    with console.capture() as captured:
        console.print(drawn)
    return captured.get().rstrip("\n")


def age(seconds: Any) -> str:
    """How long something has lasted, in one unit: 45 s, 12 min, 3 h, 9 d."""
    if not isinstance(seconds, (int, float)):
        return "-"
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{int(seconds // length)} {unit}"
    return f"{int(seconds)} s"


def node_rows(status: Mapping[str, Any]) -> List[Row]:
    """NODE STATE FOR LINKS GROUPS"""
    rows: List[Row] = []
    for name, node in status["nodes"].items():
        links = ", ".join(f"{link} {state}" for link, state in node.get("links", {}).items()) or "-"
        groups = " ".join(group for group, entry in status["groups"].items()
                          if entry.get("owner") == name and entry["state"] != "offline") or "-"
        mark = "*" if name == status.get("leader") else ""
        rows.append((name + mark, node["state"], age(node.get("since_s")), links, groups))
    return rows


NODE_HEAD = ("NODE", "STATE", "FOR", "LINKS", "GROUPS")
GROUP_HEAD = ("GROUP", "STATE", "NODE", "RESOURCES", "WHY")


def group_rows(status: Mapping[str, Any]) -> List[Row]:
    rows: List[Row] = []
    for name, group in status["groups"].items():
        owner = group.get("owner") if group["state"] != "offline" else None
        state = group["state"] if group.get("wanted") in (None, "online") or group["state"] != "offline" else "off"
        rows.append((name, state, owner or "-", resources(group), str(group.get("why") or "-")))
    return rows


def resources(group: Mapping[str, Any]) -> str:
    """How many resources are online, and which are not."""
    states: Dict[str, str] = group.get("resources") or {}
    if not states:
        return "-"
    odd = [f"{name} {state}" for name, state in states.items() if state != "online"]
    if group["state"] == "offline" and set(states.values()) <= {"offline", "disabled"}:
        return "-"
    return f"{len(states) - len(odd)}/{len(states)}" + (f" ({', '.join(odd)})" if odd else "")


def failures(status: Mapping[str, Any]) -> List[str]:
    return [f"{name} failed on {failure['node']}"
            + (f" {failure['count']} times" if failure.get("count", 1) > 1 else "")
            + f": {printable(failure.get('reason') or 'no reason given')}; 'sundog group clear {name}' forgets it"
            for name, group in status["groups"].items() for failure in group.get("failures") or ()]


def overview(status: Mapping[str, Any]) -> str:
    """The whole cluster: one line about it, its nodes, its groups, what failed, what was dropped."""
    lease = status.get("lease_s")
    first = (f"cluster {status['cluster']}, configuration {status.get('config_version')}, "
             f"ledger {status.get('version')}; leader {status.get('leader') or 'none'}; this is {status['node']}, "
             + (f"lease {lease:.1f} s" if isinstance(lease, (int, float)) else "no lease"))
    parts = [first, "", table(NODE_HEAD, node_rows(status)), "", table(GROUP_HEAD, group_rows(status))]
    told = sick(status) + arbiter(status) + failures(status) + fence_troubles(status) + dropped(status)
    return "\n".join(parts + ([""] + told if told else []))


def arbiter(status: Mapping[str, Any]) -> List[str]:
    """How the ping arbiter's targets look from here."""
    targets = (status.get("arbiter") or {}).get("targets") or {}
    said = ", ".join(f"{name} {'answers' if one['answers'] else 'is silent'}" for name, one in targets.items())
    return [f"arbiter: {said}; {status['arbiter']['threshold']} must answer"] if targets else []


def sick(status: Mapping[str, Any]) -> List[str]:
    """What the probes of this host have found, and the state of its watchdog if that is bad."""
    host = dict(status.get("host") or {})
    failfast = host.pop("failfast", None) or {}
    lines = [f"{status['node']} is not well: {printable(text)}" for text in host.values() if text != "well"]
    if failfast.get("watchdog") == "failing":
        lines.append(f"{status['node']}: its controller's watchdog does not take its commands")
    return lines


def fence_troubles(status: Mapping[str, Any]) -> List[str]:
    return [f"fence device {level['device']} of {node} does not work: {printable(level['error'])}"
            for node, levels in (status.get("fence") or {}).items() for level in levels if level["error"]]


def dropped(status: Mapping[str, Any]) -> List[str]:
    counts = (status.get("counters") or {}).get("dropped") or {}
    said: Tuple[Tuple[str, str], ...] = (
        ("key", "with a wrong key (another cluster on this network, or another key file)"),
        ("garbage", "that were garbage"))
    return [f"{counts[kind]} frames dropped {why}" for kind, why in said if counts.get(kind)]


def entry(entry: Mapping[str, Any]) -> str:
    """One line of the journal."""
    about = " ".join(word for word in (entry.get("group"), entry.get("node")) if word)
    line = f"{entry['time']}  {entry['severity']:<7}  {entry['code']:<16}  {about:<12}  {printable(entry['text'])}"
    colour = {"error": "red", "warning": "yellow"}.get(entry["severity"])
    return click.style(line, fg=colour) if colour and sys.stdout.isatty() else line
