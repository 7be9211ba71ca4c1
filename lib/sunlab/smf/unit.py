"""An instance as svc.startd's machine holds it, and what the end of one of its methods means. Pure."""
from typing import Callable, List, Mapping

from sunlab.smf.graph import Vertex
from sunlab.smf.orders import MethodDone
from sunlab.smf.spec import Spec

FATAL = (95, 96, 99, 100)       # no use in trying again (smf_method(7), Exiting and Exit Status)


class Unit(Vertex):
    """An instance under the restarter."""

    def __init__(self, fmri: str, spec: Spec, enabled: bool) -> None:
        super().__init__(fmri, spec, enabled)
        self.next = "none"
        self.aux = "none"
        self.goal = "offline"           # where a stop leads
        self.cause = "restart"          # what that stop is to dependents: error or restart
        self.goal_aux = "none"
        self.failures = 0               # of the method in hand, in a row
        self.starts: List[float] = []
        self.exits: List[float] = []    # failed exits of a child service
        self.waiting: List[Callable[[], None]] = []
        self.delayed = False
        self.cycle = False
        self.told = ""                  # the last event sent to a restarter other than svc.startd

    @property
    def moving(self) -> bool:
        return self.next != "none"


def verdict(done: MethodDone, exits: Mapping[int, str]) -> str:
    """ok, failed (worth another try), fatal (not), or what `exits` says of a start or refresh method's status.

    nodaemon: success, and nothing of it is watched. degraded: success, with problems. disable: not to run here.
    """
    if done.ok:
        return "ok"
    if done.lingered or done.invalid or done.code in FATAL:
        return "fatal"
    special = exits.get(done.code, "failed") if not done.signal else "failed"
    if done.method == "start" or (done.method == "refresh" and special == "degraded"):
        return special
    return "failed"
