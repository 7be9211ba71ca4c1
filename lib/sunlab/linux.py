"""The system calls of Linux that Python's standard library does not offer: namespaces, mounts, reboot.

Sources: unshare(2), setns(2), mount(2), umount2(2), pivot_root(2), reboot(2), sethostname(2).
"""
import ctypes
import os
from contextlib import contextmanager
from typing import Iterator

_libc = ctypes.CDLL(None, use_errno=True)

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWPID, CLONE_NEWNET = (
    0x00020000, 0x04000000, 0x08000000, 0x20000000, 0x40000000)
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT, MS_NOATIME, MS_BIND = 1, 2, 4, 8, 32, 1024, 4096
MS_REC, MS_PRIVATE = 16384, 1 << 18
MNT_FORCE, MNT_DETACH = 1, 2
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_RESTART, _HALT = 0x01234567, 0xCDEF0123


def _checked(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def unshare(flags: int) -> None:
    _checked(_libc.unshare(flags), "unshare")


@contextmanager
def in_network(netns: str) -> Iterator[None]:
    """This thread is in that network namespace (a path) for a while; sockets made in it stay in it."""
    own, other = os.open("/proc/thread-self/ns/net", os.O_RDONLY), os.open(netns, os.O_RDONLY)
    try:
        _checked(_libc.setns(other, CLONE_NEWNET), f"setns {netns}")
        yield
    finally:
        _checked(_libc.setns(own, CLONE_NEWNET), "setns")
        os.close(own)
        os.close(other)


def mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    _checked(_libc.mount(source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), options.encode()),
             f"mount {source} on {target}")


def umount(target: str, flags: int = 0) -> None:
    _checked(_libc.umount2(target.encode(), flags), f"umount {target}")


def pivot_root(new: str, old: str) -> None:
    number = _PIVOT_ROOT[os.uname().machine]
    _checked(_libc.syscall(number, new.encode(), old.encode()), f"pivot_root {new}")


def sethostname(name: str) -> None:
    _checked(_libc.sethostname(name.encode(), len(name)), "sethostname")


def restart() -> None:
    """Reset this pid namespace: its init dies of SIGHUP, and everything in it at once (reboot(2))."""
    _checked(_libc.reboot(ctypes.c_int(_RESTART)), "reboot")


def power_off() -> None:
    """As restart, but the init dies of SIGINT."""
    _checked(_libc.reboot(ctypes.c_int(_HALT - (1 << 32))), "reboot")
