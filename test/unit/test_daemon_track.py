"""One group followed through SMF: which states mean what."""
from typing import Any, NamedTuple

import pytest

from sundog.config.model import Group, Resource
from sundog.core.events import Activated, Deactivated, GroupFailed, OperatorDisabled, OperatorEnabled
from sundog.daemon.track import SETTLE_S, STUCK_S, Disable, Seen, Sweep, Track


class Nothing(NamedTuple):
    pass


DATA = "svc:/system/sundog/resource/zpool:web.data"
IP = "svc:/system/sundog/resource/floating-ip:web.ip"
GROUP = "svc:/system/sundog/group:web"
WEB = Group("web", ("n1",), (Resource("data", "zpool", (), Nothing()),
                             Resource("ip", "floating-ip", ("data",), Nothing())))


@pytest.fixture
def track() -> Track:
    return Track(WEB)


def states(data: str, ip: str, group: str) -> Any:
    return {fmri: Seen(word.rstrip("*"), word.endswith("*")) for fmri, word in ((DATA, data), (IP, ip), (GROUP, group))}


DOWN = states("disabled", "disabled", "disabled")
UP = states("online", "online", "online")


def test_a_group_is_active_when_its_own_start_method_says_so(track):
    track.activate(3)
    assert track.outcome(DATA, "start", True, "") == []
    assert track.outcome(GROUP, "start", True, "") == [Activated("web", 3, True)]


def test_a_group_is_active_when_all_its_instances_are_seen_online(track):
    track.activate(3)
    assert track.look(0, states("online", "offline*", "offline")) == []
    assert track.look(1, UP) == [Activated("web", 3, True)]
    assert track.look(2, UP) == []


def test_states_from_before_the_enable_took_effect_mean_nothing(track):
    track.activate(3)
    assert track.look(0, DOWN) == []
    assert track.look(1, states("maintenance", "disabled", "disabled")) == []
    assert track.look(1, states("offline*", "offline", "offline")) == []


def test_a_resource_in_maintenance_ends_the_activation_with_what_its_method_said(track):
    track.activate(3)
    track.look(0, states("offline*", "offline", "offline"))
    track.outcome(DATA, "start", False, "pool shopweb: in use by n2")
    assert track.look(1, states("maintenance", "offline", "offline")) == [
        Activated("web", 3, False, "data: pool shopweb: in use by n2")]


def test_an_activation_in_which_nothing_moves_is_called_stuck(track):
    track.activate(3)
    assert track.look(0, states("online", "offline", "offline")) == []
    found = track.look(STUCK_S, states("online", "offline", "offline"))
    assert [type(event) for event in found] == [Activated]
    assert "ip offline" in found[0].reason
    assert not found[0].ok


def test_a_method_that_takes_long_is_not_stuck(track):
    track.activate(3)
    for second in range(60):
        assert track.look(second, states("offline*", "offline", "offline")) == []


def active(track: Track) -> Track:
    track.activate(3)
    track.outcome(GROUP, "start", True, "")
    track.look(0, UP)
    return track


def test_a_resource_that_goes_to_maintenance_is_a_failure_told_once(track):
    active(track)
    assert track.look(1, states("online", "maintenance", "offline")) == [
        GroupFailed("web", "ip", f"ip is in maintenance (svcs -x {IP})")]
    assert track.look(2, states("online", "maintenance", "offline")) == []


def test_a_resource_that_smf_restarts_is_no_failure(track):
    active(track)
    assert track.look(1, states("online", "offline*", "offline")) == []
    assert track.look(2, UP) == []


def test_disabling_the_group_instance_is_an_operators_wish(track):
    active(track)
    assert track.look(1, states("online", "online", "online*")) == []
    assert track.look(2, states("online", "online", "disabled")) == [OperatorDisabled("web")]
    assert track.look(3, states("online", "online", "disabled")) == []


