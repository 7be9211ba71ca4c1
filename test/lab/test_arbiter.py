"""Two hosts whose ping arbiter's target is a lab client (rule 9): a dead peer, an isolated host, a cut between them."""
import json
from pathlib import Path
from typing import Any, Dict, Iterator

import pytest

from lab.site import Site, layout
from sunlab.lab import Lab

pytestmark = [pytest.mark.lab, pytest.mark.timeout(360)]

NODES = ("n1", "n2")
GATEWAY = "10.93.0.254"
QUORUM = f"quorum: {{arbiter: ping, targets: [{GATEWAY}]}}"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with Lab.up(laid_out(tmp_path, "arb")) as lab:
        yield begun(lab)


@pytest.fixture
def one_link(tmp_path: Path) -> Iterator[Site]:
    """The network of the clients carries no heartbeat."""
    place = laid_out(tmp_path, "arl")
    cluster = tmp_path / "cluster.yaml"
    public = "  public:  {type: lan, network: 10.93.0.0/24}\n"
    text = cluster.read_text()
    assert public in text
    cluster.write_text(text.replace(public, "networks: {public: 10.93.0.0/24}\n"))
    with Lab.up(place) as lab:
        yield begun(lab)


def laid_out(folder: Path, name: str) -> Path:
    place = layout(folder, name, 93, NODES, quorum=QUORUM)
    lab_file = json.loads(place.read_text())
    lab_file["clients"] = {"gateway": {"addresses": {"public": f"{GATEWAY}/24"}}}
    place.write_text(json.dumps(lab_file))
    return place


def begun(lab: Lab) -> Site:
    for node in NODES:
        lab.wait_booted(node, 60)
    site = Site(lab, NODES)
    site.start()
    site.until("the group is online on n1", lambda: site.owner("n2") == "n1", 90)
    site.until("both have votes", lambda: votes(site, "n1") == {"arbiter", "n1", "n2"}, 60)
    return site


def quorum(site: Site, node: str) -> Dict[str, Any]:
    text = site.sh(node, "sundog quorum status --json", check=False)
    return dict(json.loads(text)) if text.startswith("{") else {}


def votes(site: Site, node: str) -> "set[str]":
    return {name for name, one in quorum(site, node).get("holders", {}).items() if one["votes"] and one["life"]}


def arbiter(site: Site, node: str) -> str:
    return str(quorum(site, node).get("holders", {}).get("arbiter", {}).get("state", ""))


def log(site: Site, node: str) -> str:
    return site.sh(node, "sundog log --json --lines 500", check=False)


def test_the_survivor_of_two_takes_over_by_its_target_and_takes_the_other_in_again(site: Site) -> None:
    assert arbiter(site, "n2") == f"stands by: {GATEWAY} answers"
    assert f"arbiter: {GATEWAY} answers; 1 must answer" in site.sh("n2", "sundog status")
    site.lab.kill("n1")
    site.until("n2 has the group", lambda: site.owner("n2") == "n2", 60)
    assert arbiter(site, "n2") == "votes in place of n1"
    site.lab.boot("n1")
    site.lab.wait_booted("n1", 60)
    site.until("the arbiter stands by again", lambda: arbiter(site, "n2").startswith("stands by"), 60)
    assert site.owner("n1") == "n2"


def test_the_host_that_is_cut_off_resets_itself_and_the_other_takes_over(site: Site) -> None:
    boot, survivor = site.status("n1")["nodes"]["n1"]["boot_id"], site.pid("n2")
    site.lab.cut("n1")
    site.until("n2 has the group", lambda: site.owner("n2") == "n2", 60)
    site.lab.heal()
    site.lab.wait_booted("n1", 60)
    site.until("n1 has booted again and is in the cluster",
               lambda: site.status("n2").get("nodes", {}).get("n1", {}).get("boot_id", "") not in ("", boot), 60)
    site.until("n1 sees the group on n2", lambda: site.owner("n1") == "n2", 60)
    assert site.pid("n2") == survivor, log(site, "n2")


def test_two_hosts_cut_from_each_other_alone_come_to_one_owner_after_healing(site: Site) -> None:
    """Over the network where both reach the gateway they do not hear each other: both carry on, and one gives way."""
    site.lab.cut("n1", None, "n2")
    site.until("n2 leads alone", lambda: site.status("n2").get("leader") == "n2", 60)
    site.until("n1 leads alone", lambda: "votes in place of n2" in arbiter(site, "n1"), 60)
    site.until("n2 has decided about the group", lambda: "NODE-DOWN" in log(site, "n2"), 60)
    site.lab.heal()
    site.until("n2 gives way", lambda: "GAVE-WAY" in log(site, "n2"), 60)
    site.until("both agree", lambda: votes(site, "n1") == {"arbiter", "n1", "n2"}
               and site.status("n1").get("leader") == site.status("n2").get("leader") == "n1"
               and quorum(site, "n2").get("this_node", {}).get("votes"), 90)
    if "DOUBLE-OWNER" in log(site, "n1"):
        site.until("the group waits for an operator", lambda: site.status("n2")["groups"]["tcp"]["wanted"] == "offline")
        site.sh("n2", "sundog group online tcp")
    site.until("one owner", lambda: site.owner("n1") == site.owner("n2") is not None, 60)
    assert site.sh("n2", "ls /var/sundog/ledger.forked").strip()


def test_what_still_answers_is_not_taken_over(one_link: Site) -> None:
    site = one_link
    site.lab.cut("n1", "private")
    site.until("n2 waits for what answers", lambda: "10.93.0.100 of tcp still answers on the LAN: n1 may be alive" in
               site.sh("n2", "sundog explain tcp", check=False), 60)
    site.until("n1 carries on as well", lambda: arbiter(site, "n1") == "votes in place of n2", 60)
    site.until("n2 has taken n1 for dead", lambda: "NODE-DOWN" in log(site, "n2"), 60)
    assert site.state("n1", "svc:/system/sundog/group:tcp") == "online"
    assert site.state("n2", "svc:/system/sundog/group:tcp") == "disabled"
    site.lab.heal()
    site.until("n2 gives way", lambda: "GAVE-WAY" in log(site, "n2"), 60)
    site.until("one owner", lambda: site.owner("n1") == site.owner("n2") == "n1", 90)
    assert "DOUBLE-OWNER" not in log(site, "n1") and "GROUP-STARTING" not in log(site, "n2")
