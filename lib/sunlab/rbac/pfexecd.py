"""pfexecd: starts a command for pfexec(1) with the ids that the caller's profiles name for it.

The kernel tells who calls (SO_PEERCRED), the caller passes his standard descriptors, and the command's end is told him.
On Solaris the kernel asks pfexecd within exec(2); here the command is a child of pfexecd, in the caller's own contract.
Request: 4 bytes of length, JSON {"path", "argv", "env", "folder"}, with descriptors 0, 1, 2 beside it.
Answer: JSON {"error": TEXT} or {"exit": STATUS}. Ending the caller ends the command with SIGHUP.
"""
import array
import json
import os
import signal
import socket
import struct
import sys
from typing import Any, Dict, List, NamedTuple, Optional

from sunlab.rbac.database import lines_of, load, user_named
from sunlab.rbac.rights import execution_of

DOOR = "/var/run/pfexecd_door"
MODELLED = ("uid", "gid", "euid", "egid")


class Ids(NamedTuple):
    uid: int
    euid: int
    gid: int
    egid: int


class Refused(Exception):
    """The command is not started; the text is for the caller."""


def number(text: str, path: str) -> int:
    """A uid or gid: a number, or a name in that file. Raises Refused."""
    if text.isdigit():
        return int(text)
    for line in lines_of(path):
        parts = line.split(":")
        if parts[0] == text:
            return int(parts[2])
    raise Refused(f"{text}: no such account in {path}")


def ids(attributes: Dict[str, str], uid: int, gid: int) -> Ids:
    """What exec_attr asks for, over the caller's own. Raises Refused for what the lab has not."""
    beyond = [key for key in attributes if key not in MODELLED]
    if beyond:
        raise Refused(f"{beyond[0]}={attributes[beyond[0]]}: not modelled in this lab")
    got = {key: number(value, "/etc/passwd" if key.endswith("uid") else "/etc/group")
           for key, value in attributes.items()}
    real_uid, real_gid = got.get("uid", uid), got.get("gid", gid)
    return Ids(real_uid, got.get("euid", real_uid), real_gid, got.get("egid", real_gid))


def start(asked: Dict[str, object], files: List[int], who: "tuple[int, int, int]") -> int:
    """The pid of the started command. Raises Refused, OSError."""
    pid, uid, gid = who
    path, argv = str(asked["path"]), [str(word) for word in asked["argv"]]     # type: ignore[attr-defined]
    found = execution_of(load(), user_named(uid), path)
    if found is None:
        raise Refused(f"{path}: Permission denied")
    wanted = ids(found.attributes, uid, gid)
    own_groups = [int(g) for line in lines_of(f"/proc/{pid}/status") if line.startswith("Groups:")
                  for g in line.split()[1:]]
    home = next((line.strip().partition("::")[2] for line in lines_of(f"/proc/{pid}/cgroup")), "")
    child = os.fork()
    if child:
        return child
    try:
        join(home)
        for place, descriptor in enumerate(files):
            os.dup2(descriptor, place)
        os.closerange(3, 4096)
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setgroups(own_groups)
        os.setresgid(wanted.gid, wanted.egid, wanted.egid)
        os.setresuid(wanted.uid, wanted.euid, wanted.euid)
        os.chdir(str(asked["folder"]))
        os.execve(path, argv, dict(asked["env"]))       # type: ignore[call-overload]
    except OSError as failed:
        os.write(2, f"pfexec: {path}: {failed.strerror}\n".encode())
    finally:
        os._exit(1)


def join(home: str) -> None:
    """The caller's contract: what he starts belongs to his service."""
    contract = home.rstrip("/").rpartition("/")[2]
    if contract.isdigit():
        with open(f"/system/contract/{contract}/cgroup.procs", "w", encoding="ascii") as procs:
            procs.write("0")


def receive(caller: socket.socket) -> "tuple[Dict[str, object], List[int]]":
    size = struct.calcsize("3i")
    head, beside, _, _ = caller.recvmsg(4, socket.CMSG_SPACE(size))
    files = array.array("i")
    for level, kind, data in beside:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            files.frombytes(data[:len(data) - len(data) % files.itemsize])
    body, length = b"", struct.unpack("<I", head)[0]
    while len(body) < length:
        piece = caller.recv(1 << 16)
        if not piece:
            raise Refused("the request ended early")
        body += piece
    return json.loads(body), list(files)


def attend(caller: socket.socket) -> None:
    """One request, in a process of its own, to the end of the command."""
    who = struct.unpack("3i", caller.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    try:
        asked, files = receive(caller)
        if len(files) != 3:
            raise Refused("three descriptors are needed")
        pid = start(asked, files, who)
    except (Refused, OSError, ValueError, KeyError, TypeError) as failed:
        caller.sendall(json.dumps({"error": str(failed)}).encode())
        return
    for descriptor in files:
        os.close(descriptor)
    code = wait(pid, caller)
    try:
        caller.sendall(json.dumps({"exit": code if code >= 0 else 128 - code}).encode())
    except OSError:
        pass                # the caller has gone


def wait(pid: int, caller: socket.socket) -> int:
    """Until the command ends; it hears SIGHUP when its caller goes before it."""
    import select
    handle = os.pidfd_open(pid)
    waiting: List[Any] = [handle, caller]
    while True:
        ready = select.select(waiting, [], [])[0]
        if handle in ready:
            return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        for byte in caller.recv(64) or b"\x01":        # the signals that the caller got, a byte each
            signal.pidfd_send_signal(handle, byte)
        if ready and not _connected(caller):
            waiting.remove(caller)


def _connected(caller: socket.socket) -> bool:
    try:
        return caller.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


def main(door: Optional[str] = None) -> None:
    door = door or DOOR
    if os.path.exists(door):
        os.unlink(door)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(door)
    os.chmod(door, 0o666)
    listener.listen(16)
    if os.fork():
        os._exit(0)             # the start method is done: requests are taken
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        caller = listener.accept()[0]
        if os.fork() == 0:
            listener.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            try:
                attend(caller)
            finally:
                sys.stderr.flush()
                os._exit(0)
        caller.close()
