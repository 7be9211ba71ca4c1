"""The host comes down: services stop, dependents first, then the power state changes (startd/graph.c, halting)."""
from typing import TYPE_CHECKING

from sunlab.smf import milestone
from sunlab.smf.fmri import MASTER

if TYPE_CHECKING:
    from sunlab.smf.door import Reply, Request
    from sunlab.smf.startd import Startd

#: Run levels that end this boot, and what then happens.
ENDS = {"0": "halt", "5": "power off", "6": "reboot"}
LEVELS = {"s": "svc:/milestone/single-user:default", "S": "svc:/milestone/single-user:default",
          "1": "svc:/milestone/single-user:default", "2": "svc:/milestone/multi-user:default", "3": "all"}


class ComingDown:
    """What is under way since somebody said init 0, 5 or 6."""

    def __init__(self, startd: "Startd", level: str) -> None:
        self.startd = startd
        self.level = level
        startd.machine.ending = True
        startd.say("svc.startd: The system is coming down.  Please wait.")
        startd.say(f"svc.startd: {len(self.up())} system services are now being stopped.")
        milestone.go(startd, "none")

    def up(self) -> "list[str]":
        return [f for f, u in self.startd.machine.units.items() if f != MASTER and (u.running or u.moving)]

    def look(self) -> None:
        """At the end of every turn: is everything down? Then the power goes off or the host resets; no return."""
        if self.up() or self.startd.queue:
            return
        self.startd.store.commit(self.startd.repository)
        self.startd.say("svc.startd: The system is down.")
        from sunlab import ending
        ending.flush()
        ending.act(ENDS[self.level])


def run(startd: "Startd", request: "Request", reply: "Reply") -> int:
    """init(8) over the door: one argument, a run level."""
    level = request.args[0] if len(request.args) == 1 else ""
    if request.uid != 0:
        reply.err("Must be super-user")
        return 1
    if level in ENDS:
        if startd.coming_down is None:
            startd.coming_down = ComingDown(startd, level)
    elif level in LEVELS:
        milestone.go(startd, LEVELS[level])
    elif level not in ("q", "Q"):
        reply.err("Usage: init [0123456SsQqabc]")
        return 1
    return 0

