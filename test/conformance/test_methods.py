"""Methods: how they are run, and what their end means (smf_method(7), startd/method.c)."""
from typing import Callable, List

import pytest

from conformance.rows import both, illumos, row, solaris
from conformance.target import Target, daemon, duration, fmri, folder, group, method

Make = Callable[..., str]


def transient(start: str, inside: str = "", more: str = "") -> str:
    return method("start", start, inside=inside) + method("stop", ":true") + duration("transient") + more


def aux(host: Target, name: str) -> str:
    return host.do(f"svcprop -p restarter/auxiliary_state {fmri(name)}").strip()


def said(host: Target, name: str) -> List[str]:
    """What the methods themselves wrote to the log."""
    return [line for line in host.log(name).splitlines() if not line.startswith("[ ")]


# ---- how it is run


@both
@row("METHOD-ENV-01", "smf_method(7), Environment Variables")
def test_a_method_is_told_who_and_what_it_is(host: Target, service: Make) -> None:
    name = service(transient("env"))
    host.reaches(name, "online")
    lines = said(host, name)
    for line in (f"SMF_FMRI={fmri(name)}", "SMF_METHOD=start", "SMF_RESTARTER=svc:/system/svc/restarter:default",
                 "SMF_ZONENAME=global", "PATH=/usr/sbin:/usr/bin"):
        assert line in lines, line


@both
@row("METHOD-FILES-01", "smf_method(7), File descriptors")
def test_input_is_empty_and_both_outputs_go_to_the_log(host: Target, service: Make) -> None:
    name = service(transient("sh -c 'cat; echo to-out; echo to-err >&2'"))
    host.reaches(name, "online")
    assert said(host, name)[-2:] == ["to-out", "to-err"]
    assert host.do(f"svcs -L {fmri(name)}") == f"/var/svc/log/site-conf-{name}:default.log\n"


@both
@row("METHOD-LOG-01", "startd/log.c, method.c")
def test_the_log_tells_each_step_in_these_words(host: Target, service: Make) -> None:
    name = service(daemon())
    host.reaches(name, "online")
    host.do(f"svcadm refresh {fmri(name)}")
    host.reaches(name, "online")
    host.do(f"svcadm disable {fmri(name)}")
    host.reaches(name, "disabled")
    log = host.log(name)
    steps = ['Executing start method ("sleep 100000 &"). ]', 'Method "start" exited with status 0. ]',
             "Rereading configuration. ]", "No 'refresh' method defined.  Treating as :true. ]",
             "Stopping because service disabled. ]", "Executing stop method (:kill). ]"]
    places = [log.index(step) for step in steps]
    assert places == sorted(places)
    host.do(f"grep '^\\[ [A-Z][a-z][a-z] [ 1-3][0-9] [0-9][0-9]:[0-9][0-9]:[0-9][0-9] Exec' `svcs -L {fmri(name)}`")


@both
@row("METHOD-ABSENT-01", "method.c, LIBSCF_PGROUP_ABSENT")
def test_an_absent_start_or_stop_is_said_and_counts_as_success(host: Target, service: Make) -> None:
    name = service(duration("transient"))
    host.reaches(name, "online")
    host.do(f"svcadm disable {fmri(name)}")
    host.reaches(name, "disabled")
    assert "Method property group 'start' is not present." in host.log(name)
    assert "Method property group 'stop' is not present." in host.log(name)


@both
@row("METHOD-TRUE-01", "smf_method(7), :true")
def test_true_runs_nothing_and_its_status_is_0(host: Target, service: Make) -> None:
    name = service(method("start", ":true") + method("stop", ":true") + duration("transient"))
    host.reaches(name, "online")
    assert "Executing start method (null)." in host.log(name)
    assert host.do(f"svcprop -p restarter/start_method_waitstatus {fmri(name)}") == "0\n"


@row("METHOD-KILL-01", "smf_method(7), :kill -signal")
def test_kill_sends_the_signal_that_it_names(host: Target, service: Make) -> None:
    start = "sh -c 'trap \"echo got usr1; exit 0\" USR1; while :; do sleep 0.1; done' &"
    name = service(method("start", start) + method("stop", ":kill -USR1"))
    host.reaches(name, "online")
    host.do(f"svcadm disable {fmri(name)}")
    host.reaches(name, "disabled")
    assert "got usr1" in host.log(name)


