"""svc.startd: states, contracts, restarts (svc.startd(8), startd/restarter.c, startd/contract.c)."""
from typing import Callable

from conformance.rows import both, illumos, row
from conformance.target import DAEMON, PREFIX, Target, daemon, duration, fmri, folder, group, method

Make = Callable[..., str]
CRASHES = 20        # enough for every platform's rule of restarting too quickly


def value(host: Target, name: str, prop: str) -> str:
    """A property of the restarter's view, by svcprop."""
    return host.do(f"svcprop -p {prop} {fmri(name)}").strip()


def kill_members(host: Target, name: str, sig: str = "KILL") -> None:
    """Kill what `svcs -p` lists of it."""
    host.do(f"kill -{sig} `svcs -Hp {fmri(name)} | sed 1d | awk '{{ print $2 }}'`")


def told(host: Target, name: str, text: str) -> None:
    """Wait until the log has this text."""
    host.until(f"grep -- '{text}' `svcs -L {fmri(name)}`")


def typed(name: str, **properties: str) -> str:
    """A framework group of integers."""
    found = "".join(f"<propval name='{k}' type='integer' value='{v}'/>" for k, v in properties.items())
    return f"<property_group name='{name}' type='framework'>{found}</property_group>"


# ---- states


@both
@row("STARTD-STATE-01", "svcs(1), STATE; restarter.c start_instance")
def test_while_the_start_method_runs_the_instance_is_offline_with_an_asterisk(host: Target, service: Make) -> None:
    name = service(method("start", "sleep 1000") + method("stop", ":true"))
    host.until(f'[ "`svcs -Ho state,nstate {fmri(name)} | tr -s " "`" = "offline online" ]')
    assert host.do(f"svcs -Ho state {fmri(name)}").strip() == "offline*"
    assert host.do(f"svcprop -p restarter/next_state {fmri(name)}") == "online\n"
    kill_members(host, name)


@row("STARTD-STATE-02", "restarter.c stop_instance")
def test_while_the_stop_method_runs_it_is_online_with_an_asterisk(host: Target, service: Make) -> None:
    at = folder("state2")
    name = service(daemon(stop=f"sh -c 'while [ ! -f {at} ]; do sleep 0.1; done; kill `cat {at}.pid`'").replace(
        "sleep 100000 &amp;", f"sh -c 'sleep 100000 &amp; echo $! &gt;{at}.pid'"))
    host.reaches(name, "online")
    host.do(f"svcadm disable {fmri(name)}")
    host.until(f'[ "`svcs -Ho state {fmri(name)}`" = "online*" ]')
    assert value(host, name, "restarter/next_state") == "disabled"
    host.do(f"touch {at}")
    host.reaches(name, "disabled")
    host.do(f"rm {at} {at}.pid")


@row("STARTD-STATE-03", "restarter.c refresh_instance")
def test_while_the_refresh_method_runs_it_is_online_with_an_asterisk(host: Target, service: Make) -> None:
    at = folder("state3")
    name = service(daemon() + method("refresh", f"sh -c 'while [ ! -f {at} ]; do sleep 0.1; done'"))
    host.reaches(name, "online")
    host.do(f"svcadm refresh {fmri(name)}")
    host.until(f'[ "`svcs -Ho state {fmri(name)}`" = "online*" ]')
    assert value(host, name, "restarter/next_state") == "online"
    host.do(f"touch {at}")
    host.reaches(name, "online")
    host.do(f"rm {at}")


@both
@row("STARTD-GROUP-01", "librestart.h, restarter group")
def test_the_restarter_group_has_these_properties_of_these_types(host: Target, service: Make) -> None:
    name = service(daemon())
    host.reaches(name, "online")
    for prop, kind in (("state", "astring"), ("next_state", "astring"), ("auxiliary_state", "astring"),
                       ("state_timestamp", "time"), ("contract", "count"), ("start_pid", "count"),
                       ("start_method_timestamp", "time"), ("start_method_waitstatus", "integer"),
                       ("logfile", "astring")):
        assert host.do(f"svcprop -t -p restarter/{prop} {fmri(name)}").split()[1] == kind, prop


@both
@row("STARTD-AUX-01", "librestart.h, auxiliary states")
def test_auxiliary_states_of_a_start_and_a_disable(host: Target, service: Make) -> None:
    name = service(daemon())
    host.reaches(name, "online")
    assert value(host, name, "restarter/auxiliary_state") == "dependencies_satisfied"
    host.do(f"svcadm disable {fmri(name)}")
    host.reaches(name, "disabled")
    assert value(host, name, "restarter/auxiliary_state") == "disable_request"


