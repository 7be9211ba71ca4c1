"""A node that only its disks keep from writing: what is proved by it, and what becomes of the node."""
import pytest

from simulation.world import World


@pytest.fixture
def world() -> World:
    world = World(seed=1).nodes("n1", "n2", "n3", "n4", "n5").group("web", on="n1").fence(by="scsi")
    return world.settle().run(5).lead_elsewhere("n1")


def test_a_frozen_owners_group_starts_elsewhere_once_its_disks_are_closed_to_it(world: World) -> None:
    world.freeze("n1").run(until=lambda: world.online("web") == "n2")
    n1 = world.machines["n1"]
    assert n1.power and n1.barred
    world.thaw("n1").run(until=lambda: world.joined("n1"))
    assert world.resets == 1 and not n1.barred


def test_a_suspended_owner_wakes_to_closed_disks(world: World) -> None:
    """With its clock stopped it believes in its lease when it goes on: its disks do not."""
    world.suspend("n1").run(until=lambda: world.online("web") == "n2")
    world.thaw("n1")
    assert not world.machines["n1"].can_write
    world.run(until=lambda: world.resets == 1).run(until=lambda: world.joined("n1"))


def test_groups_wait_while_one_disk_is_out_of_reach(world: World) -> None:
    world.devices["n1"].failing = True
    world.power_off("n1").run(30)
    assert world.owner("web") == "n1" and world.entry("web").why.startswith("waits for fencing of n1")
    world.devices["n1"].mend()
    world.run(until=lambda: world.online("web") == "n2", within_s=40)


def test_a_living_node_that_is_fenced_gets_no_lease_and_comes_to_its_end(world: World) -> None:
    assert world.answered(world.ask_fence("fence", "n1")).ok
    world.run(until=lambda: world.online("web") == "n2")
    assert "FENCE-WRONG" not in world.codes and world.resets == 1
    world.run(until=lambda: world.joined("n1"))


def test_a_living_node_with_nothing_to_lose_stays_out_until_it_boots(world: World) -> None:
    idle = "n5" if world.leader() == "n4" else "n4"
    assert world.answered(world.ask_fence("fence", idle)).ok
    world.run(until=lambda: world.machines[idle].barred).run(10)
    assert not world.joined(idle) and world.resets == 0 and world.online("web") == "n1"
    world.machines[idle].reset("an operator boots it")
    world.run(until=lambda: world.joined(idle))


def test_a_group_that_does_not_stop_costs_its_node_its_disks_and_its_lease(world: World) -> None:
    world.failing.add(("n1", "web", "stop"))
    world.ask("move", "web", "n2")
    world.run(until=lambda: world.online("web") == "n2")
