"""What a method runs in, and what of it svc.startd must outlive (smf_method(7), svc.startd(8))."""
import signal
from pathlib import Path
from typing import Iterator

import pytest

from lab.smf_host import DAEMON, Host, duration, method

pytestmark = [pytest.mark.lab, pytest.mark.timeout(60)]
WAIT = method("stop", ":true")


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    tmp_path.chmod(0o755)
    made = Host(tmp_path)
    try:
        yield made
    finally:
        made.down()


def context(credential: str = "", folder: str = "", environment: str = "") -> str:
    at = f" working_directory='{folder}'" if folder else ""
    return (f"<method_context{at}>" + (f"<method_credential {credential}/>" if credential else "") + environment
            + "</method_context>")


def told(inside: str) -> str:
    """A transient service whose start method says what it runs in."""
    return method("start", "sh -c 'pwd; id -u; id -g; id -G; env'", inside=inside) + WAIT + duration("transient")


@pytest.mark.parametrize(("inside", "folder", "ids"), [
    ("", "/", ["0", "0"]),
    (context("user='nobody'"), "/nonexistent", None),
    (context("user='daemon'", folder="/tmp"), "/tmp", ["1", "1"]),
    (context("user='daemon' group='mail'", folder=":home"), "/usr/sbin", ["1", "8"]),
    (context("user=':default' group='mail'"), "/root", ["0", "8"]),
    (context("user='1' group='8' supp_groups='9,10'", folder="/"), "/", ["1", "8", "9", "10"]),
    (context("user='daemon' privileges='basic,net_privaddr'"), "/usr/sbin", ["1", "1"]),
])
def test_a_method_has_the_folder_and_ids_of_its_context(host: Host, inside: str, folder: str, ids: object) -> None:
    host.manifest("a", told(inside))
    host.boot()
    if ids is None:                                     # its home is not there: chdir(2) fails, which is 96
        host.until_state("a", "maintenance")
        assert f"chdir: {folder}: No such file or directory" in host.log("a")
        assert 'Method "start" exited with status 96' in host.log("a")
        return
    host.until_state("a", "online")
    said = [line for line in host.log("a").splitlines() if not line.startswith("[")]
    assert said[:3] == [folder, *ids[:2]]               # type: ignore[index]
    assert set(ids[2:]) <= set(said[3].split())         # type: ignore[index]


@pytest.mark.parametrize("credential", ["user='ghost'", "user='root' group='ghost'", "user='root' supp_groups='ghost'",
                                        "user='root' privileges='not a name'"])
def test_an_unknown_credential_is_maintenance_at_once(host: Host, credential: str) -> None:
    host.manifest("a", told(context(credential)))
    host.boot().until_state("a", "maintenance")
    assert host.do("svcprop", "-p", "restarter/auxiliary_state", "site/a") == "method_failed\n"
    assert "Could not interpret" in host.log("a") and "Executing" not in host.log("a")


def test_a_methods_own_environment_replaces_the_instances_and_smf_names_are_dropped(host: Host) -> None:
    def variables(**pairs: str) -> str:
        return ("<method_environment>" + "".join(f"<envvar name='{k}' value='{v}'/>" for k, v in pairs.items())
                + "</method_environment>")
    host.manifest("a", context(environment=variables(ONE="1", TWO="2"))
                  + told(context(environment=variables(TWO="3", SMF_FMRI="x"))))
    host.boot().until_state("a", "online")
    said = host.log("a").splitlines()
    assert "TWO=3" in said and "ONE=1" not in said and "SMF_FMRI=svc:/site/a:default" in said


@pytest.mark.parametrize("number", [35, 63])
def test_a_method_killed_by_a_real_time_signal_is_a_failure_like_any_other(host: Host, number: int) -> None:
    host.manifest("a", method("start", f"sh -c 'kill -{number} $$'") + WAIT)
    host.boot().until_state("a", "maintenance")
    assert f"failed due to signal RTMIN+{number - signal.SIGRTMIN}." in host.log("a")


@pytest.mark.parametrize("stop", [":kill -99", ":kill -_DFL"])
def test_a_kill_with_an_unknown_signal_is_a_command_that_the_shell_does_not_find(host: Host, stop: str) -> None:
    host.manifest("a", method("start", "sleep 1000 &") + method("stop", stop))
    host.boot().until_state("a", "online")
    host.do("svcadm", "disable", "a")
    host.until_state("a", "maintenance")
    assert host.log("a").count('Method "stop" exited with status 127') == 3


def test_a_blank_method_runs_nothing_and_succeeds(host: Host) -> None:
    host.manifest("a", method("start", " ") + WAIT + duration("transient"))
    host.boot().until_state("a", "online")


def test_numbers_that_are_none_count_as_absent(host: Host) -> None:
    host.manifest("a", DAEMON)
    host.boot().until_state("a", "online")
    for line in ("setprop startd/critical_failure_count = astring: many",
                 "setprop startd/critical_failure_period = astring: long"):
        host.do("svccfg", "-s", "site/a:default", "addpg", "startd", "framework") if "count" in line else None
        host.do("svccfg", "-s", "site/a:default", *line.split())
    host.do("svcadm", "refresh", "a")
    host.kill("a")
    host.until(lambda: host.log("a").count("Executing start") == 2, "the second start")
    host.until_state("a", "online")


@pytest.mark.parametrize("stop", [method("stop", ":true"), ""])
def test_a_stop_that_runs_nothing_leaves_the_processes_alone(host: Host, stop: str) -> None:
    host.manifest("a", method("start", "sleep 1000 &") + stop)
    host.boot().until_state("a", "online")
    left = host.members("a")
    host.do("svcadm", "disable", "a")
    host.until_state("a", "disabled")
    assert len(left) == 1 and Path(f"/proc/{left[0]}").exists()
    assert host.do("svcs", "-Ho", "ctid", "a").strip() == "-"


def test_the_restarter_group_tells_of_the_start_method(host: Host) -> None:
    host.manifest("a", DAEMON)
    host.manifest("t", method("start", "sleep 1000", timeout_s=60) + WAIT + duration("transient"))
    host.boot().until_state("a", "online")
    for name, kind in (("start_pid", "count"), ("start_method_timestamp", "time"),
                       ("start_method_waitstatus", "integer")):
        assert host.do("svcprop", "-t", "-p", f"restarter/{name}", "a").startswith(f"restarter/{name} {kind} ")
    host.until(lambda: host.do("svcprop", "-p", "restarter/transient_contract", "t").strip() != "", "the start of t")
    assert host.do("svcs", "-Ho", "state,ctid", "t").split() == ["offline*", "-"]


def test_a_child_service_whose_program_is_missing_is_maintenance_at_once(host: Host) -> None:
    host.manifest("a", method("start", "/opt/ghost/daemon -x") + method("stop", ":kill") + duration("child"))
    host.boot().until_state("a", "maintenance")
    assert "Executing" not in host.log("a")


def test_a_start_that_exits_with_101_is_disabled_until_the_next_boot(host: Host) -> None:
    host.manifest("a", method("start", "sh -c 'exit 101'") + WAIT)
    host.boot().until_state("a", "disabled")
    assert host.do("svcprop", "-p", "general_ovr/enabled", "a") == "false\n"
    assert host.do("svcprop", "-c", "-p", "general/enabled", "a") == "true\n"
