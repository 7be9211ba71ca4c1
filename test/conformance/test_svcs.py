"""svcs: what it lists, its columns, its words (svcs(1), cmd/svc/svcs)."""
import re
from typing import Callable

from conformance.rows import both, illumos, row, solaris
from conformance.target import PREFIX, Target, daemon, depends, duration, fmri, method

Make = Callable[..., str]
BROKEN = method("start", "sh -c 'exit 95'") + method("stop", ":kill")


@both
@row("SVCS-USAGE-01", "svcs(1), exit status")
def test_an_unknown_option_is_a_usage_error(host: Target) -> None:
    assert host.fails("svcs -Q", 2)


@row("SVCS-COL-01", "svcs.c, columns")
def test_an_unknown_column_is_named(host: Target) -> None:
    assert host.fails("svcs -o ghost") == 'svcs: Unknown column "ghost".\n'


@both
@row("SVCS-MATCH-01", "svcs.c, no match")
def test_no_match_is_exit_1_and_the_header_is_printed(host: Target) -> None:
    said = host.run(f"svcs {PREFIX}ghost")
    assert (said.status, said.out.split()) == (1, ["STATE", "STIME", "FMRI"])
    assert said.err == f"svcs: Pattern '{PREFIX}ghost' doesn't match any instances\n"


@row("SVCS-MATCH-02", "svcs(1), -H")
def test_without_a_header_no_match_prints_nothing(host: Target) -> None:
    assert host.run(f"svcs -H {PREFIX}ghost").out == ""


@both
@row("SVCS-COL-02", "svcs.c, default columns")
def test_default_columns_are_state_stime_fmri(host: Target, service: Make) -> None:
    name = service(daemon())
    host.reaches(name, "online")
    line = host.do(f"svcs -H {fmri(name)}").split()
    assert (line[0], line[2]) == ("online", fmri(name))


@illumos
@row("SVCS-STIME-01", "svcs.c, STIME")
def test_the_time_of_today_is_8_wide(host: Target, service: Make) -> None:
    name = service(daemon())
    host.reaches(name, "online")
    assert re.fullmatch(rf"online         [ \d]\d:\d\d:\d\d {fmri(name)}\n", host.do(f"svcs -H {fmri(name)}"))


@solaris
@row("SVCS-STIME-02", "recorded output of 11.4")
def test_the_time_is_iso_and_19_wide(host: Target, service: Make) -> None:
    name = service(daemon())
    host.reaches(name, "online")
    assert re.fullmatch(rf"online +\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d {fmri(name)}\n", host.do(f"svcs -H {fmri(name)}"))


@row("SVCS-COL-03", "svcs.c, columns")
def test_a_line_of_chosen_columns_is_as_wide_as_they_are(host: Target, service: Make) -> None:
    name = service(daemon())
    host.reaches(name, "online")
    assert re.fullmatch(rf"online         - {{13}}[ \d]\d:\d\d:\d\d {{1,6}}\d+ {fmri(name)}\n",
                        host.do(f"svcs -Ho state,nstate,stime,ctid,fmri {fmri(name)}"))


@row("SVCS-COL-04", "svcs.c, columns")
def test_columns_may_be_written_in_capitals(host: Target, service: Make) -> None:
    name = service(daemon())
    assert host.do(f"svcs -Ho FMRI {fmri(name)}").strip() == fmri(name)


@both
@row("SVCS-COL-05", "svcs.c, INST SVC SCOPE DESC")
def test_parts_of_the_name_and_the_common_name(host: Target, service: Make) -> None:
    name = service(daemon())
    assert host.do(f"svcs -Ho inst,svc {fmri(name)}").split() == ["default", f"{PREFIX}{name}"]
    assert host.do(f"svcs -Ho desc {fmri(name)}").strip() == f"conformance {name}"


@row("SVCS-STA-01", "svcs.c, STA NSTA")
def test_short_states(host: Target, service: Make) -> None:
    on, off, bad = service(daemon()), service(daemon()), service(BROKEN)
    host.do(f"svcadm disable {fmri(off)}")
    for name, state in ((on, "online"), (off, "disabled"), (bad, "maintenance")):
        host.reaches(name, state)
    assert [host.do(f"svcs -Ho sta,nsta {fmri(name)}").split() for name in (on, off, bad)] == [
        ["ON", "-"], ["DIS", "-"], ["MNT", "-"]]


@row("SVCS-CTID-01", "svcs.c, CTID")
def test_a_transient_service_has_no_contract(host: Target, service: Make) -> None:
    name = service(method("start", ":true") + method("stop", ":true") + duration("transient"))
    host.reaches(name, "online")
    assert host.do(f"svcs -Ho ctid {fmri(name)}").strip() == "-"


@row("SVCS-LIST-01", "svcs(1), no operands")
def test_what_is_disabled_is_listed_only_with_a(host: Target, service: Make) -> None:
    name = service(daemon())
    host.do(f"svcadm disable {fmri(name)}")
    host.reaches(name, "disabled")
    assert fmri(name) not in host.do("svcs -Ho fmri")
    assert fmri(name) in host.do("svcs -aHo fmri")


