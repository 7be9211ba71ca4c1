"""A cluster.yaml becomes a Cluster, or every mistake in it is said with its place."""
from pathlib import Path
from typing import Dict, List, Mapping, NamedTuple, Optional, Tuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sundog.config.fields import AbsPath, BadValue, Cidr, FileName, Name, PoolName, ZoneName
from sundog.config.load import examine, load, parse
from sundog.config.model import Cluster
from sundog.config.problems import ConfigError


class Pool(NamedTuple):
    pool: PoolName
    mounts: Tuple[AbsPath, ...] = ()


class Ip(NamedTuple):
    address: Cidr
    tries: int = 3
    interface: Optional[Name] = None


class Zone(NamedTuple):
    zone: ZoneName
    config: FileName


TYPES: Mapping[str, type] = {"zpool": Pool, "floating-ip": Ip, "zone": Zone}
FILES = {"zones/web1.cfg": "create -b\n"}
GOOD = """\
cluster: shop
key_file: /etc/sundog/key
timing: {timeout: 2s}
nodes:
  n1: {addresses: [10.0.0.1, 192.168.7.1]}
  n2: {addresses: [10.0.0.2, 192.168.7.2]}
links:
  private: {type: lan, network: 192.168.7.0/24}
  public:  {type: lan, network: 10.0.0.0/24, port: 4000}
quorum:
  holders: {disk1: {type: disk, device: /dev/rdsk/c0t5d0s6}}
  arbiter: none
recovery: {window: 30m, on_stop_failed: block}
groups:
  web:
    nodes: [n2, n1]
    failback: automatic
    resources:
      data: {type: zpool, pool: shopweb, mounts: [/web, /log]}
      zone: {type: zone, zone: web1, config: zones/web1.cfg, needs: [data]}
      ip:   {type: floating-ip, address: 10.0.0.100/24, needs: [zone]}
"""
GROUPS = GOOD[GOOD.index("groups:"):]


def said(text: str, files: Optional[Dict[str, str]] = None) -> List[str]:
    """What is said of `text`, each with its line and column."""
    def fetch(name: str) -> str:
        if name in (FILES if files is None else files):
            return FILES[name]
        raise BadValue(f"file {name} is not there", "write it")

    reading = examine(text, name="c.yaml", types=TYPES, fetch=fetch)
    assert (reading.cluster is None) == any(problem.severity == "error" for problem in reading.problems)
    return [str(problem)[len("c.yaml:"):] for problem in reading.problems]


def errors(text: str) -> List[str]:
    return [line for line in said(text) if " error: " in line]


def place(text: str, word: str, last: bool = False) -> str:
    """LINE:COLUMN of `word` in `text`."""
    index = text.rindex(word) if last else text.index(word)
    return f"{text.count(chr(10), 0, index) + 1}:{index - text.rfind(chr(10), 0, index)}"


def replaced(old: str, new: str) -> str:
    assert GOOD.count(old) == 1
    return GOOD.replace(old, new)


def test_the_whole_example_becomes_the_objects_that_it_says() -> None:
    cluster = parse(GOOD, name="c.yaml", types=TYPES, files=FILES)
    assert isinstance(cluster, Cluster)
    assert (cluster.name, cluster.key_file, cluster.timing.timeout_s) == ("shop", "/etc/sundog/key", 2.0)
    assert cluster.nodes["n2"].addresses == ("10.0.0.2", "192.168.7.2")
    assert (cluster.links["public"].port, cluster.links["private"].port) == (4000, 3121)
    assert cluster.holders["disk1"].device == "/dev/rdsk/c0t5d0s6"
    assert (cluster.recovery.window_s, cluster.recovery.on_stop_failed) == (1800.0, "block")
    web = cluster.groups["web"]
    assert (web.nodes, web.failback) == (("n2", "n1"), "automatic")
    assert [(r.name, r.type, r.needs) for r in web.resources] == [
        ("data", "zpool", ()), ("zone", "zone", ("data",)), ("ip", "floating-ip", ("zone",))]
    assert web.resources[0].params == Pool(PoolName("shopweb"), (AbsPath("/web"), AbsPath("/log")))
    assert web.resources[2].params == Ip(Cidr("10.0.0.100/24"))
    assert (cluster.source, cluster.files) == (GOOD, FILES)


