"""sundogd and failfast on three lab hosts: what their death, their key and their identity do to a group."""
from pathlib import Path
from typing import Iterator

import pytest

from lab.site import COORDINATOR, Site, layout
from sunlab.lab import Lab

pytestmark = [pytest.mark.lab, pytest.mark.timeout(180)]

NODES = ("n1", "n2", "n3")
GROUP = "svc:/system/sundog/group:tcp"
#: A daemon of the host that can be broken.
WEB = """<!DOCTYPE service_bundle SYSTEM '/usr/share/lib/xml/dtd/service_bundle.dtd.1'>
<service_bundle type='manifest' name='web'><service name='site/web' type='service' version='1'>
<create_default_instance enabled='false'/>
<exec_method type='method' name='start' exec='sh -c "test -e /var/tmp/broken &amp;&amp; exit 1; sleep 100000 &amp;"'
 timeout_seconds='20'/>
<exec_method type='method' name='stop' exec=':kill' timeout_seconds='20'/></service></service_bundle>"""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with Lab.up(layout(tmp_path, "daemon", 81, NODES)) as lab:
        for node in NODES:
            lab.wait_booted(node, 60)
        yield Site(lab, NODES)


def test_the_group_comes_up_and_a_killed_daemon_moves_nothing(site: Site) -> None:
    site.start()
    site.until("the group is online on n1", lambda: site.owner("n2") == "n1")
    assert "10.81.0.100" in site.sh("n1", "ipadm show-addr")
    server = site.sh("n1", "svcs -H -o ctid svc:/system/sundog/resource/exec:tcp.server")
    for _ in range(3):
        pid = site.pid("n1")
        site.sh("n1", f"kill -9 {pid}")
        site.until("SMF starts another sundogd", lambda pid=pid: site.pid("n1") not in ("", "-", pid))
        site.until("it answers", lambda: site.status("n1").get("lease_s"))
    for node in NODES:
        group = site.status(node)["groups"]["tcp"]
        assert (group["owner"], group["state"], group["epoch"]) == ("n1", "online", 1)
    assert site.sh("n1", "svcs -H -o ctid svc:/system/sundog/resource/exec:tcp.server") == server
    adopted = site.sh("n1", f"cat $(svcs -L {COORDINATOR})")
    assert adopted.count("adopts tcp (online)") == 3


def test_a_service_of_the_host_that_fails_for_good_takes_its_group_elsewhere(tmp_path: Path) -> None:
    place = "/lib/svc/manifest/site/web.xml"
    file = layout(tmp_path, "svc", 84, NODES, server="service, fmri: 'svc:/site/web:default'", files={place: WEB})
    with Lab.up(file) as lab:
        for node in NODES:
            lab.wait_booted(node, 60)
        site = Site(lab, NODES)
        site.start()
        site.until("the group is online on n1", lambda: site.owner("n2") == "n1")
        site.sh("n1", "touch /var/tmp/broken; kill -9 $(svcs -Hp site/web | awk 'NR == 2 {print $2}')")
        site.until("the group is online elsewhere", lambda: site.owner("n2") == "n2")
        assert site.state("n2", "svc:/site/web:default") == "online"
        assert site.state("n1", "svc:/site/web:default") in ("disabled", "maintenance")
        assert "site/web" in site.status("n2")["groups"]["tcp"]["failures"][0]["reason"]


def test_a_daemon_that_stays_dead_costs_the_host_and_not_the_group(site: Site) -> None:
    site.start()
    site.until("the group is online on n1", lambda: site.owner("n2") == "n1")
    booted = site.sh("n1", "cat /var/run/sundog/boot_id")
    daemon = "/usr/lib/sundog/sundogd"
    site.sh("n1", f"printf '#!/bin/sh\\nsleep 999\\n' > {daemon}.new; chmod 755 {daemon}.new; mv {daemon}.new {daemon}")
    site.sh("n1", f"kill -9 {site.pid('n1')}")
    site.until("the group is online elsewhere", lambda: site.owner("n2") in ("n2", "n3"))
    site.lab.wait_booted("n1", 60)
    assert site.sh("n1", "cat /var/run/sundog/boot_id", check=False) != booted
    assert site.state("n1", GROUP) == "disabled"
    assert "10.81.0.100" not in site.sh("n1", "ipadm show-addr")


def test_frames_of_another_key_are_counted_and_their_node_is_no_member(site: Site) -> None:
    site.sh("n3", "umask 077; openssl rand -base64 32 > /etc/sundog/key || "
            "head -c 32 /dev/urandom | base64 > /etc/sundog/key")
    site.start()
    site.until("the group is online on n1", lambda: site.owner("n2") == "n1")
    site.until("n1 counts what n3 sends", lambda: site.status("n1")["counters"]["dropped"].get("key"))
    assert "WRONG-KEY" in site.sh("n1", "sundog log")
    assert site.status("n1")["nodes"]["n3"]["state"] == "unknown"


def test_a_key_file_that_others_can_read_is_refused_with_what_to_do(site: Site) -> None:
    site.sh("n1", "chmod 644 /etc/sundog/key")
    site.start("n1")
    site.until("maintenance", lambda: site.state("n1", COORDINATOR) == "maintenance")
    assert "chmod 600 /etc/sundog/key" in site.sh("n1", f"cat $(svcs -L {COORDINATOR})")


def test_a_host_with_another_hosts_id_is_refused_with_the_reason(tmp_path: Path) -> None:
    with Lab.up(layout(tmp_path, "daemon", 81, NODES, hostids={"n2": "00c0ffee", "n3": "00c0ffee"})) as lab:
        for node in NODES:
            lab.wait_booted(node, 60)
        site = Site(lab, NODES)
        site.start("n1", "n2")
        site.until("the group is online on n1", lambda: site.owner("n2") == "n1")
        site.start("n3")
        site.until("n3 is refused", lambda: site.state("n3", COORDINATOR) == "maintenance")
        assert "hostid" in site.sh("n3", f"cat $(svcs -L {COORDINATOR})")
        assert site.owner("n2") == "n1"


def test_svcadm_on_the_group_instance_speaks_for_the_whole_cluster(site: Site) -> None:
    site.start()
    site.until("the group is online on n1", lambda: site.owner("n2") == "n1")
    site.sh("n1", f"svcadm disable {GROUP}")
    site.until("the group is offline everywhere",
               lambda: all(site.status(node)["groups"]["tcp"]["state"] == "offline" for node in NODES))
    site.sh("n2", f"svcadm enable {GROUP}")
    site.until("the group is online where it was enabled", lambda: site.owner("n3") == "n2")


def test_disabling_the_coordinator_hands_the_groups_over_without_a_reset(site: Site) -> None:
    site.start()
    site.until("the group is online on n1", lambda: site.owner("n2") == "n1")
    booted = site.sh("n1", "cat /var/run/sundog/boot_id")
    site.sh("n1", f"svcadm disable {COORDINATOR}")
    site.until("the group is online elsewhere", lambda: site.owner("n2") in ("n2", "n3"))
    assert site.sh("n1", "cat /var/run/sundog/boot_id") == booted
    assert "10.81.0.100" not in site.sh("n1", "ipadm show-addr")
