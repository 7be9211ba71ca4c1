"""The ping arbiter: what it says is checked in a configuration, what it decides, and its pings over loopback."""
import asyncio
import os
import socket
import struct
from typing import List, Mapping, NamedTuple

import pytest

from sundog.config.fields import Cidr
from sundog.config.load import examine
from sundog.config.model import Cluster, LanLink, NodeSpec, PingArbiter, Timing
from sundog.core import arbiter, double
from sundog.core.events import Arbitrated
from sundog.core.frames import GroupReport
from sundog.core.ledger import Ledger
from sundog.core.membership import Membership
from sundog.daemon import arbiter as pings


class Ip(NamedTuple):
    address: Cidr


GOOD = """\
cluster: shop
nodes:
  n1: {addresses: [10.0.0.1, 192.168.7.1]}
  n2: {addresses: [10.0.0.2, 192.168.7.2]}
links:
  private: {type: lan, network: 192.168.7.0/24}
  public:  {type: lan, network: 10.0.0.0/24}
quorum: {arbiter: ping, targets: [10.0.0.254, 10.0.0.253], threshold: 1}
groups:
  web: {nodes: [n1, n2], resources: {ip: {type: floating-ip, address: 10.0.0.100/24}}}
"""


def said(text: str) -> List[str]:
    types: Mapping[str, type] = {"floating-ip": Ip}
    return [str(problem)[7:] for problem in examine(text, name="c.yaml", types=types, fetch=str).problems]


def errors(text: str) -> List[str]:
    return [line for line in said(text) if ": error: " in line]


def test_ping_for_two_nodes_is_good_and_its_risks_are_said() -> None:
    assert not errors(GOOD)
    assert len([line for line in said(GOOD) if "risk: arbiter ping" in line]) == 2
    assert not [line for line in said(GOOD) if "2 votes" in line]


@pytest.mark.parametrize(("old", "new", "what"), [
    ("arbiter: ping, ", "", "quorum.targets without 'arbiter: ping'"),
    (", targets: [10.0.0.254, 10.0.0.253]", "", "arbiter ping has no targets"),
    ("10.0.0.254", "10.0.0.2", "target 10.0.0.2 is node n2's own"),
    ("10.0.0.254", "10.0.0.100", "target 10.0.0.100 is an address of group web"),
    ("10.0.0.254", "10.0.0.253", "target 10.0.0.253 is there twice"),
    ("threshold: 1", "threshold: 3", "quorum.threshold is 3, of 2 targets"),
    ("quorum: {", "quorum: {holders: {d: {type: disk, device: /dev/d}}, ", "arbiter ping beside d"),
    ("192.168.7.2]}", "192.168.7.2]}\n  n3: {addresses: [10.0.0.3, 192.168.7.3]}", "here are 3 nodes, 3 with a vote"),
    ("192.168.7.2]", "192.168.7.2], votes: 0", "here are 2 nodes, 1 with a vote"),
    ("n2: {", "arbiter: {", "arbiter is the name of the arbiter's vote"),
])
def test_what_ping_cannot_be_is_an_error(old: str, new: str, what: str) -> None:
    found = errors(GOOD.replace(old, new, 1))
    assert any(what in line for line in found), found


def test_on_double_owner_is_for_ping_only() -> None:
    assert not errors(GOOD + "on_double_owner: yield\n")
    text = GOOD.replace("quorum: {arbiter: ping, targets: [10.0.0.254, 10.0.0.253], threshold: 1}\n", "")
    assert any("warning: on_double_owner" in line for line in said(text + "on_double_owner: yield\n"))
    assert any("error" in line for line in said(GOOD + "on_double_owner: stop\n"))


def two(*targets: str) -> Cluster:
    nodes = {name: NodeSpec(name, (f"10.0.0.{n}",)) for n, name in enumerate(("n1", "n2"), 1)}
    return Cluster("c", "key", nodes, {"lan": LanLink("lan", "10.0.0.0/24")}, {}, Timing(1.0),
                   arbiter=PingArbiter(targets or ("127.0.0.1",), len(targets) or 1))


