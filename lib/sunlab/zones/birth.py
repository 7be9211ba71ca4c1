"""Processes born into a control group, into fresh namespaces or into a running zone: clone3(2), setns(2)."""
from __future__ import annotations

import ctypes
import os
import signal
from _struct import pack

NEWNS, NEWUTS, NEWIPC, NEWPID, NEWNET = 0x00020000, 0x04000000, 0x08000000, 0x20000000, 0x40000000
INTO_CGROUP = 0x200000000
CLONE3 = 435                    # the same on every architecture
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin", "HOME": "/root", "SHELL": "/usr/bin/bash", "LC_ALL": "C"}
_libc = ctypes.PyDLL(None, use_errno=True)


def fork_into(group: str, namespaces: int = 0) -> int:
    """fork(2) whose child is in the control group `group` and in new `namespaces` from its first instruction.

    Moving a process later costs a grace period of the kernel. Returns as fork does. Raises OSError.
    """
    descriptor = os.open(group, os.O_RDONLY | os.O_DIRECTORY)
    try:
        arguments = pack("=11Q", INTO_CGROUP | namespaces, 0, 0, 0, signal.SIGCHLD, 0, 0, 0, 0, 0, descriptor)
        pid = int(_libc.syscall(CLONE3, arguments, len(arguments)))
    finally:
        os.close(descriptor)
    if pid < 0:
        raise OSError(ctypes.get_errno(), f"clone3 into {group}: {os.strerror(ctypes.get_errno())}")
    return pid


def join(process: int, namespaces: int) -> None:
    """Enter those namespaces of a process, given by its pidfd (NEWPID: our children will be there). Raises OSError."""
    if _libc.setns(process, namespaces) != 0:
        raise OSError(ctypes.get_errno(), f"setns: {os.strerror(ctypes.get_errno())}")


def run_in(init: int, group: str, argv: list[str], environment: dict[str, str]) -> int:
    """Run a program in the zone whose init is `init`, and wait; its exit status, 128 + signal when it was killed.

    Only the child is in the zone's mounts, so nothing keeps them once the zone is dead. Raises OSError.
    """
    process = os.pidfd_open(init)
    join(process, NEWPID)
    pid = fork_into(group)
    if pid == 0:
        try:
            join(process, NEWNS | NEWUTS | NEWIPC | NEWNET)
            os.chdir("/")
            os.execvpe(argv[0], argv, environment)
        except OSError as failed:
            os.write(2, f"{argv[0]}: {failed.strerror}\n".encode())
        finally:
            os._exit(127)
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code
