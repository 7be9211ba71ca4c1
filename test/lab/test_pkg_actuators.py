"""What pkg(7) does to services around an installation: its very command lines, and what it makes of the answers.

restart_fmri, refresh_fmri, suspend_fmri and disable_fmri (pkg(7), Actuators; pkg5, src/modules/smf.py and
src/modules/client/actuator.py). It reads state with `svcprop -c` alone and takes every exit status but 0 for a failure,
or for a service that is not there; with --sync-actuators it waits by -s and -T, and 5 is a timeout, no failure.
"""
import os
import subprocess
from pathlib import Path
from typing import Dict, Iterator

import pytest

from sunlab.lab import Lab

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]

APP, TWO, SLOW = "svc:/site/app:default", "svc:/site/app:two", "svc:/site/slow:default"
MANIFEST = """<!DOCTYPE service_bundle SYSTEM '/usr/share/lib/xml/dtd/service_bundle.dtd.1'>
<service_bundle type='manifest' name='app'><service name='site/app' type='service' version='1'>
<create_default_instance enabled='true'/>
<exec_method type='method' name='start' exec='sh -c "echo >>/var/tmp/starts; sleep 100000 &amp;"' timeout_seconds='20'/>
<exec_method type='method' name='refresh' exec='sh -c "echo >>/var/tmp/refreshed"' timeout_seconds='20'/>
<exec_method type='method' name='stop' exec=':kill' timeout_seconds='20'/>
<property_group name='application' type='application'>
<propval name='words' type='astring' value='a b'/></property_group>
<instance name='two' enabled='true'/></service>
<service name='site/slow' type='service' version='1'><create_default_instance enabled='true'/>
<exec_method type='method' name='start' exec='sh -c "[ -f /var/tmp/hurry ] || sleep 60; sleep 100000 &amp;"'
 timeout_seconds='120'/>
<exec_method type='method' name='stop' exec=':kill' timeout_seconds='20'/></service></service_bundle>"""


class Image:
    """A live image: the node's services as pkg sees and changes them."""

    def __init__(self, lab: Lab, platform: str) -> None:
        self.lab, self.platform = lab, platform

    def call(self, *argv: str) -> "subprocess.CompletedProcess[str]":
        return self.lab.exec("n1", list(argv), check=False)

    def properties(self, fmri: str) -> Dict[str, str]:
        done = self.call("/usr/bin/svcprop", "-c", fmri)
        if done.returncode:
            return {}
        return dict(line.strip().split(None, 1) for line in done.stdout.splitlines())

    def state(self, fmri: str) -> str:
        found = self.properties(fmri)
        if not found:
            return "unknown"
        if "maintenance" in found.get("restarter/state", ""):
            return "maintenance"
        if "general_ovr/enabled" in found:
            return "temporarily enabled" if "true" in found["general_ovr/enabled"] else "temporarily disabled"
        return "enabled" if "true" in found.get("general/enabled", "") else "disabled"

    def lines(self, path: str) -> int:
        return len(self.call("cat", path).stdout.splitlines())

    def until(self, test: str) -> None:
        """`test` is a command of the shell."""
        self.lab.exec("n1", ["/bin/sh", "-c", f"until {test}; do sleep 0.02; done"], timeout=20)

    def until_state(self, state: str) -> None:
        self.until(f'[ "$(svcs -Ho state,nsta {APP} | xargs)" = "{state} -" ]')


