"""LAN links over real sockets on loopback addresses: who is heard, over what, and what is dropped.

IPv6 has one loopback address, so its sockets are tried with those of IPv4 in it (RFC 4291, 2.5.5.2), and with ::1
where one node is enough; lab tests have networks of IPv6.
"""
import asyncio
import socket
from contextlib import contextmanager
from typing import Any, Dict, Iterator, List, NamedTuple, Tuple

import pytest

from sundog.config.model import Cluster, LanLink, NodeSpec, Timing
from sundog.core.events import Heard
from sundog.core.frames import Ask, Refused
from sundog.link.codec import pack_body
from sundog.link.frame import NO_SESSION, Frame, cluster_id, seal, unseal
from sundog.link.lan import Lan

KEY = bytes(range(32))


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


class Family(NamedTuple):
    prefix: str
    bits: int
    elsewhere: str                      # an address and a network that no host has

    def seats(self, n: int) -> Tuple[str, str]:
        return f"{self.prefix}127.0.1.{n}", f"{self.prefix}127.0.2.{n}"


@pytest.fixture(params=[Family("", 24, "192.0.2."), Family("::ffff:", 120, "2001:db8::")], ids=["IPv4", "IPv6"])
def family(request: pytest.FixtureRequest) -> Family:
    found: Family = request.param
    return found


@pytest.fixture
def cluster(family: Family) -> Cluster:
    port = free_port()
    nodes = {f"n{n}": NodeSpec(f"n{n}", family.seats(n)) for n in (1, 2, 3)}
    links = {name: LanLink(name, f"{family.prefix}127.0.{net}.0/{family.bits}", port)
             for net, name in enumerate(("private", "public"), 1)}
    return Cluster("shop", "", nodes, links, {}, Timing(1.0))


class Ear:
    """A node's links, and what came in over them."""

    def __init__(self, cluster: Cluster, name: str, boot: Tuple[str, int] = ("boot", 1), key: bytes = KEY) -> None:
        self.heard: "asyncio.Queue[Heard]" = asyncio.Queue()
        self.told: List[str] = []
        self.texts: List[str] = []
        self.lan = Lan(asyncio.get_running_loop(), cluster, name, boot, key, self.hears,
                       self.tells)

    def tells(self, code: str, severity: str, text: str) -> None:
        self.told.append(code)
        self.texts.append(text)

    def hears(self, *events: Heard) -> None:
        for event in events:
            self.heard.put_nowait(event)

    async def body(self) -> Any:
        """The next body that comes."""
        while True:
            heard = await asyncio.wait_for(self.heard.get(), 5)
            if heard.body is not None:
                return heard


@contextmanager
def opened(*ears: Ear) -> Iterator[None]:
    try:
        for ear in ears:
            ear.lan.open()
        yield
    finally:
        for ear in ears:
            ear.lan.close()


async def acquainted(*ears: Ear) -> None:
    """Every one has greeted every other."""
    while not all(one.lan.gate.known(other.lan.name) for one in ears for other in ears if one is not other):
        await asyncio.wait_for(asyncio.gather(*(ear.heard.get() for ear in ears)), 5)


def test_a_body_arrives_once_and_counts_for_every_link(cluster):
    async def scene() -> None:
        one, two = Ear(cluster, "n1"), Ear(cluster, "n2")
        with opened(one, two):
            await acquainted(one, two)
            while not two.heard.empty():
                two.heard.get_nowait()
            one.lan.send("n2", Ask("n1:1", "online", "web"))
            got = [await asyncio.wait_for(two.heard.get(), 5) for _ in range(2)]
            assert {heard.link for heard in got} == {"private", "public"}
            assert [heard.body for heard in got] == [Ask("n1:1", "online", "web"), None]
            assert (got[0].sender, got[0].boot_id, got[0].incarnation) == ("n1", "boot", 1)
    asyncio.run(scene())


def test_a_frame_of_another_key_is_counted_and_dropped_and_its_sender_is_told_of_once(cluster):
    async def scene() -> None:
        one, two = Ear(cluster, "n1"), Ear(cluster, "n2", key=bytes(32))
        with opened(one, two):
            while not (one.lan.dropped["key"] > 10 and two.lan.dropped["key"] > 10):
                for ear in (one, two):
                    ear.lan.greet("private")
                    ear.lan.greet("public")
                await asyncio.sleep(0)
            assert one.told == two.told == ["WRONG-KEY", "WRONG-KEY"], "once of each address"
            assert one.heard.empty()
            assert two.heard.empty()
    asyncio.run(asyncio.wait_for(scene(), 5))


def test_garbage_and_strangers_are_counted_and_dropped(cluster):
    async def scene() -> None:
        one = Ear(cluster, "n1")
        port = cluster.links["private"].port
        with opened(one), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as noise:
            stranger = Ear(cluster, "n2")
            stranger.lan.name = "n9"
            noise.sendto(b"hello", ("127.0.1.1", port))
            noise.sendto(seal(stranger.lan._frame(bytes(8), b""), cluster_id("shop"), KEY), ("127.0.1.1", port))
            noise.sendto(seal(stranger.lan._frame(bytes(8), b""), cluster_id("bank"), KEY), ("127.0.1.1", port))
            while one.lan.received < 3:
                await asyncio.sleep(0)
            assert one.lan.dropped == {"garbage": 1, "unknown": 2}
    asyncio.run(asyncio.wait_for(scene(), 5))


