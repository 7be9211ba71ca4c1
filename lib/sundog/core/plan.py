"""What the leader makes of the ledger, now: one new value from the chosen one and what it has heard. No state.

Order: who is in, who is out, what owners report, what operators ask, where groups go, which go home.
"""
from dataclasses import replace
from typing import Dict, List, Mapping, Tuple

from sundog.config.model import Group
from sundog.core import (
    arbiter,
    double,
    electorate,
    fence_requests,
    fencing,
    join,
    links,
    moves,
    placement,
    recovery,
    requests,
    takeover,
    voters,
)
from sundog.core.draft import Draft, View
from sundog.core.effects import Effect, Journal, Send
from sundog.core.frames import Ask, Refused, Told
from sundog.core.ledger import OFFLINE, ONLINE, Ledger, Member

#: A node not heard for this part of L gets no group, and a new leader waits for these beats before it places any.
_QUIET = 0.5
_SETTLE_BEATS = 2
_AT_REST = 0.5                          # of L: from one plan to the next while nothing waits
_HOME_AFTER = 10                        # L for which a preferred node is up before a group goes home to it


def make(view: View, ledger: Ledger, asks: Mapping[str, Tuple[str, Ask]], learned: recovery.Learned,
         present: electorate.Present) -> Draft:
    """The next ledger, of the same version when nothing is to be changed."""
    draft = Draft(ledger)
    if not ledger.config_version:
        draft.ledger = replace(ledger, config_version=1, config_digest=view.cluster.digest)
    _admit(view, draft)
    present = _vote(view, draft, present)
    _depose(view, draft)
    fencing.follow(view, draft)
    _follow_reports(view, draft)
    _forget_failures(view, draft, learned)
    draft.ledger = double.settled(draft.ledger, view.me, view.fork)
    nodes = nodes_seen(view, draft.ledger)
    for origin, ask in asks.values():
        outcome = _carry_out(view, draft, ask, nodes, present)
        draft.ledger = outcome.ledger
        draft.answers.append((origin, Told(ask.ask, outcome.ok, outcome.text, outcome.remedy)))
    if draft.confirmed:
        fencing.follow(view, draft)
    settled_at = _settled_at(view)
    if view.now < settled_at:
        draft.wake_at = min(draft.wake_at, settled_at)
    else:
        for group in view.cluster.groups.values():
            _place(draft, group, nodes)
            _send_home(view, draft, group, nodes)
    draft.wake_at = min(draft.wake_at, view.now + _look_again_after(view, draft))
    if draft.ledger is not ledger and draft.ledger != ledger:
        draft.ledger = replace(draft.ledger, version=ledger.version + 1)
    return draft


def _settled_at(view: View) -> float:
    """When those that live have been heard, and what another leader may have changed is known."""
    settled_at = view.elected_at + _SETTLE_BEATS * view.cluster.timing.beat_s
    if view.cluster.arbiter is not None:
        # What another leader has changed by the arbiter's vote is not known here: its leases must end first.
        settled_at = max(settled_at, view.led_at + view.cluster.timing.timeout_s)
    return settled_at


def _look_again_after(view: View, draft: Draft) -> float:
    """Seconds; a beat while anything waits. What is reported, or due at a known time, is not waited for."""
    ledger = draft.ledger
    at_rest = not (draft.waits or ledger.next_voters or view.cluster.arbiter) \
        and all(member.joined for member in ledger.members.values()) \
        and all(entry.state == entry.wanted for entry in ledger.groups.values())
    return _AT_REST * view.cluster.timing.timeout_s if at_rest else view.cluster.timing.beat_s


def _carry_out(view: View, draft: Draft, ask: Ask, nodes: placement.Nodes,
               present: electorate.Present) -> requests.Outcome:
    if ask.op == "links":
        return requests.Outcome(draft.ledger, True, links.lines(view))
    if ask.op in fence_requests.OPS:
        return fence_requests.carry_out(ask, view, draft)
    return requests.carry_out(ask, draft.ledger, view.cluster.groups.get(ask.group), nodes, present)


def nodes_seen(view: View, ledger: Ledger) -> placement.Nodes:
    """Which nodes could take a group, as the leader sees them."""
    timeout_s = view.cluster.timing.timeout_s
    down: Dict[str, str] = {}
    unfit: Dict[str, Mapping[str, str]] = {}
    for node, peer in view.peers.peers.items():
        member = ledger.members.get(node)
        if member is None or not member.joined:
            down[node] = "it is not in the cluster now"
        elif view.proofs.barred_at(node, member.boot_id) is not None:
            down[node] = "it is kept from its disks, until it boots"
        elif node != view.me and (peer.beat is None
                                  or view.peers.heard_at(node, member.boot_id) < view.now - _QUIET * timeout_s):
            down[node] = "the leader does not hear it"
        elif peer.beat is not None and peer.beat.unfit:
            unfit[node] = peer.beat.unfit
    if view.cluster.arbiter is not None:
        waits = double.held(view.now, view.cluster, view.me, view.peers, ledger, view.fork)
        unfit = {node: {**unfit.get(node, {}), **waits} for node in view.cluster.nodes}
    return placement.Nodes(down, unfit, view.now < view.elected_at + timeout_s)


