"""One host: power, clocks, failfast, and what its disk keeps. The daemon that runs on it is in machine.py."""
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Optional, Set, Tuple

from simulation.smf import Smf
from simulation.timeline import Clock
from sundog.config.model import Cluster, DiskHolder
from sundog.core.effects import Stored
from sundog.core.node import Node
from sundog.core.voters import AFTER_LOSS

if TYPE_CHECKING:
    from simulation.world import World

Call = Tuple[Callable[..., None], Tuple[Any, ...]]


class Host:
    """`key` names the host in the world, `name` is what it calls itself in the cluster: two hosts may use one name."""
    node: Optional[Node]                                # the daemon's, while it runs

    def __init__(self, world: "World", key: str, name: str, hostid: str, clock: Clock) -> None:
        self.world, self.key, self.name, self.hostid, self.clock = world, key, name, hostid, clock
        self.power = self.frozen = False
        self.barred = False                             # its disks refuse what it writes; its addresses are its own
        self.boot = 0                                   # grows at every power-on and power-off
        self.incarnation = 0                            # on disk
        self.files = 1                                  # how many vote files this host has had
        self.stored = Stored(life=f"{key}.1")           # on disk
        self.distrusted = ""                            # why the vote file is not to be trusted
        self.cluster: Optional[Cluster] = None          # on disk, once another than the first was applied
        self.shelf: Set[str] = set()                    # on disk: digests of the configurations kept there
        self.holders: Dict[str, DiskHolder] = {}        # on disk: holders of this and earlier configurations
        self.left = ""                                  # why the daemon has left for good
        self.deadline: Optional[float] = None
        self.smf: Optional[Smf] = None
        self.unfit: Dict[str, str] = {}
        self.troubled_at = float("-inf")                # when its run was last broken: power, freeze, stall, daemon
        self.wall_s = 0.0                               # by how much the wall clock is wrong
        self.lease_gone_at = float("inf")               # true time: a pause has outlasted the lease that it began under
        self.woke_at = float("-inf")                    # by its clock: what was granted for older beats counts no more
        self._suspended = 0                             # how often
        self._failfast_due = float("inf")
        self._held: List[Call] = []

    def start_daemon(self) -> None:
        raise NotImplementedError

    def kill_daemon(self) -> None:
        raise NotImplementedError

    def _resume(self) -> None:
        """The host goes on after a freeze, and the daemon with it."""
        raise NotImplementedError

    # ---- power

    @property
    def boot_id(self) -> str:
        return f"{self.key}.{self.boot}"

    @property
    def can_write(self) -> bool:
        """Could anything here write to a shared disk, now or after a thaw? Past the deadline failfast comes first.

        What was paused with its clock past its lease does write when it goes on, and no lease can help that: it is
        judged by what it starts from then on, and by how long it lasts (I9).
        """
        return self.power and not self.estranged and (self.deadline is None or self.clock.read() < self.deadline)

    @property
    def estranged(self) -> bool:
        return self.power and self.world.now >= self.lease_gone_at

    def power_on(self, active: Tuple[str, ...] = ()) -> None:
        """Boot; `active` groups are started by the host itself, against all rules, before the daemon is there."""
        if self.power:
            return
        self.power, self.left = True, ""
        self.boot += 1
        self.clock.offset = self.world.random.uniform(0, 1e5)
        self.smf = Smf(self)
        for group in active:
            self.smf.start_outside(group)
        self.troubled_at = self.world.now
        self.world.note(self.key, "power on")
        self.start_daemon()

    def power_off(self, why: str = "power cut") -> None:
        if not self.power:
            return
        self.world.note(self.key, why)
        self.kill_daemon()
        groups = self.smf.active if self.smf else []
        self.power = self.frozen = self.barred = False
        self.clock.go_on()
        self.lease_gone_at, self.woke_at = float("inf"), float("-inf")
        self.boot += 1
        self.deadline, self.smf = None, None
        self._held.clear()
        self.world.down(self, groups)

    def bar(self) -> None:
        """Its keys are taken off the shared disks."""
        self.barred, self.troubled_at = True, self.world.now
        self.world.note(self.key, "its disks refuse what it writes")

    def reset(self, why: str) -> None:
        """The host restarts by itself: everything active is gone at once."""
        if self.world.health is not None:
            self.world.health.resets(self, why)
        self.power_off(why)
        self.world.resets += 1
        self.world.timeline.at(self.world.timeline.now + self.world.boot_s(), self._boots, self.boot)

    def _boots(self, boot: int) -> None:
        if self.boot == boot:
            self.power_on()

    # ---- time on this host

    def later(self, delay_s: float, call: Callable[..., None], *args: Any) -> None:
        """In `delay_s` true seconds, unless the power goes; while the host is frozen it waits for the thaw."""
        self.world.timeline.at(self.world.timeline.now + delay_s, self._due, self.boot, call, args)

    def _due(self, boot: int, call: Callable[..., None], args: Tuple[Any, ...]) -> None:
        if boot == self.boot and self.power:
            if self.frozen:
                self._held.append((call, args))
            else:
                call(*args)

    def freeze(self) -> None:
        """Nothing on this host runs, its clock does (rule 12)."""
        if self.power and not self.frozen:
            self.frozen, self.troubled_at = True, self.world.now
            self.world.note(self.key, "frozen")

    def suspend(self) -> None:
        """Nothing on this host runs, nor does its clock (rule 12)."""
        if not self.power or self.frozen:
            return
        self.freeze()
        self.clock.stop()
        self.woke_at = self.clock.read()
        self._suspended += 1
        if self.deadline is not None:
            self.lease_gone_at = min(self.lease_gone_at, self.clock.true(self.deadline))
        self.world.note(self.key, "its clock stands still")

    def set_wall_clock(self, by_s: float) -> None:
        self.wall_s += by_s
        self.troubled_at = self.world.now
        self.world.note(self.key, f"the wall clock is set {by_s:+.3f} s")

    def thaw(self) -> None:
        if not self.frozen:
            return
        self.frozen, self.troubled_at = False, self.world.now
        self.clock.go_on()
        self.world.note(self.key, "thawed")
        if self.estranged:
            self.later(self.world.cluster.timing.timeout_s, self.world.invariants.went_on, self, self.woke_at)
        if self.deadline is not None and self.clock.read() >= self.deadline:
            self.reset("failfast: the deadline passed while the host was frozen")
            return
        self._arm_failfast()
        held, self._held = self._held, []
        for call, args in held:
            if self.power:
                self._due(self.boot, call, args)
        self._resume()

    # ---- failfast

    def _arm_failfast(self) -> None:
        if self.deadline is None:
            return
        due = max(self.clock.true(self.deadline), self.world.timeline.now)
        if due < self._failfast_due:
            self._failfast_due = due
            self.world.timeline.at(due, self._failfast, due)

    def _failfast(self, due: float) -> None:
        if due != self._failfast_due:
            return
        self._failfast_due = float("inf")
        if self.deadline is None or self.frozen or not self.power:
            return
        if self.clock.true(self.deadline) <= self.world.timeline.now + 1e-7:
            self.reset("failfast: the deadline passed")
        else:
            self._arm_failfast()

    # ---- the vote file

    def lose_vote_file(self) -> None:
        """It is gone, and made anew: the incarnation, a file beside it, says that there was one."""
        assert self.node is None
        self.files += 1
        self.stored, self.distrusted = Stored(life=f"{self.key}.{self.files}{AFTER_LOSS}"), ""
        self.world.note(self.key, "the vote file is lost")
        self.world.invariants.forgot(self)

    def put_back(self, older: Stored) -> None:
        """An older copy of the vote file is put back: the incarnation says that it is older."""
        assert self.node is None
        self.stored = older
        self.distrusted = "it is older than the last run of the daemon"
        self.world.note(self.key, "an older vote file is put back")
        self.world.invariants.forgot(self)
