"""svc.startd with real processes: contracts, methods, restarts, time-outs, boots."""
import os
import signal
from pathlib import Path
from typing import Iterator

import pytest

from lab.smf_host import DAEMON, Host, duration, method, needs, sundog

pytestmark = [pytest.mark.lab, pytest.mark.timeout(60)]


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    made = Host(tmp_path)
    try:
        yield made
    finally:
        made.down()


def test_a_killed_service_is_back_at_once_and_its_stop_method_ran(host: Host) -> None:
    host.manifest("a", method("start", "sleep 1000 &") + method("stop", "echo stopping %f; true"))
    host.boot().until_state("a", "online")
    before = host.members("a")
    host.kill("a")
    host.until(lambda: host.state("a") == "online" and host.members("a") not in ([], before), "a new process")
    assert "process received fatal signal from outside the service" in host.log("a")
    assert "stopping svc:/site/a:default" in host.log("a")


def test_a_service_whose_last_process_exits_by_itself_is_restarted_without_an_error(host: Host) -> None:
    host.manifest("a", method("start", f"sh -c 'test -e {host.home}/once && exec sleep 1000; : > {host.home}/once' &")
                  + method("stop", ":kill"))
    host.manifest("d", needs("a", "error") + DAEMON)
    host.boot().until_state("d", "online")
    host.until(lambda: "all processes in service exited" in host.log("a"), "the end of the first process")
    host.until(lambda: host.state("a") == "online" and len(host.members("a")) == 1, "the second process")
    assert "Stopping" not in host.log("d")


def test_the_last_death_of_a_stop_is_no_fault_of_the_start_that_follows(host: Host) -> None:
    """Several processes take a while to end, so that the contract becomes empty after the stop method is through."""
    host.manifest("a", method("start", f"sh -c 'echo >>{host.home}/starts; for i in 1 2 3 4; do sleep 1000 & done'")
                  + method("stop", ":kill"))
    host.boot().until_state("a", "online")
    for restarts in range(1, 6):
        old = host.members("a")
        host.do("svcadm", "restart", "a")
        host.until(lambda old=old: host.state("a") == "online" and host.members("a") not in ([], old), "a new start")
        assert (host.home / "starts").read_text().count("\n") == 1 + restarts
    assert "all processes in service exited" not in host.log("a")


def test_a_worker_that_exits_while_others_live_is_no_event(host: Host) -> None:
    work = f"sh -c 'sh -c \": > {host.home}/worked\"; exec sleep 1000' &"
    host.manifest("a", method("start", work) + method("stop", ":kill"))
    host.boot().until_state("a", "online")
    host.until((host.home / "worked").exists, "the worker")
    assert host.state("a") == "online" and "Stopping" not in host.log("a")


def test_a_daemon_that_ignores_sigterm_is_killed_at_the_stop_time_out_and_ends_in_maintenance(host: Host) -> None:
    stubborn = "sh -c 'trap \"\" TERM; while :; do sleep 1000; done' &"
    host.manifest("a", method("start", stubborn) + method("stop", ":kill", 1))
    host.boot().until_state("a", "online")
    host.do("svcadm", "disable", "a")
    host.until_state("a", "maintenance")
    assert "Method or service exit timed out.  Killing contract" in host.log("a")
    assert host.do("svcprop", "-p", "restarter/auxiliary_state", "a").strip() == "method_failed"


def test_a_start_that_times_out_three_times_is_maintenance_and_leaves_nothing_alive(host: Host) -> None:
    host.manifest("a", method("start", "sleep 1000", 1) + method("stop", ":kill"))
    host.boot().until_state("a", "maintenance")
    assert host.log("a").count("Executing start method") == 3
    assert host.log("a").count("failed due to signal KILL") == 3
    host.until(lambda: not [c for c in host.contracts.iterdir() if c.is_dir()], "the contracts to be gone")


def test_a_failing_start_runs_three_times_and_svcs_says_why(host: Host) -> None:
    host.manifest("a", method("start", "sh -c 'exit 7'") + method("stop", ":kill"))
    host.boot().until_state("a", "maintenance")
    assert host.log("a").count('Method "start" exited with status 7.') == 3
    assert "Reason: Start method failed repeatedly, last exited with status 7.\n" in host.do("svcs", "-x", "a")


