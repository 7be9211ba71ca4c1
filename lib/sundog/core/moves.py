"""A group's way through the ledger: stop, confirmed by the owner, then start (rules 6 and 10). Pure."""
from dataclasses import replace
from typing import Optional

from sundog.core import recovery
from sundog.core.frames import GroupReport
from sundog.core.ledger import OFFLINE, ONLINE, STARTING, STOP_FAILED, STOPPING, GroupEntry


def confirmed(entry: GroupEntry, report: GroupReport) -> bool:
    """Rule 6: has the owner confirmed that nothing of the group is active there any more?"""
    return report.epoch == entry.epoch and report.state == "stopped"


def fences(on_stop_failed: str) -> bool:
    """Rule 10: does the owner of a group that does not stop reset itself, or wait for a human?"""
    return on_stop_failed == "fence"


def stop(entry: GroupEntry, why: str, target: Optional[str] = None) -> GroupEntry:
    """Begin an orderly stop of what is starting or online; anything else stays as it is, with the new target."""
    if entry.state in (STARTING, ONLINE):
        return replace(entry, state=STOPPING, target=target, why=why)
    return replace(entry, target=target)


def start(entry: GroupEntry, node: str, boot_id: str, why: str) -> GroupEntry:
    """Assign an offline group to a node, under a new epoch."""
    return replace(entry, state=STARTING, owner=node, epoch=entry.epoch + 1, boot_id=boot_id, why=why, target=None)


def free(entry: GroupEntry, why: str) -> GroupEntry:
    """Take a group from an owner that cannot write any more: the next start may use force."""
    return replace(entry, state=OFFLINE, force=True, why=why)


def after_report(entry: GroupEntry, report: GroupReport, current: bool) -> GroupEntry:
    """What the owner's report of its own epoch makes of the entry.

    `current`: the report was made in knowledge of this ledger; one made before a stop was tried again does not count.
    """
    if confirmed(entry, report):
        return _stopped(entry, report)
    if report.epoch != entry.epoch:
        return entry
    if entry.state == STARTING and report.state == "online":
        return replace(entry, state=ONLINE, force=False)
    if entry.state in (STARTING, ONLINE) and report.state in ("failed", "stop-failed"):
        return _failed(replace(entry, state=STOPPING), report)
    if entry.state == STOPPING and report.state == "stop-failed" and current:
        return replace(entry, state=STOP_FAILED, why=f"it does not stop on {entry.owner}: {report.reason}")
    return entry


def _failed(entry: GroupEntry, report: GroupReport) -> GroupEntry:
    assert entry.owner is not None
    why = f"failed on {entry.owner}: {report.reason}"
    return replace(recovery.failed(entry, entry.owner, report.reason), why=why, target=None)


def _stopped(entry: GroupEntry, report: GroupReport) -> GroupEntry:
    if entry.state in (STARTING, ONLINE):
        return replace(_failed(entry, report), state=OFFLINE)
    if entry.state in (STOPPING, STOP_FAILED):
        return replace(entry, state=OFFLINE)
    return entry
