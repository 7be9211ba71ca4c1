"""Running methods: commands, contexts, logs, time-outs, contracts (smf_method(7), svc.startd's method.c).

One method of an instance at a time. The outcome comes back as orders.MethodDone through `report`.
"""
import errno
import os
import re
import signal
import time
from typing import Callable, Dict, List, NamedTuple, Optional

from sunlab.smf import context as context_of
from sunlab.smf import spec as spec_of
from sunlab.smf.contracts import CORE_SIGNALS, Contracts, Program, spawn
from sunlab.smf.fmri import MASTER, log_name, parse
from sunlab.smf.notices import Notices
from sunlab.smf.orders import ChildExited, Event, MethodDone
from sunlab.smf.properties import Groups, first
from sunlab.smf.repository import Instance, Repository
from sunlab.smf.tokens import TokenInvalid, expand

METHOD_PATH = "/usr/sbin:/usr/bin"
MON_DEGRADE = 97        # SMF_EXIT_MON_DEGRADE: it has started, if not well


class Paths(NamedTuple):
    """Where a host keeps what svc.startd needs."""
    repository: str = "/etc/svc/repository"
    door: str = "/var/run/svc/door"
    contracts: str = "/system/contract"
    manifests: tuple = ("/lib/svc/manifest", "/var/svc/manifest")       # type: ignore[type-arg]
    logs: str = "/var/svc/log"
    shell: str = "/sbin/sh"
    syslog: str = "/dev/log"


class Start(NamedTuple):
    """What is known of a start method."""
    pid: int                            # 0: it needed no process
    status: Optional[int] = None        # as wait(2) has it; None while it runs
    at: int = 0                         # ns since the epoch


class Running:
    """A method in hand."""

    def __init__(self, fmri: str, method: str, view: Groups, child: bool) -> None:
        self.fmri = fmri
        self.method = method
        self.view = view
        self.child = child
        self.primary = False        # its contract is the service's
        self.text = ""              # the command
        self.pid = 0
        self.contract = 0
        self.deadline: Optional[float] = None
        self.timed_out = False
        self.emptying = False       # the method has succeeded; the service's contract must still become empty


