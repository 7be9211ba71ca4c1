"""What the lab's databases of rights give a user: matching, profiles, fragments, and SMF's rules on top."""
from pathlib import Path

import pytest

from sunlab.rbac import accounts, merge, records
from sunlab.rbac.database import load
from sunlab.rbac.rights import Database, auths_of, execution_of, matches, profiles_of
from sunlab.smf.authorise import Caller
from sunlab.smf.properties import Group, Prop
from sunlab.smf.repository import Instance, Repository

BASE = Database(
    users=records.names(["ann::::profiles=Operator;auths=solaris.x\n", "bob::::profiles=Stop,Operator\n"]),
    profiles=records.names(["Operator:::d:auths=solaris.smf.manage.web;profiles=Deep\n",
                            "Deep:::d:auths=solaris.deep\n",
                            "Basic:::d:profiles=All\n", "All:::d:\n", "Stop:::d:\n"]),
    executions=records.executions(["All:suser:cmd:::*:\n", "Operator:solaris:cmd:::/sbin/zfs:euid=0\n"]),
    policy={"AUTHS_GRANTED": "solaris.all", "PROFS_GRANTED": "Basic"})


@pytest.mark.parametrize("pattern, name, expected", [
    ("solaris.smf.manage", "solaris.smf.manage", True), ("solaris.smf.manage", "solaris.smf.manage.web", False),
    ("solaris.*", "solaris.smf.modify", True), ("solaris.smf.*", "solaris.smf.manage.web", True),
    ("solaris.smf.*", "solaris.zone.manage", False), ("solaris.*", "solaris.smf.grant", False),
    ("*", "anything", True), ("solaris.*.web", "solaris.smf.web", False)])
def test_a_star_counts_at_the_end_and_gives_no_right_to_grant(pattern: str, name: str, expected: bool) -> None:
    assert matches(pattern, name) is expected


def test_profiles_bring_profiles_and_the_policy_s_come_last() -> None:
    assert profiles_of(BASE, "ann") == ["Operator", "Deep", "Basic", "All"]
    assert auths_of(BASE, "ann") == ["solaris.x", "solaris.smf.manage.web", "solaris.deep", "solaris.all"]


def test_stop_ends_the_list_and_the_policy() -> None:
    assert profiles_of(BASE, "bob") == ["Stop"]
    assert auths_of(BASE, "bob") == []


def test_the_first_profile_that_means_a_command_decides() -> None:
    found = execution_of(BASE, "ann", "/usr/sbin/zfs")
    assert found is not None
    assert found.attributes == {"euid": "0"}
    other = execution_of(BASE, "ann", "/usr/bin/id")
    assert other is not None
    assert other.profile == "All"
    assert execution_of(BASE, "bob", "/usr/bin/id") is None


def test_fragments_count_directly_or_once_they_are_merged(tmp_path: Path) -> None:
    root = f"{tmp_path}/"
    (tmp_path / "etc/security/prof_attr.d").mkdir(parents=True)
    (tmp_path / "etc/security/prof_attr").write_text("Own:::d:\n")
    (tmp_path / "etc/security/prof_attr.d/web").write_text("# a comment\nWeb:::d:auths=a.b\n")
    assert set(load(root, direct=True).profiles) == {"Own", "Web"}
    assert set(load(root, direct=False).profiles) == {"Own"}
    merge.main(root)
    assert set(load(root, direct=False).profiles) == {"Own", "Web"}
    (tmp_path / "etc/security/prof_attr.d/web").unlink()
    merge.main(root)
    assert (tmp_path / "etc/security/prof_attr").read_text() == "Own:::d:\n"


def test_lists_are_replaced_added_to_and_taken_from() -> None:
    assert [accounts.combined("a,b", asked) for asked in ("c", "+c", "-a")] == ["c", "a,b,c", "b"]


def instance() -> Instance:
    found = Repository().add_instance("site/web", "default")
    text = lambda value: Prop("astring", (value,))       # noqa: E731
    found.groups["general"] = Group("framework", {"action_authorization": text("act.web"),
                                                  "value_authorization": text("set.web")})
    found.groups["config"] = Group("application", {"port": text("80"), "value_authorization": text("port.web"),
                                                   "read_authorization": text("see.web")})
    return found


@pytest.mark.parametrize("auth, act, temporary, lasting, port, other, read", [
    ("solaris.smf.manage", True, True, False, False, False, False),
    ("act.web", True, True, False, False, False, False),
    ("set.web", False, False, True, False, False, False),
    ("port.web", False, False, False, True, False, True),
    ("see.web", False, False, False, False, False, True),
    ("solaris.smf.modify", True, True, True, True, True, True),
    ("solaris.smf.modify.framework", True, True, True, False, False, False),
    ("solaris.smf.modify.application", False, False, False, True, True, True),
    ("solaris.*", True, True, True, True, True, True),
    ("solaris.zone", False, False, False, False, False, False)])
def test_what_each_authorisation_lets_do(auth: str, act: bool, temporary: bool, lasting: bool, port: bool,
                                         other: bool, read: bool) -> None:
    web, caller = instance(), Caller(5, lambda uid: [auth])
    assert caller.may_act(web) is act
    assert caller.may_enable(web, temporary=True) is temporary
    assert caller.may_enable(web, temporary=False) is lasting
    assert caller.may_set(web, "config", "application", "port") is port
    assert caller.may_set(web, "config", "application", "new") is other
    assert caller.may_read("config", web.groups["config"]) is read


def test_who_may_set_values_may_not_hand_the_right_on() -> None:
    assert not Caller(5, lambda uid: ["port.web"]).may_set(instance(), "config", "application", "value_authorization")
