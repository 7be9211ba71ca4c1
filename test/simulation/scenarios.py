"""Scenarios each made for one rule: whole cores pass them, and a core without the rule does not.

test_mutants.py takes rules out, hunt.py guards. Each raises AssertionError (Broken is one) when something is wrong.
"""
from typing import Callable, Optional, Tuple

from simulation.faults import Storm
from simulation.trial import calm, trial, world_of
from simulation.world import World

Scenario = Callable[[], object]


def three(seed: int = 1) -> World:
    return World(seed).nodes("n1", "n2", "n3").group("web", on="n1").group("db", on="n2")


def storms() -> None:
    """Seeds of the random test, shorter."""
    for seed in range(6):
        trial(seed, storm_s=60.0, every_s=2.0)


def owner_cut_off() -> None:
    three().settle().run(5).cut("n1").run(20)


def owner_freezes() -> None:
    three().settle().run(5).freeze("n1").run(10).thaw("n1").run(10)


def owner_stalls() -> None:
    """The daemon of an owner does nothing for a while; what it owns is still active."""
    world = three().settle().run(5)
    world.machines["n1"].stall()
    world.run(10)


def owner_is_late() -> None:
    """Every frame takes half a timeout: a lease counted from when its grant arrives would be too long."""
    world = three().settle().run(5)
    for quality in world.wire.qualities.values():
        quality.shortest_s = 1.0
    world.run(0.5).cut("n1").run(10)


def slow_move() -> None:
    world = three().settle().run(5)
    world.slowness = 20.0
    world.ask("move", "web", "n3")
    world.run(30)


def start_by_hand() -> None:
    world = three().settle().run(5)
    world.smf("n3").start_astray("web")
    world.run(5)


def leader_cut_one_way() -> None:
    """The leader hears nobody, one of the others does not hear the leader: both would lead if a holder let them."""
    world = three().settle().run(5)
    leader = world.leader()
    others = [key for key in world.machines if key != leader]
    assert leader is not None
    world.cut(leader, others[0]).run(20)
    world.cut(leader, others[1]).run(20)


def leader_dies_in_a_change() -> None:
    for seed in range(8):
        world = three(seed).settle().run(5)
        leader = world.leader()
        assert leader is not None
        world.ask("move", "web", "n3")
        world.run(0.002 + 0.0005 * seed).power_off(leader).run(10)


def disk_leader_cut_off() -> None:
    world = World(3).nodes("n1", "n2").disk().group("web", on="n1").group("db", on="n2").settle().run(5)
    world.cut("n1", "n2").run(20)


def stop_fails() -> None:
    world = three().settle().run(5)
    world.failing.add(("n1", "web", "stop"))
    world.ask("move", "web", "n2")
    world.run(until=lambda: world.online("web") == "n2")


def daemon_restarts() -> None:
    world = three().settle().run(5).kill_daemon("n1", back_in_s=0.5).run(10)
    assert world.online("web") == "n1" and world.resets == 0, "the restart of a daemon moved a group"
    assert world.stopped("n1", "web") == float("-inf"), "the restart of a daemon stopped a group"


def group_fails_at_home() -> None:
    world = three().settle().run(5)
    world.smf("n1").fail("web")
    world.run(30)
    assert world.online("web") == "n2", "the group was placed again where it had failed"


def comes_back_unclean() -> None:
    """A host brings a group up by itself at boot, and its daemon asks to join."""
    world = three().settle().run(5).power_off("n3").run(10)
    world.boot("n3", active=("web",)).run(5)


def owner_is_suspended() -> None:
    """Past its lease, in the middle of a start: the next method asks for its permit when the host goes on."""
    world = three().settle().run(5)
    world.ask("move", "web", "n2")
    world.run(until=lambda: world.smf("n2").groups["web"].states == {"data": "on", "ip": "starting"})
    world.suspend("n2").run(15).thaw("n2").run(10)


def owner_freezes_with_a_dead_device() -> None:
    world = three().fence().settle().run(5)
    world.devices["n1"].failing = True
    world.freeze("n1").run(10)
    world.devices["n1"].mend()
    world.run(until=lambda: world.online("web") == "n2")


def fenced_twice() -> None:
    """A node that was fenced comes back, and freezes when its device is dead."""
    world = three().fence().settle().run(5).freeze("n1")
    world.run(until=lambda: world.online("web") == "n2").run(until=lambda: world.joined("n1"))
    world.devices["n1"].failing = True
    world.ask("move", "web", "n1")
    world.run(until=lambda: world.online("web") == "n1").freeze("n1").run(20)
    assert world.owner("web") == "n1"


def device_of_another_host() -> None:
    """It says "off" of a node that lives, and nothing when that one freezes later."""
    world = three().fence().settle().run(5).lead_elsewhere("n1")
    world.devices["n1"].astray = True
    world.ask_fence("fence", "n1", "n2")
    world.run(10).devices["n1"].mend()
    world.devices["n1"].failing = True
    world.freeze("n1").run(20)
    world.devices["n1"].mend()
    world.run(until=lambda: world.online("web") == "n2")


def barred_and_alive() -> None:
    """An operator has the disks of a living owner closed to it; its address is up until its lease is over."""
    world = three().fence(by="scsi").settle().run(5).lead_elsewhere("n1")
    world.ask_fence("fence", "n1", "n2")
    world.run(until=lambda: world.online("web") == "n2")


