"""svcs -x: why an instance does not run, and what that keeps from running, in words (svcs's explain.c)."""
import signal
import time
from typing import TYPE_CHECKING, Collection, Iterator, List, NamedTuple

from sunlab.smf import listing
from sunlab.smf.causes import Analysis, Node
from sunlab.smf.fmri import parse
from sunlab.smf.options import each
from sunlab.smf.properties import first
from sunlab.smf.repository import Instance

if TYPE_CHECKING:
    from sunlab.smf.door import Reply
    from sunlab.smf.startd import Startd

BY_EXIT = {95: "$SMF_EXIT_ERR_FATAL", 96: "$SMF_EXIT_ERR_CONFIG"}
#: strsignal(3C) where Linux has other words.
SIGNALS = {signal.SIGABRT: "Abort", signal.SIGSEGV: "Segmentation Fault", signal.SIGBUS: "Bus Error",
           signal.SIGFPE: "Arithmetic Exception", signal.SIGILL: "Illegal Instruction", signal.SIGPIPE: "Broken Pipe",
           signal.SIGALRM: "Alarm Clock", signal.SIGUSR1: "User Signal 1", signal.SIGUSR2: "User Signal 2"}
SUMMARIES = {"administrative_request": "was taken down for maintenace by an administrator.",     # sic
             "dependency_cycle": "completed a dependency cycle.",
             "fault_threshold_reached": "is not running because a method failed repeatedly.",
             "invalid_dependency": "has an invalid dependency.", "invalid_restarter": "has an invalid restarter.",
             "method_failed": "is not running because a method failed.",
             "none": "is not running for an unknown reason.",
             "restarting_too_quickly": "was restarting too quickly."}
WIDTH = 80


class Cause(NamedTuple):
    reason: str         # lines after "Reason: "
    code: str           # after SMF-8000-
    path: str = ""      # the cause to whom -v shows the way


def run(startd: "Startd", operands: List[str], options: Collection[str], reply: "Reply") -> int:
    good = True
    analysis = Analysis(startd.repository)
    if operands:
        chosen, good = each(startd.repository, operands, reply, "svcs")
        nodes = [analysis.node(instance) for instance in chosen]
    else:
        nodes = sorted(analysis.causes.values(), key=lambda n: (-len(analysis.impact(n)), n.fmri))
    for number, node in enumerate(nodes):
        if number:
            reply.out("")
        for text in paragraph(startd, analysis, node, options):
            reply.out(text)
    return 0 if good else 1


def paragraph(startd: "Startd", analysis: Analysis, node: Node, options: Collection[str]) -> Iterator[str]:
    verbose = "v" in options
    yield f"{node.fmri} ({listing.common_name(node.instance) or '?'})"
    if "z" in options or "Z" in options:
        yield f"  Zone: {startd.zone}"
    yield f" State: {node.state} since {time.strftime('%a %b %e %H:%M:%S %Y', time.localtime(node.since))}"
    for cause in reasons(analysis, node):
        yield f"Reason: {cause.reason}"
        yield f"   See: {startd.platform.messages}SMF-8000-{cause.code}"
        if cause.path and verbose:
            yield f"  Path: {node.fmri}"
            for depth, hop in enumerate(analysis.path(node, cause.path), 1):
                yield f"        {' ' * 2 * depth}{hop.fmri}"
    yield from _see(node.instance, verbose)
    if node.logfile:
        yield f"   See: {node.logfile}"
    yield from _impact(node, analysis.impact(node), verbose)


def _see(instance: Instance, verbose: bool) -> Iterator[str]:
    view = instance.running()
    for name, group in view.items():
        if name.startswith("tm_man_"):
            title, section = first(view, name, "title"), first(view, name, "section")
            path = first(view, name, "manpath", ":default").replace(":default", "/usr/share/man")
            yield f"   See: man -M {path} -s {section} {title}" if verbose else f"   See: {title}({section})"
        elif name.startswith("tm_doc_") and group.type == "template":
            yield f"   See: {first(view, name, 'uri')}"


def _impact(node: Node, impact: List[Node], verbose: bool) -> Iterator[str]:
    if not impact:
        yield "Impact: None." if node.runs else "Impact: This service is not running."
        return
    text = "1 dependent service is" if len(impact) == 1 else f"{len(impact)} dependent services are"
    yield f"Impact: {text} not running" + (":" if verbose else ".  (Use -v for list.)")
    if verbose:
        yield from (f"        {one.fmri}" for one in impact)


# --- reasons


