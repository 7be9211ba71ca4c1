"""svcprop: views, formats, words (svcprop(1), cmd/svc/svcprop)."""
from typing import Callable

import pytest

from conformance.rows import both, illumos, row, solaris
from conformance.target import PREFIX, Target, daemon, fmri, folder, group

Make = Callable[..., str]
BODY = daemon() + group("config", text="a b", plain="x")


@both
@row("SVCPROP-VALUE-01", "svcprop(1), one property of one entity")
def test_one_property_is_its_values_alone_quoted_for_the_shell(host: Target, service: Make) -> None:
    name = service(BODY)
    assert host.do(f"svcprop -p config/text {fmri(name)}") == "a\\ b\n"
    assert host.do(f"svcprop -p config/plain {fmri(name)}") == "x\n"


@row("SVCPROP-TYPE-01", "svcprop(1), -t")
def test_t_adds_name_and_type(host: Target, service: Make) -> None:
    name = service(BODY)
    assert host.do(f"svcprop -t -p config/text {fmri(name)}") == "config/text astring a\\ b\n"


@row("SVCPROP-FULL-01", "svcprop(1), -f")
def test_f_adds_the_whole_name(host: Target, service: Make) -> None:
    name = service(BODY)
    assert host.do(f"svcprop -f -p config/plain {fmri(name)}") == \
        f"{fmri(name)}/:properties/config/plain astring x\n"


@row("SVCPROP-GROUP-01", "svcprop(1), -p GROUP")
def test_a_group_is_all_its_properties_with_types(host: Target, service: Make) -> None:
    name = service(BODY)
    assert sorted(host.do(f"svcprop -p config {fmri(name)}").splitlines()) == [
        "config/plain astring x", "config/text astring a\\ b"]


@both
@row("SVCPROP-ABSENT-01", "svcprop.c, absent group and property")
def test_what_is_absent_is_named(host: Target, service: Make) -> None:
    name = service(BODY)
    assert host.fails(f"svcprop -p ghost {fmri(name)}") == \
        f"svcprop: Couldn't find property group `ghost' for instance `{fmri(name)}'.\n"
    assert host.fails(f"svcprop -p config/ghost {fmri(name)}") == \
        f"svcprop: Couldn't find property `config/ghost' for instance `{fmri(name)}'.\n"


@row("SVCPROP-ABSENT-02", "svcprop(1), -q")
def test_q_is_silent_about_what_is_absent(host: Target, service: Make) -> None:
    name = service(BODY)
    assert host.fails(f"svcprop -q -p ghost {fmri(name)}") == ""


@row("SVCPROP-MATCH-01", "svcprop.c, no match")
def test_a_pattern_without_match_is_named(host: Target) -> None:
    assert host.fails("svcprop conf-ghost") == "svcprop: Pattern 'conf-ghost' doesn't match any entities\n"


@row("SVCPROP-VIEW-01", "svcprop(1), running snapshot")
def test_a_change_is_seen_after_a_refresh_and_at_once_with_c(host: Target, service: Make) -> None:
    name = service(BODY)
    host.reaches(name, "online")
    host.do(f"svccfg -s {PREFIX}{name} 'setprop config/plain = y'")
    assert host.do(f"svcprop -p config/plain {fmri(name)}") == "x\n"
    assert host.do(f"svcprop -c -p config/plain {fmri(name)}") == "y\n"
    host.do(f"svcadm refresh {fmri(name)}")
    host.until(f'[ "`svcprop -p config/plain {fmri(name)}`" = y ]')


@row("SVCPROP-VIEW-02", "svcprop(1), -s")
def test_a_snapshot_that_is_not_there_is_refused(host: Target, service: Make) -> None:
    name = service(BODY)
    assert host.fails(f"svcprop -s ghost {fmri(name)}") == "svcprop: No such snapshot.\n"


@both
@row("SVCPROP-VIEW-03", "svcprop(1), -C -c -s")
def test_views_exclude_one_another(host: Target, service: Make) -> None:
    name = service(BODY)
    host.fails(f"svcprop -C -c {fmri(name)}", 2)


@row("SVCPROP-WAIT-01", "svcprop(1), -w")
def test_w_needs_a_property(host: Target, service: Make) -> None:
    name = service(BODY)
    assert host.fails(f"svcprop -w {fmri(name)}", 2) == "svcprop: Cannot wait for an instance.\n"


@both
@row("SVCPROP-USAGE-01", "svcprop(1), exit status")
def test_an_unknown_option_and_no_operand_are_usage_errors(host: Target) -> None:
    assert "Usage: svcprop" in host.fails("svcprop -Q x", 2)
    host.fails("svcprop", 2)
    host.fails("svcprop -p config/x", 2)


@both
@row("SVCPROP-VIEW-04", "svcprop(1), -C")
def test_c_capital_shows_what_is_attached_to_the_instance_itself(host: Target, service: Make) -> None:
    name = service(BODY)
    host.fails(f"svcprop -q -C -p config/text {fmri(name)}")
    assert host.do(f"svcprop -c -p config/plain {fmri(name)}") == "x\n"
    assert host.do(f"svcprop -C -p general/enabled {fmri(name)}") == "true\n"


