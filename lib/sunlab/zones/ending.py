"""The orderly end of a zone, as at its run level 0: every service stops, dependents first; a guest hears SIGTERM."""
from __future__ import annotations

import os
import signal
import time

from sunlab.zones import config, registry


def orderly(zone: str, within_s: float) -> bool:
    """Has everything in the zone stopped in time? Its init is left to be ended, but for a guest's."""
    own = config.load(zone)
    if own is not None and own.get("brand") in ("lx", "bhyve"):
        return guest(zone, within_s)
    return services(zone, within_s)


def guest(zone: str, within_s: float) -> bool:
    at, deadline = registry.running(zone), time.monotonic() + within_s
    if at is not None:
        os.kill(at.init, signal.SIGTERM)
    while registry.running(zone) is not None:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


def services(zone: str, within_s: float) -> bool:
    from sunlab import zones
    from sunlab.smf import client
    deadline, told = time.monotonic() + within_s, set[str]()
    while True:
        try:
            answer = client.call("svcs", ["-a", "-H", "-o", "state,nstate,fmri"], door=zones.door(zone))
        except LookupError:
            return True                 # it has ended by itself meanwhile
        rows = [line.split() for key, text in answer or [] if key == "out" for line in text.splitlines()]
        up = [fmri for state, after, fmri in rows if (state in ("online", "degraded") or after != "-")
              and not fmri.startswith("svc:/system/svc/restarter:")]
        if not up:
            return True
        # A zone that still boots: what waits for its dependencies must not come up behind this one's back.
        coming = {fmri for state, _, fmri in rows if state in ("offline", "uninitialized", "-")}
        new = (coming | set(up)) - told
        if new:
            client.call("svcadm", ["disable", "-t", *sorted(new)], door=zones.door(zone))
            told |= new
        elif time.monotonic() > deadline:
            return False
        else:
            time.sleep(0.005)
