"""A node is off, and known to be, before its groups start elsewhere: what an operator may rely on, in sentences."""
import pytest

from simulation.world import World


@pytest.fixture
def world() -> World:
    return World(seed=1).nodes("n1", "n2", "n3").group("web", on="n1").group("db", on="n2").fence()


def settled(world: World) -> World:
    """With a leader that is no owner of web, so that it can be its device's master."""
    return world.settle().run(5).lead_elsewhere("n1")


def test_a_dead_owner_is_fenced_and_taken_over_within_the_timeout_and_a_second(world: World) -> None:
    settled(world).power_off("n1")
    world.run(until=lambda: world.online("web") == "n2", within_s=2.0 + 1.0 + 0.4)
    assert world.devices["n1"].orders == 1


def test_a_frozen_owner_is_switched_off_before_its_group_starts_elsewhere(world: World) -> None:
    settled(world).freeze("n1")
    world.run(until=lambda: world.online("web") == "n2")
    assert world.stopped("n1", "web") < world.started("n2", "web")
    world.run(until=lambda: world.joined("n1"))


def test_no_device_is_asked_before_the_lease_is_over(world: World) -> None:
    settled(world).freeze("n1").run(1.0)
    assert world.devices["n1"].orders == 0
    world.thaw("n1").run(10)
    assert world.devices["n1"].orders == 0 and world.online("web") == "n1"


def test_groups_wait_for_a_device_that_does_not_answer_and_say_so(world: World) -> None:
    settled(world).devices["n1"].failing = True
    world.power_off("n1").run(60)
    assert world.owner("web") == "n1" and world.online("db")
    assert world.entry("web").why == "waits for fencing of n1: no answer"
    assert 3 < world.devices["n1"].orders < 10
    world.devices["n1"].mend()
    world.run(until=lambda: world.online("web") == "n2", within_s=40)


def test_an_operators_word_frees_what_waits(world: World) -> None:
    settled(world).devices["n1"].failing = True
    world.power_off("n1").run(10)
    assert world.owner("web") == "n1"
    assert world.answered(world.confirm("n1")).text == "n1 is taken to be off; freed: web"
    world.run(until=lambda: world.online("web") == "n2", within_s=1)


def test_an_operators_word_is_not_taken_for_a_node_that_is_heard_or_that_nothing_waits_for(world: World) -> None:
    settled(world)
    answer = world.answered(world.ask_fence("fence-confirm", "n1"))
    assert not answer.ok and "is heard" in answer.text
    world.power_off("n1").run(until=lambda: world.online("web") == "n2")
    answer = world.answered(world.confirm("n1", "n2"))
    assert not answer.ok and answer.text == "nothing waits for n1"


def test_an_operators_word_does_not_count_for_a_later_boot(world: World) -> None:
    settled(world).devices["n1"].failing = True
    boot = world.machines["n1"].boot_id
    world.power_off("n1").boot("n1").run(until=lambda: world.joined("n1"))
    world.freeze("n1").run(5)
    answer = world.answered(world.ask("fence-confirm", node="n1", at="n2", digest=boot))
    assert not answer.ok and "has booted since" in answer.text


def test_a_node_that_boots_again_needs_no_fence(world: World) -> None:
    settled(world).devices["n1"].failing = True
    world.power_off("n1").run(5)
    assert world.owner("web") == "n1"
    world.boot("n1").run(until=lambda: world.online("web") is not None)
    orders = world.devices["n1"].orders
    world.run(60)
    assert world.devices["n1"].orders == orders


def test_a_late_answer_does_not_speak_for_a_later_boot(world: World) -> None:
    settled(world).devices["n1"].reads_s = 6.0
    world.power_off("n1").run(until=lambda: world.devices["n1"].orders == 1)
    world.boot("n1").run(until=lambda: world.joined("n1"))
    world.machines["n1"].power_off()
    world.run(until=lambda: "FENCED" in world.codes)
    world.run(until=lambda: world.online("web") is not None)