@both
@row("SVCPROP-VIEW-05", "svcprop(1), -s")
def test_s_reads_a_snapshot(host: Target, service: Make) -> None:
    name = service(BODY)
    host.do(f"svccfg -s {PREFIX}{name} setprop config/plain = changed")
    host.do(f"svcadm refresh {fmri(name)}")
    assert host.do(f"svcprop -s last-import -p config/plain {fmri(name)}") == "x\n"
    assert host.do(f"svcprop -s running -p config/plain {fmri(name)}") == "changed\n"


@row("SVCPROP-VIEW-06", "svcprop(1), composition")
def test_an_instances_own_value_is_before_its_services(host: Target, service: Make) -> None:
    name = service(BODY)
    host.do(f"svccfg -s {fmri(name)} addpg config application")
    host.do(f"svccfg -s {fmri(name)} setprop config/plain = astring: own")
    host.do(f"svcadm refresh {fmri(name)}")
    assert host.do(f"svcprop -t -p config/plain -p config/text {fmri(name)}") == (
        "config/plain astring own\nconfig/text astring a\\ b\n")


@both
@row("SVCPROP-VIEW-07", "svcprop(1), non-persistent groups")
def test_states_are_current_without_a_refresh(host: Target, service: Make) -> None:
    name = service(BODY)
    host.reaches(name, "online")
    assert host.do(f"svcprop -p restarter/state {fmri(name)}") == "online\n"
    host.do(f"svcadm disable -t {fmri(name)}")
    assert host.do(f"svcprop -p general_ovr/enabled {fmri(name)}") == "false\n"


@row("SVCPROP-VIEW-08", "svcprop(1), example 2")
def test_enabled_is_read_with_c(host: Target, service: Make) -> None:
    name = service(BODY)
    host.do(f"svcadm disable {fmri(name)}")
    assert host.do(f"svcprop -c -p general/enabled {fmri(name)}") == "false\n"


@row("SVCPROP-VALUE-02", "svcprop.c, several values")
def test_several_values_are_separated_by_one_blank(host: Target, service: Make) -> None:
    name = service(daemon())
    host.do(f"svccfg -s {fmri(name)} addpg config application")
    host.do(f"svccfg -s {fmri(name)} 'setprop config/many = astring: (\"a b\" \"c\")'")
    assert host.do(f"svcprop -c -p config/many {fmri(name)}") == "a\\ b c\n"


@row("SVCPROP-VALUE-03", "svcprop(1), Output Format; svcprop.c, quote_for_shell")
@pytest.mark.parametrize(("raw", "told"), [
    ("a;b", "a\\;b"), ("a&b", "a\\&b"), ("(x)", "\\(x\\)"), ("a|b", "a\\|b"), ("a<b>c", "a\\<b\\>c"), ("$x", "$x"),
    ("it's", "it\\'s"), ("a*?[b]", "a*?[b]"), ("#1", "#1"), ("a=b", "a=b"), ("a^b", "a\\^b"), ("{a}!~", "{a}!~")])
def test_what_the_bourne_shell_would_take_apart_gets_a_backslash(host: Target, service: Make, raw: str,
                                                                 told: str) -> None:
    name = service(daemon() + group("config", odd=raw))
    assert host.do(f"svcprop -p config/odd {fmri(name)}") == f"{told}\n"


@row("SVCPROP-VALUE-04", "svcprop.c, no values")
def test_an_empty_list_has_nothing_after_its_type(host: Target, service: Make) -> None:
    name = service(daemon() + "<property_group name='config' type='application'><property name='none' type='astring'/>"
                   "</property_group>")
    assert host.do(f"svcprop -t -p config/none {fmri(name)}").rstrip() == "config/none astring"


@row("SVCPROP-SEVERAL-01", "svcprop.c, several entities")
def test_several_entities_are_told_by_their_whole_names(host: Target, service: Make) -> None:
    one, two = service(BODY), service(BODY)
    assert sorted(host.do(f"svcprop -p config/plain {fmri(one)} {fmri(two)}").splitlines()) == sorted(
        f"{fmri(n)}/:properties/config/plain astring x" for n in (one, two))


@row("SVCPROP-SEVERAL-02", "svcprop.c, add_prop")
def test_several_properties_of_one_entity_are_their_values_unless_a_group_is_among_them(host: Target,
                                                                                       service: Make) -> None:
    name = service(BODY)
    assert host.do(f"svcprop -p config/plain -p config/text {fmri(name)}") == "x\na\\ b\n"
    assert host.do(f"svcprop -p config/plain -p config {fmri(name)}").splitlines()[0] == "config/plain astring x"


@row("SVCPROP-SEVERAL-03", "svcprop.c, add_prop")
@pytest.mark.parametrize(("operand", "said"), [
    ("a/b/c", "svcprop: -p argument `a/b/c' has too many components.\nUsage: svcprop"),
    ("a/b=c", "svcprop: Invalid component name `b=c'.\n")])