@both
@row("STARTD-SNAPSHOT-01", "svccfg(8), snapshots")
def test_an_instance_that_has_been_online_has_the_snapshot_start(host: Target, service: Make) -> None:
    name = service(daemon())
    host.reaches(name, "online")
    listed = host.do(f"svccfg -s {fmri(name)} listsnap").split()
    assert {"initial", "last-import", "running", "start"} <= set(listed)


@both
@row("STARTD-REFRESH-01", "svcprop(1), -c; svcadm(8), refresh")
def test_a_changed_property_counts_after_a_refresh(host: Target, service: Make) -> None:
    name = service(daemon() + group("config", word="old"))
    host.reaches(name, "online")
    host.do(f"svccfg -s {PREFIX}{name} setprop config/word = astring: new")
    assert value(host, name, "config/word") == "old"
    assert host.do(f"svcprop -c -p config/word {fmri(name)}") == "new\n"
    host.do(f"svcadm refresh {fmri(name)}")
    host.until(f'[ "`svcprop -p config/word {fmri(name)}`" = new ]')


# ---- the contract model


@both
@row("STARTD-CONTRACT-01", "restarter.c contract_action, RSTOP_SIGNAL")
def test_a_killed_process_is_a_fault_the_stop_method_runs_and_it_is_started_again(host: Target, service: Make) -> None:
    name = service(daemon(stop="echo stopped by method"))
    host.reaches(name, "online")
    old = value(host, name, "restarter/contract")
    kill_members(host, name)
    host.until(f'[ "`svcprop -p restarter/contract {fmri(name)}`" != "{old}" ]')
    host.reaches(name, "online")
    log = host.log(name)
    assert "Stopping because process received fatal signal from outside the service." in log
    assert "stopped by method" in log


@row("STARTD-CONTRACT-02", "restarter.c contract_action, RSTOP_EXIT")
def test_when_all_processes_have_exited_it_is_started_again(host: Target, service: Make) -> None:
    at = folder("contract2")
    name = service(daemon().replace("sleep 100000", f"sh -c 'test -f {at} || {{ touch {at}; exit 0; }}; sleep 100000'"))
    told(host, name, "Stopping because all processes in service exited.")
    host.reaches(name, "online")
    host.do(f"rm {at}")


@row("STARTD-CONTRACT-03", "restarter.c contract_action, RSTOP_CORE")
def test_a_core_dump_is_told_apart(host: Target, service: Make) -> None:
    name = service(daemon())
    host.reaches(name, "online")
    kill_members(host, name, "ABRT")
    told(host, name, "Stopping because process dumped core.")
    host.reaches(name, "online")


@row("STARTD-CONTRACT-04", "svc.startd(8), contract model")
def test_one_of_several_processes_that_exits_is_no_event(host: Target, service: Make) -> None:
    at = folder("contract4")
    name = service(method("start", f"sh -c 'sleep 100000 & (touch {at}) & wait $!'") + method("stop", ":kill"))
    host.reaches(name, "online")
    host.until(f"test -f {at}")
    old = value(host, name, "restarter/contract")
    host.do(f"svcadm refresh {fmri(name)}")         # an event that is certainly later
    told(host, name, "Rereading configuration.")
    assert value(host, name, "restarter/contract") == old
    host.do(f"rm {at}")


@both
@row("STARTD-CONTRACT-05", "contract(5), inheritance")
def test_a_daemon_that_leaves_its_session_is_still_in_the_contract_and_killed(host: Target, service: Make) -> None:
    at = folder("contract5")
    leave = (f'import os; os.fork() and os._exit(0); os.setsid(); os.fork() and os._exit(0); '
             f'open("{at}", "w").write(str(os.getpid())); os.execv("/bin/sleep", ["sleep", "100000"])')
    name = service(method("start", f"sh -c 'python3 -c \"$0\"; while [ ! -s {at} ]; do sleep 0.1; done' '{leave}'")
                   + method("stop", ":kill"))
    host.reaches(name, "online")
    pid = host.do(f"cat {at}").strip()
    assert f" {pid} " in host.do(f"svcs -Hp {fmri(name)}")
    host.do(f"svcadm disable {fmri(name)}")
    host.reaches(name, "disabled")
    host.fails(f"kill -0 {pid}")
    host.do(f"rm {at}")


