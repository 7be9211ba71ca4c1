"""What `sundog quorum status` is told: who votes, who answers, which change is under way; plain values for JSON."""
from typing import TYPE_CHECKING, Any, Dict, List, Optional, Tuple

from sundog.config.model import DiskHolder, WitnessHolder, ZooKeeperHolder
from sundog.config.witness import DIRECTORY
from sundog.core import voters
from sundog.core.ledger import Ledger
from sundog.errors import NotPermitted

if TYPE_CHECKING:
    from sundog.daemon.loop import Daemon

Plain = Dict[str, Any]
_OLDER = "never votes again: what it kept is older than what it acknowledged"


async def quorum(daemon: "Daemon") -> Plain:
    """The vote holders, by the ledger as this node knows it and by the answers that the leader has. Ages in seconds.

    Without a leader nobody knows who answers: `answered_s` is null for all.
    """
    node, ledger = daemon.node, daemon.node.ledger
    leader = node.leader
    waits = ""
    heard: Dict[str, Tuple[float, str]] = {}
    if leader is not None:
        try:
            waits, heard = _parsed((await daemon.request("quorum", ""))["text"])
        except NotPermitted:
            leader = None
    names = sorted({*ledger.voters, *ledger.next_voters, *voters.wanted(daemon.cluster)})
    sets = [one for one in (ledger.voters, ledger.next_voters) if one]
    return {
        "leader": leader, "version": ledger.version, "config_digest": ledger.config_digest,
        "majority": [voters.majority(one) for one in sets], "changing": bool(ledger.next_voters), "waits": waits,
        "holders": {name: _holder(daemon, name, heard.get(name), leader) for name in names},
        "this_node": {"life": node.voting.life, "votes": node.voting.votes, "distrust": node.voting.distrust}}


def _parsed(text: str) -> Tuple[str, Dict[str, Tuple[float, str]]]:
    """electorate.Present.lines: why a change waits, and for each holder its age and life."""
    waits, *lines = text.split("\n")
    rows: List[List[str]] = [line.split(" ") for line in lines]
    return waits, {name: (float(age), life) for name, age, life in rows}


def _holder(daemon: "Daemon", name: str, heard: Optional[Tuple[float, str]], leader: Optional[str]) -> Plain:
    ledger = daemon.node.ledger
    named = ledger.next_voters.get(name, ledger.voters.get(name, ""))
    seen = daemon.node.voting.lives.get(name, "")
    if heard is not None and heard[1]:
        seen = heard[1]
    elif name == daemon.name:
        seen = daemon.node.voting.life
    return {"kind": _kind(daemon, name), "life": named, "seen_life": seen,
            "votes": name in ledger.voters, "wanted": name in voters.wanted(daemon.cluster),
            "answered_s": None if heard is None else round(heard[0], 3),
            "state": _state(daemon, name, named, seen, heard, leader, ledger)}


def _kind(daemon: "Daemon", name: str) -> str:
    """node, ping, disk, witness or zookeeper; unknown: the ledger names it, and no configuration of this node did."""
    if name == voters.ARBITER:
        return "ping"
    if name in daemon.cluster.nodes:
        return "node"
    holder = daemon.disks.racks.known.get(name)
    return "unknown" if holder is None else holder.kind


def _remedy(daemon: "Daemon", name: str) -> str:
    """What gives a holder whose files are older than what it acknowledged a new life."""
    holder, cluster = daemon.disks.racks.known.get(name), daemon.cluster.name
    if isinstance(holder, DiskHolder):
        return f"sundog quorum init-disk {holder.device} --force sundog"
    if isinstance(holder, WitnessHolder):
        return (f"stop the witness at {holder.address}, remove {cluster} from its directory ({DIRECTORY}/{cluster} by "
                "default) and start it again")
    if isinstance(holder, ZooKeeperHolder):
        return (f"disable every coordinator, remove {holder.path} from the ensemble and /var/sundog/ledger on every "
                "node, and enable them: the cluster begins anew")
    return "remove /var/sundog/ledger there and restart its coordinator"


def _arbiter(daemon: "Daemon") -> str:
    """The arbiter's vote is given on each node by itself: this says how it stands on this one."""
    if not daemon.pinger.state().get("reached"):
        return f"too few targets answer here: {daemon.pinger.line()}"
    other = daemon.node.voting.arbiter.other
    return f"votes in place of {other}" if daemon.node.voting.arbiter.absent else f"stands by: {daemon.pinger.line()}"


def _state(daemon: "Daemon", name: str, named: str, seen: str, heard: Optional[Tuple[float, str]],
           leader: Optional[str], ledger: Ledger) -> str:
    if seen and ledger.distrusted.get(name) == seen or name == daemon.name and daemon.node.voting.distrust:
        return f"{_OLDER}; {_remedy(daemon, name)}"
    if seen and named and seen != named:
        return f"has another life ({seen}): it votes when the others have taken it in"
    if name == voters.ARBITER:
        return _arbiter(daemon)
    if name not in ledger.voters and name not in ledger.next_voters:
        return "is to be taken in"
    if leader is None:
        return "unknown: nobody leads"
    if named == voters.NOBODY or heard is None:
        return "has not answered yet"
    timeout_s = daemon.cluster.timing.timeout_s
    state = "answers" if heard[0] <= timeout_s else "silent"
    return state if name in voters.wanted(daemon.cluster) else f"{state}; is to be removed"
