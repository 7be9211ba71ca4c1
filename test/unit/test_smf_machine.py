"""Starting, contracts, throttle: svc.startd's rules (svc.startd(8), smf(7))."""
import pytest

from sunlab.smf.orders import (
    ChildExited,
    Delay,
    Woken,
)
from sunlab.smf.spec import Spec
from sunlab.smf.throttle import Throttle
from unit.smf_world import ILLUMOS, ILLUMOS_2021, SOLARIS, World, fmri, needs

# --- starting


def test_an_enabled_instance_goes_from_offline_in_transition_to_online() -> None:
    world = World().load(a=Spec())
    assert world.states("a") == ["offline", "offline*", "online"]


def test_a_disabled_instance_is_not_started() -> None:
    world = World().load(enabled=False, a=Spec())
    assert world.state("a") == "disabled" and world.ran == []


def test_independent_instances_start_side_by_side() -> None:
    world = World(auto=False).load(a=Spec(), b=Spec(), c=Spec())
    assert world.ran == ["start a", "start b", "start c"]


def test_a_dependent_starts_in_the_same_step_in_which_its_last_dependency_comes_online() -> None:
    world = World(auto=False).load(a=Spec(), b=Spec(), c=Spec(dependencies=(needs("a", "b"),)))
    world.done()
    assert "start c" not in world.ran
    world.done()
    assert world.ran[-1] == "start c"


def test_a_dependency_on_an_absent_service_keeps_the_dependent_offline() -> None:
    world = World().load(a=Spec(dependencies=(needs("ghost"),)))
    assert world.state("a") == "offline"


def test_optional_all_waits_for_an_enabled_one_that_can_still_come() -> None:
    world = World(auto=False).load(a=Spec(), b=Spec(dependencies=(needs("a", grouping="optional_all"),)))
    assert world.ran == ["start a"]
    world.done()
    assert world.ran == ["start a", "start b"]


@pytest.mark.parametrize("why", ["disabled", "absent", "maintenance", "hopeless"])
def test_optional_all_does_not_wait_for_one_that_cannot_come(why: str) -> None:
    world = World()
    if why == "disabled":
        world.load(enabled=False, a=Spec())
    elif why == "maintenance":
        world.load(a=Spec(invalid=True))
    elif why == "hopeless":
        world.load(a=Spec(dependencies=(needs("ghost"),)))
    world.load(b=Spec(dependencies=(needs("a", grouping="optional_all"),)))
    assert world.state("b") == "online"


def test_require_any_is_satisfied_by_one_and_by_an_empty_group() -> None:
    world = World().load(enabled=False, a=Spec()).load(b=Spec())
    world.load(c=Spec(dependencies=(needs("a", "b", grouping="require_any"),)),
               d=Spec(dependencies=(needs(grouping="require_any"),)))
    assert world.state("c") == world.state("d") == "online"


def test_exclude_all_keeps_an_instance_down_while_the_other_runs_and_starts_it_when_that_is_disabled() -> None:
    world = World().load(a=Spec(), b=Spec(dependencies=(needs("a", grouping="exclude_all"),)))
    assert world.state("b") == "offline"
    world.disable("a")
    assert world.state("b") == "online"


def test_a_file_dependency_is_looked_at_only_when_something_triggers_it() -> None:
    spec = Spec(dependencies=(needs("file://localhost/there"),))
    world = World().load(a=spec)
    world.files.add("/there")
    assert world.state("a") == "offline"
    world.load(a=spec)
    assert world.state("a") == "online"


def test_the_instance_that_closes_a_cycle_goes_to_maintenance() -> None:
    world = World().load(a=Spec(dependencies=(needs("b"),)), b=Spec(dependencies=(needs("a"),)))
    assert (world.state("b"), world.aux("b")) == ("maintenance", "dependency_cycle")


def test_exclude_all_edges_make_no_cycle() -> None:
    world = World().load(a=Spec(dependencies=(needs("b", grouping="exclude_all"),)), b=Spec(dependencies=(needs("a"),)))
    assert world.state("b") != "maintenance"


def test_an_invalid_dependency_is_maintenance() -> None:
    world = World().load(a=Spec(invalid=True))
    assert (world.state("a"), world.aux("a")) == ("maintenance", "invalid_dependency")


def test_an_instance_of_another_restarter_stays_uninitialized() -> None:
    world = World().load(a=Spec(restarter="svc:/network/inetd:default"))
    assert world.state("a") == "uninitialized" and world.ran == []


# --- contracts


