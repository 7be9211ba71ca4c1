"""The pulse that a peer shows on a shared partition: loss and return are told once, never for one's own disk."""
import asyncio
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, Dict, List, Optional, Tuple

from simulation.world import World
from sundog.daemon.matrix import matrix
from sundog.daemon.pulses import Pulses
from sundog.errors import NotPermitted


class Watched:
    """A world whose nodes look at the pulses as their daemons do."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.told: List[Tuple[str, str, str]] = []      # code, who tells, of whom
        self._pulses: Dict[str, Pulses] = {}

    def run(self, for_s: float) -> "Watched":
        for _ in range(int(for_s * 10)):
            self.world.run(0.1)
            for key, machine in self.world.machines.items():
                if machine.node is not None:
                    known = self._pulses.get(key)
                    if known is None or known.node is not machine.node:
                        known = self._pulses[key] = Pulses(machine.node, self._teller(key))
                    known.look(machine.clock.read(), machine.node.cluster)
        return self

    def _teller(self, key: str):
        def tell(code: str, severity: str, text: str, group: str, node: str) -> None:
            assert "disk:disk1" in text and node in text
            self.told.append((code, key, node))
        return tell

    def state(self, node: str, peer: str, link: str = "disk:disk1") -> str:
        machine = self.world.machines[node]
        assert machine.node is not None
        return machine.node.link_states(machine.clock.read(), peer).get(link, "")

    def silent(self, node: str) -> Dict[str, float]:
        """What its heartbeats say of the disk."""
        machine = self.world.machines[node]
        assert machine.node is not None
        said = machine.node.links.silent(machine.clock.read())
        return {way: for_s for way, for_s in said.items() if "disk:" in way}

    def rows(self, node: str, link: str = "disk:disk1") -> Dict[str, Tuple[str, Optional[int]]]:
        """What `sundog link list` is told there: "TO FROM" -> state, and whole seconds of silence."""
        machine = self.world.machines[node]
        known = machine.node
        assert known is not None

        async def request(op: str, group: str) -> Any:
            if known.leader is None:
                raise NotPermitted("nobody leads")
            return {"text": self.world.answered(machine.request(op)).text}
        daemon: Any = SimpleNamespace(
            node=known, name=node, cluster=known.cluster, request=request,
            loop=SimpleNamespace(time=machine.clock.read),
            members=lambda: [name for name, member in known.ledger.members.items() if member.joined])
        told = asyncio.run(matrix(daemon))["links"]
        return {f"{one['to']} {one['from']}": (one["state"], one["for_s"] and int(one["for_s"])) for one in told
                if one["link"] == link}


def two(seed: int = 3) -> Watched:
    watched = Watched(World(seed=seed).nodes("n1", "n2").disk("disk1").group("web", on="n1").settle())
    return watched.run(10)


def without_a_leader() -> Watched:
    """Two of five live, and reach the partition."""
    watched = Watched(World(seed=4).nodes("n1", "n2", "n3", "n4", "n5").disk("disk1").settle().run(10)).run(10)
    for key in ("n3", "n4", "n5"):
        watched.world.power_off(key)
    return watched.run(30)


def never_seen() -> Watched:
    """n2 has had no path to the partition since it was switched on."""
    world = World(seed=5).nodes("n1", "n2").disk("disk1").group("web", on="n1").build()
    world.partitions["disk1"].unreachable.add("n2")
    return Watched(world.settle()).run(30)


def test_nothing_is_told_while_all_is_well() -> None:
    watched = two().run(60)
    assert watched.told == []
    assert (watched.state("n1", "n2"), watched.state("n2", "n1")) == ("up", "up")
    assert watched.silent("n1") == watched.silent("n2") == {}


def test_a_peer_that_loses_its_disk_is_told_once_by_the_other_and_told_again_when_it_is_back() -> None:
    watched = two()
    watched.world.partitions["disk1"].unreachable.add("n1")
    watched.run(30)
    assert watched.told == [("LINK-LOST", "n2", "n1")]
    assert watched.state("n2", "n1") == "lost"
    assert watched.silent("n2")["n1/disk:disk1"] > 20
    watched.world.heal()
    watched.run(20)
    assert watched.told[1:] == [("LINK-BACK", "n2", "n1")]
    assert (watched.state("n1", "n2"), watched.silent("n1"), watched.silent("n2")) == ("up", {}, {})


def test_who_has_lost_its_own_disk_shows_the_others_as_lost_there_and_tells_of_none() -> None:
    watched = two()
    watched.world.partitions["disk1"].unreachable.add("n1")
    watched.run(30)
    assert not any(who == "n1" for _, who, _ in watched.told)
    assert watched.state("n1", "n2") == "lost"
    assert watched.silent("n1")["n2/disk:disk1"] > 20


def test_a_disk_that_fails_or_hangs_for_all_is_no_lost_peer_also_when_it_comes_back() -> None:
    for fault in ("failing", "hung"):
        watched = two()
        setattr(watched.world.partitions["disk1"], fault, 1.0)
        watched.run(30)
        watched.world.heal()
        watched.run(30)
        assert watched.told == [], fault
        assert watched.state("n1", "n2") == watched.state("n2", "n1") == "up"


def test_a_node_that_dies_is_no_lost_pulse_and_neither_is_one_that_comes_back() -> None:
    watched = two()
    watched.world.power_off("n2")
    watched.run(20)
    assert watched.told == []
    assert watched.state("n1", "n2") == "down"
    watched.world.boot("n2")
    watched.run(60)
    assert watched.told == []
    assert watched.state("n1", "n2") == "up"


def test_a_node_that_has_never_shown_a_pulse_is_told_and_is_silent_since_ever() -> None:
    watched = never_seen()
    assert watched.told == [("LINK-LOST", "n1", "n2")]
    assert watched.silent("n1") == {"n2/disk:disk1": -1.0}


def test_while_nobody_leads_and_nobody_has_a_lease_no_pulse_is_missed() -> None:
    watched = without_a_leader()
    assert all(one.node is None or one.node.leader is None for one in watched.world.machines.values())
    assert watched.state("n1", "n2", "link0") == "up"
    assert watched.told == []


def test_a_partition_that_is_taken_out_of_the_configuration_is_watched_no_more() -> None:
    watched = two()
    watched.world.partitions["disk1"].unreachable.add("n1")
    watched.run(20)
    machine = watched.world.machines["n2"]
    assert machine.node is not None
    watched._pulses["n2"].look(machine.clock.read() + 10, replace(machine.node.cluster, holders={}))
    assert watched.silent("n2") == {}


def test_the_matrix_has_every_partition_as_each_node_sees_it() -> None:
    world = World(seed=6).nodes("n1", "n2", "n3").disk("disk1").group("web", on="n1").settle()
    watched = Watched(world).run(10)
    ways = [f"{to} {peer}" for to in world.machines for peer in world.machines if to != peer]
    for node in world.machines:
        assert watched.rows(node) == dict.fromkeys(ways, ("up", None))
        assert set(watched.rows(node, "link0")) == set(ways)
    world.partitions["disk1"].unreachable.add("n3")
    watched.run(20)
    for node in world.machines:
        rows = watched.rows(node)
        assert {way for way, (state, _) in rows.items() if state == "lost"} == {way for way in ways if "n3" in way}
        assert all((for_s or 0) >= 15 for state, for_s in rows.values() if state == "lost")
    world.heal()
    watched.run(20)
    world.power_off("n2")
    watched.run(20)
    for node in ("n1", "n3"):
        rows = watched.rows(node)
        assert rows[f"{node} n2"][0] == "down"
        assert rows["n2 n1"] == rows["n2 n3"] == ("unknown", None)
        assert rows["n1 n3"] == rows["n3 n1"] == ("up", None)


def test_the_matrix_claims_nothing_of_pulses_while_nobody_leads() -> None:
    watched = without_a_leader()
    assert watched.rows("n1", "link0")["n1 n2"] == ("up", None)
    assert watched.rows("n1")["n1 n2"] == ("unknown", None)


def test_a_pulse_that_was_never_seen_is_called_so_on_every_node() -> None:
    watched = never_seen()
    for node in ("n1", "n2"):
        assert watched.rows(node)["n1 n2"] == ("never", None)
