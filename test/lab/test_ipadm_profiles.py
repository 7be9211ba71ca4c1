"""ipadm and dladm of both systems: what they print, refuse and keep over a boot."""
import os
from typing import Iterator, List

import pytest

from lab.shared_pool import Hosts
from sunlab import cli
from sunlab.lab import Lab, LabError

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("lab-ipadm")]
PLAN = {"networks": {"public": {"subnet": "10.83.0.0/24"}},
        "nodes": {"i1": {"addresses": {"public": "10.83.0.1/24"}},
                  "s1": {"addresses": {"public": "10.83.0.2/24"}, "platform": "solaris11.4"}}}


@pytest.fixture(scope="module")
def hosts() -> Iterator[Hosts]:
    with Lab.up({"lab": f"ip{os.getpid() % 100000}", **PLAN}) as lab:
        for node in lab.spec.nodes:
            lab.wait_booted(node)
        yield Hosts(lab)


@pytest.fixture(autouse=True)
def tidy(hosts: Hosts) -> Iterator[None]:
    yield
    for node in ("i1", "s1"):
        for name in objects(hosts, node):
            if name.startswith("net0/") and name != "net0/v4":
                hosts.sh(node, f"ipadm delete-addr {name}")


def objects(hosts: Hosts, node: str) -> List[str]:
    return hosts.sh(node, "ipadm show-addr -p -o addrobj").splitlines()


def shown(hosts: Hosts, node: str, name: str, fields: str) -> str:
    return hosts.sh(node, f"ipadm show-addr -p -o {fields} {name}")


def reboot(hosts: Hosts, node: str) -> None:
    hosts.lab.kill(node)
    hosts.lab.boot(node)
    hosts.lab.wait_booted(node)


def test_show_addr_prints_the_four_columns_and_all_six_when_asked(hosts: Hosts) -> None:
    assert hosts.sh("i1", "ipadm show-addr").splitlines() == [
        "ADDROBJ           TYPE     STATE        ADDR",
        "lo0/v4            static   ok           127.0.0.1/8",
        "lo0/v6            static   ok           ::1/128",
        "net0/v4           static   ok           10.83.0.1/24"]
    assert hosts.sh("i1", "ipadm show-addr -o all net0/v4").splitlines() == [
        "ADDROBJ           TYPE     STATE        CURRENT PERSISTENT ADDR",
        "net0/v4           static   ok           U----   U--        10.83.0.1/24"]


def test_fields_are_taken_in_any_case_and_colons_are_escaped_where_there_are_two(hosts: Hosts) -> None:
    hosts.sh("i1", "ipadm create-addr -t -T static -a fd83::7/64 net0/six")
    assert shown(hosts, "i1", "net0/six", "AddrObj,ADDR") == "net0/six:fd83\\:\\:7/64"
    assert shown(hosts, "i1", "net0/six", "addr") == "fd83::7/64"


def test_a_bare_ipadm_is_show_addr_on_illumos_and_a_tree_on_solaris(hosts: Hosts) -> None:
    assert hosts.sh("i1", "ipadm") == hosts.sh("i1", "ipadm show-addr")
    assert hosts.sh("s1", "ipadm").splitlines() == [
        "NAME              CLASS/TYPE STATE        UNDER      ADDR",
        "lo0               loopback   ok           --         --",
        "   lo0/v4         static     ok           --         127.0.0.1/8",
        "   lo0/v6         static     ok           --         ::1/128",
        "net0              ip         ok           --         --",
        "   net0/v4        static     ok           --         10.83.0.2/24"]


def test_show_if_has_each_systems_columns(hosts: Hosts) -> None:
    assert hosts.sh("i1", "ipadm show-if").splitlines() == [
        "IFNAME     CLASS     STATE    CURRENT      PERSISTENT",
        "lo0        VIRTUAL   ok       -m-v------46 ---",
        "net0       IP        ok       bm--------46 -46"]
    assert hosts.sh("s1", "ipadm show-if net0").splitlines() == [
        "IFNAME     CLASS     STATE    ACTIVE OVER", "net0       ip        ok       yes    --"]


def test_solaris_invents_a_name_for_an_address_on_a_bare_interface_and_prints_it(hosts: Hosts) -> None:
    assert hosts.sh("s1", "ipadm create-addr -t -a 10.83.0.30/24 net0") == "net0/v4a"
    assert hosts.sh("s1", "ipadm create-addr -a fd83::30/64 net0") == "net0/v6"
    assert shown(hosts, "s1", "net0/v6", "state,persistent") == "ok:U--"


