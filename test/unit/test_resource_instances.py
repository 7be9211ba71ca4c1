"""The svccfg batch that makes a configuration's instances."""
import shlex
import subprocess
from typing import List

from hypothesis import given
from hypothesis import strategies as st

from sundog.config.load import parse
from sundog.config.model import Cluster
from sundog.resource import module, parameters
from sundog.resource.instances import batch, method_line, quoted
from sundog.resource.words import decoded, encoded, made, pairs

TEXT = """
cluster: shop
nodes: {{n1: {{addresses: [10.0.0.1]}}, n2: {{addresses: [10.0.0.2]}}}}
links: {{public: {{type: lan, network: 10.0.0.0/24}}}}
groups:
  web:
    nodes: [n1, n2]
    resources:
      data: {{type: zpool, pool: shopweb}}
      zone: {{type: zone, zone: web1, config: zones/web1.cfg, needs: [data]}}
      app:  {{type: exec, start: '{start}', needs: [data]{more}}}
"""
DATA, ZONE, APP, GROUP = (f"svc:/system/sundog/{name}" for name in (
    "resource/zpool:web.data", "resource/zone:web.zone", "resource/exec:web.app", "group:web"))


def cluster(start: str = "/opt/app/run \"$HOME\" &", more: str = "") -> Cluster:
    return parse(TEXT.format(start=start, more=more), name="test", types=parameters(),
                 files={"zones/web1.cfg": "create -b\n"})


def section(text: str, fmri: str) -> List[str]:
    """The lines from the choice of an instance to its refresh."""
    service, _, name = fmri.rpartition(":")
    lines = text.splitlines()
    at = lines.index(f"select {fmri}") if f"select {fmri}" in lines else lines.index(f"add {name}")
    return lines[at:lines.index("refresh", at) + 1]


def test_a_new_instance_is_disabled_and_has_its_parameters_and_needs() -> None:
    lines = section(batch(cluster(), set()), ZONE)
    assert lines[:3] == ["add web.zone", "select web.zone", "addpg general framework"]
    assert "setprop general/enabled = boolean: false" in lines
    assert 'setprop sundog/zone = astring: "web1"' in lines
    assert 'setprop sundog/config = astring: "/etc/sundog/files/zones/web1.cfg"' in lines
    assert f'setprop needs/entities = fmri: ("{DATA}")' in lines
    assert "setprop needs/restart_on = astring: restart" in lines
    assert lines[-1] == "refresh"


def test_the_group_needs_all_its_resources_and_a_root_only_the_coordinator() -> None:
    text = batch(cluster(), set())
    assert f'setprop needs/entities = fmri: ("{DATA}" "{ZONE}" "{APP}")' in section(text, GROUP)
    root = section(text, DATA)
    assert 'setprop needs/entities = fmri: ("svc:/system/sundog/coordinator:default")' in root
    assert "setprop needs/restart_on = astring: none" in root


def test_a_service_instance_is_restarted_when_the_service_it_stands_for_fails_and_only_then() -> None:
    made = parse(TEXT.format(start="/bin/true", more="}\n      www: {type: service, fmri: 'svc:/network/http:web'"),
                 name="test", types=parameters(), files={"zones/web1.cfg": "create -b\n"})
    lines = section(batch(made, set()), "svc:/system/sundog/resource/service:web.www")
    assert "setprop service/grouping = astring: optional_all" in lines
    assert "setprop service/restart_on = astring: error" in lines
    assert 'setprop service/entities = fmri: "svc:/network/http:web"' in lines


def test_an_instance_that_is_there_is_only_changed() -> None:
    text = batch(cluster(), {DATA, ZONE, APP, GROUP})
    assert not [line for line in text.splitlines() if line.startswith(("add", "delete", "delpg"))]
    assert "enabled" not in text


def test_what_is_no_longer_configured_is_deleted_last_and_its_group_first() -> None:
    gone = {"svc:/system/sundog/group:old", "svc:/system/sundog/resource/zpool:old.data"}
    lines = batch(cluster(), gone | {DATA, ZONE, APP, GROUP}).splitlines()
    assert lines[-2:] == [f"delete {fmri}" for fmri in sorted(gone)]


def test_a_command_without_stop_is_ended_by_smf_itself() -> None:
    assert 'setprop stop/exec = astring: ":kill"' in section(batch(cluster(), set()), APP)
    other = section(batch(cluster(more=", stop: /opt/app/stop"), {APP}), APP)
    assert f"setprop stop/exec = astring: {quoted(method_line('exec', 'stop'))}" in other


def token_quoted(value: str) -> str:
    """What svc.startd puts in for a token (smf_method(7)): these characters get a backslash, no others."""
    return "".join("\\" + c if c in ";&()|^<>\n \t\\\"'`" else c for c in value)


@given(st.text(st.characters(blacklist_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1))
def test_a_value_comes_through_the_token_and_the_shell_as_it_was_written(text: str) -> None:
    line = f"start={token_quoted(encoded(text))}"
    assert not set(encoded(text)) & set("$*?[]{}~#!")
    assert shlex.split(line, posix=True) == [f"start={encoded(text)}"]
    assert pairs([f"start={encoded(text)}"]) == {"start": text}


def test_a_real_shell_leaves_an_encoded_value_alone() -> None:
    text = "/bin/echo $HOME * ? [a-z] {a,b} ~root 'x y' \"z\" `id` \\ # ! %41 &"
    done = subprocess.run(["/bin/sh", "-c", f"printf %s start={token_quoted(encoded(text))}"], capture_output=True,
                          text=True, check=True)
    assert decoded(done.stdout.partition("=")[2]) == text


def test_what_is_written_for_an_instance_makes_the_same_parameters_again() -> None:
    app = cluster(more=", stop: /opt/app/stop 1, timeout: 30s, user: daemon").groups["web"].resources[2]
    words = [f"{name}={encoded(str(value or ''))}" for name, value in app.params._asdict().items()]
    again = made(module("exec").Params, pairs(words))
    assert again == app.params
    assert again.timeout.seconds == 30
