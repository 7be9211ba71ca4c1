"""svcs: what it lists, its columns, its words (svcs(1), cmd/svc/svcs)."""
import re
from typing import Callable, List

import pytest

from conformance.rows import both, illumos, row, solaris
from conformance.target import PREFIX, Target, daemon, depends, duration, fmri, folder, group, method

Make = Callable[..., str]
QUIET = method("start", ":true") + method("stop", ":true") + duration("transient")
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


# ---- more of tables


@row("SVCS-USAGE-02", "svcs.c, main")
@pytest.mark.parametrize("options", ["-l", "-d", "-D", "-l -H x", "-l -o fmri x", "-d -D x", "-l -d x",
                                     "-d -s fmri x", "-d -a x", "-l -R x y", "-z"])
def test_what_does_not_go_together_is_a_usage_error(host: Target, options: str) -> None:
    said = host.run(f"svcs {options}")
    assert (said.status, said.out) == (2, "") and said.err


@row("SVCS-A-01", "svcs.c, -a")
def test_a_with_operands_is_ignored_with_a_warning(host: Target, service: Make) -> None:
    name = service(daemon())
    said = host.run(f"svcs -aHo fmri {fmri(name)}")
    assert said == (0, f"{fmri(name)}\n", "svcs: -a ignored when used with arguments.\n")


@row("SVCS-MATCH-03", "svcs(1), abbreviations")
def test_what_abbreviates_a_name_and_what_does_not(host: Target, service: Make) -> None:
    name = service(daemon())
    for good in (f"conf-{name}", f"{PREFIX}{name}", f"{PREFIX}{name}:default", f"conf-{name}:default", f"*{name}*",
                 f"svc:/{PREFIX}{name}", f"svc://localhost/{PREFIX}{name}:default", f"svc:/*{name}:def*"):
        assert host.do(f"svcs -Ho fmri '{good}'") == f"{fmri(name)}\n", good
    for bad in ("site", f"{PREFIX}{name[:-1]}", f"onf-{name}", "site/conf", f"{name}:default"):
        host.fails(f"svcs -H '{bad}'")


@row("SVCS-MATCH-04", "svcs(1), operands")
def test_several_operands_are_listed_once_each_and_one_without_match_is_exit_1(host: Target, service: Make) -> None:
    name = service(daemon())
    said = host.run(f"svcs -Ho fmri {fmri(name)} conf-{name} {PREFIX}ghost")
    assert (said.status, said.out) == (1, f"{fmri(name)}\n")


@both
@row("SVCS-STATE-01", "svcs.c, STATE")
def test_the_asterisk_is_not_shown_beside_a_column_of_the_next_state(host: Target, service: Make) -> None:
    name = service(method("start", "sleep 1000") + method("stop", ":true"))
    host.until(f'[ "`svcs -Ho state {fmri(name)}`" = "offline*" ]')
    assert host.do(f"svcs -Ho state,nstate {fmri(name)}") == "offline        online\n"
    assert host.do(f"svcs -Ho sta,nsta {fmri(name)}") == "OFF  ON\n"
    assert host.do(f"svcs -Ho s,n {fmri(name)}") == "0  1\n"
    assert host.do(f"svcs -Ho sn {fmri(name)}") == "01\n"
    assert host.do(f"svcs -Ho sta,s {fmri(name)}") == "OFF* 0*\n"
    host.do(f"kill -9 `svcs -Hp {fmri(name)} | sed 1d | awk '{{ print $2 }}'`")


@row("SVCS-STA-02", "svcs.c, STA and S of every state")
def test_short_forms_of_maintenance_degraded_and_disabled(host: Target, service: Make) -> None:
    name = service(QUIET)
    host.reaches(name, "online")
    for command, state, short, letter in (("mark degraded", "degraded", "DGD", "D"), ("clear", "online", "ON", "1"),
                                          ("mark maintenance", "maintenance", "MNT", "m"),
                                          ("disable", "disabled", "DIS", "d")):
        host.do(f"svcadm {command} {fmri(name)}")
        host.reaches(name, state)
        assert host.do(f"svcs -Ho sta,s {fmri(name)}").split() == [short, letter]


@row("SVCS-V-01", "svcs.c, -v")
def test_v_adds_next_state_and_contract(host: Target, service: Make) -> None:
    name = service(daemon())
    host.reaches(name, "online")
    assert host.run("svcs -v").out.splitlines()[0].split() == ["STATE", "NSTATE", "STIME", "CTID", "FMRI"]
    words = host.do(f"svcs -Hv {fmri(name)}").split()
    assert (words[:2], words[3:]) == (["online", "-"], [host.do(f"svcprop -p restarter/contract {fmri(name)}").strip(),
                                                       fmri(name)])