def test_the_next_leader_fences_again(world: World) -> None:
    world = World(seed=3).nodes("n1", "n2", "n3", "n4", "n5").group("web", on="n1").fence()
    settled(world).devices["n1"].acts_s = 10.0
    world.freeze("n1").run(until=lambda: world.devices["n1"].orders == 1)
    leader = world.leader()
    assert leader is not None
    world.devices["n1"].acts_s = 0.3
    world.power_off(leader).run(until=lambda: world.online("web") not in (None, "n1"))
    assert world.devices["n1"].orders == 2


def test_tried_takes_over_at_the_end_of_the_lease_though_the_device_is_silent(world: World) -> None:
    settled(world.recovery(fencing="tried")).devices["n1"].hanging = True
    world.power_off("n1").run(until=lambda: world.online("web") == "n2", within_s=2.0 + 1.0)
    assert world.devices["n1"].orders == 1


def test_a_group_that_does_not_stop_costs_its_node_by_the_device(world: World) -> None:
    settled(world).failing.add(("n1", "web", "stop"))
    world.ask("move", "web", "n2")
    world.run(until=lambda: world.online("web") == "n2")
    assert world.devices["n1"].orders == 1


def test_an_operator_fences_a_node_and_its_groups_go_elsewhere(world: World) -> None:
    settled(world)
    assert world.answered(world.ask_fence("fence", "n1")).ok
    world.run(until=lambda: world.online("web") == "n2", within_s=4)


def test_a_device_of_another_host_is_found_out_and_frees_nothing(world: World) -> None:
    settled(world).devices["n1"].astray = True
    assert world.answered(world.ask_fence("fence", "n1")).ok
    world.run(until=lambda: "FENCE-WRONG" in world.codes).run(20)
    assert world.online("web") == "n1" and world.resets == 0
    # What was said of the living node does not count when it is silent later.
    world.devices["n1"].astray, world.devices["n1"].failing = False, True
    world.freeze("n1").run(20)
    assert world.owner("web") == "n1"


def test_an_operator_does_not_fence_away_the_majority_unless_forced(world: World) -> None:
    settled(world).power_off("n3").run(5)
    victim = "n1" if world.leader() == "n2" else "n2"
    answer = world.answered(world.ask_fence("fence", victim))
    assert not answer.ok and "no majority" in answer.text
    assert world.answered(world.ask_fence("fence-forced", victim)).ok
    world.run(until=lambda: world.devices[victim].orders == 1)


def test_the_leader_does_not_fence_itself_nor_a_node_without_device(world: World) -> None:
    world = World(seed=1).nodes("n1", "n2", "n3").group("web", on="n1").fence("n1").settle().run(5)
    assert "no fence device" in world.answered(world.ask_fence("fence", "n2")).text
    leader = world.leader()
    assert leader is not None
    if leader != "n1":
        world.power_off(leader).run(until=lambda: world.leader() not in (None, leader)).boot(leader).run(30)
    if world.leader() == "n1":
        assert "leads the cluster" in world.answered(world.ask_fence("fence", "n1")).text


def test_another_host_of_a_fenced_nodes_name_does_not_stand_for_it(world: World) -> None:
    settled(world).devices["n1"].failing = True
    world.freeze("n1")
    world.add_machine("twin", "n1", "hostid-twin")
    world.run(10).boot("twin").run(20)
    assert world.owner("web") == "n1" and not world.joined("twin")


def test_a_device_switches_on_again_only_what_it_has_switched_off(world: World) -> None:
    settled(world).devices["n1"].reads_s = 10.0
    world.ask_fence("fence", "n1")
    world.run(until=lambda: not world.machines["n1"].power)
    world.devices["n1"].failing = True
    world.boot("n1").run(1).power_off("n1").run(30)
    assert not world.machines["n1"].power
