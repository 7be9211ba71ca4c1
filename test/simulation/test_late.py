"""What comes late, or is asked for at the worst moment: it is told from what is so now."""
from typing import Any

import pytest

from simulation.wire import Quality
from simulation.world import World
from sundog.core.frames import LedgerIs


def test_what_a_dead_leader_said_comes_late_and_leads_nobody_astray() -> None:
    """Its last answers arrive when another one leads already: who followed them would beat to the dead."""
    world = World(seed=1, drift=0.0).nodes("n1", "n2", "n3", "n4", "n5").group("web", on="n5").settle().run(5)
    leader = world.leader()
    assert leader not in (None, "n5")
    for late_s in (0.6, 1.1):
        for link in world.wire.qualities:
            world.wire.ways[link, leader, "n5"] = Quality(shortest_s=late_s, spread_s=0.0)
        world.run(5)
    node, followed = world.machines["n5"].node, []
    world.power_off(leader or "")
    for _ in range(400):
        followed.append(world.run(0.01) and node and node.leader)
    new = world.leader()
    assert leader not in followed[followed.index(new):]
    assert world.online("web") == "n5" and world.resets == 0


def test_a_group_taken_offline_and_online_at_once_comes_back_where_it_was() -> None:
    """The owner's word that it has stopped is of the epoch before: it says nothing of the new one."""
    world = World(seed=1).nodes("n1", "n2", "n3").group("web", on="n3").settle().run(5)
    leader = world.leader()
    assert leader not in (None, "n3")
    for link in world.wire.qualities:
        world.wire.ways[link, leader, "n3"] = Quality(shortest_s=0.2, spread_s=0.0)
    world.run(5).ask("offline", "web", at=leader or "")
    world.run(until=lambda: world.entry("web").state == "offline")
    world.ask("online", "web", at=leader or "")
    world.run(5)
    assert world.online("web") == "n3" and not world.entry("web").failures


def test_a_start_method_run_by_hand_after_a_failure_that_the_leader_has_not_heard_of_is_refused() -> None:
    """The ledger has the group here yet, and the lease lasts: but here it has been stopped, and so it will say."""
    world = World(seed=1).nodes("n1", "n2", "n3").group("web", on="n3").group("db", on="n3").settle().run(5)
    assert world.leader() != "n3"
    world.cut("n3").smf("n3").fail("web")
    world.run(until=lambda: "web" not in world.smf("n3").active).run(0.05)
    world.slowness = 20.0
    world.smf("n3").start_astray("web")
    world.run(0.2).heal().run(8)
    assert world.online("web") not in (None, "n3") and world.online("db") == "n3" and world.resets == 0


def half_started(world: World, node: str) -> None:
    """Move web to the node, until half of it is up there."""
    world.ask("move", "web", node)
    world.run(until=lambda: world.smf(node).groups["web"].states == {"data": "on", "ip": "starting"})


def test_a_node_that_was_paused_past_its_lease_and_hears_nobody_starts_nothing_more() -> None:
    """By its own clock its lease lasts: what it was about to start has been started elsewhere."""
    world = World(seed=1).nodes("n1", "n2", "n3").group("web", on="n1").settle().run(5)
    victim = next(node for node in ("n2", "n3") if node != world.leader())
    half_started(world, victim)
    world.cut(victim).suspend(victim).run(15).thaw(victim).run(5)
    assert world.online("web") not in (None, victim)


def test_a_node_that_is_heard_again_while_it_is_being_deposed_gets_no_lease() -> None:
    """It never heard that web was given to it; the round that takes it back is under way for a while."""
    world = World(seed=1, drift=0.0).nodes("n1", "n2", "n3").nodes("n4", votes=0).group("web", on="n1")
    leader = world.settle().run(5).leader() or ""
    world.ask("move", "web", "n4")
    world.run(until=lambda: world.entry("web").state == "stopping")
    world.cut("n4").run(until=lambda: world.entry("web").owner == "n4")
    for late in {"n1", "n2", "n3"} - {leader}:
        for link in world.wire.qualities:
            world.wire.ways[link, leader, late] = Quality(shortest_s=0.35, spread_s=0.0)
    node = world.machines[leader].node
    assert node is not None
    world.run(until=lambda: not node.voting.writer.own.ledger.members["n4"].joined)
    assert world.joined("n4"), "the round is still under way"
    world.wire.cuts.clear()
    world.run(5).wire.heal()
    world.run(until=lambda: world.online("web") is not None)


def test_a_host_that_is_paused_a_second_time_soon_after_is_judged_by_how_it_goes_on_from_there() -> None:
    world = World(seed=1).nodes("n1", "n2", "n3").group("web", on="n1").settle().run(5)
    world.power_off("n2").power_off("n3").run(0.2)
    for paused_s in (15, 10):
        world.suspend("n1").run(paused_s).thaw("n1").run(0.3)
    assert world.smf("n1").active
    world.run(3)
    assert world.resets == 1