@row("SVCS-V-02", "svcs.c, print_header")
def test_the_header_of_the_contract_is_at_the_left_and_its_number_at_the_right(host: Target, service: Make) -> None:
    name = service(daemon())
    host.reaches(name, "online")
    header, line = host.do(f"svcs -o ctid,inst {fmri(name)}").splitlines()
    number = host.do(f"svcprop -p restarter/contract {fmri(name)}").strip()
    assert (header, line) == ("CTID   INST", f"{number:>6} default")


@row("SVCS-SORT-01", "svcs(1), -s -S")
def test_rows_are_sorted_up_and_down_by_columns(host: Target, service: Make) -> None:
    names = sorted(fmri(service(QUIET)) for _ in range(3))
    mine = " ".join(names)
    assert host.do(f"svcs -H -o fmri -s fmri {mine}").split() == names
    assert host.do(f"svcs -H -o fmri -S fmri {mine}").split() == names[::-1]


@row("SVCS-SORT-03", "svcs.c, add_sort_column")
@pytest.mark.parametrize("column", ["bogus", "state,fmri"])
def test_what_is_no_column_cannot_be_sorted_by(host: Target, column: str) -> None:
    assert host.fails(f"svcs -s {column}") == f'svcs: Unrecognized sort column "{column}".\n'


def in_three_states(host: Target, service: Make) -> List[str]:
    """A failed, an online and a disabled service: the other way round than svcs sorts them."""
    gone, up, bad = service(QUIET), service(QUIET), service(QUIET.replace(":true", "sh -c 'exit 95'", 1))
    host.do(f"svcadm disable {fmri(gone)}")
    host.reaches(gone, "disabled")
    host.reaches(up, "online")
    host.reaches(bad, "maintenance")
    return [fmri(n) for n in (bad, up, gone)]


@both
@row("SVCS-SORT-02", "svcs.c, default sort")
def test_by_default_rows_are_sorted_by_state_first(host: Target, service: Make) -> None:
    names = in_three_states(host, service)
    assert [line.split()[-1] for line in host.do(f"svcs -H {' '.join(names)}").splitlines()] == names[::-1]


@illumos
@row("SVCS-SORT-04", "svcs.c, main: the default sort belongs to the default columns")
def test_with_chosen_columns_rows_stay_in_the_order_of_the_operands(host: Target, service: Make) -> None:
    names = in_three_states(host, service)
    assert host.do(f"svcs -Ho fmri {' '.join(names)}").split() == names


@row("SVCS-O-01", "svcs.c, main")
def test_of_several_o_the_last_counts(host: Target, service: Make) -> None:
    assert host.do(f"svcs -Ho state -o inst {fmri(service(QUIET))}") == "default\n"


@row("SVCS-O-02", "svcs.c, sprint_instance")
def test_a_long_instance_name_is_cut(host: Target, service: Make) -> None:
    name, long = service(QUIET), "an-instance-with-a-long-name"
    host.do(f"svccfg -s {PREFIX}{name} add {long}")
    assert host.do(f"svcs -Ho inst,scope svc:/{PREFIX}{name}:{long}") == f"{long[:21]}localhost\n"


@row("SVCS-R-01", "svcs(1), -R")
def test_r_lists_the_instances_of_a_restarter(host: Target, service: Make) -> None:
    other = service(f"<restarter><service_fmri value='svc:/{PREFIX}keeper:default'/></restarter>" + QUIET)
    listed = host.do(f"svcs -Ho fmri -R svc:/{PREFIX}keeper:default").split()
    assert listed == [fmri(other)]
    assert fmri(other) not in host.do("svcs -Ho fmri -R svc:/system/svc/restarter:default").split()


@row("SVCS-R-02", "svcs.c, add_restarter")
def test_r_wants_a_whole_instance(host: Target) -> None:
    assert host.fails("svcs -R system/svc/restarter") == \
        'svcs: Restarter FMRI "system/svc/restarter" does not designate an instance.\n'
    assert host.fails("svcs -R 'a b'") == "svcs: Restarter FMRI \"a b\" is invalid.\n"


@row("SVCS-DEP-03", "svcs.c, walk_dependencies")
def test_what_is_excluded_is_no_dependency(host: Target, service: Make) -> None:
    one, two = service(QUIET), service(QUIET)
    name = service(depends("a", fmri(one)) + depends("b", fmri(two), grouping="exclude_all") + QUIET)
    assert host.do(f"svcs -Hdo fmri {fmri(name)}").split() == [fmri(one)]
    assert host.do(f"svcs -HDo fmri {fmri(two)}") == ""
    assert host.do(f"svcs -HDo fmri {fmri(one)}").split() == [fmri(name)]


