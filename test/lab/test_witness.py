"""Two hosts and a witness on a third site as the third vote."""
import json
from pathlib import Path
from typing import Iterator

import pytest

from lab.site import Site
from lab.witness_site import NODES, WitnessProcess, third_site
from sunlab.lab import Lab

pytestmark = [pytest.mark.lab, pytest.mark.timeout(240)]

NET = 85
QUORUM = f"""quorum:
  holders:
    w1: {{type: witness, address: 10.{NET}.9.9}}
"""


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with Lab.up(third_site(tmp_path, "wit", NET, QUORUM)) as lab:
        for node in NODES:
            lab.wait_booted(node, 60)
        yield lab


@pytest.fixture
def witness(lab: Lab, tmp_path: Path) -> Iterator[WitnessProcess]:
    witness = WitnessProcess(lab, tmp_path, f"10.{NET}.9.9")
    witness.start()
    yield witness
    witness.stop()


@pytest.fixture
def site(lab: Lab, witness: WitnessProcess) -> Site:
    site = Site(lab, NODES)
    site.start()
    site.until("the group is online on n1", lambda: site.owner("n2") == "n1")
    return site


def test_the_witness_is_called_one_among_the_vote_holders(site: Site) -> None:
    holders = json.loads(site.sh("n1", "sundog quorum status --json"))["holders"]
    assert {name: one["kind"] for name, one in holders.items()} == {"n1": "node", "n2": "node", "w1": "witness"}
    assert [line.split()[:2] for line in site.sh("n2", "sundog quorum status").splitlines()[1:4]] == [
        ["n1", "node"], ["n2", "node"], ["w1", "witness"]]


def test_either_of_two_hosts_survives_the_other_by_the_vote_of_a_witness(site: Site) -> None:
    for dead, alive in (("n1", "n2"), ("n2", "n1")):
        site.lab.kill(dead)
        site.until(f"the group is online on {alive}", lambda alive=alive: site.owner(alive) == alive)
        site.lab.boot(dead)
        site.lab.wait_booted(dead, 60)
        site.until("the dead host is back", lambda dead=dead, alive=alive:
                   site.status(alive)["nodes"][dead]["state"] == "up" and site.owner(dead) == alive)


def test_a_host_without_its_peer_and_without_the_witness_stops(site: Site, witness: WitnessProcess) -> None:
    booted = site.sh("n2", "cat /var/run/sundog/boot_id")
    assert witness.stop() == 0
    site.until("the loss is in the journal", lambda: "HOLDER-FAILED" in site.sh("n1", "sundog log", check=False)
               or "HOLDER-FAILED" in site.sh("n2", "sundog log", check=False))
    assert site.owner("n2") == "n1", "the hosts carry on without the witness"
    site.lab.kill("n1")
    site.until("n2 has no lease", lambda: not site.status("n2").get("lease_s"))
    assert site.owner("n2") != "n2" and "10.85.0.100" not in site.sh("n2", "ipadm show-addr", check=False)
    witness.start()
    site.until("the group is online on n2", lambda: site.owner("n2") == "n2", 60)
    # It ran nothing, so it had no cause to reset itself.
    assert site.sh("n2", "cat /var/run/sundog/boot_id") == booted


def test_a_witness_that_restarts_goes_on_voting_and_one_that_lost_its_files_is_told_of(
        site: Site, witness: WitnessProcess) -> None:
    witness.stop()
    witness.start()
    site.until("it is used again", lambda: any(
        "HOLDER-BACK" in site.sh(node, "sundog log") for node in NODES))
    assert not any("HOLDER-FORGOT" in site.sh(node, "sundog log") for node in NODES)
    witness.stop()
    witness.wipe()
    witness.start()
    site.until("the loss is in the journal", lambda: all(
        "HOLDER-FORGOT" in site.sh(node, "sundog log") for node in NODES))
    assert site.owner("n2") == "n1"
