"""Links, IP interfaces and addresses (ipadm(8), dladm(8), ifconfig(8), ipmpstat(8))."""
import itertools
import os
import re
from typing import Iterator

import pytest

from conformance.rows import both, illumos, row, solaris
from conformance.target import Target

NUMBERS = itertools.count(1)
A = "192.0.2.10/24"


@pytest.fixture
def link(host: Target) -> Iterator[str]:
    """A VNIC of our own, without an IP interface."""
    name = f"conf{os.getpid() % 10000}x{next(NUMBERS)}"
    over = host.do("dladm show-phys -p -o link | head -1").strip()
    host.do(f"dladm create-vnic -t -l {over} {name}")
    yield name
    host.run(f"ipadm delete-ip {name} || ipadm delete-if {name}")
    host.do(f"dladm delete-vnic -t {name}")


@pytest.fixture
def interface(host: Target, link: str) -> str:
    """The same with an IP interface on it."""
    host.do(f"ipadm create-ip -t {link}")
    return link


def settled(host: Target, name: str) -> None:
    """Duplicate address detection is through."""
    host.until(f"[ \"`ipadm show-addr -p -o state {name}`\" != tentative ]")


def field(host: Target, name: str, column: str) -> str:
    return host.do(f"ipadm show-addr -p -o {column} {name}").rstrip("\n")


# ---- formats


@both
@row("IPADM-P-01", "ipadm.c, -p requires -o")
@pytest.mark.parametrize("command", ["show-addr", "show-if"])
def test_p_needs_o(host: Target, command: str) -> None:
    assert host.fails(f"ipadm {command} -p") == "ipadm: -p requires -o\n"


@both
@row("IPADM-ADDR-01", "ipadm.c, show-addr")
def test_show_addr_has_four_columns_by_default(host: Target) -> None:
    lines = host.do("ipadm show-addr").splitlines()
    assert lines[0].split() == ["ADDROBJ", "TYPE", "STATE", "ADDR"]
    assert any(line.split()[:4] == ["lo0/v4", "static", "ok", "127.0.0.1/8"] for line in lines)


@both
@row("IPADM-ADDR-02", "libofmt, parsable output")
def test_parsable_fields_have_no_header_and_may_be_named_in_capitals(host: Target) -> None:
    assert host.do("ipadm show-addr -p -o ADDROBJ,State lo0/v4") == "lo0/v4:ok\n"


@both
@row("IPADM-ADDR-03", "libofmt, escapes")
def test_colons_in_a_value_have_a_backslash_unless_it_is_alone(host: Target, interface: str) -> None:
    host.do(f"ipadm create-addr -t -T static -a 2001:db8::5/64 {interface}/six")
    settled(host, f"{interface}/six")
    assert field(host, f"{interface}/six", "addrobj,addr") == f"{interface}/six:2001\\:db8\\:\\:5/64"
    assert field(host, f"{interface}/six", "addr") == "2001:db8::5/64"


@both
@row("IPADM-ADDR-04", "libofmt, unknown fields")
def test_an_unknown_field_is_an_error(host: Target) -> None:
    assert "ghost" in host.fails("ipadm show-addr -p -o ghost")


@both
@row("IPADM-IF-01", "ipadm.c, show-if")
def test_show_if_has_its_columns(host: Target) -> None:
    header = host.do("ipadm show-if").splitlines()[0].split()
    assert header[0] == "IFNAME" and "STATE" in header
    assert host.do("ipadm show-if -p -o ifname,state lo0") == "lo0:ok\n"


@illumos
@row("IPADM-IF-02", "ipadm.c, show-if flags")
def test_current_flags_of_the_loopback_interface(host: Target) -> None:
    flags = host.do("ipadm show-if -p -o current lo0").strip()
    assert len(flags) == 12 and flags.endswith("46")


# ---- interfaces


@both
@row("IPADM-CREATE-IF-01", "ipadm(8), create-ip")
def test_an_interface_is_made_once(host: Target, interface: str) -> None:
    assert "already exists" in host.fails(f"ipadm create-ip -t {interface}")
    host.do(f"ipadm delete-ip {interface}")
    host.fails(f"ipadm show-if {interface}")


