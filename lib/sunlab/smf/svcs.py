"""svcs(1): what there is and how it is, in columns, in full (-l) or explained (-x)."""
import os
import time
from typing import TYPE_CHECKING, Callable, Dict, Iterable, List, NamedTuple, Tuple

from sunlab.smf import listing
from sunlab.smf.fmri import MASTER, matches, parse
from sunlab.smf.options import Usage, each, flags, split
from sunlab.smf.properties import first, values
from sunlab.smf.repository import Instance

if TYPE_CHECKING:
    from sunlab.smf.door import Reply, Request
    from sunlab.smf.startd import Startd

USAGE = """Usage: svcs [-aHpv] [-o col[,col ... ]] [-R restarter] [-sS col] [<service> ...]
       svcs -d | -D [-Hpv] [-o col[,col ... ]] [-sS col] [<service> ...]
       svcs -l [-v] <service> ...
       svcs -x [-v] [<service> ...]
       svcs -L [<service> ...]"""
STATES = ("legacy_run", "disabled", "online", "degraded", "offline", "maintenance", "uninitialized")
SHORT = {"online": "ON", "offline": "OFF", "disabled": "DIS", "maintenance": "MNT", "degraded": "DGD",
         "uninitialized": "UN", "legacy_run": "LRC"}
LETTER = {"uninitialized": "u", "offline": "0", "online": "1", "maintenance": "m", "disabled": "d", "degraded": "D",
          "legacy_run": "L"}
NEXT_COLUMNS = {"n", "sn", "nsta", "nstate"}


class Row(NamedTuple):
    """An instance with what its columns need."""
    instance: Instance
    state: str
    next: str
    since: float
    iso: bool                           # the platform shows times as dates and times
    zone: str

    def starred(self, columns: List[str]) -> str:
        return "*" if self.next != "none" and not NEXT_COLUMNS & set(columns) else ""


def row(startd: "Startd", instance: Instance) -> Row:
    groups = instance.groups
    return Row(instance, first(groups, "restarter", "state", "-"), first(groups, "restarter", "next_state", "none"),
               float(first(groups, "restarter", "state_timestamp", "0")),
               startd.platform.stime_width > 8, startd.zone)


def stime(moment: float, iso: bool) -> str:
    if not moment:
        return "-"
    if iso:
        return time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(moment))
    age = time.time() - moment
    form = "%k:%M:%S" if 0 <= age < 86400 else "%b_%d  " if 0 <= age < 360 * 86400 else "%Y    "
    return time.strftime(form, time.localtime(moment))


def ctid(line: Row) -> str:
    contracts = values(line.instance.groups, "restarter", "contract")
    return "-" if not contracts else contracts[0] + ("*" if len(contracts) > 1 else "")


def _state(line: Row, columns: List[str]) -> str:
    return line.state + line.starred(columns)


COLUMNS: Dict[str, Tuple[str, int, Callable[[Row, List[str]], str]]] = {
    "state": ("STATE", 14, _state),
    "nstate": ("NSTATE", 13, lambda r, c: "-" if r.next == "none" else r.next),
    "sta": ("STA", 4, lambda r, c: SHORT.get(r.state, "-") + r.starred(c)),
    "nsta": ("NSTA", 4, lambda r, c: SHORT.get(r.next, "-")),
    "s": ("S", 2, lambda r, c: LETTER.get(r.state, "-") + r.starred(c)),
    "n": ("N", 1, lambda r, c: LETTER.get(r.next, "-")),
    "sn": ("SN", 2, lambda r, c: LETTER.get(r.state, "-") + LETTER.get(r.next, "-")),
    "stime": ("STIME", 8, lambda r, c: stime(r.since, r.iso)),
    "ctid": ("CTID", -6, lambda r, c: ctid(r)),
    "fmri": ("FMRI", 50, lambda r, c: str(r.instance.fmri)),
    "inst": ("INST", 20, lambda r, c: r.instance.name),
    "svc": ("SVC", 20, lambda r, c: r.instance.service.name),
    "scope": ("SCOPE", 20, lambda r, c: "localhost"),
    "zone": ("ZONE", 16, lambda r, c: r.zone),
    "desc": ("DESC", 100, lambda r, c: listing.common_name(r.instance) or "-"),
}


def run(startd: "Startd", request: "Request", reply: "Reply") -> int:
    try:
        found, operands = split(request.args, "aHpvdDlxLnZo:s:S:R:z:")
    except Usage as wrong:
        reply.err(f"svcs: {wrong}\n{USAGE}")
        return 2
    options = flags(found)
    if _contradict(options, operands):
        reply.err(USAGE)
        return 2
    if "x" in options:
        from sunlab.smf import explain
        return explain.run(startd, operands, options, reply)
    if "n" in options:
        from sunlab.smf import notify
        instances, good = each(startd.repository, operands, reply, "svcs")
        for line in [text for i in instances for text in notify.listed(i, notify.SETS["all"])]:
            reply.out(line)
        return 0 if good else 1
    if "l" in options or "L" in options:
        return _full(startd, operands, options, reply)
    if "a" in options and operands and not set(options) & {"d", "D"}:
        reply.err("svcs: -a ignored when used with arguments.")
    named = [c for name, text in found if name in ("-o", "-s", "-S") for c in text.split(",")]
    unknown = [c for c in named if c.lower() not in COLUMNS]
    if unknown:
        reply.err(f'svcs: Unknown column "{unknown[0]}".')
        return 1
    return _table(startd, operands, options, found, reply)


