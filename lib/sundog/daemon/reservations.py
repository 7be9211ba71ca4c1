"""Keeps this node's key on the disks of fence devices of type scsi (fence/claim.py), and acts when it is taken away.

A node that has come into the cluster claims the disks of all nodes, before anything starts here: no start method gets
a permit while a disk of this node's answers and has not its key. From then on it looks every 10 s.
"""
import asyncio
from typing import Any, Callable, Collection, Dict, List, Mapping, Sequence, Set, Tuple

from sundog.config import scsi
from sundog.config.model import Cluster
from sundog.daemon.fencing import in_thread
from sundog.errors import NotPermitted, SundogError
from sundog.solaris.run import Run, run

LOOK_EACH_S = 10.0
#: What is not as it should be is looked at sooner.
AGAIN_S = 1.0
#: For all disks together; a start method waits for its permit for 15 s.
WITHIN_S = 8.0

Tell = Callable[[str, str, str], None]  # code, severity, text


class Reservations:
    """`right`: has this boot a lease and a place in the cluster? `members`: who is in it. `running`: groups that are,
    or may be, active here. `condemn` ends the host now. `changed`: the disks are other than they were last."""

    def __init__(self, loop: asyncio.AbstractEventLoop, name: str, cluster: Callable[[], Cluster],
                 right: Callable[[], bool], members: Callable[[], Collection[str]],
                 running: Callable[[], Collection[str]], condemn: Callable[[], None], changed: Callable[[], None],
                 tell: Tell, run: Run = run) -> None:
        self.loop, self.name, self.cluster, self.right, self.members = loop, name, cluster, right, members
        self.running, self.condemn, self.changed, self.tell, self.run = running, condemn, changed, tell, run
        self.states: Dict[str, str] = {}                # disk -> "held", or what is wrong
        self._writers: Set[str] = set()                 # groups that had their permit, or were found running
        self._keyed: Set[str] = set()                   # disks on which our key has been seen
        self._had_right = False
        self._condemned = False
        self._wake = asyncio.Event()
        self._one = asyncio.Lock()

    def adopt(self, groups: Collection[str]) -> None:
        """What ran here before the daemon started may write."""
        self._writers.update(groups)

    def follow(self) -> None:
        """Called before each step of the core: what has stopped writes no more, and a new right is used at once."""
        if self._writers:
            self._writers.intersection_update(self.running())
        had, self._had_right = self._had_right, self.right()
        if self._had_right and not had:
            self._wake.set()

    async def keep(self) -> None:
        """Look at the disks for ever."""
        while True:
            disks = scsi.all_disks(self.cluster())
            if disks and self.right():
                await self._look(disks)
            well = all(state == "held" for state in self.states.values())
            try:
                await asyncio.wait_for(self._wake.wait(), LOOK_EACH_S if well or not self.right() else AGAIN_S)
            except asyncio.TimeoutError:
                continue
            self._wake.clear()

    async def ready(self, group: str) -> bool:
        """See to it that this node's key is on its own disks before the group may write; was there anything to do?

        A disk that does not answer keeps nobody from starting: it may be half of a mirror. Nor does one that nobody
        has reserved; as long as one is not, it proves nothing of any node (scsi.py). Raises NotPermitted.
        """
        if group in self._writers:
            return False
        disks = scsi.disks_of(self.cluster(), self.name)
        wrong = await self._look(disks) if disks else []
        if wrong:
            raise NotPermitted(f"group {group}: {'; '.join(wrong)}", "sundog fence test tells how the disks are")
        self._writers.add(group)
        return bool(disks)

    async def _look(self, disks: Sequence[str]) -> List[str]:
        """Claim the disks; what stands in the way of writing to them."""
        async with self._one:
            found = await self._claimed(disks)
        wrong = []
        for disk, (state, text) in found.items():
            self._say(disk, state, text)
            if state in ("barred", "failed"):
                wrong.append(text)
            if state in ("held", "open"):
                self._keyed.add(disk)
            elif state == "barred" and disk in self._keyed and self._writers and self.right():
                self._end(text)
        return wrong

    async def _claimed(self, disks: Sequence[str]) -> Dict[str, Tuple[str, str]]:
        """Disk -> state and what is to be said of it."""
        from sundog.fence.claim import Claim, Claimant, claim_all
        from sundog.fence.device import NoAnswer
        from sundog.solaris.sgpersist import DiskSilent
        name = self.cluster().name
        by = Claimant(name, scsi.key(name, self.name), {node: scsi.key(name, node) for node in self.members()},
                      lambda: self.right() and not self._writers)
        try:
            outcomes: Mapping[str, Any] = await in_thread(self.loop, lambda: claim_all(disks, by, WITHIN_S, self.run))
        except SundogError as error:
            outcomes = dict.fromkeys(disks, error)
        return {disk: (one.state, one.text) if isinstance(one, Claim)
                else ("silent" if isinstance(one, (DiskSilent, NoAnswer)) else "failed", str(one))
                for disk, one in outcomes.items()}

    def _say(self, disk: str, state: str, text: str) -> None:
        before, self.states[disk] = self.states.get(disk), text or state
        if self.states[disk] == before:
            return
        self.changed()
        if state == "held":
            self.tell("SCSI-HELD", "notice", f"disk {disk} is reserved, and this node has its key there")
        elif state == "open":
            self.tell("SCSI-OPEN", "notice", text)
        else:
            self.tell("SCSI-KEYLESS", "warning", text)

    def _end(self, text: str) -> None:
        """Another node has taken our key away, and may start what runs here: it cannot go on here."""
        self.condemn()
        if not self._condemned:
            self._condemned = True
            self.tell("SCSI-BARRED", "error", f"{text}: this host was fenced, and resets itself")
