"""What must hold in every world after every step. Judged from the outside: from disks, power, clocks and resources.

I1  no group is active on two machines that can write
I2  no group is active without a deadline in failfast, and no deadline is later than the lease allows
I3  the ledger never forks, never goes back on a node, and nobody takes for chosen what no majority holds
I4  epochs grow with every activation and are never shared
I5  nothing starts without a permit that the newest ledger bears out; -f only when the previous importer cannot write
I6  the ledger moves along LEGAL only, and takes a group from nobody who can still write
I7  no two nodes lead at once
I8  no lease is granted to a node where something is active that the ledger does not assign to it
I9  a host that was paused with its clock past its lease starts nothing, and is gone or has a new lease within L
I10 where the fence is required, no group is taken from a boot that is not known to be over: off by its device, off by
    an operator's word, or followed by a later boot of the same host
I11 a new leader waits for every lease that an earlier one can have granted
I12 a node gives its ledger up for another only when nothing is active there
"""
from typing import TYPE_CHECKING, Dict, Iterable, List, Optional, Sequence, Set, Tuple

from simulation.ballots import Ballots, Forked
from simulation.lanes import Line
from simulation.script import Script
from simulation.storage import Partition, Pool
from sundog.core import effects, frames
from sundog.core.effects import Permit, Stored
from sundog.core.frames import Block
from sundog.core.ledger import LEGAL, OFFLINE, ONLINE, STARTING, STOP_FAILED, GroupEntry, Ledger
from sundog.core.node import Node

if TYPE_CHECKING:
    from simulation.machine import Machine
    from simulation.world import World

NEVER = float("-inf")
_AGE_DRIFT = 0.11                       # two clocks, 5 % off each
#: What two nodes with a ping arbiter give up: their ledger may fork, and is judged by what it leads to alone.
WEAK = frozenset({"I3", "I4", "I5 permit", "I6", "I7", "I8", "I10", "I11"})


class Broken(AssertionError):
    """An invariant does not hold. The text says which, when and what led there.

    `script`, `at` (virtual seconds) and `lanes` are there when a trial broke.
    """
    script: Optional[Script] = None
    at = 0.0
    lanes: Sequence[Line] = ()

    @property
    def rule(self) -> str:
        """What broke: I1 to I12, L1, L2, or a word."""
        return str(self).partition(":")[0]


