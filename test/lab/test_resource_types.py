"""Every resource type on real lab hosts, by the methods that SMF runs: start, stop and probe, each twice."""
import os
import time
from pathlib import Path
from typing import Callable, Iterator

import pytest

from sundog.config.load import parse
from sundog.resource import parameters
from sundog.resource.instances import batch
from sunlab.lab import Lab

pytestmark = [pytest.mark.lab, pytest.mark.timeout(180)]

HERE = Path(__file__).parent
METHOD = "/lib/svc/method/sundog-resource"
COORDINATOR = "svc:/system/sundog/coordinator:default"
PERMITS = "/usr/bin/python3 /opt/permits.py /var/run/sundog/control /var/run/sundog/force /var/tmp/asked"
LAB = """
lab: res{number}
networks:
  public: {{subnet: 10.79.0.0/24}}
disks:
  c0t1d0s0: {{size: 96M}}
nodes:
  n1: {{addresses: {{public: 10.79.0.1/24}}}}
  n2: {{addresses: {{public: 10.79.0.2/24}}}}
files:
  /opt/permits.py: {permits}
  /etc/sundog/files/web1.cfg: {zone}
"""
ZONE = "create -b\nset zonepath=/tank/web1\nset brand=sparse\nset autoboot=false\nset ip-type=shared\n"
CLUSTER = """
cluster: shop
nodes: {n1: {addresses: [10.79.0.1]}, n2: {addresses: [10.79.0.2]}}
links: {public: {type: lan, network: 10.79.0.0/24}}
groups:
  app:
    nodes: [n1, n2]
    resources:
      server: {type: exec, start: '/usr/bin/sleep 10000 > "$HOME/x" & echo $! > /var/tmp/pid'}
      ip:     {type: floating-ip, address: 10.79.0.101/24, needs: [server]}
"""


class Site:
    def __init__(self, lab: Lab) -> None:
        self.lab = lab

    def sh(self, node: str, line: str) -> str:
        return self.lab.exec(node, ["/bin/sh", "-c", line], timeout=60).stdout.strip()

    def method(self, node: str, words: str) -> int:
        """Exit status of the method, as svc.startd would see it."""
        return self.lab.exec(node, ["/bin/sh", "-c", f"SMF_FMRI=svc:/test {METHOD} {words}"], check=False,
                             timeout=90).returncode

    def until(self, claim: Callable[[], bool], within_s: float = 20.0) -> None:
        until = time.monotonic() + within_s
        while not claim():
            assert time.monotonic() < until
            time.sleep(0.05)

    def permits(self, node: str) -> None:
        """Put the permit server in the coordinator's place, under SMF."""
        self.sh(node, f"""mkdir -p /var/run/sundog
svccfg -s {COORDINATOR.rpartition(':')[0]} setprop start/exec = astring: '"{PERMITS}"'
svccfg -s {COORDINATOR.rpartition(':')[0]} delpg failfast
svcadm refresh {COORDINATOR}
svcadm enable {COORDINATOR}""")
        self.until(lambda: self.lab.exec(node, ["test", "-S", "/var/run/sundog/control"], check=False).returncode == 0)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("resources")
    (folder / "web1.cfg").write_text(ZONE)
    (folder / "lab.yaml").write_text(LAB.format(number=os.getpid() % 100000, permits=HERE / "permits.py",
                                                zone=folder / "web1.cfg"))
    with Lab.up(folder / "lab.yaml") as lab:
        for node in ("n1", "n2"):
            lab.wait_booted(node, 60)
        site = Site(lab)
        for node in ("n1", "n2"):
            site.permits(node)
        site.sh("n1", "zpool create -o cachefile=none tank /dev/dsk/c0t1d0s0 && zpool export tank")
        yield site


def both_ways(site: Site, node: str, kind: str, words: str) -> None:
    """Started twice it is online, stopped twice it is not."""
    for method, online in (("start", True), ("start", True), ("stop", False), ("stop", False)):
        assert site.method(node, f"{kind} {method} group=g resource=r {words}") == 0
        assert (site.method(node, f"{kind} probe {words}") == 0) is online


def test_an_address_comes_and_goes_and_clients_reach_it(site: Site) -> None:
    words = "address=10.79.0.100/24"
    both_ways(site, "n1", "floating-ip", words)
    assert site.method("n1", f"floating-ip start group=g resource=r {words}") == 0
    assert "ttl" in site.sh("n2", "ping -c 1 -W 5 10.79.0.100")
    assert site.method("n2", f"floating-ip start group=g resource=r {words}") == 1
    assert "10.79.0.100" not in site.sh("n2", "ipadm show-addr")
    assert site.method("n1", f"floating-ip stop group=g resource=r {words}") == 0
    both_ways(site, "n2", "floating-ip", words)


def test_an_ipv6_address_comes_and_goes(site: Site) -> None:
    both_ways(site, "n1", "floating-ip", "address=fd00:79::100/64 interface=net0")


