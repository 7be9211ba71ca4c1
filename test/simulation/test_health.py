"""The judge of liveness must see what is sound, and miss what a sound part leaves undone."""
import pytest

from simulation.health import Health
from simulation.invariants import Broken
from simulation.world import World
from sundog.core import placement


@pytest.fixture
def world() -> World:
    world = World(seed=1).nodes("n1", "n2", "n3", "n4", "n5").group("web", on="n1").settle()
    Health(world)
    return world.run(25)


def sound(world: World) -> str:
    assert world.health is not None
    return " ".join(sorted(world.health.sound()))


def test_a_cluster_without_faults_is_sound(world: World) -> None:
    assert sound(world) == "n1 n2 n3 n4 n5"


def test_of_two_that_do_not_hear_each_other_neither_is_sound(world: World) -> None:
    leader = world.leader()
    one, other = [key for key in world.machines if key != leader][:2]
    world.cut(one, other, one_way=True).run(1)
    assert sound(world) == " ".join(key for key in world.machines if key not in (one, other))


def test_while_a_leader_is_cut_off_from_some_nothing_is_sound(world: World) -> None:
    leader = world.leader()
    assert leader is not None
    world.cut(leader, next(key for key in world.machines if key != leader), one_way=True).run(0.5)
    assert sound(world) == ""


def test_the_smaller_side_is_not_sound_and_a_frozen_host_is_not(world: World) -> None:
    world.cut("n1", "n3", "n4", "n5").cut("n2", "n3", "n4", "n5").freeze("n3").run(1)
    assert sound(world) == ""
    world.thaw("n3").run(30)
    assert sound(world) == "n3 n4 n5"


def test_a_group_that_nobody_places_is_missed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placement, "objection", lambda *_: "no")
    world.power_off("n1")
    with pytest.raises(Broken, match="^L1: web is offline"):
        world.run(60)


def test_a_reset_of_a_sound_host_is_missed(world: World) -> None:
    with pytest.raises(Broken, match="^L2: n2 is reset"):
        world.machines["n2"].reset("no reason")