def lose_ledgers(world: World, to: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on no ledger reaches the node."""
    send = world.wire.send

    def lossy(sender: Any, receiver: str, body: Any) -> None:
        if receiver != to or not isinstance(body, LedgerIs):
            send(sender, receiver, body)
    monkeypatch.setattr(world.wire, "send", lossy)


def test_a_node_that_knows_of_a_newer_ledger_than_it_has_starts_nothing_by_its_own(
        monkeypatch: pytest.MonkeyPatch) -> None:
    """Its daemon has forgotten that it stopped web, and that web has gone elsewhere is lost on the way."""
    world = World(seed=1).nodes("n1", "n2", "n3").nodes("n4", votes=0).group("web", on="n1").settle().run(5)
    world.ask("move", "web", "n4")
    world.run(until=lambda: world.online("web") == "n4").run(2)
    lose_ledgers(world, "n4", monkeypatch)
    world.smf("n4").fail("web")
    world.run(until=lambda: world.online("web") not in (None, "n4")).kill_daemon("n4").run(5)
    assert world.joined("n4") and world.resets == 0


def test_a_host_that_was_paused_and_is_not_admitted_is_reset_and_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its group is active elsewhere: a stop would write. That it was deposed it learns from the refusal alone."""
    world = World(seed=1).nodes("n1", "n2", "n3").nodes("n4", votes=0).group("web", on="n4").settle().run(5)
    lose_ledgers(world, "n4", monkeypatch)
    world.suspend("n4").run(15)
    stopped = world.codes.get("GROUP-STOPPING", 0)
    world.thaw("n4").run(until=lambda: world.resets == 1, within_s=1.0)
    assert world.codes.get("GROUP-STOPPING", 0) == stopped and world.online("web") not in (None, "n4")


@pytest.mark.parametrize("set_s", [0.0, -20.0])
def test_a_pause_is_known_though_the_wall_clock_was_set_back_shortly_before(set_s: float) -> None:
    world = World(seed=1).nodes("n1", "n2", "n3").group("web", on="n1").settle().run(5)
    victim = next(node for node in ("n2", "n3") if node != world.leader())
    half_started(world.set_wall_clocks(set_s, victim), victim)
    world.cut(victim).suspend(victim).run(15).thaw(victim).run(5)
    assert world.online("web") not in (None, victim) and world.codes["CLOCK-JUMPED"] == 1


def test_an_answer_from_before_a_pause_gives_no_lease_after_it() -> None:
    """It lay in the socket meanwhile, and the clock has not moved: by that the heartbeat was sent just now."""
    for seed in range(8):
        world = World(seed).nodes("n1", "n2", "n3").group("web", on="n1").settle().run(5)
        victim = next(node for node in ("n2", "n3") if node != world.leader())
        for link in world.wire.qualities:
            world.wire.ways[link, world.leader() or "", victim] = Quality(shortest_s=0.1, spread_s=0.0)
        half_started(world, victim)
        world.suspend(victim).run(0.2).cut(victim).run(15).thaw(victim).run(5)
        assert world.online("web") not in (None, victim)


def test_clocks_that_run_as_far_apart_as_is_allowed_leave_no_time_in_which_two_own() -> None:
    """The owner's is 5 % slow, the leader's 5 % fast; the last that is heard of the owner has been answered."""
    for seed in range(4):
        world = World(seed, drift=0.0).nodes("n1", "n2", "n3").group("web", on="n1")
        world.build()
        for node, rate in (("n1", 0.95), ("n2", 1.05), ("n3", 1.05)):
            world.machines[node].clock.rate = rate
        leader = world.settle().run(5).lead_elsewhere("n1").cut("n1").leader() or ""
        for _ in range(125):
            # Whatever is asked has the leader think again: not only when it expects to take over.
            world.run(0.02).ask("clear", "web", at=leader)
        assert world.owner("web") != "n1" and world.resets == 1


def test_a_holder_that_asked_for_the_ledger_before_it_acknowledged_one_has_forgotten_nothing() -> None:
    """Its request for what its new vote file lacks comes when it has acknowledged it: it is no loss of anything."""
    world = World(seed=1).nodes("n1", "n2", "n3").group("web", on="n1").settle().run(5)
    leader = world.leader() or ""
    anew = next(node for node in ("n2", "n3") if node != leader)
    world.power_off(anew).machines[anew].lose_vote_file()
    for link in world.wire.qualities:
        world.wire.ways[link, anew, leader] = Quality(shortest_s=1.5, spread_s=0.0)
    world.boot(anew).run(until=lambda: world.machines[anew].node is not None).run(1.6).wire.ways.clear()
    world.run(8)
    assert world.voters().get(anew) == f"{anew}.2+" and "VOTE-DISTRUSTED" not in world.codes
