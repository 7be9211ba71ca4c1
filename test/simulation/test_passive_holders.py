"""A witness beside two nodes, and an ensemble that votes alone."""
from typing import Dict

from simulation.machine import Machine
from simulation.world import World
from sundog.core.effects import WriteDisk


def test_two_nodes_and_a_witness_survive_each_other() -> None:
    world = World(seed=2).nodes("n1", "n2").witness().group("web", on="n1").settle().run(5)
    world.power_off("n1")
    world.run(until=lambda: world.online("web") == "n2", within_s=10)
    world.settle().run(30)
    world.power_off("n2")
    world.run(until=lambda: world.online("web") == "n1", within_s=10)


def test_an_ensemble_that_votes_alone_outlives_all_nodes_but_one() -> None:
    world = World(seed=4).nodes("n1", "n2", "n3").ensemble().group("web", on="n1").settle().run(5)
    for dead, alive in (("n1", ("n2", "n3")), ("n2", ("n3",))):
        if world.online("web") == dead:
            world.power_off(dead)
            world.run(until=lambda alive=alive: world.online("web") in alive, within_s=10)
        else:
            world.power_off(dead)
            world.run(5)
    assert world.online("web") == "n3"


def test_without_the_ensemble_nothing_runs_on() -> None:
    world = World(seed=5).nodes("n1", "n2").ensemble().group("web", on="n1").settle().run(5)
    world.partitions["zookeeper"].failing = 1.0
    world.run(until=lambda: world.online("web") is None, within_s=10)
    world.partitions["zookeeper"].failing = 0.0
    world.run(until=lambda: world.online("web") is not None, within_s=60)


def test_nodes_that_neither_lead_nor_stand_leave_an_ensemble_alone() -> None:
    world = World(seed=7).nodes("n1", "n2", "n3", "n4").ensemble().group("web", on="n1").settle().run(10)
    asked: Dict[str, int] = {}
    partition = world.partitions["zookeeper"]
    exchange = partition.exchange

    def counted(machine: Machine, order: WriteDisk) -> None:
        asked[machine.name] = asked.get(machine.name, 0) + 1
        exchange(machine, order)

    partition.exchange = counted                        # type: ignore[method-assign]
    world.run(10)
    assert len(asked) == 1, "only the leader asks the ensemble"
    assert sum(asked.values()) <= 10 / world.cluster.timing.beat_s + 2