@row("METHOD-KILL-02", "smf_method(7), :kill -number")
def test_kill_takes_a_number(host: Target, service: Make) -> None:
    name = service(daemon(stop=":kill -9"))
    host.reaches(name, "online")
    host.do(f"svcadm disable {fmri(name)}")
    host.reaches(name, "disabled")


# ---- tokens


@both
@row("METHOD-TOKEN-01", "smf_method(7), Method Tokens")
def test_tokens_for_the_restarter_method_service_instance_and_fmri(host: Target, service: Make) -> None:
    name = service(transient("echo %% %r %m %s %i %f"))
    host.reaches(name, "online")
    assert said(host, name)[-1] == f"% svc.startd start site/conf-{name} default {fmri(name)}"


@row("METHOD-TOKEN-02", "smf_method(7), %{prop[:,]}")
def test_property_tokens_of_a_group_and_of_the_group_application(host: Target, service: Make) -> None:
    name = service(transient("echo %{config/word} %{plain}", more=group("config", word="deep")
                             + group("application", plain="shallow")))
    host.reaches(name, "online")
    assert said(host, name)[-1] == "deep shallow"


@row("METHOD-TOKEN-03", "smf_method(7), %{prop[:,]}")
def test_several_values_are_put_together_with_the_separator_that_the_token_names(host: Target, service: Make) -> None:
    several = ("<property_group name='config' type='application'><property name='words' type='astring'><astring_list>"
               "<value_node value='a'/><value_node value='b'/></astring_list></property></property_group>")
    name = service(transient("echo %{config/words} %{config/words,} %{config/words:}", more=several))
    host.reaches(name, "online")
    assert said(host, name)[-1] == "a b a,b a:b"


@row("METHOD-TOKEN-04", "smf_method(7), quoting")
def test_values_are_quoted_for_the_shell(host: Target, service: Make) -> None:
    name = service(transient("echo %{config/odd}", more=group("config", odd="a  b;c&d|e<f>g'h\"i`j")))
    host.reaches(name, "online")
    assert said(host, name)[-1] == "a  b;c&d|e<f>g'h\"i`j"


@row("METHOD-TOKEN-05", "smf_method(7), %{property FMRI}")
def test_a_token_may_name_a_property_of_another_instance(host: Target, service: Make) -> None:
    other = service(transient(":true", more=group("config", word="afar")))
    name = service(transient(f"echo %{{{fmri(other)}/:properties/config/word}}"))
    host.reaches(name, "online")
    assert said(host, name)[-1] == "afar"


@row("METHOD-TOKEN-06", "expand.c, current values")
def test_a_stop_method_may_use_the_contract_that_is_no_part_of_a_snapshot(host: Target, service: Make) -> None:
    kill = "smf_kill_contract %{restarter/contract} TERM 1"
    name = service(daemon(stop=f"sh -c '. /lib/svc/share/smf_include.sh; {kill}'"))
    host.reaches(name, "online")
    host.do(f"svcadm disable {fmri(name)}")
    host.reaches(name, "disabled")


@both
@row("METHOD-TOKEN-07", "smf_method(7), invalid expansion")
@pytest.mark.parametrize("token", ["%x", "%{config/ghost}", "%{ghost}"])
def test_a_token_that_means_nothing_is_maintenance_at_once(host: Target, service: Make, token: str) -> None:
    name = service(transient(f"echo {token}"))
    host.reaches(name, "maintenance")
    assert aux(host, name) == "method_failed"
    assert "Executing start method" not in host.log(name)


# ---- what its end means


@both
@row("METHOD-EXIT-01", "smf_method(7), SMF_EXIT_ERR_FATAL, _CONFIG, _NOSMF, _PERM")
@pytest.mark.parametrize("status", [95, 96, 99, 100])
def test_these_statuses_are_maintenance_without_another_try(host: Target, service: Make, status: int) -> None:
    name = service(transient(f"sh -c 'exit {status}'"))
    host.reaches(name, "maintenance")
    assert aux(host, name) == "method_failed"
    assert host.log(name).count("Executing start method") == 1


@both
@row("METHOD-EXIT-02", "method.c method_thread, FAULT_THRESHOLD")
@pytest.mark.parametrize("status", [1, 98, 127])
def test_any_other_failure_is_tried_three_times_at_once(host: Target, service: Make, status: int) -> None:
    name = service(transient(f"sh -c 'exit {status}'"))
    host.reaches(name, "maintenance")
    assert aux(host, name) == "fault_threshold_reached"
    assert host.log(name).count(f'Method "start" exited with status {status}.') == 3
    assert host.do(f"svcprop -p restarter/start_method_waitstatus {fmri(name)}") == f"{status << 8}\n"


