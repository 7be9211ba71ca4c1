"""VNICs: links of their own on a host's link, also in the network namespace of a process, as a zone has it."""
from typing import Iterator

import pytest

from lab.two_hosts import answers, build
from sunlab.lab import Lab

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("lab-network")]

IN_ANOTHER = """
import sys
sys.path.insert(0, "/usr/lib/sunlab/lib")
from sunlab.net import vnic
print(vnic.create("net0", "net0", pid=int(sys.argv[1])).hex(":"))
"""


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with build("vn") as built:
        yield built


def test_a_vnic_in_a_namespace_of_its_own_has_its_own_mac_and_talks_to_the_network(lab: Lab) -> None:
    with lab.popen("n1", ["unshare", "-n", "sh", "-c", "echo $$; exec sleep 1000"], stdout=-1) as zone:
        assert zone.stdout is not None
        pid = zone.stdout.readline().decode().strip()
        mac = lab.exec("n1", ["/usr/bin/python3", "-IS", "-c", IN_ANOTHER, pid]).stdout.strip()
        assert mac.startswith("02:08:20:")
        inside = ["nsenter", "-t", pid, "-n", "ip"]
        assert mac in lab.exec("n1", [*inside, "link", "show", "net0"]).stdout
        lab.exec("n1", [*inside, "address", "add", "10.0.0.77/24", "dev", "net0"])
        lab.exec("n1", [*inside, "link", "set", "net0", "up"])
        assert answers(lab, "client", "10.0.0.77")
        zone.kill()
    assert "10.0.0.77" not in lab.exec("n1", ["ipadm", "show-addr"]).stdout