@pytest.fixture(scope="module", params=["illumos", "solaris11.4"])
def image(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    folder = tmp_path_factory.mktemp("pkg")
    (folder / "app.xml").write_text(MANIFEST)
    spec = {"lab": f"pkg{request.param[0]}{os.getpid()}", "networks": {"public": {"subnet": "10.85.0.0/24"}},
            "nodes": {"n1": {"addresses": {"public": "10.85.0.1/24"}, "platform": request.param}},
            "files": {"/lib/svc/manifest/site/app.xml": str(folder / Path("app.xml"))}}
    with Lab.up(spec) as lab:
        lab.exec("n1", ["touch", "/var/tmp/hurry"])
        lab.wait_booted("n1", 60)
        yield Image(lab, request.param)


@pytest.fixture
def app(image: Image) -> Image:
    image.call("/usr/sbin/svcadm", "enable", APP)
    image.until_state("online")
    return image


def test_the_state_is_told_by_svcprop_alone(app: Image) -> None:
    assert app.state(APP) == "enabled"
    assert app.state("svc:/site/ghost:default") == "unknown"
    app.call("/usr/sbin/svcadm", "disable", "-s", "-t", APP)
    assert app.state(APP) == "temporarily disabled"
    app.call("/usr/sbin/svcadm", "disable", "-s", APP)
    assert app.state(APP) == "disabled"
    app.call("/usr/sbin/svcadm", "enable", "-t", APP)
    assert app.state(APP) == "temporarily enabled"
    assert app.call("/usr/bin/svcprop", "-c", "-p", "general/enabled", APP).stdout == "false\n"


def test_patterns_are_resolved_by_svcs(app: Image) -> None:
    done = app.call("/usr/bin/svcs", "-H", "-o", "fmri", "svc:/site/app*")
    assert (done.returncode, sorted(done.stdout.split())) == (0, [APP, TWO])
    assert app.call("/usr/bin/svcs", "-H", "-o", "fmri", "*app:two").stdout == f"{TWO}\n"
    assert app.call("/usr/bin/svcs", "-H", "-o", "fmri", "svc:/site/ghost*").returncode == 1


def test_a_restart_and_a_refresh_take_effect(app: Image) -> None:
    starts, refreshed = app.lines("/var/tmp/starts"), app.lines("/var/tmp/refreshed")
    assert app.call("/usr/sbin/svcadm", "refresh", APP).returncode == 0
    app.until(f"[ $(cat /var/tmp/refreshed | wc -l) -gt {refreshed} ]")
    assert app.call("/usr/sbin/svcadm", "restart", APP).returncode == 0
    app.until(f"[ $(cat /var/tmp/starts | wc -l) -gt {starts} ]")
    app.until_state("online")


def test_a_suspended_service_is_down_when_the_command_returns_and_comes_back_as_it_was(app: Image) -> None:
    assert app.call("/usr/sbin/svcadm", "disable", "-s", "-t", APP).returncode == 0
    assert app.call("/usr/bin/svcs", "-H", "-o", "state", APP).stdout.strip() == "disabled"
    assert app.call("/usr/sbin/svcadm", "enable", APP).returncode == 0
    app.until_state("online")
    assert app.state(APP) == "enabled"


def test_a_failed_installation_marks_what_was_suspended(app: Image) -> None:
    assert app.call("/usr/sbin/svcadm", "disable", "-s", "-t", APP).returncode == 0
    assert app.call("/usr/sbin/svcadm", "mark", "maintenance", APP).returncode == 0
    app.until_state("maintenance")
    assert app.state(APP) == "maintenance"
    assert app.call("/usr/sbin/svcadm", "clear", APP).returncode == 0


def test_a_synchronous_enable_says_that_a_service_does_not_come_up(app: Image) -> None:
    app.call("/usr/sbin/svcadm", "mark", "maintenance", APP)
    app.until_state("maintenance")
    done = app.call("/usr/sbin/svcadm", "enable", "-s", APP)
    assert done.returncode == 3
    assert done.stderr == f'svcadm: Instance "{APP}" is in maintenance state.\n'
    app.call("/usr/sbin/svcadm", "clear", APP)


def test_several_services_are_one_command(app: Image) -> None:
    starts = app.lines("/var/tmp/starts")
    assert app.call("/usr/sbin/svcadm", "restart", APP, TWO).returncode == 0
    app.until(f"[ $(cat /var/tmp/starts | wc -l) -gt {starts + 1} ]")
    assert app.call("/usr/sbin/svcadm", "disable", "-s", "-t", APP, TWO).returncode == 0
    assert app.call("/usr/bin/svcs", "-H", "-o", "state", APP, TWO).stdout.split() == ["disabled"] * 2
    assert app.call("/usr/sbin/svcadm", "enable", APP, TWO).returncode == 0


def test_what_was_temporarily_enabled_comes_back_so(app: Image) -> None:
    for argv in (["disable", "-s"], ["enable", "-t"], ["disable", "-s", "-t"], ["enable", "-t"]):
        assert app.call("/usr/sbin/svcadm", *argv, APP).returncode == 0
    app.until_state("online")
    assert app.state(APP) == "temporarily enabled"


def test_a_value_is_told_in_one_line_quoted_for_the_shell(app: Image) -> None:
    assert app.call("/usr/bin/svcprop", "-c", "-p", "application/words", APP).stdout == "a\\ b\n"


def test_synchronous_actuators_have_done_it_when_they_return(app: Image) -> None:
    """pkg gives -T and its number as one argument; illumos has neither for these verbs."""
    if app.platform == "illumos":
        assert [app.call("/usr/sbin/svcadm", verb, "-s", APP).returncode for verb in ("refresh", "restart")] == [2, 2]
        return
    starts, refreshed = app.lines("/var/tmp/starts"), app.lines("/var/tmp/refreshed")
    for words in (["refresh", "-s", "-T 60"], ["restart", "-s", "-T 60"], ["disable", "-s", "-t"],
                  ["enable", "-s", "-T 60"]):
        assert app.call("/usr/sbin/svcadm", *words, APP).returncode == 0, words
        wanted = "disabled" if words[0] == "disable" else "online"
        assert app.call("/usr/bin/svcs", "-H", "-o", "state", APP).stdout.strip() == wanted
    assert app.lines("/var/tmp/refreshed") == refreshed + 1
    assert app.lines("/var/tmp/starts") == starts + 2


def test_a_synchronous_actuator_that_times_out_is_5(app: Image) -> None:
    if app.platform == "illumos":
        assert app.call("/usr/sbin/svcadm", "enable", "-s", "-T 1", SLOW).returncode == 2
        return
    app.until(f"svcs -Ho state {SLOW} | grep -q online")
    app.lab.exec("n1", ["rm", "/var/tmp/hurry"])
    assert app.call("/usr/sbin/svcadm", "restart", "-s", "-T 1", SLOW).returncode == 5
    assert app.call("/usr/bin/svcs", "-H", "-o", "state", SLOW).stdout.strip() == "offline*"