@illumos
@row("IPADM-CREATE-IF-02", "ipadm(8), create-if")
def test_illumos_knows_the_old_name_create_if(host: Target, link: str) -> None:
    host.do(f"ipadm create-if -t {link}; ipadm delete-if {link}")


@solaris
@row("IPADM-CREATE-IF-03", "Solaris 11.4 ipadm(8)")
def test_solaris_knows_create_ip_only(host: Target, link: str) -> None:
    host.fails(f"ipadm create-if -t {link}", 2 if host.run(f"ipadm create-if -t {link}").status == 2 else 1)


@illumos
@row("IPADM-PLUMB-01", "libipadm, ipadm_create_addr")
def test_illumos_makes_the_interface_for_an_address(host: Target, link: str) -> None:
    host.do(f"ipadm create-addr -t -T static -a {A} {link}/v4")
    assert host.do(f"ipadm show-if -p -o ifname {link}") == f"{link}\n"


@solaris
@row("IPADM-PLUMB-02", "Solaris 11.4 ipadm(8), create-addr")
def test_solaris_wants_the_interface_first(host: Target, link: str) -> None:
    host.fails(f"ipadm create-addr -t -T static -a {A} {link}/v4")


# ---- addresses


@both
@row("IPADM-CREATE-01", "ipadm(8), create-addr, show-addr")
def test_a_static_address_becomes_ok(host: Target, interface: str) -> None:
    host.do(f"ipadm create-addr -t -T static -a {A} {interface}/v4")
    settled(host, f"{interface}/v4")
    assert field(host, f"{interface}/v4", "addrobj,type,state,addr") == f"{interface}/v4:static:ok:{A}"


@both
@row("IPADM-CREATE-02", "ipadm(8), local=")
def test_local_may_be_said_of_the_address(host: Target, interface: str) -> None:
    host.do(f"ipadm create-addr -t -T static -a local={A} {interface}/v4")
    assert field(host, f"{interface}/v4", "addr") == A


@both
@row("IPADM-CREATE-03", "libipadm, IPADM_ADDROBJ_EXISTS")
def test_an_address_object_is_made_once(host: Target, interface: str) -> None:
    host.do(f"ipadm create-addr -t -T static -a {A} {interface}/v4")
    assert host.fails(f"ipadm create-addr -t -T static -a 192.0.2.11/24 {interface}/v4") == \
        "ipadm: Could not create address: Address object already exists\n"


@both
@row("IPADM-CREATE-04", "ipadm.c, address types")
def test_an_unknown_type_of_address_is_refused(host: Target, interface: str) -> None:
    assert "Invalid address type" in host.run(f"ipadm create-addr -t -T ghost -a {A} {interface}/v4").err
    host.fails(f"ipadm show-addr {interface}/v4")


@solaris
@row("IPADM-CREATE-05", "Solaris 11.4 ipadm(8), create-addr")
def test_solaris_takes_static_for_granted_and_names_the_object(host: Target, interface: str) -> None:
    host.do(f"ipadm create-addr -t -a {A} {interface}")
    assert A in host.do(f"ipadm show-addr -p -o addr | grep 192.0.2 ; ipadm show-addr {interface}/")


@both
@row("IPADM-DELETE-01", "ipadm(8), delete-addr")
def test_a_deleted_address_is_gone_and_not_deleted_again(host: Target, interface: str) -> None:
    host.do(f"ipadm create-addr -t -T static -a {A} {interface}/v4")
    host.do(f"ipadm delete-addr {interface}/v4")
    assert "bject not found" in host.fails(f"ipadm delete-addr {interface}/v4")


@both
@row("IPADM-SHOW-01", "ipadm.c, show-addr of an unknown name")
def test_an_unknown_address_is_said(host: Target, interface: str) -> None:
    said = host.run(f"ipadm show-addr {interface}/ghost")
    assert said == (1, "", "ipadm: Address object not found\n")


