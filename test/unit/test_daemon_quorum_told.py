"""What `sundog quorum status` is told of each kind of holder, and what it says to do about one that is distrusted."""
import asyncio
from types import SimpleNamespace
from typing import Any, Dict

import pytest

from sundog.config.model import Cluster, DiskHolder, NodeSpec, WitnessHolder, ZooKeeperHolder
from sundog.core.ledger import Ledger
from sundog.daemon.quorum import quorum

HOLDERS = {"disk1": DiskHolder("disk1", "/dev/rdsk/c0t5d0s6"), "w1": WitnessHolder("w1", "10.9.0.9"),
           "zookeeper": ZooKeeperHolder("zookeeper", ("10.9.0.1:2181",), "/sundog/shop")}
NAMES = ("n1", "n2", *HOLDERS, "old", "arbiter")
LIFE = "0b61f0a47c1e9d52"


def told(distrusted: bool = False, of: str = "") -> Dict[str, Any]:
    ledger = Ledger(voters=dict.fromkeys(NAMES, LIFE), distrusted=dict.fromkeys(NAMES, LIFE) if distrusted else {})
    nodes = {name: NodeSpec(name, ("10.0.0.1",)) for name in ("n1", "n2")}
    voting = SimpleNamespace(life=LIFE, lives=dict.fromkeys(NAMES, LIFE), votes=True, distrust=of,
                             arbiter=SimpleNamespace(other="n2", absent=False))
    daemon: Any = SimpleNamespace(
        name="n1", node=SimpleNamespace(leader=None, ledger=ledger, voting=voting),
        cluster=Cluster("shop", "", nodes, {}, {}, holders={"disk1": HOLDERS["disk1"]}),
        disks=SimpleNamespace(racks=SimpleNamespace(known=HOLDERS)),
        pinger=SimpleNamespace(state=lambda: {"reached": True}, line=lambda: "10.0.0.254 answers"))
    answer: Dict[str, Any] = asyncio.run(quorum(daemon))["holders"]
    return answer


def test_each_holder_has_its_kind_also_one_that_left_the_configuration() -> None:
    assert {name: one["kind"] for name, one in told().items()} == {
        "n1": "node", "n2": "node", "disk1": "disk", "w1": "witness", "zookeeper": "zookeeper", "arbiter": "ping",
        "old": "unknown"}


@pytest.mark.parametrize(("name", "remedy"), [
    ("n2", "remove /var/sundog/ledger there and restart its coordinator"),
    ("disk1", "sundog quorum init-disk /dev/rdsk/c0t5d0s6 --force sundog"),
    ("w1", "stop the witness at 10.9.0.9, remove shop from its directory (/var/sundog/witness/shop by default)"),
    ("zookeeper", "disable every coordinator, remove /sundog/shop from the ensemble and /var/sundog/ledger on every"),
])
def test_a_holder_that_is_distrusted_comes_with_the_remedy_of_its_kind(name: str, remedy: str) -> None:
    state = told(distrusted=True)[name]["state"]
    assert state.startswith("never votes again: what it kept is older than what it acknowledged; " + remedy)
    assert name == "disk1" or "init-disk" not in state
