"""svcadm: what it writes, says and exits with (svcadm(8), cmd/svc/svcadm)."""
from typing import Callable

import pytest

from conformance.rows import both, illumos, row, solaris
from conformance.target import PREFIX, Target, daemon, depends, duration, fmri, folder, method

Make = Callable[..., str]
QUIET = method("start", ":true") + method("stop", ":true") + duration("transient")
BROKEN = method("start", "sh -c 'exit 95'") + method("stop", ":kill")


@both
@row("SVCADM-USAGE-01", "svcadm(8), exit status")
def test_no_subcommand_and_an_unknown_one_are_usage_errors(host: Target) -> None:
    host.fails("svcadm", 2)
    host.fails("svcadm ghost x", 2)


@both
@row("SVCADM-MATCH-01", "svcadm.c, no match")
def test_a_pattern_without_match_is_named(host: Target) -> None:
    assert host.fails(f"svcadm enable {PREFIX}ghost") == \
        f"svcadm: Pattern '{PREFIX}ghost' doesn't match any instances\n"


@both
@row("SVCADM-ENABLE-01", "svcadm.c, enable -t")
def test_t_lives_in_general_ovr_and_a_plain_enable_erases_it(host: Target, service: Make) -> None:
    name = service(daemon())
    host.do(f"svcadm disable -t {fmri(name)}")
    assert host.do(f"svcprop -p general_ovr/enabled {fmri(name)}") == "false\n"
    assert host.do(f"svcprop -c -p general/enabled {fmri(name)}") == "true\n"
    host.reaches(name, "disabled")
    host.do(f"svcadm enable {fmri(name)}")
    host.fails(f"svcprop -q -p general_ovr/enabled {fmri(name)}")
    host.reaches(name, "online")


@row("SVCADM-RESTART-01", "svcadm(8), restart")
def test_a_restart_of_what_does_not_run_is_silently_nothing(host: Target, service: Make) -> None:
    name = service(daemon())
    host.do(f"svcadm disable {fmri(name)}")
    host.reaches(name, "disabled")
    assert host.run(f"svcadm restart {fmri(name)}") == (0, "", "")
    assert host.state(name) == "disabled"


@row("SVCADM-RESTART-02", "svcadm(8), restart")
def test_a_restart_gives_another_contract(host: Target, service: Make) -> None:
    name = service(daemon())
    host.reaches(name, "online")
    old = host.do(f"svcs -Ho ctid {fmri(name)}").strip()
    host.do(f"svcadm restart {fmri(name)}")
    host.until(f'[ "`svcs -Ho state,ctid {fmri(name)} | grep online | grep -v -w {old}`" ]')


@both
@row("SVCADM-CLEAR-01", "svcadm.c, clear")
def test_clear_of_what_is_not_in_maintenance_is_refused(host: Target, service: Make) -> None:
    name = service(daemon())
    host.reaches(name, "online")
    assert host.fails(f"svcadm clear {fmri(name)}") == \
        f'svcadm: Instance "{fmri(name)}" is not in a maintenance or degraded state.\n'


@row("SVCADM-MARK-01", "startd/restarter.c, event_from_tty")
def test_a_mark_without_a_terminal_is_a_request_of_a_service(host: Target, service: Make) -> None:
    name = service(daemon())
    host.reaches(name, "online")
    host.do(f"svcadm mark maintenance {fmri(name)}")
    host.reaches(name, "maintenance")
    assert host.do(f"svcprop -p restarter/auxiliary_state {fmri(name)}") == "service_request\n"


@both
@row("SVCADM-MAINT-01", "svc.startd(8)")
def test_enable_does_not_leave_maintenance_and_disable_does(host: Target, service: Make) -> None:
    name = service(BROKEN)
    host.reaches(name, "maintenance")
    host.do(f"svcadm enable {fmri(name)}")
    assert host.state(name) == "maintenance"
    host.do(f"svcadm disable {fmri(name)}")
    host.reaches(name, "disabled")


