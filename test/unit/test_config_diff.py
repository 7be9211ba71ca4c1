"""Two configurations are compared by what they mean, not by how they are written."""
from typing import Mapping, NamedTuple

import pytest

from sundog.config.diff import Diff, diff
from sundog.config.fields import FileName, PoolName, ZoneName
from sundog.config.load import parse
from sundog.config.model import Cluster


class Pool(NamedTuple):
    pool: PoolName


class Zone(NamedTuple):
    zone: ZoneName
    config: FileName


TEXT = """\
cluster: shop
nodes: {n1: {addresses: [10.0.0.1]}, n2: {addresses: [10.0.0.2]}}
links: {lan: {type: lan, network: 10.0.0.0/24}}
groups:
  web: {nodes: [n1, n2], resources: {data: {type: zpool, pool: web}, zone: {type: zone, zone: z, config: z.cfg}}}
  db: {nodes: [n1, n2], resources: {data: {type: zpool, pool: db}}}
"""
NOTHING = Diff((), (), (), (), (), ())


def read(text: str, config: str = "create\n") -> Cluster:
    types: Mapping[str, type] = {"zpool": Pool, "zone": Zone}
    return parse(text, name="c.yaml", types=types, files={"z.cfg": config})


def test_a_comment_and_another_order_of_keys_change_nothing() -> None:
    other = "# new\n" + TEXT.replace("data: {type: zpool, pool: web}, ", "").replace(
        "config: z.cfg}}", "config: z.cfg}, data: {pool: web, type: zpool}}")
    assert diff(read(TEXT), read(other)) == NOTHING
    assert str(diff(read(TEXT), read(other))) == "nothing changed"


@pytest.mark.parametrize(("old", "new", "field", "names"), [
    ("pool: db", "pool: db2", "changed", ("db",)),
    ("  db:", "  db2:", "added", ("db2",)),
    ("  db:", "  db2:", "removed", ("db",)),
    ("db: {nodes: [n1, n2]", "db: {nodes: [n2, n1]", "preference", ("db",)),
    ("db: {nodes", "db: {failback: automatic, nodes", "preference", ("db",)),
    ("groups:", "recovery: {window: 2h}\ngroups:", "live", ("recovery",)),
    ("10.0.0.2", "10.0.0.3", "fixed", ("nodes",)),
    ("type: lan,", "type: lan, port: 9,", "fixed", ("links",)),
    ("groups:", "timing: {timeout: 3s}\ngroups:", "fixed", ("timing",)),
    ("groups:", "quorum: {holders: {d: {type: disk, device: /dev/x}}}\ngroups:", "live", ("quorum",)),
    ("[10.0.0.2]}", "[10.0.0.2], votes: 0}", "live", ("votes",)),
    ("shop", "shop2", "fixed", ("cluster",)),
])
def test_a_change_is_found_where_it_is(old: str, new: str, field: str, names: tuple) -> None:
    found = diff(read(TEXT), read(TEXT.replace(old, new)))
    assert getattr(found, field) == names
    assert not found.empty


def test_a_changed_file_changes_the_group_that_names_it_only() -> None:
    assert diff(read(TEXT), read(TEXT, "create -b\n")) == Diff((), (), ("web",), (), (), ())
