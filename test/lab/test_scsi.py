"""Nodes are kept from real disks: sg_persist of sg3-utils, iSCSI, and the persistent reservations of tgtd.

tgtd knows no PREEMPT AND ABORT, so all but one of these tests have `method: preempt`.
"""
import json
import re
from pathlib import Path
from typing import Any, Dict, Iterator, List, Set

import pytest
import yaml

from lab.site import COORDINATOR, FAILFAST, Site, layout
from lab.test_fencing import PASSWORD
from lab.test_voters import quorum
from lab.two_hosts import FSYNCED, write_fsynced
from sundog.config.scsi import key
from sunlab.lab import CommandFailed, Lab

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900), pytest.mark.xdist_group("scsi")]

NODES = ("n1", "n2", "n3")
NET = 88
#: Seconds; a busy machine boots three nodes slowly.
PATIENCE_S = 180.0
POOL, OTHER = "c0t3d0s0", "c0t4d0s0"
DISKS = [f"/dev/rdsk/{POOL}", f"/dev/rdsk/{OTHER}"]
KEYS = {node: key("site", node) for node in NODES}
MANUAL = {"type": "manual"}


def scsi(**more: Any) -> Dict[str, Any]:
    return {"type": "scsi", "disks": DISKS, "method": "preempt", "timeout": "8s", **more}


def described(folder: Path, levels: List[Dict[str, Any]], bmc: bool) -> Path:
    """A lab of three nodes, an array with two disks, a pool on one of them, these levels for each node."""
    disks = {disk: {"size": "64M", "array": "san"} for disk in (POOL, OTHER)}
    file = layout(folder, "scs", NET, NODES, disks=disks)
    lab = json.loads(file.read_text())
    lab["clients"] = {"san": {"addresses": {"private": f"192.168.{NET}.60/24"}}}
    own: Dict[str, List[Dict[str, Any]]] = {node: list(levels) for node in NODES}
    if bmc:
        (folder / "bmc").write_text("s3cret\n")
        lab["files"][PASSWORD] = {"from": "bmc", "mode": "0600"}
        for number, node in enumerate(NODES, 1):
            address = f"192.168.{NET}.10{number}"
            lab["nodes"][node]["bmc"] = {"address": {"private": f"{address}/24"}, "password": "s3cret"}
            own[node].append({"type": "ipmi", "address": address, "user": "admin", "password_file": PASSWORD,
                              "cipher": 3, "timeout": "10s"})
    file.write_text(json.dumps(lab))
    cluster = yaml.safe_load((folder / "cluster.yaml").read_text())
    cluster["fence"] = own
    cluster["groups"]["tcp"]["resources"]["data"] = {"type": "zpool", "pool": "tank"}
    # JSON is YAML too.
    (folder / "cluster.yaml").write_text(json.dumps(cluster))
    return file


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Any]:
    labs: List[Lab] = []

    def up(*levels: Dict[str, Any], bmc: bool = False, owned: bool = True) -> Site:
        """`owned`: wait until the group runs on n1."""
        lab = Lab.up(described(tmp_path, list(levels), bmc))
        labs.append(lab)
        for node in NODES:
            lab.wait_booted(node, PATIENCE_S)
        site = Site(lab, NODES)
        site.sh("n1", f"zpool create -f -o cachefile=none tank /dev/dsk/{POOL} && zpool export tank")
        if not owned:
            site.start("n2", "n3")
            return site
        site.start_led_by_others("n1", PATIENCE_S)
        # Until then no other node's death is survived.
        site.until("every node votes", lambda: everybody_votes(site), PATIENCE_S)
        site.until("every disk is reserved", lambda: all(reserved(site, disk) for disk in DISKS), PATIENCE_S)
        site.bring("n1", "n2", PATIENCE_S)
        return site

    try:
        yield up
    finally:
        for lab in labs:
            lab.down()


def everybody_votes(site: Site) -> bool:
    holders = quorum(site, "n2").get("holders", {})
    return len(holders) == len(NODES) and all(one["state"] == "answers" for one in holders.values())


def keys(site: Site, disk: str, ask: str = "n2") -> Set[int]:
    text = site.sh(ask, f"sg_persist --no-inquiry --in --read-keys {disk}", check=False)
    return {int(one, 16) for one in re.findall(r"^ +0x([0-9a-f]+)$", text, re.MULTILINE)}


def reserved(site: Site, disk: str) -> bool:
    text = site.sh("n2", f"sg_persist --no-inquiry --in --read-reservation {disk}", check=False)
    return "type: Write Exclusive, registrants only" in text


