"""May this boot of a node become a member? (rule 11)."""
from typing import List, Optional, Union

from sundog.config.model import Timing
from sundog.core.effects import Effect, Journal, Leave
from sundog.core.frames import Refused
from sundog.core.ledger import OFFLINE, GroupEntry, Ledger
from sundog.core.membership import Beat, Membership

WAIT = "wait"
Verdict = Union[Refused, str, None]

#: Beats for which the boot that is a member must be silent before a later boot of the same host is believed.
SILENT_BEATS = 3


def is_member(node: str, boot_id: str, ledger: Ledger) -> bool:
    member = ledger.members.get(node)
    return member is not None and member.joined and member.boot_id == boot_id


def unclean(node: str, beat: Beat, ledger: Ledger) -> Optional[str]:
    """Rule 11: the groups that are active there without right, as a list to print; None when it is clean."""
    wrong = [name for name, one in beat.groups.items()
             if one.state != "stopped" and not _owns(node, beat, ledger.groups.get(name, GroupEntry()), one.epoch)]
    return ", ".join(sorted(wrong)) or None


def _owns(node: str, beat: Beat, entry: GroupEntry, epoch: int) -> bool:
    return (entry.owner == node and entry.boot_id == beat.boot_id and entry.epoch == epoch
            and entry.state != OFFLINE)


def is_doubtful(now: float, node: str, boot_id: str, ledger: Ledger, peers: Membership, timing: Timing) -> bool:
    """Is another boot of this name in the cluster, and alive? Then this one has no voice in the vote."""
    member = ledger.members.get(node)
    if member is None or not member.joined or member.boot_id == boot_id:
        return False
    return now < peers.spoke_at(node, member.boot_id) + SILENT_BEATS * timing.beat_s


def all_have(digest: str, ledger: Ledger, peers: Membership, me: str) -> bool:
    """Is the configuration of this digest, which is in force at `me`, the ledger's and every member's too?"""
    return digest == ledger.config_digest and all(
        peers.runs_configuration(node, member.boot_id, digest)
        for node, member in ledger.members.items() if member.joined and node != me)


def is_restored(node: str, boot_id: str, incarnation: int, ledger: Ledger) -> bool:
    """Has another boot of this node, as the cluster admitted it, counted as far? Then this one's records are older.

    What it kept as a vote holder may be older too: it has no voice in the vote until the leader has looked at it.
    """
    member = ledger.members.get(node)
    return member is not None and member.boot_id != boot_id and member.incarnation >= incarnation


def namesake(node: str, beat: Beat, ledger: Ledger, peers: Membership, timing: Timing) -> Optional[Refused]:
    """A refusal when the host that is in the cluster under this name goes on speaking beside the one that asks."""
    member = ledger.members.get(node)
    if member is None or not member.joined or member.boot_id == beat.boot_id \
            or peers.spoke_at(node, member.boot_id) <= peers.since(node, beat.boot_id) + timing.timeout_s:
        return None
    return Refused(f"another host is in the cluster as {node}", "give this host its own name in cluster.yaml", True,
                   beat.boot_id)


def verdict(now: float, node: str, beat: Beat, ledger: Ledger, peers: Membership, timing: Timing) -> Verdict:
    """A refusal, WAIT (ask again a beat later), or None: it may join."""
    twin = next((name for name, member in ledger.members.items()
                 if name != node and member.joined and member.hostid == beat.hostid), None)
    if twin is not None:
        if now > peers.spoke_at(twin, ledger.members[twin].boot_id) + SILENT_BEATS * timing.beat_s:
            return WAIT                 # it may be this very host under the name that it had before
        return Refused(f"host {node} has the same hostid ({beat.hostid}) as {twin}: ZFS could not tell them apart",
                       "give one of the two another hostid", True, beat.boot_id)
    other = namesake(node, beat, ledger, peers, timing)
    if other is not None:
        return other
    member = ledger.members.get(node)
    # Only of the same host is a later boot proof that the earlier is over; another one waits for its takeover.
    if member is not None and member.joined and member.boot_id != beat.boot_id \
            and (member.hostid != beat.hostid or is_doubtful(now, node, beat.boot_id, ledger, peers, timing)):
        return WAIT
    # One that counts no further than the member is an earlier run, told of late, or a host put back: proof of nothing.
    if member is not None and member.joined and is_restored(node, beat.boot_id, beat.incarnation, ledger):
        return WAIT
    wrong = unclean(node, beat, ledger)
    if wrong is not None:
        return Refused(f"{wrong} active on {node} without right: it comes back clean or not at all",
                       "they are being stopped; it joins when that is done", False, beat.boot_id)
    return None


def left_for(me: str, refused: Refused) -> List[Effect]:
    """What a node does that is refused for good."""
    return [Journal("REFUSED", "error", f"the cluster refuses {me}: {refused.reason}", "", me),
            Leave(refused.reason, refused.remedy)]