def test_what_can_be_no_property_is_a_usage_error(host: Target, service: Make, operand: str, said: str) -> None:
    assert host.fails(f"svcprop -p '{operand}' {fmri(service(BODY))}", 2).startswith(said)


@row("SVCPROP-OPERAND-01", "svcprop(1), operands")
def test_an_operand_may_be_a_group_or_a_property(host: Target, service: Make) -> None:
    name = service(BODY)
    config = f"svc:/{PREFIX}{name}/:properties/config"
    assert host.do(f"svcprop {config}/text") == "a\\ b\n"
    assert sorted(host.do(f"svcprop {config}").splitlines()) == ["config/plain astring x", "config/text astring a\\ b"]
    assert host.do(f"svcprop -p text {config}") == "a\\ b\n"
    assert host.fails(f"svcprop -p ghost {config}") == \
        f"svcprop: Couldn't find property `ghost' in property group `{config}'.\n"
    assert host.fails(f"svcprop -p config/text {config}/text", 2).startswith(
        "svcprop: The -p option cannot be used with property operands.\n")
    host.fails(f"svcprop {config}/ghost")


@row("SVCPROP-SERVICE-01", "svcprop(1), operands")
def test_a_services_full_name_means_the_service_itself(host: Target, service: Make) -> None:
    name = service(BODY)
    assert host.do(f"svcprop -p config/plain svc:/{PREFIX}{name}") == "x\n"
    assert host.fails(f"svcprop -p ghost svc:/{PREFIX}{name}") == \
        f"svcprop: Couldn't find property group `ghost' for service `svc:/{PREFIX}{name}'.\n"


@row("SVCPROP-SERVICE-02", "svcprop.c, process_ent")
def test_a_service_has_no_snapshots(host: Target, service: Make) -> None:
    name = service(BODY)
    assert host.fails(f"svcprop -s running -p config svc:/{PREFIX}{name}") == \
        "svcprop: Only instances have snapshots.\n"


@both
@row("SVCPROP-WAIT-02", "svcprop(1), -w")
def test_w_waits_until_the_group_is_written(host: Target, service: Make) -> None:
    name = service(daemon())
    host.reaches(name, "online")
    out = folder("wait")
    host.do(f"svcprop -w -p restarter/state {fmri(name)} >{out} 2>&1 & echo $! >{out}.pid; sleep 0.3; "
            f"svcadm disable {fmri(name)}")
    host.until(f"test -s {out}")
    assert host.do(f"cat {out}; rm {out} {out}.pid").strip() in ("online", "disabled")


@row("SVCPROP-WAIT-03", "svcprop.c, do_wait")
def test_w_is_for_a_group_of_the_instance_itself_that_is_there(host: Target, service: Make) -> None:
    name = service(BODY)
    for what in ("ghost", "config/plain", "general/ghost"):
        assert host.fails(f"svcprop -w -p {what} {fmri(name)}") == "svcprop: Not found.\n"
    host.fails(f"svcprop -w -p config -p general {fmri(name)}", 2)
    host.fails(f"svcprop -w -p general {fmri(name)} {fmri(name)}", 2)
    host.do(f"svccfg -s {PREFIX}{name} add other")
    assert host.fails(f"svcprop -w -p general '*{PREFIX}{name}:*'").startswith(
        f"svcprop: Pattern '*{PREFIX}{name}:*' matches multiple instances:\n")


@row("SVCPROP-WAIT-04", "svcprop.c, do_wait")
def test_w_of_a_group_that_goes_or_changes(host: Target, service: Make) -> None:
    name = service(BODY)
    out = folder("wait4")
    for change, said in (("setprop own/a = astring: two", "own/a astring two\n"),
                         ("delpg own", "svcprop: Not found.\n")):
        host.run(f"svccfg -s {fmri(name)} addpg own application")
        host.do(f"(svcprop -wp own {fmri(name)}; echo $? >{out}.rc) >{out} 2>&1 & sleep 0.3; "
                f"svccfg -s {fmri(name)} '{change}'")
        host.until(f"test -s {out}.rc")
        assert host.do(f"cat {out}") == said
        assert host.do(f"cat {out}.rc; rm {out} {out}.rc") == ("0\n" if said.startswith("own") else "1\n")


@solaris
@row("SVCPROP-LAYER-01", "Solaris 11.4 svcprop(1), -l")
def test_l_tells_the_layer_of_each_value(host: Target, service: Make) -> None:
    name = service(BODY)
    host.do(f"svccfg -s {PREFIX}{name} setprop config/plain = mine")
    out = host.do(f"svcprop -l all -p config/plain svc:/{PREFIX}{name}")
    assert [line.split() for line in out.splitlines()] == [["config/plain", "astring", "manifest", "x"],
                                                           ["config/plain", "astring", "admin", "mine"]]


@illumos
@row("SVCPROP-LAYER-02", "illumos svcprop(1)")
def test_illumos_has_no_layers(host: Target, service: Make) -> None:
    host.fails(f"svcprop -l all -p config/plain {fmri(service(BODY))}", 2)
