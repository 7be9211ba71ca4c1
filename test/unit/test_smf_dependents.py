"""Who stops with whom, and what administrators ask: svc.startd's rules (smf(7), svcadm(8))."""
from typing import Optional

import pytest

from sunlab.smf.orders import (
    Abandon,
    Enabled,
    Removed,
    Run,
)
from sunlab.smf.spec import Spec
from unit.smf_world import World, fmri, needs

# --- restart_on


STOPPED_BY = {"none": (), "error": ("signal", "core"), "restart": ("signal", "core", "exit", "restart"),
              "refresh": ("signal", "core", "exit", "restart", "refresh")}


@pytest.mark.parametrize("restart_on", list(STOPPED_BY))
@pytest.mark.parametrize("cause", ["signal", "core", "exit", "restart", "refresh"])
def test_a_stop_of_the_provider_stops_the_dependents_that_asked_for_it(restart_on: str, cause: str) -> None:
    world = World().load(p=Spec(), d=Spec(dependencies=(needs("p", restart_on=restart_on),)))
    world.forget()
    if cause in ("restart", "refresh"):
        world.ask("p", cause)
    else:
        world.fault("p", cause)
    assert ("stop d" in world.ran) == (cause in STOPPED_BY[restart_on])
    assert world.state("d") == "online"


def test_a_crash_stops_the_provider_first_and_tells_its_dependents_then() -> None:
    world = World().load(p=Spec(), d=Spec(dependencies=(needs("p", restart_on="restart"),)))
    world.forget()
    world.fault("p")
    assert world.ran.index("stop p") < world.ran.index("stop d")


def test_failing_to_maintenance_is_an_error_for_dependents() -> None:
    world = World(auto=False).load(p=Spec(), d=Spec(dependencies=(needs("p", restart_on="error"),)))
    world.done()
    world.done()
    world.forget()
    world.ask("p", "refresh")
    world.done(code=95)
    assert "stop d" in world.ran


def test_a_mark_by_an_administrator_is_no_error_for_dependents() -> None:
    world = World().load(p=Spec(), d=Spec(dependencies=(needs("p", restart_on="error"),)))
    world.forget()
    world.ask("p", "maintenance", "administrative_request")
    assert world.ran == ["stop p"] and world.state("d") == "online"


def test_a_dependent_with_require_any_restarts_on_another_provider() -> None:
    either = needs("p", "q", grouping="require_any", restart_on="restart")
    world = World().load(p=Spec(), q=Spec(), d=Spec(dependencies=(either,)))
    world.disable("p")
    assert world.state("d") == "online" and world.ran.count("start d") == 2


# --- administrators


def test_disable_takes_dependents_down_first_leaves_foremost() -> None:
    world = World().load(a=Spec(), b=Spec(dependencies=(needs("a", restart_on="restart"),)),
                         c=Spec(dependencies=(needs("b", restart_on="refresh"),)))
    world.forget()
    world.disable("a")
    assert world.ran == ["stop c", "stop b", "stop a"]
    assert [world.state(n) for n in "abc"] == ["disabled", "offline", "offline"]


def test_leaves_stop_side_by_side() -> None:
    world = World().load(a=Spec(), b=Spec(dependencies=(needs("a", restart_on="restart"),)),
                         c=Spec(dependencies=(needs("a", restart_on="restart"),)))
    world.forget()
    world.auto = False
    world.disable("a")
    assert sorted(world.ran) == ["stop b", "stop c"]


@pytest.mark.parametrize("restart_on", ["none", "error"])
def test_disable_leaves_dependents_with_none_or_error_up(restart_on: str) -> None:
    world = World().load(a=Spec(), b=Spec(dependencies=(needs("a", restart_on=restart_on),)))
    world.disable("a")
    assert [world.state(n) for n in "ab"] == ["disabled", "online"]
    world.ask("b", "restart")
    assert world.state("b") == "offline"


def test_disabling_a_whole_chain_at_once_goes_from_the_leaf_to_the_root() -> None:
    world = World().load(a=Spec(), b=Spec(dependencies=(needs("a", restart_on="restart"),)),
                         c=Spec(dependencies=(needs("b", restart_on="restart"),)))
    world.forget()
    world.auto = False
    for name in "abc":
        world.disable(name)
    while world.pending:
        world.done()
    assert world.ran == ["stop c", "stop b", "stop a"]
    assert [world.state(n) for n in "abc"] == ["disabled"] * 3


def test_enabling_during_a_take_down_lets_the_dependents_come_back() -> None:
    world = World(auto=False).load(a=Spec(), b=Spec(dependencies=(needs("a", restart_on="restart"),)))
    world.done()
    world.done()
    world.disable("a")
    world.enable("a")
    world.done()
    assert world.ran[-1] == "start b" and world.state("a") == "online"


def test_a_disable_during_a_start_waits_until_the_start_is_through() -> None:
    world = World(auto=False).load(a=Spec())
    world.disable("a")
    assert world.ran == ["start a"]
    world.done()
    assert world.ran == ["start a", "stop a"]
    world.done()
    assert world.state("a") == "disabled"


def test_restart_of_what_does_not_run_does_nothing() -> None:
    world = World().load(enabled=False, a=Spec())
    world.forget()
    world.ask("a", "restart")
    assert world.orders == []


def test_refresh_runs_the_method_only_when_online() -> None:
    world = World().load(a=Spec()).load(enabled=False, b=Spec())
    world.forget()
    world.ask("a", "refresh")
    world.ask("b", "refresh")
    assert world.ran == ["refresh a"] and world.states("a") == ["online*", "online"]


def test_enable_does_not_leave_maintenance_but_disable_and_clear_do() -> None:
    for act, after in (("enable", "maintenance"), ("disable", "disabled"), ("clear", "online")):
        world = World().load(a=Spec())
        world.ask("a", "maintenance", "service_request")
        assert (world.state("a"), world.aux("a")) == ("maintenance", "service_request")
        if act == "clear":
            world.ask("a", "clear")
        else:
            world.feed(Enabled(fmri("a"), act == "enable"))
        assert world.state("a") == after


def test_mark_maintenance_runs_the_stop_method_unless_it_is_immediate() -> None:
    for immediate, ran in ((False, ["stop a"]), (True, [])):
        world = World().load(a=Spec())
        world.forget()
        world.ask("a", "maintenance", "administrative_request", immediate)
        assert world.ran == ran and world.state("a") == "maintenance"


def test_a_deleted_provider_restarts_its_dependents_and_leaves_its_processes() -> None:
    world = World().load(p=Spec(), d=Spec(dependencies=(needs("p", restart_on="restart"),)))
    world.forget()
    world.feed(Removed(fmri("p")))
    assert world.ran == ["stop d"] and Abandon(fmri("p")) in world.orders
    assert world.state("d") == "offline"


def test_starting_an_excluded_service_stops_the_dependent() -> None:
    world = World().load(enabled=False, a=Spec()).load(b=Spec(dependencies=(needs("a", grouping="exclude_all"),)))
    assert world.state("b") == "online"
    world.enable("a")
    assert (world.state("a"), world.state("b")) == ("online", "offline")


def method_of(world: World, name: str) -> Optional[Run]:
    return next((o for o in world.pending if o.fmri == fmri(name)), None)


def test_a_kill_while_a_refresh_is_under_way_counts_when_that_has_ended() -> None:
    world = World(auto=False).load(a=Spec())
    world.done()
    world.ask("a", "refresh")
    world.fault("a", "signal")
    assert world.ran == ["start a", "refresh a"]
    world.done()
    assert world.ran == ["start a", "refresh a", "stop a"] and method_of(world, "a") is not None
