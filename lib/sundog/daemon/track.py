"""What SMF is doing with one group here, and what that means. Pure: states, outcomes and time come in, findings go out.

The methods report their outcome at once; a look at all states (watch.py) tells the rest: what cannot report, what an
operator did, and that everything is really disabled.
"""
from dataclasses import dataclass
from typing import Dict, List, Mapping, Optional, Set, Tuple, Union

from sundog.config.model import Group
from sundog.core.events import Activated, Deactivated, Event, GroupFailed, OperatorDisabled, OperatorEnabled

DISABLED, ONLINE, MAINTENANCE = "disabled", "online", "maintenance"
IDLE, HELD, ACTIVATING, ACTIVE, DEACTIVATING = "idle", "held", "activating", "active", "deactivating"

#: Nothing moves and the group is not where it should be: after this long it is called stuck.
STUCK_S = 5.0
#: A maintenance seen while stopping, when no stop method said that it failed, may be older than the disable.
SETTLE_S = 1.0


@dataclass(frozen=True)
class Seen:
    """One instance as svcs(1) shows it."""
    state: str
    moving: bool                        # a method runs: the state has a `*`


States = Mapping[str, Seen]


@dataclass(frozen=True)
class Disable:
    """Take these instances down; `lasting` removes a persistent enable too."""
    fmris: Tuple[str, ...]
    why: str
    lasting: bool = False


@dataclass(frozen=True)
class Sweep:
    """Run the stop of these resources directly: SMF runs no stop method for an instance whose start failed."""
    group: str
    epoch: int
    resources: Tuple[str, ...]


Finding = Union[Event, Disable, Sweep]


