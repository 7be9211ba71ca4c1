"""What the zones' restarter of Solaris 11.4 makes of a zone's instance (svc.zones(8))."""
from typing import List

from sunlab.zones.keeper import Keeper


def said(keeper: Keeper) -> List[str]:
    return [str(order) for order in keeper.taken()]


def wish(keeper: Keeper, enabled: bool) -> None:
    keeper.enabled = enabled
    keeper.look()


def zone_is(keeper: Keeper, state: str) -> None:
    keeper.zone = state
    keeper.look()


def goals_are(keeper: Keeper, state: str) -> None:
    keeper.goals = state
    keeper.look()


def added(zone: str = "installed", enabled: bool = False, state: str = "uninitialized", tracks: bool = True) -> Keeper:
    keeper = Keeper(zone, tracks)
    keeper.enabled = enabled
    keeper.add(state)
    return keeper


def booted(keeper: Keeper) -> Keeper:
    keeper.start()
    assert "run boot" in said(keeper)
    zone_is(keeper, "running")
    keeper.done(True)
    return keeper


def running() -> Keeper:
    keeper = booted(added(enabled=True))
    goals_are(keeper, "online")
    assert said(keeper)[-1] == "report online none dependencies_satisfied"
    return keeper


def halted(keeper: Keeper) -> None:
    zone_is(keeper, "installed")
    keeper.done(True)


def test_an_instance_of_a_halted_zone_is_disabled() -> None:
    assert added().state == "disabled"


def test_enabling_boots_the_zone_once_its_dependencies_are_satisfied() -> None:
    keeper = added()
    keeper.taken()
    wish(keeper, True)
    assert said(keeper) == ["report offline none enable_request"]
    keeper.start()
    assert said(keeper) == ["report offline online dependencies_satisfied", "run boot"]


def test_it_is_online_when_the_zone_has_reached_its_goals_and_no_sooner() -> None:
    keeper = booted(added(enabled=True))
    assert (keeper.state, keeper.next) == ("offline", "online")
    goals_are(keeper, "offline")
    assert (keeper.state, keeper.next) == ("offline", "online")
    goals_are(keeper, "online")
    assert (keeper.state, keeper.next) == ("online", "none")


def test_a_restarter_that_is_told_to_ignore_goals_is_content_with_the_boot() -> None:
    assert booted(added(enabled=True, tracks=False)).state == "online"


def test_a_boot_that_fails_is_maintenance_at_once() -> None:
    keeper = added(enabled=True)
    keeper.start()
    keeper.done(False)
    assert keeper.state == "maintenance"


def test_disabling_does_not_leave_maintenance_and_clearing_does() -> None:
    keeper = added(enabled=True)
    keeper.start()
    keeper.done(False)
    wish(keeper, False)
    assert keeper.state == "maintenance"
    keeper.clear()
    assert keeper.state == "disabled"


def test_clearing_an_enabled_instance_lets_it_try_again() -> None:
    keeper = added(enabled=True)
    keeper.start()
    keeper.done(False)
    keeper.clear()
    booted(keeper)


def test_disabling_shuts_the_zone_down_and_halts_what_does_not_end() -> None:
    keeper = running()
    wish(keeper, False)
    assert said(keeper) == ["report online disabled disable_request", "run shutdown"]
    keeper.done(False)
    assert said(keeper) == ["run halt"]
    halted(keeper)
    assert said(keeper) == ["report disabled none disable_request"]


def test_a_zone_that_zoneadm_boots_is_not_booted_by_its_instance_too() -> None:
    keeper = added()
    keeper.taken()
    keeper.acting = True
    wish(keeper, True)
    keeper.start()
    assert said(keeper) == []
    keeper.acting = False
    zone_is(keeper, "running")
    goals_are(keeper, "online")
    assert keeper.state == "online" and "run boot" not in said(keeper)


def test_a_zone_that_zoneadm_halts_and_boots_again_is_left_alone() -> None:
    keeper = running()
    keeper.acting = True
    zone_is(keeper, "installed")
    wish(keeper, False)
    zone_is(keeper, "running")
    assert said(keeper) == []
    keeper.acting, keeper.enabled = False, True
    goals_are(keeper, "online")
    assert said(keeper) == []


def test_a_zone_that_ends_by_itself_has_its_instance_disabled() -> None:
    keeper = running()
    zone_is(keeper, "installed")
    assert said(keeper) == ["disable"]
    wish(keeper, False)
    assert said(keeper) == ["report disabled none disable_request"]


def test_goals_in_maintenance_are_the_instances_and_it_leaves_with_them() -> None:
    keeper = running()
    goals_are(keeper, "maintenance")
    assert keeper.state == "maintenance"
    goals_are(keeper, "online")
    assert keeper.state == "online"


def test_a_zone_that_reboots_is_offline_until_its_goals_are_reached_again() -> None:
    keeper = running()
    zone_is(keeper, "down")
    zone_is(keeper, "ready")
    zone_is(keeper, "running")
    goals_are(keeper, "offline")
    assert (keeper.state, keeper.next) == ("offline", "online")
    goals_are(keeper, "online")
    assert keeper.state == "online"


def test_a_zone_that_cannot_be_booted_from_its_state_is_maintenance() -> None:
    keeper = added("incomplete", enabled=True)
    keeper.start()
    assert keeper.state == "maintenance"


def test_an_unavailable_zone_is_attached_and_boots_when_that_went_well() -> None:
    keeper = added("unavailable", enabled=True)
    assert said(keeper) == ["run attach"]
    zone_is(keeper, "installed")
    keeper.done(True)
    booted(keeper)


def test_clearing_tries_to_attach_an_unavailable_zone_again() -> None:
    keeper = added("unavailable", enabled=True)
    keeper.done(False)
    keeper.start()
    assert keeper.state == "maintenance"
    keeper.taken()
    keeper.clear()
    assert said(keeper) == ["run attach"]
    zone_is(keeper, "installed")
    keeper.done(True)
    assert keeper.state == "offline"


def test_a_new_restarter_takes_over_a_zone_that_runs() -> None:
    keeper = added("running", enabled=True, state="online")
    goals_are(keeper, "online")
    assert (keeper.state, said(keeper)) == ("online", [])


def test_a_restart_shuts_down_and_waits_to_be_started() -> None:
    keeper = running()
    keeper.stop("offline", "restart_request")
    assert said(keeper)[-1] == "run shutdown"
    halted(keeper)
    assert (keeper.state, keeper.next) == ("offline", "none")
    booted(keeper)


def test_a_disable_during_the_boot_shuts_down_after_it() -> None:
    keeper = added(enabled=True)
    keeper.start()
    keeper.taken()
    wish(keeper, False)
    assert said(keeper) == []
    zone_is(keeper, "running")
    keeper.done(True)
    assert "run shutdown" in said(keeper)


def test_an_enable_during_the_shutdown_boots_again_after_it() -> None:
    keeper = running()
    wish(keeper, False)
    wish(keeper, True)
    halted(keeper)
    assert keeper.state == "offline"
    booted(keeper)