def test_enabling_the_group_instance_is_a_wish_too_and_is_not_left_for_the_next_boot(track):
    found = track.look(0, states("disabled", "disabled", "offline"))
    assert found == [Disable((GROUP,), "the cluster decides", lasting=True), OperatorEnabled("web")]


def test_a_resource_enabled_around_the_cluster_is_disabled_again(track):
    found = track.look(0, states("maintenance", "disabled", "disabled"))
    assert [type(one) for one in found] == [Disable]
    assert found[0].fmris == (DATA,)


def test_stopping_is_over_only_when_every_instance_is_seen_disabled(track):
    active(track)
    track.deactivate(3)
    for fmri in (GROUP, IP, DATA):
        assert track.outcome(fmri, "stop", True, "") == []
    assert track.look(1, states("disabled*", "disabled", "disabled")) == []
    assert track.look(2, states("online", "disabled", "disabled")) == []
    assert track.look(3, DOWN) == [Deactivated("web", 3, True)]


def test_a_stop_that_failed_is_told_with_its_reason(track):
    active(track)
    track.deactivate(3)
    track.outcome(DATA, "stop", False, "pool shopweb is busy")
    assert track.look(1, states("maintenance", "disabled", "disabled")) == [
        Deactivated("web", 3, False, "data: pool shopweb is busy")]


def test_a_kill_that_did_not_empty_its_contract_is_a_failed_stop_too(track):
    active(track)
    track.deactivate(3)
    assert track.look(1, states("maintenance", "disabled", "disabled")) == []
    found = track.look(1 + SETTLE_S, states("maintenance", "disabled", "disabled"))
    assert found == [Deactivated("web", 3, False, f"data is in maintenance (svcs -x {DATA})")]


def test_what_a_failed_start_left_behind_is_stopped_directly_before_the_group_counts_as_stopped(track):
    track.activate(3)
    track.look(0, states("online", "offline*", "offline"))
    track.outcome(IP, "start", False, "address in use")
    track.look(1, states("online", "maintenance", "offline"))
    track.deactivate(3)
    assert track.look(2, states("online", "maintenance", "disabled")) == []
    assert track.look(2.5, DOWN) == [Sweep("web", 3, ("ip",))]
    assert track.look(3, DOWN) == []
    assert track.swept(True, "") == [Deactivated("web", 3, True)]


def test_a_direct_stop_that_fails_is_a_failed_stop(track):
    track.activate(3)
    track.look(0, states("online", "offline*", "offline"))
    track.outcome(IP, "start", False, "address in use")
    track.deactivate(3)
    track.look(2, DOWN)
    assert track.swept(False, "ip: cannot be deleted") == [Deactivated("web", 3, False, "ip: cannot be deleted")]


def test_an_instance_that_somebody_enables_while_the_group_stops_is_disabled_again(track):
    active(track)
    track.deactivate(3)
    assert track.look(0, states("online", "disabled", "disabled")) == []
    found = track.look(STUCK_S, states("online", "disabled", "disabled"))
    assert [one.fmris for one in found] == [(DATA,)]


@pytest.mark.parametrize("seen, adopted", [
    (DOWN, None), (UP, "online"), (states("online", "offline*", "offline"), "partial"),
    (states("maintenance", "disabled", "disabled"), "stop-failed"),
    (states("online", "maintenance", "offline"), "partial"), (states("disabled", "disabled", "offline"), None)])
def test_what_runs_when_the_daemon_starts_is_adopted(track, seen, adopted):
    assert track.adopt(seen) == adopted


def test_an_adopted_group_is_watched_like_one_started_here(track):
    track.adopt(UP)
    assert [type(one) for one in track.look(1, states("maintenance", "offline", "offline"))] == [GroupFailed]


def test_a_group_enabled_for_ever_before_the_boot_is_not_started_by_that(track):
    left = states("disabled", "disabled", "offline")
    assert track.adopt(left) is None
    assert OperatorEnabled("web") not in track.look(1, left)
