"""What `sundog link list` is told: who hears whom on which link, the whole cluster; plain values for JSON."""
from typing import TYPE_CHECKING, Any, Dict, List, Optional

from sundog.config import paths
from sundog.core import links
from sundog.daemon import pulses
from sundog.errors import NotPermitted

if TYPE_CHECKING:
    from sundog.daemon.loop import Daemon

Plain = Dict[str, Any]
UNKNOWN = "unknown"


async def matrix(daemon: "Daemon") -> Plain:
    """Every pair of nodes, each direction and link: state and, where it is not up, for how many seconds.

    The leader has it from every node's heartbeats. Without one this node knows its own side only; the rest is unknown.
    """
    leader = daemon.node.leader
    said: Dict[str, Dict[str, float]] = {}
    if leader is not None:
        try:
            said = _parsed((await daemon.request("links", ""))["text"])
        except NotPermitted:
            leader = None
    rows: List[Plain] = []
    for node in daemon.cluster.nodes:
        for peer in daemon.cluster.nodes:
            if node != peer:
                shared = (*paths.shared(daemon.cluster, node, peer), *pulses.links(daemon.cluster))
                rows += [_row(daemon, said, node, peer, link) for link in shared]
    return {"leader": leader, "node": daemon.name, "links": rows}


def _parsed(text: str) -> Dict[str, Dict[str, float]]:
    """links.lines: for each node that the leader hears, "peer/link" -> seconds of silence (-1: never heard)."""
    said = {}
    for line in text.splitlines():
        node, *silent = line.split(" ")
        said[node] = {way: float(for_s) for way, _, for_s in (one.partition("=") for one in silent)}
    return said


def _row(daemon: "Daemon", said: Dict[str, Dict[str, float]], node: str, peer: str, link: str) -> Plain:
    silent = daemon.node.links.silent(daemon.loop.time()) if node == daemon.name else said.get(node, {})
    for_s = silent.get(f"{peer}/{link}")
    if node == daemon.name:
        state = _seen_here(daemon, peer, link)
    elif node not in said:
        state = UNKNOWN
    elif peer not in said and peer != daemon.name:
        state = links.DOWN
    elif for_s is None and link.startswith(pulses.DISK) and peer not in daemon.members():
        state = UNKNOWN                 # who has no lease shows no pulse
    else:
        state = links.UP if for_s is None else links.LOST
    if state == links.LOST and for_s is not None and for_s < 0:
        state = links.UNHEARD
    return {"from": peer, "to": node, "link": link, "state": state,
            "for_s": for_s if for_s is not None and for_s >= 0 else None}


def _seen_here(daemon: "Daemon", peer: str, link: str) -> str:
    """The state of a link to this node, as it sees it itself."""
    states = daemon.node.link_states(daemon.loop.time(), peer)
    state: Optional[str] = states.get(link)
    if link.startswith(pulses.DISK) and state in (None, links.DOWN) and links.UP in states.values():
        return UNKNOWN                  # it is heard elsewhere, and no pulse is due, or not for long
    return state or links.UNHEARD
