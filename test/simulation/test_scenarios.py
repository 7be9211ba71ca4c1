"""One fault, one consequence: what an operator may rely on, said in sentences."""
import pytest

from simulation.layout import with_group
from simulation.world import World


def three() -> World:
    return World(seed=1).nodes("n1", "n2", "n3").group("web", on="n1").group("db", on="n2")


@pytest.fixture
def world() -> World:
    return three()


def test_a_new_cluster_starts_each_group_where_it_prefers_to_be(world: World) -> None:
    world.settle()
    assert (world.online("web"), world.online("db")) == ("n1", "n2")


def test_a_dead_owner_is_taken_over_within_the_timeout_and_a_second(world: World) -> None:
    world.settle().run(5).power_off("n1")
    world.run(until=lambda: world.online("web") == "n2", within_s=2.0 + 1.0)
    assert world.online("db") == "n2"


def test_a_dead_owner_is_not_taken_over_before_the_timeout(world: World) -> None:
    world.settle().run(5).power_off("n1")
    world.run(1.8)
    assert world.owner("web") == "n1"


def test_a_node_cut_off_stops_before_its_groups_start_elsewhere(world: World) -> None:
    world.settle().run(5).cut("n1")
    world.run(until=lambda: world.online("web") == "n2")
    assert world.stopped("n1", "web") < world.started("n2", "web")
    assert world.resets == 1


def test_the_death_of_the_leader_resets_no_owner(world: World) -> None:
    world.settle().run(5)
    leader = world.leader()
    assert leader is not None
    world.power_off(leader).run(10)
    assert world.resets == 0
    assert world.online("web") and world.online("db")
    assert world.leader() not in (None, leader)


def test_a_leader_cut_off_resets_no_other_owner(world: World) -> None:
    world.settle().run(5)
    leader = world.leader()
    assert leader is not None
    world.cut(leader).run(until=lambda: world.leader() not in (None, leader))
    world.run(10)
    assert world.resets == 1
    assert leader not in (world.online("web"), world.online("db"))


def test_a_daemon_that_comes_back_at_once_moves_nothing(world: World) -> None:
    world.settle().run(5)
    started = world.started("n1", "web")
    world.kill_daemon("n1", back_in_s=0.5).run(10)
    assert world.online("web") == "n1" and world.resets == 0
    assert world.stopped("n1", "web") < started


def test_a_daemon_that_stays_dead_takes_its_host_with_it(world: World) -> None:
    world.settle().run(5).kill_daemon("n1", back_in_s=None)
    world.run(until=lambda: world.online("web") == "n2")
    assert world.resets == 1


def test_a_frozen_owner_is_reset_when_it_thaws(world: World) -> None:
    world.settle().run(5).freeze("n1")
    world.run(until=lambda: world.online("web") == "n2")
    assert world.resets == 0
    world.thaw("n1").run(0.001)
    assert world.resets == 1


def test_an_owner_paused_with_its_clock_is_reset_as_soon_as_it_hears_that_it_was_replaced(world: World) -> None:
    world.settle().run(5).suspend("n1")
    world.run(until=lambda: world.online("web") == "n2", within_s=20)
    resets = world.resets
    world.thaw("n1").run(0.2)
    assert world.resets == resets + 1
    assert not world.machines["n1"].can_write


def test_a_pause_with_the_clock_that_ends_within_the_lease_moves_nothing(world: World) -> None:
    world.settle().run(5).suspend("n1").run(1.0).thaw("n1").run(10)
    assert world.online("web") == "n1"
    assert world.resets == 0
    assert world.codes["CLOCK-JUMPED"] == 1


@pytest.mark.parametrize("by_s", [3600.0, -3600.0, 1.0, 0.21])
def test_wall_clocks_that_are_set_on_all_nodes_reset_nobody(by_s: float) -> None:
    for seed in range(10):
        world = World(seed).nodes("n1", "n2", "n3").group("web", on="n1").group("db", on="n2").settle().run(5)
        for pause_s in (0.37, 0.8, 2.1, 0.05):
            world.set_wall_clocks(by_s).run(pause_s)
        world.run(10)
        assert world.resets == 0
        assert world.online("web") == "n1"


def test_a_wall_clock_that_is_set_on_the_leader_alone_resets_nobody(world: World) -> None:
    world.settle().run(5)
    for _ in range(10):
        leader = world.leader()
        if leader is not None:
            world.set_wall_clocks(7200.0, leader)
        world.run(0.41)
    world.run(10)
    assert world.resets == 0


