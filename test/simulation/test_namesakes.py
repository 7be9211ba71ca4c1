"""Two hosts of one name, or of one hostid: the second takes nothing from the first, and learns that it must leave."""
import pytest

from simulation.world import World


@pytest.fixture
def world() -> World:
    return World(seed=1).nodes("n1", "n2", "n3").group("web", on="n1").group("db", on="n2")


@pytest.mark.parametrize("name", ["n1", "n2", "n3"])
def test_a_second_host_with_a_nodes_name_leaves(world: World, name: str) -> None:
    world.settle().run(5)
    thief = world.add_machine("thief", name, "hostid-thief")
    thief.power_on()
    world.run(until=lambda: bool(thief.left))
    world.run(10)
    assert (world.online("web"), world.online("db")) == ("n1", "n2") and world.resets == 0


@pytest.mark.parametrize("name", ["n1", "n2"])
def test_a_copy_of_a_host_that_lives_takes_nothing_from_it(world: World, name: str) -> None:
    """A virtual machine was copied: even its hostid is the same, as after a reboot of the host itself."""
    world.settle().run(5)
    copy = world.add_machine("copy", name, f"hostid-{name}")
    copy.power_on()
    world.run(until=lambda: bool(copy.left))
    world.run(10)
    assert (world.online("web"), world.online("db")) == ("n1", "n2") and world.resets == 0


def test_another_host_under_a_silent_owners_name_is_no_proof_that_the_owner_is_gone(world: World) -> None:
    world.settle().run(5)
    owner = next(node for node in ("n1", "n2") if node != world.leader())
    group = "web" if owner == "n1" else "db"
    world.freeze(owner)
    world.add_machine("thief", owner, "hostid-thief").power_on()
    world.run(until=lambda: world.online(group) not in (None, owner))
    assert world.stopped(owner, group) == float("-inf"), "it is frozen, and past its deadline"


def test_a_second_host_with_a_nodes_hostid_leaves() -> None:
    world = World(seed=5).nodes("n1", "n2", "n3", "n4").group("web", on="n1").build()
    world.machines["n4"].hostid = world.machines["n1"].hostid
    for node in ("n1", "n2", "n3"):
        world.boot(node)
    world.run(until=lambda: world.online("web") == "n1").run(5)
    world.boot("n4").run(until=lambda: bool(world.machines["n4"].left))
    assert world.online("web") == "n1"


@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5, 6])
def test_one_of_two_hosts_of_one_hostid_leaves_also_when_it_has_been_elected_first(seed: int) -> None:
    world = World(seed).nodes("n1", "n2", "n3").group("web", on="n1").group("db", on="n3").build()
    world.machines["n2"].hostid = world.machines["n1"].hostid
    for node in ("n1", "n2", "n3"):
        world.boot(node)
    twins = world.machines["n1"], world.machines["n2"]
    world.run(until=lambda: any(one.left for one in twins))
    world.run(until=lambda: bool(world.online("web") and world.online("db"))).run(5)
    assert [one.left for one in twins].count("") == 1 and world.codes["REFUSED"] == 1


def test_a_host_that_has_another_name_now_waits_for_its_old_one_to_be_deposed() -> None:
    world = World(seed=1).nodes("n1", "n2", "n3").nodes("n4", votes=0).group("web", on="n2").build()
    world.machines["n4"].hostid = world.machines["n1"].hostid
    world.boot("n1").boot("n2").boot("n3").run(until=lambda: world.online("web") == "n2").run(5)
    world.power_off("n1").boot("n4").run(5)
    assert world.entry("web").owner == "n2" and world.joined("n4") and not world.machines["n4"].left
