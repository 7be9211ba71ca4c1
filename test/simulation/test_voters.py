"""Who votes, changed while groups run; and holders that have lost what they kept: no vote until they are taken in."""
from dataclasses import replace
from typing import Tuple

import pytest

from simulation.scenarios import backup, put_back_as_a_whole
from simulation.world import World
from sundog.config.model import Cluster, DiskHolder
from sundog.core import voters


@pytest.fixture
def world() -> World:
    return World(seed=1).nodes("n1", "n2", "n3").group("web", on="n1").group("db", on="n2")


def pair(seed: int = 1) -> World:
    return World(seed).nodes("n1", "n2").group("web", on="n1").settle().run(5)


def with_voters(cluster: Cluster, nodes: Tuple[str, ...], disks: Tuple[str, ...] = ()) -> Cluster:
    specs = {name: replace(spec, votes=int(name in nodes)) for name, spec in cluster.nodes.items()}
    return replace(cluster, nodes=specs, holders={name: DiskHolder(name, f"/dev/rdsk/{name}") for name in disks})


def change(world: World, nodes: Tuple[str, ...], disks: Tuple[str, ...] = (), at: str = "n1") -> None:
    """Apply it, and wait until the ledger names these holders alone."""
    told = world.answered(world.apply(with_voters(world.cluster, nodes, disks), at))
    assert told.ok, told.text
    world.run(until=lambda: set(world.voters()) == {*nodes, *disks} and world.voters_are_whole())


def test_a_disk_added_to_two_nodes_lets_either_survive_the_other() -> None:
    world = pair()
    change(world, ("n1", "n2"), ("disk1",))
    world.power_off("n1").run(until=lambda: world.online("web") not in (None, "n1"), within_s=4.0)


def test_a_disk_that_was_removed_may_die() -> None:
    world = World(1).nodes("n1", "n2").disk().group("web", on="n1").settle().run(5)
    change(world, ("n1", "n2"))
    world.partitions["disk1"].failing = 1.0
    world.run(10)
    assert world.online("web") == "n1" and world.resets == 0


def test_voters_move_from_nodes_to_disks_and_back_while_groups_run(world: World) -> None:
    world.settle().run(5)
    change(world, ("n1",), ("disk1", "disk2"))
    change(world, ("n2", "n3"), ("disk1",))
    change(world, ("n1", "n2", "n3"))
    assert world.resets == 0 and world.stopped("n1", "web") == float("-inf")


def test_the_only_voting_node_may_die_where_disks_are_the_majority(world: World) -> None:
    world.settle().run(5)
    change(world, ("n1",), ("disk1", "disk2"))
    world.power_off("n1").run(until=lambda: world.online("web") not in (None, "n1"), within_s=4.0)


REPLACED = (("disk1",), ("disk1", "disk2"), ("disk2",))


def replaced(seed: int, stage: int) -> World:
    """Two nodes, and a disk that is being replaced: the new one is added, then the old one removed."""
    world = World(seed).nodes("n1", "n2").disk("disk1").group("web", on="n1").settle().run(5)
    for disks in REPLACED[1:stage + 1]:
        change(world, ("n1", "n2"), disks)
        world.run(1)
    assert world.resets == 0 and world.stopped("n1", "web") == float("-inf")
    return world


def survives(world: World, dead: str) -> None:
    """The other node goes on with the group, and nothing is reset."""
    alive = "n2" if dead == "n1" else "n1"
    world.power_off(dead).run(until=lambda: world.online("web") == alive, within_s=6.0)
    world.run(10)
    assert world.leader() == world.online("web") == alive and world.resets == 0


@pytest.mark.parametrize("stage", range(len(REPLACED)), ids=["old", "both", "new"])
@pytest.mark.parametrize("dead", ["n1", "n2"])
def test_a_disk_is_replaced_while_groups_run_and_either_node_survives_the_other_at_each_stage(
        stage: int, dead: str) -> None:
    world = replaced(1, stage)
    if stage == 2:
        world.partitions["disk1"].failing = 1.0
    survives(world, dead)


@pytest.mark.parametrize("stage", [0, 1])
@pytest.mark.parametrize("dead", ["n1", "n2"])
def test_a_node_that_dies_while_a_disk_is_being_added_or_removed_is_survived_too(stage: int, dead: str) -> None:
    for seed in range(10):
        world = replaced(seed, stage)
        world.apply(with_voters(world.cluster, ("n1", "n2"), REPLACED[stage + 1]), "n1")
        if seed % 2:
            world.run(until=lambda world=world: changing(world)).run(0.002 * (seed - 1))
        else:
            world.run(0.2 * seed)
        survives(world, dead)


def changing(world: World) -> bool:
    return any(machine.node is not None and machine.node.ledger.next_voters for machine in world.machines.values())


def test_a_dead_disk_is_replaced_while_groups_run() -> None:
    world = replaced(1, 0)
    world.partitions["disk1"].failing = 1.0
    world.run(5)
    for disks in REPLACED[1:]:
        change(world, ("n1", "n2"), disks)
    assert world.resets == 0 and world.stopped("n1", "web") == float("-inf")
    survives(world, "n1")


def test_a_set_of_which_no_majority_answers_is_refused_with_the_reason() -> None:
    world = World(1).nodes("n1", "n2").disk().group("web", on="n1").settle().run(5).power_off("n2").run(5)
    told = world.answered(world.apply(with_voters(world.cluster, ("n1", "n2")), "n1"))
    assert not told.ok and "silent: n2" in told.text