def told(site: Site, code: str) -> List[str]:
    """What the journals have under a code."""
    found = []
    for node in NODES:
        lines = [json.loads(line) for line in site.sh(node, "cat /var/sundog/journal", check=False).splitlines()]
        found += [line["text"] for line in lines if line["code"] == code]
    return found


def why(site: Site) -> str:
    return str(site.status("n2").get("groups", {}).get("tcp", {}).get("why", ""))


def elsewhere(site: Site) -> bool:
    return site.owner("n2") in ("n2", "n3")


def refusal(site: Site, line: str) -> str:
    """What n1 says when it does not do it."""
    with pytest.raises(CommandFailed) as raised:
        site.lab.exec("n1", ["/bin/sh", "-c", line], timeout=30)
    return str(raised.value.stderr) + str(raised.value.stdout)


def test_a_dead_owner_loses_its_keys_before_its_pool_is_taken_and_gets_them_back_when_it_boots(make: Any) -> None:
    site = make(scsi(), MANUAL)
    assert all(keys(site, disk) == set(KEYS.values()) for disk in DISKS)
    tested = json.loads(site.sh("n2", "sundog fence test n1 --json"))
    assert [one["state"] for one in tested["n1"]] == ["on", "operator"]
    write_fsynced(site.lab, "n1", "/tank/order", "paid")
    site.lab.kill("n1")
    site.until("the group is online elsewhere", lambda: elsewhere(site), PATIENCE_S)
    assert all(keys(site, disk) == {KEYS["n2"], KEYS["n3"]} and reserved(site, disk) for disk in DISKS)
    assert ["took its key off every disk" in text for text in told(site, "FENCED")] == [True]
    assert "n1 is kept from its disks" in why(site)
    assert site.sh(str(site.owner("n2")), "cat /tank/order") == "paid"
    site.lab.boot("n1")
    site.lab.wait_booted("n1", PATIENCE_S)
    site.start("n1")
    site.until("n1 has its keys again", lambda: all(KEYS["n1"] in keys(site, disk) for disk in DISKS), PATIENCE_S)
    site.sh("n2", "sundog group online tcp --node n1")
    site.until("the group is online on n1", lambda: site.owner("n2") == "n1", PATIENCE_S)


def test_an_idle_node_whose_power_is_cut_writes_again_after_its_next_boot(make: Any) -> None:
    site = make(scsi(), MANUAL)
    idle = "n3" if site.status("n1").get("leader") == "n2" else "n2"
    ask = "n2" if idle == "n3" else "n3"
    site.lab.kill(idle)
    site.until("it is out", lambda: site.status(ask)["nodes"][idle]["state"] == "out", PATIENCE_S)
    site.lab.boot(idle)
    site.lab.wait_booted(idle, PATIENCE_S)
    site.until("it is back", lambda: site.status(idle).get("lease_s"), PATIENCE_S)
    site.sh(ask, f"sundog group online tcp --node {idle}")
    site.until("the group is online there", lambda: site.owner(ask) == idle, PATIENCE_S)
    write_fsynced(site.lab, idle, "/tank/order", "paid")


def test_an_owner_that_nothing_can_reset_is_refused_by_the_disks_when_it_goes_on(make: Any) -> None:
    site = make(scsi(), MANUAL)
    first = site.lab.init_pids()["n1"]
    # What would reset it is stalled: only the disks are left.
    stalled = "svcs -Hp svc:/system/sundog/failfast:default svc:/system/sundog/coordinator:default | " \
              "awk '$2 ~ /^[0-9]+$/ {print $2}'"
    site.sh("n1", f"kill -STOP $({stalled})")
    site.lab.freeze("n1")
    site.until("the group is online elsewhere", lambda: elsewhere(site), PATIENCE_S)
    owner = str(site.owner("n2"))
    write_fsynced(site.lab, owner, "/tank/order", "new")
    site.lab.thaw("n1")
    assert site.lab.init_pids()["n1"] == first
    write = f"dd if=/dev/zero of=/dev/rdsk/{OTHER} bs=512 seek=64 count=1 conv=notrunc oflag=direct"
    assert "Permission denied" in refusal(site, write)
    command = f"head -c 512 /dev/zero > /tmp/zero; sg_raw -s 512 -i /tmp/zero /dev/rdsk/{POOL} " \
              "2a 00 00 00 00 40 00 00 01 00"
    # What has happened to it is told once, in place of an answer.
    assert "Reservations preempted" in refusal(site, command)
    assert "Reservation Conflict" in refusal(site, command)
    site.sh("n1", f"dd if=/dev/rdsk/{OTHER} of=/dev/null bs=512 count=1")
    site.sh(owner, write)
    with site.lab.popen("n1", ["/usr/bin/python3", "-IS", "-c", FSYNCED, "/tank/order", "old"]):
        site.until("n1's pool has failed", lambda: "faulted in response to IO failures" in
                   site.sh("n1", "zpool status tank", check=False), PATIENCE_S)
        site.lab.kill("n1")
    assert site.sh(owner, "cat /tank/order; zpool scrub tank") == "new"
    site.until("it is scrubbed", lambda: "with 0 errors" in site.sh(owner, "zpool status tank"), PATIENCE_S)


