"""FMRIs and patterns, tokens, values: the small pure parts of the lab's SMF."""
from typing import List, Optional

import pytest

from sunlab.smf.fmri import Fmri, log_name, matches, parse
from sunlab.smf.properties import shell_quoted, value_error
from sunlab.smf.tokens import TokenInvalid, expand

SENDMAIL = ("network/smtp", "sendmail")


@pytest.mark.parametrize("pattern", ["sendmail", ":sendmail", "smtp", "smtp:sendmail", "network/smtp",
                                     "svc:/network/smtp", "svc:/network/smtp:sendmail",
                                     "svc://localhost/network/smtp:sendmail", "*smtp*",
                                     "svc:/network/*:sendmail", "network/smtp:s[e]ndmail"])
def test_these_mean_the_instance(pattern: str) -> None:
    assert matches(pattern, *SENDMAIL)


@pytest.mark.parametrize("pattern", ["mail", "network", "network/smt", "smtp:", "svc:/smtp", "svc:/network/smtp:x",
                                     "*mail:x"])
def test_these_do_not(pattern: str) -> None:
    assert not matches(pattern, *SENDMAIL)


@pytest.mark.parametrize(("text", "found"), [
    ("svc:/a/b:c", Fmri("a/b", "c")), ("svc:/a/b", Fmri("a/b", None)), ("svc://localhost/a:b", Fmri("a", "b")),
    ("svc:/a:b/:properties/x/y", Fmri("a", "b")), ("a/b", None), ("svc:/", None),
    ("svc:/a:", None), ("lrc:/etc/rc2", None)])
def test_a_full_fmri_is_taken_apart(text: str, found: Optional[Fmri]) -> None:
    assert parse(text) == found


def test_a_log_is_named_with_dashes() -> None:
    assert log_name("system/sundog/group", "web") == "system-sundog-group:web.log"


def look(fmri: Optional[str], group: str, name: str) -> Optional[List[str]]:
    return {(None, "sundog", "address"): ["10.0.0.1/24"], (None, "sundog", "many"): ["a b", "c;d"],
            (None, "sundog", "empty"): [""], (None, "application", "x"): ["y"],
            ("svc:/o:i", "g", "p"): ["other"]}.get((fmri, group, name))


@pytest.mark.parametrize(("text", "expanded"), [
    ("%% %r %m %s %i %f", "% svc.startd start a/b c svc:/a/b:c"), ("address=%{sundog/address}", "address=10.0.0.1/24"),
    ("%{sundog/many}", r"a\ b c\;d"), ("%{sundog/many,}", r"a\ b,c\;d"), ("%{sundog/many:}", r"a\ b:c\;d"),
    ("%{x}", "y"), ("%{svc:/o:i/:properties/g/p}", "other"), ("e=%{sundog/empty}.", "e=.")])
def test_tokens_are_expanded(text: str, expanded: str) -> None:
    assert expand(text, method="start", service="a/b", instance="c", look=look) == expanded


@pytest.mark.parametrize("text", ["%z", "%", "%{sundog/absent}", "%{sundog/address"])
def test_an_unknown_token_is_an_error(text: str) -> None:
    with pytest.raises(TokenInvalid):
        expand(text, method="start", service="a", instance="b", look=look)


WRONG = [("boolean", "yes"), ("count", "-5"), ("integer", "1.5"), ("opaque", "0"), ("bogus", "")]


@pytest.mark.parametrize(("kind", "value"), WRONG)
def test_a_value_of_another_type_is_refused(kind: str, value: str) -> None:
    assert value_error(kind, value) is not None


def test_svcprop_quotes_with_backslashes() -> None:
    assert [shell_quoted(v) for v in ("plain/1:2.3", "a b", 'q"', "")] == ["plain/1:2.3", r"a\ b", r"q\"", '""']
