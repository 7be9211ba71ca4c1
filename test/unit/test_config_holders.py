"""The configuration of witnesses and of an ensemble, and the file of a witness."""
import asyncio
import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List

import pytest

from sundog.cli.check import votes
from sundog.cli.here import holder_objections
from sundog.config.model import WitnessHolder, ZooKeeperHolder
from sundog.config.witness import Settings
from sundog.config.witness import examine as examine_witness
from sundog.daemon.holders import maker
from sundog.errors import ConfigProblem
from unit.two_nodes import TWO, WITNESS, cluster, read

ENSEMBLE = TWO + ("ledger: zookeeper\nzookeeper: {servers: ['10.9.0.1:2181', '10.9.0.2:2181', '[fd00::3]:2181'], "
                   "user: sundog, password_file: /etc/sundog/zk}\n")


def said(text: str) -> str:
    return "\n".join(map(str, read(text).problems))


def test_a_witness_is_the_third_vote_of_two_nodes() -> None:
    assert dict(cluster(WITNESS).holders) == {"w1": WitnessHolder("w1", "10.9.0.9", 3122)}
    assert said(WITNESS) == ""


def test_an_ensemble_votes_alone() -> None:
    made = cluster(ENSEMBLE)
    assert dict(made.holders) == {"zookeeper": ZooKeeperHolder(
        "zookeeper", ("10.9.0.1:2181", "10.9.0.2:2181", "[fd00::3]:2181"), "/sundog", "sundog", "/etc/sundog/zk")}
    assert {node.votes for node in made.nodes.values()} == {0}
    assert said(ENSEMBLE) == ""


@pytest.mark.parametrize(("text", "what"), [
    (WITNESS.replace("10.9.0.9", "10.0.0.2"), "c.yaml:8:49: warning: witness w1 is on node n2: it dies with that node"),
    (WITNESS.replace("10.9.0.9", "127.0.0.1"), "error: witness w1 is on loopback"),
    (WITNESS.replace("}}}", "}, w2: {type: witness, address: 10.9.0.9}}}"),
     "error: witness 10.9.0.9 port 3122 of holder w2 is w1's already"),
    (WITNESS.replace("address", "adress"), "unknown key 'adress' in quorum.holders.w1; did you mean 'address'?"),
    (WITNESS + "zookeeper: {servers: ['10.9.0.1:2181']}\n", "zookeeper is described, but does not keep the ledger"),
    (TWO + "ledger: zookeeper\n", "error: ledger: zookeeper, but there is no section zookeeper"),
    (ENSEMBLE + "quorum: {holders: {w1: {type: witness, address: 10.9.0.9}}}\n", "error: quorum.holders has no part"),
    (ENSEMBLE.replace("'10.9.0.2:2181', ", ""), "warning: 2 ZooKeeper servers: no more may fail than of 1"),
    (ENSEMBLE.replace("10.9.0.2:2181", "10.9.0.1:2181"), "error: zookeeper.servers names a server twice"),
    (ENSEMBLE.replace("10.9.0.2:2181", "zk2:2181"), "it is neither IPv4 nor IPv6"),
    (ENSEMBLE.replace("10.9.0.2:2181", "10.9.0.2"), "it has no port"),
    (ENSEMBLE.replace(", password_file: /etc/sundog/zk", ""), "error: zookeeper has only one of user and password"),
    (ENSEMBLE.replace(", user: sundog, password_file: /etc/sundog/zk", ""), "risk: zookeeper without user"),
    (ENSEMBLE.replace("{servers", "{path: /zookeeper/x, servers"), "no cluster can keep its own there"),
    (TWO + "ledger: etcd\n", "ledger"),
])
def test_a_mistake_is_said_with_its_place_and_what_to_do(text: str, what: str) -> None:
    assert what in said(text)


def test_check_says_who_votes_and_what_that_is_good_for() -> None:
    assert votes(cluster(WITNESS)) == (
        "3 votes (n1, n2, witness w1): 1 of them may fail; with the witness either node carries on without the other, "
        "and both do without the witness")
    assert "any one node that reaches the ensemble carries on" in votes(cluster(ENSEMBLE))


def test_check_here_names_a_witness_that_is_not_reached_and_a_password_that_is_not_there() -> None:
    [unreached] = holder_objections(WitnessHolder("w1", "127.0.0.1", 1))
    assert unreached.startswith("witness w1: 127.0.0.1 port 1 takes no connection from here")
    found = holder_objections(ZooKeeperHolder("zookeeper", ("127.0.0.1:1",), "/s", "sundog", "/none"))
    assert "password file /none" in found[0] and "ZooKeeper server: 127.0.0.1 port 1" in found[1]


