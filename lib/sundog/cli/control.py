"""The daemon's control socket, from the asker's side: one JSON object out, one or more JSON lines back.

Blocking; a Control is a place, not a connection: every question opens its own.
"""
import json
import socket
from typing import Any, Dict, Iterator, Optional, Tuple

from sundog.errors import SundogError

CONTROL = "/var/run/sundog/control"
TEST_S = 660.0                          # the longest timeout of a fence device, and some
ANSWER_S = 30.0                         # a request may wait for an election, an apply for its agreement
REMEDY = "see 'svcs -x sundog/coordinator'; start it with 'svcadm enable sundog/coordinator'"


class NoDaemon(SundogError):
    """The coordinator on this host does not answer. `absent`: nobody listens, rather than being slow."""

    def __init__(self, what: str, remedy: str = REMEDY, absent: bool = False) -> None:
        super().__init__(what, remedy)
        self.absent = absent


class Refused(SundogError):
    """The daemon, or the leader behind it, said no."""


class Lines:
    """One open question: JSON objects as they come. Closing it ends the question."""

    def __init__(self, path: str, request: Dict[str, Any], answer_s: float = ANSWER_S) -> None:
        self.path = path
        self.buffer = b""
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(answer_s)
        try:
            self.socket.connect(path)
            self.socket.sendall(json.dumps(request).encode() + b"\n")
        except (FileNotFoundError, ConnectionRefusedError) as error:
            self.close()
            raise NoDaemon(f"no coordinator runs on this host ({path})", absent=True) from error
        except PermissionError as error:
            self.close()
            raise NoDaemon(f"{path}: permission denied", "run it as root") from error
        except OSError as error:
            self.close()
            raise NoDaemon(f"{path}: {error.strerror or 'no answer'}") from error

    def next(self, within_s: Optional[float]) -> Optional[Dict[str, Any]]:
        """The next object, or None if none came `within_s` (None: wait for ever). Raises NoDaemon when it is gone."""
        self.socket.settimeout(within_s)
        while b"\n" not in self.buffer:
            try:
                more = self.socket.recv(65536)
            except socket.timeout:
                return None
            except OSError as error:
                raise NoDaemon(f"{self.path}: {error.strerror}") from error
            if not more:
                raise NoDaemon("the coordinator on this host went away while it was asked")
            self.buffer += more
        line, _, self.buffer = self.buffer.partition(b"\n")
        try:
            answer = json.loads(line)
        except ValueError as error:
            raise NoDaemon(f"{self.path}: this is not an answer: {line[:60]!r}", "is it Sundog's socket?") from error
        if not isinstance(answer, dict):
            raise NoDaemon(f"{self.path}: this is not an answer: {line[:60]!r}", "is it Sundog's socket?")
        if answer.get("ok") is False:
            raise Refused(str(answer.get("error", "refused")), str(answer.get("remedy", "")))
        return answer

    def close(self) -> None:
        self.socket.close()

    def __enter__(self) -> "Lines":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Control:
    """The daemon behind the socket at `path`. Every method raises NoDaemon, or Refused when the answer is no."""

    def __init__(self, path: str = CONTROL, answer_s: float = ANSWER_S) -> None:
        self.path = path
        self.answer_s = answer_s

    def open(self, **request: Any) -> Lines:
        return Lines(self.path, request, self.answer_s)

    def ask(self, **request: Any) -> Dict[str, Any]:
        """One question, one answer."""
        with self.open(**request) as lines:
            answer = lines.next(self.answer_s)
        if answer is None:
            raise NoDaemon(f"the coordinator on this host did not answer within {self.answer_s:g} s")
        return answer

    def status(self) -> Dict[str, Any]:
        return dict(self.ask(op="status")["status"])

    def explain(self, group: str) -> Dict[str, Any]:
        return dict(self.ask(op="explain", group=group)["explain"])

    def quorum(self) -> Dict[str, Any]:
        return dict(self.ask(op="quorum")["quorum"])

    def links(self) -> Dict[str, Any]:
        return dict(self.ask(op="links")["links"])

    def request(self, request: str, group: str, node: str) -> str:
        return str(self.ask(op="request", request=request, group=group, node=node).get("text", ""))

    def fence(self, request: str, node: str) -> str:
        return str(self.ask(op="fence", request=request, node=node).get("text", ""))

    def fence_test(self, node: str) -> Dict[str, Any]:
        """Node -> its levels, as in the status. Takes as long as the slowest device."""
        return dict(Control(self.path, TEST_S).ask(op="fence-test", node=node)["fence"])

    def apply(self, source: str, files: Dict[str, str]) -> Tuple[str, int]:
        """What the daemon says, and the version that the configuration now has."""
        answer = self.ask(op="apply", source=source, files=files)
        return str(answer.get("text", "")), int(answer.get("version", 0))

    def changes(self) -> Iterator[Dict[str, Any]]:
        """The status now, and at every change of it."""
        with self.open(op="watch") as lines:
            while True:
                answer = lines.next(None)
                if answer is not None and "status" in answer:
                    yield answer["status"]

    def log(self, lines: int, follow: bool) -> Iterator[Dict[str, Any]]:
        """The journal's last `lines` entries, then, with `follow`, every new one."""
        with self.open(op="log", lines=lines, follow=follow) as open_lines:
            while True:
                answer = open_lines.next(None if follow else self.answer_s)
                if answer is None:
                    raise NoDaemon(f"the coordinator on this host did not answer within {self.answer_s:g} s")
                if "entry" in answer:
                    yield answer["entry"]
                elif answer.get("ok"):
                    return
