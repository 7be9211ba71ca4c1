"""The door: a unix stream socket over which svcs, svcadm, svccfg and svcprop are answered, one request a connection.

Request, one JSON line: {"command": NAME, "args": [...], "folder": TEXT, "terminal": BOOL, "input": TEXT}.
Answer, JSON lines: {"out": TEXT} and {"err": TEXT} as they come, at last {"exit": STATUS}.
"""
import json
import os
import select
import socket
import struct
from typing import TYPE_CHECKING, Callable, Dict, List, NamedTuple, Optional

from sunlab.smf.bindings import Bindings
from sunlab.smf.fmri import Fmri

if TYPE_CHECKING:
    from sunlab.smf.properties import Group
    from sunlab.smf.repository import Entity
    from sunlab.smf.startd import Startd

LONGEST = 8 << 20       # bytes of a request


class Request(NamedTuple):
    command: str
    args: List[str]
    folder: str
    terminal: bool
    input: str
    uid: int


class Waiting(NamedTuple):
    """An answer that is held until a group is written or gone (svcprop -w); groups are never changed in place."""
    entity: "Entity"
    group: str
    seen: "Group"
    answer: "Callable[[Reply], int]"

    def over(self, startd: "Startd") -> bool:
        there = startd.repository.find(self.entity.fmri) is self.entity
        return not there or self.entity.groups.get(self.group) is not self.seen


class Reply:
    """What a command prints and exits with."""

    def __init__(self) -> None:
        self.lines: List[str] = []
        self.waiting: Optional[Waiting] = None

    def out(self, text: str) -> None:
        self.lines.append(json.dumps({"out": text + "\n"}))

    def err(self, text: str) -> None:
        self.lines.append(json.dumps({"err": text + "\n"}))


class Door:
    def __init__(self, path: str, startd: "Startd") -> None:
        self.path = path
        self.startd = startd
        self.listener: Optional[socket.socket] = None
        self.callers: Dict[int, socket.socket] = {}
        self.heard: Dict[int, bytes] = {}
        self.held: Dict[int, Waiting] = {}
        self.bindings = Bindings(startd)

    def open(self) -> None:
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(self.path)
        os.chmod(self.path, 0o666)      # who may change what is decided by the caller's uid
        self.listener.listen(64)
        self.startd.epoll.register(self.listener.fileno(), select.EPOLLIN)

    def ready(self, descriptor: int) -> None:
        assert self.listener is not None
        if descriptor == self.listener.fileno():
            caller, _ = self.listener.accept()
            caller.setblocking(False)
            self.callers[caller.fileno()] = caller
            self.heard[caller.fileno()] = b""
            self.startd.epoll.register(caller.fileno(), select.EPOLLIN)
            descriptor = caller.fileno()        # the request is usually there already
        if descriptor in self.callers:
            self.read(descriptor)

    def read(self, descriptor: int) -> None:
        caller = self.callers[descriptor]
        try:
            piece = caller.recv(1 << 20)
        except BlockingIOError:
            return
        except ConnectionError:
            piece = b""
        self.heard[descriptor] += piece
        if not piece or len(self.heard[descriptor]) > LONGEST:
            self.close(descriptor)
        elif not self.heard[descriptor].endswith(b"\n"):
            return
        elif descriptor in self.bindings.at:
            self.hear_restarter(descriptor)
        else:
            self.answer(descriptor)

    def hear_restarter(self, descriptor: int) -> None:
        lines, self.heard[descriptor] = self.heard[descriptor], b""
        try:
            self.bindings.heard(descriptor, lines)
        except (ValueError, KeyError, TypeError):
            self.close(descriptor)

    def send(self, descriptor: int, line: bytes) -> None:
        """To a restarter; one that does not read is let go."""
        caller = self.callers[descriptor]
        caller.settimeout(5.0)
        try:
            caller.sendall(line)
            caller.setblocking(False)
        except OSError:
            self.close(descriptor)

    def close(self, descriptor: int) -> None:
        caller = self.callers.pop(descriptor)
        self.heard.pop(descriptor)
        self.held.pop(descriptor, None)
        self.bindings.closed(descriptor)
        self.startd.epoll.unregister(descriptor)
        caller.close()

    def answer(self, descriptor: int) -> None:
        caller = self.callers[descriptor]
        uid = struct.unpack("3i", caller.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[1]
        try:
            asked = json.loads(self.heard[descriptor])
            request = Request(asked["command"], asked["args"], asked["folder"], asked["terminal"], asked["input"], uid)
        except (ValueError, KeyError, TypeError):
            self.close(descriptor)
            return
        if request.command == "restarter":
            self.heard[descriptor] = b""
            if not self.bindings.bind(descriptor, request):
                self.close(descriptor)
            return
        reply = Reply()
        status = self.carry_out(request, reply)
        if reply.waiting is not None:
            self.held[descriptor] = reply.waiting
            return
        self.finish(descriptor, reply, status)
        self.answer_waiting()

    def carry_out(self, request: Request, reply: Reply) -> int:
        """A command's own bug is told its caller and the console; it does not take the node down."""
        try:
            return serve(self.startd, request, reply)
        except Exception as bug:    # noqa: BLE001 - pid 1 must outlive a command
            import traceback  # a dear one, and a zone waits for this module at its boot
            self.startd.say(traceback.format_exc())
            reply.err(f"svc.startd: {request.command} failed inside the lab: {bug!r}")
            return 1

    def finish(self, descriptor: int, reply: Reply, status: int) -> None:
        """Send the answer; what was changed is durable and under way by then."""
        self.startd.store.commit(self.startd.repository)
        text = "\n".join([*reply.lines, json.dumps({"exit": status})]) + "\n"
        caller = self.callers[descriptor]
        caller.setblocking(True)
        caller.settimeout(5.0)
        try:
            caller.sendall(text.encode())
        except OSError:
            pass                            # the caller has gone; its request was carried out all the same
        self.close(descriptor)

    def group_written(self, name: Fmri, group: str) -> None:
        """svc.startd has written it; what commands write is seen when they have been answered."""
        self.answer_waiting()

    def answer_waiting(self) -> None:
        for descriptor, waiting in list(self.held.items()):
            if waiting.over(self.startd):
                reply = Reply()
                self.finish(descriptor, reply, waiting.answer(reply))


def serve(startd: "Startd", request: Request, reply: Reply) -> int:
    """Carry out one command; returns its exit status. The modules are imported when first asked for."""
    if request.command == "svcs":
        from sunlab.smf import svcs
        return svcs.run(startd, request, reply)
    if request.command == "svcadm":
        from sunlab.smf import svcadm
        return svcadm.run(startd, request, reply)
    if request.command == "svcprop":
        from sunlab.smf import svcprop
        return svcprop.run(startd, request, reply)
    if request.command == "svccfg":
        from sunlab.smf import svccfg
        return svccfg.run(startd, request, reply)
    if request.command == "svcadm-synch":
        from sunlab.smf import synch
        return synch.run(startd, request, reply)
    if request.command == "init":
        from sunlab.smf import comedown
        return comedown.run(startd, request, reply)
    if request.command == "ending" and request.uid == 0:
        startd.machine.ending = True    # halt(8) ends svc.startd first, so that it starts nothing again
        return 0
    reply.err(f"svc.startd: {request.command}: not modelled in this lab")
    return 1
