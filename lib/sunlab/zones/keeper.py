"""What svc.zones decides about one zone's instance, svc:/system/zones/zone:NAME (svc.zones(8), Solaris 11.4). Pure.

online is a running zone that has reached its milestone/goals; disabled is a halted one. Whatever happens, `look`
compares what is wanted with what is: news that are old by the time they are heard do no harm.
"""
from __future__ import annotations

UP = ("running", "shutting_down", "down")
BOOTABLE = ("installed", "ready")


class Order:
    """`what`: report (state, next, aux), run (boot, shutdown, halt, attach), disable (temporarily) or log (a text)."""
    __slots__ = ("what", "words")

    def __init__(self, what: str, *words: str) -> None:
        self.what, self.words = what, words

    def __repr__(self) -> str:
        return " ".join((self.what, *self.words))


class Keeper:
    """`enabled`, `zone` and `acting` are put here by whoever knows, before `look`."""

    def __init__(self, zone_state: str, tracks_goals: bool = True) -> None:
        self.zone = zone_state
        self.tracks_goals = tracks_goals
        self.enabled = False
        self.acting = False             # somebody's zoneadm is at work on the zone: wait until it has ended
        self.state, self.next = "uninitialized", "none"
        self.satisfied = False          # svc.startd says that its dependencies are
        self.goals = ""                 # the state of the zone's milestone/goals; "" where it is not known
        self.job = ""                   # what zoneadm does for us just now
        self.heading = ""               # the state at which the instance is when the zone has been shut down
        self.broken = ""                # why it is in maintenance
        self.orders: list[Order] = []

    @property
    def up(self) -> bool:
        return self.zone in UP

    @property
    def running(self) -> bool:
        return self.state in ("online", "degraded")

    def taken(self) -> list[Order]:
        """What is to be done since the last time."""
        orders, self.orders = self.orders, []
        return orders

    def give(self, what: str, *words: str) -> None:
        self.orders.append(Order(what, *words))

    def report(self, state: str, following: str = "none", aux: str = "none") -> None:
        if state != "maintenance":
            self.broken = ""
        self.satisfied = False
        if (state, following) != (self.state, self.next):
            self.state, self.next = state, following
            self.give("report", state, following, aux)

    def run(self, job: str) -> None:
        self.job = job
        self.give("run", job)

    def maintain(self, why: str, aux: str, said: str) -> None:
        self.give("log", said)
        self.report("maintenance", "none", aux)
        self.broken = why

    # --- what is wanted and what is

    def look(self) -> None:
        """Do what is to be done next. Unlike svc.startd's own, an instance does not leave maintenance on a disable."""
        if not self.up:
            self.goals = ""
        if self.job or self.acting:
            return
        if self.state == "maintenance":
            if self.broken == "goals" and self.goals in ("online", "degraded"):
                self.report("online", "none", "clear_request")
        elif self.up and self.enabled:
            self.arrive()
        elif self.up:
            self.come_down("disabled", "disable_request")
        elif not self.enabled:
            self.report("disabled", "none", "disable_request")
        elif self.running or self.next == "online":
            if self.zone != "ready":    # as it is for a moment when it reboots
                self.give("disable")    # the zone has ended by itself
        elif self.state != "offline":
            self.report("offline", "none", "enable_request")
        elif self.satisfied:
            self.boot()

    def arrive(self) -> None:
        """The zone is up: the instance is where its goals are."""
        if self.goals in ("online", "degraded") or not self.tracks_goals:
            if not self.running:
                self.report("online", "none", "dependencies_satisfied")
        elif self.goals == "maintenance":
            self.maintain("goals", "dependency_activity", "the zone's milestone/goals is in maintenance")
        elif self.goals or not self.running:
            self.report("offline", "online", "dependencies_satisfied")

    def boot(self) -> None:
        if self.zone in BOOTABLE:
            self.report("offline", "online", "dependencies_satisfied")
            self.run("boot")
        else:
            self.maintain("state", "method_failed", f"the zone is {self.zone}: it cannot be booted from there")

    def come_down(self, goal: str, aux: str, halt: bool = False) -> None:
        if not self.up:
            self.report(goal, "none", aux)
            return
        self.report(self.state, goal, aux)
        self.heading = goal
        self.run("halt" if halt else "shutdown")

    # --- from svc.startd

    def add(self, state: str) -> None:
        """The instance is there, in that state; another svc.zones may have had it before."""
        self.state = state
        self.broken = "before" if state == "maintenance" else ""
        if self.zone == "unavailable":
            self.run("attach")
        self.look()

    def start(self) -> None:
        self.satisfied = True
        self.look()

    def stop(self, goal: str, aux: str) -> None:
        """goal: offline (a restart, or what it depends on) or maintenance (an administrator's wish)."""
        if self.state != "maintenance" and not self.job:
            self.come_down(goal, aux)

    def clear(self) -> None:
        if self.state == "degraded":
            self.report("online", "none", "clear_request")
        elif self.state == "maintenance" and self.zone == "unavailable":
            self.run("attach")
        elif self.state == "maintenance":
            self.left_maintenance()

    def left_maintenance(self) -> None:
        self.report("offline" if self.enabled else "disabled", "none", "clear_request")
        self.look()

    def degrade(self, aux: str) -> None:
        if self.state == "online":
            self.report("degraded", "none", aux)

    # --- what zoneadm has done

    def done(self, well: bool) -> None:
        """The job has ended."""
        job, self.job = self.job, ""
        if job == "boot" and not (well and self.up):
            self.maintain("boot", "method_failed", "the zone could not be booted")
        elif job == "boot":
            self.look()
        elif job == "attach":
            self.attached()
        elif not self.up:
            self.report(self.heading, "none", "disable_request" if self.heading == "disabled" else "restart_request")
            self.look()
        elif job == "shutdown":
            self.run("halt")
        else:
            self.maintain("halt", "method_failed", "the zone cannot be halted")

    def attached(self) -> None:
        if self.zone == "unavailable":
            self.give("log", "the zone is still unavailable")
        if self.state == "maintenance" and self.zone != "unavailable":
            self.left_maintenance()
        self.look()
