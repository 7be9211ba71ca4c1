"""svc.startd and svc.configd of a node or zone, pid 1: the loop that joins machine, methods, contracts and door."""
import heapq
import os
import select
import signal
import time
from collections import deque
from typing import TYPE_CHECKING, Callable, Deque, Dict, Iterable, List, Optional, Tuple

from sunlab import platform
from sunlab.smf import milestone, notices, spec, throttle
from sunlab.smf.contracts import CORE_SIGNALS, Contracts
from sunlab.smf.door import Door
from sunlab.smf.fmri import Fmri, log_name
from sunlab.smf.machine import Machine
from sunlab.smf.methods import Methods, Paths
from sunlab.smf.orders import (
    Abandon,
    Broken,
    Configured,
    Delay,
    DisableTemporarily,
    Event,
    Fault,
    Loaded,
    Log,
    Order,
    Removed,
    Run,
    State,
    TakeStart,
    Tell,
    Woken,
)
from sunlab.smf.properties import Group, Prop
from sunlab.smf.repository import fingerprint
from sunlab.smf.store import Store

if TYPE_CHECKING:
    from sunlab.smf.comedown import ComingDown

#: Manifests of packages that only the global zone has; a zone of the lab shares its node's files.
GLOBAL_ONLY = ("/system/zones.xml",)
LAST_RITES_S = 0.005        # between a contract becoming empty and its last member's death being reported


