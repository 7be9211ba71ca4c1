"""The SMF instance that each zone of a Solaris 11.4 host has, svc:/system/zones/zone:NAME: enabled is booted.

Instances follow what zoneadm does, temporarily. The restarter svc.zones is not modelled: svc.startd runs them, by the
method zone-instance; online means that the zone's multi-user-server milestone is.
"""
from __future__ import annotations

import os
import time

from sunlab.platform import here
from sunlab.smf import client
from sunlab.zones.registry import RUN

FOLLOW_S = 20.0
MANIFEST = """<?xml version="1.0"?>
<!DOCTYPE service_bundle SYSTEM "/usr/share/lib/xml/dtd/service_bundle.dtd.1">
<service_bundle type='manifest' name='zone'>
<service name='system/zones/zone' type='service' version='1'>
<instance name='{zone}' enabled='false'>
<dependency name='multi-user-server' grouping='require_all' restart_on='none' type='service'>
<service_fmri value='svc:/milestone/multi-user-server'/></dependency>
<exec_method type='method' name='start' exec='/lib/svc/method/zone-instance start' timeout_seconds='0'/>
<exec_method type='method' name='stop' exec='/lib/svc/method/zone-instance stop' timeout_seconds='100'/>
<property_group name='startd' type='framework'>
<propval name='duration' type='astring' value='transient'/></property_group>
</instance>
<template><common_name><loctext xml:lang='C'>Zone</loctext></common_name></template>
</service>
</service_bundle>
"""


def fmri(zone: str) -> str:
    return f"svc:/system/zones/zone:{zone}"


def told_by_itself(zone: str) -> bool:
    """Is it the instance's own method that runs zoneadm?"""
    return os.environ.get("SMF_FMRI") == fmri(zone)


def flag(zone: str) -> str:
    """While it is there, the instance's methods leave the zone alone."""
    return f"{RUN}/{zone}.followed"


def state(zone: str) -> list[str]:
    """Its state and next state; empty where there is no such instance."""
    answer = client.call("svcs", ["-H", "-o", "state,nstate", fmri(zone)]) or []
    return [word for key, text in answer if key == "out" for word in text.split()]


def add(zone: str) -> None:
    """For a zone that has just been configured."""
    if not here().zone_instances or state(zone):
        return
    os.makedirs(RUN, exist_ok=True)
    path = f"{RUN}/{zone}.instance.xml"
    with open(path, "w") as file:
        file.write(MANIFEST.format(zone=zone))
    client.call("svccfg", ["import", path])
    os.unlink(path)


def remove(zone: str) -> None:
    if here().zone_instances and state(zone):
        client.call("svccfg", ["delete", "-f", fmri(zone)])


def booted(zone: str) -> None:
    """zoneadm has booted the zone: the instance comes online when the zone's services are up."""
    if here().zone_instances and not told_by_itself(zone):
        client.call("svcadm", ["enable", "-t", fmri(zone)])


class Halting:
    """While zoneadm ends a zone the instance's methods do nothing; afterwards it is disabled, until the next boot."""

    def __init__(self, zone: str) -> None:
        self.zone = zone
        self.follows = here().zone_instances and not told_by_itself(zone) and bool(state(zone))

    def __enter__(self) -> None:
        if self.follows:
            with open(flag(self.zone), "w"):
                pass

    def __exit__(self, kind: object, *_: object) -> None:
        if not self.follows:
            return
        if kind is None:
            client.call("svcadm", ["disable", "-t", fmri(self.zone)])
            deadline = time.monotonic() + FOLLOW_S
            while state(self.zone) not in (["disabled", "-"], ["maintenance", "-"]) and time.monotonic() < deadline:
                time.sleep(0.005)
        os.unlink(flag(self.zone))


def ended(zone: str) -> None:
    """The zone has ended by itself."""
    if here().zone_instances:
        client.call("svcadm", ["disable", "-t", fmri(zone)])