def device_does_not_answer_and_the_operator_is_early() -> None:
    world = three().fence().settle().run(5)
    world.devices["n1"].failing = True
    ask = world.ask_fence("fence-confirm", "n1", "n2")
    world.run(5)
    assert not world.answers[ask].ok


def forgets_all() -> None:
    """n3 helped n1 to a change and lost its memory; the rest must not take its word against it."""
    for seed in range(6):
        world = three(seed).settle().run(5).kill_daemon("n2", None)
        world.run(0.5).ask("move", "web", "n3")
        world.run(2).machines["n3"].kill_daemon()
        world.machines["n3"].lose_vote_file()
        world.power_off("n1").machines["n3"].start_daemon()
        world.machines["n2"].start_daemon()
        world.run(20).boot("n1").run(20)


def storms_of_memory() -> None:
    """Nothing but changes of voters, lost vote files and the death of hosts, close together: seeds that hurt."""
    kinds = {"other voters": 6, "lost vote file": 4, "new label": 3, "power cut": 3, "cut off": 3, "daemon crash": 2}
    for seed in (57, 91, 272):
        world = world_of(seed).settle()
        storm = Storm(world, 1.5, weights=kinds)
        world.run(60.0)
        storm.end()
        calm(world)


def backup(world: World, key: str) -> Callable[[], None]:
    """A copy of all that a host has; what is returned puts it back, and nothing on the host says that it is older."""
    machine = world.machines[key]
    copy, counted = machine.stored, machine.incarnation

    def put_back() -> None:
        machine.stored, machine.incarnation = copy, counted
        world.invariants.forgot(machine)
    return put_back


def put_back_as_a_whole(world: Optional[World] = None) -> World:
    """A host comes back from a backup of everything; its incarnation tells, and so its vote is out."""
    world = (world or three()).settle()
    put_back = backup(world, "n3")
    world.run(5).power_off("n3").boot("n3").run(10).power_off("n3").run(1)
    put_back()
    return world.boot("n3").run(until=lambda: "n3" not in world.voters(), within_s=20)


def two(seed: int = 1, honest: bool = True) -> World:
    return World(seed).nodes("n1", "n2").arbiter(honest).group("web", on="n1").group("db", on="n2")


def forks() -> None:
    """Each goes on alone; after healing one gives way, and everything is online once."""
    world = two(2, honest=False).settle().run(5).cut("n1").run(15).heal()
    world.run(until=lambda: all(map(world.online, ("web", "db"))) and world.voters_are_whole(), within_s=60)
    assert (world.machines["n1"].files, world.machines["n2"].files) == (1, 2), "not the later named gave way"


def in_peace() -> None:
    """While both are there the targets change nothing."""
    world = two().settle()
    version = world.invariants.latest.version
    world.run(20)
    assert world.invariants.latest.version == version, "the arbiter voted while both nodes were there"


def targets_lost_alone() -> None:
    """A node that is alone and loses its targets has no lease longer than L from its last round of pings."""
    world = two().settle().run(5).power_off("n2").run(10)
    assert world.pings is not None
    world.pings.unreached.add("n1")
    world.run(2.05)
    assert world.resets == 1, "a lease outlasted the targets"


def one_forgets_what_two_did() -> None:
    """n1 changes the ledger alone and dies; n2, which was cut off without targets, comes to them and does not know."""
    world = two(4).settle().run(5)
    assert world.pings is not None
    world.pings.unreached.add("n2")
    world.ask("move", "db", "n1")
    world.run(5).cut("n1").run(5).ask("move", "web", "n1", at="n1")
    world.run(1).ask("offline", "db", at="n1")
    world.run(2).power_off("n1")
    world.pings.unreached.clear()
    world.heal().run(10).boot("n1").run(20)
    assert "FORK" in world.codes, "what one did alone was taken for what the other did"


def answers_still() -> None:
    """Both are cut from each other and reach the targets: what answers is left alone."""
    world = two(5, honest=False).settle().run(5).cut("n1").run(15)
    assert [len(world.active_on(group)) for group in ("web", "db")] == [1, 1], "a group that answers was taken"


def doubled() -> None:
    world = two(6, honest=False).settle().run(5)
    assert world.pings is not None
    world.pings.hidden = True
    world.cut("n1").run(15).heal().run(20)
    assert world.codes.get("DOUBLE-OWNER") and not world.active_on("web"), "two owners, and one of them goes on"


#: All that is directed.
ALL: Tuple[Scenario, ...] = (
    owner_cut_off, owner_freezes, owner_stalls, owner_is_late, slow_move, start_by_hand, leader_cut_one_way,
    leader_dies_in_a_change, disk_leader_cut_off, stop_fails, daemon_restarts, group_fails_at_home,
    comes_back_unclean, owner_is_suspended, owner_freezes_with_a_dead_device, fenced_twice, device_of_another_host,
    barred_and_alive, device_does_not_answer_and_the_operator_is_early, forgets_all, put_back_as_a_whole, forks,
    in_peace, targets_lost_alone, one_forgets_what_two_did, answers_still, doubled, storms_of_memory)
