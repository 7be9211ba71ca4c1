"""What every SMF method of a resource or a group runs: python -S -m sundog.method TYPE start|stop|probe NAME=VALUE…

A start asks the coordinator for the permit first and refuses without it, however it was called (rule 7). The
outcome goes to the coordinator at once. Exit status, as svc.startd reads it: 0, 95 not permitted, 96 wrong
configuration, 100 not enough privileges; anything else is tried again. What went wrong is one line on stderr, which is
the instance's log.
"""
import json
import os
import socket
import sys
import time
from typing import Any, Dict, Optional, Sequence

from sundog.errors import ConfigProblem, NotPermitted, SundogError
from sundog.resource import module
from sundog.resource.terms import Condition, Permit
from sundog.resource.words import made, pairs
from sundog.solaris.log import log

CONTROL = "/var/run/sundog/control"
OK, AGAIN, NOT_PERMITTED, MISCONFIGURED, UNPRIVILEGED = 0, 1, 95, 96, 100
#: A coordinator that was killed is back within a second; a start waits for it, a stop does not.
WAIT_FOR_COORDINATOR_S = 5.0
TELL_WITHIN_S = 1.0
LOOK_EACH_S = 0.05
ANSWER_WITHIN_S = 15.0


class CoordinatorSilent(SundogError):
    """No coordinator answers on this host."""


class Coordinator:
    """The control socket, connected when it is first needed."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.socket: Optional[socket.socket] = None

    def ask(self, request: Dict[str, Any], within_s: float) -> Dict[str, Any]:
        """The answer to a request. Waits up to `within_s` for a coordinator to be there. Raises CoordinatorSilent."""
        deadline = time.monotonic() + within_s
        while True:
            try:
                return self.exchange(request)
            except PermissionError:
                raise
            except (OSError, ValueError) as error:
                # Not there yet, or it has just been ended: the next one answers as well.
                self.close()
                if time.monotonic() >= deadline:
                    raise CoordinatorSilent(f"the coordinator does not answer on {self.path}: {error}",
                                            "svcs -x svc:/system/sundog/coordinator:default") from None
            time.sleep(LOOK_EACH_S)

    def exchange(self, request: Dict[str, Any]) -> Dict[str, Any]:
        if self.socket is None:
            self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.socket.settimeout(ANSWER_WITHIN_S)
            self.socket.connect(self.path)
        self.socket.sendall(json.dumps(request).encode() + b"\n")
        line = b""
        while not line.endswith(b"\n"):
            part = self.socket.recv(65536)
            if not part:
                raise ConnectionResetError("it hung up")
            line += part
        answer: Dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        if self.socket is not None:
            self.socket.close()
            self.socket = None


class Method:
    """One call of svc.startd for one instance."""

    def __init__(self, coordinator: Coordinator, type_name: str, given: Dict[str, str], fmri: str) -> None:
        self.coordinator = coordinator
        self.type_name = type_name
        self.about = {"fmri": fmri, "group": given.pop("group", ""), "resource": given.pop("resource", "")}
        self.given = given

    def start(self) -> None:
        answer = self.coordinator.ask({"op": "permit", **self.about}, WAIT_FOR_COORDINATOR_S)
        if answer.get("ok") is not True:
            raise NotPermitted(str(answer.get("error", "no permit")), str(answer.get("remedy", "")))
        permit = Permit(int(answer["epoch"]), answer["force"] is True, str(answer["why"]))
        if self.type_name != "group":
            kind = module(self.type_name)
            kind.start(host(), made(kind.Params, self.given), permit)

    def stop(self) -> None:
        if self.type_name != "group":
            kind = module(self.type_name)
            kind.stop(host(), made(kind.Params, self.given))

    def probe(self) -> None:
        """Print the state; raises SundogError unless it is online."""
        kind = module(self.type_name)
        state = kind.probe(host(), made(kind.Params, self.given))
        sys.stdout.write(f"{state}\n")
        if state.condition is not Condition.ONLINE:
            raise SundogError(f"{self.type_name} is {state}")

    def tell(self, method: str, error: Optional[SundogError]) -> None:
        """The outcome. A stop works without a coordinator too, and svc.startd knows the outcome anyhow."""
        said = f" (it said: {error.said})" if error is not None and error.said else ""
        try:
            self.coordinator.ask({"op": "outcome", **self.about, "method": method, "ok": error is None,
                                  "error": error.what + said if error else "", "remedy": error.remedy if error else ""},
                                 TELL_WITHIN_S if method == "start" else 0.0)
        except CoordinatorSilent as silent:
            say(f"the outcome was not told: {silent}")


def host() -> Any:
    from sundog.solaris.host import Host
    return Host()


def say(text: str) -> None:
    log(f"sundog: {text}")


def status_of(error: SundogError) -> int:
    if isinstance(error, NotPermitted):
        return NOT_PERMITTED
    return MISCONFIGURED if isinstance(error, ConfigProblem) else AGAIN


def carry_out(method: Method, name: str) -> int:
    """Do it and tell the outcome; the exit status."""
    status, wrong = OK, None
    try:
        {"start": method.start, "stop": method.stop, "probe": method.probe}[name]()
    except PermissionError as error:
        status, wrong = UNPRIVILEGED, SundogError(f"not enough privileges: {error}", "run it as root")
    except SundogError as error:
        status, wrong = status_of(error), error
    except OSError as error:
        status, wrong = AGAIN, SundogError(f"{name} method: {error}")
    if wrong is not None and name != "probe":
        say(f"{name} method of {method.about['fmri'] or method.type_name}: {wrong}")
    # Who could not be asked need not be told.
    if name != "probe" and not isinstance(wrong, CoordinatorSilent):
        method.tell(name, wrong)
    return status


def main(arguments: Sequence[str], control: str = CONTROL) -> int:
    if len(arguments) < 2 or arguments[1] not in ("start", "stop", "probe"):
        say("usage: python -m sundog.method TYPE start|stop|probe NAME=VALUE…")
        return MISCONFIGURED
    try:
        given = pairs(arguments[2:])
        method = Method(Coordinator(control), arguments[0], given, os.environ.get("SMF_FMRI", ""))
    except ConfigProblem as error:
        say(str(error))
        return MISCONFIGURED
    return carry_out(method, arguments[1])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