def test_a_short_freeze_moves_nothing(world: World) -> None:
    world.settle().run(5).freeze("n1").run(0.5)
    world.thaw("n1").run(10)
    assert world.online("web") == "n1" and world.resets == 0


def test_a_move_starts_only_after_the_stop_was_confirmed(world: World) -> None:
    world.settle().run(5)
    world.slowness = 20.0
    world.ask("move", "web", "n3")
    world.run(until=lambda: world.online("web") == "n3")
    assert world.started("n1", "web") < world.stopped("n1", "web") < world.started("n3", "web")


def test_a_move_takes_less_than_its_methods_and_a_few_milliseconds(world: World) -> None:
    world.settle().run(5)
    world.ask("move", "web", "n3")
    world.run(until=lambda: world.online("web") == "n3", within_s=1.0)


def test_one_link_of_two_carries_the_cluster(world: World) -> None:
    world.settle().run(5).cut("n1", links=("link0",)).run(20)
    assert world.online("web") == "n1" and world.resets == 0


def test_two_nodes_and_a_disk_survive_each_other() -> None:
    world = World(seed=2).nodes("n1", "n2").disk().group("web", on="n1").settle().run(5)
    world.power_off("n1").run(until=lambda: world.online("web") == "n2", within_s=2.0 + 1.0)
    world.boot("n1").run(20).power_off("n2")
    world.run(until=lambda: world.online("web") == "n1", within_s=2.0 + 1.0)


def test_two_nodes_that_cannot_hear_each_other_leave_one_owner() -> None:
    world = World(seed=3).nodes("n1", "n2").disk().group("web", on="n1").group("db", on="n2").settle().run(5)
    world.cut("n1", "n2").run(30)
    assert not world.invariants.online_once() or world.resets


def test_a_node_without_a_majority_runs_nothing(world: World) -> None:
    world.settle().run(5).power_off("n1").power_off("n2").run(10)
    assert world.active_on("web") == [] and world.active_on("db") == []


def test_a_voter_whose_daemon_restarts_lets_nobody_in_before_its_promise_is_over() -> None:
    world = World(seed=7).nodes("n1", "n2", "n3").group("web", on="n1").settle().run(5)
    challenger = world.leader()
    assert challenger is not None
    world.power_off(challenger).run(5).boot(challenger).run(30)
    leader = world.leader()
    assert leader not in (None, challenger), "the challenger has led before, so the voter has a block of its"
    voter = next(node for node in world.machines if node not in (leader, challenger))
    world.cut(leader or "", challenger).run(3)
    for part in range(20):
        world.kill_daemon(voter, back_in_s=0.2).run(1.3 + 0.07 * part)
    assert world.leader() is not None


def test_a_challenger_does_not_overtake_a_leader_whose_write_to_a_slow_disk_is_under_way() -> None:
    for seed in range(8):
        world = World(seed, drift=0.0).nodes("n1", "n2").disk().settle().run(5).cut("n1", "n2")
        world.partitions["disk1"].slowest_s = 0.15
        world.run(40)
        assert world.codes["LEADER-ELECTED"] > 1, "nobody challenged the leader"


def test_disks_hold_a_challenger_off_by_the_leader_of_today_not_by_one_that_is_dead() -> None:
    world = World(seed=8).nodes("n1", "n2", "n3").disk("disk1").disk("disk2").disk("disk3").group("web").settle().run(5)
    first = world.leader()
    assert first is not None
    world.power_off(first).run(until=lambda: world.leader() not in (None, first)).run(5)
    second = world.leader() or ""
    last = next(node for node in world.machines if node not in (first, second))
    world.cut(second, last).run(10)
    assert world.leader() == second
    world.power_off(second).run(until=lambda: world.leader() == last)


def test_a_new_leader_waits_for_leases_that_only_its_voter_knows_of() -> None:
    for seed in range(4):
        for number in (0, 1):
            world = World(seed).nodes("n1", "n2", "n3").settle().run(5)
            first = world.leader() or ""
            challenger = [node for node in world.machines if node != first][number]
            world.cut(first, challenger).run(4).power_off(first)
            world.run(6)
            assert world.leader() not in (None, first)


def test_the_guard_covers_clocks_that_are_5_percent_fast_and_slow() -> None:
    for slow in ("n1", "n2", "n3"):
        world = World(seed=9).nodes("n1", "n2", "n3").group("web", on="n1").build()
        for machine in world.machines.values():
            machine.clock.rate = 0.95 if machine.key == slow else 1.05
        world.settle().run(5).cut("n1")
        world.run(6)
        assert world.online("web") not in (None, "n1")