@both
@row("IPADM-DOWN-01", "ipadm(8), down-addr, up-addr")
def test_an_address_goes_down_and_up(host: Target, interface: str) -> None:
    host.do(f"ipadm create-addr -t -T static -a {A} {interface}/v4")
    settled(host, f"{interface}/v4")
    host.do(f"ipadm down-addr -t {interface}/v4")
    assert field(host, f"{interface}/v4", "state") == "down"
    host.do(f"ipadm up-addr -t {interface}/v4")
    settled(host, f"{interface}/v4")
    assert field(host, f"{interface}/v4", "state") == "ok"


@both
@row("IPADM-TEMPORARY-01", "ipadm(8), -t")
def test_a_temporary_address_is_not_persistent(host: Target, interface: str) -> None:
    host.do(f"ipadm create-addr -t -T static -a {A} {interface}/v4")
    assert "U" in field(host, f"{interface}/v4", "current") and "U" not in field(host, f"{interface}/v4", "persistent")
    host.fails(f"grep {interface} /etc/ipadm/ipadm.conf")


@row("IPADM-TEMPORARY-02", "libipadm, IPADM_TEMPORARY_OBJ")
def test_a_temporary_address_takes_no_persistent_change(host: Target, interface: str) -> None:
    host.do(f"ipadm create-addr -t -T static -a {A} {interface}/v4")
    assert "Persistent operation on temporary object" in host.fails(f"ipadm down-addr {interface}/v4")


@row("IPADM-DISABLE-01", "ipadm(8), disable-addr, enable-addr")
def test_a_persistent_address_is_disabled_and_enabled(host: Target, link: str) -> None:
    host.do(f"ipadm create-ip {link}; ipadm create-addr -T static -a {A} {link}/v4")
    settled(host, f"{link}/v4")
    host.do(f"ipadm disable-addr -t {link}/v4")
    assert field(host, f"{link}/v4", "state") == "disabled"
    host.do(f"ipadm enable-addr -t {link}/v4")
    settled(host, f"{link}/v4")
    assert field(host, f"{link}/v4", "state") == "ok"
    host.do(f"ipadm delete-addr {link}/v4; ipadm delete-ip {link}")


@both
@row("IPADM-DAD-01", "libipadm, IPADM_DAD_FOUND")
def test_an_address_that_another_host_has_is_duplicate_and_no_error(host: Target, interface: str) -> None:
    mine = [a for a in host.do("ipadm show-addr -p -o addr").splitlines() if "." in a and not a.startswith("127.")]
    other = host.neighbour
    if other is None or not mine:
        pytest.skip("no second host here whose address could be asked for")
    host.do(f"ipadm create-addr -t -T static -a {other}/24 {interface}/dup")
    settled(host, f"{interface}/dup")
    assert field(host, f"{interface}/dup", "state") == "duplicate"


@illumos
@row("IPADM-BARE-01", "ipadm(8), no subcommand")
def test_a_bare_ipadm_shows_addresses_on_illumos(host: Target) -> None:
    assert host.do("ipadm").splitlines()[0].split() == ["ADDROBJ", "TYPE", "STATE", "ADDR"]


@solaris
@row("IPADM-BARE-02", "Solaris 11.4 ipadm(8), no subcommand")
def test_a_bare_ipadm_shows_interfaces_with_their_addresses_on_solaris(host: Target) -> None:
    lines = host.do("ipadm").splitlines()
    assert lines[0].split() == ["NAME", "CLASS/TYPE", "STATE", "UNDER", "ADDR"]
    assert any(line.split()[:3] == ["lo0/v4", "static", "ok"] for line in lines)


# ---- groups


