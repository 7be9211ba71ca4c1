"""Dependencies: what an instance waits for, and who stops with whom (smf(7), startd/graph.c)."""
from typing import Callable, List

import pytest

from conformance.rows import both, row
from conformance.target import PREFIX, Target, daemon, depends, duration, fmri, folder, method

Make = Callable[..., str]
QUIET = method("start", ":true") + method("stop", ":true") + duration("transient")
BROKEN = method("start", "sh -c 'exit 95'") + method("stop", ":true") + duration("transient")


def starts(host: Target, name: str) -> int:
    return host.log(name).count("Executing start method")


def settled(host: Target, *names: str) -> None:
    """None of them is in transition, and no event is left: a refresh of each is through."""
    for name in names:
        host.until(f'[ "`svcprop -p restarter/next_state {fmri(name)}`" = none ]')


def needs(*names: str, grouping: str = "require_all", restart_on: str = "none") -> str:
    return depends("needs", *(fmri(n) for n in names), grouping=grouping, restart_on=restart_on)


# ---- what satisfies a group


@both
@row("DEPEND-ALL-01", "smf(7), require_all")
def test_require_all_waits_for_every_one(host: Target, service: Make) -> None:
    one, two = service(QUIET), service(QUIET)
    host.do(f"svcadm disable {fmri(two)}")
    host.reaches(two, "disabled")
    name = service(needs(one, two) + QUIET)
    host.reaches(name, "offline")
    host.do(f"svcadm enable {fmri(two)}")
    host.reaches(name, "online")


@row("DEPEND-ALL-02", "graph.c, require_all of a degraded instance")
def test_a_degraded_instance_satisfies_like_one_online(host: Target, service: Make) -> None:
    one = service(QUIET.replace(":true", "sh -c 'exit 97'", 1))
    host.reaches(one, "degraded")
    host.reaches(service(needs(one) + QUIET), "online")


@both
@row("DEPEND-ALL-03", "graph.c, absent instance")
def test_require_all_of_an_absent_instance_is_never_satisfied(host: Target, service: Make) -> None:
    name = service(needs("ghost") + QUIET)
    host.reaches(name, "offline")
    assert "absent" in host.do(f"svcs -l {fmri(name)}")


@row("DEPEND-ALL-04", "smf(7), an FMRI of a service")
def test_a_service_is_satisfied_by_any_of_its_instances(host: Target, service: Make) -> None:
    one = service(QUIET)
    host.do(f"svccfg -s {PREFIX}{one} add other")
    host.reaches(service(depends("needs", f"svc:/{PREFIX}{one}") + QUIET), "online")


@both
@row("DEPEND-ANY-01", "smf(7), require_any")
def test_require_any_is_content_with_one(host: Target, service: Make) -> None:
    one = service(QUIET)
    host.reaches(service(needs("ghost", one, grouping="require_any") + QUIET), "online")


@row("DEPEND-ANY-02", "graph.c require_any_satisfied")
def test_an_empty_require_any_is_satisfied(host: Target, service: Make) -> None:
    host.reaches(service(depends("needs", grouping="require_any") + QUIET), "online")


@row("DEPEND-ANY-03", "graph.c require_any_satisfied")
def test_require_any_without_anybody_waits(host: Target, service: Make) -> None:
    host.reaches(service(needs("ghost", "phantom", grouping="require_any") + QUIET), "offline")


@both
@row("DEPEND-OPTIONAL-01", "graph.c optional_all_satisfied")
@pytest.mark.parametrize("why", ["absent", "disabled", "maintenance", "hopeless"])
def test_optional_all_does_not_wait_for_one_that_cannot_come(host: Target, service: Make, why: str) -> None:
    if why == "absent":
        other = "ghost"
    elif why == "maintenance":
        other = service(BROKEN)
        host.reaches(other, "maintenance")
    elif why == "hopeless":
        other = service(needs("ghost") + QUIET)
        host.reaches(other, "offline")
    else:
        other = service(QUIET)
        host.do(f"svcadm disable {fmri(other)}")
        host.reaches(other, "disabled")
    host.reaches(service(needs(other, grouping="optional_all") + QUIET), "online")


