"""svcs -x: each reason, its message, paths and impact (svcs(1), cmd/svc/svcs/explain.c)."""
from typing import Callable

import pytest

from conformance.rows import both, illumos, row, solaris
from conformance.target import PREFIX, Target, daemon, depends, duration, fmri, folder, method

Make = Callable[..., str]
QUIET = method("start", ":true") + method("stop", ":true") + duration("transient")


def transient(start: str) -> str:
    return method("start", start) + method("stop", ":true") + duration("transient")


def needs(*names: str, grouping: str = "require_all") -> str:
    return depends("needs", *(fmri(n) for n in names), grouping=grouping)


def reason(host: Target, name: str) -> str:
    """What stands behind "Reason: ", and the message's code."""
    lines = host.do(f"svcs -x {fmri(name)}").splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith("Reason: "))
    return f"{lines[at][8:]} {lines[at + 1].rsplit('/', 1)[1]}"


def stopped(host: Target, service: Make) -> str:
    name = service(QUIET)
    host.do(f"svcadm disable {fmri(name)}")
    host.reaches(name, "disabled")
    return name


@both
@row("EXPLAIN-FORM-01", "explain.c, print_service")
def test_a_paragraph_has_its_lines_in_this_order(host: Target, service: Make) -> None:
    name = service(transient("sh -c 'exit 96'"))
    host.reaches(name, "maintenance")
    lines = host.do(f"svcs -x {fmri(name)}").splitlines()
    base = "http://illumos.org/msg/" if host.platform == "illumos" else "http://support.oracle.com/msg/"
    assert lines[0] == f"{fmri(name)} (conformance {name})"
    assert lines[1].startswith(" State: maintenance since ")
    assert lines[2:] == ["Reason: Start method exited with $SMF_EXIT_ERR_CONFIG.", f"   See: {base}SMF-8000-KS",
                         f"   See: /var/svc/log/site-conf-{name}:default.log", "Impact: This service is not running."]


@row("EXPLAIN-FORM-02", "explain.c, print_manpage")
def test_manual_pages_are_named_short_and_with_v_as_a_command(host: Target, service: Make) -> None:
    assert "   See: svc.startd(8)\n" in host.do("svcs -x svc:/system/svc/restarter:default").replace("(1M)", "(8)")
    assert "   See: man -M /usr/share/man -s 8 svc.startd\n" in host.do(
        "svcs -xv svc:/system/svc/restarter:default").replace("-s 1M", "-s 8")


@row("EXPLAIN-USAGE-01", "svcs.c, -x")
@pytest.mark.parametrize("options", ["-xH", "-x -o state", "-xp", "-xl", "-xa"])
def test_x_refuses_what_is_for_tables(host: Target, options: str) -> None:
    host.fails(f"svcs {options}", 2)


# ---- maintenance


@both
@row("EXPLAIN-MAINT-01", "explain.c, print_method_failure")
@pytest.mark.parametrize(("start", "said"), [
    ("exit 95", "Start method exited with $SMF_EXIT_ERR_FATAL. SMF-8000-KS"),
    ("exit 100", "Start method exited with status 100. SMF-8000-KS"),
    ("exit 1", "Start method failed repeatedly, last exited with status 1. SMF-8000-KS"),
    ("kill -9 $$", "Start method failed repeatedly, last died on Killed (9). SMF-8000-KS")])
def test_a_failed_start_is_told_by_its_status(host: Target, service: Make, start: str, said: str) -> None:
    name = service(transient(f"sh -c '{start}'"))
    host.reaches(name, "maintenance")
    assert reason(host, name) == said


@row("EXPLAIN-MAINT-02", "explain.c, print_method_failure, other methods")
def test_a_failed_refresh_is_a_method_that_failed(host: Target, service: Make) -> None:
    for text, said in (("exit 95", "Method failed. SMF-8000-8Q"), ("exit 1", "Method failed repeatedly. SMF-8000-8Q")):
        name = service(daemon() + method("refresh", f"sh -c '{text}'"))
        host.reaches(name, "online")
        host.do(f"svcadm refresh {fmri(name)}")
        host.reaches(name, "maintenance")
        assert reason(host, name) == said


@both
@row("EXPLAIN-MAINT-03", "explain.c, service_request")
def test_a_mark_without_a_terminal_is_told_as_another_services(host: Target, service: Make) -> None:
    name = service(QUIET)
    host.reaches(name, "online")
    host.do(f"svcadm mark maintenance {fmri(name)}")
    host.reaches(name, "maintenance")
    assert reason(host, name) == "Maintenance requested by another service. SMF-8000-R4"