def test_what_was_recorded_before_a_restart_is_not_let_in_after_it(cluster):
    async def scene() -> None:
        port = cluster.links["private"].port
        one, two = Ear(cluster, "n1"), Ear(cluster, "n2")
        with opened(one, two):
            await acquainted(one, two)
            frame = one.lan._frame(two.lan.gate.session, pack_body(Ask("n1:1", "offline", "web")))
            recorded = seal(frame, cluster_id("shop"), KEY)
            one.lan.send("n2", Ask("n1:2", "online", "web"))
            assert (await two.body()).body.ask == "n1:2"
        again = Ear(cluster, "n2", boot=("boot", 2))
        with opened(again), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as player:
            player.sendto(recorded, ("127.0.1.2", port))
            while again.lan.received < 1:
                await asyncio.sleep(0)
            assert again.heard.empty()
    asyncio.run(asyncio.wait_for(scene(), 10))


def test_a_restarted_node_is_heard_again_at_once(cluster):
    async def scene() -> None:
        one, two = Ear(cluster, "n1"), Ear(cluster, "n2")
        with opened(one):
            with opened(two):
                await acquainted(one, two)
            again = Ear(cluster, "n2", boot=("boot", 2))
            with opened(again):
                await acquainted(again, one)
                one.lan.send("n2", Ask("n1:1", "online"))
                assert (await again.body()).body.ask == "n1:1"
                again.lan.send("n1", Ask("n2:1", "online"))
                heard = await one.body()
                assert (heard.incarnation, heard.body.ask) == (2, "n2:1")
    asyncio.run(scene())


def test_a_refusal_reaches_the_boot_that_is_meant_and_not_the_rightful_bearer_of_the_name(cluster, family):
    async def scene() -> None:
        elsewhere = {**cluster.nodes, "n2": NodeSpec("n2", family.seats(9))}
        moved = Cluster("shop", "", elsewhere, cluster.links, {}, cluster.timing)
        leader, rightful, impostor = Ear(cluster, "n1"), Ear(cluster, "n2"), Ear(moved, "n2", boot=("other", 1))
        with opened(leader, rightful, impostor):
            await acquainted(leader, rightful)
            while len(leader.lan.gate.known("n2")) < 2:
                await leader.heard.get()
            leader.lan.send("n2", Refused("two hosts are called n2", "rename one", True, "other"))
            assert (await impostor.body()).body.reason == "two hosts are called n2"
            leader.lan.send("n2", Ask("n1:1", "online"))
            assert isinstance((await rightful.body()).body, Ask)
    asyncio.run(asyncio.wait_for(scene(), 10))


def test_an_address_that_is_not_there_is_told_once_and_the_other_link_serves(cluster, family):
    async def scene() -> None:
        absent = NodeSpec("n1", (f"{family.elsewhere}1", family.seats(1)[1]))
        nodes: Dict[str, NodeSpec] = {**cluster.nodes, "n1": absent}
        network = f"{family.elsewhere}0/{family.bits}"
        links = {**cluster.links, "private": LanLink("private", network, cluster.links["private"].port)}
        one = Ear(Cluster("shop", "", nodes, links, {}), "n1")
        two = Ear(cluster, "n2")
        with opened(one, two):
            await acquainted(one, two)
            assert one.told == ["LINK-NO-ADDRESS"]
            assert one.texts[0].endswith(": Cannot assign requested address; 'ipadm show-addr' lists the addresses of "
                                         "this host and whether they are up")
    asyncio.run(scene())


def test_a_port_that_another_program_has_is_told_with_what_to_do(cluster):
    async def scene() -> None:
        one, again = Ear(cluster, "n1"), Ear(cluster, "n1")
        with opened(one, again):
            assert again.told == ["LINK-NO-ADDRESS"] * 2
            assert "Address already in use; 'netstat -an' shows that port in use" in again.texts[0]
    asyncio.run(scene())


def test_the_same_datagram_counts_once_for_each_link_however_often_it_comes(cluster):
    async def scene() -> None:
        ear = Ear(cluster, "n1")
        packed = pack_body(Ask("n2:1", "online", "web"))
        frame = Frame("n2", "boot", 1, bytes(range(8)), ear.lan.gate.session, 7, packed)
        datagram = seal(frame, cluster_id("shop"), KEY)
        heard = [ear.lan._receive(link, ("127.0.1.2", 1), datagram)
                 for link in ("private", "public", "private", "private", "public")]
        heard.append(ear.lan._receive("public", ("127.0.1.2", 1), datagram[:-1] + bytes([datagram[-1] ^ 1])))
        assert [one.body is not None for one in heard if one is not None] == [True, False]
        assert dict(ear.lan.dropped) == {"stale": 3, "key": 1}
    asyncio.run(scene())


def test_a_frame_over_ipv6_is_taken_and_answered_where_it_came_from():
    async def scene() -> None:
        nodes = {f"n{n}": NodeSpec(f"n{n}", (f"::{n}",)) for n in (1, 2)}
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as far:
            far.bind(("::1", 0))
            far.settimeout(5)
            cluster = Cluster("shop", "", nodes, {"six": LanLink("six", "::/64", free_port())}, {}, Timing(1.0))
            one, two = Ear(cluster, "n1"), Ear(cluster, "n2")
            with opened(one):
                hello = seal(two.lan._frame(NO_SESSION, b""), cluster_id("shop"), KEY)
                far.sendto(hello, ("::1", cluster.links["six"].port))
                answer = await asyncio.get_running_loop().run_in_executor(None, far.recv, 65536)
                session = unseal(answer, cluster_id("shop"), KEY).session
                frame = two.lan._frame(session, pack_body(Ask("n2:1", "online", "web")))
                far.sendto(seal(frame, cluster_id("shop"), KEY), ("::1", cluster.links["six"].port))
                heard = await one.body()
                assert (heard.link, heard.sender, heard.body) == ("six", "n2", Ask("n2:1", "online", "web"))
                assert one.told == []
    asyncio.run(scene())
