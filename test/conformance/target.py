"""The host that the conformance cases run on: only what a Solaris host's own commands give.

A lab node, or this very host with --target local. Nothing here knows how the lab works inside.
"""
import os
import subprocess
import time
from pathlib import Path
from typing import NamedTuple, Optional
from xml.sax.saxutils import quoteattr

from sunlab.lab import Lab

PREFIX = "site/conf-"
WITHIN_S = 60.0


class Said(NamedTuple):
    status: int
    out: str
    err: str


class Target:
    """`platform`: illumos or solaris11.4. `zones`: a folder that may hold zonepaths."""
    platform = ""
    zones = "/var/tmp/conf-zones"
    neighbour: Optional[str] = None     # an address of another host on the first link, if there is one
    spare_disk: Optional[str] = None    # a device that may be overwritten

    def run(self, command: str, text: Optional[str] = None) -> Said:
        """A command line for /bin/sh, to its end, in the C locale and without a terminal."""
        raise NotImplementedError

    def second(self) -> "Optional[Target]":
        """Another host that sees the same disks, if there is one."""
        return None

    def put(self, path: str, text: str) -> None:
        """A file with this text."""
        assert self.run(f"cat > {path}", text).status == 0, path

    def do(self, command: str, text: Optional[str] = None) -> str:
        """The same as run, and it must succeed; what it printed."""
        said = self.run(command, text)
        assert said.status == 0, f"{command}: exit {said.status}: {said.err or said.out}"
        return said.out

    def fails(self, command: str, status: int = 1) -> str:
        """It must end with this status; what it said on standard error."""
        said = self.run(command)
        assert said.status == status, f"{command}: exit {said.status}, not {status}: {said.out}{said.err}"
        return said.err

    def until(self, test: str, within_s: float = WITHIN_S) -> None:
        """Wait until the command line `test` succeeds."""
        deadline = time.monotonic() + within_s
        while (said := self.run(test)).status != 0:
            assert time.monotonic() < deadline, f"waited in vain for: {test}\nlast: {said.out}{said.err}"
            time.sleep(0.02)

    # ---- services

    def load(self, name: str, body: str) -> str:
        """Import a service `site/conf-NAME` with one instance, made of the elements `body`; its FMRI."""
        path = f"/var/tmp/conf-{name}.xml"
        self.put(path, manifest(name, body))
        self.do(f"svccfg import {path}")
        return fmri(name)

    def unload(self, name: str) -> None:
        """Stop and delete it, whatever state it is in."""
        self.run(f"svcadm disable {fmri(name)}")
        self.run(f"for i in 1 2 3 4 5 6 7 8 9 10; do [ \"$(svcs -Ho state {fmri(name)})\" = disabled ] && break; "
                 "sleep 0.2; done")
        self.run(f"svccfg delete -f {PREFIX}{name}; rm -f /var/tmp/conf-{name}.xml")

    def reaches(self, name: str, state: str) -> None:
        """Wait until the service rests in that state."""
        self.until(f'[ "`svcprop -t -p restarter/state -p restarter/next_state {fmri(name)} | tr \'\\n\' \' \'`" = '
                   f'"restarter/state astring {state} restarter/next_state astring none " ]')

    def state(self, name: str) -> str:
        return self.do(f"svcs -Ho state {fmri(name)}").strip()

    def log(self, name: str) -> str:
        return self.do(f"cat `svcs -L {fmri(name)}`")


class LabTarget(Target):
    def __init__(self, lab: Lab, node: str, platform: str) -> None:
        self.lab, self.node, self.platform = lab, node, platform
        self.neighbour = "10.86.0.2" if node == "n1" else "10.86.0.1"
        self.spare_disk = "/dev/dsk/c0t1d0s0"

    def run(self, command: str, text: Optional[str] = None) -> Said:
        done = self.lab.exec(self.node, ["/bin/sh", "-c", command], input=text, check=False)
        return Said(done.returncode, done.stdout, done.stderr)


    def second(self) -> "Optional[Target]":
        return LabTarget(self.lab, "n2" if self.node == "n1" else "n1", self.platform)


class LocalTarget(Target):
    """This host. Needs root; touches only services named site/conf-… and files below /var/tmp/conf-…"""

    def __init__(self) -> None:
        version = subprocess.run(["uname", "-v"], capture_output=True, text=True, check=True).stdout
        self.platform = "solaris11.4" if version.startswith("11.4") else "illumos"
        self.spare_disk = os.environ.get("CONF_DISK")
        root = subprocess.run(["zfs", "list", "-H", "-o", "mountpoint"], capture_output=True, text=True, check=False)
        pools = [m for m in root.stdout.split() if m.count("/") == 1 and m != "/"]
        self.zones = f"{pools[0]}/conf-zones" if pools else self.zones

    def run(self, command: str, text: Optional[str] = None) -> Said:
        done = subprocess.run(["/bin/sh", "-c", command], input=text, capture_output=True, text=True, check=False,
                              stdin=None if text is not None else subprocess.DEVNULL,
                              env={"PATH": "/usr/sbin:/usr/bin:/sbin", "LC_ALL": "C"})
        return Said(done.returncode, done.stdout, done.stderr)


# ---- manifests

DAEMON = "sleep 100000 &"


def fmri(name: str, instance: str = "default") -> str:
    return f"svc:/{PREFIX}{name}:{instance}"


def method(name: str, command: str, timeout_s: int = 30, inside: str = "") -> str:
    return (f"<exec_method type='method' name={quoteattr(name)} exec={quoteattr(command)} "
            f"timeout_seconds='{timeout_s}'>{inside}</exec_method>")


def daemon(start: str = DAEMON, stop: str = ":kill") -> str:
    return method("start", start) + method("stop", stop)


def depends(name: str, *entities: str, grouping: str = "require_all", restart_on: str = "none",
            kind: str = "service") -> str:
    found = "".join(f"<service_fmri value={quoteattr(one)}/>" for one in entities)
    return (f"<dependency name='{name}' grouping='{grouping}' restart_on='{restart_on}' type='{kind}'>{found}"
            "</dependency>")


def group(name: str, kind: str = "application", **properties: str) -> str:
    """A property group of strings."""
    found = "".join(f"<propval name='{key}' type='astring' value={quoteattr(value)}/>"
                    for key, value in properties.items())
    return f"<property_group name='{name}' type='{kind}'>{found}</property_group>"


def duration(kind: str) -> str:
    return group("startd", "framework", duration=kind)


def manifest(name: str, body: str, enabled: bool = True) -> str:
    """A whole manifest; dependencies in `body` stand before methods, methods before property groups (the DTD)."""
    return ("<?xml version='1.0'?>\n<!DOCTYPE service_bundle SYSTEM '/usr/share/lib/xml/dtd/service_bundle.dtd.1'>\n"
            f"<service_bundle type='manifest' name='conf-{name}'>\n"
            f"<service name='{PREFIX}{name}' type='service' version='1'>\n"
            f"<create_default_instance enabled='{str(enabled).lower()}'/>\n{body}\n"
            f"<template><common_name><loctext xml:lang='C'>conformance {name}</loctext></common_name></template>\n"
            "</service>\n</service_bundle>\n")


def folder(name: str) -> Path:
    """Where a case of that name may keep files on the host."""
    return Path(f"/var/tmp/conf-{name}.d")
