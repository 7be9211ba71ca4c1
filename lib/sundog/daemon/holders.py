"""The passive holders that this node writes to, each with its worker."""
import asyncio
from typing import Callable, Collection, Dict, Tuple

from sundog.config.model import Cluster, PassiveHolder, WitnessHolder, ZooKeeperHolder
from sundog.core.effects import WriteDisk
from sundog.daemon.disks import Answer, HolderWorker, Tell
from sundog.daemon.racks import Racks
from sundog.link.disk import SlotDisk
from sundog.link.passive import Passive
from sundog.link.witness import Witness

Make = Callable[[PassiveHolder], HolderWorker]


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


def maker(loop: asyncio.AbstractEventLoop, cluster: Cluster, name: str, key: bytes, anew: bool, answer: Answer,
          tell: Tell) -> Make:
    """What makes a holder's worker; a disk that hangs is given all of the timeout. Raises ConfigProblem."""
    def make(holder: PassiveHolder) -> HolderWorker:
        made = passive(holder, cluster, name, key, anew)
        return HolderWorker(loop, name, holder.name, holder.kind, made, cluster.timing.timeout_s, answer, tell)

    for holder in cluster.holders.values():
        if isinstance(holder, ZooKeeperHolder):
            passive(holder, cluster, name, key, anew).close()           # what it needs is missed now, not at failover
    return make


class Holders:
    """The workers of all passive holders that this node writes to, each begun when it is needed first."""

    def __init__(self, racks: Racks, make: Make) -> None:
        self.racks, self._make = racks, make
        self._workers: Dict[str, Tuple[PassiveHolder, HolderWorker]] = {}
        self._needed: Collection[str] = ()

    def write(self, order: WriteDisk) -> None:
        holder = self.racks.known[order.holder]
        known = self._workers.get(order.holder)
        if known is None or known[0] != holder:
            self._end(order.holder)
            known = self._workers[order.holder] = (holder, self._make(holder))
        known[1].write(order)

    def configured(self, cluster: Cluster) -> None:
        """Another configuration is in force: its holders are known from now on."""
        self.racks.follow(cluster, self._needed)

    def keep(self, needed: Collection[str]) -> None:
        """End the workers of holders that neither the configuration nor the ledger names any more."""
        if needed is not self._needed:
            self._needed = needed
            for name in set(self._workers) - set(needed):
                self._end(name)

    def _end(self, name: str) -> None:
        known = self._workers.pop(name, None)
        if known is not None:
            known[1].close()

    def close(self) -> None:
        for name in list(self._workers):
            self._end(name)