@row("DEPEND-OPTIONAL-02", "graph.c optional_all_satisfied")
def test_optional_all_waits_for_one_that_is_starting(host: Target, service: Make) -> None:
    at = folder("optional2")
    slow = method("start", f"sh -c 'while [ ! -f {at} ]; do sleep 0.1; done'") + method("stop", ":true")
    other = service(slow + duration("transient"))
    name = service(needs(other, grouping="optional_all") + QUIET)
    host.until(f'[ "`svcs -Ho state {fmri(other)}`" = "offline*" ]')
    assert host.state(name) == "offline"
    host.do(f"touch {at}")
    host.reaches(name, "online")
    host.do(f"rm {at}")


@both
@row("DEPEND-EXCLUDE-01", "smf(7), exclude_all")
def test_exclude_all_keeps_it_down_while_the_other_runs(host: Target, service: Make) -> None:
    other = service(QUIET)
    host.reaches(other, "online")
    name = service(needs(other, grouping="exclude_all") + QUIET)
    host.reaches(name, "offline")
    host.do(f"svcadm disable {fmri(other)}")
    host.reaches(name, "online")


@row("DEPEND-EXCLUDE-02", "graph.c exclude_all_satisfied")
@pytest.mark.parametrize("state", ["absent", "maintenance"])
def test_exclude_all_is_satisfied_by_what_is_absent_or_in_maintenance(host: Target, service: Make, state: str) -> None:
    other = "ghost"
    if state == "maintenance":
        other = service(BROKEN)
        host.reaches(other, "maintenance")
    host.reaches(service(needs(other, grouping="exclude_all") + QUIET), "online")


@both
@row("DEPEND-FILE-01", "smf(7), file dependencies")
def test_a_file_counts_when_something_asks_for_it(host: Target, service: Make) -> None:
    at = folder("file1")
    name = service(depends("file", f"file://localhost{at}", kind="path") + QUIET)
    host.reaches(name, "offline")
    host.do(f"touch {at}")
    assert host.state(name) == "offline"            # creating it starts nothing
    host.do(f"svcadm refresh {fmri(name)}")
    host.reaches(name, "online")
    host.do(f"rm {at}")


@row("DEPEND-FILE-02", "graph.c file_ready")
def test_exclude_all_of_a_file_wants_it_absent(host: Target, service: Make) -> None:
    at = folder("file2")
    host.do(f"touch {at}")
    name = service(depends("file", f"file://localhost{at}", grouping="exclude_all", kind="path") + QUIET)
    host.reaches(name, "offline")
    host.do(f"rm {at}; svcadm refresh {fmri(name)}")
    host.reaches(name, "online")


@both
@row("DEPEND-CYCLE-01", "graph.c, dependency cycles")
def test_who_closes_a_cycle_goes_to_maintenance(host: Target, service: Make) -> None:
    two = f"{service(QUIET)}x"
    one = service(needs(two) + QUIET)
    service(needs(one) + QUIET, two)
    host.reaches(two, "maintenance")
    assert host.do(f"svcprop -p restarter/auxiliary_state {fmri(two)}") == "dependency_cycle\n"


@row("DEPEND-CYCLE-02", "graph.c, exclude_all makes no cycle")
def test_two_that_exclude_each_other_are_no_cycle(host: Target, service: Make) -> None:
    two = f"{service(QUIET)}x"
    one = service(needs(two, grouping="exclude_all") + QUIET)
    host.reaches(one, "online")
    service(needs(one, grouping="exclude_all") + QUIET, two)
    host.reaches(two, "offline")