def test_a_frozen_dataclass_serves_as_a_parameters_class_as_well() -> None:
    from dataclasses import dataclass

    @dataclass(frozen=True)
    class Mount:
        at: AbsPath
        options: Tuple[str, ...] = ()

    text = GOOD.replace(GROUPS, "groups: {g: {nodes: [n1], resources: {m: {type: mount, at: /x}}}}")
    cluster = parse(text, name="c.yaml", types={"mount": Mount}, files={})
    assert cluster.groups["g"].resources[0].params == Mount(AbsPath("/x"))


MISTAKES = [
    # old, new, the word it is said at, what is said
    ("failback: automatic", "failbak: manual", "failbak", "'failbak' in groups.web; did you mean 'failback'?"),
    ("{timeout: 2s}", "{timeout: 2s, window: 1h}", "window", "unknown key 'window' in timing; it belongs in recovery"),
    ("timing:", "port: 3\ntiming:", "port: 3", "it belongs in links.NAME of type lan"),
    ("cluster: shop", "cluster: sh.op", "sh.op", "it has a dot"),
    ("cluster: shop\n", "", "key_file", "the file has no 'cluster'; add 'cluster: …'"),
    ("{timeout: 2s}", "{timeout: 2}", "2}", "'2' is not a timeout: it has no unit (ms, s, m, h, d); write"),
    ("{timeout: 2s}", "{timeout: 2min}", "2min", "'min' is not a unit (ms, s, m, h, d)"),
    ("{timeout: 2s}", "{timeout: 61s}", "61s", "out of bounds"),
    ("{timeout: 2s}", "{timeout: 499ms}", "499ms", "out of bounds"),
    ("{timeout: 2s}", "2s", "2s\n", "timing is '2s', not a mapping with timeout"),
    ("[10.0.0.1, 192.168.7.1]", "10.0.0.1", "10.0.0.1}", "n1.addresses is '10.0.0.1', not a list; write [10.0.0.1]"),
    ("[10.0.0.1, 192.168.7.1]", "[]", "[]", "nodes.n1.addresses is an empty list"),
    ("192.168.7.1]", "10.0.0.2]", "10.0.0.2]}\n  n2", "node n1 has two addresses in network public"),
    ("192.168.7.2]", "10.0.0.1]", "10.0.0.1]", "address 10.0.0.1 of node n2 is node n1's already, line 5"),
    ("192.168.7.2]", "192.168.8.2]", "192.168.8.2", "address 192.168.8.2 of node n2 is in no link's network (private"),
    ("10.0.0.2, ", "10.0.0.2/24, ", "10.0.0.2/24", "it has a prefix"),
    ("192.168.7.2]}", "192.168.7.2], votes: 2}", "2}\nlinks", "nodes.n2.votes is 2; write a whole number from 0 to 1"),
    ("192.168.7.2]}", "192.168.7.2], votes: one}", "one}", "nodes.n2.votes is 'one', not a whole number"),
    ("  n2: {", "  n1: {}\n  n2: {", "n1: {}", "nodes has 'n1' twice, first on line 5"),
    ("  n2: {", "  no: {}\n  n2: {", "no: {}", "put the key in quotes"),
    ("192.168.7.0/24", "192.168.7.1/24", "192.168.7.1/24", "the network is 192.168.7.0/24"),
    ("192.168.7.0/24", "10.0.0.0/16", "10.0.0.0/24", "network 10.0.0.0/24 of public overlaps 10.0.0.0/16 of private"),
    ("{type: lan, network: 192.168.7.0/24}", "{type: serial, device: /dev/cua/a}", "{type: serial", "has no 'nodes'"),
    ("{type: lan, network: 192.168.7.0/24}", "{type: lam, network: 192.168.7.0/24}", "lam", "did you mean 'lan'?"),
    ("{type: lan, network: 192.168.7.0/24}", "{network: 192.168.7.0/24}", "{network", "links.private has no 'type'"),
    ("arbiter: none", "arbiter: ping", "ping", "leave the arbiter out, or the holders"),
    ("recovery:", "ledger: zookeeper\nrecovery:", "zookeeper", "ledger: zookeeper, but there is no section zookeeper"),
    ("[n2, n1]", "[n2, n3]", "n3", "group web names node 'n3', which there is not"),
    ("[n2, n1]", "[n2, n2]", "n2]", "group web names node n2 twice"),
    ("failback: automatic", "failback: yes", "yes", "which YAML takes for yes or no"),
    ("failback: automatic", "failback:", "", "groups.web.failback is nothing"),
    ("needs: [zone]", "needs: [zon]", "zon]", "needs 'zon', which group web has not; did you mean 'zone'?"),
    ("needs: [zone]", "needs: [ip]", "ip]", "resource web.ip needs itself"),
    ("needs: [zone]", "needs: [zone, zone]", "zone]}", "needs zone twice"),
    ("mounts: [/web, /log]", "needs: [ip]", "data]", "group web: data needs ip needs zone needs data"),
    ("10.0.0.100/24", "10.0.1.100/24", "10.0.1.100/24", "outside every network of the cluster (private 192.168.7.0/24"),
    ("10.0.0.100/24", "10.0.0.100", "10.0.0.100", "it has no prefix length"),
    ("10.0.0.100/24", "10.0.0.1/24", "10.0.0.1/24", "address '10.0.0.1/24' of web.ip is node n1's already, line 5"),
    ("pool: shopweb", "pool: mirror-1", "mirror-1", "zpool(8) keeps that word for itself"),
    ("pool: shopweb", "pol: shopweb", "pol: shopweb", "did you mean 'pool'?"),
    ("pool: shopweb, ", "", "{type: zpool", "groups.web.resources.data has no 'pool'"),
    ("/web, /log", "/web, log", "log]", "it does not begin with '/'"),
    ("config: zones/web1.cfg", "config: ../web1.cfg", "../web1.cfg", "it has an empty, '.' or '..' part"),
    ("config: zones/web1.cfg", "config: zones/other.cfg", "zones/other.cfg", "file zones/other.cfg is not there"),
    ("type: floating-ip", "type: floating_ip", "floating_ip", "did you mean 'floating-ip'?"),
]