@both
@row("IPMP-01", "ipadm(8), create-ipmp; ipmpstat(8)")
def test_a_group_is_made_of_interfaces_and_taken_apart(host: Target, interface: str) -> None:
    group = f"confg{next(NUMBERS)}"
    host.do(f"ipadm create-ipmp -t {group}" if host.platform == "illumos" else f"ipadm create-ipmp -t {group}")
    try:
        host.do(f"ipadm add-ipmp -t -i {interface} {group}")
        assert host.do("ipmpstat -g -P -o group,interfaces").splitlines() == [f"{group}:{interface}"]
        host.do(f"ipadm remove-ipmp -t -i {interface} {group}")
    finally:
        host.run(f"ipadm remove-ipmp -t -i {interface} {group}")
        host.do(f"ipadm delete-ipmp {group}")


# ---- links


@illumos
@row("DLADM-LINK-01", "dladm.c, show-link")
def test_show_link_has_a_bridge_column_on_illumos(host: Target) -> None:
    assert host.do("dladm show-link").splitlines()[0].split() == ["LINK", "CLASS", "MTU", "STATE", "BRIDGE", "OVER"]


@solaris
@row("DLADM-LINK-02", "Solaris 11.4 dladm(8), show-link")
def test_show_link_has_none_on_solaris(host: Target) -> None:
    assert host.do("dladm show-link").splitlines()[0].split() == ["LINK", "CLASS", "MTU", "STATE", "OVER"]


@both
@row("DLADM-LINK-03", "dladm(8), show-link -p")
def test_link_and_state_are_the_fields_to_ask_for(host: Target, link: str) -> None:
    assert host.do(f"dladm show-link -p -o link,state {link}") == f"{link}:up\n"
    assert host.do(f"dladm show-link -p -o class {link}") == "vnic\n"


@both
@row("DLADM-PHYS-01", "dladm.c, show-phys")
def test_show_phys_has_its_columns(host: Target) -> None:
    assert host.do("dladm show-phys").splitlines()[0].split() == ["LINK", "MEDIA", "STATE", "SPEED", "DUPLEX", "DEVICE"]


@both
@row("DLADM-P-01", "dladm.c, -p requires -o")
def test_p_needs_o_in_dladm_too(host: Target) -> None:
    assert "-p requires -o" in host.fails("dladm show-link -p")


@row("DLADM-VNIC-01", "dladm(8), create-vnic -m")
def test_a_vnic_may_be_given_its_mac_address(host: Target) -> None:
    over = host.do("dladm show-phys -p -o link | head -1").strip()
    name = f"confm{next(NUMBERS)}"
    host.do(f"dladm create-vnic -t -l {over} -m 2:8:20:11:22:33 {name}")
    try:
        assert host.do(f"dladm show-vnic -p -o macaddress {name}").strip().replace("\\", "") == "2:8:20:11:22:33"
        assert "already" in host.fails(f"dladm create-vnic -t -l {over} {name}")
    finally:
        host.do(f"dladm delete-vnic -t {name}")


@row("DLADM-VNIC-02", "dladm.c, delete-vnic")
def test_a_vnic_in_use_is_not_deleted(host: Target, interface: str) -> None:
    host.fails(f"dladm delete-vnic -t {interface}")
    assert host.do(f"dladm show-link -p -o link {interface}") == f"{interface}\n"


# ---- ifconfig


@both
@row("IFCONFIG-01", "ifconfig(8), addif, removeif")
def test_addif_makes_a_logical_interface(host: Target, interface: str) -> None:
    host.do(f"ipadm create-addr -t -T static -a {A} {interface}/v4")
    assert "Created new logical interface" in host.do(f"ifconfig {interface} addif 192.0.2.20/24 up")
    host.until(f"ifconfig {interface}:1 | grep 192.0.2.20")
    assert "192.0.2.20" in host.do("ipadm show-addr -p -o addr")
    host.do(f"ifconfig {interface} removeif 192.0.2.20")
    host.fails(f"ifconfig {interface}:1")


@row("IFCONFIG-02", "ifconfig(8), a name that is none")
def test_ifconfig_says_what_it_does_not_know(host: Target) -> None:
    said = host.run("ifconfig ghost0")
    assert said.status == 1
    assert re.match(r"ifconfig: (status: SIOCGLIFFLAGS: )?ghost0: no such interface", said.err + said.out)
