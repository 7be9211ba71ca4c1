"""Which passive holders a node writes to, over changes of the configuration and restarts."""
from dataclasses import replace
from typing import List

from sundog.config.model import Cluster, DiskHolder, WitnessHolder, ZooKeeperHolder
from sundog.core.effects import WriteDisk
from sundog.core.frames import Block
from sundog.daemon.holders import Holders
from sundog.daemon.racks import Racks


def cluster(**devices: str) -> Cluster:
    return Cluster("shop", "key", {}, {}, {}, holders={name: DiskHolder(name, at) for name, at in devices.items()})


class Worker:
    """Stands for a HolderWorker: what is asked of it is kept."""

    def __init__(self, holder: DiskHolder) -> None:
        self.disk = holder
        self.orders: List[WriteDisk] = []
        self.closed = False

    def write(self, order: WriteDisk) -> None:
        self.orders.append(order)

    def close(self) -> None:
        self.closed = True


def test_a_holder_that_left_the_configuration_is_known_until_nothing_needs_it(tmp_path) -> None:
    path = str(tmp_path / "holders")
    assert Racks(path).with_retired(cluster(d1="/dev/a")).retired == {}
    retired = Racks(path).with_retired(cluster()).retired
    assert retired == {"d1": DiskHolder("d1", "/dev/a")}
    racks = Racks(path)
    racks.follow(cluster(), ())
    assert Racks(path).known == {}


def test_a_worker_is_begun_when_needed_replaced_with_its_device_and_ended_when_let_go(tmp_path) -> None:
    made: List[Worker] = []

    def make(holder: DiskHolder) -> Worker:
        made.append(Worker(holder))
        return made[-1]

    racks = Racks(str(tmp_path / "holders"))
    racks.with_retired(cluster(d1="/dev/a"))
    workers = Holders(racks, make)
    order = WriteDisk("d1", 1, Block("n1"))
    workers.write(order)
    workers.write(order)
    assert len(made) == 1 and made[0].orders == [order, order]
    workers.configured(cluster(d1="/dev/b"))
    workers.write(order)
    assert made[0].closed and made[1].disk.device == "/dev/b"
    workers.keep({"d1": 0})
    assert not made[1].closed
    workers.keep({})
    assert made[1].closed


def test_every_kind_of_holder_is_remembered_as_it_was(tmp_path) -> None:
    every = {"d1": DiskHolder("d1", "/dev/a"), "w1": WitnessHolder("w1", "10.9.0.9", 4000),
             "zk": ZooKeeperHolder("zk", ("10.0.0.5:2181", "10.0.0.6:2181"), "/shop", "sundog", "/etc/sundog/zk")}
    path = str(tmp_path / "holders")
    Racks(path).with_retired(replace(cluster(), holders=every))
    assert Racks(path).known == every