def test_a_persistent_address_comes_back_with_the_host_and_a_temporary_one_does_not(hosts: Hosts) -> None:
    hosts.sh("i1", "ipadm create-addr -T static -a 10.83.0.40/24 net0/kept")
    hosts.sh("i1", "ipadm create-addr -T static -d -a 10.83.0.41/24 net0/low")
    hosts.sh("i1", "ipadm create-addr -t -T static -a 10.83.0.42/24 net0/gone")
    hosts.sh("i1", "ipadm set-addrprop -p deprecated=on net0/kept")
    reboot(hosts, "i1")
    assert "net0/gone" not in objects(hosts, "i1")
    assert shown(hosts, "i1", "net0/kept", "state,current,persistent") == "ok:U---d:U-d"
    assert shown(hosts, "i1", "net0/low", "state,current,persistent") == "down:-----:---"
    hosts.sh("s1", "ping -q -c 1 -W 5 10.83.0.40")


def test_a_persistent_address_taken_meanwhile_by_another_host_is_a_duplicate_after_the_boot(hosts: Hosts) -> None:
    hosts.sh("i1", "ipadm create-addr -T static -a 10.83.0.45/24 net0/both")
    hosts.lab.kill("i1")
    hosts.sh("s1", "ipadm create-addr -t -T static -a 10.83.0.45/24 net0/both")
    hosts.lab.boot("i1")
    hosts.lab.wait_booted("i1")
    assert shown(hosts, "i1", "net0/both", "state") == "duplicate"


def test_a_disabled_address_is_known_but_not_there_until_it_is_enabled(hosts: Hosts) -> None:
    hosts.sh("i1", "ipadm create-addr -T static -a 10.83.0.50/24 net0/web; ipadm disable-addr -t net0/web")
    assert shown(hosts, "i1", "net0/web", "state,current,persistent,addr") == "disabled:-----:U--:10.83.0.50/24"
    assert "10.83.0.50" not in hosts.sh("i1", "ip address show net0")
    assert hosts.fails("i1", "ipadm up-addr net0/web") == (
        "ipadm: Could not mark the address up: Operation not supported on disabled object")
    hosts.sh("i1", "ipadm enable-addr -t net0/web")
    assert shown(hosts, "i1", "net0/web", "state") == "ok"


def test_the_prefix_of_an_address_can_be_changed_and_shown(hosts: Hosts) -> None:
    hosts.sh("i1", "ipadm create-addr -t -T static -a 10.83.0.60/24 net0/web")
    hosts.sh("i1", "ipadm set-addrprop -t -p prefixlen=25 net0/web")
    assert hosts.sh("i1", "ipadm show-addrprop -c -o property,perm,current,persistent -p prefixlen net0/web") == (
        "prefixlen:rw:25:")
    assert "10.83.0.60/25" in hosts.sh("i1", "ip address show net0")


def test_an_addrconf_address_is_the_link_local_one(hosts: Hosts) -> None:
    hosts.sh("i1", "ipadm create-addr -t -T addrconf net0/v6")
    hosts.until(lambda: shown(hosts, "i1", "net0/v6", "state") == "ok", "the end of duplicate address detection")
    assert shown(hosts, "i1", "net0/v6", "type,addr").startswith("addrconf:fe80\\:\\:")


def test_a_persistent_vnic_and_its_interface_come_back_and_go_for_good(hosts: Hosts) -> None:
    hosts.sh("i1", "dladm create-vnic -l net0 -m 2:8:20:0:aa:1 vnic1; ipadm create-if vnic1")
    assert shown(hosts, "i1", "", "addrobj").count("vnic1") == 0
    assert hosts.sh("i1", "ipadm show-if -p -o state,persistent vnic1") == "down:-46"
    reboot(hosts, "i1")
    assert hosts.sh("i1", "dladm show-vnic -p -o link,over,macaddress") == "vnic1:net0:2\\:8\\:20\\:0\\:aa\\:1"
    assert hosts.sh("i1", "ipadm show-if -p -o ifname").splitlines() == ["lo0", "net0", "vnic1"]
    assert hosts.fails("i1", "dladm delete-vnic vnic1") == "dladm: vnic deletion failed: link busy"
    hosts.sh("i1", "ipadm delete-if vnic1; dladm rename-link vnic1 vnic2; dladm delete-vnic vnic2")
    assert hosts.sh("i1", "dladm show-vnic -p -o link") == ""


def test_show_link_has_a_bridge_column_on_illumos_only(hosts: Hosts) -> None:
    assert hosts.sh("i1", "dladm show-link").splitlines() == [
        "LINK       CLASS    MTU    STATE    BRIDGE     OVER", "net0       phys     1500   up       --         --"]
    assert hosts.sh("s1", "dladm show-link").splitlines() == [
        "LINK       CLASS    MTU    STATE    OVER", "net0       phys     1500   up       --"]
    assert hosts.sh("s1", "dladm show-phys").splitlines() == [
        "LINK         MEDIA                STATE      SPEED  DUPLEX    DEVICE",
        "net0         Ethernet             up         10000  full      net0"]