@both
@row("METHOD-EXIT-03", "method.c, WIFSIGNALED")
def test_a_method_that_is_killed_has_failed_like_any_other(host: Target, service: Make) -> None:
    name = service(transient("sh -c 'kill -9 $$'"))
    host.reaches(name, "maintenance")
    assert aux(host, name) == "fault_threshold_reached"
    assert host.log(name).count('Method "start" failed due to signal KILL.') == 3


@row("METHOD-EXIT-04", "method.c update_fault_count")
def test_a_success_forgets_the_failures_before(host: Target, service: Make) -> None:
    at = folder("exit4")
    name = service(transient(f"sh -c 'echo x >>{at}; case `wc -l <{at} | tr -d \" \"` in 3|6) exit 0;; esac; exit 1'"))
    host.reaches(name, "online")
    host.do(f"svcadm restart {fmri(name)}")
    host.until(f"[ `wc -l <{at}` -eq 6 ]")
    host.reaches(name, "online")
    host.do(f"rm {at}")


@illumos
@row("METHOD-EXIT-05", "smf_method(7), SMF_EXIT_NODAEMON")
def test_94_is_success_without_a_daemon(host: Target, service: Make) -> None:
    name = service(method("start", "sh -c 'exit 94'") + method("stop", ":kill"))
    host.reaches(name, "online")
    assert host.do(f"svcs -Ho ctid {fmri(name)}").strip() == "-"


@solaris
@row("METHOD-EXIT-06", "Solaris 11.4 smf_method(7), exit statuses")
def test_94_is_a_failure_where_nobody_defined_it(host: Target, service: Make) -> None:
    name = service(method("start", "sh -c 'exit 94'") + method("stop", ":kill"))
    host.reaches(name, "maintenance")
    assert aux(host, name) == "fault_threshold_reached"


@both
@row("METHOD-EXIT-07", "smf_method(7), SMF_EXIT_MON_DEGRADE")
def test_97_is_degraded(host: Target, service: Make) -> None:
    name = service(transient("sh -c 'exit 97'"))
    host.reaches(name, "degraded")


@both
@row("METHOD-EXIT-08", "smf_method(7), SMF_EXIT_TEMP_DISABLE")
def test_101_disables_the_instance_until_the_next_boot(host: Target, service: Make) -> None:
    name = service(transient("sh -c 'exit 101'"))
    host.reaches(name, "disabled")
    assert host.do(f"svcprop -p general_ovr/enabled {fmri(name)}") == "false\n"
    assert host.do(f"svcprop -c -p general/enabled {fmri(name)}") == "true\n"


@solaris
@row("METHOD-EXIT-09", "Solaris 11.4 smf_method(7), SMF_EXIT_TEMP_TRANSIENT")
def test_102_is_success_without_a_daemon_on_solaris(host: Target, service: Make) -> None:
    name = service(method("start", "sh -c 'exit 102'") + method("stop", ":kill"))
    host.reaches(name, "online")


@illumos
@row("METHOD-EXIT-10", "smf_method(7), exit statuses")
def test_102_is_a_failure_where_nobody_defined_it(host: Target, service: Make) -> None:
    name = service(method("start", "sh -c 'exit 102'") + method("stop", ":kill"))
    host.reaches(name, "maintenance")


@row("METHOD-STOP-01", "method.c, stop methods are retried")
def test_a_failing_stop_is_tried_three_times_too(host: Target, service: Make) -> None:
    name = service(daemon(stop="sh -c 'exit 1'"))
    host.reaches(name, "online")
    pid = host.do(f"svcs -Hp {fmri(name)}").split("\n")[1].split()[1]
    host.do(f"svcadm disable {fmri(name)}")
    host.reaches(name, "maintenance")
    assert aux(host, name) == "fault_threshold_reached"
    assert host.log(name).count('Method "stop" exited with status 1.') == 3
    host.do(f"kill -9 {pid}")


@row("METHOD-REFRESH-01", "method.c, refresh methods are retried")
def test_a_failing_refresh_is_maintenance_in_the_end(host: Target, service: Make) -> None:
    name = service(daemon() + method("refresh", "sh -c 'exit 1'"))
    host.reaches(name, "online")
    host.do(f"svcadm refresh {fmri(name)}")
    host.reaches(name, "maintenance")
    assert host.log(name).count('Method "refresh" exited with status 1.') == 3


