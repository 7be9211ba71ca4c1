"""Is a silent node's boot surely over, and what is asked of devices to make it so? (rule 5). Instants: the leader's.

A deposed node keeps its groups in the ledger until its boot is over, where the fence is required.
"""
from dataclasses import replace
from typing import Dict, Optional

from sundog.config.model import Cluster
from sundog.core import join, moves
from sundog.core import proofs as by_boot
from sundog.core.draft import Draft, View
from sundog.core.effects import Fence, Journal
from sundog.core.events import FenceDone
from sundog.core.frames import Refused
from sundog.core.ledger import OFFLINE, STOP_FAILED, GroupEntry, Ledger, Member
from sundog.core.membership import Beat
from sundog.core.proofs import Proofs

WAITS = "waits for fencing of "


def line(event: FenceDone) -> Journal:
    """What a device answered, for the journal."""
    outcome = f"{_end(event.barred)}: {event.reason}" if event.ok else f"could not be fenced: {event.reason}"
    return Journal("FENCED" if event.ok else "FENCE-FAILED", "warning", f"{event.node} {outcome}", "", event.node)


def _end(barred: bool) -> str:
    return "is kept from its disks" if barred else "is off"


def wanted(proofs: Proofs, node: str, boot_id: str, ledger: Ledger, cluster: Cluster) -> bool:
    """Is there still a need to go on with a fence that is under way?"""
    member = ledger.members.get(node)
    if member is None or member.boot_id != boot_id or proofs.over(node, boot_id):
        return False
    return not member.joined or by_boot.key(node, boot_id) in proofs.ordered or stop_failed(node, ledger, cluster)


def required(node: str, cluster: Cluster) -> bool:
    """Must a device confirm that the node is off before its groups start elsewhere?"""
    return node in cluster.fence and cluster.recovery.fencing == "required"


def objection(node: str, boot_id: str, cluster: Cluster, proofs: Proofs) -> Optional[str]:
    """Rule 5: why a deposed node's groups may not go elsewhere yet; None when its boot is over, or need not be proved.

    It is asked only of nodes that were silent for L, and whose lease has run out (takeover.objection).
    """
    if not required(node, cluster) or proofs.over(node, boot_id):
        return None
    said = proofs.course(node, boot_id).said
    return f"{WAITS}{node}" + (f": {said}" if said else "")


def held(node: str, boot_id: str, ledger: Ledger) -> Dict[str, GroupEntry]:
    """The groups that the ledger has with this boot of the node."""
    return {name: entry for name, entry in ledger.groups.items()
            if entry.owner == node and entry.boot_id == boot_id and entry.state != OFFLINE}


def stop_failed(node: str, ledger: Ledger, cluster: Cluster) -> bool:
    """Rule 10: is something there that does not stop, and a device that can end it?"""
    return node in cluster.fence and moves.fences(cluster.recovery.on_stop_failed) \
        and any(entry.owner == node and entry.state == STOP_FAILED for entry in ledger.groups.values())


def verdict(view: View, ledger: Ledger, node: str, beat: Beat) -> join.Verdict:
    """As join.verdict: a refusal of a boot that is taken to be over; WAIT while one before it may not be over."""
    if view.proofs.over(node, beat.boot_id):
        return Refused(f"this boot of {node} is taken to be over: {view.proofs.course(node, beat.boot_id).said}",
                       "reboot it: it joins with its next boot", False, beat.boot_id)
    member = ledger.members.get(node)
    follows = member is not None and member.hostid == beat.hostid \
        and not join.is_restored(node, beat.boot_id, beat.incarnation, ledger)
    unfenced = member is not None and not member.joined and not follows \
        and objection(node, member.boot_id, view.cluster, view.proofs) is not None \
        and held(node, member.boot_id, ledger)
    return join.WAIT if unfenced else None


def follow(view: View, draft: Draft) -> None:
    """Free what boots have that are over; have those fenced that may not be."""
    for node, member in draft.ledger.members.items():
        if node == view.me:
            continue
        if member.joined:
            _of_living(view, draft, node, member)
        else:
            _of_deposed(view, draft, node, member, draft.confirmed.get(by_boot.key(node, member.boot_id)))


def _of_living(view: View, draft: Draft, node: str, member: Member) -> None:
    refute(view, draft, node, member)
    for group, entry in held(node, member.boot_id, draft.ledger).items():
        if entry.why.startswith(WAITS):
            draft.put(group, replace(entry, why=f"{node} came back before it was fenced"))
    if stop_failed(node, draft.ledger, view.cluster):
        _want(view, draft, node, member, f"a group does not stop on {node}")
    elif by_boot.key(node, member.boot_id) in view.proofs.ordered:
        _want(view, draft, node, member, "an operator asked for it")


def refute(view: View, draft: Draft, node: str, member: Member) -> None:
    """A device that says "off" of a node that goes on speaking is another host's: its word is forgotten."""
    course, heard_at = view.proofs.course(node, member.boot_id), view.peers.spoke_at(node, member.boot_id)
    if course.over and not course.barred and heard_at > course.at + view.cluster.timing.timeout_s / 2:
        said = f"{course.said}, but {node} is heard: is it {node}'s device?"
        draft.refuted[by_boot.key(node, member.boot_id)] = said
        draft.said.append(Journal("FENCE-WRONG", "error", said, "", node))


def _of_deposed(view: View, draft: Draft, node: str, member: Member, said: Optional[str]) -> None:
    has, ordered = held(node, member.boot_id, draft.ledger), by_boot.key(node, member.boot_id) in view.proofs.ordered
    course, timeout_s = view.proofs.course(node, member.boot_id), view.cluster.timing.timeout_s
    why = None if said is not None else objection(node, member.boot_id, view.cluster, view.proofs)
    proof = said or (course.said if course.over else "")
    silent = f"{node} has been silent on all links for {timeout_s:g} s: its lease has run out"
    for group, entry in has.items():
        if why is None:
            draft.put(group, moves.free(entry, f"{node} {_end(course.barred)}: {proof}" if proof else silent))
        else:
            draft.put(group, replace(entry, why=why))
    if ordered or (has and node in view.cluster.fence and said is None and not course.over):
        _want(view, draft, node, member, silent)


def _want(view: View, draft: Draft, node: str, member: Member, why: str) -> None:
    course = view.proofs.course(node, member.boot_id)
    if course.running or course.over or any(one.node == node for one in draft.fences):
        return
    if view.now < course.retry_at:
        draft.wake_at = min(draft.wake_at, course.retry_at)
        return
    draft.fences.append(Fence(node, member.boot_id, why))
