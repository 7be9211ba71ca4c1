"""A cluster while it has no leader: who gets to lead, and how the others learn it."""
import pytest

from simulation.world import World


def test_a_node_that_missed_the_announcement_is_told_again_by_a_leader_that_it_does_not_beat_to() -> None:
    """Voters out of each other's reach leave it to a node without a vote to lead, and nobody beats to that."""
    world = World(seed=2).nodes("n1", "n2", "n3").nodes("n4", "n5", "n6", votes=0).group("web", on="n5")
    world.settle().run(5)
    for one, other in (("n1", "n2"), ("n2", "n3"), ("n1", "n3")):
        world.cut(one, other)
    world.cut("n4").cut("n6", "n5").run(until=lambda: world.leader() == "n6", within_s=60)
    world.heal().run(until=lambda: world.online("web") is not None and world.joined("n4"))


@pytest.mark.parametrize("nodes", [3, 7])
def test_candidates_let_each_other_through_where_to_store_a_promise_takes_three_times_as_long_as_the_next_one_waits(
        nodes: int) -> None:
    for seed in range(4):
        world = World(seed).nodes(*(f"n{number}" for number in range(1, nodes + 1))).group("web", on="n1")
        world.store_s = 0.15
        world.settle(within_s=5)
