"""From the configuration to the passive holders of this node, each with its worker."""
import asyncio
from typing import Dict

from sundog.config.model import Cluster, PassiveHolder, WitnessHolder, ZooKeeperHolder
from sundog.daemon.disks import Answer, HolderWorker, Tell
from sundog.link.disk import SlotDisk
from sundog.link.passive import Passive
from sundog.link.witness import Witness


def kind_of(holder: PassiveHolder) -> str:
    if isinstance(holder, ZooKeeperHolder):
        return "zookeeper"
    return "witness" if isinstance(holder, WitnessHolder) else "disk"


def within_s(cluster: Cluster) -> float:
    """How long an exchange over the network may take: beyond it another try, or another server, is worth more."""
    return cluster.timing.timeout_s / 2


def passive(holder: PassiveHolder, cluster: Cluster, name: str, key: bytes, anew: bool) -> Passive:
    """This node's access to `holder`. `anew`: the node knows of no ledger yet.

    Raises ConfigProblem when something for it is not installed here.
    """
    if isinstance(holder, WitnessHolder):
        return Witness(holder.address, holder.port, cluster.name, name, key, within_s(cluster))
    if isinstance(holder, ZooKeeperHolder):
        from sundog.link.zookeeper import ZooKeeper
        return ZooKeeper(holder, cluster.name, key, within_s(cluster), anew)
    return SlotDisk(holder.device, cluster.name, tuple(sorted(cluster.nodes)), name, key)


def passives(cluster: Cluster, name: str, key: bytes, anew: bool) -> Dict[str, Passive]:
    """All of them, by name. Raises ConfigProblem."""
    return {holder.name: passive(holder, cluster, name, key, anew) for holder in cluster.holders.values()}


def workers(loop: asyncio.AbstractEventLoop, cluster: Cluster, made: Dict[str, Passive], answer: Answer,
            tell: Tell) -> Dict[str, HolderWorker]:
    """A worker for each; a disk that hangs is given all of the timeout."""
    return {name: HolderWorker(loop, name, kind_of(cluster.holders[name]), one, cluster.timing.timeout_s, answer, tell)
            for name, one in made.items()}