def test_a_barred_owner_that_goes_on_resets_itself_and_comes_back(make: Any) -> None:
    site = make(scsi(), MANUAL)
    first = site.lab.init_pids()["n1"]
    site.lab.freeze("n1")
    site.until("the group is online elsewhere", lambda: elsewhere(site), PATIENCE_S)
    site.lab.thaw("n1")
    site.until("n1 has reset itself", lambda: site.lab.init_pids().get("n1", first) != first, PATIENCE_S)
    site.until("n1 has its keys again", lambda: all(KEYS["n1"] in keys(site, disk) for disk in DISKS), PATIENCE_S)


def test_groups_wait_while_one_of_the_disks_is_out_of_reach(make: Any) -> None:
    site = make(scsi(), MANUAL)
    for node in ("n2", "n3"):
        site.lab.disk(node, OTHER, "fail")
    site.lab.kill("n1")
    site.until("it is said why", lambda: f"/dev/rdsk/{OTHER}" in why(site), PATIENCE_S)
    assert why(site).startswith("waits for fencing of n1") and not told(site, "FENCED")
    assert site.status("n2")["groups"]["tcp"]["owner"] == "n1"
    for node in ("n2", "n3"):
        site.lab.disk(node, OTHER, "ok")
    site.until("the group is online elsewhere", lambda: elsewhere(site), PATIENCE_S)
    assert KEYS["n1"] not in keys(site, DISKS[0]) | keys(site, DISKS[1])


def test_where_the_disks_fail_the_next_level_is_tried(make: Any) -> None:
    site = make(scsi(), bmc=True)
    for node in ("n2", "n3"):
        site.lab.disk(node, OTHER, "fail")
    first = site.lab.init_pids()["n1"]
    site.lab.freeze("n1")
    site.until("the group is online elsewhere", lambda: elsewhere(site), PATIENCE_S)
    assert site.lab.init_pids().get("n1") != first
    assert f"/dev/rdsk/{OTHER}" in told(site, "FENCE-LEVEL")[0] and "says so" in told(site, "FENCED")[0]


def test_an_array_without_preempt_and_abort_is_told_and_proves_nothing(make: Any) -> None:
    site = make(scsi(method="preempt-abort"), MANUAL)
    site.lab.kill("n1")
    site.until("it is said why", lambda: "does not know preempt-abort" in why(site), PATIENCE_S)
    assert all(KEYS["n1"] in keys(site, disk) for disk in DISKS)


def test_an_operator_fences_a_living_node_which_resets_itself_and_comes_back(make: Any) -> None:
    site = make(scsi(), MANUAL)
    first = site.lab.init_pids()["n1"]
    assert "is being fenced" in site.sh("n3", "sundog fence n1 --yes")
    site.until("the group is online elsewhere", lambda: elsewhere(site), PATIENCE_S)
    assert not told(site, "FENCE-WRONG")
    site.until("n1 has reset itself", lambda: site.lab.init_pids().get("n1", first) != first, PATIENCE_S)
    site.lab.wait_booted("n1", PATIENCE_S)
    site.until("n1 has its keys again", lambda: all(KEYS["n1"] in keys(site, disk) for disk in DISKS), PATIENCE_S)
    assert site.state("n2", COORDINATOR) == site.state("n2", FAILFAST) == "online"


def test_a_node_is_not_fit_for_a_pool_on_a_disk_that_its_fence_does_not_name(make: Any) -> None:
    site = make(scsi(disks=DISKS[1:]), MANUAL, owned=False)
    said = f"pool tank is on {POOL}, which the fence of n3 by scsi does not name"
    site.until("it is said", lambda: said in site.sh("n2", "sundog explain tcp", check=False), PATIENCE_S)
