"""Two nodes whose ping targets break the tie (rule 9): what they do alone, and what comes of two that went on alone."""
import os

import pytest

from simulation.scenarios import two
from simulation.trial import trial
from simulation.world import World


@pytest.fixture
def world() -> World:
    return two()


def test_the_survivor_of_two_takes_over_by_its_targets(world: World) -> None:
    world.settle().run(5).power_off("n1")
    world.run(until=lambda: world.online("web") == "n2", within_s=5)
    assert world.online("db") == "n2" and world.resets == 0
    world.boot("n1").run(until=lambda: world.invariants.latest.alone == "", within_s=20)
    world.run(5)
    assert world.resets == 0


def test_the_node_that_does_not_reach_its_targets_resets_itself(world: World) -> None:
    for cut in ("n1", "n2"):
        other = "n2" if cut == "n1" else "n1"
        world.settle().run(5)
        assert world.pings is not None
        world.pings.unreached.add(cut)
        world.cut(cut).run(until=lambda at=other: world.online("web") == world.online("db") == at, within_s=10)
        world.pings.unreached.clear()
        world.heal().run(20)
        for group, home in (("web", "n1"), ("db", "n2")):
            world.ask("move", group, home)
        world.run(10)
    assert world.resets == 2


@pytest.mark.parametrize("booted", [True, False])
def test_targets_that_change_sides_let_the_other_in_when_the_leases_by_them_are_over(world: World,
                                                                                         booted: bool) -> None:
    """n1, still cut off from n2, comes to the targets at the moment in which n2 loses them; also without a boot."""
    world.settle().run(5)
    assert world.pings is not None
    if not booted:
        world.ask("move", "web", "n2")
        world.run(5)
    world.pings.unreached.add("n1")
    world.cut("n1").run(until=lambda: world.online("web") == world.online("db") == "n2", within_s=10)
    world.run(until=lambda: world.is_up("n1"), within_s=30).run(5)
    world.pings.unreached = {"n2"}
    world.run(until=lambda: world.started("n1", "web") > world.started("n2", "web"), within_s=10)
    assert world.stopped("n2", "web") < world.started("n1", "web") and world.resets == 1 + booted


def test_what_the_survivor_did_alone_is_not_lost_when_its_daemon_dies_as_the_other_comes_back(world: World) -> None:
    """The targets remember nothing: while the other is heard it is asked itself, not they in its place."""
    world.settle().run(5).power_off("n1").run(until=lambda: world.online("web") == "n2", within_s=5)
    world.ask("offline", "db", at="n2")
    world.run(5).boot("n1").run(until=lambda: world.is_up("n1"), within_s=40).kill_daemon("n2").run(30)
    assert world.entry("db").wanted == "offline" and world.online("web") and world.forgotten == 0


def test_of_two_that_lost_their_power_the_one_that_comes_back_runs_what_it_can_alone(world: World) -> None:
    world.settle().run(5).power_off("n1").power_off("n2").run(5).boot("n1")
    world.run(until=lambda: world.online("web") == world.online("db") == "n1", within_s=10)


def test_who_comes_back_with_a_ledger_made_alone_gives_way_to_the_one_that_runs_everything(world: World) -> None:
    """n2 did not know what n1 had done alone, and has done something else since."""
    world.settle().run(5).power_off("n2").run(until=lambda: world.online("db") == "n1", within_s=5)
    world.run(3).power_off("n1").boot("n2")
    world.run(until=lambda: world.online("web") == world.online("db") == "n2", within_s=60)
    began = world.started("n2", "web")
    world.boot("n1").run(60)
    assert (world.machines["n1"].files, world.machines["n2"].files) == (2, 1)
    assert world.started("n2", "web") == began and world.online("web") == world.online("db") == "n2"


def test_a_node_that_reaches_no_targets_does_not_go_on_alone(world: World) -> None:
    world.settle().run(5)
    assert world.pings is not None
    world.pings.unreached.add("n2")
    world.power_off("n1").run(10)
    assert world.online("web") is None


@pytest.mark.parametrize("seed", [1, 2])
def test_two_that_reach_the_targets_but_not_each_other_leave_alone_what_answers(seed: int) -> None:
    world = two(seed, honest=False)
    world.settle().run(5).cut("n1").run(15)
    assert [machine.key for machine in world.active_on("web")] == ["n1"]
    assert [machine.key for machine in world.active_on("db")] == ["n2"]
    world.heal().run(until=lambda: (world.online("web"), world.online("db")) == ("n1", "n2"), within_s=60)
    assert world.forgotten == 1 and world.codes["FORK"] >= 1 and world.resets == 0


@pytest.mark.parametrize("policy", ["stop-both", "yield"])
def test_two_owners_after_healing(policy: str) -> None:
    world = World(seed=3).nodes("n1", "n2").arbiter(False, policy).group("web", on="n2")
    world.settle().run(5)
    assert world.pings is not None
    world.pings.hidden = True           # the address does not answer the other node's probes
    world.cut("n1").run(15)
    assert len(world.active_on("web")) == 2
    world.heal()
    if policy == "stop-both":
        world.run(until=lambda: world.entry("web").wanted == "offline" and not world.active_on("web"), within_s=30)
        world.run(20)
        assert not world.active_on("web") and world.codes["DOUBLE-OWNER"] >= 1
        world.answered(world.ask("online", "web"))
    world.run(until=lambda: world.online("web") is not None, within_s=30)
    world.run(20)
    assert world.voters_are_whole() and world.forgotten == 1


SEEDS = int(os.environ.get("SUNDOG_SIM_SEEDS", "60"))


@pytest.mark.parametrize("first", range(0, SEEDS, 10))
def test_storms_double_nothing_while_the_assumption_holds(first: int) -> None:
    for seed in range(first, min(first + 10, SEEDS)):
        trial(seed, storm_s=60.0, profile="pings")


@pytest.mark.parametrize("first", range(0, SEEDS, 10))
def test_storms_in_which_both_reach_the_targets_come_right_again(first: int) -> None:
    for seed in range(first, min(first + 10, SEEDS)):
        trial(seed, storm_s=60.0, profile="forks")
