"""The daemon of one zone: takes the zone from state to state, gives birth to its init, serves its console, tidies up.

It starts when it is first needed and ends when its zone is halted and nobody is at the console. Sentences: zoneadmd.c.
The init of a zone is its own svc.startd in nested namespaces. It ends by SIGHUP when the zone reboots itself
(reboot(2) in a pid namespace), by anything else when the zone is halted.
"""
from __future__ import annotations

import os
import select
import signal
import sys

from sunlab.zones import bootargs, config, console, links, registry, root, scratch
from sunlab.zones.bootargs import BootArguments
from sunlab.zones.calls import Door
from sunlab.zones.registry import Running

CONTRACTS = "/system/contract"
OWN = f"{CONTRACTS}/zoneadmd"           # the daemons' control group: not the contract of whoever called zoneadm
LOG = "/var/log/zoneadmd.log"
BOOT = ("import sys; sys.path.insert(0, '/usr/lib/sunlab/lib'); from sunlab.smf import startd; "
        "startd.run(zone=sys.argv[1], milestone=sys.argv[2])")
GUEST = "import sys; sys.path.insert(0, '/usr/lib/sunlab/lib'); from sunlab.zones import guest; guest.main()"
#: Brands whose init is a guest that the lab does not have.
GUESTS = {"lx": "init", "bhyve": "bhyve"}
TAIL_MS = 10


class ZoneBroken(Exception):
    """The zone cannot run or cannot end; the text says why."""


def group(zone: str, part: str = "") -> str:
    """The zone's control group, or its `init` or `contracts`."""
    return f"{CONTRACTS}/zone.{zone}/{part}".rstrip("/")


def start(zone: str) -> None:
    """Start the zone's daemon; returns when its door is open. Raises ZoneBroken."""
    from sunlab.zones import birth
    for folder in (OWN, group(zone, "init"), group(zone, "contracts"), registry.RUN):
        os.makedirs(folder, exist_ok=True)
    heard, tell = os.pipe()
    if birth.fork_into(OWN) == 0:
        status = 1
        try:
            _become_daemon(tell)
            daemon = Daemon(zone)
            os.write(tell, b"open")
            os.close(tell)
            daemon.serve()
            status = 0
        except Exception as problem:    # noqa: BLE001 - the end of a daemon: all there is to say goes to its log
            sys.stderr.write(f"zone '{zone}': {problem!r}\n")
            sys.stderr.flush()
        finally:
            os._exit(status)
    os.close(tell)
    with os.fdopen(heard, "rb") as pipe:
        if pipe.read() != b"open":
            raise ZoneBroken(f"could not start zoneadmd; see {LOG}")


def _become_daemon(tell: int) -> None:
    """Own session, output to the log, nothing inherited but `tell`."""
    os.setsid()
    os.chdir("/")
    null = os.open("/dev/null", os.O_RDWR)
    log = os.open(LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for descriptor, source in ((0, null), (1, null), (2, log)):
        os.dup2(source, descriptor)
    os.closerange(3, tell)
    os.closerange(tell + 1, 256)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)


def invalid(verb: str, state: str) -> bool:
    """Is that command none for a zone in this state?"""
    if state in ("configured", "incomplete", "unavailable"):
        return True
    if state == "mounted":
        return verb != "unmount"
    if verb in ("mount", "unmount"):
        return state != "installed"
    return verb == "reboot" and state in ("installed", "ready")


def run_other(program: str, root: str) -> None:
    """In the zone: the first process that a boot argument -i names. Raises OSError, ZoneBroken."""
    from sunlab.zones import birth
    if not os.path.exists(program):
        raise ZoneBroken(f"could not stat {root}{program}: No such file or directory")
    if not os.access(program, os.X_OK):
        raise ZoneBroken(f"{root}{program} is not executable")
    os.execve(program, [program], birth.ENVIRONMENT)


