"""Rights: the databases, who may do what to services, pfexec (rbac(7), smf_security(7), pfexec(1))."""
import itertools
import os
from typing import Callable, Iterator

import pytest

from conformance.rows import both, illumos, row, solaris
from conformance.target import PREFIX, Target, daemon, duration, fmri, group, method

Make = Callable[..., str]
NUMBERS = itertools.count()
QUIET = method("start", ":true") + method("stop", ":true") + duration("transient")


@pytest.fixture
def user(host: Target) -> Iterator[str]:
    """An account without rights."""
    name = f"conf{os.getpid() % 10000}{chr(97 + next(NUMBERS) % 26)}"
    host.do(f"useradd -d / {name}")
    yield name
    for file in ("passwd", "shadow", "user_attr"):
        host.do(f"cd /etc && {{ grep -v '^{name}:' {file} >{file}.conf; cat {file}.conf >{file}; rm {file}.conf; }}")


def as_user(user: str, command: str) -> str:
    quoted = command.replace("'", "'\\''")
    return f"su {user} -c '{quoted}'"


def give(host: Target, user: str, *authorisations: str) -> None:
    host.do(f"usermod -A {','.join(authorisations)} {user}")


@both
@row("RIGHTS-DENIED-01", "svcadm.c, emsg_permission_denied")
@pytest.mark.parametrize("command", ["enable", "disable -t", "restart", "refresh", "mark maintenance"])
def test_a_user_without_rights_may_do_nothing_to_services(host: Target, service: Make, user: str, command: str) -> None:
    name = service(QUIET)
    host.reaches(name, "online")
    said = host.run(as_user(user, f"svcadm {command} {fmri(name)}"))
    assert (said.status, said.err) == (1, f"svcadm: {fmri(name)}: Permission denied.\n")


@both
@row("RIGHTS-LOOK-01", "smf_security(7)")
def test_everybody_may_look(host: Target, service: Make, user: str) -> None:
    name = service(QUIET)
    host.reaches(name, "online")
    assert host.do(as_user(user, f"svcs -Ho state {fmri(name)}")).strip() == "online"
    assert host.do(as_user(user, f"svcprop -p restarter/state {fmri(name)}")) == "online\n"


@both
@row("RIGHTS-ACTION-01", "smf_security(7), action_authorization")
def test_its_action_authorization_lets_restart_and_temporarily_enable_a_service(host: Target, service: Make,
                                                                                user: str) -> None:
    name = service(QUIET + group("general", "framework", action_authorization="solaris.smf.manage.conf"))
    give(host, user, "solaris.smf.manage.conf")
    host.reaches(name, "online")
    for command in ("restart", "refresh", "disable -t", "enable -t"):
        host.do(as_user(user, f"svcadm {command} {fmri(name)}"))
    assert host.run(as_user(user, f"svcadm disable {fmri(name)}")).status == 1


@both
@row("RIGHTS-MANAGE-01", "smf_security(7), solaris.smf.manage")
def test_solaris_smf_manage_is_for_actions_on_all_services(host: Target, service: Make, user: str) -> None:
    name = service(QUIET)
    give(host, user, "solaris.smf.manage")
    host.reaches(name, "online")
    host.do(as_user(user, f"svcadm restart {fmri(name)}"))
    assert host.run(as_user(user, f"svccfg -s {fmri(name)} addpg config application")).status == 1


@both
@row("RIGHTS-MODIFY-01", "smf_security(7), solaris.smf.modify")
def test_solaris_smf_modify_lets_change_everything(host: Target, service: Make, user: str) -> None:
    name = service(QUIET)
    give(host, user, "solaris.smf.modify")
    host.do(as_user(user, f"svccfg -s {fmri(name)} addpg config application"))
    host.do(as_user(user, f"svcadm disable {fmri(name)}"))
    host.reaches(name, "disabled")


@row("RIGHTS-MODIFY-02", "smf_security(7), solaris.smf.modify.application")
def test_a_right_for_a_type_of_group_is_for_that_type(host: Target, service: Make, user: str) -> None:
    name = service(QUIET)
    give(host, user, "solaris.smf.modify.application")
    host.do(as_user(user, f"svccfg -s {fmri(name)} addpg config application"))
    assert "Permission denied." in host.fails(as_user(user, f"svccfg -s {fmri(name)} addpg other framework"))


