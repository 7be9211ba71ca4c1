"""Nodes are switched off by real controllers: ipmitool, Redfish, a ClusterLabs agent and an operator's word."""
import json
from pathlib import Path
from typing import Any, Dict, Iterator, List

import pytest
import yaml

from lab.site import COORDINATOR, FAILFAST, Site, layout
from sunlab.lab import Lab

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900), pytest.mark.xdist_group("fencing")]

NODES = ("n1", "n2", "n3")
NET = 87
#: Seconds; a busy machine boots three nodes slowly.
PATIENCE_S = 180.0
PASSWORD = "/etc/sundog/bmc"


def bmc(node: str) -> str:
    return f"172.31.{NET}.{node[1:]}"


def ipmi(node: str) -> Dict[str, Any]:
    return {"type": "ipmi", "address": bmc(node), "user": "admin", "password_file": PASSWORD, "cipher": 3,
            "timeout": "10s"}


def redfish(node: str) -> Dict[str, Any]:
    return {"type": "redfish", "address": bmc(node), "user": "admin", "password_file": PASSWORD,
            "certificate": "unchecked"}


def agent(node: str) -> Dict[str, Any]:
    options = {"ip": bmc(node), "username": "admin", "lanplus": "1", "cipher": "3"}
    return {"type": "agent", "agent": "fence_ipmilan", "options": options, "password_file": PASSWORD, "timeout": "30s"}


MANUAL = {"type": "manual"}


def fenced(folder: Path, levels: Dict[str, List[Dict[str, Any]]], second: bool = False) -> Path:
    """A lab of three nodes with controllers on a network of their own, and these levels; perhaps a second group."""
    file = layout(folder, "fen", NET, NODES)
    lab = json.loads(file.read_text())
    lab["networks"]["admin"] = {"subnet": f"172.31.{NET}.0/24"}
    for node in NODES:
        lab["nodes"][node]["addresses"]["admin"] = f"172.31.{NET}.10{node[1:]}/24"
        lab["nodes"][node]["bmc"] = {"address": {"admin": f"{bmc(node)}/24"}, "password": "s3cret"}
    (folder / "bmc").write_text("s3cret\n")
    lab["files"][PASSWORD] = {"from": "bmc", "mode": "0600"}
    file.write_text(json.dumps(lab))
    cluster = yaml.safe_load((folder / "cluster.yaml").read_text())
    cluster["fence"] = levels
    if second:
        cluster["groups"]["other"] = {"nodes": ["n2", "n3"], "resources": {
            "server": {"type": "exec", "start": "/usr/bin/sleep 100000 &"}}}
    # JSON is YAML too.
    (folder / "cluster.yaml").write_text(json.dumps(cluster))
    return file


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Any]:
    labs: List[Lab] = []

    def up(levels: Dict[str, List[Dict[str, Any]]], second: bool = False) -> Site:
        lab = Lab.up(fenced(tmp_path, levels, second))
        labs.append(lab)
        for node in NODES:
            lab.wait_booted(node, PATIENCE_S)
        site = Site(lab, NODES)
        site.start_led_by_others("n1", PATIENCE_S)
        site.bring("n1", "n2", PATIENCE_S)
        return site

    try:
        yield up
    finally:
        for lab in labs:
            lab.down()


def said(site: Site, code: str) -> List[str]:
    """What the journals of n2 and n3 have under a code."""
    found = []
    for node in ("n2", "n3"):
        lines = [json.loads(line) for line in site.sh(node, "cat /var/sundog/journal", check=False).splitlines()]
        found += [line["text"] for line in lines if line["code"] == code]
    return found


def group(site: Site, name: str) -> Dict[str, Any]:
    """What n2 knows of a group; nothing while it does not answer."""
    return dict(site.status("n2").get("groups", {}).get(name, {}))


