"""Addresses that move between hosts: their neighbours learn it at once, and nobody takes one that answers."""
from typing import Iterator

import pytest

from lab.shared_pool import Hosts, build

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("lab-zones")]
FLOATING = {"v4": "10.79.0.100/24", "v6": "fd79::100/64"}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosts]:
    with build(tmp_path_factory.mktemp("ipadm"), "ia") as lab:
        hosts = Hosts(lab)
        hosts.sh("client", "ip address add fd79::200/64 dev net0 nodad")
        yield hosts


@pytest.fixture
def hosts(built: Hosts) -> Hosts:
    for node in ("n1", "n2"):
        if node not in built.lab.init_pids():
            built.lab.boot(node)
        built.lab.wait_booted(node)
        for line in built.sh(node, "ipadm show-addr -p -o addrobj").splitlines():
            if line.startswith("net0/web"):
                built.sh(node, f"ipadm delete-addr {line}")
    return built


def create(hosts: Hosts, node: str, kind: str) -> None:
    hosts.sh(node, f"ipadm create-addr -t -T static -a {FLOATING[kind]} net0/web")


def state(hosts: Hosts, node: str) -> str:
    return hosts.sh(node, "ipadm show-addr -p -o state net0/web")


def learn(hosts: Hosts, kind: str) -> None:
    hosts.sh("client", f"ping -q -c 1 -W 5 {FLOATING[kind].partition('/')[0]}")


def believed(hosts: Hosts, kind: str) -> str:
    """The MAC address under which the client would send to the floating address now."""
    words = hosts.sh("client", f"ip neighbour show {FLOATING[kind].partition('/')[0]}").split()
    return words[words.index("lladdr") + 1]


def mac(hosts: Hosts, node: str) -> str:
    return hosts.sh(node, "ip -o link show net0").partition("link/ether ")[2].split()[0]


@pytest.mark.parametrize("kind", ["v4", "v6"])
def test_a_clients_neighbour_entry_has_switched_when_create_addr_returns_after_a_power_cut(
        hosts: Hosts, kind: str) -> None:
    create(hosts, "n1", kind)
    learn(hosts, kind)
    assert believed(hosts, kind) == mac(hosts, "n1")
    hosts.lab.kill("n1")
    create(hosts, "n2", kind)
    assert believed(hosts, kind) == mac(hosts, "n2")
    assert state(hosts, "n2") == "ok"


@pytest.mark.parametrize("kind", ["v4", "v6"])
def test_an_address_that_another_host_answers_for_is_a_duplicate_and_changes_nobodys_table(
        hosts: Hosts, kind: str) -> None:
    create(hosts, "n1", kind)
    learn(hosts, kind)
    create(hosts, "n2", kind)
    assert state(hosts, "n2") == "duplicate"
    assert believed(hosts, kind) == mac(hosts, "n1")
    assert FLOATING[kind].partition("/")[0] not in hosts.sh("n2", "ip address show net0")


@pytest.mark.parametrize("kind", ["v4", "v6"])
def test_a_duplicate_comes_up_by_refresh_once_the_other_host_has_let_go(hosts: Hosts, kind: str) -> None:
    create(hosts, "n1", kind)
    create(hosts, "n2", kind)
    hosts.sh("n1", "ipadm delete-addr net0/web")
    hosts.sh("n2", "ipadm refresh-addr net0/web")
    assert state(hosts, "n2") == "ok"
    learn(hosts, kind)


def test_an_address_that_is_down_does_not_answer_and_answers_when_it_is_up_again(hosts: Hosts) -> None:
    create(hosts, "n1", "v4")
    hosts.sh("n1", "ipadm down-addr -t net0/web")
    assert state(hosts, "n1") == "down"
    assert hosts.lab.exec("client", ["ping", "-q", "-c", "1", "-W", "1", "10.79.0.100"], check=False).returncode == 1
    hosts.sh("n1", "ipadm up-addr -t net0/web")
    learn(hosts, "v4")


def test_a_temporary_address_is_gone_after_a_boot_and_the_hosts_own_stays(hosts: Hosts) -> None:
    create(hosts, "n1", "v4")
    hosts.lab.kill("n1")
    hosts.lab.boot("n1")
    hosts.lab.wait_booted("n1")
    assert hosts.sh("n1", "ipadm show-addr -p -o addrobj,addr net0/").splitlines()[0] == "net0/v4:10.79.0.1/24"
    assert "10.79.0.100" not in hosts.sh("n1", "ipadm show-addr")


@pytest.mark.parametrize("line, text", [
    ("dladm delete-vnic net0", "dladm: invalid vnic name 'net0': object not found"),
    ("dladm show-link vnic9", "dladm: invalid link 'vnic9': link does not exist"),
    ("dladm create-aggr -l net0 aggr0", "dladm: sunlab: create-aggr: not modelled in this lab"),
])
def test_what_cannot_be_done_is_said_and_exits_1(hosts: Hosts, line: str, text: str) -> None:
    assert hosts.fails("n1", line) == text


def test_a_vnic_can_be_made_given_an_address_and_removed(hosts: Hosts) -> None:
    hosts.sh("n1", "dladm create-vnic -t -l net0 vnic0")
    assert "vnic0" not in hosts.sh("n1", "ipadm show-if -p -o ifname").splitlines()
    hosts.sh("n1", "ipadm create-ip -t vnic0 && ipadm create-addr -t -T static -a 10.79.0.50/24 vnic0/a")
    assert hosts.sh("n1", "dladm show-link -p -o link,class,over vnic0") == "vnic0:vnic:net0"
    assert hosts.sh("n1", "ipadm show-addr -p -o state vnic0/a") == "ok"
    hosts.sh("n1", "ipadm delete-ip vnic0 && dladm delete-vnic -t vnic0")
    assert hosts.sh("n1", "dladm show-link -p -o link") == "net0"


def test_deleting_an_interface_takes_its_addresses_and_create_ip_makes_it_anew(hosts: Hosts) -> None:
    create(hosts, "n2", "v4")
    hosts.sh("n2", "ipadm delete-ip net0")
    assert hosts.sh("n2", "ipadm show-if -p -o ifname") == "lo0"
    hosts.sh("n2", "ipadm create-ip net0 && ipadm create-addr -T static -a 10.79.0.2/24 net0/v4")
    assert hosts.sh("n2", "ipadm show-addr -p -o addrobj,state net0/").splitlines() == ["net0/v4:ok"]