@row("STARTD-CONTRACT-06", "svc.startd(8), restart_on any_fault")
def test_a_start_method_with_any_fault_does_not_mind_that_all_have_exited(host: Target, service: Make) -> None:
    mind = "<propval name='restart_on' type='astring' value='any_fault'/>"
    name = service(method("start", "sleep 0.2 &", inside=mind) + method("stop", ":kill"))
    host.reaches(name, "online")
    host.until(f"[ `svcs -Hp {fmri(name)} | wc -l` -eq 1 ]")
    assert host.state(name) == "online" and "Stopping" not in host.log(name)


@row("STARTD-CONTRACT-07", "svc.startd(8), startd/ignore_error")
def test_ignored_signals_stop_nothing_while_another_process_lives(host: Target, service: Make) -> None:
    name = service(method("start", "sh -c 'sleep 100000 & sleep 200000 &'") + method("stop", ":kill")
                   + group("startd", "framework", ignore_error="core,signal"))
    host.reaches(name, "online")
    host.do(f"kill -9 `svcs -Hp {fmri(name)} | sed 1d | awk 'NR == 1 {{ print $2 }}'`")
    host.until(f"[ `svcs -Hp {fmri(name)} | wc -l` -eq 2 ]")
    assert host.state(name) == "online" and "Stopping" not in host.log(name)


@both
@row("STARTD-NULL-01", "method.c method_run, null method")
def test_a_null_stop_leaves_the_processes_and_ends_at_once(host: Target, service: Make) -> None:
    name = service(daemon(stop=":true"))
    host.reaches(name, "online")
    pid = host.do(f"svcs -Hp {fmri(name)}").split("\n")[1].split()[1]
    host.do(f"svcadm disable {fmri(name)}")
    host.reaches(name, "disabled")
    host.do(f"kill -9 {pid}")


# ---- transient and child


@both
@row("STARTD-TRANSIENT-01", "svc.startd(8), transient model")
def test_a_transient_service_has_no_contract_and_is_not_watched(host: Target, service: Make) -> None:
    name = service(method("start", "sleep 0.1 &") + method("stop", "echo bye; exit 0") + duration("transient"))
    host.reaches(name, "online")
    assert host.do(f"svcs -Ho ctid {fmri(name)}").strip() == "-"
    host.do(f"svcadm disable {fmri(name)}")
    host.reaches(name, "disabled")
    assert "bye" in host.log(name) and "all processes" not in host.log(name)


@both
@row("STARTD-TRANSIENT-02", "method.c, :kill with no contract")
def test_kill_is_no_stop_method_for_a_transient_service(host: Target, service: Make) -> None:
    name = service(method("start", ":true") + method("stop", ":kill") + duration("transient"))
    host.reaches(name, "online")
    host.do(f"svcadm disable {fmri(name)}")
    host.reaches(name, "maintenance")
    assert 'Invalid use of ":kill" as stop method for transient service.' in host.log(name)


@both
@row("STARTD-CHILD-01", "svc.startd(8), wait model; wait.c")
def test_a_child_service_is_online_while_its_process_lives_and_started_again_without_its_stop_method(
        host: Target, service: Make) -> None:
    stop = method("stop", "sh -c 'echo stopping; kill %{restarter/start_pid}'")
    name = service(method("start", "sleep 100000") + stop + duration("child"))
    host.reaches(name, "online")
    old = value(host, name, "restarter/start_pid")
    host.do(f"kill {old}")
    host.until(f'[ "`svcprop -p restarter/start_pid {fmri(name)}`" != {old} ]')
    host.reaches(name, "online")
    assert "stopping" not in host.log(name)
    host.do(f"svcadm disable {fmri(name)}")
    host.reaches(name, "disabled")
    assert "stopping" in host.log(name)


@row("STARTD-CHILD-02", "wait.c, SMF_EXIT_ERR_CONFIG")
def test_a_child_service_that_exits_with_96_is_maintenance(host: Target, service: Make) -> None:
    name = service(method("start", "sh -c 'sleep 0.1; exit 96'") + method("stop", ":kill") + duration("child"))
    host.reaches(name, "maintenance")


@illumos
@row("STARTD-CHILD-03", "svc.startd(8), startd/duration wait")
def test_wait_is_another_word_for_child(host: Target, service: Make) -> None:
    name = service(method("start", "sleep 100000") + method("stop", ":kill") + duration("wait"))
    host.reaches(name, "online")
    assert len(host.do(f"svcs -Hp {fmri(name)}").splitlines()) == 2


# ---- restarting too quickly


