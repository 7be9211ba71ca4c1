"""svcs(1): what there is and how it is, in columns, in full (-l) or explained (-x)."""
import os
import time
from typing import TYPE_CHECKING, Callable, Dict, Iterable, List, NamedTuple, Optional, Tuple

from sunlab.smf import listing
from sunlab.smf.fmri import MASTER, Fmri, parse
from sunlab.smf.options import Usage, each, flags, split
from sunlab.smf.properties import first, values
from sunlab.smf.repository import Instance

if TYPE_CHECKING:
    from sunlab.smf.door import Reply, Request
    from sunlab.smf.startd import Startd

USAGE = """Usage: svcs [-aHpv] [-o col[,col ... ]] [-R restarter] [-sS col] [-Z | -z zone ]
            [<service> ...]
       svcs -d | -D [-Hpv] [-o col[,col ... ]] [-sS col] [-Z | -z zone ]
            [<service> ...]
       svcs [-l | -L] [-Z | -z zone] <service> ...
       svcs -x [-v] [-Z | -z zone] [<service> ...]
       svcs -?"""
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


def after(line: Row) -> str:
    return "-" if line.next == "none" else LETTER.get(line.next, "?")


COLUMNS: Dict[str, Tuple[str, int, Callable[[Row, List[str]], str]]] = {
    "state": ("STATE", 14, _state),
    "nstate": ("NSTATE", 13, lambda r, c: "-" if r.next == "none" else r.next),
    "sta": ("STA", 4, lambda r, c: SHORT.get(r.state, "?") + r.starred(c)),
    "nsta": ("NSTA", 4, lambda r, c: "-" if r.next == "none" else SHORT.get(r.next, "?")),
    "s": ("S", 2, lambda r, c: LETTER.get(r.state, "?") + r.starred(c)),
    "n": ("N", 1, lambda r, c: after(r)),
    "sn": ("SN", 2, lambda r, c: LETTER.get(r.state, "?") + after(r)),
    "stime": ("STIME", 8, lambda r, c: stime(r.since, r.iso)),
    "ctid": ("CTID", -6, lambda r, c: ctid(r)),
    "fmri": ("FMRI", 50, lambda r, c: str(r.instance.fmri)),
    "inst": ("INST", 20, lambda r, c: r.instance.name),
    "svc": ("SVC", 20, lambda r, c: r.instance.service.name),
    "scope": ("SCOPE", 20, lambda r, c: "localhost"),
    "zone": ("ZONE", 16, lambda r, c: r.zone),
    "desc": ("DESC", 100, lambda r, c: listing.common_name(r.instance) or "-"),
}


CUT = ("inst", "scope")         # columns that sprint_instance() and sprint_scope() cut, with no blank after them


class Wrong(Exception):
    """An option's value that svcs dies of; the text is for stderr."""


def run(startd: "Startd", request: "Request", reply: "Reply") -> int:
    if "-?" in request.args:
        from sunlab.smf.help import SVCS
        reply.out(f"{USAGE}\n{SVCS}")
        return 0
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
    if "a" in options and operands:
        reply.err("svcs: -a ignored when used with arguments.")
    try:
        return _table(startd, operands, options, found, reply)
    except Wrong as wrong:
        reply.err(f"svcs: {wrong}")
        return 1


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
        for path in filter(None, (first(i.groups, "restarter", "logfile") for i in instances)):
            reply.out(path)
    else:
        for number, instance in enumerate(instances):
            if number:
                reply.out("")
            for text in listing.full(startd, instance, options):
                reply.out(text)
    return 0 if good else 1