class Daemon:
    def __init__(self, zone: str) -> None:
        self.zone = zone
        self.own = config.load(zone) or config.blank()
        self.door = Door(zone)
        self.console = console.Console(zone)
        self.lent: list[links.Lent] = []
        self.network = -1               # the network namespace of an exclusive-IP zone
        self.watch = -1                 # readable when the zone's init has ended
        at = registry.running(zone)
        if at is not None:              # the daemon before this one died
            at.daemon = os.getpid()
            registry.record(zone, at)
            self.adopt(at)

    def adopt(self, at: Running) -> None:
        if at.state in ("running", "shutting_down") and at.init:
            self.watch = os.pidfd_open(at.init)
            if links.exclusive(self.own):
                self.network = os.open(f"/proc/{at.init}/ns/net", os.O_RDONLY)

    def state(self) -> str:
        at = registry.running(self.zone)
        zone = registry.index().get(self.zone)
        return at.state if at else zone.state if zone else "configured"

    # --- the loop

    def serve(self) -> None:
        while True:
            ready = select.poll()
            for descriptor in (self.door.listener, self.watch, *self.console.descriptors()):
                if descriptor >= 0:
                    ready.register(descriptor, select.POLLIN)
            for descriptor, _ in ready.poll():
                if descriptor == self.door.listener:
                    self.answer()
                elif descriptor == self.watch:
                    self.ended()
                elif descriptor in self.console.descriptors():      # it may have been closed by what came before
                    self.console.ready(descriptor)
            self.reap()
            if self.state() in registry.AT_REST and not self.console.attended() and not self.door.called():
                self.door.close()
                return

    def reap(self) -> None:
        """Children that only had something to close (net/neighbours.py); the init's end is heard otherwise."""
        at = registry.running(self.zone)
        try:
            while True:
                dead = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
                if dead is None or at is not None and dead.si_pid == at.init:
                    return
                os.waitpid(dead.si_pid, 0)
        except ChildProcessError:
            return

    def answer(self) -> None:
        """One command of zoneadm."""
        words = self.door.accept()
        if not words:
            return
        say: list[str] = []
        try:
            self.command(words[0], words[1:], say)
            status = 0
        except (ZoneBroken, OSError) as broken:
            say.append(str(broken))
            status = 1
        self.door.reply(status, "".join(f"zone '{self.zone}': {line}\n" for line in say))

    def command(self, verb: str, words: list[str], say: list[str]) -> None:
        """What a command does in each state (server() in zoneadmd.c). Raises ZoneBroken."""
        state = self.state()
        if verb == "mount" and state == "incomplete" and "-f" in words:
            state = "installed"
        if invalid(verb, state):
            raise ZoneBroken(f"{verb} operation is invalid for zones in state '{state}'")
        if verb == "halt" and state == "installed":
            say.append("zone is already halted")
        elif verb == "ready" and state == "ready":
            say.append("zone is already ready")
        elif verb == "boot" and state in ("running", "shutting_down", "down"):
            say.append("zone is already booted")
        elif verb == "halt":
            self.halt()
            self.console.notice("Zone halted")
        elif verb == "ready":
            if state != "installed":
                self.halt()
            self.make_ready(say)
            self.console.notice("Zone readied")
        elif verb in ("boot", "reboot"):
            if verb == "reboot":
                self.console.notice("Zone rebooting")
                self.halt(again=True)
            self.boot(say, " ".join(words))
        elif verb == "mount":
            self.mount()
        elif state == "installed":
            say.append("zone is already unmounted")
        else:
            self.unmount()

    # --- from state to state

    def make_ready(self, say: list[str]) -> None:
        """A zone id and the addresses; no process yet."""
        self.own = config.load(self.zone) or config.blank()
        path = registry.index()[self.zone].path
        if not root.present(path):
            raise ZoneBroken(f"cannot stat {path}/root: No such file or directory")
        for folder in ("init", "contracts"):
            os.makedirs(group(self.zone, folder), exist_ok=True)
        links.bring_up(self.own, say)
        registry.record(self.zone, Running(registry.next_number(), 0, os.getpid(), "ready"))

    def mount(self) -> None:
        own, path = config.load(self.zone) or config.blank(), registry.index()[self.zone].path
        try:
            scratch.mount(path, own)
        except OSError:
            scratch.unmount(path)
            raise
        registry.record(self.zone, Running(registry.next_number(), 0, os.getpid(), "mounted"))

    def unmount(self) -> None:
        scratch.unmount(registry.index()[self.zone].path)
        registry.record(self.zone, None)

    def boot(self, say: list[str], arguments: str = "") -> None:
        try:
            if self.state() != "ready":
                self.make_ready(say)
            self.console.notice("Zone booting up")
            self.give_birth(say, self.read_arguments(arguments, say))
        except (OSError, ZoneBroken):
            self.tidy()
            raise

    def read_arguments(self, arguments: str, say: list[str]) -> BootArguments:
        """Those given for this boot, else the zone's own; one that is not understood is no error."""
        found = bootargs.read(arguments or self.own.get("bootargs"))
        if found.unused:
            self.console.notice(f"Ignoring invalid boot arguments: {' '.join(found.unused)}")
        if found.words:
            say.append(f"WARNING: Unused or invalid boot arguments `{' '.join([*found.unused, *found.words])}'.")
        return found

    def give_birth(self, say: list[str], arguments: BootArguments) -> None:
        """Start the zone's init; returns when it has reached its own program. Raises ZoneBroken."""
        from sunlab.zones import birth
        heard, tell = os.pipe()         # closed by exec: the end of the file means that all went well
        wait, go = os.pipe()
        namespaces = birth.NEWNS | birth.NEWUTS | birth.NEWIPC | birth.NEWPID
        alone = links.exclusive(self.own)
        init = birth.fork_into(group(self.zone, "init"), namespaces | (birth.NEWNET if alone else 0))
        if init == 0:
            os.close(go)
            self.become_init(wait, tell, arguments)
        os.close(tell)
        os.close(wait)
        at = registry.running(self.zone)
        registry.record(self.zone, Running(at.number if at else 0, init, os.getpid(), "ready"))
        self.watch = os.pidfd_open(init)
        plan = b""
        if alone:
            self.network = os.open(f"/proc/{init}/ns/net", os.O_RDONLY)
            self.lent = links.lend(self.zone, registry.index()[self.zone].uuid, self.own, self.network, say)
            plan = "\n".join(" ".join([one.inside, *one.addresses]) for one in self.lent).encode()
        os.write(go, plan)
        os.close(go)
        with os.fdopen(heard, "rb") as pipe:
            trouble = pipe.read().decode()
        if trouble:
            os.waitpid(init, 0)
            raise ZoneBroken(trouble)
        registry.record(self.zone, Running(at.number if at else 0, init, os.getpid()))

    def become_init(self, wait: int, tell: int, arguments: BootArguments) -> None:
        """The child: never returns."""
        from sunlab.zones import assembly, birth
        try:
            with os.fdopen(wait, "rb") as pipe:
                lines = [line.split(" ") for line in pipe.read().decode().splitlines()]
            if links.exclusive(self.own):
                links.settle([links.Lent(line[0], "", line[1:]) for line in lines])
            path, at = registry.index()[self.zone].path, registry.running(self.zone)
            assembly.enter(path, group(self.zone, "contracts"), self.zone, self.own, self.console.name,
                           at.number if at else 0)
            os.mkdir("/run/svc")
            brand = self.own.get("brand")
            signal.signal(signal.SIGPIPE, signal.SIG_DFL)
            if arguments.init:
                run_other(arguments.init, f"{path}/root")
            if brand in GUESTS:
                os.execve("/usr/bin/python3", [GUESTS[brand], "-IS", "-c", GUEST, self.zone], birth.ENVIRONMENT)
            os.execve("/usr/bin/python3", ["svc.startd", "-IS", "-c", BOOT, self.zone, arguments.milestone],
                      birth.ENVIRONMENT)
        except Exception as problem:    # noqa: BLE001 - a forked child must not return into its parent's code
            os.write(tell, str(problem).encode())
        finally:
            os._exit(1)

    def ended(self) -> None:
        """The zone's init has gone by itself: by reboot(2), or for good."""
        status = self.collect()
        self.console.notice("Zone halted" if status != signal.SIGHUP else "Zone rebooting")
        self.tidy(again=status == signal.SIGHUP)
        if status != signal.SIGHUP:
            return
        say: list[str] = []
        try:
            self.boot(say)
        except (OSError, ZoneBroken) as broken:
            say.append(str(broken))
        sys.stderr.write("".join(f"zone '{self.zone}': {line}\n" for line in say))
        sys.stderr.flush()

    def collect(self) -> int:
        """The signal that ended the init; 0 where that is not known."""
        at = registry.running(self.zone)
        os.close(self.watch)
        self.watch = -1
        try:
            _, status = os.waitpid(at.init if at else -1, 0)
        except ChildProcessError:
            return 0                    # born to a daemon before this one
        return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0

    def halt(self, again: bool = False) -> None:
        """Kill the zone's init, and so everything in it. A process that cannot die holds this up, as on Solaris."""
        at = registry.running(self.zone)
        if at is not None and self.watch >= 0:
            at.state = "shutting_down"
            registry.record(self.zone, at)
            os.kill(at.init, signal.SIGKILL)
            select.select([self.watch], [], [])
            self.collect()
        self.tidy(again)

    def tidy(self, again: bool = False) -> None:
        """After the zone's last process: its links and addresses, its control groups and its run file go.

        `again`: it boots at once, and is never seen installed.
        """
        at = registry.running(self.zone)
        number = at.number if at is not None else 0
        if self.network >= 0:
            links.give_back(self.lent, self.network)
            os.close(self.network)
            self.network, self.lent = -1, []
        links.take_down(self.own)
        for folder, _, _ in sorted(os.walk(group(self.zone)), key=lambda entry: len(entry[0]), reverse=True):
            while True:
                try:
                    os.rmdir(folder)
                    break
                except FileNotFoundError:
                    break
                except OSError:         # a process that is dead but not yet counted out
                    select.select([], [], [], 0.001)
        registry.record(self.zone, Running(number, 0, os.getpid(), "down") if again else None)
