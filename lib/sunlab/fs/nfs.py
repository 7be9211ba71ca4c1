"""mount of type nfs (mount_nfs(8); its sentences and statuses are those of nfs/mount/mount.c). Version 3 over TCP.

The kernel here has no NFS client: a process of the node serves it through FUSE and speaks with the server (sunlab.nfs).
"""
from __future__ import annotations

import ctypes
import errno
import math
import os
import signal
import socket
import stat
import sys
import time
from typing import Callable

from sunlab.disks import wire
from sunlab.fs import options, table
from sunlab.nfs import rpc, v3
from sunlab.nfs.client import Client
from sunlab.nfs.xdr import numbers, opaque

FAILED, AGAIN = 33, 32
FIRST_DELAY_S, LAST_DELAY_S = 5, 120
PLAIN = ("quota", "noquota", "soft", "hard", "semisoft", "grpid", "nosub", "intr", "nointr", "bg", "fg", "noac",
         "nocto", "llock", "posix", "noprint", "largefiles", "public", "forcedirectio", "noforcedirectio", "xattr",
         "noxattr")
COUNTED = ("port", "rsize", "wsize", "timeo", "retrans", "actimeo", "acregmin", "acregmax", "acdirmin", "acdirmax",
           "retry", "vers")
TIMEOUT_TENTHS, RETRANSMISSIONS, RETRIES = 600, 5, 10000
GROUP = "/system/contract/nfs"
PR_SET_NAME = 15


class Failed(Exception):
    """The text after `nfs mount: `, and whether to try again (AGAIN) or not (FAILED)."""

    def __init__(self, text: str, status: int = FAILED) -> None:
        super().__init__(text)
        self.status = status


def say(text: str) -> None:
    sys.stderr.write(f"nfs mount: {text}\n")
    sys.stderr.flush()


def mount(special: str, place: str, words: list[str], overlay: bool, quiet: bool) -> int:
    """The exit status of mount -F nfs."""
    try:
        kept, counts = sorted_out(special, place, words, quiet)
        host, path = split(special)
    except Failed as failed:
        say(str(failed))
        return failed.status
    def once() -> int:
        try:
            attach(special, host, path, place, kept, counts, overlay)
        except Failed as failed:
            say(str(failed))
            return failed.status
        return 0

    status, tries = once(), counts.get("retry", RETRIES)
    return again(place, once, tries, "bg" in words) if status == AGAIN and tries else status


def again(place: str, once: Callable[[], int], tries: int, background: bool) -> int:
    """The exit status, when the server has not answered at first."""
    if background and os.fork() > 0:
        return 0
    say(f"{'backgrounding' if background else 'retrying'}: {place}")
    delay = FIRST_DELAY_S
    for left in range(tries - 1, -1, -1):
        status = once()
        if status == 0:
            say(f"{place}: mounted OK")
            return 0
        if status != AGAIN:
            break
        if left:
            time.sleep(delay)
            delay = min(delay * 2, LAST_DELAY_S)
    say(f"giving up on: {place}")
    return FAILED


def split(special: str) -> tuple[str, str]:
    """HOST:PATH or [IPv6]:PATH. Raises Failed."""
    host, colon, path = special.partition("]:") if special.startswith("[") else special.partition(":")
    if not colon or not host or "," in host or host == "nfs" and path.startswith("//"):
        raise Failed("nfs file system; use [host:]path" if not colon else
                     "sunlab: replicas and URLs are not modelled in this lab")
    return host.lstrip("["), path or "/"


def sorted_out(special: str, place: str, words: list[str], quiet: bool) -> tuple[list[str], dict[str, int]]:
    """The options that are kept in mnttab, and those with a number. Raises Failed."""
    kept, counts = [], {}
    for word in words:
        name = word.partition("=")[0]
        if name in COUNTED:
            try:
                counts[name] = options.number(word)
            except ValueError:
                raise Failed(f'invalid option: "{word}"') from None
        elif name == "nolargefiles":
            raise Failed('NFS can\'t support "nolargefiles"')
        elif name == "proto" and word not in ("proto=tcp", "proto=tcp6") or name == "sec" and word != "sec=sys":
            raise Failed(f"sunlab: {word} is not modelled in this lab")
        elif word not in PLAIN and word not in options.GENERIC and name not in ("proto", "sec"):
            if not quiet:
                sys.stderr.write(f'mount: {special} on {place} - WARNING unknown option "{word}"\n')
            continue
        kept.append(word)
    if counts.get("vers", 3) != 3:
        raise Failed(f"sunlab: version {counts['vers']} is not modelled in this lab; 3 is")
    if "remount" in words:
        raise Failed("sunlab: remount is not modelled in this lab")
    return kept, counts