@pytest.mark.parametrize(("old", "new", "word", "what"), MISTAKES, ids=[m[3] for m in MISTAKES])
def test_a_mistake_is_said_at_its_place_with_what_to_write(old: str, new: str, word: str, what: str) -> None:
    text = replaced(old, new)
    found = [line for line in errors(text) if what in line]
    assert len(found) == 1, said(text)
    if word:
        assert found[0].startswith(place(text, word) + ": error: "), (found, place(text, word))
    assert "; " in found[0]


def test_all_mistakes_of_a_file_are_found_at_once_and_in_its_order() -> None:
    text = GOOD
    for old, new in (("2s", "2"), ("[n2, n1]", "[n2, n9]"), ("shopweb", "log"), ("needs: [zone]", "needs: [zoo]"),
                     ("window", "windows"), ("port: 4000", "port: x")):
        text = text.replace(old, new)
    found = errors(text)
    assert len(found) == 6
    assert [int(line.split(":")[0]) for line in found] == sorted(int(line.split(":")[0]) for line in found)


SECOND = """\
  db:
    nodes: [n1, n2]
    resources:
      %s
"""


@pytest.mark.parametrize(("resource", "what"), [
    ("data: {type: zpool, pool: shopweb}", "pool 'shopweb' of db.data is web.data's already, line 19"),
    ("zone: {type: zone, zone: web1, config: zones/web1.cfg}", "zone 'web1' of db.zone is web.zone's already, line 20"),
    ("ip: {type: floating-ip, address: 10.0.0.100/25}", "'10.0.0.100/25' of db.ip is web.ip's already, line 21"),
])
def test_no_two_groups_own_the_same_thing(resource: str, what: str) -> None:
    assert any(what in line for line in errors(GOOD + SECOND % resource))