def test_after_all_lose_power_the_groups_come_back(world: World) -> None:
    world.settle().run(5)
    for node in ("n1", "n2", "n3"):
        world.power_off(node)
    world.run(5).settle()
    assert world.online("web") and world.online("db")


def test_a_node_that_reboots_fast_is_known_to_run_nothing(world: World) -> None:
    world.settle().run(5).power_off("n1").run(0.3).boot("n1")
    world.run(until=lambda: world.online("web") is not None, within_s=1.5)


def test_a_group_that_failed_somewhere_is_not_placed_there_again_until_cleared(world: World) -> None:
    world.settle().run(5)
    world.smf("n1").fail("web")
    world.run(until=lambda: world.online("web") == "n2")
    world.power_off("n2").run(until=lambda: world.online("web") == "n3")
    world.ask("clear", "web", at="n1")
    world.run(2).power_off("n3").boot("n2")
    world.run(until=lambda: world.online("web") == "n1")


def test_a_group_that_failed_everywhere_stays_offline_and_says_why(world: World) -> None:
    world.settle().run(5)
    world.failing.update((node, "web", "start") for node in ("n1", "n2", "n3"))
    world.smf("n1").fail("web")
    world.run(20)
    entry = world.entry("web")
    assert entry.state == "offline" and entry.why
    assert {failure.node for failure in entry.failures} == {"n1", "n2", "n3"}


def test_a_stop_that_fails_blocks_until_the_owner_is_gone(world: World) -> None:
    world.settle().run(5)
    world.failing.add(("n1", "web", "stop"))
    world.ask("move", "web", "n2")
    world.run(until=lambda: world.online("web") == "n2")
    assert world.resets == 1 and world.stopped("n1", "web") < world.started("n2", "web")


def test_a_stop_that_fails_waits_for_a_human_where_so_configured() -> None:
    world = World(seed=4).nodes("n1", "n2", "n3").group("web", on="n1").recovery(on_stop_failed="block").settle().run(5)
    world.failing.add(("n1", "web", "stop"))
    world.ask("move", "web", "n2")
    world.run(60)
    assert world.entry("web").state == "stop-failed" and world.resets == 0


def test_a_start_method_run_by_hand_on_another_node_is_refused(world: World) -> None:
    world.settle().run(5)
    world.smf("n3").start_astray("web")
    world.run(5)
    assert [machine.key for machine in world.active_on("web")] == ["n1"]


def test_svcadm_disable_takes_the_group_offline_in_the_whole_cluster(world: World) -> None:
    world.settle().run(5)
    world.smf("n1").operator_disables("web")
    world.run(until=lambda: world.active_on("web") == [])
    world.run(20)
    assert world.active_on("web") == [] and world.entry("web").wanted == "offline"


def test_svcadm_enable_brings_the_group_to_that_node(world: World) -> None:
    world.settle().run(5)
    world.smf("n3").operator_enables("web")
    world.run(until=lambda: world.online("web") == "n3")


def test_a_host_that_brought_a_group_up_by_itself_stops_it_before_it_joins(world: World) -> None:
    world.settle().run(5).power_off("n3").run(10)
    world.boot("n3", active=("web",)).run(until=lambda: "web" not in world.smf("n3").active)
    world.run(5).ask("move", "web", "n3")
    world.run(until=lambda: world.online("web") == "n3")


def test_a_group_added_to_the_configuration_is_known_everywhere_and_comes_online(world: World) -> None:
    world.settle().run(5)
    told = world.answered(world.apply(with_group(world.cluster, "mail", ("n3", "n1"), True, "manual"), at="n2"))
    assert told.ok
    world.run(until=lambda: world.online("mail") == "n3").power_off("n3")
    world.run(until=lambda: world.online("mail") == "n1")


def test_thirty_two_nodes_take_over_from_a_dead_one() -> None:
    names = [f"n{number:02}" for number in range(1, 33)]
    world = World(seed=6, links=1).nodes(*names[:5]).nodes(*names[5:], votes=0)
    for number in range(8):
        world.group(f"g{number}", on=names[number])
    world.settle().run(2)
    world.power_off("n08").run(until=lambda: world.online("g7") not in (None, "n08"), within_s=2.0 + 1.0)
    assert world.resets == 0
