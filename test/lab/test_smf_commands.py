"""svcs, svcadm, svccfg and svcprop: formats, messages, exit statuses (the manual pages of the same names)."""
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Iterator

import pytest

from lab.smf_host import DAEMON, DOCTYPE, LIBRARY, Host, Said, duration, method, needs, sundog

pytestmark = [pytest.mark.lab, pytest.mark.timeout(60)]


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """Services: up (a daemon), tied (needs up), off (disabled), bad (maintenance), two (two instances)."""
    made = Host(tmp_path_factory.mktemp("commands"))
    try:
        name = "<template><common_name><loctext xml:lang='C'>the daemon</loctext></common_name></template>"
        made.manifest("up", DAEMON + sundog("name", "a b") + name)
        made.manifest("tied", needs("up") + DAEMON)
        made.manifest("off", DAEMON, enabled="false")
        made.manifest("bad", method("start", "sh -c 'exit 95'") + method("stop", ":kill"))
        made.manifest("two", duration("transient") + method("start", ":true") + method("stop", ":true")
                      + "<instance name='other' enabled='false'/>")
        made.boot().until_state("tied", "online")
        made.until_state("bad", "maintenance")
        yield made
    finally:
        made.down()


def test_svcs_prints_state_time_and_fmri_of_what_is_enabled(host: Host) -> None:
    lines = host.do("svcs").splitlines()
    assert lines[0] == "STATE          STIME    FMRI"
    assert all(re.fullmatch(r"(online |maintenance) +[ \d]\d:\d\d:\d\d svc:/site/\w+:\w+", line) for line in lines[1:])
    assert not any("site/off" in line for line in lines)
    assert any("site/off" in line for line in host.do("svcs", "-a").splitlines())


def test_svcs_v_has_five_columns(host: Host) -> None:
    assert host.do("svcs", "-v", "up").splitlines()[0] == "STATE          NSTATE        STIME    CTID   FMRI"
    line = host.do("svcs", "-Ho", "state,nstate,stime,ctid,fmri", "up")
    assert re.fullmatch(r"online         -             [ \d]\d:\d\d:\d\d +\d+ svc:/site/up:default\n", line)


@pytest.mark.parametrize(("args", "out"), [
    (("-Ho", "sta", "up"), "ON\n"), (("-Ho", "S", "off"), "d\n"),
    (("-Ho", "inst,svc", "up"), "default              site/up\n"),
    (("-Ho", "desc", "up"), "the daemon\n"), (("-Ho", "sn", "up"), "1-\n"),
    (("-Ho", "fmri", "-d", "tied"), "svc:/site/up:default\n"),
    (("-Ho", "fmri", "-D", "up"), "svc:/site/tied:default\n"), (("-Ho", "state", "bad"), "maintenance\n")])
def test_svcs_columns(host: Host, args: "tuple[str, ...]", out: str) -> None:
    assert host.do("svcs", *args) == out


def test_svcs_sorts_by_the_columns_given(host: Host) -> None:
    names = [line.split()[0] for line in host.do("svcs", "-Hao", "fmri", "-S", "fmri").splitlines()]
    assert names == sorted(names, reverse=True)


def test_svcs_says_so_when_nothing_matches_and_still_prints_the_header(host: Host) -> None:
    assert host.run("svcs", "ghost") == Said(1, "STATE          STIME    FMRI\n",
                                             "svcs: Pattern 'ghost' doesn't match any instances\n")
    assert host.run("svcs", "-o", "bogus").err == 'svcs: Unknown column "bogus".\n'
    assert [host.run("svcs", *a).status for a in (("-Q",), ("-d",), ("-l",), ("-lx", "up"), ("-lH", "up"))] == [2] * 5


