"""The daemon of one running zone: gives birth to its init, waits for it, tidies up after it.

The init of a zone is its own svc.startd in nested namespaces. It ends by SIGHUP when the zone reboots itself
(reboot(2) in a pid namespace), by anything else when the zone is halted.
"""
import os
import signal
import sys
import time
from typing import List

from sunlab import linux
from sunlab.zones import assembly, registry

CONTRACTS = "/system/contract"
BOOT = ("import sys; sys.path.insert(0, '/usr/lib/sunlab/lib'); from sunlab.smf import startd; "
        "startd.run(zone=sys.argv[1])")
_SHARED = linux.CLONE_NEWNS | linux.CLONE_NEWUTS | linux.CLONE_NEWIPC | linux.CLONE_NEWPID


class ZoneBroken(Exception):
    """The zone cannot run; the text says why."""


def cgroup(zone: str) -> str:
    return f"{CONTRACTS}/zone.{zone}"


def boot(zone: str, zonepath: str, exclusive: bool, filesystems: List[List[str]]) -> None:
    """Start the zone's daemon; returns when its init runs. Raises ZoneBroken."""
    heard, tell = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(heard)
        _become_daemon(tell)
        try:
            _run(zone, zonepath, exclusive, filesystems, tell)
        except BaseException as problem:
            os.write(tell, str(problem).encode() or b"zoneadmd failed")
            os._exit(1)
        os._exit(0)
    os.close(tell)
    os.waitpid(child, 0)
    with os.fdopen(heard, "rb") as pipe:
        said = pipe.read().decode()
    if said != "running":
        raise ZoneBroken(said or "zoneadmd died")


def _become_daemon(keep: int) -> None:
    os.setsid()
    if os.fork():
        os._exit(0)
    null = os.open("/dev/null", os.O_RDWR)
    for descriptor in (0, 1):
        os.dup2(null, descriptor)
    log = os.open("/var/log/zoneadmd.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(log, 2)
    for descriptor in range(3, 64):
        if descriptor != keep:
            try:
                os.close(descriptor)
            except OSError:
                pass


def _run(zone: str, zonepath: str, exclusive: bool, filesystems: List[List[str]], tell: int) -> None:
    group = cgroup(zone)
    for folder in (group, f"{group}/init", f"{group}/contracts"):
        os.makedirs(folder, exist_ok=True)
    with open(f"{group}/init/cgroup.procs", "w") as file:
        file.write("0")
    number = registry.next_number()
    while True:
        middle, init = _birth(zone, zonepath, exclusive, filesystems, tell)
        with open(f"{registry.RUN}/{zone}.new", "w") as file:
            file.write(f"{number} {init} {os.getpid()}\n")
        os.replace(f"{registry.RUN}/{zone}.new", f"{registry.RUN}/{zone}")
        if tell >= 0:
            os.write(tell, b"running")
            os.close(tell)
            tell = -1
        _, status = os.waitpid(middle, 0)
        if os.waitstatus_to_exitcode(status) != signal.SIGHUP:
            break
    _tidy(group)
    os.unlink(f"{registry.RUN}/{zone}")


def _birth(zone: str, zonepath: str, exclusive: bool, filesystems: List[List[str]],
           not_for_it: int) -> "tuple[int, int]":
    """The pids of the process that waits for the init, and of the init, which has reached its own program.

    `not_for_it`: a descriptor that must end with us (-1: none).
    """
    heard, tell = os.pipe()
    middle = os.fork()
    if middle == 0:
        try:
            os.close(heard)
            if not_for_it >= 0:
                os.close(not_for_it)
            linux.unshare(_SHARED | (linux.CLONE_NEWNET if exclusive else 0))
            child = os.fork()
            if child == 0:
                _init(zone, zonepath, filesystems, tell)
            os.write(tell, f"{child}\n".encode())
            os.close(tell)
            _, status = os.waitpid(child, 0)
            os._exit(os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0)
        except BaseException as problem:
            os.write(tell, f"0\n{problem}".encode())
        os._exit(1)
    os.close(tell)
    with os.fdopen(heard, "rb") as pipe:
        pid, _, trouble = pipe.read().decode().partition("\n")
    if trouble or not pid or pid == "0":
        raise ZoneBroken(trouble or "the zone's init was not born")
    return middle, int(pid)


def _init(zone: str, zonepath: str, filesystems: List[List[str]], tell: int) -> None:
    """Process 1 of the zone. `tell` closes when its program is reached."""
    try:
        assembly.enter(zonepath, f"{cgroup(zone)}/contracts", zone, filesystems)
        os.makedirs("/run/svc", exist_ok=True)
        os.execve("/usr/bin/python3", ["svc.startd", "-IS", "-c", BOOT, zone],
                  {"PATH": "/usr/sbin:/usr/bin", "LC_ALL": "C", "HOME": "/root"})
    except BaseException as problem:
        os.write(tell, f"\n{problem}".encode())
    os._exit(1)


def _tidy(group: str) -> None:
    """The zone's control groups go as soon as the last of its processes has been reaped."""
    with open("/system/contract/cgroup.procs" if os.path.exists("/system/contract/cgroup.procs") else "/dev/null",
              "w") as file:
        file.write("0")
    deadline = time.monotonic() + 5
    for folder, _, _ in sorted(os.walk(group), key=lambda entry: len(entry[0]), reverse=True):
        while os.path.isdir(folder):
            try:
                os.rmdir(folder)
            except OSError as problem:
                if time.monotonic() > deadline:
                    sys.stderr.write(f"zoneadmd: {problem}\n")
                    return
                time.sleep(0.002)


def halt(zone: str, within_s: float = 10.0) -> None:
    """Kill the zone's init, and so everything in it; returns when its daemon has tidied up. Raises ZoneBroken."""
    at = registry.running(zone)
    if at is None:
        return
    os.kill(at.init, signal.SIGKILL)
    deadline = time.monotonic() + within_s
    while registry.running(zone) is not None:
        if time.monotonic() > deadline:
            raise ZoneBroken(f"the zone did not end within {within_s:g} s")
        time.sleep(0.002)
