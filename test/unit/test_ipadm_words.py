"""The lab's ipadm: its columns, its addresses, and the frames by which hosts ask and tell about addresses."""
import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sundog.solaris.columns import fields
from sunlab.commands import ifconfig, route
from sunlab.net import columns, groups, neighbours
from sunlab.net.addresses import free_name, read_address
from sunlab.net.columns import Refused, Usage
from sunlab.net.netlink import IFF_RUNNING, IFF_UP, Link

OURS, THEIRS = b"\x02\0\0\0\0\1", b"\x02\0\0\0\0\2"
FOUR, SIX = socket.inet_aton("10.0.0.9"), socket.inet_pton(socket.AF_INET6, "fd00::9")


@given(st.lists(st.text(st.sampled_from("a:\\/ 1"), max_size=6), min_size=2, max_size=5))
def test_what_p_prints_is_read_back_by_the_product(values: "list[str]") -> None:
    assert fields(columns.escaped(values)) == values


def test_a_single_field_is_not_escaped() -> None:
    assert columns.escaped(["fd00::9/64"]) == "fd00::9/64"


def test_options_are_read_as_getopt_does() -> None:
    assert columns.options(["-tT", "static", "-a10.0.0.1/24", "net0/a"], "Ta", "t") == (
        {"t": "", "T": "static", "a": "10.0.0.1/24"}, ["net0/a"])
    with pytest.raises(Usage, match="requires a value"):
        columns.options(["-T"], "T", "")
    with pytest.raises(Usage, match="unrecognized option '-x'"):
        columns.options(["-x"], "T", "")


@pytest.mark.parametrize("text, address", [
    ("10.0.0.9/24", ("10.0.0.9", 24)), ("local=10.0.0.9/24", ("10.0.0.9", 24)), ("10.0.0.9", ("10.0.0.9", 32)),
    ("FD00:0:0::9/64", ("fd00::9", 64)), ("fd00::9", ("fd00::9", 128))])
def test_an_address_is_read_in_the_kernels_spelling(text: str, address: "tuple[str, int]") -> None:
    assert read_address(text) == address


