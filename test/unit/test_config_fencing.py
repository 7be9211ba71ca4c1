"""The section `fence`: what it reads as, what is wrong with it and where, what it protects from."""
from typing import List

import pytest

from sundog.config.diff import diff
from sundog.config.fencing import Agent, Ipmi, Manual, Redfish, name_of, protection
from sundog.config.load import Reading, examine
from sundog.config.model import FenceLevel
from sundog.config.scsi import Scsi, all_disks, disks_of, unnamed

TEXT = """cluster: shop
nodes:
  n1: {addresses: [10.0.0.1]}
  n2: {addresses: [10.0.0.2]}
  n3: {addresses: [10.0.0.3]}
links: {public: {type: lan, network: 10.0.0.0/24}}
fence:
  n1: [{type: ipmi, address: 10.9.0.1, user: sundog, password_file: /etc/sundog/bmc, cipher: 3}, {type: manual}]
  n2:
    - {type: redfish, address: 10.9.0.2, user: sundog, password_file: /etc/sundog/bmc, certificate: unchecked,
       timeout: 5s, delay: 1s, after: stay-off}
    - {type: agent, agent: fence_apc, options: {ip: 10.9.0.9, plug: 2}}
groups:
  web: {nodes: [n1, n2], resources: {data: {type: zpool, pool: tank}}}
"""


def read(text: str) -> Reading:
    from sundog.resource import parameters
    return examine(text, name="f", types=parameters(), fetch=lambda name: "")


def errors(text: str) -> List[str]:
    return [f"{p.mark.line}:{p.mark.column}: {p.text}; {p.remedy}" for p in read(text).problems
            if p.severity == "error"]


def test_levels_read_as_they_are_written_in_their_order() -> None:
    cluster = read(TEXT).cluster
    assert cluster is not None
    assert cluster.fence["n1"] == (
        FenceLevel("ipmi", Ipmi("10.9.0.1", "sundog", "/etc/sundog/bmc", 3)), FenceLevel("manual", Manual()))
    assert cluster.fence["n2"] == (
        FenceLevel("redfish", Redfish("10.9.0.2", "sundog", "/etc/sundog/bmc", "unchecked"), 5.0, 1.0, "stay-off"),
        FenceLevel("agent", Agent("fence_apc", (("ip", "10.9.0.9"), ("plug", "2")))))
    assert cluster.recovery.fencing == "required"
    assert len({level for levels in cluster.fence.values() for level in levels}) == 4, "levels are hashable"


@pytest.mark.parametrize(("old", "new", "place", "what"), [
    ("  n1: [{", "  n4: [{", "8:3", "fence names node 'n4', which there is not"),
    ("type: ipmi", "type: ipmy", "8:15", "did you mean 'ipmi'?"),
    ("type: manual", "type: scsi", "8:98", "fence.n1 has no 'disks'"),
    ("type: manual", "type: scsi, disks: []", "8:118", "is an empty list"),
    ("type: manual", "type: scsi, disks: [c0t3d0s2]", "8:119", "it does not begin with '/'"),
    ("type: manual", "type: scsi, method: kill, disks: [/dev/rdsk/c0t3d0s2]", "8:119", "write preempt-abort"),
    ("type: manual", "type: scsi, after: start, disks: [/dev/rdsk/c0t3d0s2]", "8:111", "unknown key 'after'"),
    ("type: manual", "type: scsi, disks: [/dev/rdsk/c0t3d0s2, /dev/dsk/c0t3d0s0]", "8:139", "is there twice"),
    ("cipher: 3}, {type: manual}", "cipher: 18}]  #", "8:94", "write a whole number from 1 to 17"),
    ("cipher: 3", "after: reboot", "8:93", "write start or stay-off"),
    ("cipher: 3", "after: on", "8:93", "put the word in quotes"),
    ("cipher: 3", "password: x", "8:86", "unknown key 'password' in fence.n1; did you mean 'password_file'?"),
    ("certificate: unchecked,", "", "10:7", "fence.n2 has no 'certificate'"),
    ("certificate: unchecked", "certificate: bmc.pem", "10:101", "it does not begin with '/'"),
    ("address: 10.9.0.2", "address: bmc2", "10:32", "it is neither IPv4 nor IPv6"),
    ("fence_apc", "/usr/sbin/fence_apc", "12:28", "by its name without a directory"),
    ("plug: 2", "passwd: 2", "12:63", "would put a secret into the configuration"),
    ("plug: 2", "action: reboot", "12:63", "is said by Sundog itself"),
    ("timeout: 5s", "timeout: 11m", "11:17", "from 1s to 10m"),
    ("delay: 1s", "delay: 2m", "11:28", "at most 1m"),
])
def test_a_mistake_is_said_at_its_place(old: str, new: str, place: str, what: str) -> None:
    assert old in TEXT
    found = errors(TEXT.replace(old, new, 1))
    assert [line for line in found if line.startswith(place + ":") and what in line], found


