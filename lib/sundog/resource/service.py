"""service: an SMF service of the host itself, which the group switches on and off."""
import time
from typing import List, NamedTuple

from sundog.config.fields import Fmri
from sundog.errors import ConfigProblem, SundogError
from sundog.resource.terms import Condition, Permit, Problem, State
from sundog.solaris import smf
from sundog.solaris.host import Host

#: Longer than any method of the service should take; the resource's own method has 600 s.
WITHIN_S = 570.0
PAUSES_S = (0.02, 0.05, 0.1, 0.2)
RUNNING = (smf.ONLINE, smf.DEGRADED)


class ServiceFailed(SundogError):
    """The service went into maintenance, or did not get where it should in time."""


class Params(NamedTuple):
    fmri: Fmri


def start(host: Host, p: Params, permit: Permit) -> None:
    """Enable the service until the next boot and wait until it is online. Raises ConfigProblem, ServiceFailed."""
    if not settled(seen(host, p), *RUNNING):
        smf.enable(host.run, [p.fmri])
        wait(host, p, *RUNNING)


def stop(host: Host, p: Params) -> None:
    """Disable the service until the next boot and wait until it is. Raises ServiceFailed."""
    present = smf.states(host.run, p.fmri).get(p.fmri)
    if present is not None and not settled(present, smf.DISABLED):
        smf.disable(host.run, [p.fmri])
        wait(host, p, smf.DISABLED)


def seen(host: Host, p: Params) -> smf.Seen:
    present = smf.states(host.run, p.fmri).get(p.fmri)
    if present is None:
        raise ConfigProblem(f"there is no service {p.fmri} on this host",
                            "install it, or correct its name: svcs -a -H -o FMRI")
    return present


def settled(present: smf.Seen, *states: str) -> bool:
    return present.state in states and not present.moving


def wait(host: Host, p: Params, *states: str) -> None:
    deadline = time.monotonic() + WITHIN_S
    looks = 0
    present = seen(host, p)
    while not settled(present, *states):
        # A service that was in maintenance when it was disabled leaves it on its way to disabled.
        stuck = settled(present, smf.MAINTENANCE) and (smf.DISABLED not in states or looks >= len(PAUSES_S))
        if stuck or time.monotonic() > deadline:
            raise ServiceFailed(f"service {p.fmri} is {present.state}, not {states[0]}", f"svcs -x {p.fmri}")
        time.sleep(PAUSES_S[min(looks, len(PAUSES_S) - 1)])
        looks += 1
        present = seen(host, p)


def probe(host: Host, p: Params) -> State:
    present = smf.states(host.run, p.fmri).get(p.fmri)
    if present is None:
        return State(Condition.FAILED, "there is no such service on this host")
    known = {smf.ONLINE: Condition.ONLINE, smf.DEGRADED: Condition.ONLINE, smf.DISABLED: Condition.OFFLINE,
             smf.MAINTENANCE: Condition.FAILED}
    if present.moving:
        return State(Condition.UNKNOWN, f"{present.state}, on its way to {present.next_state}")
    return State(known.get(present.state, Condition.UNKNOWN), present.state)


def preflight(host: Host, p: Params) -> List[Problem]:
    """Is the service there, and will the host not start it on its own?"""
    present = smf.states(host.run, p.fmri).get(p.fmri)
    if present is None:
        return [Problem(f"there is no service {p.fmri} on this host", "install it, or correct its name")]
    if smf.values(host.run, p.fmri, "general/enabled", current=True) == "true":
        return [Problem(f"service {p.fmri} is enabled on this host for ever, so it runs here without its group",
                        f"svcadm disable {p.fmri}")]
    return []