def _contradict(options: Dict[str, str], operands: List[str]) -> bool:
    """Options that main() of svcs.c does not take together, or without an operand."""
    kinds = [o for o in "dDlxLn" if o in options]
    if len(kinds) > 1 or (kinds and set(options) & {"a", "R", "s", "S"}) or {"z", "Z"} <= set(options):
        return True
    if set(options) & {"l", "x"} and set(options) & {"H", "o"}:
        return True
    return ("x" in options and "p" in options) or (bool(set(options) & {"d", "D", "l", "n"}) and not operands)


def _full(startd: "Startd", operands: List[str], options: Dict[str, str], reply: "Reply") -> int:
    instances, good = each(startd.repository, operands, reply, "svcs")
    if "L" in options:
        if not operands:
            instances = list(startd.repository.instances())
        for instance in instances:
            reply.out(first(instance.groups, "restarter", "logfile", "-"))
    else:
        for number, instance in enumerate(instances):
            if number:
                reply.out("")
            for text in listing.full(startd, instance, options):
                reply.out(text)
    return 0 if good else 1


def _table(startd: "Startd", operands: List[str], options: Dict[str, str], found: List[Tuple[str, str]],
           reply: "Reply") -> int:
    good = True
    if operands:
        instances, good = each(startd.repository, operands, reply, "svcs")
    else:
        every = "a" in options or "R" in options
        instances = [i for i in startd.repository.instances() if every or _listed(i)]
    if "R" in options:
        wanted = [text for name, text in found if name == "-R"]
        instances = [i for i in instances if _restarted_by(i, wanted)]
    if "d" in options:
        instances = _unique(j for i in instances for j in listing.dependencies(startd, i))
    elif "D" in options:
        dependents = listing.Dependents(startd)
        instances = _unique(j for i in instances for j in dependents.of(i))
    default = ("zone," if "Z" in options else "") + (
        "state,nstate,stime,ctid,fmri" if "v" in options else "state,stime,fmri")
    columns = [c for name, text in found if name == "-o" for c in text.lower().split(",")] or default.split(",")
    rows = [row(startd, i) for i in instances]
    _sort(rows, found)
    if "H" not in options:
        width = startd.platform.stime_width
        reply.out(_line(columns, [COLUMNS[c][0].ljust(width if c == "stime" else 0) for c in columns]))
    for line in rows:
        reply.out(_line(columns, [COLUMNS[c][2](line, columns) for c in columns]))
        if "p" in options:
            for pid, began, name in processes(startd, line.instance):
                reply.out(f"               {stime(began, line.iso):<8}   {pid:6d} {name}")
    return 0 if good else 1


def _restarted_by(instance: Instance, patterns: List[str]) -> bool:
    """Is its restarter one of those? Instances without one are svc.startd's."""
    name = parse(first(instance.current(), "general", "restarter") or MASTER)
    return name is not None and any(matches(p, name.service, name.instance or "default") for p in patterns)


def _unique(instances: Iterable[Instance]) -> List[Instance]:
    return list({str(i.fmri): i for i in instances}.values())


def _listed(instance: Instance) -> bool:
    """Without -a: enabled, permanently or for now."""
    return any(first(instance.groups, g, "enabled") == "true" for g in ("general", "general_ovr"))


def _line(columns: List[str], cells: List[str]) -> str:
    parts = []
    for column, cell in zip(columns, cells):
        width = COLUMNS[column][1]
        parts.append(cell.rjust(-width) if width < 0 else cell.ljust(width))
    return " ".join(parts).rstrip()


def _sort(rows: List[Row], found: List[Tuple[str, str]]) -> None:
    """Sort by -s and -S columns, the first given being the most significant; then by state, time and name."""
    rows.sort(key=lambda r: (STATES.index(r.state) if r.state in STATES else 99, r.since, str(r.instance.fmri)))
    for name, text in reversed(found):
        if name in ("-s", "-S"):
            for column in reversed(text.lower().split(",")):
                rows.sort(key=lambda r, c=column: _sort_key(r, c), reverse=name == "-S")     # type: ignore[misc]


def _sort_key(line: Row, column: str) -> Tuple[float, str]:
    if column in ("state", "sta", "s", "sn"):
        return (STATES.index(line.state) if line.state in STATES else 99, "")
    if column == "stime":
        return (line.since, "")
    if column == "ctid":
        contract = ctid(line).rstrip("*")
        return (float(contract) if contract != "-" else -1.0, "")
    return (0.0, COLUMNS[column][2](line, [column]))


def processes(startd: "Startd", instance: Instance) -> List[Tuple[int, float, str]]:
    """(pid, start in seconds of the epoch, name) of the members of the instance's contracts."""
    found = []
    for contract in values(instance.groups, "restarter", "contract"):
        for pid in sorted(startd.contracts.members(int(contract))):
            try:
                with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
                    text = file.read()
            except (FileNotFoundError, ProcessLookupError):
                continue
            name, rest = text[text.index("(") + 1:text.rindex(")")], text[text.rindex(")") + 2:].split()
            began = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + int(rest[19]) / os.sysconf("SC_CLK_TCK")
            found.append((pid, began, "<defunct>" if rest[0] == "Z" else name))
    return found