def test_one_device_for_two_nodes_is_an_error_and_manual_comes_last() -> None:
    twice = TEXT.replace("{type: manual}", "{type: manual}, {type: ipmi, address: 10.9.0.1, user: a, "
                         "password_file: /p}").replace("type: redfish, address: 10.9.0.2, user: sundog, "
                         "password_file: /etc/sundog/bmc, certificate: unchecked", "type: ipmi, address: 10.9.0.1, "
                         "user: sundog, password_file: /p")
    said = "\n".join(errors(twice))
    assert "device 10.9.0.1 of node n2 is node n1's already" in said and "manual is not the last" in said


def test_an_operator_alone_is_worth_a_thought() -> None:
    problems = read(TEXT.replace("{type: ipmi, address: 10.9.0.1, user: sundog, password_file: /etc/sundog/bmc, "
                                 "cipher: 3}, ", "")).problems
    assert [p.text for p in problems if p.severity == "warning" and "sundog fence confirm n1" in p.text]


def test_shared_disks_are_a_level_like_others() -> None:
    text = TEXT.replace("{type: manual}", "{type: scsi, disks: [/dev/rdsk/c0t3d0s2, /dev/rdsk/c0t4d0s2]}")
    cluster = read(text).cluster
    assert cluster is not None
    level = cluster.fence["n1"][1]
    assert level == FenceLevel("scsi", Scsi(("/dev/rdsk/c0t3d0s2", "/dev/rdsk/c0t4d0s2"), "shop"))
    assert name_of(level) == "scsi c0t3d0, c0t4d0" and hash(level)
    assert disks_of(cluster, "n1") == all_disks(cluster) == level.params.disks and disks_of(cluster, "n2") == ()
    told = protection(cluster)[0]
    assert "only when its lease is over and its key is off these disks, or it is known to be off" in told
    assert "name those of all its pools" in told and "method preempt" not in told
    plain = read(text.replace("type: scsi,", "type: scsi, method: preempt,")).cluster
    assert plain is not None and "may still carry out" in protection(plain)[0]


def test_a_pools_disk_that_a_level_does_not_name_is_found() -> None:
    both = TEXT.replace("{type: manual}", "{type: scsi, disks: [/dev/rdsk/c0t3d0s2, /dev/rdsk/c0t4d0s2]}, {type: scsi, "
                        "disks: [/dev/rdsk/c0t3d0s2]}")
    cluster = read(both).cluster
    assert cluster is not None
    assert unnamed(cluster, "n1", ("c0t3d0", "c0t4d0s0", "c0t5d0")) == ["c0t4d0s0", "c0t5d0"]
    assert unnamed(cluster, "n2", ("c0t5d0",)) == []


@pytest.mark.parametrize(("section", "name"), [
    ("quorum: {holders: {d1: {type: disk, device: /dev/rdsk/c0t3d0s6}}}", "quorum.holders.d1"),
    ("links: {l1: {type: disk, device: /dev/rdsk/c0t3d0s6}, public:", "links.l1")])
def test_a_disk_that_votes_or_beats_must_be_writable_without_a_key(section: str, name: str) -> None:
    text = TEXT.replace("{type: manual}", "{type: scsi, disks: [/dev/rdsk/c0t3d0s2]}")
    text = text.replace("links: {public:", section) if section.startswith("links") else \
        text.replace("links:", section + "\nlinks:")
    assert [line for line in errors(text) if f"/dev/rdsk/c0t3d0s2 is on the disk of {name}" in line], errors(text)


def risks(text: str) -> List[str]:
    return [p.text for p in read(text).problems if p.severity == "risk" and "pool" in p.text]


def test_a_pool_is_at_risk_where_a_node_has_no_device_or_need_not_wait_for_it() -> None:
    assert risks(TEXT) == []
    assert "on n3 without a fence device" in risks(TEXT.replace("[n1, n2]", "[n1, n3]"))[0]
    assert "required" in risks(TEXT.replace("links:", "recovery: {fencing: tried}\nlinks:"))[0]


def test_it_is_said_for_each_node_what_fencing_protects_from() -> None:
    cluster = read(TEXT).cluster
    assert cluster is not None
    first, second, third = protection(cluster)
    assert first.startswith("node n1: ipmi 10.9.0.1, then manual; its groups start elsewhere only when it is known")
    assert "redfish 10.9.0.2, then fence_apc 10.9.0.9" in second
    assert third.startswith("node n3: no fence device; it resets itself")


def test_devices_change_while_the_cluster_runs() -> None:
    old, new = read(TEXT).cluster, read(TEXT.replace("cipher: 3", "cipher: 17")).cluster
    assert old is not None and new is not None
    change = diff(old, new)
    assert change.live == ("fence",) and not change.fixed