class Track:
    """One group on this node."""

    def __init__(self, group: Group) -> None:
        self.group = group
        self.phase = IDLE
        self.epoch = 0
        self.states: Dict[str, Seen] = {}
        self._names = {resource.instance(group.name): resource.name for resource in group.resources}
        self._fmris = (*self._names, group.instance)
        self._begin()

    def _begin(self) -> None:
        self._start_errors: Dict[str, str] = {}
        self._stop_errors: Dict[str, str] = {}
        self._told: Set[str] = set()
        self._enabled_seen = False
        self._still_since: Optional[float] = None
        self._maintenance_since: Optional[float] = None
        self._sweeping = False

    @property
    def fmris(self) -> Tuple[str, ...]:
        return self._fmris

    @property
    def roots(self) -> Tuple[str, ...]:
        """The instances that need nothing: started first and stopped last."""
        return tuple(one.instance(self.group.name) for one in self.group.resources if not one.needs) or self._fmris

    def resource_states(self) -> Dict[str, str]:
        """Resource -> state as svcs prints it, `*` included."""
        return {name: self.states[fmri].state + ("*" if self.states[fmri].moving else "")
                for fmri, name in self._names.items() if fmri in self.states}

    def follow(self, group: Group) -> None:
        """The same resources under another preference of nodes."""
        self.group = group

    # ---- orders from the core

    def adopt(self, states: States) -> Optional[str]:
        """What runs here already when the daemon starts: "online", "partial", "stop-failed", or None for nothing."""
        self.states = self._mine(states)
        if all(seen.state == DISABLED and not seen.moving for seen in self.states.values()):
            return None
        if all(seen.state == ONLINE for seen in self.states.values()):
            self.phase = ACTIVE
            return "online"
        resources = [seen for fmri, seen in self.states.items() if fmri in self._names]
        if all(seen.state == DISABLED and not seen.moving for seen in resources):
            # Only the group instance is enabled, for ever: left from an svcadm enable before the boot, no wish of now.
            self._told.add("operator-enabled")
            return None
        self.phase = HELD
        in_maintenance = any(seen.state == MAINTENANCE for seen in resources)
        rest_is_down = all(seen.state in (DISABLED, MAINTENANCE) for seen in resources)
        return "stop-failed" if in_maintenance and rest_is_down else "partial"

    def activate(self, epoch: int) -> None:
        self.phase, self.epoch = ACTIVATING, epoch
        self._begin()

    def deactivate(self, epoch: int) -> None:
        failed_before = dict(self._start_errors)
        self.phase, self.epoch = DEACTIVATING, epoch
        self._begin()
        self._start_errors = failed_before
        for fmri, seen in self.states.items():
            if seen.state == MAINTENANCE and fmri in self._names:
                self._start_errors.setdefault(fmri, "in maintenance")

    def order_failed(self, reason: str) -> List[Finding]:
        """svcadm itself failed."""
        if self.phase == ACTIVATING:
            self.phase = HELD
            return [Activated(self.group.name, self.epoch, False, reason)]
        return self._ended(False, reason) if self.phase == DEACTIVATING else []

    # ---- what the world says

    def outcome(self, fmri: str, method: str, ok: bool, error: str) -> List[Finding]:
        """A method reports its end."""
        if method == "start" and ok and fmri in self.states:
            self.states[fmri] = Seen(ONLINE, False)
        if method == "start" and not ok:
            self._start_errors[fmri] = error
        elif method == "stop" and not ok:
            self._stop_errors[fmri] = error
        elif method == "start" and fmri == self.group.instance and self.phase == ACTIVATING:
            self.phase = ACTIVE
            return [Activated(self.group.name, self.epoch, True)]
        elif method == "start":
            self._start_errors.pop(fmri, None)
        return []

    def look(self, now: float, states: States) -> List[Finding]:
        """All instances as svcs shows them now."""
        self.states = self._mine(states)
        self._still(now)
        if self.phase == ACTIVATING:
            return self._look_activating(now)
        if self.phase == ACTIVE:
            return self._look_active()
        if self.phase == DEACTIVATING:
            return self._look_deactivating(now)
        return self._look_idle() if self.phase == IDLE else []

    def not_passed_on(self) -> None:
        """That the group is disabled was not taken for an operator's word: the next look finds it again."""
        self._told.discard("operator-disabled")

    def swept(self, ok: bool, reason: str) -> List[Finding]:
        """The stops that a Sweep asked for are through."""
        return self._ended(ok, reason)

    # ---- looking

    def _mine(self, states: States) -> Dict[str, Seen]:
        return {fmri: states.get(fmri, Seen(DISABLED, False)) for fmri in self._fmris}

    def _still(self, now: float) -> None:
        moving = any(seen.moving for seen in self.states.values())
        self._still_since = None if moving else now if self._still_since is None else self._still_since

    def _stuck(self, now: float, after_s: float) -> bool:
        return self._still_since is not None and now - self._still_since >= after_s

    def _in_maintenance(self) -> List[str]:
        return [fmri for fmri, seen in self.states.items() if seen.state == MAINTENANCE and not seen.moving]

    def _reason(self, fmri: str, errors: Mapping[str, str]) -> str:
        said = errors.get(fmri)
        name = self._names.get(fmri, "the group instance")
        return f"{name}: {said}" if said else f"{name} is in maintenance (svcs -x {fmri})"

    def _look_activating(self, now: float) -> List[Finding]:
        name = self.group.name
        maintenance = self._in_maintenance()
        if maintenance and self._enabled_seen:
            self.phase = HELD
            return [Activated(name, self.epoch, False, self._reason(maintenance[0], self._start_errors))]
        if all(seen.state == ONLINE for seen in self.states.values()):
            self.phase = ACTIVE
            return [Activated(name, self.epoch, True)]
        own = self.states[self.group.instance]
        if own.state == DISABLED and self._enabled_seen and not own.moving:
            return self._once("operator-disabled", OperatorDisabled(name))
        self._enabled_seen = self._enabled_seen or own.state != DISABLED
        if self._stuck(now, STUCK_S):
            self.phase = HELD
            waiting = ", ".join(f"{self._names.get(fmri, 'the group')} {seen.state}"
                                for fmri, seen in self.states.items() if seen.state != ONLINE)
            return [Activated(name, self.epoch, False, f"stuck for {STUCK_S:g} s: {waiting}")]
        return []

    def _look_active(self) -> List[Finding]:
        name = self.group.name
        maintenance = self._in_maintenance()
        if maintenance:
            resource = self._names.get(maintenance[0], "")
            reason = self._reason(maintenance[0], {**self._start_errors, **self._stop_errors})
            return self._once("failed", GroupFailed(name, resource, reason))
        self._told.discard("failed")
        own = self.states[self.group.instance]
        if own.state == DISABLED and not own.moving:
            return self._once("operator-disabled", OperatorDisabled(name))
        return []

    def _look_deactivating(self, now: float) -> List[Finding]:
        if self._sweeping:
            return []
        maintenance = self._in_maintenance()
        failed = [fmri for fmri in maintenance if fmri in self._stop_errors]
        self._maintenance_since = None if not maintenance else \
            now if self._maintenance_since is None else self._maintenance_since
        if failed:
            return self._ended(False, self._reason(failed[0], self._stop_errors))
        if self._maintenance_since is not None and now - self._maintenance_since >= SETTLE_S:
            return self._ended(False, self._reason(maintenance[0], {}))
        if all(seen.state == DISABLED and not seen.moving for seen in self.states.values()):
            failed_starts = tuple(self._names[fmri] for fmri in self._start_errors if fmri in self._names)
            if not failed_starts:
                return self._ended(True, "")
            self._sweeping = True
            return [Sweep(self.group.name, self.epoch, failed_starts)]
        if self._stuck(now, STUCK_S):
            self._still_since = now
            up = tuple(fmri for fmri, seen in self.states.items() if seen.state != DISABLED)
            return [Disable(up, "still enabled while the group is stopping")]
        return []

    def _look_idle(self) -> List[Finding]:
        """Nothing of the group may be enabled here: whoever enabled it meant the cluster, or went around it."""
        own = self.states[self.group.instance]
        astray = tuple(fmri for fmri in self._names
                       if self.states[fmri].state != DISABLED and not self.states[fmri].moving)
        findings: List[Finding] = []
        if own.state != DISABLED and not own.moving:
            # Lasting: the wish goes to the cluster now, and must not come up again at the next boot.
            findings.append(Disable((self.group.instance,), "the cluster decides", lasting=True))
            findings += self._once("operator-enabled", OperatorEnabled(self.group.name))
        elif own.state == DISABLED:
            self._told.discard("operator-enabled")
        if astray:
            findings.append(Disable(astray, "enabled outside the cluster: use sundog group online", lasting=True))
        return findings

    def _ended(self, ok: bool, reason: str) -> List[Finding]:
        epoch = self.epoch
        self.phase = IDLE if ok else HELD
        self._begin()
        return [Deactivated(self.group.name, epoch, ok, reason)]

    def _once(self, what: str, event: Event) -> List[Finding]:
        if what in self._told:
            return []
        self._told.add(what)
        return [event]
