"""Who votes, changed while a group runs; and hosts whose vote file is lost, or put back from an older copy."""
import json
from pathlib import Path
from typing import Any, Dict, Iterator

import pytest

from lab.site import COORDINATOR, Site, layout
from sunlab.lab import Lab

pytestmark = [pytest.mark.lab, pytest.mark.timeout(360)]

NODES = ("n1", "n2", "n3")
DISKS = {"c0t5d0s6": {"size": "8M"}, "c0t6d0s6": {"size": "96M"}}


def quorum(site: Site, node: str) -> Dict[str, Any]:
    text = site.sh(node, "sundog quorum status --json", check=False)
    return dict(json.loads(text)) if text.startswith("{") else {}


def holder(site: Site, node: str, name: str) -> Dict[str, Any]:
    return dict(quorum(site, node).get("holders", {}).get(name, {}))


def codes(site: Site, node: str) -> str:
    return site.sh(node, "sundog log --json --lines 500", check=False)


def change(site: Site, node: str, words: str) -> str:
    """`sundog quorum add` or `remove`, which wait for the change longer than other commands take; all that it says."""
    done = site.lab.exec(node, ["/bin/sh", "-c", f"sundog quorum {words} 2>&1"], check=False, timeout=90)
    return str(done.stdout)


def pid_of_server(site: Site, node: str) -> str:
    return site.sh(node, "svcs -Hp svc:/system/sundog/resource/exec:tcp.server", check=False).split("\n")[1].split()[1]


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Site]:
    with Lab.up(layout(tmp_path, "votes", 84, NODES[:2], disks=DISKS)) as lab:
        yield begun(lab, NODES[:2])


@pytest.fixture
def three(tmp_path: Path) -> Iterator[Site]:
    with Lab.up(layout(tmp_path, "lives", 85, NODES)) as lab:
        yield begun(lab, NODES)


def begun(lab: Lab, nodes: "tuple[str, ...]") -> Site:
    for node in nodes:
        lab.wait_booted(node, 60)
    site = Site(lab, nodes)
    site.start()
    site.until("the group is online on n1", lambda: site.owner(nodes[-1]) == "n1", 90)
    site.until("all have votes", lambda: [one["life"] for one in quorum(site, "n1").get("holders", {}).values()
                                          if one["votes"] and one["life"]][len(nodes) - 1:], 60)
    return site


def test_a_disk_is_added_replaced_and_removed_while_the_group_runs_and_breaks_the_tie_meanwhile(pair: Site) -> None:
    server = pid_of_server(pair, "n1")
    said = change(pair, "n2", "add disk1 --disk /dev/rdsk/c0t5d0s6")
    assert "the vote holders are disk1, n1, n2" in said
    pair.until("the disk answers", lambda: holder(pair, "n1", "disk1").get("state") == "answers")
    assert "disk1" in pair.sh("n1", "cat /etc/sundog/cluster.yaml")
    assert "the vote holders are disk1, disk2, n1, n2" in change(pair, "n2", "add disk2 --disk /dev/rdsk/c0t6d0s6")
    assert "the vote holders are disk2, n1, n2" in change(pair, "n1", "remove disk1")
    pair.until("the new disk answers", lambda: holder(pair, "n1", "disk2").get("state") == "answers")
    assert pid_of_server(pair, "n1") == server
    pair.lab.kill("n1")
    pair.until("the group is online on n2", lambda: pair.owner("n2") == "n2")
    assert "silent: n1" in change(pair, "n2", "remove disk2")
    pair.lab.boot("n1")
    pair.lab.wait_booted("n1", 60)
    pair.until("n1 answers", lambda: holder(pair, "n2", "n1").get("state") == "answers")
    server = pid_of_server(pair, "n2")
    assert "the vote holders are n1, n2" in change(pair, "n1", "remove disk2")
    pair.until("the disk votes no more", lambda: set(quorum(pair, "n2")["holders"]) == {"n1", "n2"})
    assert pair.owner("n1") == "n2" and pid_of_server(pair, "n2") == server


def test_a_node_that_lost_its_vote_file_votes_again_with_a_new_life(three: Site) -> None:
    server = pid_of_server(three, "n1")
    life = holder(three, "n1", "n3")["life"]
    three.sh("n3", f"svcadm disable -s {COORDINATOR}; rm /var/sundog/ledger; svcadm enable {COORDINATOR}")
    new = three.until("n3 is taken in again", lambda: next((
        one["life"] for one in [holder(three, "n1", "n3")] if one.get("life", life) != life
        and one["state"] == "answers"), None))
    assert new.endswith("+")
    assert three.owner("n2") == "n1" and pid_of_server(three, "n1") == server


def test_an_older_vote_file_never_votes_until_it_is_removed(three: Site) -> None:
    server = pid_of_server(three, "n1")
    three.sh("n3", f"svcadm disable -s {COORDINATOR}; cp /var/sundog/ledger /var/sundog/copy; "
                   f"svcadm enable {COORDINATOR}")
    three.until("n3 answers", lambda: holder(three, "n3", "n3").get("state") == "answers")
    three.sh("n3", f"svcadm disable -s {COORDINATOR}; cp /var/sundog/copy /var/sundog/ledger; "
                   f"svcadm enable {COORDINATOR}")
    three.until("n3 says that it is not to be trusted", lambda: "VOTE-DISTRUSTED" in codes(three, "n3"))
    three.until("n3 is silent as a voter", lambda: holder(three, "n1", "n3").get("state") in (
        "silent", "has not answered yet"))
    assert quorum(three, "n3")["this_node"]["votes"] is False
    three.sh("n3", f"svcadm disable -s {COORDINATOR}; rm /var/sundog/ledger; svcadm enable {COORDINATOR}")
    three.until("n3 votes again", lambda: holder(three, "n1", "n3").get("life", "").endswith("+"))
    assert three.owner("n2") == "n1" and pid_of_server(three, "n1") == server


def test_a_partition_is_labelled_only_when_it_holds_nothing_or_what_it_holds_is_named(pair: Site) -> None:
    device = "/dev/rdsk/c0t6d0s6"
    pair.sh("n1", "zpool create -o cachefile=none scratch /dev/dsk/c0t6d0s6 && zpool export scratch")
    refused = pair.sh("n1", f"sundog quorum init-disk {device} 2>&1 || true")
    assert "the ZFS pool scratch" in refused and "--force zfs" in refused
    assert "labelled" in pair.sh("n1", f"sundog quorum init-disk {device} --force zfs")
    assert "the vote holders are disk2, n1, n2" in change(pair, "n1", f"add disk2 --disk {device}")
    life = holder(pair, "n1", "disk2")["life"]
    pair.sh("n1", f"sundog quorum init-disk {device} --force sundog")
    pair.until("the disk is taken in with its new life", lambda: [
        one for one in [holder(pair, "n1", "disk2")] if one.get("life") not in (None, "", life)
        and one["state"] == "answers"])
