"""Rights in real nodes: auths, profiles, pfexec, and who may change services, with the package's own fragments."""
import os
import subprocess
from typing import Iterator

import pytest

from lab.two_hosts import until
from sunlab.lab import Lab

pytestmark = [pytest.mark.lab]
MANIFEST = """<!DOCTYPE service_bundle SYSTEM '/usr/share/lib/xml/dtd/service_bundle.dtd.1'>
<service_bundle type='manifest' name='t'><service name='site/%s' type='service' version='1'>
<create_default_instance enabled='true'/>
<exec_method type='method' name='start' exec=':true' timeout_seconds='5'/>
<exec_method type='method' name='stop' exec=':true' timeout_seconds='5'/>
<property_group name='general' type='framework'>
<propval name='action_authorization' type='astring' value='solaris.smf.manage.%s'/></property_group>
<property_group name='startd' type='framework'>
<propval name='duration' type='astring' value='transient'/></property_group>
</service></service_bundle>"""


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    facts = {"lab": f"rb{os.getpid() % 100000}", "networks": {"public": {"subnet": "10.0.0.0/24"}},
             "nodes": {"n1": {"addresses": {"public": "10.0.0.1/24"}},
                       "n2": {"addresses": {"public": "10.0.0.2/24"}, "platform": "solaris11.4"}}}
    with Lab.up(facts) as made:
        for node in made.spec.nodes:
            made.wait_booted(node)
            made.exec(node, ["useradd", "-m", "ann"])
        for name in ("sundog", "other"):
            made.exec("n1", ["tee", f"/var/{name}.xml"], input=MANIFEST % (name, name))
            made.exec("n1", ["svccfg", "import", f"/var/{name}.xml"])
        yield made


def as_ann(lab: Lab, *words: str, node: str = "n1") -> "subprocess.CompletedProcess[str]":
    return lab.exec(node, ["setpriv", "--reuid", "ann", "--regid", "10", "--clear-groups", *words], check=False)


def rights(lab: Lab, *words: str, node: str = "n1") -> None:
    lab.exec(node, ["usermod", "-A", "", "-P", "", "ann"])
    lab.exec(node, ["usermod", *words, "ann"])


@pytest.mark.parametrize("node", ["n1", "n2"])
def test_the_package_s_profile_is_there_after_the_boot(lab: Lab, node: str) -> None:
    rights(lab, "-P", "Sundog Operation", node=node)
    assert as_ann(lab, "auths", node=node).stdout == "solaris.smf.manage.sundog\n"
    assert as_ann(lab, "profiles", node=node).stdout == "Sundog Operation\nBasic Solaris User\nAll\n"


def test_a_new_fragment_counts_at_once_on_solaris_and_after_the_rbac_service_on_illumos(lab: Lab) -> None:
    for node in lab.spec.nodes:
        lab.exec(node, ["tee", "/etc/security/prof_attr.d/web"], input="Web:::d:auths=a.b\n")
    assert lab.exec("n2", ["usermod", "-P", "Web", "ann"], check=False).returncode == 0
    assert "not a valid profile" in lab.exec("n1", ["usermod", "-P", "Web", "ann"], check=False).stderr
    lab.exec("n1", ["svcadm", "restart", "svc:/system/rbac:default"])
    until(lambda: lab.exec("n1", ["usermod", "-P", "Web", "ann"], check=False).returncode == 0, "the merge")


def test_an_operator_restarts_his_own_instances_only(lab: Lab) -> None:
    rights(lab, "-P", "Sundog Operation")
    assert as_ann(lab, "svcadm", "restart", "site/sundog").returncode == 0
    assert as_ann(lab, "svcadm", "disable", "-t", "site/sundog").returncode == 0
    assert as_ann(lab, "svcadm", "enable", "-t", "site/sundog").returncode == 0
    for words, name in ((("restart",), "other"), (("disable", "-t"), "other"), (("disable",), "sundog")):
        done = as_ann(lab, "svcadm", *words, f"site/{name}")
        assert (done.returncode, done.stderr) == (1, f"svcadm: svc:/site/{name}:default: Permission denied.\n")


def test_svccfg_takes_changes_from_whom_it_may(lab: Lab) -> None:
    change = ("svccfg", "-s", "site/other:default", "setprop", "general/note", "=", "astring:", "x")
    rights(lab, "-A", "solaris.smf.manage")
    done = as_ann(lab, *change)
    assert (done.returncode, done.stderr) == (1, "svccfg: Permission denied.\n")
    rights(lab, "-A", "solaris.smf.*")
    assert as_ann(lab, *change).returncode == 0
    assert as_ann(lab, "svccfg", "-s", "site/other:default", "listprop", "general/note").returncode == 0


def test_svcprop_keeps_protected_values(lab: Lab) -> None:
    for words in (("addpg", "secret", "application"), ("setprop", "secret/word", "=", "astring:", "swordfish"),
                  ("setprop", "secret/read_authorization", "=", "astring:", "a.read"), ("refresh",)):
        lab.exec("n1", ["svccfg", "-s", "site/other:default", *words])
    rights(lab, "-A", "solaris.smf.manage")
    done = as_ann(lab, "svcprop", "-p", "secret/word", "site/other")
    assert (done.returncode, done.stdout) == (1, "")
    rights(lab, "-A", "a.read")
    assert as_ann(lab, "svcprop", "-p", "secret/word", "site/other").stdout == "swordfish\n"


def test_pfexec_runs_a_command_with_the_ids_of_its_profile(lab: Lab) -> None:
    lab.exec("n1", ["tee", "-a", "/etc/security/exec_attr"],
             input="Web:solaris:cmd:::/usr/bin/id:uid=0\nWeb:solaris:cmd:::/usr/bin/ls:privs=all\n")
    lab.exec("n1", ["tee", "-a", "/etc/security/prof_attr"], input="Web:::d:auths=a.b\n")
    rights(lab, "-P", "Web")
    assert as_ann(lab, "pfexec", "id", "-u").stdout == "0\n"
    assert as_ann(lab, "id", "-u").stdout != "0\n"
    assert as_ann(lab, "pfexec", "sh", "-c", "test $(/usr/bin/id -u) != 0 || exit 3; exit 7").returncode == 7
    assert "not modelled in this lab" in as_ann(lab, "pfexec", "ls").stderr
    assert "          /usr/bin/id                uid=0\n" in as_ann(lab, "profiles", "-l").stdout
    rights(lab, "-P", "Stop")
    assert as_ann(lab, "pfexec", "id").returncode == 1