def test_the_same_ipv6_address_in_two_spellings_is_found() -> None:
    text = GOOD.replace("192.168.7.0/24", "fd00::/64").replace("192.168.7.1", "fd00::1")
    text = text.replace("192.168.7.2", "fd00:0::1")
    assert any("address fd00:0::1 of node n2 is node n1's already" in line for line in errors(text))


def test_a_node_without_an_address_in_a_floating_addresss_network_cannot_be_in_the_group() -> None:
    text = GOOD.replace("[10.0.0.2, 192.168.7.2]", "[192.168.7.2]")
    assert [line for line in errors(text) if "node n2 has no address in network public, so it cannot carry" in line]


def test_a_network_without_a_link_holds_floating_addresses() -> None:
    text = GOOD.replace("links:", "networks: {service: 10.5.0.0/16}\nlinks:").replace("10.0.0.100/24", "10.5.0.9/16")
    text = text.replace("192.168.7.1]", "192.168.7.1, 10.5.0.1]").replace("192.168.7.2]", "192.168.7.2, 10.5.0.2]")
    assert errors(text) == []
    assert parse(text, name="c.yaml", types=TYPES, files=FILES).networks == {"service": "10.5.0.0/16"}


def test_nodes_that_share_no_link_are_told() -> None:
    text = GOOD.replace("[10.0.0.1, 192.168.7.1]", "[10.0.0.1]").replace("[10.0.0.2, 192.168.7.2]", "[192.168.7.2]")
    assert any("nodes n1 and n2 have no link in common" in line for line in errors(text))


def test_two_votes_are_warned_of_and_a_disk_makes_them_three() -> None:
    alone = GOOD.replace("  holders: {disk1: {type: disk, device: /dev/rdsk/c0t5d0s6}}\n", "")
    assert [line for line in said(alone) if line.startswith("4:1: warning: 2 votes")]
    assert not [line for line in said(GOOD) if " warning: " in line]


def test_nobody_to_vote_is_an_error() -> None:
    text = GOOD.replace("  holders: {disk1: {type: disk, device: /dev/rdsk/c0t5d0s6}}\n", "")
    assert any("nobody has a vote" in line for line in errors(text.replace("]}\n", "], votes: 0}\n")))


def test_a_pool_on_nodes_without_a_fence_device_is_a_risk() -> None:
    assert [line for line in said(GOOD) if line.startswith(place(GOOD, "shopweb") + ": risk: pool shopweb of web.data")]


@pytest.mark.parametrize(("text", "start", "what"), [
    ("", "1:1", "the file is empty"),
    ("# nothing\n", "1:1", "the file is empty"),
    ("yes", "1:1", "the file is 'yes', not a mapping"),
    ("a: b: c", "1:5", "a second ':' in one line"),
    ("cluster: shop\nnodes:\n\tn1: {}", "3:1", "a tab where YAML wants spaces; indent with spaces only"),
    ("a: [1, 2", "1:9", "'[' is not closed"),
    ("a: {b: 1", "1:9", "'{' is not closed"),
    ("a: 'b", "1:6", "a quote is not closed"),
    ("a: 1\n---\nb: 2", "2:1", "a second document begins here"),
    ("a: &x [1]\nb: *x", "1:4", "anchors and aliases are not read; write the value out"),
    ("a: !!python/object/apply:os.system [id]", "1:4", "tags are not read"),
    ("a: \x00", "1:4", "cannot be in YAML"),
    ('a: "\\UFFFFFFFF"', "1:1", "the file is not YAML"),
    ("a: " + "[" * 500 + "]" * 500, "1:23", "it is nested more than 20 deep"),
    ("? [a]\n: b", "1:3", "the file has a key that is a list"),
    ("  a: 1\n b: 2", "2:2", "the indentation does not fit"),
])
def test_what_is_no_configuration_at_all_is_said_plainly(text: str, start: str, what: str) -> None:
    found = [line for line in said(text) if what in line]
    assert found, said(text)
    assert found[0].startswith(start + ": error: "), found


