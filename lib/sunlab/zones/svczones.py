"""svc.zones: the restarter of the zones' instances on Solaris 11.4, svc:/system/zones:default (svc.zones(8)).

It runs zoneadm(8) for what keeper.py decides. Of zones it hears from zoneadmd and zoneadm (registry.announce), of their
goals from their own svc.startd. Log of a zone: /var/log/zones/NAME.messages.
"""
from __future__ import annotations

import json
import os
import select
import signal
import socket
import time

from sunlab.smf import client
from sunlab.zones import config, instance, registry, root
from sunlab.zones.goals import AGAIN_S, Watch
from sunlab.zones.keeper import Keeper, Order

LOGS = "/var/log/zones"
SHUTDOWN_S = 75                 # three quarters of what the service's stop method has
ZONEADM = "/usr/sbin/zoneadm"
PRIORITIES = ("high", "normal", "low")


class NotBound(Exception):
    """svc.startd does not take us for the restarter."""


def bind() -> socket.socket:
    """Our connection to svc.startd (restarter_bind_handle). Raises NotBound."""
    told = {"command": "restarter", "args": [instance.RESTARTER], "folder": "/", "terminal": False, "input": ""}
    startd = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        startd.connect(client.DOOR)
        startd.sendall(json.dumps(told).encode() + b"\n")
    except OSError as failed:
        raise NotBound(str(failed)) from failed
    return startd


