"""The SMF instance that each installed zone of a Solaris 11.4 host has, svc:/system/zones/zone:NAME (svc.zones(8)).

It comes with install, attach and clone and goes with uninstall and detach; svc:/system/zones:default is its restarter.
"""
from __future__ import annotations

import os

from sunlab.platform import here
from sunlab.smf import client
from sunlab.zones import config
from sunlab.zones.registry import RUN, announce, running

RESTARTER = "svc:/system/zones:default"
SERVICE = "svc:/system/zones/zone"
MANIFEST = """<?xml version="1.0"?>
<!DOCTYPE service_bundle SYSTEM "/usr/share/lib/xml/dtd/service_bundle.dtd.1">
<service_bundle type='manifest' name='zone'>
<service name='system/zones/zone' type='service' version='1'>
<instance name='{zone}' enabled='false'>
<restarter><service_fmri value='{restarter}'/></restarter>
{dependencies}</instance>
<template><common_name><loctext xml:lang='C'>Zone</loctext></common_name></template>
</service>
</service_bundle>
"""
DEPENDENCY = """<dependency name='{}' grouping='{}' restart_on='none' type='service'>
{}</dependency>
"""


def fmri(zone: str) -> str:
    return f"{SERVICE}:{zone}"


def dependencies(zone: str) -> str:
    """Those of the zone's smf-dependency resources; those of one name are one group."""
    own = config.load(zone)
    groups: dict[str, tuple[str, list[str]]] = {}
    for number, one in enumerate(own.all_of("smf-dependency") if own is not None else ()):
        name = one.get("name") or f"smf-dependency-{number}"
        groups.setdefault(name, (one.get("grouping") or "require_all", []))[1].append(one.get("fmri"))
    return "".join(DEPENDENCY.format(name, grouping, "".join(f"<service_fmri value='{f}'/>\n" for f in entities))
                   for name, (grouping, entities) in groups.items())


def existing() -> list[str]:
    """The zones that have an instance."""
    answer = client.call("svcs", ["-a", "-H", "-o", "inst,svc"]) or []
    rows = [line.split() for key, text in answer if key == "out" for line in text.splitlines()]
    return [row[0] for row in rows if row[1:] == [SERVICE.removeprefix("svc:/")]]


def add(zone: str) -> None:
    """For a zone that has just been installed, or whose dependencies have changed."""
    if not here().zone_instances:
        return
    os.makedirs(RUN, exist_ok=True)
    path = f"{RUN}/{zone}.instance.xml"
    with open(path, "w") as file:
        file.write(MANIFEST.format(zone=zone, restarter=RESTARTER, dependencies=dependencies(zone)))
    client.call("svccfg", ["import", path])
    os.unlink(path)


def remove(zone: str) -> None:
    if here().zone_instances:
        client.call("svccfg", ["delete", "-f", fmri(zone)])


def enabled(zone: str) -> bool:
    """As it is now: general_ovr over general."""
    answer = client.call("svcprop", ["-c", "-p", "general_ovr/enabled", "-p", "general/enabled", fmri(zone)]) or []
    lines = [line for key, text in answer if key == "out" for line in text.splitlines()]
    return lines[:1] == ["true"]


def follow(zone: str, wish: str) -> None:
    """wish: enable or disable, until the next boot."""
    client.call("svcadm", [wish, "-t", fmri(zone)])


class Acting:
    """While this process changes whether a zone runs, svc.zones waits; afterwards the instance follows the zone."""

    def __init__(self, zone: str) -> None:
        self.zone = zone
        self.alone = here().zone_instances and os.environ.get("SVC_ZONES") is None

    def __enter__(self) -> None:
        if self.alone:
            announce(self.zone, f"acting {os.getpid()}")

    def __exit__(self, kind: object, *_: object) -> None:
        if self.alone and kind is None:
            at = running(self.zone)
            follow(self.zone, "enable" if at is not None and at.state == "running" else "disable")