def _admit(view: View, draft: Draft) -> None:
    beat_s = view.cluster.timing.beat_s
    for node, peer in view.peers.peers.items():
        beat = peer.beat
        member = draft.ledger.members.get(node)
        if beat is not None and member is not None and join.is_member(node, beat.boot_id, draft.ledger) \
                and beat.incarnation > member.incarnation:
            draft.ledger = draft.ledger.with_member(node, replace(member, incarnation=beat.incarnation))
        if beat is None or (node != view.me and beat.vote in (arbiter.ALONE, arbiter.LED_ALONE)) \
                or join.is_member(node, beat.boot_id, draft.ledger) \
                or view.now > view.peers.spoke_at(node, beat.boot_id) + join.SILENT_BEATS * beat_s:
            continue
        verdict = fencing.verdict(view, draft.ledger, node, beat) \
            or join.verdict(view.now, node, beat, draft.ledger, view.peers, view.cluster.timing)
        if isinstance(verdict, Refused):
            draft.said += _refuse(view, node, verdict)
        elif verdict is None and not view.peers.is_replaced(node, beat.boot_id):
            if join.is_restored(node, beat.boot_id, beat.incarnation, draft.ledger):
                draft.ledger = electorate.distrusting(draft.ledger, {node: draft.ledger.voters.get(node, "")})
            draft.ledger = draft.ledger.with_member(node, Member(beat.boot_id, beat.incarnation, beat.hostid))
            for group, entry in draft.ledger.groups.items():
                if entry.owner == node and entry.state != OFFLINE and entry.boot_id != beat.boot_id:
                    draft.put(group, moves.free(entry, f"{node} has booted again: what ran there before is gone"))


def _refuse(view: View, node: str, refused: Refused) -> List[Effect]:
    # Who leaves takes its vote along: those who vote are taken in before that, so that a majority is left.
    if refused.fatal and view.now < _settled_at(view):
        return []
    if node != view.me:
        return [Send(node, refused)]
    return join.left_for(node, refused) if refused.fatal else []


def _vote(view: View, draft: Draft, present: electorate.Present) -> electorate.Present:
    step = electorate.step(draft.ledger, voters.wanted(view.cluster), present)
    draft.ledger, draft.waits = step.ledger, step.waits
    return replace(present, waits=step.waits)


def _depose(view: View, draft: Draft) -> None:
    timeout_s = view.cluster.timing.timeout_s
    for node, member in draft.ledger.members.items():
        if node == view.me or not member.joined:
            continue
        barred_at = view.proofs.barred_at(node, member.boot_id)
        heard_at = view.peers.heard_at(node, member.boot_id)
        if barred_at is not None:
            heard_at = min(heard_at, barred_at)         # it has had no lease from us for what it has said since
        if takeover.objection(view.now, heard_at, view.led_at, timeout_s) is not None:
            draft.wake_at = min(draft.wake_at, takeover.due(heard_at, view.led_at, timeout_s))
            continue
        why = f"{node} has been silent on all links for {timeout_s:g} s: its lease has run out" if barred_at is None \
            else f"{node} is kept from its disks, and the lease that it had has run out"
        since = f"last heard {view.now - heard_at:.3f} s ago" if heard_at > view.elected_at - timeout_s \
            else "not heard since this leader was elected"
        draft.said.append(Journal("NODE-DOWN", "warning", f"{why}; {since}", "", node))
        draft.ledger = draft.ledger.with_member(node, replace(member, joined=False))


def _follow_reports(view: View, draft: Draft) -> None:
    for group, entry in draft.ledger.groups.items():
        peer = view.peers.peers.get(entry.owner) if entry.owner is not None else None
        if peer is None or peer.beat is None or entry.state == OFFLINE or peer.beat.boot_id != entry.boot_id:
            continue
        report = peer.beat.groups.get(group)
        if report is not None:
            draft.put(group, moves.after_report(entry, report, peer.beat.version == draft.ledger.version))


def _forget_failures(view: View, draft: Draft, learned: recovery.Learned) -> None:
    for group, entry in draft.ledger.groups.items():
        if entry.failures:
            draft.put(group, recovery.forget(view.now, group, entry, learned, view.cluster.recovery.window_s))


def _place(draft: Draft, group: Group, nodes: placement.Nodes) -> None:
    entry = draft.entry(group.name)
    if entry.state != OFFLINE or entry.wanted != ONLINE:
        return
    found = placement.place(group, nodes, draft.ledger)
    if found.node is not None:
        boot_id = draft.ledger.members[found.node].boot_id
        draft.put(group.name, moves.start(entry, found.node, boot_id, entry.why or "first start"))
    elif entry.epoch or not nodes.awaited:
        draft.put(group.name, replace(entry, why=f"no node can run it: {found.reasons}"))


def _send_home(view: View, draft: Draft, group: Group, nodes: placement.Nodes) -> None:
    """failback: automatic. Only to a node that this leader has heard long enough without a break."""
    entry = draft.entry(group.name)
    if group.failback != "automatic" or entry.state != ONLINE or entry.owner not in group.nodes:
        return
    up_since = view.now - _HOME_AFTER * view.cluster.timing.timeout_s
    for node in group.nodes[:group.nodes.index(entry.owner)]:
        member = draft.ledger.members.get(node)
        if member is not None and _up_since(view, node, member) <= up_since \
                and placement.objection(group, node, nodes, draft.ledger) is None:
            draft.put(group.name, moves.stop(entry, f"{node}, where it prefers to run, is back", node))
            return


def _up_since(view: View, node: str, member: Member) -> float:
    since = view.elected_at if node == view.me else view.peers.since(node, member.boot_id)
    return max(since, view.elected_at)