def test_a_start_that_is_not_configured_goes_to_maintenance_at_once(host: Host) -> None:
    host.manifest("a", method("start", "sh -c 'exit 96'") + method("stop", ":kill"))
    host.boot().until_state("a", "maintenance")
    said = host.do("svcs", "-x")
    assert "Reason: Start method exited with $SMF_EXIT_ERR_CONFIG.\n" in said
    assert "   See: http://illumos.org/msg/SMF-8000-KS\n" in said
    assert host.log("a").count("Executing") == 1


def test_a_command_that_is_not_there_fails_like_a_shell_says(host: Host) -> None:
    host.manifest("a", method("start", "/nowhere/daemon") + method("stop", ":kill"))
    host.boot().until_state("a", "maintenance")
    assert 'Method "start" exited with status 127.' in host.log("a")


def test_a_child_service_lives_as_long_as_its_process_and_has_no_stop_method_run(host: Host) -> None:
    host.manifest("a", duration("child") + method("start", "sleep 1000") + method("stop", ":kill"))
    host.boot().until_state("a", "online")
    before = host.members("a")
    host.kill("a")
    host.until(lambda: host.state("a") == "online" and host.members("a") not in ([], before), "a new process")
    assert "Executing stop method" not in host.log("a")
    host.do("svcadm", "disable", "a")
    host.until_state("a", "disabled")
    assert "Executing stop method (:kill)." in host.log("a")


def test_a_transient_service_is_online_without_a_contract_and_runs_its_stop_method(host: Host) -> None:
    host.manifest("a", duration("transient") + method("start", "sleep 1000 &") + method("stop", "echo bye"))
    host.boot().until_state("a", "online")
    assert host.do("svcs", "-Ho", "ctid", "a") == "     -\n"
    host.do("svcadm", "disable", "-t", "a")
    host.until_state("a", "disabled")
    assert "\nbye\n" in host.log("a")


def test_methods_get_their_tokens_quoted_for_the_shell(host: Host) -> None:
    start = method("start", "sh -c 'echo \"$@\"' - %m %s %i %f name=%{sundog/name}")
    host.manifest("a", sundog("name", "a b;c") + duration("transient") + start + method("stop", ":true"))
    host.boot().until_state("a", "online")
    assert "\nstart site/a default svc:/site/a:default name=a b;c\n" in host.log("a")


def test_methods_run_at_the_root_in_the_smf_environment(host: Host) -> None:
    host.manifest("a", duration("transient") + method("start", "sh -c 'env; pwd'") + method("stop", ":true"))
    host.boot().until_state("a", "online")
    log = host.log("a")
    for line in ("SMF_FMRI=svc:/site/a:default", "SMF_METHOD=start", "SMF_ZONENAME=global", "PATH=/usr/sbin:/usr/bin",
                 "SMF_RESTARTER=svc:/system/svc/restarter:default"):
        assert f"\n{line}\n" in log
    assert log.splitlines()[-2] == "/"


def test_a_method_context_changes_user_environment_and_folder(host: Host) -> None:
    context = ("<method_context working_directory='/tmp'><method_credential user='nobody' group='nogroup'/>"
               "<method_environment><envvar name='COLOUR' value='blue'/></method_environment></method_context>")
    os.chmod(host.home, 0o755)
    start = method("start", "sh -c 'id -un; id -gn; echo $COLOUR; pwd'", inside=context)
    host.manifest("a", duration("transient") + start + method("stop", ":true"))
    host.boot().until_state("a", "online")
    assert "\nnobody\nnogroup\nblue\n/tmp\n" in host.log("a")


def test_a_missing_token_is_maintenance(host: Host) -> None:
    host.manifest("a", method("start", "echo %{sundog/absent}") + method("stop", ":kill"))
    host.boot().until_state("a", "maintenance")
    assert host.do("svcprop", "-p", "restarter/auxiliary_state", "a").strip() == "method_failed"


def test_orphans_are_reaped(host: Host) -> None:
    orphan = f"sh -c '(sh -c \"sleep 0.05; : > {host.home}/late\" &) ; exit 0'"
    host.manifest("a", duration("transient") + method("start", orphan) + method("stop", ":true"))
    host.boot().until_state("a", "online")
    host.until((host.home / "late").exists, "the orphan")
    host.until(lambda: not host.children(), "the orphan to be reaped")