@row("SVCS-LIST-02", "svcs(1), no operands")
def test_what_is_temporarily_disabled_is_listed(host: Target, service: Make) -> None:
    name = service(daemon())
    host.do(f"svcadm disable -t {fmri(name)}")
    host.reaches(name, "disabled")
    assert fmri(name) in host.do("svcs -Ho fmri")


@row("SVCS-PROC-01", "svcs.c, -p")
def test_p_lists_the_processes_of_the_contract(host: Target, service: Make) -> None:
    name = service(daemon())
    host.reaches(name, "online")
    lines = host.do(f"svcs -Hp {fmri(name)}").splitlines()
    assert len(lines) == 2 and re.fullmatch(r" {15}[ \d]\d:\d\d:\d\d +\d+ sleep", lines[1])


@row("SVCS-LOG-01", "svcs(1), -L")
def test_l_capital_prints_the_path_of_the_log(host: Target, service: Make) -> None:
    name = service(daemon())
    assert host.do(f"svcs -L {fmri(name)}") == f"/var/svc/log/site-conf-{name}:default.log\n"


@row("SVCS-DEP-01", "svcs(1), -d -D")
def test_dependencies_and_dependents(host: Target, service: Make) -> None:
    base = service(daemon())
    top = service(depends("base", fmri(base)) + daemon())
    host.reaches(top, "online")
    assert host.do(f"svcs -dHo fmri {fmri(top)}").split() == [fmri(base)]
    assert host.do(f"svcs -DHo fmri {fmri(base)}").split() == [fmri(top)]


@row("SVCS-DEP-02", "svcs(1), -d")
def test_d_without_an_operand_is_a_usage_error(host: Target) -> None:
    host.fails("svcs -d", 2)


@row("SVCS-L-01", "svcs.c, -l")
def test_l_shows_everything_in_order(host: Target, service: Make) -> None:
    base = service(daemon())
    name = service(depends("base", fmri(base), restart_on="restart") + daemon())
    host.reaches(name, "online")
    lines = host.do(f"svcs -l {fmri(name)}").splitlines()
    keys = [line.split()[0] for line in lines if line]
    assert keys == ["fmri", "name", "enabled", "state", "next_state", "state_time", "logfile", "restarter",
                    "contract_id", "dependency"]
    assert lines[0] == f"fmri         {fmri(name)}"
    assert lines[keys.index("next_state")] == "next_state   none"
    assert lines[-1] == f"dependency   require_all/restart {fmri(base)} (online)"


@row("SVCS-L-02", "svcs.c, -l")
def test_l_says_when_enabled_is_temporary(host: Target, service: Make) -> None:
    name = service(daemon())
    host.do(f"svcadm disable -t {fmri(name)}")
    assert "enabled      false (temporary)\n" in host.do(f"svcs -l {fmri(name)}")


@row("SVCS-L-03", "svcs.c, -l")
def test_l_refuses_columns(host: Target) -> None:
    host.fails("svcs -l -o state svc:/system/svc/restarter:default", 2)


@both
@row("SVCS-X-01", "explain.c, reasons")
def test_x_gives_the_reason_of_a_failed_start(host: Target, service: Make) -> None:
    name = service(BROKEN)
    host.reaches(name, "maintenance")
    lines = host.do(f"svcs -x {fmri(name)}").splitlines()
    assert lines[0] == f"{fmri(name)} (conformance {name})"
    assert lines[1].startswith(" State: maintenance since ")
    assert lines[2] == "Reason: Start method exited with $SMF_EXIT_ERR_FATAL."
    base = "http://illumos.org/msg" if host.platform == "illumos" else "http://support.oracle.com/msg"
    assert lines[3] == f"   See: {base}/SMF-8000-KS"
    assert lines[-1] == "Impact: This service is not running."


@row("SVCS-X-02", "explain.c, impact")
def test_x_counts_the_dependents_that_are_not_running(host: Target, service: Make) -> None:
    base = service(BROKEN)
    service(depends("base", fmri(base)) + daemon())
    host.reaches(base, "maintenance")
    host.until(f"svcs -x {fmri(base)} | grep 'Impact: 1 dependent service is not running.  (Use -v for list.)'")


@row("SVCS-X-03", "explain.c, reasons")
def test_x_of_what_an_administrator_disabled(host: Target, service: Make) -> None:
    name = service(daemon())
    host.do(f"svcadm disable {fmri(name)}")
    host.reaches(name, "disabled")
    assert "Reason: Disabled by an administrator.\n" in host.do(f"svcs -x {fmri(name)}")
    host.do(f"svcadm enable {fmri(name)}; svcadm disable -t {fmri(name)}")
    host.reaches(name, "disabled")
    assert "Reason: Temporarily disabled by an administrator.\n" in host.do(f"svcs -x {fmri(name)}")


@row("SVCS-X-04", "explain.c, impact")
def test_x_of_what_runs_has_no_impact(host: Target, service: Make) -> None:
    name = service(daemon())
    host.reaches(name, "online")
    said = host.do(f"svcs -x {fmri(name)}")
    assert " State: online since " in said and "Impact: None.\n" in said