@pytest.mark.parametrize("text", ["", "10.0.0", "10.0.0.1/33", "10.0.0.1/-1", "10.0.0.1/x", "fd00::9/129", "web",
                                  "remote=10.0.0.1/24"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        read_address(text)


def test_a_gratuitous_arp_names_the_sender_twice_and_goes_to_everybody() -> None:
    frame = neighbours.arp(OURS, neighbours.ARP_REPLY, FOUR, neighbours.BROADCAST, FOUR)
    assert frame[:6] == b"\xff" * 6
    assert frame[12:22] == bytes.fromhex("0806 0001 0800 0604 0002")
    assert (frame[22:28], frame[28:32], frame[38:42]) == (OURS, FOUR, FOUR)


def test_an_arp_answer_of_another_machine_is_a_claim_and_our_own_is_not() -> None:
    assert neighbours.claimed(neighbours.arp(THEIRS, neighbours.ARP_REPLY, FOUR, OURS, FOUR), FOUR, OURS)
    assert not neighbours.claimed(neighbours.arp(OURS, neighbours.ARP_REPLY, FOUR, OURS, FOUR), FOUR, OURS)
    other = socket.inet_aton("10.0.0.8")
    assert not neighbours.claimed(neighbours.arp(THEIRS, neighbours.ARP_REPLY, other, OURS, FOUR), FOUR, OURS)


def message(mac: bytes, kind: int) -> bytes:
    option = b"\x02\x01" + mac
    return neighbours.neighbour_message(mac, kind, neighbours.OVERRIDE, SIX, neighbours.ALL_NODES, SIX, option)


def test_a_neighbour_advertisement_is_a_claim_and_a_solicitation_is_not() -> None:
    assert neighbours.claimed(message(THEIRS, neighbours.ADVERTISEMENT), SIX, OURS)
    assert not neighbours.claimed(message(THEIRS, neighbours.SOLICITATION), SIX, OURS)
    assert not neighbours.claimed(message(OURS, neighbours.ADVERTISEMENT), SIX, OURS)


@given(st.binary(min_size=16, max_size=16), st.binary(min_size=16, max_size=16), st.binary(min_size=16, max_size=16))
def test_a_receiver_finds_the_checksum_right(source: bytes, target: bytes, about: bytes) -> None:
    frame = neighbours.neighbour_message(OURS, neighbours.SOLICITATION, 0, source, target, about, b"")
    body = frame[54:]
    whole = source + target + struct.pack("!II", len(body), neighbours.ICMPV6) + body
    total = sum(struct.unpack(f"!{len(whole) // 2}H", whole))
    assert total % 0xFFFF == 0
    assert frame[:6] == b"\x33\x33" + target[12:]


def link(index: int, works: bool) -> Link:
    return Link(index, IFF_UP | (IFF_RUNNING if works else 0), {3: b"net%d\0" % index, 4: struct.pack("I", 1500)}, "")


def present(**works: bool) -> "dict[str, Link]":
    return {name: link(number, up) for number, (name, up) in enumerate(works.items())}


def test_a_standby_link_is_used_while_another_has_failed_and_only_then() -> None:
    group = groups.Group("ipmp0", ("net0", "net1", "net2"), ("net2",))
    assert groups.active(group, present(net0=True, net1=True, net2=True)) == ("net0", "net1")
    assert groups.active(group, present(net0=False, net1=True, net2=True)) == ("net1", "net2")


def test_addresses_leave_a_failed_link_and_stay_where_they_are_when_none_works() -> None:
    group = groups.Group("ipmp0", ("net0", "net1"))
    bound = {"10.0.0.8": "net0", "10.0.0.9": "net1"}
    assert groups.bindings(group, present(net0=False, net1=True), bound) == {"10.0.0.8": "net1", "10.0.0.9": "net1"}
    assert groups.bindings(group, present(net0=False, net1=False), bound) == bound


@given(st.lists(st.booleans(), min_size=1, max_size=4), st.lists(st.integers(0, 4), max_size=8))
def test_every_address_is_on_a_working_link_evenly_and_deciding_again_changes_nothing(
        works: "list[bool]", at: "list[int]") -> None:
    here = present(**{f"net{number}": up for number, up in enumerate(works)})
    group = groups.Group("ipmp0", tuple(here))
    bound = {f"10.0.0.{number}": f"net{place}" if f"net{place}" in here else "" for number, place in enumerate(at)}
    wanted = groups.bindings(group, here, bound)
    assert groups.bindings(group, here, wanted) == wanted
    if any(works):
        load = [list(wanted.values()).count(name) for name in here if here[name].running]
        assert sum(load) == len(bound)
        assert max(load) - min(load) <= 1


def test_a_group_is_degraded_when_a_link_has_failed_and_failed_when_all_have() -> None:
    group = groups.Group("ipmp0", ("net0", "net1"))
    assert groups.state(group, present(net0=True, net1=True)) == "ok"
    assert groups.state(group, present(net0=False, net1=True)) == "degraded"
    assert groups.state(group, present(net0=False, net1=False)) == "failed"


def test_a_name_is_invented_after_those_that_are_taken() -> None:
    assert free_name("net0", "10.0.0.1", set()) == "net0/v4"
    assert free_name("net0", "10.0.0.1", {"net0/v4", "net0/v4a"}) == "net0/v4b"
    assert free_name("net0", "fd00::1", {"net0/v4"}) == "net0/v6"


@given(st.integers(0, 32))
def test_a_netmask_is_read_in_dots_and_in_hexadecimal(prefix: int) -> None:
    number = (0xFFFFFFFF << (32 - prefix)) & 0xFFFFFFFF
    assert ifconfig.mask(prefix) == f"{number:08x}"
    assert ifconfig.prefix_of(f"{number:08x}") == prefix
    assert ifconfig.prefix_of(socket.inet_ntoa(struct.pack("!I", number))) == prefix


@pytest.mark.parametrize("text", ["255.0.255.0", "ff00ff00", "web", "1ffffffff"])
def test_what_is_no_netmask_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        ifconfig.prefix_of(text)


@pytest.mark.parametrize("text, found", [
    ("default", ("0.0.0.0", 0)), ("10.1.0.0/16", ("10.1.0.0", 16)), ("10.1.2.0", ("10.1.2.0", 24)),
    ("10.1.2.3", ("10.1.2.3", 32))])
def test_a_destination_is_a_net_or_a_host(text: str, found: "tuple[str, int]") -> None:
    assert route.destination(text, False) == found


def test_an_unknown_field_is_refused_with_p_and_only_warned_of_without(
        capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Refused, match="unknown output field `b'"):
        columns.show({"A": 5}, "a", [], {"p": "", "o": "a,b"})
    columns.show({"A": 5}, "a", [{"A": "x"}], {"o": "a,b"})
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("A\nx\n", "warning: unknown output field `b'\n")
