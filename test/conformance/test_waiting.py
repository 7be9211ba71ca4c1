"""svcadm -s of Solaris 11.4, which waits for more than enable and disable (svcadm(8); pkg(7)'s smf.py)."""
from typing import Callable

from conformance.rows import illumos, row, solaris
from conformance.target import DAEMON, Target, daemon, duration, fmri, folder, method

Make = Callable[..., str]
QUIET = method("start", ":true") + method("stop", ":true") + duration("transient")


def started(host: Target, name: str) -> str:
    return host.do(f"svcprop -p restarter/start_method_timestamp {fmri(name)}")


@solaris
@row("WAIT-RESTART-01", "Solaris 11.4 svcadm(8), restart -s")
def test_restart_s_waits_until_it_is_online_again(host: Target, service: Make) -> None:
    name = service(method("start", f"sh -c 'sleep 0.3; {DAEMON}'") + method("stop", ":kill"))
    host.reaches(name, "online")
    before = started(host, name)
    host.do(f"svcadm restart -s {fmri(name)}")
    assert (host.state(name), started(host, name) != before) == ("online", True)


@solaris
@row("WAIT-RESTART-02", "Solaris 11.4 svcadm(8), restart -s")
def test_restart_s_of_what_fails_to_start_again_is_3(host: Target, service: Make) -> None:
    marker = folder("wait-good")
    host.do(f"touch {marker}")
    name = service(method("start", f"sh -c 'test -f {marker} || exit 96'") + method("stop", ":true")
                   + duration("transient"))
    host.reaches(name, "online")
    host.do(f"rm {marker}")
    assert host.fails(f"svcadm restart -s {fmri(name)}", 3) == \
        f'svcadm: Instance "{fmri(name)}" is in maintenance state.\n'


@solaris
@row("WAIT-REFRESH-01", "Solaris 11.4 svcadm(8), refresh -s")
def test_refresh_s_waits_for_the_method(host: Target, service: Make) -> None:
    seen = folder("wait-refreshed")
    name = service(daemon() + method("refresh", f"sh -c 'sleep 0.3; touch {seen}'"))
    host.reaches(name, "online")
    host.do(f"svcadm refresh -s {fmri(name)}")
    host.do(f"rm {seen}")
    host.do(f"svcadm disable -s {fmri(name)}")
    host.do(f"svcadm refresh -s {fmri(name)}")
    assert host.state(name) == "disabled"


@solaris
@row("WAIT-CLEAR-01", "Solaris 11.4 svcadm(8), clear -s and mark -s")
def test_mark_s_and_clear_s_wait_for_the_state(host: Target, service: Make) -> None:
    name = service(method("start", ":true") + method("stop", "sleep 0.3") + duration("transient"))
    host.reaches(name, "online")
    host.do(f"svcadm mark -s maintenance {fmri(name)}")
    assert host.state(name) == "maintenance"
    host.do(f"svcadm clear -s {fmri(name)}")
    assert host.state(name) == "online"
    host.do(f"svcadm mark -s degraded {fmri(name)}")
    assert host.state(name) == "degraded"


@solaris
@row("WAIT-TIMEOUT-01", "Solaris 11.4 svcadm(8), -T; pkg(7)'s smf.py")
def test_the_seconds_may_have_a_blank_before_them_and_need_s(host: Target, service: Make) -> None:
    name = service(QUIET)
    host.do(f"svcadm enable -s '-T 60' {fmri(name)}")
    host.do(f"svcadm disable -s '-T 60' -t {fmri(name)}")
    host.fails(f"svcadm enable -T 60 {fmri(name)}", 2)
    host.fails(f"svcadm enable -s -T soon {fmri(name)}", 2)


@illumos
@row("WAIT-ILLUMOS-01", "illumos svcadm(8)")
def test_illumos_waits_for_enable_and_disable_alone(host: Target, service: Make) -> None:
    name = service(QUIET)
    for verb in ("restart", "refresh", "clear", "mark"):
        host.fails(f"svcadm {verb} -s {fmri(name)} {fmri(name)}", 2)
