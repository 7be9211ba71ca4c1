"""What is of an earlier boot, or of an earlier time, and is told now: nothing is taken from anybody for it."""
from typing import Callable, List

import pytest

from simulation.machine import Machine
from simulation.wire import Frame
from simulation.world import World
from sundog.core.frames import Body, Heartbeat, Refused


def kept_back(world: World, wanted: Callable[[Machine, str, Body], bool], during: Callable[[], object]) -> Frame:
    """The last such frame that was sent meanwhile; it can be received once more, or at last."""
    kept: List[Frame] = []
    send = world.wire.send

    def seen(sender: Machine, to: str, body: Body) -> None:
        if body is not None and wanted(sender, to, body):
            kept.append(Frame(sender.name, sender.boot_id, sender.incarnation, body))
        send(sender, to, body)
    world.wire.send = seen                                                          # type: ignore[method-assign]
    during()
    world.wire.send = send                                                          # type: ignore[method-assign]
    return kept[-1]


def arrives(world: World, frame: Frame, at: str) -> None:
    machine = world.machines[at]
    machine.receive(machine.run, next(iter(world.wire.qualities)), frame)


def booted_again(world: World) -> Frame:
    """web runs on the second boot of n3, n1 leads; a heartbeat of the first boot is still on its way."""
    world.group("web", on="n3").settle().run(5)
    assert world.leader() == "n1"
    world.ask("move", "web", "n2", at="n1")
    world.run(8)
    late = kept_back(world, lambda sender, to, body: sender.key == "n3" and type(body) is Heartbeat,
                     lambda: world.run(1))
    world.power_off("n3").boot("n3").run(10)
    world.ask("move", "web", "n3", at="n1")
    world.run(until=lambda: world.online("web") == "n3").run(2)
    return late


def three() -> World:
    return World(seed=1, drift=0.0).nodes("n1", "n2", "n3")


def test_a_heartbeat_of_an_earlier_boot_is_no_proof_that_the_later_one_is_over() -> None:
    world = three()
    late = booted_again(world)
    world.cut("n3").run(0.75)
    arrives(world, late, "n1")
    world.run(until=lambda: world.online("web") not in (None, "n3")).heal().run(12)
    assert world.voters().get("n3", "").startswith("n3.") and not world.invariants.latest.distrusted


def test_nor_does_it_take_the_place_of_a_fence_that_fails() -> None:
    world = three().recovery(fencing="required").fence("n3")
    late = booted_again(world)
    world.devices["n3"].failing = True
    world.freeze("n3").run(8)
    arrives(world, late, "n1")
    world.run(5)
    assert world.entry("web").owner == "n3" and world.entry("web").boot_id != late.boot_id


def test_a_new_leader_acts_on_no_heartbeat_from_before_it_led() -> None:
    """n2 has one in which web has stopped on n3; it has been adopted, started again and run for long since."""
    world = three().group("web", on="n3").settle().run(5)
    assert world.leader() == "n1"
    world.slowness = 0.2
    world.cut("n1", "n3").run(0.9).smf("n3").fail("web")
    world.run(until=lambda: "web" not in world.smf("n3").active).run(0.1)
    world.machines["n3"].kill_daemon()
    world.heal().cut("n2", "n3").machines["n3"].start_daemon()
    world.run(until=lambda: world.online("web") == "n3").run(3).heal().run(60)
    world.slowness = 3.0
    world.power_off("n1").run(until=lambda: world.leader() == "n2").run(8)
    assert world.online("web") == "n3" and world.entry("web").epoch == 1


@pytest.mark.parametrize("policy", ["fence", "block"])
def test_a_group_that_was_adopted_without_a_vote_file_fails_and_is_cleared_as_any(policy: str) -> None:
    world = three().group("web", on="n3").recovery(on_stop_failed=policy).settle().run(5)
    machine = world.machines["n3"]
    machine.kill_daemon()
    machine.lose_vote_file()
    machine.start_daemon()
    world.run(6).failing.update({("n3", "web", "stop")})
    world.smf("n3").fail("web")
    if policy == "fence":
        world.run(until=lambda: world.online("web") not in (None, "n3"))
        return
    world.run(until=lambda: world.entry("web").state == "stop-failed")
    world.failing.clear()
    world.ask("clear", "web", at="n1")
    world.run(until=lambda: bool(world.online("web")))


def test_a_refusal_from_before_a_boot_was_admitted_stops_nothing() -> None:
    world = three().group("web", on="n3", nodes=("n3",)).settle().run(5)
    assert world.leader() == "n1"
    late = kept_back(world, lambda sender, to, body: type(body) is Refused,
                     lambda: world.power_off("n3").boot("n3", active=("web",)).run(8))
    assert world.online("web") == "n3"
    epoch = world.entry("web").epoch
    arrives(world, late, "n3")
    world.run(8)
    assert world.online("web") == "n3" and world.entry("web").epoch == epoch and not world.entry("web").failures


def test_nor_does_it_cost_the_later_boot_its_vote_when_that_has_been_deposed() -> None:
    world = three()
    late = booted_again(world)
    world.ask("move", "web", "n2", at="n1")
    world.run(until=lambda: world.online("web") == "n2").run(2)
    world.cut("n3").run(5)
    arrives(world, late, "n1")
    world.run(2).heal().run(5)
    assert world.joined("n3") and world.voters().get("n3", "").startswith("n3.")


def copy_of_the_owner(world: World) -> None:
    """n3 runs web and is frozen; a copy of its host, with all that it kept, is switched on in its place."""
    world.group("web", on="n3").settle().run(5)
    if world.leader() == "n3":
        world.lead_elsewhere("n3")
    world.machines["n3"].kill_daemon()
    world.machines["n3"].start_daemon()
    world.run(5).freeze("n3")
    world.add_machine("copy", "n3", "hostid-n3").power_on()


def test_a_copy_of_a_frozen_owner_does_not_take_the_place_of_its_fence() -> None:
    world = three().recovery(fencing="required").fence("n3")
    copy_of_the_owner(world)
    world.devices["n3"].failing = True
    world.run(15)
    assert world.entry("web").boot_id == world.machines["n3"].boot_id
