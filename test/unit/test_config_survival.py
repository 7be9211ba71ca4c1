"""What `sundog check` says that a set-up of votes survives, and what it does not."""
from typing import Any, List

import pytest

from sundog.config.survival import survival
from unit.two_nodes import TWO, WITNESS, cluster, read

THREE = TWO.replace("links:", "  n3: {addresses: [10.0.0.3, 10.1.0.3]}\nlinks:")
FOUR = THREE.replace("links:", "  n4: {addresses: [10.0.0.4, 10.1.0.4]}\nlinks:")
PING = TWO + "quorum: {arbiter: ping, targets: [10.0.0.254, 10.0.0.253]}\n"
ZOOKEEPER = TWO + ("ledger: zookeeper\nzookeeper: {servers: ['10.9.0.1:2181', '10.9.0.2:2181', '10.9.0.3:2181'], "
                    "user: sundog, password_file: /etc/sundog/zk}\n")
DISK = TWO + "quorum: {holders: {d1: {type: disk, device: /dev/rdsk/c0t5d0s6}}}\n"
ONE = TWO.replace("10.1.0.2]", "10.1.0.2], votes: 0")
STOPS = "every group stops"


@pytest.mark.parametrize(("text", "lines"), [
    (TWO, ["votes: n1 and n2; 2 of 2 are a majority",
            "protects from: no failure of a vote",
            f"does not protect from: the loss of n1 or n2: {STOPS}"]),
    (THREE, ["votes: n1, n2 and n3; 2 of 3 are a majority",
             "protects from: the loss of any one of them",
             f"does not protect from: the loss of 2 of them at once: {STOPS}"]),
    (FOUR, ["votes: n1, n2, n3 and n4; 3 of 4 are a majority",
            "protects from: the loss of any one of them",
            f"does not protect from: the loss of 2 of them at once, or a cut into halves: {STOPS}"]),
    (DISK, ["votes: n1, n2 and disk d1; 2 of 3 are a majority",
            "protects from: the loss of any one of them",
            "does not protect from: the loss of 2 of them at once, such as a node and the path of the other to disk "
            f"d1: {STOPS}"]),
    (WITNESS, ["votes: n1, n2 and witness w1; 2 of 3 are a majority",
               "protects from: the loss of any one of them",
               "does not protect from: the loss of 2 of them at once, such as a node and the path of the other to "
               f"witness w1: {STOPS}"]),
    (ONE, ["votes: n1; it is the majority by itself",
           "protects from: the loss of n2, which has no vote",
           f"does not protect from: the loss of n1, the only vote: {STOPS}"]),
    (ZOOKEEPER, ["votes: ZooKeeper alone, 3 servers of which 2 are a majority; no node votes",
                 "protects from: the loss of all nodes but one; the loss of any one of the servers",
                 "does not protect from: the loss of 2 of the servers, or of every node's path to them: " + STOPS]),
    (PING, ["votes: n1, n2 and the ping arbiter, for which 1 of 2 targets must answer; 2 of 3 are a majority",
            "protects from: the death of either node, or its isolation (it resets itself), while the other reaches the "
            "targets; silent targets, while the nodes hear each other",
            "does not protect from: both nodes reaching the targets but not each other: both carry on, and a group may "
            f"have two owners; the loss of a node while the other does not reach the targets: {STOPS}; the loss of "
            "what one node has decided alone, when it dies before the other has heard of it"]),
])
def test_each_set_up_has_its_own_sentences(text: str, lines: List[str]) -> None:
    assert list(survival(cluster(text)).lines())[:3] == lines


@pytest.mark.parametrize("text", [TWO, THREE, FOUR, DISK, WITNESS, ONE, ZOOKEEPER, PING])
def test_no_set_up_promises_anything_for_ever_and_all_name_what_they_assume(text: str) -> None:
    found = survival(cluster(text))
    said = "\n".join((*found.lines(), *found.assumptions()))
    assert "always" not in said
    assert "docs/safety.md" in found.lines()[-1]
    assert len(found.lines()) <= 4
    assert ("possible" in found.lines()[-1]) == (text is PING)
    assert any("clocks" in line for line in found.assumptions())
    assert any("partition" in line for line in found.assumptions()) == (text is DISK)
    assert any("targets" in line for line in found.assumptions()) == (text is PING)


@pytest.mark.parametrize(("text", "voters", "majority", "may_fail"), [
    (DISK, [("n1", "node"), ("n2", "node"), ("d1", "disk")], 2, 1),
    (WITNESS, [("n1", "node"), ("n2", "node"), ("w1", "witness")], 2, 1),
    (PING, [("n1", "node"), ("n2", "node"), ("arbiter", "ping")], 2, 1),
    (ZOOKEEPER, [("zookeeper", "zookeeper")], 1, 0),
    (ONE, [("n1", "node")], 1, 0),
])
def test_as_data(text: str, voters: Any, majority: int, may_fail: int) -> None:
    told = survival(cluster(text)).plain()
    assert [(one["name"], one["kind"]) for one in told["voters"]] == voters
    assert (told["majority"], told["may_fail"]) == (majority, may_fail)
    assert told["protects_from"] and told["does_not_protect_from"] and told["assumes"]


def test_a_single_vote_is_a_warning() -> None:
    [problem] = read(ONE).problems
    assert str(problem) == (
        "c.yaml:2:1: warning: n1 has the only vote: when it fails, every group stops on every node; let three nodes "
        "vote, or two and a holder of type disk or witness under quorum.holders")
    alone = TWO.replace("  n2: {addresses: [10.0.0.2, 10.1.0.2]}\n", "")
    assert not [one for one in read(alone).problems if "only vote" in one.text]


def test_a_single_server_of_zookeeper_is_a_warning() -> None:
    text = ZOOKEEPER.replace(", '10.9.0.2:2181', '10.9.0.3:2181'", "")
    [problem] = read(text).problems
    assert str(problem).startswith("c.yaml:9:22: warning: one ZooKeeper server: when it fails, every group stops")
    assert survival(cluster(text)).lines()[:3] == (
        "votes: ZooKeeper alone, one server; no node votes", "protects from: the loss of all nodes but one",
        "does not protect from: the loss of the server, or of every node's path to it: every group stops")