def test_the_targets_speak_only_after_silence_and_only_while_fresh() -> None:
    peers = Membership(("n1", "n2"), 1.0)
    one = arbiter.Arbiter(two(), "n1", peers)
    one.start(100.0)
    peers.heard(101.0, "lan", "n2", "boot")
    one.reached_at = 101.25
    assert not one.acknowledges(101.29, False) and one.promises(101.29, False, False) is None
    one.reached_at = 101.31
    assert one.promises(101.32, False, False) == pytest.approx(101.3)
    assert one.acknowledges(101.32, False)
    peers.heard(101.33, "lan", "n2", "boot")
    assert one.acknowledges(101.35, False), "the other is heard, but has acknowledged nothing yet"
    assert one.promises(101.35, False, False) is None
    assert not one.acknowledges(101.72, False), "the pings are too old"


def test_a_new_ledger_is_chosen_alone_only_if_it_says_so() -> None:
    assert not arbiter.may_choose(Ledger(version=5), "n1", 4)
    assert arbiter.may_choose(Ledger(version=5), "n1", 5)
    assert not arbiter.may_choose(Ledger(version=5, alone="n2"), "n1", 4)
    assert arbiter.may_choose(Ledger(version=5, alone="n1"), "n1", 4)
    assert not arbiter.may_choose(Ledger(), "n1", 0)
    assert arbiter.marked(Ledger(version=5), "n1") == Ledger(version=6, alone="n1")


@pytest.mark.parametrize("led", [(True, True), (True, False), (False, True), (False, False)])
def test_of_two_exactly_one_gives_way(led: "tuple[bool, bool]") -> None:
    votes = [arbiter.LED_ALONE if one else arbiter.ALONE for one in led]
    order = ("n1", "n2")
    ways = [double.gives_way("n1", order, led[0], votes[1]), double.gives_way("n2", order, led[1], votes[0])]
    assert sorted(ways) == [False, True]
    assert ways[1] == (led[0] or not led[1])


def test_two_owners_are_those_that_both_say_they_run() -> None:
    here = [GroupReport("web", 3, "online"), GroupReport("db", 2, "stopped"), GroupReport("mail", 1, "online")]
    there = [GroupReport("web", 2, "starting"), GroupReport("db", 2, "online")]
    assert double.owners("stop-both", here, there) == {"web"}
    assert double.owners("yield", here, there) == frozenset()


def test_an_echo_message_has_the_checksum_of_the_rfc() -> None:
    raw = pings.echo(8, 0x1234, 7, b"\1" * 8)
    assert sum(struct.unpack(">8H", raw)) % 0xFFFF == 0
    head = b"\x46" + b"\0" * 23         # an IPv4 header of 24 bytes
    reply = pings.echo(0, 0x1234, 7, b"\1" * 8)
    assert pings.reply_in(socket.AF_INET, head + reply) == (0x1234, 7, b"\1" * 8)
    assert pings.reply_in(socket.AF_INET, head + raw) is None
    assert pings.reply_in(socket.AF_INET, b"") is None
    assert pings.reply_in(socket.AF_INET6, b"\x81" + reply[1:]) == (0x1234, 7, b"\1" * 8)


@pytest.mark.skipif(os.geteuid() != 0, reason="raw sockets are root's")
@pytest.mark.parametrize("targets", [("127.0.0.1",), ("127.0.0.1", "127.0.0.2"), ("::1",), ("127.0.0.1", "0::1")])
def test_a_round_that_reaches_enough_targets_is_told_with_its_beginning(targets: "tuple[str, ...]") -> None:
    async def run() -> None:
        loop = asyncio.get_running_loop()
        first: "asyncio.Future[Arbitrated]" = loop.create_future()

        def happen(event: Arbitrated) -> None:
            if not first.done():
                first.set_result(event)

        pinger = pings.Pinger(loop, two(*targets), happen, lambda *_: None, lambda: False, tuple)
        began_at = loop.time()
        pinger.start()
        try:
            event = await asyncio.wait_for(first, 20)
        finally:
            pinger.close()
        assert began_at <= event.began_at <= loop.time()
        assert {name for name, one in pinger.state()["targets"].items() if one["answers"]} == set(targets)
    asyncio.run(run())


