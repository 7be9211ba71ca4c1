"""Instances of another restarter: what svc.startd tells it and what it makes of its reports (smf_restarter(7))."""
from typing import List

from sunlab.smf.orders import Asked, Bound, Enabled, Removed, Reported, Tell, Unbound
from sunlab.smf.spec import Spec
from unit.smf_world import World, fmri, needs

OURS = fmri("inetd")


def told(world: World) -> List[str]:
    found = [f"{order.what} {order.fmri[10:-8]}" for order in world.orders if isinstance(order, Tell)]
    world.orders.clear()
    return found


def bound(**specs: Spec) -> World:
    """A world whose restarter `inetd` listens; every instance but that one and `plain…` is its."""
    world = World().load(inetd=Spec(), **{name: spec if name.startswith("plain") else spec._replace(restarter=OURS)
                                          for name, spec in specs.items()})
    world.feed(Bound(OURS))
    return world


def test_instances_are_uninitialized_until_their_restarter_listens_and_says_otherwise() -> None:
    world = World().load(inetd=Spec(), a=Spec(restarter=OURS))
    assert world.state("a") == "uninitialized" and told(world) == []
    world.feed(Bound(OURS))
    assert told(world) == ["add a"] and world.state("a") == "uninitialized"
    world.feed(Reported(fmri("a"), "offline", "none", "none"))
    assert told(world) == ["start a"] and world.ran == ["start inetd"]


def test_an_instance_is_started_when_its_dependencies_are_satisfied_and_not_before() -> None:
    world = bound(a=Spec(dependencies=(needs("plain"),)), plain=Spec(dependencies=(needs("ghost"),)))
    world.feed(Reported(fmri("a"), "offline", "none", "none"))
    assert told(world) == ["add a"]
    world.load(ghost=Spec())
    assert told(world) == ["start a"]


def test_an_instance_whose_dependency_is_taken_away_is_started() -> None:
    world = bound(a=Spec(dependencies=(needs("ghost"),)))
    world.feed(Reported(fmri("a"), "offline", "none", "none"))
    told(world)
    world.load(a=Spec(restarter=OURS))
    assert told(world)[-1] == "start a"


def test_its_states_are_those_of_the_graph() -> None:
    world = bound(a=Spec(), plain=Spec(dependencies=(needs("a"),)))
    world.feed(Reported(fmri("a"), "offline", "online", "none"))
    assert world.state("plain") == "offline"
    world.feed(Reported(fmri("a"), "online", "none", "none"))
    assert world.state("plain") == "online"


def test_disabling_takes_dependents_down_first() -> None:
    world = bound(a=Spec(), plain=Spec(dependencies=(needs("a", restart_on="restart"),)))
    world.feed(Reported(fmri("a"), "online", "none", "none"))
    world.auto = False
    told(world)
    world.feed(Enabled(fmri("a"), False))
    assert told(world) == [] and world.ran[-1] == "stop plain"
    world.done()
    assert told(world) == ["disable a"]


def test_the_same_thing_is_told_once() -> None:
    world = bound(a=Spec())
    world.feed(Reported(fmri("a"), "disabled", "none", "none"))
    told(world)
    world.feed(Enabled(fmri("a"), True))
    world.feed(Enabled(fmri("a"), True))
    assert told(world) == ["enable a"]


def test_what_an_administrator_asks_for_is_passed_on() -> None:
    world = bound(a=Spec())
    world.feed(Reported(fmri("a"), "online", "none", "none"))
    told(world)
    for what in ("restart", "refresh", "maintenance", "clear"):
        world.feed(Asked(fmri("a"), what))
    assert told(world) == ["restart a", "refresh a", "maintenance a", "clear a"]


def test_a_restarter_that_dies_leaves_states_as_they_are_and_one_that_was_disabled_does_not() -> None:
    world = bound(a=Spec())
    world.feed(Reported(fmri("a"), "online", "none", "none"))
    world.feed(Unbound(OURS))
    assert world.state("a") == "online"
    world.feed(Bound(OURS))
    world.feed(Enabled(OURS, False))
    world.feed(Unbound(OURS))
    assert world.state("a") == "uninitialized"


def test_a_failure_is_an_error_to_dependents() -> None:
    world = bound(a=Spec(), plain=Spec(dependencies=(needs("a", restart_on="error"),)))
    world.feed(Reported(fmri("a"), "online", "none", "none"))
    world.feed(Reported(fmri("a"), "maintenance", "none", "method_failed"))
    assert world.ran[-1] == "stop plain"


def test_an_instance_that_is_deleted_is_removed() -> None:
    world = bound(a=Spec())
    told(world)
    world.feed(Removed(fmri("a")))
    assert told(world) == ["remove a"]


def test_a_report_about_what_is_not_there_changes_nothing() -> None:
    world = bound()
    world.feed(Reported(fmri("ghost"), "online", "none", "none"))
    assert "ghost" not in str(world.machine.units)
