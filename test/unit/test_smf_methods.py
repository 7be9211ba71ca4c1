"""What the end of a method means: svc.startd's rules (smf_method(7), svc.startd(8))."""
from typing import Optional

import pytest

from sunlab import platform
from sunlab.smf.methods import signal_name, signal_of
from sunlab.smf.orders import (
    Abandon,
    Broken,
    DisableTemporarily,
)
from sunlab.smf.spec import Spec
from unit.smf_world import World, fmri, needs

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


@pytest.mark.parametrize(("system", "code"), [(platform.ILLUMOS, 98), (platform.ILLUMOS, 102), (platform.SOLARIS, 94),
                                              (platform.SOLARIS, 98)])
def test_statuses_that_the_platform_does_not_know_are_plain_failures(system: platform.Platform, code: int) -> None:
    world = World(auto=False, exits=system.exits).load(a=Spec())
    world.done(code=code)
    assert world.ran == ["start a"] * 2


@pytest.mark.parametrize(("system", "code"), [(platform.ILLUMOS, 94), (platform.SOLARIS, 102)])
def test_a_start_without_daemon_is_success_and_abandons_the_contract(system: platform.Platform, code: int) -> None:
    world = World(auto=False, exits=system.exits).load(a=Spec())
    world.alive[fmri("a")] = False
    world.done(code=code)
    assert world.state("a") == "online" and Abandon(fmri("a")) in world.orders


@pytest.mark.parametrize("method", ["stop", "refresh"])
@pytest.mark.parametrize("code", [94, 101])
def test_what_a_start_method_may_say_is_a_failure_of_any_other(method: str, code: int) -> None:
    world = World(auto=False).load(a=Spec())
    world.done()
    world.ask("a", "restart" if method == "stop" else "refresh")
    world.done(code=code)
    assert world.ran == ["start a", f"{method} a", f"{method} a"]


def test_a_start_that_exits_with_97_is_degraded_which_satisfies_dependents_and_clear_restores_it() -> None:
    world = World(auto=False).load(a=Spec(), b=Spec(dependencies=(needs("a"),)))
    world.done(code=97)
    assert world.state("a") == "degraded" and world.ran[-1] == "start b"
    world.ask("a", "restore")
    assert (world.state("a"), world.aux("a")) == ("online", "clear_request")


def test_refresh_leaves_a_degraded_instance_degraded() -> None:
    world = World().load(a=Spec())
    world.ask("a", "degraded", "administrative_request")
    assert (world.state("a"), world.aux("a")) == ("degraded", "administrative_request")
    world.ask("a", "refresh")
    assert world.state("a") == "degraded"
    world.fault("a", "signal")
    assert world.state("a") == "online"


def test_a_start_that_exits_with_101_disables_the_instance_for_now() -> None:
    world = World(auto=False).load(a=Spec())
    world.done(code=101)
    assert world.state("a") == "disabled" and DisableTemporarily(fmri("a")) in world.orders
    assert world.ran == ["start a"]
    world.enable("a")
    assert world.ran == ["start a"] * 2


def test_an_instance_that_makes_no_sense_is_maintenance_and_takes_nobody_with_it() -> None:
    world = World(auto=False).load(a=Spec(), b=Spec())
    world.feed(Broken(fmri("a")))
    assert (world.state("a"), world.aux("a"), world.state("b")) == ("maintenance", "bad_repo_state", "offline*")


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


# --- words


@pytest.mark.parametrize(("command", "number"), [
    (":kill", 15), (":kill -9", 9), (":kill -HUP", 1), (":kill  -KILL ", 9), (":kill -THAW", 18), (":kill -99", None),
    (":kill -_DFL", None), (":kill -SIGHUP", None), (":kill HUP", None), (":killer", None), (":kill -0", None)])
def test_kill_takes_a_signal_as_str2sig_knows_it(command: str, number: Optional[int]) -> None:
    assert signal_of(command) == number


def test_every_signal_has_a_name() -> None:
    assert (signal_name(9), signal_name(40)) == ("KILL", "RTMIN+6")