@row("DEPEND-INVALID-01", "graph.c, invalid_dependency")
def test_an_fmri_that_is_none_is_maintenance(host: Target, service: Make) -> None:
    name = service(QUIET)
    lines = ["addpg bad dependency",
             "setprop bad/type = astring: service", "setprop bad/grouping = astring: require_all",
             "setprop bad/restart_on = astring: none", "setprop bad/entities = fmri: svc:/no//name"]
    host.do(f"svccfg <<!\nselect {fmri(name)}\n" + "\n".join(lines) + "\n!")
    host.do(f"svcadm refresh {fmri(name)}")
    host.reaches(name, "maintenance")
    assert host.do(f"svcprop -p restarter/auxiliary_state {fmri(name)}") == "invalid_dependency\n"


# ---- who stops with whom


def stop_provider(host: Target, name: str, cause: str) -> None:
    old = host.do(f"svcprop -p restarter/contract {fmri(name)}").strip()
    if cause in ("signal", "core"):
        number = {"signal": "KILL", "core": "ABRT"}[cause]
        host.do(f"kill -{number} `svcs -Hp {fmri(name)} | sed 1d | awk '{{ print $2 }}'` || :")
    elif cause == "exit":
        host.do(f"touch {folder(name)}")
    else:
        host.do(f"svcadm {cause} {fmri(name)}")
    if cause == "refresh":
        host.until(f"grep 'Rereading configuration' `svcs -L {fmri(name)}`")
    else:
        host.until(f'[ "`svcprop -p restarter/contract {fmri(name)}`" != "{old}" ]')
    host.reaches(name, "online")


REACH = {"none": [], "error": ["signal", "core"], "restart": ["signal", "core", "exit", "restart"],
         "refresh": ["signal", "core", "exit", "restart", "refresh"]}


@row("DEPEND-RESTART-01", "smf(7), restart_on; graph.c propagate_stop")
@pytest.mark.parametrize("cause", ["signal", "core", "exit", "restart", "refresh"])
def test_each_cause_restarts_the_dependents_that_asked_for_it(host: Target, service: Make, cause: str) -> None:
    one = f"{service(QUIET)}p"
    until_told = f"sh -c 'rm -f {folder(one)}; until test -f {folder(one)}; do sleep 0.1; done'"
    service(daemon().replace("sleep 100000", until_told), one)
    host.reaches(one, "online")
    names = {on: service(needs(one, restart_on=on) + daemon()) for on in REACH}
    for name in names.values():
        host.reaches(name, "online")
    stop_provider(host, one, cause)
    expected = {on: 2 if cause in reach else 1 for on, reach in REACH.items()}
    for on, name in names.items():
        if expected[on] == 2:
            host.until(f"[ `grep -c 'Executing start' \\`svcs -L {fmri(name)}\\`` -eq 2 ]")
        host.reaches(name, "online")
    assert {on: starts(host, name) for on, name in names.items()} == expected
    host.do(f"rm -f {folder(one)}")


@both
@row("DEPEND-DISABLE-01", "graph.c, disable takes dependents down first")
def test_a_disable_stops_the_leaves_first(host: Target, service: Make) -> None:
    at = folder("order")
    noted = method("start", ":true") + method("stop", f"sh -c 'echo %s >>{at}'") + duration("transient")
    one = service(noted)
    two = service(needs(one, restart_on="restart") + noted)
    three = service(needs(two, restart_on="refresh") + noted)
    host.reaches(three, "online")
    host.do(f"svcadm disable {fmri(one)}")
    host.reaches(one, "disabled")
    assert host.do(f"cat {at}; rm {at}").split() == [f"{PREFIX}{n}" for n in (three, two, one)]
    assert host.state(two) == host.state(three) == "offline"


@both
@row("DEPEND-DISABLE-02", "graph.c, restart_on none and error")
@pytest.mark.parametrize("restart_on", ["none", "error"])
def test_a_disable_leaves_dependents_with_none_or_error_up(host: Target, service: Make, restart_on: str) -> None:
    one = service(daemon())
    name = service(needs(one, restart_on=restart_on) + daemon())
    host.reaches(name, "online")
    host.do(f"svcadm disable {fmri(one)}")
    host.reaches(one, "disabled")
    assert host.state(name) == "online"
    host.do(f"svcadm restart {fmri(name)}")         # and cannot come back once stopped
    host.reaches(name, "offline")


