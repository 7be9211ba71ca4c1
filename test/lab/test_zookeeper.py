"""Two hosts whose ledger is kept by a ZooKeeper ensemble on a third site."""
import json
from pathlib import Path
from typing import Iterator

import pytest

from lab.site import Site
from lab.witness_site import NODES, third_site
from sunlab.lab import Lab
from unit.zookeeper_servers import Servers, installed

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300), pytest.mark.xdist_group("zookeeper"),
              pytest.mark.skipif(not installed(), reason="Debian's zookeeper is not installed (bin/bootstrap test)")]

NET = 86
ADDRESS = f"10.{NET}.9.9"
PORTS = list(range(2181, 2190))
LEDGER = f"""ledger: zookeeper
zookeeper: {{servers: ['{ADDRESS}:2181', '{ADDRESS}:2184', '{ADDRESS}:2187'], path: /sundog/site}}
"""


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with Lab.up(third_site(tmp_path, "zk", NET, LEDGER)) as lab:
        for node in NODES:
            lab.wait_booted(node, 60)
        yield lab


@pytest.fixture
def ensemble(lab: Lab, tmp_path: Path) -> Iterator[Servers]:
    servers = Servers(tmp_path / "servers", 3, ADDRESS, PORTS, lambda argv: lab.popen("third", argv))
    servers.ask = lambda number, word: lab.exec(            # type: ignore[method-assign]
        "third", ["socat", "-t5", "-", f"TCP:{ADDRESS}:{PORTS[3 * number]}"], input=word, check=False).stdout
    try:
        servers.start()
        servers.until_serving()
        yield servers
    finally:
        servers.end()


def test_the_owners_death_and_a_servers_death_cost_the_group_no_more_than_a_takeover(
        lab: Lab, ensemble: Servers) -> None:
    site = Site(lab, NODES)
    site.start()
    site.until("the group is online on n1", lambda: site.owner("n2") == "n1", 60)
    holders = json.loads(site.sh("n1", "sundog quorum status --json"))["holders"]
    assert {name: one["kind"] for name, one in holders.items()} == {"zookeeper": "zookeeper"}
    dead = ensemble.leader()
    ensemble.kill(dead)
    # A busy ensemble may have cost the owner its lease and its host: what both say is true of hosts that are up.
    owner = str(site.until("both say where the group is online",
                           lambda: site.owner("n1") == site.owner("n2") and site.owner("n2"), 60))
    other = next(node for node in NODES if node != owner)
    site.lab.kill(owner)
    site.until(f"the group is online on {other}", lambda: site.owner(other) == other, 60)
    assert "10.86.0.100" in site.sh(other, "ipadm show-addr")
    site.lab.boot(owner)
    site.lab.wait_booted(owner, 60)
    site.until("the dead host is back", lambda: site.status(other)["nodes"][owner]["state"] == "up"
               and site.owner(owner) == other)