@row("SVCADM-V-01", "svcadm.c, -v")
def test_v_says_what_was_done(host: Target, service: Make) -> None:
    name = service(daemon())
    assert host.do(f"svcadm -v disable {fmri(name)}") == f"{fmri(name)} disabled.\n"
    assert host.do(f"svcadm -v enable -t {fmri(name)}") == f"{fmri(name)} temporarily enabled.\n"


@both
@row("SVCADM-SYNC-01", "synch.c")
def test_s_returns_when_the_instance_is_there(host: Target, service: Make) -> None:
    name = service(daemon())
    host.do(f"svcadm disable -s {fmri(name)}")
    assert host.state(name) == "disabled"
    host.do(f"svcadm enable -s {fmri(name)}")
    assert host.state(name) == "online"


@both
@row("SVCADM-SYNC-02", "synch.c, exit 3")
def test_s_of_what_ends_in_maintenance_is_3(host: Target, service: Make) -> None:
    name = service(BROKEN)
    host.reaches(name, "maintenance")
    assert host.fails(f"svcadm enable -s {fmri(name)}", 3) == \
        f'svcadm: Instance "{fmri(name)}" is in maintenance state.\n'


@both
@row("SVCADM-SYNC-03", "synch.c, exit 4")
def test_s_of_what_needs_something_disabled_is_4(host: Target, service: Make) -> None:
    base = service(daemon())
    host.do(f"svcadm disable -s {fmri(base)}")
    top = service(depends("base", fmri(base)) + daemon())
    host.reaches(top, "offline")
    assert host.fails(f"svcadm enable -s {fmri(top)}", 4) == \
        f'svcadm: Instance "{fmri(top)}" has unsatisfied dependencies.\n'


# ---- enable and disable


@both
@row("SVCADM-ENABLE-02", "svcadm.c, set_inst_enabled")
def test_a_plain_disable_erases_a_temporary_setting_too(host: Target, service: Make) -> None:
    name = service(daemon())
    host.do(f"svcadm enable -t {fmri(name)}")
    assert host.do(f"svcprop -p general_ovr/enabled {fmri(name)}") == "true\n"
    host.do(f"svcadm disable {fmri(name)}")
    host.fails(f"svcprop -q -p general_ovr/enabled {fmri(name)}")
    assert host.do(f"svcprop -c -p general/enabled {fmri(name)}") == "false\n"


@row("SVCADM-ENABLE-03", "svcadm.c, general_ovr")
def test_general_ovr_is_a_framework_group_that_does_not_persist(host: Target, service: Make) -> None:
    name = service(daemon())
    host.do(f"svcadm disable -t {fmri(name)}")
    assert "general_ovr  framework\tNONPERSISTENT" in host.do(f"svccfg -s {fmri(name)} listpg general_ovr")


@row("SVCADM-RECURSE-01", "svcadm.c, enable_fmri_rec")
def test_r_enables_what_it_requires_first(host: Target, service: Make) -> None:
    one = service(QUIET)
    two = service(depends("on", fmri(one)) + QUIET)
    three = service(depends("on", fmri(two)) + QUIET)
    for name in (three, two, one):
        host.do(f"svcadm disable {fmri(name)}")
        host.reaches(name, "disabled")
    host.do(f"svcadm enable -r {fmri(three)}")
    for name in (one, two, three):
        host.reaches(name, "online")


@row("SVCADM-RECURSE-02", "svcadm.c, enable_fmri_rec, require_any")
def test_r_names_the_alternatives_of_require_any_and_skips_optional_ones(host: Target, service: Make) -> None:
    one, two, three = service(QUIET), service(QUIET), service(QUIET)
    name = service(depends("any", fmri(one), fmri(two), grouping="require_any")
                   + depends("maybe", fmri(three), grouping="optional_all") + QUIET)
    for other in (name, one, two, three):
        host.do(f"svcadm disable {fmri(other)}")
        host.reaches(other, "disabled")
    assert host.do(f"svcadm enable -r {fmri(name)}") == \
        f"{fmri(name)} requires one of:\n  {fmri(one)}\n  {fmri(two)}\n"
    assert [host.state(n) for n in (one, two, three)] == ["disabled"] * 3