class Startd:
    def __init__(self, paths: Paths, zone: str = "global", system: platform.Platform = platform.ILLUMOS) -> None:
        for folder in (os.path.dirname(paths.repository), os.path.dirname(paths.door), paths.logs):
            os.makedirs(folder, exist_ok=True)
        self.paths = paths
        self.platform = system
        self.zone = zone
        self.milestone = ""             # of this boot, by a boot argument
        self.store = Store(paths.repository)
        self.repository = self.store.load()
        self.contracts = Contracts(paths.contracts)
        self.queue: Deque[Event] = deque()
        self.methods = Methods(self.repository, self.contracts, paths, zone, self.queue.append)
        self.machine = Machine(throttle.of(system), system.exits, os.path.exists, self.methods.deserted)
        self.timers: List[Tuple[float, int, Callable[[], None]]] = []
        self.watched: Dict[int, int] = {}       # descriptor of cgroup.events -> contract
        self.gone: List[int] = []               # empty contracts that the kernel did not let go yet
        self.epoll = select.epoll()
        self.door = Door(paths.door, self)
        self.coming_down: "Optional[ComingDown]" = None

    # --- boot

    def boot(self) -> None:
        """Import what is new among the manifests, then start what is enabled."""
        for path in sorted(self.manifest_files()):
            self.import_file(path)
        for instance in self.repository.instances():
            if "running" not in instance.snapshots:
                self.repository.take(instance, "running")
        milestone.at_boot(self)
        self.load(i.fmri for i in self.repository.instances())
        self.store.commit(self.repository)
        self.pump()

    def manifest_files(self) -> List[str]:
        found = [os.path.join(folder, name) for top in self.paths.manifests for folder, _, names in os.walk(top)
                 for name in names if name.endswith(".xml")]
        return found if self.zone == "global" else [path for path in found if not path.endswith(GLOBAL_ONLY)]

    def import_file(self, path: str) -> None:
        """Import one manifest unless it is what was imported last. A broken one is said on the console, not fatal."""
        with open(path, encoding="utf-8") as file:
            text = file.read()
        print_of = fingerprint(text)
        if self.repository.manifests.get(path) == print_of:
            return
        # Not at the top: a zone that has nothing new to import comes up sooner without.
        from sunlab.smf import manifest, upgrade
        try:
            done = upgrade.apply(self.repository, manifest.read(text, path), path)
        except manifest.ManifestInvalid as wrong:
            self.say("\n".join([*wrong.details, f"svccfg: {path}: {wrong}"]))
            return
        for name in done.touched:
            instance = self.repository.instance(name)
            if instance is not None:
                self.repository.take(instance, "running")
        self.repository.manifests[path] = print_of
        self.repository.changed = True

    def say(self, text: str) -> None:
        os.write(2, f"{text}\n".encode())

    # --- what the door's commands do

    def load(self, names: Iterable[Fmri]) -> None:
        """Tell the machine about new or refreshed instances."""
        told = []
        for name in names:
            instance = self.repository.instance(name)
            if instance is not None:
                told.append(Configured(str(name), spec.read(instance.running()), milestone.enabled(instance)))
        self.queue.append(Loaded(tuple(told)))

    def refresh(self, names: Iterable[Fmri]) -> None:
        """Copy the current values into the running snapshot and act on them (no method)."""
        names = list(names)
        for name in names:
            instance = self.repository.instance(name)
            if instance is not None:
                self.repository.take(instance, "running")
        self.load(names)

    def removed(self, name: Fmri) -> None:
        self.queue.append(Removed(str(name)))

    # --- orders

    def pump(self) -> None:
        """Feed the machine until nothing is left to say."""
        while self.queue:
            event = self.queue.popleft()
            for order in self.step(event):
                self.careful(order.fmri, lambda order=order: self.carry(order))     # type: ignore[misc]

    def step(self, event: Event) -> List[Order]:
        orders: List[Order] = []
        self.careful(event.fmri, lambda: orders.extend(self.machine.step(time.monotonic(), event)))
        return orders

    def careful(self, fmri: str, act: Callable[[], None]) -> None:
        """Pid 1 must outlive what it does not understand in one instance: that one goes to maintenance."""
        try:
            act()
        except Exception as bug:    # noqa: BLE001
            self.say(f"svc.startd: {fmri}: {bug!r}")
            unit = self.machine.units.get(fmri)
            if unit is not None and unit.state != "maintenance":
                self.queue.append(Broken(fmri))

    def carry(self, order: Order) -> None:
        if isinstance(order, State):
            self.write_state(order)
        elif isinstance(order, Run):
            self.methods.run(order.fmri, order.method, self.machine.units[order.fmri].spec.duration)
            self.watch()
            self.write_contract(order.fmri)
        elif isinstance(order, Abandon):
            self.methods.abandon(order.fmri)
            self.write_contract(order.fmri)
        elif isinstance(order, Log):
            self.methods.log(order.fmri, order.text)
        elif isinstance(order, TakeStart):
            instance = self.methods.instance(order.fmri)
            if instance is not None and instance.snapshots.get("start") != instance.snapshots.get("running"):
                instance.snapshots["start"] = instance.snapshots["running"]
        elif isinstance(order, DisableTemporarily):
            self.disable_temporarily(order.fmri)
        elif isinstance(order, Tell):
            self.door.bindings.tell(order)
        elif isinstance(order, Delay):
            self.after(order.seconds, lambda: self.queue.append(Woken(order.fmri)))

    def write_state(self, order: State) -> None:
        instance = self.methods.instance(order.fmri)
        if instance is None:
            return
        old = instance.groups.get("restarter")
        log = os.path.join(self.paths.logs, log_name(instance.service.name, instance.name))
        now = time.time_ns()
        if old is None or order.state not in old.props["state"].values:
            self.announce(order)
        props = {**(old.props if old is not None else {}),
                 "logfile": Prop("astring", (log,)),
                 "state": Prop("astring", (order.state,)), "next_state": Prop("astring", (order.next,)),
                 "auxiliary_state": Prop("astring", (order.aux,)),
                 "state_timestamp": Prop("time", (f"{now // 10**9}.{now % 10**9:09d}",))}
        instance.groups["restarter"] = Group("framework", props, persistent=False)
        self.write_contract(order.fmri)
        self.door.group_written(instance.fmri, "restarter")

    def announce(self, order: State) -> None:
        """An instance that goes to maintenance is told of in syslog; what was to be told before syslogd ran, now."""
        why = notices.in_maintenance(order.aux, self.methods.ended.get(order.fmri))
        if order.state == "maintenance" and why is not None:
            self.methods.notices.tell("err", "%s %s", order.fmri.removeprefix("svc:/"), why)
        elif order.state == "online" and order.fmri == "svc:/system/system-log:default":
            self.methods.notices.flush()

    def disable_temporarily(self, fmri: str) -> None:
        instance = self.methods.instance(fmri)
        if instance is not None:
            milestone.set_override(instance, False)
            self.door.group_written(instance.fmri, "general_ovr")

    def write_contract(self, fmri: str) -> None:
        """The contracts and the start method, for svcs -p and the restarter group (libscf_write_method_status)."""
        instance = self.methods.instance(fmri)
        if instance is None or "restarter" not in instance.groups:
            return
        held = {"contract": self.methods.primary.get(fmri), "transient_contract": self.methods.transient.get(fmri)}
        told = {name: Prop("count", (str(number),) if number is not None else ()) for name, number in held.items()}
        start = self.methods.starts.get(fmri)
        if start is not None and start.pid:
            told["start_pid"] = Prop("count", (str(start.pid),))
        if start is not None and start.status is not None:
            told["start_method_timestamp"] = Prop("time", (f"{start.at // 10**9}.{start.at % 10**9:09d}",))
            told["start_method_waitstatus"] = Prop("integer", (str(start.status),))
        group = instance.groups["restarter"]
        instance.groups["restarter"] = group._replace(props={**group.props, **told})

    # --- the loop

    def watch(self) -> None:
        """Have the kernel tell when a new contract becomes empty."""
        for contract, descriptor in self.contracts.events.items():
            if descriptor not in self.watched:
                self.watched[descriptor] = contract
                self.epoll.register(descriptor, select.EPOLLPRI)

    def after(self, seconds: float, act: Callable[[], None]) -> None:
        heapq.heappush(self.timers, (time.monotonic() + seconds, len(self.timers), act))

    def reap(self) -> None:
        """Collect the dead. A zombie still names its contract, so that a death from outside is told from an exit."""
        while True:
            try:
                dead = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if dead is None:
                return
            contract = self.contracts.of(dead.si_pid)
            os.waitpid(dead.si_pid, 0)
            killed = dead.si_code != os.CLD_EXITED
            self.methods.exited(dead.si_pid, 0 if killed else dead.si_status, dead.si_status if killed else 0)
            if contract is not None:
                if killed:
                    self.fault(contract, "core" if dead.si_status in CORE_SIGNALS else "signal")
                self.look_at(contract)

    def fault(self, contract: int, kind: str) -> None:
        """A member was killed by a signal: an event for the service, unless a method in hand did it."""
        for fmri, primary in self.methods.primary.items():
            if primary == contract and fmri not in self.methods.running and fmri not in self.methods.children.values():
                self.queue.append(Fault(fmri, kind))

    def emptying(self, contract: int) -> None:
        """The kernel says that something changed. How the last one died is told by reaping it, a moment later."""
        if not self.contracts.populated(contract):
            self.after(LAST_RITES_S, lambda: self.look_at(contract))

    def look_at(self, contract: int) -> None:
        if contract not in self.contracts.events or self.contracts.populated(contract):
            return
        descriptor = self.contracts.events[contract]
        if self.watched.pop(descriptor, None) is not None:
            self.epoll.unregister(descriptor)
        starting = {f for f, r in self.methods.running.items() if r.method == "start"}
        fmri = self.methods.emptied(contract)
        if contract in self.contracts.events:
            self.gone.append(contract)
        if fmri is not None and fmri not in starting and fmri not in self.methods.children.values():
            self.queue.append(Fault(fmri, "exit"))

    def patience(self) -> float:
        """Seconds until something is due by itself; -1 where nothing is."""
        now = time.monotonic()
        method = self.methods.next_deadline()
        due = [method] if method is not None else []
        due += [self.timers[0][0]] if self.timers else []
        due += [now + 0.05] if self.gone else []
        return max(0.0, min(due) - now) if due else -1

    def turn(self) -> None:
        """Wait for something to happen, and deal with it."""
        self.pump()
        for descriptor, _ in self.epoll.poll(self.patience()):
            if descriptor in self.watched:
                self.emptying(self.watched[descriptor])
            elif descriptor == self.wakeup:
                os.read(self.wakeup, 4096)
            else:
                self.door.ready(descriptor)
        self.reap()
        now = time.monotonic()
        self.methods.expire(now)
        while self.timers and self.timers[0][0] <= now:
            heapq.heappop(self.timers)[2]()
        self.gone = [c for c in self.gone if not self.contracts.remove(c)]
        self.pump()
        self.store.commit(self.repository)
        if self.coming_down is not None:
            self.coming_down.look()

    def serve(self) -> None:
        """Boot, then never return."""
        self.wakeup, told = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(told)
        self.epoll.register(self.wakeup, select.EPOLLIN)
        self.door.open()
        self.boot()
        while True:
            self.turn()


def run(zone: str = "global", milestone: str = "") -> None:
    """What pid 1 of a node (or of `zone`) calls last: never returns. `milestone`: where this boot stops."""
    startd = Startd(Paths(), zone, platform.here())
    startd.milestone = milestone
    startd.serve()
