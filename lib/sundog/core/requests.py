"""What an operator asks for, as changes of the ledger, or a refusal that says why. Pure."""
from dataclasses import dataclass, replace
from typing import Optional

from sundog.config.model import Group
from sundog.core import electorate, moves, placement, recovery
from sundog.core.frames import Ask
from sundog.core.ledger import OFFLINE, ONLINE, STARTING, STOP_FAILED, STOPPING, GroupEntry, Ledger


@dataclass(frozen=True)
class Outcome:
    ledger: Ledger
    ok: bool
    text: str
    remedy: str = ""


def carry_out(ask: Ask, ledger: Ledger, group: Optional[Group], nodes: placement.Nodes,
              present: electorate.Present = electorate.NOTHING_KNOWN) -> Outcome:
    """The ledger after the request; the same one when it is refused or changes nothing."""
    if ask.op == "apply":
        return _apply(ask, ledger, present)
    if ask.op == "quorum":
        return Outcome(ledger, True, present.lines)
    if group is None:
        return Outcome(ledger, False, f"there is no group {ask.group}", "sundog status lists the groups")
    if ask.op == "explain":
        return Outcome(ledger, True, placement.place(group, nodes, ledger).lines)
    entry = ledger.groups.get(ask.group, GroupEntry())
    if ask.op == "offline":
        return _offline(ask, ledger, entry)
    if ask.op == "online":
        return _online(ask, ledger, group, entry, nodes)
    if ask.op == "move":
        return _move(ask, ledger, group, entry, nodes)
    if ask.op == "clear":
        return _clear(ask, ledger, entry)
    return Outcome(ledger, False, f"{ask.op} is no request", "online, offline, move, clear, explain, quorum or apply")


def _apply(ask: Ask, ledger: Ledger, present: electorate.Present) -> Outcome:
    if ask.digest == ledger.config_digest:
        return Outcome(ledger, True, f"configuration {ledger.config_version} is in force already")
    why = electorate.refusal(ledger, ask.voters, present.answering) if ask.voters else None
    if why is not None:
        return Outcome(ledger, False, f"with these vote holders the cluster would stop: {why}",
                       "sundog quorum status; bring back those that are silent, or add others first")
    version = ledger.config_version + 1
    return Outcome(replace(ledger, config_version=version, config_digest=ask.digest), True,
                   f"configuration {version} is accepted")


def _offline(ask: Ask, ledger: Ledger, entry: GroupEntry) -> Outcome:
    new = replace(moves.stop(entry, "an operator took it offline"), wanted=OFFLINE, target=None)
    if entry.state == OFFLINE and entry.wanted != OFFLINE:
        new = replace(new, why="an operator took it offline")
    where = "is offline" if entry.state == OFFLINE else f"is stopping on {entry.owner}"
    return Outcome(_with(ledger, ask.group, entry, new), True, f"group {ask.group} {where}")


def _online(ask: Ask, ledger: Ledger, group: Group, entry: GroupEntry, nodes: placement.Nodes) -> Outcome:
    if ask.node and entry.state in (STARTING, ONLINE) and ask.node != entry.owner:
        return _move(ask, ledger, group, entry, nodes)
    if ask.node and ask.node != entry.owner or entry.state == OFFLINE and ask.node:
        why = placement.objection(group, ask.node, nodes, ledger)
        if why is not None:
            return _refused(ask, ledger, why)
    new = replace(entry, wanted=ONLINE, target=ask.node or entry.target)
    if entry.state == STOP_FAILED:
        return Outcome(_with(ledger, ask.group, entry, replace(new, target=None)), True,
                       f"group {ask.group} will start when its stop on {entry.owner} is over: {entry.why}")
    if entry.state in (STARTING, ONLINE):
        new = replace(new, target=None)
    where = f"is {entry.state} on {entry.owner}" if entry.state in (STARTING, ONLINE) \
        else f"starts on {ask.node}" if ask.node else "starts"
    return Outcome(_with(ledger, ask.group, entry, new), True, f"group {ask.group} {where}")


def _move(ask: Ask, ledger: Ledger, group: Group, entry: GroupEntry, nodes: placement.Nodes) -> Outcome:
    if entry.state not in (STARTING, ONLINE):
        return Outcome(ledger, False, f"group {ask.group} is {entry.state}: {entry.why}",
                       f"sundog group online {ask.group}")
    if ask.node == entry.owner:
        return Outcome(ledger, True, f"group {ask.group} is on {entry.owner} already")
    others = [ask.node] if ask.node else [node for node in group.nodes if node != entry.owner]
    reasons = [(node, placement.objection(group, node, nodes, ledger)) for node in others]
    target = next((node for node, why in reasons if why is None), None)
    if target is None:
        return _refused(ask, ledger, "; ".join(f"{node}: {why}" for node, why in reasons) or "it has no other node")
    new = replace(moves.stop(entry, f"an operator moves it to {target}", target), wanted=ONLINE)
    text = f"group {ask.group} moves from {entry.owner} to {target}"
    return Outcome(_with(ledger, ask.group, entry, new), True, text)


def _clear(ask: Ask, ledger: Ledger, entry: GroupEntry) -> Outcome:
    new = recovery.cleared(entry, ask.node)
    if entry.state == STOP_FAILED:
        new = replace(new, state=STOPPING, why="an operator has it stopped once more")
    return Outcome(_with(ledger, ask.group, entry, new), True, f"failures of group {ask.group} are forgotten")


def _refused(ask: Ask, ledger: Ledger, why: str) -> Outcome:
    return Outcome(ledger, False, f"group {ask.group} cannot go there: {why}", f"sundog explain {ask.group}")


def _with(ledger: Ledger, name: str, old: GroupEntry, new: GroupEntry) -> Ledger:
    return ledger if new == old else ledger.with_group(name, new)