def test_a_file_and_what_it_names_are_read_from_beside_it(tmp_path: Path) -> None:
    (tmp_path / "zones").mkdir()
    (tmp_path / "zones/web1.cfg").write_text("create -b\n")
    (tmp_path / "c.yaml").write_text(GOOD)
    cluster = load(str(tmp_path / "c.yaml"), TYPES)
    assert cluster.files == FILES
    assert cluster == parse(cluster.source, name="elsewhere", types=TYPES, files=cluster.files)


@pytest.mark.parametrize(("raw", "what"), [
    (b"cluster: shop\n# caf\xe9\n", "is not UTF-8: byte 0xe9 on line 2"),
    (b"\xff\xfe" + "cluster: x".encode("utf-16-le"), "is not UTF-8"),
    (None, "No such file or directory"),
    (b"#" * (1 << 19), "is larger than 256 KiB"),
])
def test_a_file_that_cannot_be_read_is_a_problem_with_a_remedy(tmp_path: Path, raw: Optional[bytes], what: str) -> None:
    if raw is not None:
        (tmp_path / "c.yaml").write_bytes(raw)
    with pytest.raises(ConfigError) as caught:
        load(str(tmp_path / "c.yaml"), TYPES)
    assert what in str(caught.value)
    assert caught.value.problems[0].remedy


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_bytes(b"\xef\xbb\xbf" + GOOD.split("groups:")[0].encode())
    assert load(str(tmp_path / "c.yaml"), TYPES).name == "shop"


def test_a_long_chain_of_needs_is_no_cycle_and_needs_no_recursion() -> None:
    chain = "".join(f"      r{i}: {{type: zpool, pool: p{i}, needs: [r{i + 1}]}}\n" for i in range(1500))
    text = GOOD.split("groups:")[0] + f"groups:\n  g:\n    nodes: [n1, n2]\n    resources:\n{chain}"
    assert len(errors(text + "      r1500: {type: zpool, pool: p1500}\n")) == 0
    assert len(errors(text + "      r1500: {type: zpool, pool: p1500, needs: [r0]}\n")) == 1


WORDS = st.sampled_from(
    ["cluster", "nodes", "n1", "links", "type", "lan", "network", "10.0.0.0/24", "10.0.0.1", "groups", "resources",
     "needs", "zpool", "pool", "quorum", "holders", "disk", "yes", "~", "1", "2s", "-1", "timing", "timeout",
     "addresses", "zone", "config", "fence", "votes", "floating-ip", "address"])
VALUES = st.recursive(WORDS | st.text(max_size=8), lambda inner: st.lists(inner, max_size=4)
                      | st.dictionaries(WORDS, inner, max_size=6), max_leaves=30)


@given(st.text() | st.text(alphabet="{}[]:,-?&*!|>'\"%#@` \n\tab1~\\U", max_size=80))
@settings(max_examples=300)
def test_any_text_is_read_or_refused_and_nothing_else_is_raised(text: str) -> None:
    said(text)


@given(VALUES)
@settings(max_examples=300)
def test_any_yaml_is_read_or_refused_and_nothing_else_is_raised(value: object) -> None:
    import yaml
    said(yaml.safe_dump(value))


@given(st.data())
@settings(max_examples=200)
def test_the_good_file_with_any_value_swapped_is_read_or_refused(data: st.DataObject) -> None:
    import yaml
    tree = yaml.safe_load(GOOD)
    at = tree
    while True:
        key = data.draw(st.sampled_from(sorted(at) if isinstance(at, dict) else range(len(at))))
        if isinstance(at[key], (dict, list)) and at[key] and data.draw(st.booleans()):
            at = at[key]
            continue
        at[key] = data.draw(VALUES)
        break
    said(yaml.safe_dump(tree))
