"""svcprop: views, formats, words (svcprop(1), cmd/svc/svcprop)."""
from typing import Callable

from conformance.rows import both, row
from conformance.target import PREFIX, Target, daemon, fmri, group

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
