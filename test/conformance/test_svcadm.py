"""svcadm: what it writes, says and exits with (svcadm(8), cmd/svc/svcadm)."""
from typing import Callable

from conformance.rows import both, row
from conformance.target import PREFIX, Target, daemon, depends, fmri, method

Make = Callable[..., str]
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