@illumos
@row("SVCADM-COMMENT-01", "svcadm(8), disable -c")
def test_a_comment_is_kept_shown_and_erased_by_enable(host: Target, service: Make) -> None:
    name = service(daemon())
    host.do(f"svcadm disable -c 'being moved' {fmri(name)}")
    assert host.do(f"svcprop -c -p general/comment {fmri(name)}") == "being\\ moved\n"
    assert "comment      being moved\n" in host.do(f"svcs -l {fmri(name)}")
    host.reaches(name, "disabled")
    assert "Reason: Disabled by an administrator: being moved\n" in host.do(f"svcs -x {fmri(name)}")
    host.do(f"svcadm enable {fmri(name)}")
    host.fails(f"svcprop -q -c -p general/comment {fmri(name)}")


@illumos
@row("SVCADM-COMMENT-02", "svcadm.c, comment too long")
def test_a_comment_may_be_too_long(host: Target, service: Make) -> None:
    name = service(daemon())
    assert host.fails(f"svcadm disable -c {'x' * 1024} {fmri(name)}") == "svcadm: disable -c comment too long.\n"
    assert host.do(f"svcprop -c -p general/enabled {fmri(name)}") == "true\n"


@solaris
@row("SVCADM-COMMENT-03", "Solaris 11.4 svcadm(8)")
def test_solaris_has_no_comments_and_no_selection_by_state(host: Target, service: Make) -> None:
    name = service(daemon())
    host.fails(f"svcadm disable -c why {fmri(name)}", 2)
    host.fails("svcadm -S maintenance clear", 2)


@row("SVCADM-PARTIAL-01", "svcadm.c, SCF_WALK_UNIPARTIAL")
def test_an_abbreviation_of_several_instances_does_nothing(host: Target, service: Make) -> None:
    name = service(QUIET)
    host.do(f"svccfg -s {PREFIX}{name} add other")
    assert host.fails(f"svcadm disable conf-{name}") == (
        f"svcadm: Partial FMRI 'conf-{name}' matches multiple instances:\n"
        f"    {fmri(name)}\n    {fmri(name, 'other')}\n")
    assert host.do(f"svcprop -c -p general/enabled {fmri(name)}") == "true\n"


@row("SVCADM-PARTIAL-02", "svcadm.c, SCF_WALK_MULTIPLE")
def test_a_whole_service_or_a_glob_means_all_its_instances(host: Target, service: Make) -> None:
    name = service(QUIET)
    host.do(f"svccfg -s {PREFIX}{name} add other")
    host.do(f"svcadm enable svc:/{PREFIX}{name}")
    assert host.do(f"svcprop -c -p general/enabled {fmri(name, 'other')}") == "true\n"
    host.do(f"svcadm disable '*{name}*'")
    assert host.do(f"svcprop -c -p general/enabled {fmri(name, 'other')}") == "false\n"


# ---- mark and clear


@both
@row("SVCADM-MARK-02", "svcadm.c, force_degraded")
def test_only_what_is_online_can_be_marked_degraded(host: Target, service: Make) -> None:
    name = service(QUIET)
    host.do(f"svcadm disable {fmri(name)}")
    host.reaches(name, "disabled")
    assert host.fails(f"svcadm mark degraded {fmri(name)}") == f'svcadm: Instance "{fmri(name)}" is not online.\n'
    host.do(f"svcadm enable {fmri(name)}")
    host.reaches(name, "online")
    host.do(f"svcadm mark degraded {fmri(name)}")
    host.reaches(name, "degraded")
    host.do(f"svcadm clear {fmri(name)}")
    host.reaches(name, "online")


