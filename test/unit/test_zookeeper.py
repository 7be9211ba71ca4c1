"""The exchange with real ZooKeeper servers: compare-and-set, a killed server, an expired session, a foreign path."""
import time
from dataclasses import replace
from pathlib import Path
from typing import Iterator, List, Tuple

import pytest

from sundog.config.model import ZooKeeperHolder
from sundog.core.frames import Block
from sundog.core.ledger import GroupEntry, Ledger
from sundog.errors import ConfigProblem
from sundog.link.passive import HolderFailed, HolderRefused
from sundog.link.zookeeper import ZooKeeper, password_of, trimmed
from unit.zookeeper_servers import Servers, installed

pytestmark = [pytest.mark.timeout(240), pytest.mark.xdist_group("zookeeper"),
              pytest.mark.skipif(not installed(), reason="Debian's zookeeper is not installed (bin/bootstrap test)")]
KEY = bytes(range(32))


@pytest.fixture(scope="module")
def ensemble(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    servers = Servers(tmp_path_factory.mktemp("zookeeper"), 3)
    try:
        servers.start()
        servers.until_serving()
        yield servers
    finally:
        servers.end()


@pytest.fixture
def nodes(ensemble: Servers, request: pytest.FixtureRequest) -> Iterator["Nodes"]:
    nodes = Nodes(ensemble, "/" + request.node.name[:40].replace("[", "-").replace("]", ""))
    yield nodes
    for node in nodes.made:
        node.close()


class Nodes:
    def __init__(self, ensemble: Servers, path: str) -> None:
        self.holder = ZooKeeperHolder("zookeeper", ensemble.names, path)
        self.made: List[ZooKeeper] = []

    def node(self, cluster: str = "shop", key: bytes = KEY, **other: object) -> ZooKeeper:
        self.made.append(ZooKeeper(replace(self.holder, **other), cluster, key, 10.0))  # type: ignore[arg-type]
        return self.made[-1]


def block(writer: str, counter: int) -> Block:
    return Block(writer, (counter, writer), (counter, writer), Ledger(version=counter), counter, counter)


def persistent(node: ZooKeeper, one: Block) -> Tuple[Block, ...]:
    end = time.monotonic() + 60
    while True:
        try:
            return node.exchange(one)
        except HolderFailed as error:
            assert time.monotonic() < end, error


def test_each_node_reads_what_every_node_wrote_last(nodes: Nodes) -> None:
    one, two = nodes.node(), nodes.node()
    assert one.exchange(block("n1", 1)) == (block("n1", 1),)
    assert two.exchange(block("n2", 2)) == (replace(block("n1", 1), ledger=None), block("n2", 2))
    assert one.exchange(block("n1", 3)) == (block("n1", 3), replace(block("n2", 2), ledger=None))
    # What only reads may get it from a server that lags (docs/witness.md): never older than what it saw before.
    for _ in range(1000):
        read = two.exchange(None)
        assert read[0].counter in (1, 3)
        if read[0].counter == 3:
            break
    assert read == one.exchange(None)
    assert one.life == two.life != ""


def test_two_writers_at_once_lose_nothing(nodes: Nodes) -> None:
    import threading
    made = {name: nodes.node() for name in ("n1", "n2", "n3")}
    seen = {}

    def write(name: str) -> None:
        for counter in range(1, 21):
            seen[name] = persistent(made[name], block(name, counter))

    threads = [threading.Thread(target=write, args=(name,)) for name in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {one.writer: one.counter for one in nodes.node().exchange(None)} == {"n1": 20, "n2": 20, "n3": 20}
    # Whoever wrote last has read the last of everybody (Disk Paxos rests on that).
    assert any({one.counter for one in found} == {20} for found in seen.values())


def test_a_leaders_probe_is_one_request(nodes: Nodes, ensemble: Servers) -> None:
    one = nodes.node()
    one.exchange(block("n1", 1))
    ensemble.requests()
    before, quiet = ensemble.requests(), ensemble.requests()
    for counter in range(100):
        one.exchange(block("n1", counter + 2))
    took = ensemble.requests() - quiet - (quiet - before)
    assert 100 <= took <= 130, "one a probe, and a few pings and questions of ours"


def test_a_killed_server_costs_an_exchange_and_no_block(nodes: Nodes, ensemble: Servers) -> None:
    one = nodes.node()
    one.exchange(block("n1", 1))
    dead = ensemble.leader()
    try:
        ensemble.kill(dead)
        assert persistent(one, block("n1", 2)) == (block("n1", 2),)
        assert persistent(nodes.node(), block("n2", 3))[0].counter == 2
    finally:
        ensemble.start(dead)
        ensemble.until_serving()


def test_an_expired_session_is_a_failed_exchange_or_a_new_session(nodes: Nodes) -> None:
    from kazoo.client import KazooClient
    one = nodes.node()
    one.exchange(block("n1", 1))
    # As ZooKeeper's own tests expire a session: a second connection takes it over and ends it.
    session = one._client.client_id
    other = KazooClient(",".join(nodes.holder.servers), client_id=session)
    other.start(30)
    other.stop()
    other.close()
    assert persistent(one, block("n1", 2)) == (block("n1", 2),)
    assert one._client.client_id != session


def test_another_clusters_path_is_refused_by_name(nodes: Nodes) -> None:
    nodes.node().exchange(block("n1", 1))
    with pytest.raises(HolderRefused, match="belongs to the Sundog cluster shop; give every cluster a path"):
        nodes.node("bank").exchange(block("n1", 1))


def test_another_key_is_refused_and_overwrites_nothing(nodes: Nodes) -> None:
    one = nodes.node()
    one.exchange(block("n1", 1))
    with pytest.raises(HolderRefused, match="another key"):
        nodes.node(key=bytes(32)).exchange(block("n2", 5))
    assert one.exchange(None) == (block("n1", 1),)


def test_a_path_of_somebody_else_is_refused_and_left_alone(nodes: Nodes) -> None:
    from kazoo.client import KazooClient
    client = KazooClient(",".join(nodes.holder.servers))
    client.start(30)
    try:
        client.create(nodes.holder.path, b"not yours")
        with pytest.raises(HolderRefused, match="not Sundog's; name another path"):
            nodes.node().exchange(block("n1", 1))
        assert client.get_children(nodes.holder.path) == []
    finally:
        client.stop()
        client.close()


def test_with_a_password_nobody_else_reads_or_writes(nodes: Nodes, tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.touch(0o600)
    secret.write_text("sesame\n")
    known = {"user": "sundog", "password_file": str(secret)}
    nodes.node(**known).exchange(block("n1", 1))
    with pytest.raises(HolderFailed, match="user and password_file"):
        nodes.node().exchange(block("n2", 2))
    assert nodes.node(**known).exchange(None) == (block("n1", 1),)


def test_a_path_that_is_gone_is_made_again_by_nobody_who_knew_it(nodes: Nodes) -> None:
    from kazoo.client import KazooClient
    one = nodes.node()
    one.exchange(block("n1", 1))
    life = one.life
    client = KazooClient(",".join(nodes.holder.servers))
    client.start(30)
    client.delete(nodes.holder.path, recursive=True)
    for _ in range(2):
        with pytest.raises(HolderRefused, match="is gone, .*remove /var/sundog/ledger on every node"):
            one.exchange(block("n1", 2))
    restarted = ZooKeeper(nodes.holder, "shop", KEY, 10.0, anew=False)
    nodes.made.append(restarted)
    with pytest.raises(HolderRefused, match="is gone"):
        restarted.exchange(block("n1", 2))
    assert client.exists(nodes.holder.path) is None
    client.stop()
    client.close()
    two = nodes.node()
    two.exchange(block("n2", 1))
    assert two.life not in ("", life)


def test_no_server_is_a_failure_that_says_what_to_look_at() -> None:
    node = ZooKeeper(ZooKeeperHolder("zookeeper", ("127.0.0.1:1",)), "shop", KEY, 0.5)
    with pytest.raises(HolderFailed, match="no connection to any server; .*srvr"):
        node.exchange(block("n1", 1))
    node.close()


def test_only_the_ledger_that_the_next_ballot_carries_on_is_kept() -> None:
    ledger = Ledger(version=2, groups={"web": GroupEntry()})
    blocks = {"n1": block("n1", 1), "n2": replace(block("n2", 2), ledger=ledger), "n3": Block("n3", (9, "n3"))}
    kept = trimmed(blocks)
    assert [one.ledger for one in kept.values()] == [None, ledger, None]
    assert kept["n1"].bal == (1, "n1")


def test_a_password_file_for_all_to_read_is_refused(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("sesame\n")
    secret.chmod(0o644)
    with pytest.raises(ConfigProblem, match="chmod 600"):
        password_of(str(secret))
