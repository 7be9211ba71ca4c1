"""A link that is silent while another works is told, on both sides and of any pair; nothing else is."""
from typing import List

from simulation.world import World


def three() -> World:
    return World(seed=3).nodes("n1", "n2", "n3").group("web", on="n1")


def states(world: World, node: str, peer: str) -> List[str]:
    machine = world.machines[node]
    assert machine.node is not None
    return sorted(machine.node.link_states(machine.clock.read(), peer).values())


def test_no_link_is_told_lost_while_all_is_well() -> None:
    world = three().settle().run(60)
    assert "LINK-LOST" not in world.codes
    for node in world.machines:
        for peer in world.machines:
            assert node == peer or states(world, node, peer) == ["up", "up"]


def test_a_link_between_any_two_nodes_that_is_cut_is_told_on_both_and_told_again_when_it_is_back() -> None:
    world = three().settle().run(10)
    pairs = [("n1", "n2"), ("n1", "n3"), ("n2", "n3")]
    for one, other in pairs:
        world.cut(one, other, links=("link0",))
    world.run(10)
    assert world.codes["LINK-LOST"] == 2 * len(pairs)
    assert states(world, "n3", "n2") == ["lost", "up"]
    world.heal().run(10)
    assert world.codes["LINK-BACK"] == 2 * len(pairs)
    assert world.online("web") == "n1" and world.resets == 0


def test_a_link_that_is_deaf_one_way_is_told_on_that_side_only() -> None:
    world = three().settle().run(10)
    world.cut("n2", "n3", links=("link1",), one_way=True).run(10)
    assert (states(world, "n3", "n2"), states(world, "n2", "n3")) == (["lost", "up"], ["up", "up"])


def test_a_node_that_is_gone_is_no_lost_link() -> None:
    world = three().settle().run(10).power_off("n3").run(10)
    assert "LINK-LOST" not in world.codes
    assert states(world, "n1", "n3") == ["down", "down"]


def test_what_a_follower_sends_in_a_beat_does_not_grow_with_the_cluster() -> None:
    sent = {}
    for count in (4, 12):
        world = World(seed=1).nodes(*(f"n{at}" for at in range(5))).nodes(*(f"m{at}" for at in range(count)), votes=0)
        world.group("web", on="n0").settle().run(5)
        counted = [0]
        wire_send = world.wire.send
        follower = world.machines["m1"]

        def count_send(sender, to, body, counted=counted, follower=follower, wire_send=wire_send):
            counted[0] += sender is follower
            wire_send(sender, to, body)
        world.wire.send = count_send
        world.run(20)
        sent[count] = counted[0]
    assert abs(sent[4] - sent[12]) <= 0.1 * sent[4]