@both
@row("RIGHTS-VALUE-01", "smf_security(7), value_authorization")
def test_value_authorization_lets_change_values_and_not_add_properties(host: Target, service: Make, user: str) -> None:
    name = service(QUIET + group("config", word="old", value_authorization="solaris.smf.value.conf"))
    give(host, user, "solaris.smf.value.conf")
    host.do(as_user(user, f"svccfg -s {PREFIX}{name} setprop config/word = new"))
    assert host.do(f"svcprop -c -p config/word {fmri(name)}") == "new\n"
    host.fails(as_user(user, f"svccfg -s {PREFIX}{name} delprop config/word"))


@row("RIGHTS-READ-01", "smf_security(7), read_authorization")
def test_protected_values_are_not_shown(host: Target, service: Make, user: str) -> None:
    name = service(QUIET + group("secret", word="hidden", read_authorization="solaris.smf.read.conf"))
    assert "hidden" not in host.run(as_user(user, f"svcprop -p secret/word {fmri(name)}")).out
    give(host, user, "solaris.smf.read.conf")
    assert host.do(as_user(user, f"svcprop -p secret/word {fmri(name)}")) == "hidden\n"


@both
@row("RIGHTS-PROFILE-01", "prof_attr(5), Service Operator")
def test_the_profile_service_operator_may_restart(host: Target, service: Make, user: str) -> None:
    name = service(daemon())
    host.reaches(name, "online")
    host.do(f"usermod -P 'Service Operator' {user}")
    assert "Service Operator" in host.do(f"profiles {user}")
    assert "solaris.smf.manage" in host.do(f"auths {user}")
    host.do(as_user(user, f"svcadm restart {fmri(name)}"))


@row("RIGHTS-AUTHS-01", "auths(1)")
def test_auths_lists_what_was_given(host: Target, user: str) -> None:
    give(host, user, "solaris.smf.manage.conf")
    assert "solaris.smf.manage.conf" in host.do(f"auths {user}").replace("\n", ",").split(",")


@both
@row("RIGHTS-PFEXEC-01", "pfexec(1), exec_attr(5)")
def test_pfexec_gives_a_command_the_uid_that_the_profile_names(host: Target, user: str) -> None:
    host.do("mkdir -p /etc/security/exec_attr.d /etc/security/prof_attr.d")
    host.put("/etc/security/exec_attr.d/conf", "Conf Test:solaris:cmd:::/usr/bin/id:uid=0\n")
    host.put("/etc/security/prof_attr.d/conf", "Conf Test:::for a test:\n")
    try:
        host.run("svcadm restart -s svc:/system/rbac:default || svcadm restart svc:/system/rbac:default")
        if host.platform == "illumos":
            host.until("grep 'Conf Test' /etc/security/exec_attr")
        host.do(f"usermod -P 'Conf Test' {user}")
        assert "uid=0(root)" in host.do(as_user(user, "pfexec /usr/bin/id"))
        assert "uid=0(root)" not in host.do(as_user(user, "/usr/bin/id"))
    finally:
        host.do("rm /etc/security/exec_attr.d/conf /etc/security/prof_attr.d/conf")
        if host.platform == "illumos":
            host.do("svcadm restart svc:/system/rbac:default")
            host.until("! grep 'Conf Test' /etc/security/exec_attr")


@illumos
@row("RIGHTS-FRAGMENTS-01", "svc:/system/rbac")
def test_fragments_count_once_the_service_has_merged_them(host: Target) -> None:
    host.do("mkdir -p /etc/security/auth_attr.d")
    host.put("/etc/security/auth_attr.d/conf", "solaris.conf.test:::for a test::\n")
    host.fails("grep solaris.conf.test /etc/security/auth_attr")
    host.do("svcadm restart svc:/system/rbac:default")
    host.until("grep solaris.conf.test /etc/security/auth_attr")
    host.do("rm /etc/security/auth_attr.d/conf; svcadm restart svc:/system/rbac:default")
    host.until("! grep solaris.conf.test /etc/security/auth_attr")


@solaris
@row("RIGHTS-FRAGMENTS-02", "Solaris 11.4 rbac(7)")
def test_solaris_reads_fragments_directly(host: Target, user: str) -> None:
    host.do("mkdir -p /etc/security/prof_attr.d")
    host.put("/etc/security/prof_attr.d/conf", "Conf Direct:::for a test:auths=solaris.conf.direct\n")
    host.do(f"usermod -P 'Conf Direct' {user}")
    assert "solaris.conf.direct" in host.do(f"auths {user}")
    host.do("rm /etc/security/prof_attr.d/conf")
