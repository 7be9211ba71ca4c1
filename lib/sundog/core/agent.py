"""What this node does with its own groups: starts and stops what the ledger says, and reports how it went.

A record is kept for every group that is, or may be, active here, and for one that has stopped until the ledger knows.
"""
from dataclasses import dataclass, replace
from typing import Dict, List, Mapping, Optional, Tuple

from sundog.config.model import Cluster
from sundog.core import lease, moves, permits
from sundog.core.effects import Activate, Deactivate, Effect, Journal
from sundog.core.events import Activated, Deactivated, GroupFailed
from sundog.core.frames import GroupReport
from sundog.core.ledger import OFFLINE, ONLINE, STARTING, STOP_FAILED, STOPPING, GroupEntry, Ledger

#: Adopted, not started by this daemon: part of it runs.
PARTIAL = "partial"
_UP = ("starting", "online", PARTIAL)
_ADOPTED = ("online", PARTIAL, "stop-failed")
_FOUND = "found so when the daemon started"


@dataclass(frozen=True)
class Local:
    epoch: int
    state: str                          # as in GroupReport, or PARTIAL
    reason: str = ""
    blocked: bool = False               # stop-failed, and the ledger knows


def adopted_state(found: str) -> str:
    """Rule 8: what SMF says runs here already is kept; what does not stop is stopped again."""
    return {"online": "online", "partial": PARTIAL}.get(found, "stop-failed")


