"""What keeps the right to have groups active: leases, deadlines, permits, who is in the cluster and who is out."""
from typing import Tuple

from simulation.mutations.mutation import Mutation, of

LEASE = of(
    "lease",
    ("sent_at + for_s - guard_s", "sent_at + for_s"),
    ("return lease_until if lease_until is not None else standing", "return lease_until",
     "equivalent: within one run of the daemon only a lease sets a deadline, and a lease is never forgotten"),
    ("min(timeout_s, horizon_at - now)", "timeout_s"))
FOLLOWING = of(
    "following",
    ("if self._beats.pop(grant.seq, None) != grant.sent_at:", "if False:",
     "defence in depth: what was meant for an earlier run is not let through by the link floor, and a lease counts "
     "from when its heartbeat left"),
    ("self.lease_until if self._current and version >= self._newest else None", "self.lease_until"),
    (" and version >= self._newest else", " else"),
    ("if ballot < self.ballot:", "if False:"),
    ("else max(self.lease_until, until)", "else until",
     "availability: a grant that was overtaken shortens the lease until the next one comes"),
    ("min(grant.for_s, self._timing.timeout_s)", "grant.for_s",
     "defence in depth: whoever leads grants no more than L either (lease.granted_for), and L is one in a cluster"),
    ("if self.lease_until is None or self.doubtful else", "if self.lease_until is None else",
     "blind spot: it takes a pause, then a leader whose authority has nearly run out when it grants, and its death"),
    ("if self.doubtful and for_s < _WORTH * self._timing.timeout_s:", "if False:",
     "availability: a short first grant after a jump of the clock takes the place of a longer lease"),
    ("self._beats.clear()\n", "pass\n"),
    ("self._beats.clear()\n        self._current = False", "self._beats.clear()"),
    ("self.doubtful = self.lease_until is not None", "self.doubtful = False"))
STANDING = of(
    "standing",
    (" and agent.known and not agent.active", " and not agent.active",
     "defence in depth: the daemon tells the core what runs before anything else"))
JUMPS = of(
    "jumps",
    ("before > guard_s else 0.0", "before > 10 * guard_s else 0.0"),
    ("if offset < before or by_s", "if by_s"),
    ("steady - began_at > self._window_s", "False"))
TAKEOVER = of(
    "takeover",
    ("max(heard_at, others_leases_from) + timeout_s", "heard_at + timeout_s"),
    ("others_leases_from) + timeout_s", "others_leases_from) + 0.8 * timeout_s"),
    ("if now < at else None", "if now < at - 0.1 * timeout_s else None"))
JOIN = of(
    "join",
    ("member is not None and member.joined and member.boot_id == boot_id\n",
     "member is not None and member.boot_id == boot_id\n"),
    ("member is not None and member.joined and member.boot_id == boot_id\n",
     "member is not None and member.joined\n"),
    (" and entry.epoch == epoch\n", "\n",
     "defence in depth: the ledger gives a boot a later epoch of a group only when that boot has reported it stopped"),
    ('one.state != "stopped" and not _owns', 'one.state != "stopped" and False and not _owns'),
    ("return now < peers.spoke_at(node, member.boot_id) + SILENT_BEATS * timing.beat_s", "return False"),
    ("if twin is not None:", "if False:"),
    ("if now > peers.spoke_at(twin, ledger.members[twin].boot_id) + SILENT_BEATS * timing.beat_s:", "if False:"),
    ("if member is not None and member.joined and is_restored(", "if False and is_restored("),
    ("if other is not None:", "if False:"),
    ("(member.hostid != beat.hostid or is_doubtful", "(is_doubtful"),
    ("member.boot_id != boot_id and member.incarnation >= incarnation",
     "member.boot_id != boot_id and member.incarnation > incarnation"))
PERMITS = of(
    "permits",
    ("if entry.owner != node or entry.state", "if entry.state",
     "defence in depth: an entry names the boot too, and no two hosts share one"),
    ("entry.owner != node or entry.state not in (STARTING, ONLINE)", "entry.owner != node",
     "defence in depth: in the very step in which a node learns of such a state the group is being stopped there, "
     "or is not active, and then no permit is given either"),
    ("if entry.boot_id != boot_id:", "if False:",
     "defence in depth: the change that lets a boot have a lease frees what the ledger had with the earlier one"),
    ("if stopping:", "if False:"),
    ("if lease_until is None or now >= lease_until:", "if False:"))
MEMBERSHIP = of(
    "membership",
    ("if old is not None and old.boot_id == boot_id and (old.incarnation, old.seq) >= (incarnation, body.seq):",
     "if False:",
     "defence in depth: reports are of an epoch and go one way within it, and the next heartbeat puts the rest right"),
    ("max(peer.boots.get(boot_id, NEVER), peer.pulse_at)", "peer.boots.get(boot_id, NEVER)",
     "defence in depth: a node that is seen on disks alone gets no lease, and the one it had is over in the same L"))
HEARING = of(
    "hearing",
    ("leadership is None or not self._voting.leading(now):\n            self._guard",
     "leadership is None:\n            self._guard",
     "defence in depth: no grant goes beyond the leader's horizon, for which every later leader waits"),
    ("member = self._is_member(event.sender, event.boot_id)", "member = True"),
    ("if self._voting.leads and ballot > self._voting.writer.ballot:", "if False:",
     "speed: a leader that hears of a later one steps down at once, else when its authority has run out"),
    ('if body.boot_id not in ("", self.boot.boot_id):', "if False:"),
    ("if self._following.holds(now) and not self._following.doubtful:", "if False:"),
    ("        if not self._doubtful(now, event):\n            self._voting.write",
     "        if True:\n            self._voting.write"),
    ("        if not self._doubtful(now, event):\n            self._voting.answered",
     "        if True:\n            self._voting.answered"),
    (" \\\n            or join.is_restored(*of, event.incarnation, self.ledger)", ""))

MUTATIONS: Tuple[Mutation, ...] = tuple(
    one for group in (LEASE, FOLLOWING, STANDING, JUMPS, TAKEOVER, JOIN, PERMITS, MEMBERSHIP, HEARING) for one in group)
