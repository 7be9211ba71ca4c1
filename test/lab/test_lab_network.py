"""A lab's wires: hosts and clients on shared networks, cut whole, one way, between two hosts, and healed."""
from typing import Iterator

import pytest

from lab.two_hosts import answers, build
from sunlab.lab import Lab, LabError

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("lab-network")]

COUNT = """
import socket, sys
heard = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
heard.bind((sys.argv[1], 9999))
heard.settimeout(1)
print("listening", flush=True)
try:
    print(heard.recv(100).decode())
except OSError:
    print("nothing")
"""
SEND = "import socket, sys; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'word', (sys.argv[1], 9999))"


@pytest.fixture(scope="module")
def hosts() -> Iterator[Lab]:
    with build("nw") as lab:
        yield lab


@pytest.fixture
def lab(hosts: Lab) -> Lab:
    hosts.heal()
    for node, other in (("n1", "2"), ("n2", "1")):      # so that no test waits for an address to be resolved
        assert answers(hosts, node, f"192.168.7.{other}")
        assert answers(hosts, node, f"10.0.0.{other}")
    return hosts


def word(lab: Lab, source: str, target: str, address: str) -> str:
    """What `target` hears when `source` sends one datagram to that address of it."""
    python = ["/usr/bin/python3", "-IS", "-c"]
    with lab.popen(target, [*python, COUNT, address], stdout=-1) as listener:
        assert listener.stdout is not None
        assert listener.stdout.readline() == b"listening\n"
        lab.exec(source, [*python, SEND, address])
        return str(listener.stdout.readline().decode().strip())


def test_a_client_reaches_the_hosts_on_its_network_only(lab: Lab) -> None:
    assert answers(lab, "client", "10.0.0.1")
    assert answers(lab, "client", "10.0.0.2")
    assert not answers(lab, "client", "192.168.7.1")


def test_one_network_cut_leaves_the_other(lab: Lab) -> None:
    lab.cut("n1", "private")
    assert not answers(lab, "n1", "192.168.7.2")
    assert answers(lab, "n1", "10.0.0.2")


def test_a_host_cut_off_hears_nobody_until_it_is_healed(lab: Lab) -> None:
    lab.cut("n1")
    assert not answers(lab, "client", "10.0.0.1")
    assert not answers(lab, "n1", "10.0.0.2")
    assert answers(lab, "client", "10.0.0.2")
    lab.heal()
    assert answers(lab, "client", "10.0.0.1")


def test_two_hosts_cut_from_each_other_still_reach_the_client(lab: Lab) -> None:
    lab.cut("n1", peer="n2")
    assert not answers(lab, "n1", "10.0.0.2")
    assert answers(lab, "client", "10.0.0.1")
    assert answers(lab, "client", "10.0.0.2")


def test_cut_one_way_a_host_hears_but_is_not_heard(lab: Lab) -> None:
    lab.cut("n1", "private", one_way=True)
    assert word(lab, "n1", "n2", "192.168.7.2") == "nothing"
    assert word(lab, "n2", "n1", "192.168.7.1") == "word"


def test_a_cut_outlives_a_boot(lab: Lab) -> None:
    lab.cut("n1", "private")
    lab.kill("n1")
    lab.boot("n1")
    lab.wait_booted("n1")
    assert not answers(lab, "n2", "192.168.7.1")
    assert answers(lab, "n2", "10.0.0.1")


def test_an_unknown_host_or_network_is_refused(lab: Lab) -> None:
    with pytest.raises(LabError, match="has no node 'n9'"):
        lab.cut("n9")
    with pytest.raises(LabError, match="has no network 'purple'"):
        lab.cut("n1", "purple")