def test_a_pulled_cable_shows_everywhere_outlives_a_boot_and_can_be_put_back(hosts: Hosts) -> None:
    assert cli.main(["--lab", hosts.lab.spec.lab, "unplug", "i1", "net0"]) == 0
    reboot(hosts, "i1")
    assert hosts.sh("i1", "dladm show-phys -p -o state,speed net0; dladm show-link -p -o state net0") == "down:0\ndown"
    assert hosts.sh("i1", "ipadm show-if -p -o state net0") == "failed"
    assert shown(hosts, "i1", "net0/v4", "state") == "inaccessible"
    assert cli.main(["--lab", hosts.lab.spec.lab, "plug", "i1", "net0"]) == 0
    hosts.sh("s1", "ping -q -c 1 -W 5 10.83.0.1")
    assert shown(hosts, "i1", "net0/v4", "state") == "ok"


def test_a_cable_that_is_not_there_cannot_be_pulled(hosts: Hosts) -> None:
    with pytest.raises(LabError, match="node i1 has no interface 'net3'; it has net0"):
        hosts.lab.unplug("i1", "net3")


@pytest.mark.parametrize("node, line, text", [
    ("i1", "ipadm create-addr -t -a 10.83.0.9/24 net0/web", "Invalid arguments"),
    ("i1", "ipadm create-addr -t -T static -a 10.83.0.9/24 net0", "invalid address object name: net0"),
    ("i1", "ipadm create-addr -t -T static -a 10.83.0.9/24 net7/web", "Could not create address: "
                                                                     "Could not open DLPI link"),
    ("s1", "ipadm create-addr -t -a 10.83.0.9/24 net7/web", "Could not create address: Interface does not exist"),
    ("i1", "ipadm create-addr -t -T static -a 10.83.0.1/24 net0/web", "Could not create address: "
                                                                     "Address already in use"),
    ("i1", "ipadm create-addr -t -T static -a 10.83.0.9/24 net0/v4", "Could not create address: "
                                                                    "Address object already exists"),
    ("i1", "ipadm create-addr -t -T static -a 10.83.0.999/24 net0/web", "Error in setting local address: "
                                                                       "Invalid address"),
    ("i1", "ipadm create-addr -t -T dhcp net0/web", "sunlab: create-addr -T dhcp: not modelled in this lab"),
    ("i1", "ipadm create-addr -t -T token net0/web", "Invalid address type token"),
    ("i1", "ipadm delete-addr net0/web", "could not delete address: Object not found"),
    ("i1", "ipadm show-addr net0/web", "Address object not found"),
    ("i1", "ipadm show-addr net0", "Invalid address object name provided"),
    ("i1", "ipadm show-addr net9/", "Could not get address: Interface does not exist"),
    ("i1", "ipadm show-addr -p", "-p requires -o"),
    ("i1", "ipadm show-addr -p -o all", "output field `all' invalid in parsable mode"),
    ("i1", "ipadm show-addr -p -o colour", "unknown output field `colour'"),
    ("i1", "ipadm show-if net9", "Could not get interface(s): Interface does not exist"),
    ("i1", "ipadm create-ip net0", "Could not create net0 : Interface already exists"),
    ("i1", "ipadm create-if net9", "Could not create net9 : Could not open DLPI link"),
    ("i1", "ipadm delete-if net9", "Could not delete net9: Interface does not exist"),
    ("s1", "ipadm create-if net9", "unknown subcommand 'create-if'"),
    ("i1", "ipadm disable-addr net0/v4", "persistent operation not supported for disable-addr"),
    ("i1", "ipadm enable-addr -t net0/v4", "could not enable address: Address object already exists"),
    ("i1", "ipadm delete-ipmp ipmp9", "Could not delete ipmp9: Interface does not exist"),
    ("i1", "ipadm set-prop -p forwarding=on ipv4", "sunlab: set-prop: not modelled in this lab"),
    ("i1", "ipadm set-addrprop -p zone=global net0/v4", "sunlab: set-addrprop -p zone: not modelled in this lab"),
    ("i1", "ipadm set-addrprop -p prefixlen=40 net0/v4", "set-addrprop: prefixlen: Value is outside the allowed range"),
])
def test_what_cannot_be_done_is_said_and_exits_1(hosts: Hosts, node: str, line: str, text: str) -> None:
    assert hosts.fails(node, line).splitlines()[0] == f"ipadm: {text}"


@pytest.mark.parametrize("verb", ["up-addr", "down-addr"])
def test_a_temporary_address_cannot_be_changed_for_good(hosts: Hosts, verb: str) -> None:
    hosts.sh("i1", "ipadm create-addr -t -T static -a 10.83.0.9/24 net0/web")
    word = verb.partition("-")[0]
    assert hosts.fails("i1", f"ipadm {verb} net0/web") == (
        f"ipadm: Could not mark the address {word}: Persistent operation on temporary object")
    assert hosts.fails("i1", "ipadm disable-addr -t net0/web") == (
        "ipadm: could not disable address: Persistent operation on temporary object")


def test_a_user_without_the_authorization_is_refused(hosts: Hosts) -> None:
    assert hosts.fails("i1", "setpriv --reuid 65534 ipadm create-addr -t -T static -a 10.83.0.9/24 net0/web") == (
        "ipadm: Insufficient user authorizations")
