"""What `sundog status` and `sundog explain` are told, as plain values for JSON."""
from typing import TYPE_CHECKING, Any, Dict

from sundog.core import voters
from sundog.core.ledger import ONLINE, GroupEntry
from sundog.core.placement import candidates_of
from sundog.errors import NotPermitted, SundogError

if TYPE_CHECKING:
    from sundog.daemon.loop import Daemon

Plain = Dict[str, Any]


class UnknownGroup(SundogError):
    """The configuration has no such group."""


def status(daemon: "Daemon") -> Plain:
    """The whole cluster as this node knows it. Durations are seconds."""
    node, now = daemon.node, daemon.loop.time()
    ledger, lease_until = node.ledger, node.lease_until
    return {
        "cluster": daemon.cluster.name, "node": daemon.name, "leader": node.leader, "version": ledger.version,
        "config_version": ledger.config_version,
        "lease_s": None if lease_until is None or lease_until <= now else round(lease_until - now, 3),
        "nodes": {name: _node(daemon, name, now) for name in daemon.cluster.nodes},
        "groups": {name: _group(daemon, name, ledger.groups.get(name, GroupEntry()))
                   for name in daemon.settlement.cluster.groups},
        "arbiter": daemon.pinger.state() if voters.ARBITER in {*ledger.voters, *voters.wanted(daemon.cluster)} else {},
        "host": {**daemon.health.said(), "failfast": dict(daemon.orders.state)},
        "fence": daemon.fencer.told(),
        "counters": {"frames": daemon.lan.received, "sent": daemon.lan.sent, "dropped": dict(daemon.lan.dropped),
                     "damaged": daemon.lan.damaged,
                     "unsent": dict(daemon.lan.unsent)}}


def _node(daemon: "Daemon", name: str, now: float) -> Plain:
    timeout_s = daemon.cluster.timing.timeout_s
    member = daemon.node.ledger.members.get(name)
    boot = member.boot_id if member is not None else ""
    if name == daemon.name:
        return {"state": "up", "boot_id": daemon.boot.boot_id, "links": {},
                "since_s": daemon.presence.since_s(name, True, now)}
    heard_at = max(daemon.node.heard(name).values(), default=float("-inf"))
    state = "up" if now - heard_at <= timeout_s else "unknown" if member is None else "down"
    if state != "up" and member is not None:
        # Followers speak with their leader only: of the others a node knows what the ledger says.
        led = daemon.node.leader not in (None, daemon.name, name)
        state = "out" if not member.joined else "up" if led else "down"
    links = dict(daemon.node.link_states(now, name))
    return {"state": state, "boot_id": boot, "links": links,
            "since_s": daemon.presence.since_s(name, state == "up", now)}


def _group(daemon: "Daemon", name: str, entry: GroupEntry) -> Plain:
    group = daemon.settlement.cluster.groups[name]
    seen = daemon.execution.states(name) if entry.owner == daemon.name or entry.owner is None else {}
    # What another node's SMF shows is only known by what its group's state implies.
    implied = "online" if entry.state == ONLINE else "unknown" if entry.owner not in (None, daemon.name) else "disabled"
    return {"state": entry.state, "owner": entry.owner, "epoch": entry.epoch, "wanted": entry.wanted, "why": entry.why,
            "resources": {resource.name: seen.get(resource.name, implied) for resource in group.resources},
            "failures": [{"node": failure.node, "count": failure.count, "reason": failure.reason}
                         for failure in entry.failures]}


async def explain(daemon: "Daemon", group: str) -> Plain:
    """Why the group is where it is, node by node, as the leader sees it. Raises UnknownGroup.

    Only the leader knows who is heard and fit; while there is none, this node's own copy of the ledger must do.
    """
    if group not in daemon.settlement.cluster.groups:
        raise UnknownGroup(f"there is no group {group}", "sundog status lists the groups")
    seen_by = daemon.node.leader
    lines = daemon.node.explain(daemon.loop.time(), group).lines
    if seen_by not in (None, daemon.name):
        try:
            lines = (await daemon.request("explain", group))["text"]
        except NotPermitted:
            seen_by = None
    entry = daemon.node.ledger.groups.get(group, GroupEntry())
    return {"group": group, "owner": entry.owner, "state": entry.state, "why": entry.why, "seen_by": seen_by,
            "candidates": [{"node": one.node, "verdict": one.verdict} for one in candidates_of(lines)]}
