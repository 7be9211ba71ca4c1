"""svc.startd's rules, fed to the machine without a process or a clock (svc.startd(8), smf(7), smf_method(7))."""
from typing import Dict, List, Optional

import pytest

from sunlab import platform
from sunlab.smf.machine import Machine
from sunlab.smf.orders import (
    Abandon,
    Asked,
    ChildExited,
    Configured,
    Delay,
    Enabled,
    Event,
    Fault,
    Loaded,
    MethodDone,
    Order,
    Removed,
    Run,
    State,
    Woken,
)
from sunlab.smf.spec import Dependency, Spec
from sunlab.smf.throttle import Throttle, of

ILLUMOS, SOLARIS = of(platform.ILLUMOS), of(platform.SOLARIS)
#: illumos-gate in 2021: the mean gap of the last 5 under 600 s.
ILLUMOS_2021 = Throttle(starts=5, span_s=2400.0, child_count=5)


def fmri(name: str) -> str:
    return f"svc:/site/{name}:default"


def needs(*names: str, grouping: str = "require_all", restart_on: str = "none") -> Dependency:
    entities = tuple(n if n.startswith("file:") else f"svc:/site/{n}" for n in names)
    return Dependency("needs", grouping, restart_on, entities)


class World:
    """A machine whose methods end when the test says so; `auto` ends them at once, well."""

    def __init__(self, throttle: Throttle = ILLUMOS, auto: bool = True) -> None:
        self.files: set = set()
        self.alive: Dict[str, bool] = {}
        self.now = 0.0
        self.auto = auto
        self.ran: List[str] = []            # "start a", "stop b", ...
        self.pending: List[Run] = []
        self.orders: List[Order] = []
        self.machine = Machine(throttle, self.files.__contains__, lambda f: self.alive.get(f, True))

    def feed(self, event: Event) -> None:
        events = [event]
        while events:
            orders = self.machine.step(self.now, events.pop(0))
            self.orders += orders
            for order in orders:
                if isinstance(order, Run):
                    self.ran.append(f"{order.method} {order.fmri[10:-8]}")
                    if self.auto:
                        events.append(MethodDone(order.fmri, order.method, 0))
                    else:
                        self.pending.append(order)

    def load(self, enabled: bool = True, **services: Spec) -> "World":
        self.feed(Loaded(tuple(Configured(fmri(n), s, enabled) for n, s in services.items())))
        return self

    def done(self, code: int = 0, signal: int = 0, **more: bool) -> None:
        """The oldest method in hand ends."""
        order = self.pending.pop(0)
        self.feed(MethodDone(order.fmri, order.method, code, signal, **more))

    def enable(self, name: str) -> None:
        self.feed(Enabled(fmri(name), True))

    def disable(self, name: str) -> None:
        self.feed(Enabled(fmri(name), False))

    def ask(self, name: str, what: str, aux: str = "none", immediate: bool = False) -> None:
        self.feed(Asked(fmri(name), what, aux, immediate))

    def fault(self, name: str, kind: str = "exit") -> None:
        self.feed(Fault(fmri(name), kind))

    def state(self, name: str) -> str:
        unit = self.machine.units[fmri(name)]
        return unit.state + ("*" if unit.next != "none" else "")

    def aux(self, name: str) -> str:
        return self.machine.units[fmri(name)].aux

    def forget(self) -> None:
        self.ran.clear()
        self.orders.clear()

    def states(self, name: str) -> List[str]:
        return [o.state + ("*" if o.next != "none" else "") for o in self.orders
                if isinstance(o, State) and o.fmri == fmri(name)]


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


# --- methods' outcomes


def test_a_failing_start_is_retried_at_once_and_the_third_failure_is_maintenance() -> None:
    world = World(auto=False).load(a=Spec())
    for _ in range(2):
        world.done(code=1)
        assert world.state("a") == "offline*"
    world.done(code=1)
    assert world.ran == ["start a"] * 3
    assert (world.state("a"), world.aux("a")) == ("maintenance", "fault_threshold_reached")


def test_a_success_resets_the_count_of_failures() -> None:
    world = World(auto=False).load(a=Spec())
    world.done(code=1)
    world.done(code=1)
    world.done()
    world.fault("a", "signal")
    world.done()
    world.done(code=1)
    world.done(code=1)
    assert world.state("a") == "offline*"


@pytest.mark.parametrize("code", [95, 96, 99, 100])
def test_these_exit_codes_are_maintenance_without_a_retry(code: int) -> None:
    world = World(auto=False).load(a=Spec())
    world.done(code=code)
    assert (world.state("a"), world.aux("a"), world.ran) == ("maintenance", "method_failed", ["start a"])


@pytest.mark.parametrize("code", [97, 98, 101, 102])
def test_other_smf_codes_are_plain_failures(code: int) -> None:
    world = World(auto=False).load(a=Spec())
    world.done(code=code)
    assert world.ran == ["start a"] * 2


def test_exit_94_is_success_and_abandons_the_contract() -> None:
    world = World(auto=False).load(a=Spec())
    world.done(code=94)
    assert world.state("a") == "online" and Abandon(fmri("a")) in world.orders


def test_a_time_out_without_timeout_retry_is_maintenance_at_once() -> None:
    world = World(auto=False).load(a=Spec(timeout_retry=False))
    world.done(signal=9, timed_out=True)
    assert (world.state("a"), world.aux("a")) == ("maintenance", "method_failed")


def test_three_time_outs_in_a_row_are_maintenance() -> None:
    world = World(auto=False).load(a=Spec())
    for _ in range(3):
        world.done(signal=9, timed_out=True)
    assert (world.state("a"), world.ran) == ("maintenance", ["start a"] * 3)


def test_a_stop_whose_contract_had_to_be_killed_is_maintenance_and_not_retried() -> None:
    world = World(auto=False).load(a=Spec())
    world.done()
    world.disable("a")
    world.done(lingered=True)
    assert (world.state("a"), world.aux("a"), world.ran) == ("maintenance", "method_failed", ["start a", "stop a"])


def test_a_stop_method_is_retried_too() -> None:
    world = World(auto=False).load(a=Spec())
    world.done()
    world.disable("a")
    for _ in range(3):
        world.done(code=1)
    assert (world.state("a"), world.ran) == ("maintenance", ["start a"] + ["stop a"] * 3)


def test_a_token_that_is_not_there_is_maintenance() -> None:
    world = World(auto=False).load(a=Spec())
    world.done(invalid=True)
    assert (world.state("a"), world.aux("a")) == ("maintenance", "method_failed")


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