class Invariants:
    def __init__(self, world: "World", holders: Iterable[str]) -> None:
        self.world = world
        self.ballots = Ballots(holders, self._chosen, self._remembers)
        self.epochs: Dict[str, Tuple[int, str]] = {}            # group -> highest epoch activated, and by which boot
        self._past: Set[str] = set()                            # boots that another one has replaced in the ledger
        self._shown: Dict[str, Ledger] = {}                     # machine -> the ledger it showed last
        self._led_until: Dict[str, float] = {}                  # machine -> until when it led, by its own clock
        self._lease_bound: Dict[str, float] = {}                # machine -> what its grants allow, by its own clock
        self._acknowledged_at: Dict[str, float] = {}            # node -> its newest probe that a majority acknowledged
        self._timing = world.cluster.timing
        self.waived = frozenset() if world.pings is None else WEAK if world.pings.honest else WEAK | {"I1", "I5"}

    def fail(self, rule: str, text: str) -> None:
        if rule in self.waived:
            return
        raise Broken(f"{rule}: {text}\n{self.world.story()}")

    @property
    def latest(self) -> Ledger:
        return self.ballots.latest

    # ---- I1, I2, I5: a resource gets its permit

    def resource_started(self, machine: "Machine", group: str, permit: Permit) -> None:
        self.world.note(machine.key, f"starts {group}.{permit.epoch}" + (" by force" if permit.force else ""))
        for other in self.world.active_on(group):
            if other is not machine and other.can_write:
                self.fail("I1", f"{group} starts on {machine.key} while it is active on {other.key}")
        if machine.estranged:
            self.fail("I9", f"{group} starts on {machine.key}, which was paused past its lease")
        self._permit_is_right(machine, group, permit)
        if machine.deadline is None:
            self.fail("I2", f"{group} starts on {machine.key} without a deadline in failfast")

    def _permit_is_right(self, machine: "Machine", group: str, permit: Permit) -> None:
        entry = self.latest.groups.get(group, GroupEntry())
        right = (permit.group == group and permit.node == machine.name == entry.owner and permit.epoch == entry.epoch
                 and entry.boot_id == machine.boot_id and entry.state != OFFLINE)
        if not right:
            self.fail("I5 permit", f"{machine.key} has {permit}, but the ledger says {entry}")

    def went_on(self, machine: "Machine", woke_at: float) -> None:
        """L after a host that was paused past its lease has gone on; after another pause it is asked anew."""
        if machine.woke_at == woke_at and machine.estranged and machine.smf is not None and machine.smf.active:
            self.fail("I9", f"{machine.smf.active} is active on {machine.key} L after its pause, without a new lease")

    def pool_imported(self, machine: "Machine", pool: Pool, permit: Permit) -> None:
        other = pool.open_elsewhere(machine)
        if other is not None and not machine.estranged:
            self.fail("I5", f"{machine.key} imports {pool.name} (force {permit.force}) while {other.key} has it open")

    # ---- I2: deadlines and leases

    def deadline_set(self, machine: "Machine") -> None:
        active = machine.smf.active if machine.smf else []
        if machine.deadline is None:
            if active:
                self.fail("I2", f"{machine.key} disarms failfast while {active} is active")
            return
        timing = self._timing
        now = machine.clock.read()
        if machine.deadline > now + timing.timeout_s - timing.guard_s + 1e-6:
            self.fail("I2", f"{machine.key} sets its deadline {machine.deadline - now:.3f} s ahead")
        # A leader's own lease is by its last probe that a majority acknowledged, and outlasts its leadership.
        leads_until = NEVER if machine.node is None else machine.node.leads_until
        probed_at = max(self._led_until.get(machine.key, NEVER), leads_until) - timing.authority_s
        bound = max(self._lease_bound.get(machine.key, NEVER), probed_at + timing.timeout_s - timing.guard_s, now)
        if machine.deadline > bound + 1e-6:
            self.fail("I2", f"{machine.key} sets its deadline {machine.deadline - bound:.3f} s beyond its lease")

    def granted(self, machine: "Machine", leader: str, grant: frames.Grant) -> None:
        """A grant has reached a machine: from when its heartbeat left, and never longer than L - guard (rule 3)."""
        # One for a beat of the very instant of a pause may be from before it: then it is forgotten (rule 12).
        for group in machine.smf.active if machine.smf and grant.sent_at > machine.woke_at else []:
            entry = self.latest.groups.get(group, GroupEntry())
            if (entry.owner, entry.boot_id) != (machine.name, machine.boot_id) or entry.state == OFFLINE:
                self.fail("I8", f"{leader} grants {machine.key} a lease while {group} is active there without right")
        timing = self._timing
        until = grant.sent_at + min(grant.for_s, timing.timeout_s) - timing.guard_s
        acknowledged_at = self._acknowledged_at.get(leader, NEVER)
        # An instant from before a pause with the clock has no true time any more.
        by = self.world.machines.get(leader, machine)
        known = grant.sent_at > machine.woke_at and by.clock.read() > by.woke_at + timing.timeout_s \
            and machine.node is not None and machine.node._following._beats.get(grant.seq) == grant.sent_at
        if known and machine.clock.true(until) > acknowledged_at + timing.timeout_s:
            self.fail("I2", f"{leader} grants {machine.key} a lease beyond what its own last acknowledged probe allows")
        self._lease_bound[machine.key] = max(self._lease_bound.get(machine.key, until), until)

    # ---- I3, I6: the ledger

    def stored(self, machine: "Machine", before: Stored) -> None:
        if machine.stored.blocks is before.blocks:
            return
        if machine.distrusted:
            self.fail("I3", f"{machine.key} votes with a vote file that is older than what it acknowledged")
        self._guard(lambda: self.ballots.holder_changed(machine.key, machine.stored.life, dict(before.blocks),
                                                        dict(machine.stored.blocks)))

    def disk_read(self, disk: Partition, block: Block, blocks: Tuple[Block, ...]) -> None:
        self._guard(lambda: self.ballots.read_back(disk.name, disk.life, block, blocks))

    def forgot(self, machine: "Machine") -> None:
        """What the machine had learned is gone with its vote file."""
        self._shown.pop(machine.key, None)

    def gives_up(self, machine: "Machine") -> None:
        """I12, when a daemon is about to set its vote file aside."""
        if machine.smf is not None and machine.smf.active:
            self.fail("I12", f"{machine.key} gives its ledger up while {machine.smf.active} is active there")

    def _remembers(self, holder: str, life: str) -> bool:
        if holder in self.world.partitions:
            return self.world.partitions[holder].life == life
        machine = self.world.machines.get(holder)
        return machine is not None and machine.stored.life == life and not machine.distrusted

    def _guard(self, judge) -> None:  # type: ignore[no-untyped-def]
        try:
            judge()
        except Forked as fork:
            self.fail("I3", str(fork))

    def daemon_started(self, machine: "Machine") -> None:
        self._lease_bound.pop(machine.key, None)
        self._led_until.pop(machine.key, None)

    def stepped(self, machine: "Machine", now: float) -> None:
        """After every step of a node: what it shows must be what the holders have chosen."""
        node = machine.node
        assert node is not None
        ledger = node.ledger
        shown = self._shown.get(machine.key)
        if ledger is not shown:
            self._shown[machine.key] = ledger
            if self.world.pings is not None and node.leader == machine.name:
                self.ballots.follow(ledger)
            if shown is not None and ledger.version < shown.version:
                self.fail("I3", f"{machine.key} goes back from version {shown.version} to {ledger.version}")
            objection = self.ballots.objection(ledger)
            if objection:
                self.fail("I3", f"{machine.key} takes for chosen: {objection}")
        until = node.leads_until
        known = self._led_until.get(machine.key, NEVER)
        if until != known:
            if until > now:
                self._led_until[machine.key] = until
            if known <= now < until:
                self._one_leader(machine)
                self._waits_for_others(machine, node)
            if until > now and until - self._timing.authority_s > machine.woke_at:
                probed_at = machine.clock.true(until - self._timing.authority_s)
                self._acknowledged_at[machine.name] = max(probed_at, self._acknowledged_at.get(machine.name, NEVER))

    def _one_leader(self, machine: "Machine") -> None:
        """I7, when a node begins to lead. The drift of two clocks over one authority is left to them, and a pause with
        the clock that is shorter than the guard.
        """
        for other in self.world.machines.values():
            paused = other.clock.read() < other.woke_at + self._timing.timeout_s
            slack = 0.1 * self._timing.authority_s + (self._timing.guard_s if paused else 0.0)
            if other is not machine and other.node is not None and not other.frozen and not other.stalled \
                    and other.node.leads_until > other.clock.read() + slack:
                self.fail("I7", f"{machine.key} begins to lead while {other.key} leads")

    def _waits_for_others(self, machine: "Machine", node: Node) -> None:
        """I11: what a new leader counts other leaders' leases from is no earlier than their last acknowledged probe."""
        if node.voting.led_at <= machine.woke_at:
            return
        counts_from = machine.clock.true(node.voting.led_at)
        for name, probed_at in self._acknowledged_at.items():
            # A holder measures the age by its own clock: what that is off, the wait that follows is off the other way.
            slack = max(self._timing.guard_s, _AGE_DRIFT * (self.world.now - probed_at))
            if name != machine.name and probed_at > counts_from + slack:
                self.fail("I11", f"{machine.key} leads and waits for leases from {counts_from:.3f} s on, but a "
                                 f"majority has acknowledged {name} at {probed_at:.3f} s")

    def _chosen(self, before: Ledger, after: Ledger) -> None:
        if after.version != before.version + 1:
            self.fail("I6", f"version {after.version} follows {before.version}")
        for name, entry in after.groups.items():
            old = before.groups.get(name, GroupEntry())
            if entry is not old and entry != old:
                force = " force" if entry.force else ""
                self.world.note("ledger", f"v{after.version} {name}: {old.state} {old.owner}.{old.epoch} -> "
                                          f"{entry.state} {entry.owner}.{entry.epoch}{force} ({entry.why})")
                self._legal(name, old, entry)
                self._freed(name, old, entry)
                self._confirmed(name, old, entry, after)
        for node, member in before.members.items():
            later = after.members.get(node, member)
            if later.boot_id != member.boot_id:
                self._past.add(member.boot_id)
                if later.boot_id in self._past:
                    self.fail("I6", f"{node} goes back from {member.boot_id} to {later.boot_id}, an earlier boot")
        self.world.chosen(before, after)

    def _legal(self, name: str, old: GroupEntry, new: GroupEntry) -> None:
        wrong: Optional[str] = None
        if new.epoch == old.epoch:
            if not _reaches(old.state, new.state, starting=False):
                wrong = f"{old.state} -> {new.state} in one epoch"
            elif old.owner != new.owner and old.state != OFFLINE:
                wrong = f"owner {old.owner} -> {new.owner} in one epoch"
        elif new.epoch != old.epoch + 1:
            wrong = f"epoch {old.epoch} -> {new.epoch}"
        elif not (_reaches(old.state, OFFLINE, starting=False) and _reaches(STARTING, new.state, starting=False)):
            wrong = f"{old.state} -> {new.state} with a new epoch"
        if wrong:
            self.fail("I6", f"group {name}: {wrong}")

    def _freed(self, name: str, old: GroupEntry, new: GroupEntry) -> None:
        if old.state == OFFLINE or (new.epoch == old.epoch and new.state != OFFLINE):
            return
        for machine in self.world.active_on(name):
            if machine.name == old.owner and machine.can_write:
                self.fail("I6", f"the ledger takes {name} from {machine.key} ({new.why}), where it is still active")

    def _confirmed(self, name: str, old: GroupEntry, new: GroupEntry, after: Ledger) -> None:
        """I10. Only of what is taken by force: an orderly stop has its owner's word."""
        cluster, owner = self.world.cluster, old.owner
        forced = new.force and not old.force and old.state != OFFLINE
        if not forced or owner not in cluster.fence or cluster.recovery.fencing != "required":
            return
        device, member = self.world.devices[owner], after.members[owner]
        followed = member.boot_id != old.boot_id and member.hostid == device.machine.hostid
        if not followed and not device.confirmed(old.boot_id):
            self.fail("I10", f"the ledger takes {name} from {old.boot_id} ({new.why}) before that is known to be off")

    # ---- I4

    def activated(self, machine: "Machine", effect: effects.Activate) -> None:
        epoch, boot = effect.permit.epoch, machine.boot_id
        known, by = self.epochs.get(effect.group, (0, ""))
        self.world.note(machine.key, f"activate {effect.group}.{epoch}: {effect.permit.why}")
        if epoch < known or (epoch == known and by != boot):
            self.fail("I4", f"{boot} activates {effect.group} with epoch {epoch}; {by} had {known}")
        self.epochs[effect.group] = (epoch, boot)

    # ---- at the end of a healed world

    def online_once(self) -> List[str]:
        """What is not as the operator wants it: sentences, none when all is well."""
        wrong = []
        for name, group in self.world.cluster.groups.items():
            entry = self.latest.groups.get(name, GroupEntry())
            online = [machine.key for machine in self.world.active_on(name) if machine.can_write]
            failed = {failure.node for failure in entry.failures}
            healthy = [node for node in group.nodes if node not in failed and self.world.is_up(node)]
            blocked = entry.state == STOP_FAILED and self.world.cluster.recovery.on_stop_failed == "block"
            wanted = entry.wanted == ONLINE and healthy and not blocked
            if wanted and not (len(online) == 1 and entry.state == ONLINE):
                wrong.append(f"{name} should be online, it is {entry.state} at {entry.owner}, active on {online} "
                             f"({entry.why})")
            if entry.wanted == OFFLINE and online:
                wrong.append(f"{name} should be offline, it is active on {online}")
        return wrong


def _reaches(state: str, end: str, *, starting: bool) -> bool:
    """Do legal changes lead from one state to the other (through a new start only if `starting`)?"""
    seen, todo = {state}, [state]
    while todo:
        for after in LEGAL[todo.pop()]:
            if after not in seen and (starting or after != STARTING):
                seen.add(after)
                todo.append(after)
    return end in seen