def test_svcs_l_shows_an_instance_in_full(host: Host) -> None:
    said = host.do("svcs", "-l", "tied")
    shape = (r"fmri         svc:/site/tied:default\nenabled      true\nstate        online\nnext_state   none\n"
             r"state_time   \w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}\nlogfile      /.*/site-tied:default.log\n"
             r"restarter    svc:/system/svc/restarter:default\ncontract_id  \d+ \n"
             r"dependency   require_all/restart svc:/site/up \(online\)\n")
    assert re.fullmatch(shape, said), said
    assert "\n\nfmri  " in host.do("svcs", "-l", "up", "tied")


def test_svcs_l_says_when_enabled_is_temporary(host: Host) -> None:
    host.do("svcadm", "enable", "-t", "off")
    assert "\nenabled      true (temporary)\n" in host.do("svcs", "-l", "off")
    host.do("svcadm", "disable", "off")
    assert "\nenabled      false\n" in host.do("svcs", "-l", "off")


def test_svcs_x_explains_maintenance_and_its_impact(host: Host) -> None:
    said = host.do("svcs", "-x", "bad").splitlines()
    assert said[0] == "svc:/site/bad:default (?)" and said[1].startswith(" State: maintenance since ")
    assert said[2:] == ["Reason: Start method exited with $SMF_EXIT_ERR_FATAL.", "   See: http://illumos.org/msg/SMF-8000-KS",
                        f"   See: {host.home}/log/site-bad:default.log", "Impact: This service is not running."]


def test_svcs_x_of_what_runs_has_no_impact(host: Host) -> None:
    assert host.do("svcs", "-x", "up").splitlines()[-1] == "Impact: None."


def test_svcadm_refuses_what_it_does_not_know(host: Host) -> None:
    assert host.run("svcadm", "enable", "ghost") == Said(1, "", "svcadm: Pattern 'ghost' doesn't match any instances\n")
    assert host.run("svcadm", "clear", "up").err == (
        'svcadm: Instance "svc:/site/up:default" is not in a maintenance or degraded state.\n')
    wrong = ((), ("bogus", "up"), ("enable",), ("enable", "-q", "up"))
    assert [host.run("svcadm", *a).status for a in wrong] == [2] * 4


def test_svcadm_does_nothing_on_an_ambiguous_abbreviation_but_takes_a_full_name(host: Host) -> None:
    refused = host.run("svcadm", "enable", "-t", "two")
    assert refused.status == 1 and refused.err.splitlines() == [
        "svcadm: Partial FMRI 'two' matches multiple instances:",
        "    svc:/site/two:default", "    svc:/site/two:other"]
    host.do("svcadm", "enable", "-t", "svc:/site/two")
    host.until(lambda: host.do("svcs", "-Ho", "state", "two:other").strip() == "online", "two:other")


def test_svcadm_t_writes_the_override_and_a_plain_disable_erases_it(host: Host) -> None:
    host.do("svcadm", "enable", "-t", "off")
    assert host.do("svcprop", "-c", "-p", "general/enabled", "off") == "false\n"
    assert host.do("svcprop", "-p", "general_ovr/enabled", "off") == "true\n"
    host.do("svcadm", "disable", "off")
    assert host.run("svcprop", "-q", "-p", "general_ovr/enabled", "off").status == 1


def test_svcadm_v_says_what_it_did(host: Host) -> None:
    assert host.do("svcadm", "-v", "disable", "-t", "off") == "svc:/site/off:default temporarily disabled.\n"
    assert host.do("svcadm", "-v", "refresh", "off") == "Action refresh set for svc:/site/off:default.\n"
    host.do("svcadm", "disable", "off")


def test_svcadm_is_for_root(host: Host) -> None:
    os.chmod(host.home / "run", 0o755)
    script = f"import sys; sys.path.insert(0, {str(LIBRARY)!r}); from sunlab.smf.client import call; import posix; " \
             f"posix.setuid(65534); print(call('svcadm', ['disable', 'up'], door={host.door!r}))"
    for folder in [one for one in host.home.parents if one != Path("/tmp")][:-1] + [host.home]:
        os.chmod(folder, 0o755)
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert "svcadm: svc:/site/up:default: Permission denied." in said and host.state("up") == "online"