# ---- time-outs


@both
@row("METHOD-TIME-01", "restarter.c timeout_now")
def test_a_start_past_its_time_is_killed_and_three_of_them_are_maintenance(host: Target, service: Make) -> None:
    name = service(method("start", "sleep 1000", timeout_s=1) + method("stop", ":true"))
    host.reaches(name, "maintenance")
    log = host.log(name)
    assert log.count("Method or service exit timed out.  Killing contract ") == 3
    assert log.count('Method "start" failed due to signal KILL.') == 3


@illumos
@row("METHOD-TIME-02", "svc.startd(8), timeout_retry")
def test_without_timeout_retry_the_first_is_maintenance(host: Target, service: Make) -> None:
    retry = ("<property_group name='startd' type='framework'>"
             "<propval name='timeout_retry' type='boolean' value='false'/></property_group>")
    name = service(method("start", "sleep 1000", timeout_s=1) + method("stop", ":true") + retry)
    host.reaches(name, "maintenance")
    assert host.log(name).count("Killing contract ") == 1


@both
@row("METHOD-TIME-03", "method.c, assured_kill")
def test_a_daemon_that_ignores_the_stop_is_killed_and_that_is_maintenance(host: Target, service: Make) -> None:
    name = service(method("start", "sh -c 'trap \"\" TERM; sleep 100000' &") + method("stop", ":kill", timeout_s=1))
    host.reaches(name, "online")
    host.until(f"svcs -Hp {fmri(name)} | grep sleep")
    host.do(f"svcadm disable {fmri(name)}")
    host.reaches(name, "maintenance")
    assert aux(host, name) == "method_failed"
    assert host.log(name).count("Executing stop method") == 1


# ---- the context


@both
@row("METHOD-CONTEXT-01", "smf_method(7), Method Definition")
def test_without_a_context_it_is_root_in_the_root_folder(host: Target, service: Make) -> None:
    name = service(transient("sh -c 'pwd; id -u 2>/dev/null || /usr/xpg4/bin/id -u'"))
    host.reaches(name, "online")
    assert said(host, name)[-2:] == ["/", "0"]


@both
@row("METHOD-CONTEXT-02", "smf_method(7), Method Context")
def test_a_context_gives_user_group_and_folder(host: Target, service: Make) -> None:
    inside = ("<method_context working_directory='/var/tmp'><method_credential user='daemon' group='mail'/>"
              "</method_context>")
    group_id = host.do("grep '^mail:' /etc/group").split(":")[2]
    name = service(transient("python3 -c 'import os; print(os.getcwd(), os.getuid(), os.getgid())'", inside))
    host.reaches(name, "online")
    assert said(host, name)[-1] == f"/var/tmp 1 {group_id}"


@both
@row("METHOD-CONTEXT-03", "smf_method(7), working_directory")
def test_with_a_user_the_folder_is_his_home(host: Target, service: Make) -> None:
    home = host.do("grep '^root:' /etc/passwd").split(":")[5]
    name = service(transient("pwd", "<method_context><method_credential user='root'/></method_context>"))
    host.reaches(name, "online")
    assert said(host, name)[-1] == home


@both
@row("METHOD-CONTEXT-04", "smf_method(7), invalid context settings")
def test_an_unknown_user_is_maintenance(host: Target, service: Make) -> None:
    name = service(transient("true", "<method_context><method_credential user='ghost0'/></method_context>"))
    host.reaches(name, "maintenance")


@both
@row("METHOD-CONTEXT-05", "smf_method(7), environment")
def test_a_context_adds_variables_but_none_of_smf(host: Target, service: Make) -> None:
    inside = ("<method_context><method_environment><envvar name='CONF_WORD' value='a b'/>"
              "<envvar name='SMF_FMRI' value='lie'/></method_environment></method_context>")
    name = service(transient("env", inside))
    host.reaches(name, "online")
    assert "CONF_WORD=a b" in said(host, name) and f"SMF_FMRI={fmri(name)}" in said(host, name)


# ---- smf_include.sh