@row("SVCADM-MARK-03", "svcadm.c, mark")
def test_t_is_not_for_degraded_and_other_states_are_usage_errors(host: Target, service: Make) -> None:
    name = service(QUIET)
    assert host.fails(f"svcadm mark -t degraded {fmri(name)}", 2) == "svcadm: -t may not be used with degraded.\n"
    host.fails(f"svcadm mark offline {fmri(name)}", 2)
    host.fails("svcadm mark maintenance", 2)


@row("SVCADM-V-02", "svcadm.c, -v")
@pytest.mark.parametrize(("command", "said"), [
    ("enable", "% enabled."), ("disable -t", "% temporarily disabled."), ("enable -t", "% temporarily enabled."),
    ("refresh", "Action refresh set for %."), ("restart", "Action restart set for %."),
    ("mark maintenance", "Action maint_on set for %.")])
def test_v_has_a_sentence_for_each_action(host: Target, service: Make, command: str, said: str) -> None:
    name = service(daemon())
    host.reaches(name, "online")
    assert host.do(f"svcadm -v {command} {fmri(name)}") == said.replace("%", fmri(name)) + "\n"


@illumos
@row("SVCADM-STATE-01", "svcadm(8), -S")
def test_s_capital_selects_by_state(host: Target, service: Make) -> None:
    name = service(QUIET)
    host.reaches(name, "online")
    host.do(f"svcadm mark maintenance {fmri(name)}")
    host.reaches(name, "maintenance")
    host.do("svcadm -S maintenance clear")
    host.reaches(name, "online")


@row("SVCADM-DUMP-01", "svcadm(8), restart -d")
def test_restart_d_makes_it_dump_core_first(host: Target, service: Make) -> None:
    name = service(daemon())
    host.reaches(name, "online")
    old = host.do(f"svcprop -p restarter/start_pid {fmri(name)}").strip()
    host.do(f"svcadm restart -d {fmri(name)}")
    host.until(f'[ "`svcprop -p restarter/start_pid {fmri(name)}`" != {old} ]')
    host.reaches(name, "online")


# ---- -s


@both
@row("SVCADM-SYNC-04", "synch.c, disable")
def test_disable_s_waits_until_it_is_disabled(host: Target, service: Make) -> None:
    name = service(QUIET.replace(":true", "sleep 0.5").replace("sleep 0.5", ":true", 1))
    host.reaches(name, "online")
    assert host.do(f"svcadm disable -s {fmri(name)}; svcs -Ho state {fmri(name)}").strip() == "disabled"


@row("SVCADM-SYNC-05", "svcadm.c, wait_fmri_disabled")
def test_disable_s_of_what_fails_to_stop_is_3(host: Target, service: Make) -> None:
    name = service(daemon(stop="sh -c 'exit 95'"))
    host.reaches(name, "online")
    pid = host.do(f"svcs -Hp {fmri(name)}").split("\n")[1].split()[1]
    assert host.fails(f"svcadm disable -s {fmri(name)}", 3) == \
        f'svcadm: Instance "{fmri(name)}" is in maintenance state.\n'
    host.do(f"kill -9 {pid}")


@row("SVCADM-SYNC-06", "synch.c, file_has_potential")
def test_a_missing_file_is_hopeless(host: Target, service: Make) -> None:
    name = service(depends("file", f"file://localhost{folder('nowhere')}", kind="path") + QUIET)
    assert host.fails(f"svcadm enable -s {fmri(name)}", 4) == \
        f'svcadm: Instance "{fmri(name)}" has unsatisfied dependencies.\n'


@row("SVCADM-SYNC-07", "synch.c, fmri_has_potential")
def test_an_absent_service_is_not_hopeless_so_that_s_waits(host: Target, service: Make) -> None:
    name = service(depends("ghost", "svc:/site/conf-ghost:default") + QUIET)
    out = folder("waits")
    host.do(f"svcadm enable -s {fmri(name)} >{out} 2>&1 & echo $! >{out}.pid; sleep 4; kill `cat {out}.pid`; "
            f"test ! -s {out}; rm {out} {out}.pid")