@row("DEPEND-MAINT-01", "graph.c, failure to maintenance")
def test_a_provider_that_fails_to_maintenance_is_an_error_for_dependents(host: Target, service: Make) -> None:
    one = service(daemon() + method("refresh", "sh -c 'exit 95'"))
    name = service(needs(one, restart_on="error") + daemon())
    host.reaches(name, "online")
    host.do(f"svcadm refresh {fmri(one)}")
    host.reaches(one, "maintenance")
    host.reaches(name, "offline")


@row("DEPEND-MAINT-02", "restarter.c maintain_instance, RERR_RESTART")
def test_a_mark_by_an_administrator_is_no_error_for_dependents(host: Target, service: Make) -> None:
    one = service(daemon())
    calm, nervous = (service(needs(one, restart_on=on) + daemon()) for on in ("error", "restart"))
    for name in (calm, nervous):
        host.reaches(name, "online")
    host.do(f"svcadm mark maintenance {fmri(one)}")
    host.reaches(nervous, "offline")
    assert host.state(calm) == "online"


@row("DEPEND-ANY-04", "graph.c propagate_stop, require_any")
def test_with_require_any_it_restarts_on_the_other_provider(host: Target, service: Make) -> None:
    one, two = service(daemon()), service(daemon())
    name = service(needs(one, two, grouping="require_any", restart_on="restart") + daemon())
    host.reaches(one, "online")
    host.reaches(two, "online")
    host.reaches(name, "online")
    before = starts(host, name)
    host.do(f"svcadm disable {fmri(one)}")
    host.until(f"[ `grep -c 'Executing start' \\`svcs -L {fmri(name)}\\`` -gt {before} ]")
    host.reaches(name, "online")


@row("DEPEND-OPTIONAL-03", "graph.c, optional_all with restart")
def test_with_optional_all_it_goes_down_with_the_other_and_comes_back_without(host: Target, service: Make) -> None:
    one = service(daemon())
    name = service(needs(one, grouping="optional_all", restart_on="restart") + daemon())
    host.reaches(one, "online")
    host.reaches(name, "online")
    before = starts(host, name)
    host.do(f"svcadm disable {fmri(one)}")
    host.until(f"[ `grep -c 'Executing start' \\`svcs -L {fmri(name)}\\`` -gt {before} ]")
    host.reaches(name, "online")
    host.reaches(one, "disabled")


@both
@row("DEPEND-DELETE-01", "svccfg(8), delete -f; graph.c")
def test_a_deleted_provider_restarts_its_dependents_and_its_processes_live_on(host: Target, service: Make) -> None:
    one = service(daemon())
    name = service(needs(one, restart_on="restart") + daemon())
    host.reaches(name, "online")
    pid = host.do(f"svcs -Hp {fmri(one)}").split("\n")[1].split()[1]
    host.do(f"svccfg delete -f {fmri(one)}")
    host.reaches(name, "offline")
    host.fails(f"svcs -H {fmri(one)}")
    host.do(f"kill -9 {pid}")


@row("DEPEND-ORDER-01", "graph.c, start order")
def test_dependents_start_after_what_they_need_even_when_all_are_enabled_at_once(host: Target, service: Make) -> None:
    at = folder("started")
    noted = method("start", f"sh -c 'echo %s >>{at}'") + method("stop", ":true") + duration("transient")
    chain: List[str] = []
    for _ in range(4):
        chain.append(service((needs(chain[-1]) if chain else "") + noted))
    host.reaches(chain[-1], "online")
    for name in chain:
        host.do(f"svcadm disable {fmri(name)}")
    for name in chain:
        host.reaches(name, "disabled")
    host.do(f"rm {at}")
    host.do("svcadm enable " + " ".join(fmri(n) for n in reversed(chain)))
    host.reaches(chain[-1], "online")
    assert host.do(f"cat {at}; rm {at}").split() == [f"{PREFIX}{n}" for n in chain]