def test_disable_takes_a_chain_down_from_the_leaf(host: Host) -> None:
    order = host.home / "order"
    for name, below in (("a", ""), ("b", needs("a")), ("c", needs("b"))):
        stop = method("stop", f"echo {name} >> {order}")
        host.manifest(name, below + duration("transient") + method("start", ":true") + stop)
    host.boot().until_state("c", "online")
    host.do("svcadm", "disable", "-t", "a")
    host.until_state("a", "disabled")
    assert order.read_text().split() == ["c", "b", "a"]


def test_four_services_enabled_together_come_up_in_order(host: Host) -> None:
    for name, below in (("a", ""), ("b", needs("a")), ("c", needs("b")), ("d", needs("a"))):
        host.manifest(name, below + DAEMON, enabled="false")
    host.boot().do("svcadm", "enable", "-t", "d", "c", "b", "a")
    for name in "abcd":
        host.until_state(name, "online")


def test_nothing_temporary_outlives_a_power_cut_and_everything_else_does(host: Host) -> None:
    host.manifest("t", DAEMON, enabled="false")
    host.manifest("p", DAEMON, enabled="false")
    host.manifest("m", method("start", "sh -c 'exit 95'") + method("stop", ":kill"))
    host.boot()
    host.do("svcadm", "enable", "-t", "t")
    host.do("svcadm", "enable", "p")
    host.until_state("m", "maintenance")
    host.do("svccfg", text="select site/t\naddpg sundog application\nsetprop sundog/note = astring: \"kept\"\n")
    host.cut()
    (host.home / "log/site-m:default.log").unlink()
    host.boot()
    host.until_state("p", "online")
    assert host.state("t") == "disabled"
    assert host.do("svcprop", "-c", "-p", "sundog/note", "site/t") == "kept\n"
    host.until_state("m", "maintenance")
    assert "Executing start method" in host.log("m")


def test_a_deleted_service_leaves_its_processes_and_is_gone(host: Host) -> None:
    host.manifest("a", DAEMON)
    host.boot().until_state("a", "online")
    pid = host.members("a")[0]
    refused = host.run("svccfg", "delete", "svc:/site/a:default")
    assert refused.status == 1 and "may be running.  Use delete -f if it is not." in refused.err
    host.do("svccfg", "delete", "-f", "svc:/site/a:default")
    assert host.run("svcs", "-H", "a").status == 1
    os.kill(pid, 0)


def test_refresh_runs_the_refresh_method_with_the_new_values(host: Host) -> None:
    host.manifest("a", sundog("v", "old") + DAEMON + method("refresh", "echo now %{sundog/v}"))
    host.boot().until_state("a", "online")
    host.do("svccfg", "-s", "site/a", "setprop", "sundog/v", "=", "new")
    assert host.do("svcprop", "-p", "sundog/v", "site/a:default") == "old\n"
    host.do("svcadm", "refresh", "a")
    host.until(lambda: "now new" in host.log("a"), "the refresh method")
    assert host.do("svcprop", "-p", "sundog/v", "site/a:default") == "new\n"


def test_a_service_stopped_by_a_signal_of_its_own_choice_gets_that_signal(host: Host) -> None:
    trap = f"sh -c 'trap \"echo got; exit\" USR1; : > {host.home}/up; while :; do sleep 0.01; done' &"
    host.manifest("a", method("start", trap) + method("stop", ":kill -USR1"))
    host.boot().until_state("a", "online")
    host.until((host.home / "up").exists, "the trap")
    host.do("svcadm", "disable", "a")
    host.until_state("a", "disabled")
    assert "\ngot\n" in host.log("a")


def test_svcs_p_lists_the_members_of_the_contract(host: Host) -> None:
    host.manifest("a", DAEMON)
    host.boot().until_state("a", "online")
    line = host.do("svcs", "-Hp", "a").splitlines()[1]
    assert line[:15] == " " * 15 and line.split()[2] == "sleep" and line[26:32].strip().isdigit()


def test_a_kill_by_the_administrator_of_a_stopped_contract_is_no_new_event(host: Host) -> None:
    stop = method("stop", f"sh -c 'until test -e {host.home}/go; do sleep 0.01; done'")
    host.manifest("a", method("start", "sleep 1000 &") + stop)
    host.boot().until_state("a", "online")
    host.do("svcadm", "disable", "a")
    host.until_state("a", "online*")
    for pid in host.members("a"):
        os.kill(pid, signal.SIGKILL)
    (host.home / "go").touch()
    host.until_state("a", "disabled")
    assert "outside the service" not in host.log("a")