def _table(startd: "Startd", operands: List[str], options: Dict[str, str], found: List[Tuple[str, str]],
           reply: "Reply") -> int:
    order, restarters, columns = _orders(found), _restarters(found), _columns(options)
    if not order and ("o" not in options or startd.platform.sorts_chosen_columns):
        order = [(c, False) for c in ("state", "stime", "fmri")]
    good = True
    if operands:
        instances, good = each(startd.repository, operands, reply, "svcs")
    else:
        instances = [i for i in startd.repository.instances() if {"a", "R"} & set(options) or _listed(i)]
    if restarters:
        instances = [i for i in instances if _restarter(i) in restarters]
    if "d" in options:
        shown: List[Instance] = []
        for instance in instances:
            good = listing.dependencies(startd, instance, shown, good)
        instances = _unique(shown)
    elif "D" in options:
        dependents = listing.Dependents(startd)
        instances = _unique(j for i in instances for j in dependents.of(i))
    rows = [row(startd, i) for i in instances]
    for column, descending in reversed(order):
        rows.sort(key=lambda r, c=column: _sort_key(r, c), reverse=descending)     # type: ignore[misc]
    if "H" not in options:
        width = startd.platform.stime_width
        reply.out("".join(f"{COLUMNS[c][0]:<{width if c == 'stime' else abs(COLUMNS[c][1])}} "
                          for c in columns).rstrip())
    for line in rows:
        reply.out("".join(_cell(line, c, columns) for c in columns).rstrip())
        if "p" in options:
            for pid, began, name in processes(startd, line.instance):
                reply.out(f"               {stime(began, line.iso):<8}   {pid:6d} {name}")
    return 0 if good else 1


def _orders(found: List[Tuple[str, str]]) -> List[Tuple[str, bool]]:
    """(column, descending) of every -s and -S, the most significant first. Raises Wrong."""
    order = [(text.lower(), name == "-S") for name, text in found if name in ("-s", "-S")]
    for name, text in found:
        if name in ("-s", "-S") and text.lower() not in COLUMNS:
            raise Wrong(f'Unrecognized sort column "{text}".')
    return order


def _columns(options: Dict[str, str]) -> List[str]:
    """Raises Wrong."""
    default = ("zone," if "Z" in options else "") + (
        "state,nstate,stime,ctid,fmri" if "v" in options else "state,stime,fmri")
    chosen = options.get("o", default).split(",")
    for column in chosen:
        if column.lower() not in COLUMNS:
            raise Wrong(f'Unknown column "{column}".')
    return [c.lower() for c in chosen]


def _restarters(found: List[Tuple[str, str]]) -> List[Fmri]:
    """Of every -R: a whole FMRI of an instance, with or without svc:/. Raises Wrong."""
    wanted = []
    for text in [text for name, text in found if name == "-R"]:
        name = parse(text if text.startswith("svc:") else f"svc:/{text}")
        if name is None:
            raise Wrong(f'Restarter FMRI "{text}" is invalid.')
        if name.instance is None:
            raise Wrong(f'Restarter FMRI "{text}" does not designate an instance.')
        wanted.append(name)
    return wanted


def _restarter(instance: Instance) -> Optional[Fmri]:
    """Instances without one are svc.startd's."""
    return parse(first(instance.current(), "general", "restarter") or MASTER)


def _unique(instances: Iterable[Instance]) -> List[Instance]:
    return list({str(i.fmri): i for i in instances}.values())


def _listed(instance: Instance) -> bool:
    """Without -a: enabled, permanently or for now."""
    return any(first(instance.groups, g, "enabled") == "true" for g in ("general", "general_ovr"))


def _cell(line: Row, column: str, columns: List[str]) -> str:
    """With the blank behind it, which one that was cut has not got."""
    _, width, told = COLUMNS[column]
    text = told(line, columns)
    if column in CUT:
        return f"{text:<{width}} "[:width + 1]
    return (text.rjust(-width) if width < 0 else text.ljust(width)) + " "


def _sort_key(line: Row, column: str) -> Tuple[float, float, str]:
    if column in ("state", "sta", "s"):
        return (_rank(line.state), 0.0, "")
    if column in NEXT_COLUMNS:
        return (_rank(line.state) if column == "sn" else 0.0, _rank(line.next), "")
    if column == "stime":
        return (line.since, 0.0, "")
    if column == "ctid":
        contract = ctid(line).rstrip("*")
        return (float(contract) if contract != "-" else -1.0, 0.0, "")
    return (0.0, 0.0, COLUMNS[column][2](line, [column]))


def _rank(state: str) -> float:
    return STATES.index(state) if state in STATES else 99


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