@pytest.mark.parametrize("level", [ipmi, redfish, agent], ids=["ipmi", "redfish", "agent"])
def test_a_node_that_hangs_is_switched_off_by_its_peer_and_its_groups_come_up(make: Any, level: Any) -> None:
    site = make({node: [level(node), MANUAL] for node in NODES})
    first = site.lab.init_pids()["n1"]
    tested = json.loads(site.sh("n2", "sundog fence test n1 --json"))
    assert [one["state"] for one in tested["n1"]] == ["on", "operator"]
    # Paused, it cannot reset itself: only its controller can end it.
    site.lab.freeze("n1")
    site.until("the group is online elsewhere", lambda: site.owner("n2") in ("n2", "n3"), PATIENCE_S)
    assert len(said(site, "FENCED")) == 1 and "says so" in said(site, "FENCED")[0]
    site.until("n1 is on again", lambda: site.lab.init_pids().get("n1", first) != first, PATIENCE_S)


def test_a_node_without_networks_is_off_before_its_groups_start(make: Any) -> None:
    site = make({node: [ipmi(node)] for node in NODES})
    first = site.lab.init_pids()["n1"]
    for interface in ("net0", "net1", "net2"):
        site.lab.unplug("n1", interface)
    site.until("the group is online elsewhere", lambda: site.owner("n2") in ("n2", "n3"), PATIENCE_S)
    assert site.lab.init_pids().get("n1") != first
    assert len(said(site, "FENCED")) == 1


def test_without_its_plug_a_node_holds_its_groups_until_an_operator_confirms(make: Any) -> None:
    site = make({node: [ipmi(node), MANUAL] for node in NODES}, second=True)
    assert "is heard" in site.sh("n2", "sundog fence confirm n1 --yes 2>&1; true")
    site.lab.kill("n1", plug=True)
    waits = "waits for fencing of n1: ipmi"
    site.until("it is said why", lambda: waits in group(site, "tcp").get("why", ""), PATIENCE_S)
    assert "sundog fence confirm n1" in site.sh("n2", "sundog explain tcp")
    assert group(site, "tcp")["owner"] == "n1"
    # The others go on meanwhile.
    site.sh("n3", "sundog group move other")
    site.sh("n2", "sundog fence confirm n1 --yes")
    site.until("the group is online elsewhere", lambda: site.owner("n2") in ("n2", "n3"), PATIENCE_S)
    assert "an operator confirmed it" in group(site, "tcp")["why"]
    site.sh("n2", "sundog fence test n1; test $? = 1")
    assert " not answer " in site.status("n2")["fence"]["n1"][0]["error"]


def test_a_controller_that_hangs_delays_nobody_else(make: Any) -> None:
    """n1's controller takes connections and says nothing; the group of a hanging n1 waits, others move meanwhile."""
    hangs = {**redfish("n1"), "address": f"172.31.{NET}.103", "port": 8443, "timeout": "60s"}
    site = make({"n1": [hangs, ipmi("n1")], "n2": [ipmi("n2")], "n3": [ipmi("n3")]}, second=True)
    site.sh("n3", "socat TCP-LISTEN:8443,fork,reuseaddr EXEC:'sleep 300' > /dev/null 2>&1 < /dev/null &")
    site.until("the other group is online", lambda: group(site, "other").get("state") == "online", PATIENCE_S)
    site.lab.freeze("n1")
    site.until("its fencing has begun", lambda: said(site, "FENCING"), PATIENCE_S)
    before = group(site, "other")["owner"]
    for _ in range(3):
        site.sh("n3", "sundog group move other")
    assert group(site, "other")["owner"] != before
    assert site.status("n2")["lease_s"] and site.status("n3")["lease_s"]
    assert group(site, "tcp")["owner"] == "n1" and not said(site, "FENCED")


def test_a_password_file_that_others_can_read_is_not_used(make: Any) -> None:
    site = make({node: [ipmi(node)] for node in NODES})
    site.sh("n2", f"chmod 644 {PASSWORD}")
    assert f"chmod 600 {PASSWORD}" in site.sh("n2", "sundog fence test n1; true")
    assert f"chmod 600 {PASSWORD}" in site.sh("n2", "sundog check /etc/sundog/cluster.yaml --here; true")


def test_an_operator_switches_a_node_off(make: Any) -> None:
    site = make({node: [{**ipmi(node), "after": "stay-off"}] for node in NODES})
    assert "is being fenced" in site.sh("n3", "sundog fence n1 --yes")
    site.until("the group is online elsewhere", lambda: site.owner("n2") in ("n2", "n3"), PATIENCE_S)
    assert "n1" not in site.lab.init_pids()
    assert site.state("n2", COORDINATOR) == site.state("n2", FAILFAST) == "online"