def shown(kept: list[str]) -> str:
    """The options as mnttab has them. Pure."""
    only = "ro" if options.last_of(kept, "ro", "rw") == "ro" else "rw"
    rest = [word for word in kept if word not in ("ro", "rw")]
    return ",".join([only, *rest, *([] if {"xattr", "noxattr"} & set(kept) else ["xattr"])])


def patience(words: list[str], counts: dict[str, int]) -> float:
    """How long, in seconds, an operation waits for the server. Pure."""
    if options.last_of(words, "soft", "hard", "semisoft") in ("soft", "semisoft"):
        return counts.get("timeo", TIMEOUT_TENTHS) / 10 * counts.get("retrans", RETRANSMISSIONS)
    return math.inf


def attach(special: str, host: str, path: str, place: str, kept: list[str], counts: dict[str, int],
           overlay: bool) -> None:
    """Raises Failed."""
    try:
        address = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0][4][0]
    except socket.gaierror:
        raise Failed(f"{host}: Unknown host") from None
    if not overlay and any(one.place == place for one in table.read()):
        raise Failed(f"mount: {place}: Device busy")
    root = root_handle(host, path, str(address))
    port = counts.get("port") or port_of(host, str(address), v3.NFS)
    try:
        descriptor = wire.attach(place, special, stat.S_IFDIR, flags=options.flags(kept))
    except OSError as problem:
        raise Failed(f"mount: {place}: {os.strerror(problem.errno or errno.EIO)}") from None
    table.note(place, "nfs", shown(kept), int(time.time()))
    intr = options.last_of(kept, "intr", "nointr") != "nointr"
    begin(Client(descriptor, root, str(address), port, patience(kept, counts), intr))


def root_handle(host: str, path: str, address: str) -> bytes:
    """What the server's mountd gives for the path. Raises Failed."""
    port = port_of(host, address, v3.MOUNT)
    try:
        reader = rpc.ask(address, port, v3.MOUNT, 3, v3.MNT, opaque(path.encode()))
        status = reader.number()
    except (OSError, rpc.RpcFailed) as problem:
        raise Failed(f"{host}:{path}: server not responding : {problem}", AGAIN) from None
    if status:
        texts = {63: "path name is too long", 10004: "operation not supported", 10006: "server fault"}
        raise Failed(f"{host}:{path}: {texts.get(status) or os.strerror(status)}")
    return reader.opaque()


def port_of(host: str, address: str, program: int) -> int:
    """Of version 3 over TCP, from the server's rpcbind. Raises Failed."""
    try:
        port = rpc.ask(address, v3.PORTMAP_PORT, v3.PORTMAP, 2, v3.GETPORT, numbers(program, 3, v3.TCP, 0)).number()
    except TimeoutError:
        raise Failed(f"{host}: : RPC: Rpcbind failure - RPC: Timed out", AGAIN) from None
    except (OSError, rpc.RpcFailed):
        raise Failed(f"{host}: : RPC: Rpcbind failure - RPC: Unable to receive", AGAIN) from None
    if not port:
        raise Failed(f"{host}: : RPC: Program not registered", AGAIN)
    return port


def begin(client: Client) -> None:
    """Leave the mount to a process of its own, which belongs to the system and not to who mounts."""
    sys.stdout.flush()
    sys.stderr.flush()
    if os.fork() > 0:
        os.close(client.mount.descriptor)
        return
    try:
        os.setsid()
        os.makedirs(GROUP, exist_ok=True)
        with open(f"{GROUP}/cgroup.procs", "w", encoding="ascii") as procs:
            procs.write("0")
        ctypes.CDLL(None).prctl(PR_SET_NAME, b"sunlab-nfs", 0, 0, 0)
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        null = os.open("/dev/null", os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)
        os.chdir("/")
        client.run()
        os._exit(0)
    finally:
        os._exit(1)
