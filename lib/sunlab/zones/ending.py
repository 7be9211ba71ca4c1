"""The orderly end of a zone, by its run level 0: every service stops, dependents first; a guest hears SIGTERM."""
from __future__ import annotations

import os
import signal
import time

from sunlab.zones import config, registry


def orderly(zone: str, within_s: float) -> bool:
    """Has the zone stopped its services and halted itself in time?"""
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


def coming_down(door: str) -> bool:
    """Has the zone's svc.startd been told? Not if it is not up yet."""
    from sunlab.smf import client
    try:
        return client.call("init", ["0"], door=door) is not None
    except OSError:
        return True                     # it was so quick that it had no time to answer


def services(zone: str, within_s: float) -> bool:
    """As `init 0` in the zone."""
    from sunlab import zones
    deadline, told = time.monotonic() + within_s, False
    while True:
        try:
            door = zones.door(zone)
        except LookupError:
            return True                 # it has ended
        told = told or coming_down(door)
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