class Agent:
    def __init__(self, name: str, boot_id: str, cluster: Cluster) -> None:
        self.name, self.boot_id, self._cluster = name, boot_id, cluster
        self.local: Dict[str, Local] = {}
        self.active = False                             # something is, or may be, active here
        self.reports: Tuple[GroupReport, ...] = ()      # what a heartbeat says of it
        self.known = False                              # whether the daemon has said what runs here
        self._reconciled: Optional[Tuple[Ledger, Tuple[GroupReport, ...], bool]] = None
        self.fenced = False                             # rule 10: this host is to reset itself

    def _set(self, group: str, one: Optional[Local]) -> None:
        if one is None:
            del self.local[group]
        else:
            self.local[group] = one
        self.active = any(one.state != "stopped" for one in self.local.values())
        self.reports = tuple(
            GroupReport(name, one.epoch, "starting" if one.state == PARTIAL else one.state, one.reason)
            for name, one in sorted(self.local.items()))

    def configured(self, cluster: Cluster) -> None:
        """Another configuration is in force on this node."""
        self._cluster, self._reconciled = cluster, None

    def stopping(self, group: str) -> bool:
        one = self.local.get(group)
        return one is None or one.state not in _UP

    def deadline(self, now: float, lease_until: Optional[float], standing: Optional[float]) -> Optional[float]:
        """What failfast must hold: the end of the lease, or this very instant when the host must reset itself."""
        if self.fenced:
            return now if standing is None else min(now, standing)
        return lease.deadline(self.active, lease_until, standing)

    # ---- what happened here

    def adopt(self, groups: Mapping[str, str], ledger: Ledger) -> None:
        self.known = True
        for group, found in groups.items():
            epoch = ledger.groups.get(group, GroupEntry()).epoch
            self._set(group, Local(epoch, adopted_state(found), _FOUND))

    def activated(self, event: Activated) -> List[Effect]:
        one = self.local.get(event.group)
        if one is None or one.epoch != event.epoch or one.state != "starting":
            return []
        if event.ok:
            self._set(event.group, Local(event.epoch, "online"))
            return [Journal("GROUP-ONLINE", "notice", f"group {event.group} is online on {self.name}", event.group,
                            self.name)]
        return self._failed(event.group, one, event.reason)

    def failed(self, event: GroupFailed) -> List[Effect]:
        one = self.local.get(event.group)
        if one is None or one.state not in _UP:
            return []
        return self._failed(event.group, one, f"{event.resource}: {event.reason}")

    def _failed(self, group: str, one: Local, reason: str) -> List[Effect]:
        """Stop what is left of it at once; the leader learns of the failure, then of the stop."""
        self._set(group, Local(one.epoch, "failed", reason))
        return [Journal("GROUP-FAILED", "error", f"group {group} failed on {self.name}: {reason}", group, self.name),
                Deactivate(group, one.epoch, f"it failed: {reason}")]

    def deactivated(self, event: Deactivated) -> List[Effect]:
        one = self.local.get(event.group)
        if one is None or one.epoch != event.epoch or one.state not in ("stopping", "failed"):
            return []
        if event.ok:
            self._set(event.group, replace(one, state="stopped"))
            return [Journal("GROUP-STOPPED", "notice", f"group {event.group} has stopped on {self.name}", event.group,
                            self.name)]
        self._set(event.group, Local(one.epoch, "stop-failed", event.reason))
        return [Journal("STOP-FAILED", "error", f"group {event.group} does not stop on {self.name}: {event.reason}",
                        event.group, self.name)]

    # ---- what the ledger wants

    def depose(self, why: str) -> List[Effect]:
        """This host is to reset itself at once: others may have what is active here, and a stop would write."""
        if self.fenced or not self.active:
            return []
        self.fenced = True
        return [Journal("SELF-FENCING", "error", f"{self.name} resets itself: {why}", "", self.name)]

    def stop_all(self, why: str, doubtful: bool) -> List[Effect]:
        """The cluster does not admit this node: it must not run anything. `doubtful`: it may have been paused."""
        if doubtful and self.active:
            return self.depose(f"it was paused, and the cluster does not admit it: {why}")
        return [effect for group, one in list(self.local.items()) if one.state in (*_UP, "stop-failed")
                for effect in self._stop(group, one.epoch, why)]

    def reconcile(self, ledger: Ledger, may_start: bool) -> List[Effect]:
        """Bring what is here to what the ledger says. `may_start`: a lease is in hand and the ledger is up to date."""
        seen = (ledger, self.reports, may_start)
        done = self._reconciled
        if done is not None and done[0] is ledger and done[1] is self.reports and done[2] is may_start:
            return []
        self._reconciled = seen
        effects: List[Effect] = []
        for group in {**self.local, **ledger.groups}:
            entry = ledger.groups.get(group, GroupEntry())
            if entry.owner == self.name or group in self.local:
                effects += self._reconcile(group, entry, may_start)
        return effects

    def _reconcile(self, group: str, entry: GroupEntry, may_start: bool) -> List[Effect]:
        one = self.local.get(group)
        mine = entry.owner == self.name and entry.boot_id == self.boot_id and entry.state != OFFLINE
        if not mine:
            return self._not_mine(group, one, may_start)
        if may_start and one is not None and one.state in _ADOPTED and one.epoch < entry.epoch:
            # It was adopted without the ledger: what runs here is what the ledger means.
            one = replace(one, epoch=entry.epoch)
            self._set(group, one)
        if entry.state in (STARTING, ONLINE):
            # A group that is new in the configuration waits until this node has that configuration.
            return self._up(group, entry, one) if may_start and group in self._cluster.groups else []
        if one is None:
            self._set(group, Local(entry.epoch, "stopped"))
            return []
        if entry.state == STOPPING:
            retried = one.state == "stop-failed" and one.blocked
            return self._stop(group, entry.epoch, entry.why) if one.state in _UP or retried else []
        return self._stop_failed(group, entry, one)

    def _not_mine(self, group: str, one: Optional[Local], may_start: bool) -> List[Effect]:
        if one is None:
            return []
        if one.state == "stopped":
            self._set(group, None)
        elif may_start and (one.state in _UP or (one.state == "stop-failed" and one.reason == _FOUND)):
            return self._stop(group, one.epoch, f"the cluster has not assigned it to {self.name}")
        return []

    def _up(self, group: str, entry: GroupEntry, one: Optional[Local]) -> List[Effect]:
        if one is not None and one.epoch == entry.epoch and one.state == "stop-failed":
            self._set(group, Local(entry.epoch, "failed", one.reason))
            return [Deactivate(group, entry.epoch, "it was found failed")]
        if one is not None and not (one.state == PARTIAL or (one.state == "stopped" and one.epoch != entry.epoch)):
            return []
        self._set(group, Local(entry.epoch, "starting"))
        force = " by force" if entry.force else ""
        return [Journal("GROUP-STARTING", "notice", f"group {group} starts{force} on {self.name}: {entry.why}", group,
                        self.name),
                Activate(group, permits.permit(group, self.name, entry))]

    def _stop(self, group: str, epoch: int, why: str) -> List[Effect]:
        self._set(group, Local(epoch, "stopping"))
        return [Journal("GROUP-STOPPING", "notice", f"group {group} stops on {self.name}: {why}", group, self.name),
                Deactivate(group, epoch, why)]

    def _stop_failed(self, group: str, entry: GroupEntry, one: Local) -> List[Effect]:
        if entry.state != STOP_FAILED or one.state != "stop-failed" or one.blocked:
            return []
        self._set(group, replace(one, blocked=True))
        if not moves.fences(self._cluster.recovery.on_stop_failed):
            return []
        self.fenced = True
        return [Journal("SELF-FENCING", "error", f"group {group} does not stop: {self.name} resets itself", group,
                        self.name)]