@both
@row("METHOD-INCLUDE-01", "smf_method(7), Shell Programming Support")
def test_the_shell_library_has_its_functions_and_constants(host: Target) -> None:
    out = host.do(". /lib/svc/share/smf_include.sh; smf_present && echo present; smf_is_globalzone && echo global; "
                  "smf_is_nonglobalzone || echo 'not a zone'; smf_zonename; "
                  "echo $SMF_EXIT_OK $SMF_EXIT_ERR_FATAL $SMF_EXIT_ERR_CONFIG $SMF_EXIT_MON_DEGRADE "
                  "$SMF_EXIT_MON_OFFLINE $SMF_EXIT_ERR_NOSMF $SMF_EXIT_ERR_PERM")
    assert out.splitlines() == ["present", "global", "not a zone", "global", "0 95 96 97 98 99 100"]


@row("METHOD-INCLUDE-02", "smf_include.sh, smf_clear_env")
def test_smf_clear_env_takes_the_variables_away(host: Target, service: Make) -> None:
    name = service(transient("sh -c '. /lib/svc/share/smf_include.sh; smf_clear_env; env | grep ^SMF_[FMRZ]; exit 0'"))
    host.reaches(name, "online")
    assert not [line for line in said(host, name) if line.startswith(("SMF_FMRI", "SMF_METHOD"))]


@row("METHOD-INCLUDE-03", "smf_include.sh, smf_kill_contract")
def test_smf_kill_contract_says_a_bad_contract_and_a_time_out(host: Target, service: Make) -> None:
    include = ". /lib/svc/share/smf_include.sh; "
    host.fails(include + "smf_kill_contract ghost TERM 1 1", 1)
    name = service(method("start", "sh -c 'trap \"\" TERM; sleep 100000' &") + method("stop", ":kill -9"))
    host.reaches(name, "online")
    host.until(f"svcs -Hp {fmri(name)} | grep sleep")
    contract = host.do(f"svcprop -p restarter/contract {fmri(name)}").strip()
    host.fails(include + f"smf_kill_contract {contract} TERM 1 1", 2)


@illumos
@row("METHOD-INCLUDE-04", "smf_method(7), SMF_EXIT_NODAEMON")
def test_illumos_has_the_constant_nodaemon(host: Target) -> None:
    assert host.do(". /lib/svc/share/smf_include.sh; echo $SMF_EXIT_NODAEMON $SMF_EXIT_TEMP_DISABLE") == "94 101\n"


@solaris
@row("METHOD-INCLUDE-05", "Solaris 11.4 smf_method(7)")
def test_solaris_has_temp_disable_and_temp_transient(host: Target) -> None:
    assert host.do(". /lib/svc/share/smf_include.sh; echo $SMF_EXIT_TEMP_DISABLE $SMF_EXIT_TEMP_TRANSIENT "
                   "${SMF_EXIT_NODAEMON-none}") == "101 102 none\n"


@illumos
@row("METHOD-INCLUDE-06", "smf_method(7), smf_method_exit")
def test_smf_method_exit_stores_its_reason_and_exits(host: Target, service: Make) -> None:
    name = service(transient("sh -c '. /lib/svc/share/smf_include.sh; smf_method_exit 101 \"not on this host\"'"))
    host.reaches(name, "disabled")
    assert "not\\ on\\ this\\ host" in host.do(f"svcprop -p general_ovr/comment {fmri(name)}")


@solaris
@row("METHOD-INCLUDE-07", "Solaris 11.4 smf_method(7), smf_method_exit")
def test_smf_method_exit_of_solaris_takes_a_short_reason_too(host: Target, service: Make) -> None:
    leave = 'smf_method_exit 101 no_need "not on this host"'
    name = service(transient(f"sh -c '. /lib/svc/share/smf_include.sh; {leave}'"))
    host.reaches(name, "disabled")


@solaris
@row("METHOD-INCLUDE-08", "Solaris 11.4 /lib/svc/share/smf_include.py")
def test_solaris_has_the_library_for_python(host: Target) -> None:
    out = host.do("python3 -c 'import sys; sys.path.insert(0, \"/lib/svc/share\"); import smf_include as s; "
                  "print(s.SMF_EXIT_OK, s.SMF_EXIT_ERR_CONFIG, s.SMF_EXIT_TEMP_TRANSIENT, callable(s.smf_main))'")
    assert out == "0 96 102 True\n"


@illumos
@row("METHOD-INCLUDE-09", "illumos /lib/svc/share")
def test_illumos_has_no_library_for_python(host: Target) -> None:
    host.fails("test -e /lib/svc/share/smf_include.py")
