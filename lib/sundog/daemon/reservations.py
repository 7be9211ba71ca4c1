"""Keeps this node's key on the disks of fence devices of type scsi (fence/claim.py), and acts when it is taken away.

A node that has come into the cluster claims the disks of all nodes, before anything starts here: no start method gets
a permit while a disk of this node's answers and has not its key. From then on it looks every 10 s.
"""
import asyncio
from typing import Callable, Collection, Dict, List, Mapping, Optional, Sequence, Set, Tuple, Union

from sundog.config import scsi
from sundog.config.model import Cluster
from sundog.daemon.fencing import in_thread
from sundog.errors import NotPermitted
from sundog.fence.claim import BARRED, HELD, OPEN, Claim, Claimant, claim_all
from sundog.fence.device import FenceFailed, NoAnswer
from sundog.solaris.run import Run, run

LOOK_EACH_S = 10.0
#: A disk that waits for the key of another node is looked at sooner.
AGAIN_S = 1.0
#: For all disks together; a start method waits for its permit for 15 s, and for a look that is under way.
WITHIN_S = 5.0
#: Beside the states of a claim: the disk does not answer; it is not as it has to be.
SILENT, FAILED = "silent", "failed"

Tell = Callable[[str, str, str], None]  # code, severity, text


class Reservations:
    """`lease`: when the lease of this boot ends, if it has its place in the cluster. `members`: who is in that.
    `running`: groups that are, or may be, active here. `condemn` ends the host now. `changed`: the disks are other than
    they were last."""

    def __init__(self, loop: asyncio.AbstractEventLoop, name: str, cluster: Callable[[], Cluster],
                 lease: Callable[[], Optional[float]], members: Callable[[], Collection[str]],
                 running: Callable[[], Collection[str]], condemn: Callable[[], None], changed: Callable[[], None],
                 tell: Tell, run: Run = run) -> None:
        self.loop, self.name, self.cluster, self.lease, self.members = loop, name, cluster, lease, members
        self.running, self.condemn, self.changed, self.tell, self.run = running, condemn, changed, tell, run
        self._states: Dict[str, Tuple[str, str]] = {}   # disk -> how it is, and what was said of it
        self._writers: Set[str] = set()                 # groups that had their permit, or were found running
        self._keyed: Set[str] = set()                   # disks on which our key has been seen
        self._had_right = False
        self._renewals: List[Tuple[float, "asyncio.Future[None]"]] = []
        self._condemned = False
        self._wake = asyncio.Event()
        self._one = asyncio.Lock()

    def adopt(self, groups: Collection[str]) -> None:
        """What ran here before the daemon started may write."""
        self._writers.update(groups)

    @property
    def right(self) -> bool:
        """Has this boot a lease, and its place in the cluster?"""
        until = self.lease()
        return until is not None and self.loop.time() < until

    def follow(self, heard: bool = False) -> None:
        """Called before each step of the core: what has stopped writes no more, and a new right is used at once.

        `heard`: the step is about a frame. These are most, and stop nothing; they may bring the right.
        """
        if heard and self._had_right and not self._renewals:
            return
        if self._writers:
            self._writers.intersection_update(self.running())
        for until, renewed in self._renewals:
            if (self.lease() or 0.0) > until and not renewed.done():
                renewed.set_result(None)
        had, self._had_right = self._had_right, self.right
        if self._had_right and not had:
            self._wake.set()

    async def keep(self) -> None:
        """Look at the disks for ever."""
        while True:
            disks = scsi.all_disks(self.cluster())
            if disks and self.right:
                await self._look(disks)
            opens = any(state == OPEN for state, _ in self._states.values())
            try:
                await asyncio.wait_for(self._wake.wait(), AGAIN_S if opens and self.right else LOOK_EACH_S)
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
        found = await self._look(disks) if disks else {}
        wrong = [one.text for one in found.values() if one.state in (BARRED, FAILED)]
        if wrong:
            raise NotPermitted(f"group {group}: {'; '.join(wrong)}", "sundog fence test tells how the disks are")
        if any(one.put for one in found.values()):
            await self._renewed(group)
        self._writers.add(group)
        return bool(disks)

    async def _renewed(self, group: str) -> None:
        """Wait for a lease for what this node has said after its key was put there (rule 12). Raises NotPermitted.

        It may have been paused just before that, and barred meanwhile: the cluster has gone on without it then.
        """
        timing = self.cluster().timing
        renewal = (self.loop.time() + timing.timeout_s - timing.guard_s, self.loop.create_future())
        self._renewals.append(renewal)
        try:
            await asyncio.wait_for(renewal[1], timing.timeout_s)
        except asyncio.TimeoutError:
            raise NotPermitted(f"group {group}: this node has had no new lease since its key is on the disks",
                               "sundog status tells whether it hears the leader") from None
        finally:
            self._renewals.remove(renewal)

    async def _look(self, disks: Sequence[str]) -> Dict[str, Claim]:
        """Claim the disks, and do what follows of what was found."""
        async with self._one:
            found = await self._claimed(disks)
        for disk, one in found.items():
            self._say(disk, one)
            if one.state in (HELD, OPEN):
                self._keyed.add(disk)
            elif one.state == BARRED and disk in self._keyed and self._writers and self.right:
                self._end(disk)
        return found

    async def _claimed(self, disks: Sequence[str]) -> Dict[str, Claim]:
        name = self.cluster().name
        by = Claimant(name, scsi.key(name, self.name), {node: scsi.key(name, node) for node in self.members()},
                      lambda: self.right and not self._writers, frozenset(self._keyed))
        try:
            outcomes: Mapping[str, Union[Claim, FenceFailed]] = await in_thread(
                self.loop, lambda: claim_all(disks, by, WITHIN_S, self.run))
        except RuntimeError as error:
            # No thread can be had: nothing is known of any disk, and the next look may have one.
            return {disk: Claim(FAILED, f"disk {disk} could not be asked: {error}; prstat -a tells what has so many "
                                "threads") for disk in disks}
        return {disk: one if isinstance(one, Claim)
                else Claim(SILENT if isinstance(one, NoAnswer) else FAILED, str(one)) for disk, one in outcomes.items()}

    def _say(self, disk: str, one: Claim) -> None:
        before, self._states[disk] = self._states.get(disk), (one.state, one.text)
        if self._states[disk] == before:
            return
        self.changed()
        if one.state == HELD:
            self.tell("SCSI-HELD", "notice", f"disk {disk} is reserved, and this node has its key there")
        elif one.state == OPEN:
            self.tell("SCSI-OPEN", "notice", one.text)
        else:
            self.tell("SCSI-KEYLESS", "warning", one.text)

    def _end(self, disk: str) -> None:
        """Another node has taken our key away, and may start what runs here: it cannot go on here."""
        self.condemn()
        if not self._condemned:
            self._condemned = True
            self.tell("SCSI-BARRED", "error", f"the key of this node was taken off disk {disk}: it was fenced, and "
                      "resets itself")
