"""A cluster in which only some nodes vote, while it has no leader: how the others learn who leads."""
from simulation.world import World


def test_a_node_that_missed_the_announcement_is_told_again_by_a_leader_that_it_does_not_beat_to() -> None:
    """Voters out of each other's reach leave it to a node without a vote to lead, and nobody beats to that."""
    world = World(seed=2).nodes("n1", "n2", "n3").nodes("n4", "n5", "n6", votes=0).group("web", on="n5")
    world.settle().run(5)
    for one, other in (("n1", "n2"), ("n2", "n3"), ("n1", "n3")):
        world.cut(one, other)
    world.cut("n4").cut("n6", "n5").run(until=lambda: world.leader() == "n6", within_s=60)
    world.heal().run(until=lambda: world.online("web") is not None and world.joined("n4"))