@row("SVCS-DEP-04", "svcs.c, list_svc_or_inst_fmri")
def test_dependencies_that_are_no_services_or_not_there_are_left_out_and_exit_1(host: Target, service: Make) -> None:
    one = service(QUIET)
    name = service(depends("a", fmri(one)) + depends("f", "file://localhost/etc/passwd", kind="path") + QUIET)
    said = host.run(f"svcs -Hdo fmri {fmri(name)}")
    assert (said.status, said.out.split(), said.err) == (1, [fmri(one)], "")
    said = host.run(f"svcs -Hd {fmri(service(depends('a', f'svc:/{PREFIX}ghost') + QUIET))}")
    assert said == (1, "", "")
    said = host.run(f"svcs -Hd {fmri(service(depends('a', fmri('ghost')) + QUIET))}")
    assert said == (0, "", "")


@row("SVCS-HELP-01", "svcs.c, print_help")
def test_a_question_mark_asks_for_help(host: Target) -> None:
    out = host.do("svcs -'?'")
    assert out.startswith("Usage: svcs [-aHpv]") and re.search(r"^\tNSTATE +\S", out, re.M)


@row("SVCS-L-08", "svcs.c, print_application_properties")
def test_lv_shows_application_groups(host: Target, service: Make) -> None:
    name = service(QUIET + group("config", plain="x", text="a b"))
    out = host.do(f"svcs -lv {fmri(name)}")
    assert "\nconfig (application)\n" in out and "\nconfig/plain (astring) = x \n" in out
    assert '\nconfig/text (astring) = "a b"\n' in out


@row("SVCS-ZONE-01", "svcs.c, -z")
@pytest.mark.parametrize("command", ["svcs -H", "svcadm refresh", "svcprop"])
def test_a_zone_that_does_not_run_is_invalid(host: Target, command: str) -> None:
    name, *rest = command.split()
    assert host.fails(f"{name} -z conf-ghost {' '.join(rest)} milestone/network") == \
        f"{name}: invalid zone 'conf-ghost'\n"


@both
@row("SVCS-Z-01", "svcs(1), -Z")
def test_z_capital_puts_the_zone_first(host: Target, service: Make) -> None:
    name = service(QUIET)
    host.reaches(name, "online")
    out = host.do(f"svcs -Z {fmri(name)}").splitlines()
    assert out[0].split() == ["ZONE", "STATE", "STIME", "FMRI"] and out[0].startswith("ZONE             STATE")
    assert out[1].startswith("global           online") and out[1].endswith(fmri(name))


@row("SVCS-L-04", "svcs.c, -l of several")
def test_l_of_several_has_an_empty_line_between(host: Target, service: Make) -> None:
    one, two = service(QUIET), service(QUIET)
    out = host.do(f"svcs -l {fmri(one)} {fmri(two)}")
    assert out.count("\n\nfmri         ") == 1 and out.startswith("fmri         ")


@row("SVCS-L-05", "svcs.c, print_detailed_dependency")
def test_l_tells_the_state_of_each_entity(host: Target, service: Make) -> None:
    one = service(QUIET)
    host.reaches(one, "online")
    path = folder("here")
    host.do(f"touch {path}")
    name = service(depends("a", fmri(one), fmri("ghost"), restart_on="error")
                   + depends("f", f"file://localhost{path}", kind="path") + QUIET)
    out = host.do(f"svcs -l {fmri(name)}; rm {path}")
    assert f"dependency   require_all/error {fmri(one)} (online) {fmri('ghost')} (absent)\n" in out
    assert f"dependency   require_all/none file://localhost{path} (online)\n" in out


@row("SVCS-L-06", "svcs.c, -lp")
def test_lp_lists_processes_with_their_arguments(host: Target, service: Make) -> None:
    name = service(daemon())
    host.reaches(name, "online")
    pid = host.do(f"svcprop -p restarter/start_pid {fmri(name)}").strip()
    assert pid.isdigit() and "sleep 100000\n" in host.do(f"svcs -lp {fmri(name)} | grep ^process")


@both
@row("SVCS-L-07", "svcs.c, print_detailed")
def test_l_has_the_time_in_full_and_none_for_no_next_state(host: Target, service: Make) -> None:
    name = service(QUIET)
    host.reaches(name, "online")
    out = host.do(f"svcs -l {fmri(name)}")
    assert re.search(r"^next_state   none$", out, re.M)
    assert re.search(r"^state_time   [A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}$", out, re.M)
    assert re.search(r"^restarter    svc:/system/svc/restarter:default$", out, re.M)


@row("SVCS-P-02", "svcs.c, ps_list_print")
def test_a_process_line_is_indented_by_15(host: Target, service: Make) -> None:
    name = service(daemon())
    host.reaches(name, "online")
    line = host.do(f"svcs -Hp {fmri(name)}").splitlines()[1]
    assert re.fullmatch(r" {15}[ \d]\S{7}(\S{11})?   [ \d]{6} \S+", line) and line.endswith(" sleep")
