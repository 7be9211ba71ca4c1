"""syslogd(8): what reaches /var/adm/messages, and in which form."""
import re
from typing import Callable

from conformance.rows import both, row
from conformance.target import Target, daemon, fmri

Make = Callable[..., str]
MESSAGES = "/var/adm/messages"


@both
@row("SYSLOG-LINE-01", "syslog(3C), log(4D)")
def test_a_daemons_notice_is_in_messages_with_host_tag_and_id(host: Target) -> None:
    host.do("logger -p daemon.notice -t conf-tag hello there")
    host.until(f"grep 'conf-tag: .*hello there' {MESSAGES}")
    line = host.do(f"grep 'conf-tag: .*hello there' {MESSAGES} | tail -1").strip()
    node = host.do("uname -n").strip()
    stamp = r"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d"
    assert re.fullmatch(rf"{stamp} {node} conf-tag: \[ID \d{{6}} daemon\.notice\] hello there", line)


@both
@row("SYSLOG-LINE-02", "log(4D), the names of levels")
def test_an_error_is_called_error(host: Target) -> None:
    host.do("logger -p local3.err -t conf-err broken")
    host.until(rf"grep 'conf-err: \[ID [0-9]* local3.error\] broken' {MESSAGES}")


@both
@row("SYSLOG-CONF-01", "syslog.conf(5), *.err;kern.debug;daemon.notice;mail.crit")
def test_what_is_less_urgent_is_not(host: Target) -> None:
    host.do("logger -p daemon.info -t conf-info quiet; logger -p user.notice -t conf-info quiet;"
            " logger -p daemon.notice -t conf-info loud")
    host.until(f"grep 'conf-info: .*loud' {MESSAGES}")
    assert "quiet" not in host.do(f"grep conf-info {MESSAGES}")


@both
@row("SYSLOG-SMF-01", "cmd/svc/startd/log.c, method.c")
def test_svc_startd_tells_of_a_failed_method_and_of_maintenance(host: Target, service: Make) -> None:
    name = service(daemon(start="sh -c 'exit 96'"))
    host.reaches(name, "maintenance")
    failed = (r'svc.startd\[[0-9]*\]: \[ID 652011 daemon.warning\] '
              rf'{fmri(name)}: Method ".*" failed with exit status 96.')
    host.until(f"grep '{failed}' {MESSAGES}")
    host.until(rf"grep '\[ID 748625 daemon.error\] {fmri(name)[5:]} misconfigured: transitioned to maintenance"
               rf" (see .svcs -xv. for details)' {MESSAGES}")


@both
@row("SYSLOG-SMF-02", "smf(7), svc:/system/system-log")
def test_the_service_is_online_and_refresh_reads_the_configuration(host: Target) -> None:
    assert host.do("svcs -Ho state svc:/system/system-log:default").strip() == "online"
    host.do("cp /etc/syslog.conf /etc/syslog.conf.conf && touch /var/log/conf-own &&"
            " printf 'local5.info\\t/var/log/conf-own\\n' >> /etc/syslog.conf && svcadm refresh system-log")
    try:
        host.until("logger -p local5.info -t conf-own here; grep here /var/log/conf-own")
    finally:
        host.do("mv /etc/syslog.conf.conf /etc/syslog.conf; rm /var/log/conf-own; svcadm refresh system-log")