def test_without_kazoo_the_check_and_the_start_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "kazoo.client", None)
    assert "kazoo, which is not installed" in holder_objections(ZooKeeperHolder("zookeeper", ()))[0]
    with pytest.raises(ConfigProblem, match="pip install kazoo"):
        maker(asyncio.new_event_loop(), cluster(ENSEMBLE), "n1", bytes(32), True, print, print)


GOOD = """listen: 10.9.0.9:3122
directory: /var/sundog/witness
clusters:
  shop: {key_file: /etc/sundog/keys/shop}
"""


def test_the_file_of_a_witness() -> None:
    assert examine_witness(GOOD, "w.yaml") == (
        Settings("10.9.0.9", 3122, "/var/sundog/witness", {"shop": "/etc/sundog/keys/shop"}), ())


@pytest.mark.parametrize(("old", "new", "what"), [
    ("listen: 10.9.0.9:3122", "listen: 10.9.0.9", "w.yaml:1:9: error: listen: '10.9.0.9' is not a server"),
    ("directory", "directoy", "w.yaml:2:1: error: unknown key 'directoy'"),
    ("key_file", "key", "w.yaml:4:10: error: unknown key 'key' in clusters.shop; allowed here: key_file"),
    ("shop: {", "sh/op: {", "w.yaml:4:3: error"),
    ("clusters:\n  shop: {key_file: /etc/sundog/keys/shop}", "", "has no 'clusters'"),
])
def test_a_mistake_in_the_file_of_a_witness_is_said_at_its_place(old: str, new: str, what: str) -> None:
    found, problems = examine_witness(GOOD.replace(old, new), "w.yaml")
    assert found is None
    assert what in "\n".join(map(str, problems))


def sundogd(*arguments: str) -> "subprocess.CompletedProcess[str]":
    lib = str(Path(__file__).parents[2] / "lib")
    return subprocess.run([sys.executable, "-m", "sundog.daemon.start", *arguments], capture_output=True, text=True,
                          env={"PYTHONPATH": lib}, timeout=60, check=False)


def test_the_witness_checks_its_file_and_keys(tmp_path: Path) -> None:
    key, file = tmp_path / "shop.key", tmp_path / "witness.yaml"
    file.write_text(f"listen: 127.0.0.1:3122\ndirectory: {tmp_path}/store\nclusters: {{shop: {{key_file: {key}}}}}\n")
    absent = sundogd("--witness", "--config", str(file), "--check")
    assert absent.returncode == 96 and f"key file {key}" in absent.stdout
    key.touch(0o600)
    key.write_bytes(base64.b64encode(bytes(32)))
    assert sundogd("--witness", "--config", str(file), "--check").stdout == f"{file}: good\n"
    assert not (tmp_path / "store").exists()


def test_what_is_wrong_with_the_file_of_a_witness_is_data_with_places(tmp_path: Path) -> None:
    file, key = tmp_path / "witness.yaml", tmp_path / "shop.key"

    def problems(text: str) -> List[Dict[str, Any]]:
        file.write_text(text)
        checked = sundogd("--witness", "--config", str(file), "--check", "--json")
        answer = json.loads(checked.stdout)
        assert (checked.returncode, answer["ok"]) == ((96, False) if answer["problems"] else (0, True))
        return list(answer["problems"])

    good = f"listen: 127.0.0.1:3122\nclusters:\n  bank: {{key_file: {key}}}\n  shop: {{key_file: {key}}}\n"
    absent = {"severity": "error", "file": str(file), "text": f"key file {key}: No such file or directory",
              "remedy": f"make one with: (umask 077; openssl rand -base64 32 > {key}), the same on every node"}
    assert problems(good) == [{**absent, "line": line, "column": 20} for line in (3, 4)]
    [unknown, no_server] = problems(good.replace("listen:", "lisen: x\nlisten:").replace(":3122", ""))
    assert (unknown["line"], unknown["column"], unknown["file"]) == (1, 1, str(file))
    assert (no_server["line"], no_server["column"], no_server["severity"]) == (2, 9, "error")
    assert "127.0.0.1" in no_server["text"] and "3122" not in no_server["text"] and no_server["remedy"]
    key.touch(0o600)
    key.write_bytes(base64.b64encode(bytes(32)))
    assert problems(good) == []
    none = sundogd("--witness", "--config", str(tmp_path / "none"), "--check", "--json")
    assert json.loads(none.stdout)["problems"][0]["file"] == str(tmp_path / "none")


def test_help_has_an_example() -> None:
    said = sundogd("--witness", "--help")
    assert said.returncode == 0 and "sundogd --witness --config" in said.stdout
