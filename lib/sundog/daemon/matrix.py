"""What `sundog link list` is told: who hears whom on which link, the whole cluster; plain values for JSON."""
from typing import TYPE_CHECKING, Any, Dict, List

from sundog.config import paths
from sundog.core import links
from sundog.errors import NotPermitted

if TYPE_CHECKING:
    from sundog.daemon.loop import Daemon

Plain = Dict[str, Any]


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
                rows += [_row(daemon, said, node, peer, link) for link in paths.shared(daemon.cluster, node, peer)]
    return {"leader": leader, "node": daemon.name, "links": rows}


def _parsed(text: str) -> Dict[str, Dict[str, float]]:
    """links.lines: for each node that the leader hears, "peer/link" -> seconds of silence (-1: never heard)."""
    said = {}
    for line in text.splitlines():
        node, *silent = line.split(" ")
        said[node] = {way: float(for_s) for way, _, for_s in (one.partition("=") for one in silent)}
    return said


def _row(daemon: "Daemon", said: Dict[str, Dict[str, float]], node: str, peer: str, link: str) -> Plain:
    for_s = None
    if node == daemon.name:
        state = daemon.node.link_states(daemon.loop.time(), peer).get(link, links.UNHEARD)
        for_s = daemon.node.links.silent(daemon.loop.time()).get(f"{peer}/{link}")
    elif node not in said:
        state = "unknown"
    elif peer not in said and peer != daemon.name:
        state = links.DOWN
    else:
        for_s = said[node].get(f"{peer}/{link}")
        state = links.UP if for_s is None else links.UNHEARD if for_s < 0 else links.LOST
    return {"from": peer, "to": node, "link": link, "state": state,
            "for_s": for_s if for_s is not None and for_s >= 0 else None}
