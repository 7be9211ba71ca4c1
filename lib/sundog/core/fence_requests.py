"""What operators ask and say of fencing, as a part of the leader's plan, or a refusal that says why. Pure."""
from typing import Optional

from sundog.core import fencing, proofs, voters
from sundog.core.draft import Draft, View
from sundog.core.frames import Ask
from sundog.core.ledger import Ledger, Member
from sundog.core.membership import NEVER
from sundog.core.requests import Outcome

FENCE, FORCED, CONFIRM = "fence", "fence-forced", "fence-confirm"
OPS = (FENCE, FORCED, CONFIRM)


def carry_out(ask: Ask, view: View, draft: Draft) -> Outcome:
    """Note in the draft what an operator wants or confirms; the ledger follows when the plan looks at it."""
    if ask.node not in view.cluster.nodes:
        return _no(draft, f"there is no node {ask.node}", "sundog node list")
    if ask.node not in draft.ledger.members:
        return _no(draft, f"{ask.node} has never been in the cluster", "sundog node list")
    if ask.digest != draft.ledger.members[ask.node].boot_id:
        return _no(draft, f"{ask.node} has booted since that was asked", "look at it again: sundog status")
    return _confirm(ask, view, draft) if ask.op == CONFIRM else _fence(ask, view, draft)


def _no(draft: Draft, text: str, remedy: str) -> Outcome:
    return Outcome(draft.ledger, False, text, remedy)


def _confirm(ask: Ask, view: View, draft: Draft) -> Outcome:
    """An operator says that the node is off. Not believed of one that is heard, and only where something waits."""
    node, member = ask.node, draft.ledger.members[ask.node]
    doubt = alive(view, node, member)
    if doubt is not None:
        return _no(draft, doubt, "switch it off first; then confirm it again")
    waiting = sorted(fencing.held(node, member.boot_id, draft.ledger))
    if not waiting:
        return _no(draft, f"nothing waits for {node}", "sundog status")
    draft.confirmed[proofs.key(node, member.boot_id)] = "an operator confirmed it"
    return Outcome(draft.ledger, True, f"{node} is taken to be off; freed: {', '.join(waiting)}")


def _fence(ask: Ask, view: View, draft: Draft) -> Outcome:
    node, member = ask.node, draft.ledger.members[ask.node]
    if node not in view.cluster.fence:
        return _no(draft, f"{node} has no fence device", f"name one under fence.{node} of the configuration")
    if node == view.me:
        return _no(draft, f"{node} leads the cluster and cannot see itself go off",
                   "svcadm disable sundog/coordinator there: another node leads then")
    if ask.op != FORCED and costs_majority(view, draft.ledger, node):
        return _no(draft, f"without {node} no majority of votes is left: every other node would lose its groups",
                   f"sundog fence {node} --yes --force does it all the same")
    draft.ordered.add(proofs.key(node, member.boot_id))
    return Outcome(draft.ledger, True, f"{node} is being fenced")


def alive(view: View, node: str, member: Member) -> Optional[str]:
    """Rule 5: why an operator's word that a node is off is not taken; None when nothing speaks against it."""
    if node == view.me or hears(view, node):
        return f"{node} is heard: it is not off"
    return f"{node} may hold a lease for some seconds yet" if member.joined else None


def hears(view: View, node: str) -> bool:
    """Has anything of any boot of the node come within L?"""
    peer = view.peers.peers[node]
    return max([*peer.links.values(), NEVER]) > view.now - view.cluster.timing.timeout_s


def costs_majority(view: View, ledger: Ledger, node: str) -> bool:
    """Would the votes that are left without this node be no majority? Passive holders are taken to be there."""
    sets = voters.in_force(ledger, voters.configured(view.cluster))
    silent = {name for name in view.cluster.nodes if name != view.me and not hears(view, name)}
    return any(node in one for one in sets) and not voters.possible(sets, {node, *silent})