@row("EXPLAIN-MAINT-04", "explain.c, restarting_too_quickly")
def test_restarting_too_quickly_is_said(host: Target, service: Make) -> None:
    name = service(daemon().replace("sleep 100000", "sleep 0.02"))
    host.reaches(name, "maintenance")
    assert reason(host, name) == "Restarting too quickly. SMF-8000-L5"


@row("EXPLAIN-MAINT-05", "explain.c, dependency_cycle")
def test_who_completes_a_cycle_is_said(host: Target, service: Make) -> None:
    two = f"{service(QUIET)}x"
    one = service(needs(two) + QUIET)
    service(needs(one) + QUIET, two)
    host.reaches(two, "maintenance")
    assert reason(host, two) == "Completes a dependency cycle. SMF-8000-HP"


# ---- disabled, degraded, starting


@both
@row("EXPLAIN-DISABLED-01", "explain.c, disabled")
def test_disabled_for_good_and_for_now_are_told_apart(host: Target, service: Make) -> None:
    name = stopped(host, service)
    assert reason(host, name) == "Disabled by an administrator. SMF-8000-05"
    host.do(f"svcadm enable {fmri(name)}; svcadm disable -t {fmri(name)}")
    host.reaches(name, "disabled")
    assert reason(host, name) == "Temporarily disabled by an administrator. SMF-8000-1S"


@illumos
@row("EXPLAIN-DISABLED-02", "explain.c, disabled with a comment")
def test_the_comment_of_a_temporary_disable_is_shown(host: Target, service: Make) -> None:
    name = service(QUIET)
    host.reaches(name, "online")
    host.do(f"svcadm disable -t -c 'for a test' {fmri(name)}")
    host.reaches(name, "disabled")
    assert reason(host, name) == "Temporarily disabled by an administrator: for a test SMF-8000-1S"


@row("EXPLAIN-DEGRADED-01", "explain.c, degraded")
def test_a_degraded_instance_has_a_reason_and_no_impact(host: Target, service: Make) -> None:
    name = service(QUIET)
    host.reaches(name, "online")
    host.do(f"svcadm mark degraded {fmri(name)}")
    host.reaches(name, "degraded")
    assert reason(host, name) == "Degraded by an administrator. SMF-8000-DX"
    assert "Impact: None.\n" in host.do(f"svcs -x {fmri(name)}")


@row("EXPLAIN-STARTING-01", "explain.c, offline in transition")
def test_a_running_start_method_is_said(host: Target, service: Make) -> None:
    name = service(method("start", "sleep 1000") + method("stop", ":true"))
    host.until(f'[ "`svcs -Ho state {fmri(name)}`" = "offline*" ]')
    assert reason(host, name) == "Start method is running. SMF-8000-C4"
    host.do(f"kill -9 `svcs -Hp {fmri(name)} | sed 1d | awk '{{ print $2 }}'`")


@both
@row("EXPLAIN-RESTARTER-01", "explain.c, uninitialized")
def test_a_restarter_that_is_not_there_is_said(host: Target, service: Make) -> None:
    name = service(f"<restarter><service_fmri value='svc:/{PREFIX}ghost:default'/></restarter>" + QUIET)
    assert reason(host, name) == f'Restarter "svc:/{PREFIX}ghost:default" does not exist. SMF-8000-3P'


# ---- offline


@both
@row("EXPLAIN-OFFLINE-01", "explain.c, baddeps")
def test_an_absent_service_or_file_is_a_missing_dependency(host: Target, service: Make) -> None:
    name = service(needs("ghost") + QUIET)
    assert reason(host, name) == f"Dependency {fmri('ghost')} is absent. SMF-8000-E2"
    path = folder("ghostfile")
    other = service(depends("file", f"file://localhost{path}", kind="path") + QUIET)
    assert reason(host, other) == f"Dependency file://localhost{path} is absent. SMF-8000-E2"


@both
@row("EXPLAIN-OFFLINE-02", "explain.c, determine_summary")
def test_the_end_of_the_chain_is_the_reason(host: Target, service: Make) -> None:
    one = stopped(host, service)
    two = service(needs(one) + QUIET)
    three = service(needs(two) + QUIET)
    host.reaches(three, "offline")
    assert reason(host, three) == f"Service {fmri(one)} is disabled. SMF-8000-GE"