def test_a_mark_without_a_terminal_is_a_request_of_a_service(host: Host) -> None:
    host.do("svcadm", "mark", "maintenance", "off")
    host.until_state("off", "maintenance")
    aux = host.do("svcprop", "-p", "restarter/auxiliary_state", "off").strip()
    assert aux == ("administrative_request" if os.isatty(0) else "service_request")
    host.do("svcadm", "clear", "off")
    host.until_state("off", "disabled")


def test_svcprop_prints_values_types_and_full_names(host: Host) -> None:
    assert host.do("svcprop", "-p", "sundog/name", "site/up:default") == "a\\ b\n"
    assert host.do("svcprop", "-tp", "sundog/name", "site/up:default") == "sundog/name astring a\\ b\n"
    full = "svc:/site/up:default/:properties/sundog/name astring a\\ b\n"
    assert host.do("svcprop", "-fp", "sundog/name", "up") == full
    assert host.do("svcprop", "-p", "sundog", "up") == "sundog/name astring a\\ b\n"


def test_svcprop_says_what_is_absent(host: Host) -> None:
    assert host.run("svcprop", "-p", "ghost", "up") == Said(
        1, "", "svcprop: Couldn't find property group `ghost' for instance `svc:/site/up:default'.\n")
    assert host.run("svcprop", "-p", "sundog/ghost", "up").err == (
        "svcprop: Couldn't find property `sundog/ghost' for instance `svc:/site/up:default'.\n")
    assert host.run("svcprop", "-qp", "ghost", "up") == Said(1, "", "")
    assert host.run("svcprop", "ghost").err == "svcprop: Pattern 'ghost' doesn't match any entities\n"
    assert host.run("svcprop", "-Cc", "up").status == 2


def test_svcprop_reads_the_running_snapshot_until_a_refresh(host: Host) -> None:
    host.do("svccfg", "-f", "-", text='select site/off:default\naddpg late application\nsetprop late/n = count: 1\n')
    assert host.run("svcprop", "-qp", "late/n", "off").status == 1
    assert host.do("svcprop", "-cp", "late/n", "off") == host.do("svcprop", "-Cp", "late/n", "off") == "1\n"
    host.do("svcadm", "refresh", "off")
    assert host.do("svcprop", "-p", "late/n", "off") == "1\n"
    assert host.run("svcprop", "-s", "none", "off").err == "svcprop: No such snapshot.\n"


def test_svcprop_w_answers_when_the_group_is_next_written(host: Host) -> None:
    assert host.run("svcprop", "-w", "-p", "ghost", "off") == Said(1, "", "svcprop: Not found.\n")
    host.do("svcadm", "enable", "-t", "off")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(host.run, "svcprop", "-w", "-p", "general_ovr/enabled", "off")
        while not waiting.done():
            host.do("svcadm", "enable", "-t", "off")
        assert waiting.result() == Said(0, "true\n", "")
    host.do("svcadm", "disable", "off")
    assert host.run("svcprop", "-w", "off").err == "svcprop: Cannot wait for an instance.\n"


def test_svcadm_s_ends_with_what_became_of_the_instance(host: Host) -> None:
    """The command asks this every 3 s, and looks again as long as it is told -1."""
    def became(wanted: str, name: str) -> Said:
        asked = (host.run("svcadm-synch", wanted, name) for _ in range(1000))
        return next(said for said in asked if said.status != -1)

    host.do("svcadm", "disable", "off")
    host.until_state("off", "disabled")
    host.manifest("needy", needs("off") + DAEMON)
    host.do("svccfg", "import", str(host.home / "manifest/needy.xml"))
    assert became("enable", "bad") == Said(3, "", 'svcadm: Instance "svc:/site/bad:default" is in maintenance state.\n')
    unsatisfied = 'svcadm: Instance "svc:/site/needy:default" has unsatisfied dependencies.\n'
    assert became("enable", "needy") == Said(4, "", unsatisfied)
    assert became("enable", "off").err.endswith("has been disabled by another entity.\n")
    assert [became(*a).status for a in (("enable", "up"), ("disable", "off"), ("disable", "up"))] == [0, 0, 3]


