"""The daemon of one running zone: gives birth to its init, waits for it, tidies up after it.

The init of a zone is its own svc.startd in nested namespaces. It ends by SIGHUP when the zone reboots itself
(reboot(2) in a pid namespace), by anything else when the zone is halted.
"""
from __future__ import annotations

import os
import select
import signal
import sys
import time

from sunlab.net import objects
from sunlab.zones import registry

CONTRACTS = "/system/contract"
OWN = f"{CONTRACTS}/zoneadmd"           # the daemons' control group: not the contract of whoever called zoneadm
LOG = "/var/log/zoneadmd.log"
BOOT = ("import sys; sys.path.insert(0, '/usr/lib/sunlab/lib'); from sunlab.smf import startd; "
        "startd.run(zone=sys.argv[1])")
PATIENCE_S = 10.0


class ZoneBroken(Exception):
    """The zone cannot run or cannot end; the text says why."""


class Birth:
    """What a zone is started from. `addresses`: (interface, address) pairs that end with the zone."""

    def __init__(self, zone: str, zonepath: str, filesystems: list[dict[str, str]],
                 addresses: list[tuple[str, str]]) -> None:
        self.zone, self.zonepath, self.filesystems, self.addresses = zone, zonepath, filesystems, addresses


def group(zone: str, part: str = "") -> str:
    """The zone's control group, or its `init` or `contracts`."""
    return f"{CONTRACTS}/zone.{zone}/{part}".rstrip("/")


def boot(birth: Birth) -> None:
    """Start the zone's daemon; returns when its init runs. Raises ZoneBroken."""
    from sunlab.zones import birth as processes
    for folder in (OWN, group(birth.zone, "init"), group(birth.zone, "contracts"), registry.RUN):
        os.makedirs(folder, exist_ok=True)
    heard, tell = os.pipe()
    if processes.fork_into(OWN) == 0:
        status = 1
        try:
            _become_daemon(tell)
            _serve(birth, tell)
            status = 0
        except (OSError, ZoneBroken) as problem:
            sys.stderr.write(f"zone '{birth.zone}': {problem}\n")
            sys.stderr.flush()
            os.write(tell, str(problem).encode())
        finally:
            os._exit(status)
    os.close(tell)
    with os.fdopen(heard, "rb") as pipe:
        said = pipe.read().decode()
    if said != "running":
        raise ZoneBroken(said or f"zoneadmd died; see {LOG}")


def _become_daemon(tell: int) -> None:
    """Own session, output to the log, nothing inherited but `tell`."""
    os.setsid()
    os.chdir("/")
    null = os.open("/dev/null", os.O_RDWR)
    log = os.open(LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for descriptor, source in ((0, null), (1, null), (2, log)):
        os.dup2(source, descriptor)
    os.closerange(3, tell)
    os.closerange(tell + 1, 256)


def _serve(birth: Birth, tell: int) -> None:
    number = registry.next_number()
    try:
        while True:
            init = _give_birth(birth)
            registry.replace(f"{registry.RUN}/{birth.zone}", f"{number} {init} {os.getpid()}\n")
            if tell >= 0:
                os.write(tell, b"running")
                os.close(tell)
                tell = -1
            _, status = os.waitpid(init, 0)
            if not os.WIFSIGNALED(status) or os.WTERMSIG(status) != signal.SIGHUP:
                return
            number = registry.next_number()
    finally:
        tidy(birth.zone, birth.addresses)


def _give_birth(birth: Birth) -> int:
    """The pid of the zone's init, which has reached its own program. Raises ZoneBroken."""
    from sunlab.zones import assembly
    from sunlab.zones import birth as processes
    heard, tell = os.pipe()         # closed by exec: the end of the file means that all went well
    namespaces = processes.NEWNS | processes.NEWUTS | processes.NEWIPC | processes.NEWPID
    init = processes.fork_into(group(birth.zone, "init"), namespaces)
    if init == 0:
        try:
            assembly.enter(birth.zonepath, group(birth.zone, "contracts"), birth.zone, birth.filesystems)
            os.mkdir("/run/svc")
            os.execve("/usr/bin/python3", ["svc.startd", "-IS", "-c", BOOT, birth.zone], processes.ENVIRONMENT)
        except OSError as problem:
            os.write(tell, str(problem).encode())
        finally:
            os._exit(1)
    os.close(tell)
    with os.fdopen(heard, "rb") as pipe:
        trouble = pipe.read().decode()
    if trouble:
        os.waitpid(init, 0)
        raise ZoneBroken(trouble)
    return init


def tidy(zone: str, addresses: list[tuple[str, str]]) -> None:
    """After the zone's last process: its addresses, its control groups and its run file go. Raises ZoneBroken."""
    present = objects.links() if addresses else {}
    for interface, address in addresses:
        if interface in present:
            objects.take_down(present[interface], address)
    deadline = time.monotonic() + PATIENCE_S
    for folder, _, _ in sorted(os.walk(group(zone)), key=lambda entry: len(entry[0]), reverse=True):
        while True:
            try:
                os.rmdir(folder)
                break
            except FileNotFoundError:
                break
            except OSError as busy:     # a process that is dead but not yet counted out
                if time.monotonic() > deadline:
                    raise ZoneBroken(f"{folder}: {busy.strerror}") from busy
                time.sleep(0.001)
    if os.path.exists(f"{registry.RUN}/{zone}"):
        os.unlink(f"{registry.RUN}/{zone}")


def halt(zone: str, addresses: list[tuple[str, str]]) -> None:
    """Kill the zone's init, and so everything in it; returns when its daemon has tidied up. Raises ZoneBroken."""
    at = registry.running(zone)
    if at is None:
        return
    ends = [ended for ended in map(_watch, (at.daemon, at.init)) if ended >= 0]
    os.kill(at.init, signal.SIGKILL)
    deadline = time.monotonic() + PATIENCE_S
    for ended in ends:
        if not select.select([ended], [], [], max(0.0, deadline - time.monotonic()))[0]:
            raise ZoneBroken(f"the zone did not end within {PATIENCE_S:g} s")
        os.close(ended)
    if os.path.exists(f"{registry.RUN}/{zone}"):
        tidy(zone, addresses)           # its daemon had died before


def _watch(pid: int) -> int:
    """A descriptor that becomes readable when the process has ended; -1 if it has."""
    try:
        return os.pidfd_open(pid)
    except ProcessLookupError:
        return -1


def add_addresses(zone: str, nets: list[dict[str, str]]) -> list[tuple[str, str]]:
    """Bring up a shared-IP zone's addresses; those that are up. One in use elsewhere is left out with a warning."""
    present, found = objects.links(), []
    for net in nets:
        address, _, prefix = net["address"].partition("/")
        bits = int(prefix or (128 if ":" in address else 32))
        interface = net["physical"]
        if interface not in present:
            sys.stderr.write(f"zone '{zone}': WARNING: {interface}: no such interface\n")
        elif objects.bring_up(present[interface], address, bits) == "ok":
            found.append((interface, address))
        else:
            sys.stderr.write(f"zone '{zone}': WARNING: {interface}: {address} is in use by another machine\n")
    return found