@row("EXPLAIN-OFFLINE-03", "explain.c, determine_summary, maintenance")
def test_a_long_summary_has_a_line_of_its_own(host: Target, service: Make) -> None:
    one = service(transient("sh -c 'exit 95'"))
    host.reaches(one, "maintenance")
    two = service(needs(one) + QUIET)
    host.reaches(two, "offline")
    out = host.do(f"svcs -x {fmri(two)}")
    assert f"Reason: Service {fmri(one)}\n        is not running because a method failed.\n" in out


@row("EXPLAIN-OFFLINE-04", "explain.c, exclude_all")
def test_an_excluded_service_that_runs_is_the_reason(host: Target, service: Make) -> None:
    one = service(QUIET)
    host.reaches(one, "online")
    two = service(needs(one, grouping="exclude_all") + QUIET)
    host.reaches(two, "offline")
    assert reason(host, two) == f"Service {fmri(one)} is running. SMF-8000-FJ"


@row("EXPLAIN-OFFLINE-05", "explain.c, require_any")
def test_all_members_of_a_require_any_are_reasons(host: Target, service: Make) -> None:
    one, two = stopped(host, service), stopped(host, service)
    name = service(needs(one, two, grouping="require_any") + QUIET)
    host.reaches(name, "offline")
    out = host.do(f"svcs -x {fmri(name)}")
    assert all(f"Reason: Service {fmri(n)} is disabled." in out for n in (one, two))


@both
@row("EXPLAIN-PATH-01", "explain.c, Path")
def test_v_shows_the_path_to_the_cause(host: Target, service: Make) -> None:
    one = stopped(host, service)
    two = service(needs(one) + QUIET)
    three = service(needs(two) + QUIET)
    host.reaches(three, "offline")
    assert (f"  Path: {fmri(three)}\n          {fmri(two)}\n            {fmri(one)}\n"
            in host.do(f"svcs -xv {fmri(three)}"))


# ---- impact and causes


@both
@row("EXPLAIN-IMPACT-01", "explain.c, determine_impact")
def test_impact_counts_all_that_wait_and_v_lists_them(host: Target, service: Make) -> None:
    one = stopped(host, service)
    two = service(needs(one) + QUIET)
    assert "Impact: 1 dependent service is not running.  (Use -v for list.)\n" in host.do(f"svcs -x {fmri(one)}")
    three = service(needs(two) + QUIET)
    host.reaches(three, "offline")
    assert "Impact: 2 dependent services are not running.  (Use -v for list.)\n" in host.do(f"svcs -x {fmri(one)}")
    out = host.do(f"svcs -xv {fmri(one)}")
    assert "Impact: 2 dependent services are not running:\n" in out
    assert f"        {fmri(two)}\n" in out and f"        {fmri(three)}\n" in out


@both
@row("EXPLAIN-CAUSES-01", "explain.c, g_causes")
def test_without_operands_only_causes_are_told(host: Target, service: Make) -> None:
    blocking, idle = stopped(host, service), stopped(host, service)
    waiting = service(needs(blocking) + QUIET)
    host.reaches(waiting, "offline")
    out = host.do("svcs -x")
    assert f"{fmri(blocking)} (" in out
    assert f"{fmri(waiting)} (" not in out and f"{fmri(idle)} (" not in out


@row("EXPLAIN-CAUSES-02", "explain.c, impact_compar")
def test_the_cause_with_most_impact_is_told_first(host: Target, service: Make) -> None:
    small, big = stopped(host, service), stopped(host, service)
    for on in (small, big, big):
        host.reaches(service(needs(on) + QUIET), "offline")
    out = host.do("svcs -x")
    assert out.index(fmri(big)) < out.index(fmri(small))


@row("EXPLAIN-ZONE-01", "explain.c, Zone")
def test_with_z_the_zone_is_told(host: Target, service: Make) -> None:
    name = stopped(host, service)
    assert f"{fmri(name)} (conformance {name})\n  Zone: global\n" in host.do(f"svcs -xZ {fmri(name)}")


@solaris
@row("EXPLAIN-MESSAGE-01", "Solaris 11.4 messages")
def test_messages_of_solaris_are_oracles(host: Target, service: Make) -> None:
    assert "   See: http://support.oracle.com/msg/SMF-8000-05\n" in host.do(f"svcs -x {fmri(stopped(host, service))}")