def test_a_set_of_new_holders_that_never_answer_is_waited_for_and_nothing_stops() -> None:
    world = pair().disk_fails("disk1")
    world.answered(world.apply(with_voters(world.cluster, ("n1",), ("disk1",)), "n1"))
    world.run(10)
    assert set(world.voters()) == {"n1", "n2"} and world.online("web") == "n1" and world.codes["VOTERS-WAIT"] == 1


def test_a_node_whose_vote_file_is_lost_is_taken_in_again_with_its_new_life(world: World) -> None:
    world.settle().run(5).power_off("n3")
    world.machines["n3"].lose_vote_file()
    world.boot("n3").run(until=lambda: world.voters().get("n3") == "n3.2+")
    world.run(5)
    assert world.resets == 0 and (world.online("web"), world.online("db")) == ("n1", "n2")


def test_a_node_that_forgot_gives_a_cut_off_one_no_majority(world: World) -> None:
    """n3 acknowledged what n1 and n2 agreed on; without its memory it must not help n2 to another truth."""
    world.settle().run(5).kill_daemon("n3", None)
    world.machines["n3"].lose_vote_file()
    world.power_off("n1").run(1).boot("n3").machines["n3"].start_daemon()
    world.run(20)
    assert world.leader() is None and world.codes["VOTE-FORGOTTEN"]
    world.boot("n1").run(until=lambda: world.voters().get("n3") == "n3.2+")


def test_an_older_vote_file_that_was_put_back_never_votes_until_it_is_removed(world: World) -> None:
    world.settle()
    copy = world.machines["n3"].stored
    world.run(5).power_off("n3").run(1)
    world.machines["n3"].put_back(copy)
    world.boot("n3").run(20)
    assert world.codes["VOTE-DISTRUSTED"] and world.resets == 0
    world.power_off("n3").machines["n3"].lose_vote_file()
    world.boot("n3").run(until=world.voters_are_whole)


def test_a_node_with_an_older_vote_file_does_not_stand_for_leader(world: World) -> None:
    world.settle()
    copy = world.machines["n3"].stored
    world.run(5).power_off("n3").run(1)
    world.machines["n3"].put_back(copy)
    world.power_off("n1").boot("n3").run(20)
    assert world.leader() is None


def test_a_host_put_back_as_a_whole_is_found_out_by_its_incarnation_and_told(world: World) -> None:
    node = put_back_as_a_whole(world).run(1).machines["n3"].node
    assert node is not None and node.voting.distrust
    world.power_off("n3").machines["n3"].lose_vote_file()
    world.boot("n3").run(until=world.voters_are_whole)


def test_a_clone_under_another_name_has_no_vote_before_it_is_refused(world: World) -> None:
    world.settle().run(5).power_off("n3").run(10)
    clone = world.machines["n3"]
    clone.hostid, clone.stored = "hostid-n2", world.machines["n2"].stored
    world.invariants.forgot(clone)
    world.boot("n3").run(5)
    assert clone.left and not voters.votes((world.voters(),), "n3", clone.stored.life)


def test_a_disk_labelled_anew_is_taken_in_again() -> None:
    world = World(1).nodes("n1", "n2").disk().group("web", on="n1").settle().run(5)
    world.partitions["disk1"].label_anew()
    world.run(until=lambda: world.voters().get("disk1") == "disk1.2")
    assert world.resets == 0


def test_a_holder_that_has_forgotten_the_first_ledger_gives_no_majority_to_one_that_never_had_it() -> None:
    world = World(1).nodes("n1", "n2", "n3").group("web", on="n2")
    world.build()
    world.boot("n2").boot("n3").run(until=lambda: world.online("web") == "n2")
    world.power_off("n2").power_off("n3").machines["n3"].lose_vote_file()
    world.boot("n1").boot("n3").run(30)
    assert world.leader() is None and not world.active_on("web")


def test_while_a_change_of_voters_waits_those_of_now_stand_for_leader_without_delay(world: World) -> None:
    """Whom the configuration wants no more has its vote until the change is in force: no owner may lose its lease."""
    world.settle().run(5).lead_elsewhere("n1")
    leader = world.leader() or ""
    ask = world.apply(with_voters(world.cluster, (leader,), ("disk1", "disk2")), leader)
    for disk in ("disk1", "disk2"):
        world.partitions[disk].failing = 1.0
    assert world.answered(ask).ok
    world.run(2).power_off(leader).run(until=lambda: world.leader() not in (None, leader), within_s=1.5)
    world.run(10)
    assert world.online("web") == "n1" and world.resets == 0


@pytest.mark.parametrize("again", ["host", "daemon"])
def test_a_host_put_back_as_a_whole_gives_no_majority_to_one_that_has_missed_a_change(world: World, again: str) -> None:
    """n1 and n3 have moved web while n2 was cut off; n1 dies, and n3 comes back from before that."""
    put_back = backup(world.settle().run(5), "n3")
    if again == "host":
        world.power_off("n3").boot("n3").run(10)
    else:
        world.kill_daemon("n3").run(5).kill_daemon("n3").run(5)
    world.cut("n2").run(10)
    world.ask("offline", "web", at="n1")
    world.run(until=lambda: world.entry("web").state == "offline").power_off("n1").power_off("n3").run(1)
    put_back()
    world.boot("n3").heal().run(30)
    assert world.leader() is None and not world.active_on("web")
    world.boot("n1").run(30)
    assert world.entry("web").wanted == "offline" and world.online("db")