class SvcZones:
    def __init__(self) -> None:
        self.keepers: dict[str, Keeper] = {}
        self.watches: dict[str, Watch] = {}
        self.retries: dict[str, float] = {}             # zone -> when its goals are asked for again
        self.jobs: dict[int, tuple[int, str]] = {}      # pidfd -> (pid, zone)
        self.acting: dict[int, str] = {}                # pidfd of somebody's zoneadm -> zone
        self.waiting: list[tuple[int, str, str]] = []   # (priority, zone, job)
        self.busy: set[str] = set()                     # zones that count as booting or shutting down
        self.heard = b""
        self.ending = False
        self.read_properties()
        self.news = self.listen()
        self.signals = self.await_signals()
        with open(f"{registry.RUN}/.svc.zones.pid", "w") as file:
            file.write(f"{os.getpid()}\n")
        self.tidy()
        self.startd = bind()

    def read_properties(self) -> None:
        self.tracks_goals = self.property_of("config/track-zone-goals") != "false"
        self.at_once = int(self.property_of("config/concurrent-boot-shutdown") or 0)

    def property_of(self, name: str) -> str:
        answer = client.call("svcprop", ["-p", name, instance.RESTARTER]) or []
        return "".join(text for key, text in answer if key == "out").strip()

    def listen(self) -> socket.socket:
        os.makedirs(registry.RUN, exist_ok=True)
        if os.path.exists(registry.NEWS):
            os.unlink(registry.NEWS)
        news = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        news.bind(registry.NEWS)
        return news

    def await_signals(self) -> int:
        """Readable when SIGTERM has come."""
        ours, theirs = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.signal(signal.SIGTERM, lambda *_: None)
        signal.set_wakeup_fd(theirs)
        return ours

    def tidy(self) -> None:
        """Instances for zones that should have one and none for others; zones without their files are unavailable."""
        zones = registry.index()
        for zone in zones.values():
            if zone.state == "installed" and registry.running(zone.name) is None and not root.present(zone.path):
                registry.set_state(zone.name, "unavailable")
                zone.state = "unavailable"
        wanted = {name for name, zone in zones.items() if zone.state in ("installed", "unavailable")}
        there = set(instance.existing())
        for name in sorted(there - wanted):
            instance.remove(name)
        for name in sorted(wanted - there):
            instance.add(name)
        self.autoboot = {name for name in wanted if (own := config.load(name)) is not None
                         and own.get("autoboot") == "true"}

    # --- the loop

    def serve(self) -> None:
        """Until SIGTERM, and all zones are down then."""
        while not (self.ending and self.ended()):
            poll = select.poll()
            descriptors = [self.startd.fileno(), self.news.fileno(), self.signals, *self.jobs, *self.acting]
            for descriptor in descriptors + [d for watch in self.watches.values() for d in watch.descriptors()]:
                poll.register(descriptor, select.POLLIN)
            for descriptor, _ in poll.poll(self.patience_ms()):
                self.ready(descriptor)
            now = time.monotonic()
            for zone in [zone for zone, due in self.retries.items() if due <= now]:
                self.ask_goals(zone)
            self.carry_out()

    def patience_ms(self) -> float | None:
        if not self.retries:
            return None
        return max(0.0, min(self.retries.values()) - time.monotonic()) * 1000 + 1

    def ready(self, descriptor: int) -> None:
        if descriptor == self.startd.fileno():
            self.hear_startd()
        elif descriptor == self.news.fileno():
            self.hear_news()
        elif descriptor == self.signals:
            os.read(self.signals, 4096)
            self.ending = True
        elif descriptor in self.jobs:
            self.job_ended(descriptor)
        elif descriptor in self.acting:
            os.close(descriptor)
            self.look(self.acting.pop(descriptor))
        else:
            self.hear_goals(descriptor)

    def hear_startd(self) -> None:
        self.hear_news()                # what a command did to a zone before it spoke to svc.startd comes first
        piece = self.startd.recv(65536)
        if not piece:
            os._exit(1)                 # svc.startd has let us go: it starts us again
        *lines, self.heard = (self.heard + piece).split(b"\n")
        for line in lines:
            event = json.loads(line)
            self.told(event["fmri"].rpartition(":")[2], event["event"], event)

    def told(self, zone: str, what: str, event: dict[str, str]) -> None:
        if what == "add":
            self.add(zone, event["state"])
            return
        keeper = self.keepers.get(zone)
        if keeper is None:
            return
        if what == "remove":
            del self.keepers[zone]
            self.forget(zone)
            return
        self.look(zone)
        if what == "start" and not self.ending:
            keeper.start()
        elif what in ("stop", "restart", "maintenance"):
            keeper.stop("maintenance" if what == "maintenance" else "offline", event["detail"] or "restart_request")
        elif what in ("clear", "restore"):
            keeper.clear()
        elif what == "degraded":
            keeper.degrade(event["detail"])

    def add(self, zone: str, state: str) -> None:
        keeper = self.keepers[zone] = Keeper("configured", self.tracks_goals)
        self.learn(zone, keeper)
        if zone in self.autoboot:
            self.autoboot.discard(zone)
            if not keeper.enabled and keeper.zone == "installed":
                instance.follow(zone, "enable")
                keeper.enabled = True
        keeper.add(state)

    # --- what is

    def look(self, zone: str) -> None:
        """Something has happened: see how things are, and decide."""
        keeper = self.keepers.get(zone)
        if keeper is not None:
            self.learn(zone, keeper)
            keeper.look()

    def learn(self, zone: str, keeper: Keeper) -> None:
        found = registry.index().get(zone)
        keeper.zone = registry.state_of(found) if found is not None else "configured"
        keeper.enabled = instance.enabled(zone)
        keeper.acting = zone in self.acting.values()
        self.look_after(zone)

    def hear_news(self) -> None:
        while select.select([self.news], [], [], 0)[0]:
            zone, _, said = self.news.recv(4096).decode().partition("\x1f")
            word, _, pid = said.partition(" ")
            if word == "acting":
                try:
                    self.acting[os.pidfd_open(int(pid))] = zone
                except ProcessLookupError:
                    pass                # it has ended already
            elif word == "down" and zone in self.keepers:
                self.keepers[zone].goals = "offline"        # it reboots
            self.look(zone)
    # --- zones and their goals

    def look_after(self, zone: str) -> None:
        """Watch the goals of a zone that runs, and of no other."""
        at = registry.running(zone)
        watch = self.watches.get(zone)
        if at is None or at.state != "running":
            self.forget(zone)
        elif watch is None or watch.init != at.init:
            self.forget(zone)
            self.watches[zone] = Watch(at.init)
            self.ask_goals(zone)

    def forget(self, zone: str) -> None:
        self.retries.pop(zone, None)
        watch = self.watches.pop(zone, None)
        if watch is not None:
            watch.close()

    def ask_goals(self, zone: str) -> None:
        self.retries.pop(zone, None)
        if zone in self.watches and not self.watches[zone].ask():
            self.retries[zone] = time.monotonic() + AGAIN_S

    def hear_goals(self, descriptor: int) -> None:
        for zone, watch in list(self.watches.items()):
            if descriptor not in watch.descriptors():
                continue
            state = watch.ready(descriptor)
            if state is None:
                return
            if state and zone in self.keepers:
                self.keepers[zone].goals = state
                self.look(zone)
            if not state or not watch.waits():
                self.retries[zone] = time.monotonic() + (0 if state else AGAIN_S)

    # --- orders

    def carry_out(self) -> None:
        for zone, keeper in list(self.keepers.items()):
            if self.ending and not keeper.job and keeper.up and keeper.state != "maintenance":
                self.end(zone, keeper)
            for order in keeper.taken():
                self.carry(zone, order)
            if keeper.next == "none":
                self.busy.discard(zone)
        while self.waiting and not (self.at_once and len(self.busy) >= self.at_once):
            _, zone, job = self.waiting.pop(0)
            self.begin(zone, job)

    def carry(self, zone: str, order: Order) -> None:
        if order.what == "report":
            state, following, aux = order.words
            line = {"fmri": instance.fmri(zone), "state": state, "next": following, "aux": aux}
            self.startd.sendall(json.dumps(line).encode() + b"\n")
        elif order.what == "disable":
            instance.follow(zone, "disable")
        elif order.what == "log":
            self.log(zone, order.words[0])
        elif order.words[0] in ("halt", "attach") or zone in self.busy:
            self.begin(zone, order.words[0])
        else:
            own = config.load(zone)
            priority = own.get("boot-priority") if own is not None else ""
            self.waiting.append((PRIORITIES.index(priority or "normal"), zone, order.words[0]))
            self.waiting.sort(key=lambda one: one[0])

    def log(self, zone: str, text: str) -> None:
        os.makedirs(LOGS, exist_ok=True)
        with open(f"{LOGS}/{zone}.messages", "a") as file:
            file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}\n")

    def begin(self, zone: str, job: str) -> None:
        """Have zoneadm do it."""
        if job in ("boot", "shutdown"):
            self.busy.add(zone)
        self.log(zone, f"zoneadm -z {zone} {job}")
        log = os.open(f"{LOGS}/{zone}.messages", os.O_WRONLY | os.O_APPEND)
        null = os.open("/dev/null", os.O_RDONLY)
        limit = ["/usr/bin/timeout", str(SHUTDOWN_S)] if job == "shutdown" else []
        argv = [*limit, ZONEADM, "-z", zone, job]
        pid = os.posix_spawn(argv[0], argv, {**os.environ, "SVC_ZONES": "1"}, file_actions=[
            (os.POSIX_SPAWN_DUP2, null, 0), (os.POSIX_SPAWN_DUP2, log, 1), (os.POSIX_SPAWN_DUP2, log, 2)])
        os.close(log)
        os.close(null)
        self.jobs[os.pidfd_open(pid)] = (pid, zone)

    def job_ended(self, descriptor: int) -> None:
        pid, zone = self.jobs.pop(descriptor)
        os.close(descriptor)
        _, status = os.waitpid(pid, 0)
        keeper = self.keepers.get(zone)
        if keeper is not None:
            self.learn(zone, keeper)
            keeper.done(status == 0)

    # --- the end

    def end(self, zone: str, keeper: Keeper) -> None:
        """The host or the service stops: the zone does as its autoshutdown says (suspending is not modelled)."""
        own = config.load(zone)
        keeper.come_down("uninitialized", "none", halt=own is not None and own.get("autoshutdown") == "halt")

    def ended(self) -> bool:
        if self.jobs or self.waiting or any(k.up and k.state != "maintenance" for k in self.keepers.values()):
            return False
        for keeper in self.keepers.values():
            keeper.report("uninitialized")
        self.carry_out()
        return True


def main() -> int:
    """The start method: returns when svc.startd has us as the restarter; the child stays."""
    heard, tell = os.pipe()
    if os.fork():
        os.close(tell)
        return 0 if os.read(heard, 16) == b"bound" else 95
    os.close(heard)
    os.chdir("/")
    daemon = SvcZones()
    os.write(tell, b"bound")
    os.close(tell)
    daemon.serve()
    os.unlink(registry.NEWS)
    return 0