@pytest.mark.parametrize(("kind", "aux"), [("exit", "ct_ev_exit"), ("signal", "ct_ev_signal"), ("core", "ct_ev_core")])
def test_a_contract_event_runs_the_stop_method_and_starts_again(kind: str, aux: str) -> None:
    world = World(auto=False).load(a=Spec())
    world.done()
    world.forget()
    world.fault("a", kind)
    assert (world.state("a"), world.aux("a"), world.ran) == ("online*", aux, ["stop a"])
    world.done()
    assert (world.state("a"), world.ran) == ("offline*", ["stop a", "start a"])


def test_a_contract_that_is_empty_after_start_is_an_exit() -> None:
    world = World(auto=False).load(a=Spec())
    world.alive[fmri("a")] = False
    world.done()
    assert world.state("a") == "online*" and world.ran == ["start a", "stop a"]


def test_a_transient_service_is_not_watched() -> None:
    world = World().load(a=Spec(duration="transient"))
    world.forget()
    world.fault("a")
    assert world.state("a") == "online" and world.ran == []


def test_ignored_events_stop_nothing() -> None:
    world = World().load(a=Spec(events=frozenset(("exit",))))
    world.fault("a", "core")
    assert world.ran == ["start a"]


def test_a_child_service_is_started_again_without_a_stop_method() -> None:
    world = World().load(a=Spec(duration="child"))
    world.feed(ChildExited(fmri("a"), 0))
    assert (world.state("a"), world.ran) == ("online", ["start a", "start a"])


def test_a_child_service_that_exits_with_96_is_maintenance() -> None:
    world = World().load(a=Spec(duration="child"))
    world.feed(ChildExited(fmri("a"), 96))
    assert world.state("a") == "maintenance"


def test_a_child_service_is_never_too_quick_but_is_slowed_down_when_it_fails() -> None:
    world = World().load(a=Spec(duration="child"))
    for _ in range(50):
        world.feed(ChildExited(fmri("a"), 0))
    assert world.state("a") == "online"
    for _ in range(ILLUMOS.child_count):
        world.feed(ChildExited(fmri("a"), 1))
    assert Delay(fmri("a"), 1.0) in world.orders and world.state("a") == "offline"
    world.feed(Woken(fmri("a")))
    assert world.state("a") == "online"


# --- restarting too quickly


RULES = [(ILLUMOS, 60.0, 9), (ILLUMOS_2021, 500.0, 4), (SOLARIS, 0.5, 9)]


@pytest.mark.parametrize(("profile", "gap_s", "crashes"), RULES)
def test_so_many_crashes_come_back_and_the_next_is_maintenance(profile: Throttle, gap_s: float, crashes: int) -> None:
    world = World(profile).load(a=Spec())
    for _ in range(crashes - 1):
        world.now += gap_s
        world.fault("a")
        assert world.state("a") == "online"
    world.now += gap_s
    world.fault("a")
    assert (world.state("a"), world.aux("a")) == ("maintenance", "restarting_too_quickly")


@pytest.mark.parametrize(("profile", "gap_s"), [(ILLUMOS, 70.0), (ILLUMOS_2021, 700.0), (SOLARIS, 1.1)])
def test_crashes_further_apart_come_back_for_ever(profile: Throttle, gap_s: float) -> None:
    world = World(profile).load(a=Spec())
    for _ in range(30):
        world.now += gap_s
        world.fault("a")
    assert world.state("a") == "online"


def test_an_instances_own_rule_wins() -> None:
    world = World().load(a=Spec(critical=(2, 10.0)))
    world.now = 1.0
    world.fault("a")
    assert world.aux("a") == "restarting_too_quickly"


@pytest.mark.parametrize("reset", ["restart", "disable", "clear", "dependency"])
def test_what_an_administrator_or_a_dependency_does_resets_the_count(reset: str) -> None:
    world = World().load(p=Spec(), a=Spec(dependencies=(needs("p", restart_on="restart"),)))
    for _ in range(8):
        world.fault("a")
    if reset == "restart":
        world.ask("a", "restart")
    elif reset == "dependency":
        world.ask("p", "restart")
    elif reset == "disable":
        world.disable("a")
        world.enable("a")
    else:
        world.ask("a", "maintenance", "administrative_request")
        world.ask("a", "clear")
    for _ in range(8):
        world.fault("a")
    assert world.state("a") == "online"


def test_an_error_of_a_provider_does_not_reset_the_count_of_its_dependent() -> None:
    world = World().load(p=Spec(), a=Spec(dependencies=(needs("p", restart_on="error"),)))
    for _ in range(8):
        world.fault("a")
    world.fault("p", "signal")
    assert (world.state("a"), world.aux("a")) == ("maintenance", "restarting_too_quickly")