@both
@row("STARTD-RATE-01", "method.c method_rate_critical")
def test_the_tenth_start_in_a_row_is_not_run(host: Target, service: Make) -> None:
    name = service(daemon().replace("sleep 100000", "sleep 0.05"))
    host.reaches(name, "maintenance")
    assert value(host, name, "restarter/auxiliary_state") == "restarting_too_quickly"
    log = host.log(name)
    assert "Restarting too quickly, changing state to maintenance." in log
    assert log.count("Executing start method") == 9


@illumos
@row("STARTD-RATE-02", "svc.startd(8), critical_failure_count")
def test_an_instance_may_have_a_rule_of_its_own(host: Target, service: Make) -> None:
    name = service(daemon().replace("sleep 100000", "sleep 0.05")
                   + typed("startd", critical_failure_count="3", critical_failure_period="100"))
    host.reaches(name, "maintenance")
    assert host.log(name).count("Executing start method") == 2


@row("STARTD-RATE-03", "restarter.c reset_start_times")
def test_a_restart_by_an_administrator_counts_anew(host: Target, service: Make) -> None:
    name = service(daemon())
    for _ in range(CRASHES):
        host.reaches(name, "online")
        old = value(host, name, "restarter/contract")
        host.do(f"svcadm restart {fmri(name)}")
        host.until(f'[ "`svcprop -p restarter/contract {fmri(name)}`" != "{old}" ]')
    host.reaches(name, "online")


# ---- maintenance


@both
@row("STARTD-MAINT-01", "restarter.c maintain_instance, event_from_tty")
def test_a_mark_without_a_terminal_is_a_service_request_and_runs_the_stop_method(host: Target, service: Make) -> None:
    name = service(daemon(stop="echo stopped by method"))
    host.reaches(name, "online")
    kill = host.do(f"svcs -Hp {fmri(name)}").split("\n")[1].split()[1]
    host.do(f"svcadm mark maintenance {fmri(name)}; kill -9 {kill}")
    host.reaches(name, "maintenance")
    assert value(host, name, "restarter/auxiliary_state") == "service_request"
    assert "Stopping for maintenance due to service_request." in host.log(name)
    assert "stopped by method" in host.log(name)


@both
@row("STARTD-MAINT-02", "restarter.c unmaintain_instance")
def test_clear_starts_what_was_in_maintenance(host: Target, service: Make) -> None:
    name = service(daemon())
    host.reaches(name, "online")
    host.do(f"svcadm mark maintenance {fmri(name)}")
    host.reaches(name, "maintenance")
    host.do(f"svcadm clear {fmri(name)}")
    host.reaches(name, "online")
    assert "Leaving maintenance because clear requested." in host.log(name)


@both
@row("STARTD-MAINT-03", "restarter.c enable_inst")
def test_enable_does_not_leave_maintenance_and_disable_does(host: Target, service: Make) -> None:
    name = service(daemon())
    host.reaches(name, "online")
    host.do(f"svcadm mark maintenance {fmri(name)}")
    host.reaches(name, "maintenance")
    host.do(f"svcadm enable {fmri(name)}")
    assert host.state(name) == "maintenance"
    host.do(f"svcadm disable {fmri(name)}")
    host.reaches(name, "disabled")
    assert "Leaving maintenance because disable requested." in host.log(name)


@row("STARTD-MAINT-04", "restarter.c maintain_instance, not started")
def test_a_mark_of_a_disabled_instance_is_maintenance_at_once(host: Target, service: Make) -> None:
    name = service(daemon())
    host.do(f"svcadm disable {fmri(name)}")
    host.reaches(name, "disabled")
    before = host.log(name).count("Executing stop method")
    host.do(f"svcadm mark maintenance {fmri(name)}")
    host.reaches(name, "maintenance")
    assert host.log(name).count("Executing stop method") == before


@both
@row("STARTD-DEGRADED-01", "smf_method(7), SMF_EXIT_MON_DEGRADE; svc.startd(8)")
def test_what_starts_degraded_is_watched_and_stopped_like_one_online(host: Target, service: Make) -> None:
    name = service(method("start", f"sh -c '{DAEMON} exit 97'") + method("stop", ":kill"))
    host.reaches(name, "degraded")
    contract = value(host, name, "restarter/contract")
    assert contract.isdigit() and len(host.do(f"svcs -Hp {fmri(name)}").splitlines()) == 2
    kill_members(host, name)
    host.until(f'[ "`svcprop -p restarter/contract {fmri(name)}`" != {contract} ]')
    host.reaches(name, "degraded")
    host.do(f"svcadm disable -s {fmri(name)}")
    assert value(host, name, "restarter/contract") == ""
