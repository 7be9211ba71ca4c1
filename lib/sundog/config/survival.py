"""What a cluster's votes survive, what they do not, and what the safety of its data rests on: for an operator to read.

The rules behind it: docs/quorum.md and docs/safety.md.
"""
from typing import Any, Dict, List, NamedTuple, Tuple

from sundog.config import arbiter
from sundog.config.model import Cluster, DiskHolder, PingArbiter, ZooKeeperHolder

STOPS = "every group stops"
ASSUMED = (
    "the clocks of two hosts run alike, to within 5 %",
    "a host's clock runs on while the host is paused, or a fence device makes sure that it is off",
    "uadmin(2) resets a host whose lease has ended",
    "a vote holder keeps what it has acknowledged",
    "only hosts of the cluster have its key",
    "pools and addresses of groups are taken by Sundog only",
)
OF_A_FENCE = "a fence device that says off means it, and a disk that shows no key of a node refuses its writes"
OF_A_DISK = "a read of a shared partition sees what was written last: no cache without a battery"
OF_PING = "of two nodes that do not hear each other no more than one reaches the targets"

Said = Tuple[str, Tuple[str, ...], Tuple[str, ...]]     # votes, protects, leaves


class Voter(NamedTuple):
    name: str
    kind: str                           # node, disk, witness, zookeeper, ping

    def __str__(self) -> str:
        return {"node": self.name, "ping": "ping arbiter"}.get(self.kind, f"{self.kind} {self.name}")


class Survival(NamedTuple):
    """`votes`: who votes, as a sentence; the others are what is survived, what is not, and what is assumed."""
    voters: Tuple[Voter, ...]
    votes: str
    protects: Tuple[str, ...]
    leaves: Tuple[str, ...]
    assumes: Tuple[str, ...]

    @property
    def majority(self) -> int:
        return len(self.voters) // 2 + 1

    @property
    def may_fail(self) -> int:
        return len(self.voters) - self.majority

    def lines(self) -> Tuple[str, ...]:
        owners = "possible as said, otherwise excluded" if OF_PING in self.assumes else "excluded"
        return (f"votes: {self.votes}", f"protects from: {'; '.join(self.protects)}",
                f"does not protect from: {'; '.join(self.leaves)}",
                f"two owners: {owners} while what docs/safety.md assumes is true (--explain lists it)")

    def assumptions(self) -> Tuple[str, ...]:
        return tuple(f"assumed: {one}" for one in self.assumes)

    def plain(self) -> Dict[str, Any]:
        """As data."""
        return {"voters": [one._asdict() for one in self.voters], "majority": self.majority, "may_fail": self.may_fail,
                "protects_from": list(self.protects), "does_not_protect_from": list(self.leaves),
                "assumes": list(self.assumes)}


def voters(cluster: Cluster) -> Tuple[Voter, ...]:
    return (*(Voter(node.name, "node") for node in cluster.nodes.values() if node.votes),
            *(Voter(holder.name, holder.kind) for holder in cluster.holders.values()),
            *((Voter(arbiter.NAME, "ping"),) if cluster.arbiter is not None else ()))


def survival(cluster: Cluster) -> Survival:
    found = voters(cluster)
    assumed = (*ASSUMED, OF_A_FENCE) if cluster.fence else ASSUMED
    ensemble = next((one for one in cluster.holders.values() if isinstance(one, ZooKeeperHolder)), None)
    if ensemble is not None:
        return Survival(found, *_of_an_ensemble(len(ensemble.servers)), assumed)
    if cluster.arbiter is not None:
        return Survival(found, *_of_ping(found, cluster.arbiter), (*assumed, OF_PING))
    disks = any(isinstance(holder, DiskHolder) for holder in cluster.holders.values())
    return Survival(found, *_of_majorities(cluster, found), (*assumed, OF_A_DISK) if disks else assumed)


def _of_majorities(cluster: Cluster, found: Tuple[Voter, ...]) -> Said:
    count, who = len(found), list(map(str, found))
    majority = count // 2 + 1
    without = [node.name for node in cluster.nodes.values() if not node.votes]
    protects = [f"the loss of {_any(count - majority)} of them"] if count > majority else []
    if without:
        protects.append(f"the loss of {listed(without)}, which {'has' if len(without) == 1 else 'have'} no vote")
    votes = f"{listed(who)}; {majority} of {count} are a majority"
    if count == 1:
        votes, leaves = f"{who[0]}; it is the majority by itself", f"the loss of {who[0]}, the only vote"
    elif count == majority:
        leaves = f"the loss of {listed(who, 'or')}"
    else:
        leaves = f"the loss of {count - majority + 1} of them at once"
        outside = [str(one) for one in found if one.kind != "node"]
        if outside and count - majority == 1:
            leaves += f", such as a node and the path of the other to {listed(outside, 'or')}"
        leaves += ", or a cut into halves" * (count % 2 == 0)
    return votes, tuple(protects) or ("no failure of a vote",), (f"{leaves}: {STOPS}",)


def _of_an_ensemble(servers: int) -> Said:
    majority = servers // 2 + 1
    protects: List[str] = ["the loss of all nodes but one"]
    if servers == 1:
        votes, lost = "one server", "the server, or of every node's path to it"
    else:
        votes = f"{servers} servers of which {majority} are a majority"
        lost = f"{servers - majority + 1} of the servers, or of every node's path to them"
    if servers > majority:
        protects.append(f"the loss of {_any(servers - majority)} of the servers")
    return f"ZooKeeper alone, {votes}; no node votes", tuple(protects), (f"the loss of {lost}: {STOPS}",)


def _of_ping(found: Tuple[Voter, ...], ping: PingArbiter) -> Said:
    nodes = [one.name for one in found if one.kind == "node"]
    targets = f"{len(ping.targets)} target{'s' if len(ping.targets) > 1 else ''}"
    return (
        f"{', '.join(nodes)} and the ping arbiter, for which {ping.threshold} of {targets} must answer; "
        f"{len(found) // 2 + 1} of {len(found)} are a majority",
        ("the death of either node, or its isolation (it resets itself), while the other reaches the targets",
         "silent targets, while the nodes hear each other"),
        ("both nodes reaching the targets but not each other: both carry on, and a group may have two owners",
         f"the loss of a node while the other does not reach the targets: {STOPS}",
         "the loss of what one node has decided alone, when it dies before the other has heard of it"))


def _any(count: int) -> str:
    return "any one" if count == 1 else f"any {count}"


def listed(words: List[str], last: str = "and") -> str:
    return f" {last} ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)