class Methods:
    def __init__(self, repository: Repository, contracts: Contracts, paths: Paths, zone: str,
                 report: Callable[[Event], None]) -> None:
        self.repository = repository
        self.contracts = contracts
        self.paths = paths
        self.zone = zone
        self.report = report
        self.running: Dict[str, Running] = {}
        self.primary: Dict[str, int] = {}           # instance -> its service contract
        self.children: Dict[int, str] = {}          # pid of a child service's process -> instance
        self.pids: Dict[int, Running] = {}
        self.transient: Dict[str, int] = {}         # instance -> contract of a method in hand that is not its service's
        self.starts: Dict[str, Start] = {}          # instance -> its last start method
        self.ended: Dict[str, MethodDone] = {}      # instance -> how its last method ended
        self.notices = Notices(paths.logs, paths.syslog)

    # --- what the machine orders

    def run(self, fmri: str, method: str, duration: str) -> None:
        instance = self.instance(fmri)
        if instance is None:
            return
        view = instance.running()
        running = Running(fmri, method, view, duration == "child" and method == "start")
        running.primary = method == "start" and duration != "transient"
        if method not in view or "exec" not in view[method].props:
            self.log(fmri, _absent(view, method))
            self.null(running)
            return
        command = first(view, method, "exec")
        if method == "stop" and duration != "transient" and fmri not in self.primary:
            self.report(MethodDone(fmri, method, 0))        # no contract: nothing to stop
        elif command == ":true":
            self.log(fmri, f"Executing {method} method (null).")
            if method == "start":
                self.note_start(fmri, 0)
            self.null(running)
        elif signal_of(command) is not None:
            self.kill_method(running, command)
        else:
            self.launch(running, instance, command)

    def null(self, running: Running) -> None:
        """Nothing to run. What is still alive after a stop of that kind is left alone (method_run)."""
        if running.method == "stop":
            self.abandon(running.fmri)
        self.report(MethodDone(running.fmri, running.method, 0))

    def kill_method(self, running: Running, command: str) -> None:
        """`:kill [-SIG]`: signal the whole service contract, then wait until it is empty."""
        number = signal_of(command)
        if running.fmri not in self.primary or number is None:
            self.log(running.fmri, 'Invalid use of ":kill" as stop method for transient service.')
            self.report(MethodDone(running.fmri, running.method, 0, invalid=True))
            return
        self.log(running.fmri, f"Executing {running.method} method (:kill).")
        self.contracts.signal(self.primary[running.fmri], number)
        self.set_deadline(running)
        self.succeeded(running)

    def launch(self, running: Running, instance: Instance, command: str) -> None:
        fmri, method = running.fmri, running.method
        try:
            text = expand(command, method=method, service=instance.service.name, instance=instance.name,
                          look=lambda other, group, name: self.look(instance, other, group, name))
            program = self.program(instance, running, text)
        except (TokenInvalid, context_of.ContextInvalid) as wrong:
            self.log(fmri, str(wrong))
            self.report(MethodDone(fmri, method, 0, invalid=True))
            return
        if running.child and text.startswith("/") and not os.access(text.split()[0], os.X_OK):
            self.log(fmri, f'Method "{method}" cannot be run: {text.split()[0]} is not an executable.')
            self.report(MethodDone(fmri, method, 0, invalid=True))
            return
        running.text = text
        running.contract = self.contracts.create()
        (self.primary if running.primary else self.transient)[fmri] = running.contract
        self.log(fmri, f'Executing {method} method ("{text}").')
        try:
            running.pid = spawn(self.contracts.path(running.contract), program)
        except OSError as failed:
            self.log(fmri, f"Couldn't fork to execute method {text}: {failed.strerror}")
            self.contracts.remove(running.contract)
            self.let_go(running)
            again = failed.errno == errno.EAGAIN
            self.report(MethodDone(fmri, method, 1 if again else 0, invalid=not again))
            return
        self.contracts.populated(running.contract)
        self.pids[running.pid] = running
        if method == "start":
            self.starts[fmri] = Start(running.pid)
        if running.child:
            self.children[running.pid] = fmri
            self.note_start(fmri, 0)
            self.report(MethodDone(fmri, method, 0))
            return
        self.running[fmri] = running
        self.set_deadline(running)

    def note_start(self, fmri: str, status: int) -> None:
        old = self.starts.get(fmri)
        self.starts[fmri] = Start(old.pid if old is not None else 0, status, time.time_ns())

    def let_go(self, running: Running) -> None:
        """The method is over and its contract is not, or not any more, the service's."""
        if running.primary:
            self.abandon(running.fmri)
        elif self.transient.get(running.fmri) == running.contract:
            del self.transient[running.fmri]

    def set_deadline(self, running: Running) -> None:
        limit = spec_of.timeout_s(running.view, running.method)
        if limit is not None and running.deadline is None:
            running.deadline = time.monotonic() + limit

    def program(self, instance: Instance, running: Running, text: str) -> Program:
        method = running.method
        context = context_of.read(running.view, method)
        if context.unmodelled:
            self.log(running.fmri, f"sunlab: without effect in this lab: {context.unmodelled}")
        environment = {"PATH": METHOD_PATH, "SMF_FMRI": str(instance.fmri), "SMF_METHOD": method,
                       "SMF_RESTARTER": MASTER, "SMF_ZONENAME": self.zone, **context.environment}
        log = os.path.join(self.paths.logs, log_name(instance.service.name, instance.name))

        def prepare() -> None:
            null = os.open("/dev/null", os.O_RDONLY)
            out = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            for source, target in ((null, 0), (out, 1), (out, 2)):
                os.dup2(source, target)
            os.umask(0o022)
            if context.groups is not None:
                os.setgroups(context.groups)
                os.setgid(context.gid)
                os.setuid(context.uid)
            os.chdir(context.folder)
        return Program([self.paths.shell, "-c", f"exec {text}"], environment, prepare)

    # --- what happens to processes

    def exited(self, pid: int, code: int, number: int) -> None:
        """A child of ours was reaped: by itself with `code`, or by the signal `number`."""
        running = self.pids.pop(pid, None)
        if running is None:
            return
        if running.child:
            self.child_exited(running, pid, code, number)
            return
        if self.running.get(running.fmri) is not running:
            return
        if running.method == "start":
            self.note_start(running.fmri, wait_status(code, number))
        if number:
            self.log(running.fmri, f'Method "{running.method}" failed due to signal {signal_name(number)}.')
            self.notices.tell("warning", '%s: Method "%s" failed due to signal %s.', running.fmri, running.text,
                              signal_name(number))
        else:
            self.log(running.fmri, f'Method "{running.method}" exited with status {code}.')
            if code:
                self.notices.tell("warning", '%s: Method "%s" failed with exit status %d.', running.fmri, running.text,
                                  code)
        if number or code not in (0, MON_DEGRADE) or not running.primary:
            self.let_go(running)                # what a failed start leaves behind is left alone (method.c)
        if code or number:
            self.done(running, MethodDone(running.fmri, running.method, code, number, running.timed_out))
        else:
            self.succeeded(running)

    def child_exited(self, running: Running, pid: int, code: int, number: int) -> None:
        fmri = self.children.pop(pid)
        if self.primary.get(fmri) == running.contract:
            self.note_start(fmri, wait_status(code, number))
            self.report(ChildExited(fmri, code or 128 + number if number else code))

    def succeeded(self, running: Running) -> None:
        """The method is through; after a stop the service's contract must become empty in the rest of its time."""
        contract = self.primary.get(running.fmri)
        if running.method == "stop" and contract is not None:
            if self.contracts.populated(contract):
                running.emptying = True
                self.running[running.fmri] = running
                return
            del self.primary[running.fmri]
        self.done(running, MethodDone(running.fmri, running.method, 0))

    def done(self, running: Running, outcome: MethodDone) -> None:
        self.running.pop(running.fmri, None)
        self.ended[running.fmri] = outcome
        self.report(outcome)

    def emptied(self, contract: int) -> Optional[str]:
        """A contract has become empty: the instance whose service contract it was, None where that was expected."""
        self.contracts.remove(contract)
        fmri = next((f for f, c in self.primary.items() if c == contract), None)
        if fmri is None:
            return None
        running = self.running.get(fmri)
        if running is not None and running.emptying:
            del self.primary[fmri]
            self.done(running, MethodDone(fmri, running.method, 0, lingered=running.timed_out))
            return None                     # the end of its stop: a fault would hit the next start
        return fmri

    def expire(self, now: float) -> None:
        """Kill what is past its time."""
        for running in list(self.running.values()):
            if running.deadline is None or now < running.deadline or running.timed_out:
                continue
            running.timed_out = True
            contract = self.primary.get(running.fmri, 0) if running.emptying else running.contract
            self.log(running.fmri, f"Method or service exit timed out.  Killing contract {contract}.")
            self.notices.tell("warning", "%s: Method or service exit timed out.  Killing contract %ld.", running.fmri,
                              contract)
            self.contracts.signal(contract, signal.SIGKILL)

    def next_deadline(self) -> Optional[float]:
        running = self.running.values()
        return min((r.deadline for r in running if r.deadline is not None and not r.timed_out), default=None)

    def abandon(self, fmri: str) -> None:
        self.primary.pop(fmri, None)

    def deserted(self, fmri: str) -> bool:
        """Has it a service contract with nobody in it?"""
        contract = self.primary.get(fmri)
        return contract is not None and not self.contracts.populated(contract)

    # --- small things

    def instance(self, fmri: str) -> Optional[Instance]:
        name = parse(fmri)
        return self.repository.instance(name) if name is not None else None

    def look(self, instance: Instance, other: Optional[str], group: str, name: str) -> Optional[List[str]]:
        """A token's property: in the running snapshot, then in the current values."""
        target = instance if other is None else self.instance(other)
        if target is None:
            return None
        for view in (target.running(), target.current()):
            if group in view and name in view[group].props:
                return list(view[group].props[name].values)
        return None

    def log(self, fmri: str, text: str) -> None:
        name = parse(fmri)
        if name is None or name.instance is None:
            return
        stamp = time.strftime("%b %e %H:%M:%S")
        with open(os.path.join(self.paths.logs, log_name(name.service, name.instance)), "a", encoding="utf-8") as file:
            file.write(f"[ {stamp} {text} ]\n")