def test_a_pool_moves_and_is_forced_only_by_a_permit(site: Site) -> None:
    both_ways(site, "n1", "zpool", "pool=tank")
    start = "zpool start group=g resource=r pool=tank"
    assert site.method("n1", start) == 0
    site.lab.kill("n1")
    assert site.method("n2", start) == 1
    assert site.method("n2", "zpool probe pool=tank") == 1
    site.sh("n2", "touch /var/run/sundog/force")
    try:
        assert site.method("n2", start) == 0
        assert site.method("n2", "zpool probe pool=tank") == 0
    finally:
        site.sh("n2", "rm /var/run/sundog/force")
        site.lab.boot("n1")
        site.lab.wait_booted("n1", 60)
    assert site.method("n1", "zpool probe pool=tank") == 1
    assert site.method("n2", "zpool stop group=g resource=r pool=tank") == 0


def test_a_busy_pool_is_not_exported_and_says_so(site: Site) -> None:
    words = "group=g resource=r pool=tank"
    assert site.method("n2", f"zpool start {words}") == 0
    pid = site.sh("n2", "cd /tank; sleep 1000 > /dev/null 2>&1 & echo $!")
    assert site.method("n2", f"zpool stop {words}") == 1
    assert "a file system of it is in use" in site.sh("n2", "tail -1 /var/tmp/asked")
    assert site.method("n2", "zpool probe pool=tank") == 0
    site.sh("n2", f"kill {pid}")
    assert site.method("n2", f"zpool stop {words}") == 0


def test_a_start_mounts_what_is_not_mounted(site: Site) -> None:
    words = "group=g resource=r pool=tank"
    assert site.method("n2", f"zpool start {words}") == 0
    site.sh("n2", "zfs create tank/a || zfs list tank/a; zfs unmount tank/a")
    assert site.method("n2", f"zpool start {words}") == 0
    assert site.sh("n2", "zfs get -H -o value mounted tank/a") == "yes"
    assert site.method("n2", f"zpool stop {words}") == 0


def test_a_zone_is_configured_attached_booted_and_moves(site: Site) -> None:
    pool, words = "group=g resource=d pool=tank", "zone=web1 config=/etc/sundog/files/web1.cfg"
    assert site.method("n2", f"zpool start {pool}") == 0
    assert site.method("n2", f"zone start group=g resource=z {words}") == 1       # never installed
    site.sh("n2", "zoneadm -z web1 install && zoneadm -z web1 detach")
    both_ways(site, "n2", "zone", words)
    assert site.method("n2", f"zpool stop {pool}") == 0
    site.until(lambda: site.lab.exec("n1", ["test", "-S", "/var/run/sundog/control"], check=False).returncode == 0)
    assert site.method("n1", f"zpool start {pool}") == 0
    both_ways(site, "n1", "zone", words)
    assert site.method("n1", f"zpool stop {pool}") == 0


def test_a_service_of_the_host_is_switched_until_the_next_boot(site: Site) -> None:
    both_ways(site, "n2", "service", "fmri=svc:/system/zones:default")
    assert site.sh("n2", "svcprop -c -p general/enabled svc:/system/zones:default") == "false"


def test_the_instances_of_a_configuration_work_under_smf_and_can_be_written_twice(site: Site) -> None:
    cluster = parse(CLUSTER, name="test", types=parameters(), files={})
    server, ip, group = (f"svc:/system/sundog/{name}" for name in (
        "resource/exec:app.server", "resource/floating-ip:app.ip", "group:app"))
    for existing in (set(), {server, ip, group}):
        site.lab.exec("n2", ["/bin/sh", "-c", "cat > /var/tmp/b && svccfg -f /var/tmp/b"],
                      input=batch(cluster, existing))
        assert site.sh("n2", f"svcs -H -o state {server} {ip} {group}").split() == ["disabled"] * 3

    def state(fmri: str) -> str:
        return site.sh("n2", f"svcs -H -o state {fmri}")
    site.sh("n2", f"svcadm enable -t {server} {ip} {group}")
    site.until(lambda: state(group) == "online")
    assert "10.79.0.101" in site.sh("n2", "ipadm show-addr")
    pid = site.sh("n2", "cat /var/tmp/pid")
    site.sh("n2", f"kill -9 {pid}")
    site.until(lambda: site.sh("n2", "cat /var/tmp/pid") != pid and state(group) == "online")
    site.sh("n2", f"svcadm disable -t {server} {ip} {group}")
    site.until(lambda: [state(one) for one in (server, ip, group)] == ["disabled"] * 3)
    assert "10.79.0.101" not in site.sh("n2", "ipadm show-addr")
    assert site.lab.exec("n2", ["/bin/sh", "-c", "kill -0 $(cat /var/tmp/pid)"], check=False).returncode != 0
    empty = parse(CLUSTER[:CLUSTER.index("groups:")], name="test", types=parameters(), files={})
    site.lab.exec("n2", ["/bin/sh", "-c", "cat > /var/tmp/b && svccfg -f /var/tmp/b"],
                  input=batch(empty, {server, ip, group}))
    assert "sundog/resource" not in site.sh("n2", "svcs -a -H -o fmri")
