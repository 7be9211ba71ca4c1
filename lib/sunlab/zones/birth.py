"""Processes born into a control group, into fresh namespaces or into a running zone: clone3(2), setns(2)."""
from __future__ import annotations

import ctypes
import os
import signal
from _struct import pack

from sunlab.zones.login import Login

NEWNS, NEWUTS, NEWIPC, NEWPID, NEWNET = 0x00020000, 0x04000000, 0x08000000, 0x20000000, 0x40000000
INTO_CGROUP = 0x200000000
CLONE3 = 435                    # the same on every architecture
PATH = "/usr/sbin:/usr/bin"
ENVIRONMENT = {"PATH": PATH, "HOME": "/root", "SHELL": "/usr/bin/bash", "LC_ALL": "C"}
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


def run_in(init: int, group: str, login: Login) -> int:
    """Run a program in the zone whose init is `init`, and wait; its wait status. Raises OSError.

    Only the child is in the zone's mounts, so nothing keeps them once the zone is dead.
    """
    _, status = os.waitpid(begin_in(init, group, login), 0)
    return status


def begin_in(init: int, group: str, login: Login, terminal: str = "") -> int:
    """The same without waiting; the child's pid. `terminal`: the zone's name of the one that it gets."""
    process = os.pidfd_open(init)
    join(process, NEWPID)
    pid = fork_into(group)
    if pid == 0:
        try:
            join(process, NEWNS | NEWUTS | NEWIPC | NEWNET)
            if terminal:
                _take(terminal)
            login.become()
        except OSError as failed:
            os.write(2, f"{failed.filename or 'zlogin'}: {failed.strerror}\n".encode())
        finally:
            os._exit(127)
    os.close(process)
    return pid


def _take(terminal: str) -> None:
    """Make it our controlling terminal and all three of our descriptors."""
    os.setsid()
    descriptor = os.open(terminal, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(descriptor, number)
    os.close(descriptor)


def open_terminal(init: int) -> tuple[int, int, str]:
    """A new pseudo-terminal of the zone: its two ends, and the zone's name of the second. Raises OSError."""
    import array
    import socket
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    process = os.pidfd_open(init)
    child = os.fork()
    if child == 0:
        try:
            join(process, NEWNS)
            master, slave = os.openpty()
            theirs.sendmsg([os.ttyname(slave).encode()],
                           [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [master, slave]))])
        finally:
            os._exit(0)
    theirs.close()
    name, rights, _, _ = ours.recvmsg(256, socket.CMSG_SPACE(8))
    os.waitpid(child, 0)
    os.close(process)
    if not rights:
        raise OSError(5, "failed to obtain a pseudo-tty")
    master, slave = array.array("i", rights[0][2][:8])
    for descriptor in (master, slave):          # what is passed is inherited, unlike what is opened
        os.set_inheritable(descriptor, False)
    return master, slave, name.decode()