def test_svccfg_makes_a_service_from_a_batch(host: Host) -> None:
    host.do("svccfg", "-f", "-", text="""
        # a service of our own
        add site/made
        select site/made
        addpg start method
        setprop start/exec = astring: "sleep 1000 &"
        setprop start/timeout_seconds = count: 10
        addpg stop method
        setprop stop/exec = astring: :kill
        add one
        select one
        addpg sundog application
        setprop sundog/list = astring: ("a b" "c\\"d" "e")
        setprop sundog/port = count: 80
        addpg general framework
        setprop general/enabled = boolean: false
        refresh
        """)
    assert host.do("svcprop", "-p", "sundog/list", "made:one") == 'a\\ b c\\"d e\n'
    assert host.do("svcprop", "-tp", "sundog/port", "made:one") == "sundog/port count 80\n"
    host.do("svcadm", "enable", "-t", "made:one")
    host.until(lambda: host.do("svcs", "-Ho", "state", "made:one").strip() == "online", "made:one")
    host.do("svccfg", "delete", "-f", "svc:/site/made")
    assert host.run("svcs", "-H", "made:one").status == 1


@pytest.mark.parametrize(("text", "why"), [
    ("select site/up\nsetprop ghost/x = astring: y", 'No such property group "ghost".'),
    ("select site/up\nsetprop sundog/new = y", "Type required for new properties."),
    ("select site/up\nsetprop sundog/name = count: 5", 'has type "astring", not "count"'),
    ("select site/up\nsetprop start/timeout_seconds = abc", 'Invalid "count" value "abc".'),
    ("select ghost", "doesn't match any instances or services"), ("frobnicate", 'Unknown command "frobnicate".'),
    ("addpg x y", "An entity is not selected."), ("editprop", "not modelled in this lab"),
    ("delete svc:/site/up:default", "may be running.  Use delete -f if it is not.")])
def test_svccfg_stops_at_the_first_failure_with_its_reason(host: Host, text: str, why: str) -> None:
    said = host.run("svccfg", "-f", "-", text=text + "\nadd site/never\n")
    assert said.status == 1 and said.err.startswith("svccfg (<stdin>, line ") and why in said.err
    assert host.run("svcprop", "-q", "svc:/site/never").status == 1


def test_svccfg_lists_groups_and_properties(host: Host) -> None:
    assert "sundog          application\n" in host.do("svccfg", "-s", "site/up", "listpg")
    assert host.do("svccfg", "-s", "site/up", "listprop", "sundog/*") == 'sundog/name  astring  "a b"\n'


def test_svccfg_delpg_of_a_dependency_counts_after_a_refresh(host: Host) -> None:
    host.do("svccfg", "-f", "-", text="select site/tied\ndelpg up\n")
    assert "dependency" in host.do("svcs", "-l", "tied")
    host.do("svcadm", "refresh", "tied")
    assert "dependency" not in host.do("svcs", "-l", "tied")


def test_svccfg_import_of_a_file_starts_what_it_enables(host: Host) -> None:
    service = f"<service name='site/later' type='service' version='1'><create_default_instance enabled='true'/>{DAEMON}"
    (host.home / "later.xml").write_text(
        f"{DOCTYPE}<service_bundle type='manifest' name='t'>{service}</service></service_bundle>")
    host.do("svccfg", "import", str(host.home / "later.xml"))
    host.until_state("later", "online")
    assert "Unable to stat file /nowhere.xml." in host.run("svccfg", "import", "/nowhere.xml").err