@row("SVCADM-SYNC-08", "synch.c, exclude")
def test_an_excluded_service_that_is_enabled_is_hopeless(host: Target, service: Make) -> None:
    other = service(QUIET)
    name = service(depends("not", fmri(other), grouping="exclude_all") + QUIET)
    host.fails(f"svcadm enable -s {fmri(name)}", 4)


@solaris
@row("SVCADM-TIMEOUT-01", "Solaris 11.4 svcadm(8), -T; pkg(7) smf.py")
def test_with_t_capital_waiting_ends_with_5(host: Target, service: Make) -> None:
    name = service(method("start", "sleep 1000") + method("stop", ":true") + duration("transient"))
    host.fails(f"svcadm enable -s -T 1 {fmri(name)}", 5)


@illumos
@row("SVCADM-TIMEOUT-02", "illumos svcadm(8)")
def test_illumos_has_no_t_capital(host: Target, service: Make) -> None:
    host.fails(f"svcadm enable -s -T 1 {fmri(service(QUIET))}", 2)


# ---- milestones and goals


@both
@row("SVCADM-MILESTONE-01", "svcadm.c, validate_milestone")
def test_what_is_no_milestone_is_a_usage_error(host: Target) -> None:
    said = host.fails("svcadm milestone network", 2)
    assert said.startswith('"network" is not a valid major milestone.\nUsage: svcadm milestone [-d] <milestone>\n')
    assert "\tsvc:/milestone/multi-user-server:default\n" in said
    assert host.fails("svcadm milestone", 2).startswith("Usage: svcadm milestone")


@row("SVCADM-MILESTONE-02", "svcadm.c, set_milestone; graph.c dgraph_set_milestone")
def test_a_milestone_disables_the_rest_for_now_and_all_brings_it_back(lone: Target) -> None:
    host = lone
    host.load("tied", QUIET)
    host.reaches("tied", "online")
    host.do("svcadm milestone multi-user")
    host.reaches("tied", "disabled")
    assert host.do(f"svcprop -p general_ovr/enabled {fmri('tied')}") == "false\n"
    assert host.do("svcs -Ho state milestone/multi-user").strip() == "online"
    assert host.do("svcs -Ho state milestone/multi-user-server").strip() == "disabled"
    assert host.do("svcprop -p options_ovr/milestone svc:/system/svc/restarter:default") == \
        "svc:/milestone/multi-user:default\n"
    host.do("svcadm milestone all")
    host.reaches("tied", "online")
    host.until("[ `svcs -Ho state milestone/multi-user-server` = online ]")
    host.unload("tied")


@solaris
@row("SVCADM-GOALS-01", "Solaris 11.4 svcadm(8), goals; svc:/milestone/goals")
def test_a_goal_that_cannot_be_reached_sends_goals_to_maintenance(host: Target, service: Make) -> None:
    goals = "svc:/milestone/goals:default"
    host.until(f"[ `svcs -Ho state {goals}` = online ]")
    name = service(QUIET)
    host.do(f"svcadm goals {fmri(name)}")
    assert fmri(name) in host.do(f"svcs -Ho fmri -d {goals}")
    host.do(f"svcadm disable -s {fmri(name)}; svcadm restart {goals}")
    host.until(f"[ `svcs -Ho state {goals}` = maintenance ]")
    host.do("svcadm goals -c")
    host.until(f"[ `svcs -Ho state {goals}` = online ]")


@illumos
@row("SVCADM-GOALS-02", "illumos svcadm(8)")
def test_illumos_has_no_goals(host: Target) -> None:
    host.fails("svcadm goals milestone/multi-user", 2)
    host.fails("svcs -H milestone/goals")