def _absent(view: Groups, method: str) -> str:
    """What the log says of a method that is not there; it counts as success."""
    if method in view:
        return f"Method property '{method}/exec is not present."
    if method == "refresh":
        return "No 'refresh' method defined.  Treating as :true."
    return f"Method property group '{method}' is not present."


def signal_of(command: str) -> Optional[int]:
    """The signal of `:kill [-SIG|-n]`; None where the command is none of that form, and so one for the shell."""
    form = re.fullmatch(r":kill(?:\s+-(\S+))?\s*", command)
    if form is None:
        return None
    name = form.group(1) or "TERM"
    if name.isdigit():
        return int(name) if 0 < int(name) < signal.NSIG else None
    if name == "THAW":
        return signal.SIGCONT           # nobody is frozen by cpr(7) here
    found = getattr(signal, f"SIG{name}", None)
    return found if isinstance(found, signal.Signals) else None


def wait_status(code: int, number: int) -> int:
    """As wait(2) has it on a host where what may dump core does."""
    return code << 8 | number | (0x80 if number in CORE_SIGNALS else 0)


def signal_name(number: int) -> str:
    """As sig2str(3C): without SIG; RTMIN+1 for what has no name of its own."""
    try:
        return signal.Signals(number).name[3:]
    except ValueError:
        return f"RTMIN+{number - signal.SIGRTMIN}"