def reasons(analysis: Analysis, node: Node) -> List[Cause]:
    if node.state == "online":
        return []
    if node.state == "uninitialized":
        return [_uninitialized(analysis, node)]
    if node.state == "disabled":
        return [_disabled(node)]
    if node.state == "maintenance":
        return [_maintenance(node)]
    if node.state == "degraded":
        return [Cause("Degraded by an administrator.", "DX")]
    if node.next == "online":
        return [Cause("Start method is running.", "C4")]
    if node.next != "none":
        return [Cause(f"Transitioning to state {node.next}.", "PH")]
    return _offline(analysis, node)


def _uninitialized(analysis: Analysis, node: Node) -> Cause:
    name = parse(node.restarter)
    found = analysis.repository.find(name) if name is not None else None
    if name is None:
        return Cause(f'Restarter "{node.restarter}" is invalid.', "2A")
    if not isinstance(found, Instance):
        return Cause(f'Restarter "{node.restarter}" does not exist.', "3P")
    if analysis.node(found).runs:
        return Cause(f"Restarter {node.restarter} has not initialized service state.", "4D")
    return Cause(f"Restarter {node.restarter} is not running.", "5H")


def _disabled(node: Node) -> Cause:
    comment = first(node.instance.groups, "general_ovr" if node.temporary else "general", "comment")
    tail = f": {comment}" if comment else "."
    return Cause(f"Temporarily disabled by an administrator{tail}", "1S") if node.temporary else Cause(
        f"Disabled by an administrator{tail}", "05")


def _maintenance(node: Node) -> Cause:
    fixed = {"administrative_request": Cause("Maintenance requested by an administrator.", "63"),
             "service_request": Cause("Maintenance requested by another service.", "R4"),
             "restarting_too_quickly": Cause("Restarting too quickly.", "L5"),
             "dependency_cycle": Cause("Completes a dependency cycle.", "HP"),
             "invalid_dependency": Cause("Has invalid dependency.", "JA"),
             "invalid_restarter": Cause(f'Restarter "{node.restarter}" is invalid.', "2A"),
             "none": Cause(f"Restarter {node.restarter} gave no explanation.", "9C")}
    if node.aux in fixed:
        return fixed[node.aux]
    if node.aux not in ("fault_threshold_reached", "method_failed"):
        return Cause("Unknown.", "AR")
    repeated = node.aux == "fault_threshold_reached"
    if not node.status:
        return Cause("Method failed repeatedly." if repeated else "Method failed.", "8Q")
    ended = _ended(node.status)
    return Cause(f"Start method failed repeatedly, last {ended}." if repeated else f"Start method {ended}.", "KS")


def _ended(status: int) -> str:
    """A wait status in words."""
    code, number = status >> 8, status & 0x7f
    if not number:
        return f"exited with {BY_EXIT[code]}" if code in BY_EXIT else f"exited with status {code}"
    known = number in SIGNALS or number < signal.SIGRTMIN
    name = SIGNALS.get(number) or signal.strsignal(number)      # type: ignore[call-overload]
    if status & 0x80:
        return f"dumped core on {name} ({number})" if known else f"dumped core signal {number}"
    return f"died on {name} ({number})" if known else f"died on signal {number}"


def _offline(analysis: Analysis, node: Node) -> List[Cause]:
    """What is absent, then whatever keeps it down at the end of each chain."""
    causes = node.causes or {}
    if not node.absent and list(causes) == [node.fmri]:
        if node.restarter_bad:
            words, code = {"invalid": ("is invalid", "2A"), "absent": ("does not exist", "3P")}[node.restarter_bad]
            return [Cause(f'Restarter "{node.restarter}" {words}.', code)]
        return [Cause("Unknown.", "AR")]
    found = [Cause(f"Dependency {entity} is absent.", "E2") for entity in node.absent]
    for name in causes:
        if name == node.fmri:
            continue
        other = analysis.nodes[name]
        if other.runs:
            found.append(Cause(f"Service {name} is running.", "FJ", name))
            continue
        text = f"Service {name} {_summary(other)}"
        if len(f"Reason: {text}") > WIDTH:
            text = f"Service {name}\n        {_summary(other)}"
        found.append(Cause(text, "GE", name))
    return found


def _summary(node: Node) -> str:
    if node.state == "disabled":
        return "is temporarily disabled." if node.temporary else "is disabled."
    if node.state == "offline":
        if node.absent:
            return "has missing dependencies."
        return "is starting." if node.next == "online" else "is offline."
    if node.state == "maintenance":
        return SUMMARIES.get(node.aux, "requires maintenance.")
    return "is uninitialized."
