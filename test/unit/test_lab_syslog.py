"""What syslogd of a node makes of a message and of its configuration."""
import pytest

from sunlab.syslog.conf import rules
from sunlab.syslog.message import id_of, parse


@pytest.mark.parametrize(("form", "number"), [
    ("%s", 702911), ("%s %s", 748625), ('%s: Method "%s" failed with exit status %d.', 652011),
    ("%s: Method or service exit timed out.  Killing contract %ld.", 122153)])
def test_the_id_of_a_format_is_the_one_known_from_real_logs(form: str, number: int) -> None:
    assert id_of(form) == number


@pytest.mark.parametrize(("datagram", "line"), [
    (b"<30>Nov 24 02:00:00 app[12]: up\0", "STAMP n1 app[12]: [ID 702911 daemon.info] up"),
    (b"<13>Nov  4 02:00:00 root: two words\n", "STAMP n1 root: [ID 702911 user.notice] two words"),
    (b"<11>no name here", "STAMP n1 [ID 702911 user.error] no name here"),
    (b"plain", "STAMP n1 [ID 702911 user.notice] plain"),
    (b"<27>a: [ID 1 daemon.error] told", "STAMP n1 a: [ID 1 daemon.error] told"),
    (b"<27>a: one\ntwo\x1b", "STAMP n1 a: [ID 702911 daemon.error] one two "),
])
def test_a_message_is_shown_as_in_messages(datagram: bytes, line: str) -> None:
    assert parse(datagram).line("STAMP", "n1") == line


def test_a_rule_takes_what_is_as_urgent_or_more() -> None:
    found, problems = rules("# comment\n*.err;daemon.notice;mail.none\t/var/adm/messages\n"
                            "local0,local7.debug\t\t@loghost\n")
    first, second = found
    assert not problems and (first.action, second.action) == ("/var/adm/messages", "@loghost")
    assert first.takes(1, 3) and not first.takes(1, 4)
    assert first.takes(3, 5) and not first.takes(3, 6)
    assert not first.takes(2, 0)
    assert second.takes(16, 7) and second.takes(23, 7) and not second.takes(17, 0)


@pytest.mark.parametrize(("line", "said"), [
    ("*.loud\t/x", 'syslogd: line 1: unknown priority name "loud"'),
    ("moon.err\t/x", 'syslogd: line 1: unknown facility name "moon"'),
    ("*.err /x", "syslogd: line 1: no action: selectors and action are separated by TABs"),
    ("*.alert\troot", "syslogd: line 1: sunlab: not modelled: an action that is neither a file nor @HOST"),
])
def test_a_line_that_makes_no_sense_is_told_and_left_out(line: str, said: str) -> None:
    assert rules(f"{line}\nmail.err\t/y\n")[1] == [said]
    assert [rule.action for rule in rules(f"{line}\nmail.err\t/y\n")[0]] == ["/y"]
