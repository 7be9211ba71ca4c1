"""Guards of the core, each taken out by one small change of its source. The simulator must miss every one of them.

`survives`: why a core without it breaks nothing that the simulator sees; empty: it must be found out.
"""
from dataclasses import dataclass
from typing import Iterator, Tuple


@dataclass(frozen=True)
class Mutation:
    """In lib/sundog/core/`module`.py, `old` (which stands there once) becomes `new`."""
    module: str
    old: str
    new: str
    survives: str = ""

    @property
    def name(self) -> str:
        return f"{self.module}: {_short(self.old)} -> {_short(self.new)}"

    def applied(self, source: str) -> str:
        """Raises ValueError when the core has changed so that `old` is not there once."""
        if source.count(self.old) != 1:
            raise ValueError(f"core/{self.module}.py has {source.count(self.old)} of {self.old!r}")
        return source.replace(self.old, self.new)


def _short(text: str) -> str:
    return " ".join(text.split()) or "nothing"


def _of(module: str, *changes: Tuple[str, ...]) -> Iterator[Mutation]:
    return (Mutation(module, *change) for change in changes)


AUTHORITY = _of(
    "authority",
    ("0.0 if same_leader else max(0.0, acknowledged_at + promise_s - now)", "0.0"),
    ("acknowledged_at + promise_s - now", "acknowledged_at + promise_s / 2 - now"),
    ("max(0.0, moved_at + promise_s - now)", "0.0"),
    ("return sent_at + authority_s", "return sent_at + 2 * authority_s"),
    ("return sent_at + timeout_s", "return sent_at + 2 * timeout_s"),
    ("default=0) + 1, node)", "default=0), node)"))
HOLDER = _of(
    "holder",
    ("if above > block.mbal:", "if False:"),
    ("self._at = now                                  #", 'self._at = float("-inf")  #'),
    ("(block.bal, block.version) < (known.bal, known.version):", "False:"),
    ("() if best is None else (best,)", "()"),
    ("leader_age_s=max(0.0, now - self._at)", "leader_age_s=max(0.0, now - self._at) + 5.0"),
    ("known is not None and block.mbal == block.bal == known.bal == self.highest()", "known is not None"),
    ("if known is None or not same:\n", "if known is None:\n",
     "defence in depth: a ledger is left out only for a holder that has acknowledged that very version, durably"))
PAXOS = _of(
    "paxos",
    ("key=lambda block: (block.bal, block.version)", "key=lambda block: (block.version, block.bal)",
     "equivalent: a ballot proposes one version beyond what is chosen, so the higher version extends that"),
    ("max(written, key", "min(written, key"),
    ("len(holders) // 2 + 1", "len(holders) // 2"),
    ("max(one.led_at for one", "min(one.led_at for one"),
    (" and self.phase != IDLE and sent.mbal == self.ballot", ""),
    ("reverse=True)[self.majority - 1]\n", "reverse=True)[0]\n"),
    ("versions[self.majority - 1] if", "versions[0] if"),
    ("self.promises, self.acknowledged, self.has_ledger = {}, {}, {}", "self.promises, self.has_ledger = {}, {}"),
    ("self.promises, self.acknowledged, self.has_ledger = {}, {}, {}", "self.acknowledged, self.has_ledger = {}, {}"))
VOTING = _of(
    "voting",
    ("len(writer.promises) + 1 < writer.majority", "len(writer.promises) + 2 < writer.majority"),
    ("if answer is None or not answer.accepted:\n            self._abandon", "if False:\n            self._abandon",
     "defence in depth: phase 2 begins with a write to the same holder, which refuses for the same reason"),
    ("if answer is None or not answer.accepted:\n                self._abandon",
     "if False:\n                self._abandon",
     "defence in depth: a writer's own holder is bound to it for A, and it gives up before that (3 beats, or A)"),
    ("if self.leads and now >= self.leads_until:", "if False:"),
    ("if above > self.writer.ballot or (sent.bal", "if (sent.bal"),
    (" or (sent.bal != sent.mbal and refused_for_s > 0):", ":"),
    ("refused_for_s = max(refused_for_s, self.disks.refuses_for(now, event.holder))", "pass"),
    ("led_at = now - (body.leader_age_s or 0.0)", 'led_at = float("-inf")'),
    ("self.disks.led_at(now, event.holder))", 'float("-inf"))'),
    ("self.led_at = writer.led_at()", "pass"),
    (" or writer.chosen_version() != writer.own.version", ""),
    ("if writer.phase == PREPARING and sent.bal != sent.mbal:", "if writer.phase == PREPARING:",
     "equivalent: a ballot is never prepared again once it was written under"),
    ("self._seen, self.highest)\n        self._seen", "self._seen)\n        self._seen",
     "equivalent: what was seen is never below what was begun, from the start on"),
    ("block = writer.block(self.leads, self.alive)", "block = writer.block(self.leads)",
     "speed: a node without a lease goes on showing a pulse, and its takeover waits until its host is reset"),
    ("sent is None or holder not in self.nodes", "sent is None",
     "defence in depth: a node without a vote is sent no writes and answers none"),
    ("or body.block.writer != sender", "",
     "defence in depth: the link floor authenticates the sender, and every node writes its own block only"))
DISKS = _of(
    "disks",
    ("return max(others,", "return min(others,"),
    ("if block.leads or before is None:", "if before is None:"),
    ("            return self._promise_s\n", "            return 0.0\n",
     "defence in depth: in the answer to its write a challenger sees a leader for the first time, and waits from then"),
    ("top = max(leading", "top = min(leading"))
LEASE = _of(
    "lease",
    ("sent_at + for_s - guard_s", "sent_at + for_s"),
    ("return lease_until if lease_until is not None else standing", "return lease_until",
     "equivalent: within one run of the daemon only a lease sets a deadline, and a lease is never forgotten"),
    ("min(timeout_s, horizon_at - now)", "timeout_s"))
FOLLOWING = _of(
    "following",
    ("if self._beats.pop(grant.seq, None) != grant.sent_at:", "if False:",
     "defence in depth: what was meant for an earlier run is not let through by the link floor, and a lease counts "
     "from when its heartbeat left"),
    ("self.lease_until if self._current and version >= self._newest else None", "self.lease_until"),
    ("if ballot < self.ballot:", "if False:"),
    ("else max(self.lease_until, until)", "else until",
     "availability: a grant that was overtaken shortens the lease until the next one comes"),
    ("min(grant.for_s, self._timing.timeout_s)", "grant.for_s"))
TAKEOVER = _of(
    "takeover",
    ("max(heard_at, others_leases_from) + timeout_s", "heard_at + timeout_s"),
    ("others_leases_from) + timeout_s", "others_leases_from) + 0.8 * timeout_s"),
    ("if now < at else None", "if now < at - 0.1 * timeout_s else None"))
JOIN = _of(
    "join",
    ("member is not None and member.joined and member.boot_id == boot_id\n",
     "member is not None and member.boot_id == boot_id\n"),
    ("member is not None and member.joined and member.boot_id == boot_id\n",
     "member is not None and member.joined\n"),
    (" and entry.epoch == epoch\n", "\n"),
    ('one.state != "stopped" and not _owns', 'one.state != "stopped" and False and not _owns'),
    ("return now < peers.spoke_at(node, member.boot_id) + SILENT_BEATS * timing.beat_s", "return False"),
    ("if twin is not None:", "if False:"),
    ("if other is not None:", "if False:"),
    ("(member.hostid != beat.hostid or is_doubtful", "(is_doubtful",
     "blind spot: storms have no second host of a name"))
PERMITS = _of(
    "permits",
    ("if entry.owner != node or entry.state", "if entry.state",
     "defence in depth: an entry names the boot too, and no two hosts share one"),
    ("entry.owner != node or entry.state not in (STARTING, ONLINE)", "entry.owner != node"),
    ("if entry.boot_id != boot_id:", "if False:"),
    ("if stopping:", "if False:",
     "blind spot: storms run no start method by hand while another method of the same group runs"),
    ("if lease_until is None or now >= lease_until:", "if False:",
     "defence in depth: failfast resets the host when the lease ends, and without a deadline no permit is given"))
AGENT = _of(
    "agent",
    (" and entry.boot_id == self.boot_id and", " and",
     "defence in depth: the change that admits a new boot also frees what was assigned to the earlier one"),
    ('one.epoch != event.epoch or one.state != "starting"', 'one.state != "starting"',
     "defence in depth: the daemon and the simulated SMF report the end of the newest order of a group only"),
    ('one.epoch != event.epoch or one.state not in ("stopping", "failed")', 'one.state not in ("stopping", "failed")',
     "defence in depth: the daemon and the simulated SMF report the end of the newest order of a group only"),
    (' and one.epoch != entry.epoch)):', ")):",
     "availability: a group that failed starts again in place until its owner has told the leader; still one owner"),
    ("elif may_start and (one", "elif (one",
     "availability: by an outdated ledger a node may stop what a newer one assigns to it"),
    ("        if self.fenced:\n", "        if False:\n"),
    ("if may_start and group in self._cluster.groups", "if group in self._cluster.groups",
     "defence in depth: without a lease no start method gets its permit"),
    ('any(one.state != "stopped" for', "any(one.state in _UP for"))
MOVES = _of(
    "moves",
    ('report.epoch == entry.epoch and report.state == "stopped"', 'report.state == "stopped"'),
    ('report.epoch == entry.epoch and report.state == "stopped"',
     'report.epoch == entry.epoch and report.state in ("stopping", "stopped")'),
    ("force=True", "force=False"),
    ("if report.epoch != entry.epoch:", "if False:"),
    (' and current:', ":",
     "choice: a stop that is tried once more is held to have failed by a report from before"),
    ("epoch=entry.epoch + 1", "epoch=entry.epoch"),
    ("state=ONLINE, force=False", "state=ONLINE",
     "defence in depth: after an orderly stop the pool is exported, and -f changes nothing"))
PLAN = _of(
    "plan",
    ("replace(member, joined=False)", "member",
     "defence in depth: what was active on a node that is deposed was reset with it, so it comes back clean"),
    (" or peer.beat.boot_id != entry.boot_id", "",
     "defence in depth: a later boot says nothing of what an earlier one ran, unless it is stopped first"),
    ("_SETTLE_BEATS = 2", "_SETTLE_BEATS = 0",
     "choice: a new leader places groups before it has heard everybody, so not always where they prefer to be"),
    ("if entry.state != OFFLINE or entry.wanted != ONLINE:", "if entry.wanted != ONLINE:"),
    ("if node == view.me or not member.joined:", "if node == view.me:",
     "equivalent but for the journal: who is deposed already is deposed again"),
    (" and entry.boot_id != beat.boot_id:", ":",
     "equivalent: a boot that is not in the cluster owns nothing, for it was freed when that boot was deposed"))
NODE = _of(
    "node",
    ("leadership is None or not self._voting.leading(now):\n            self._guard",
     "leadership is None:\n            self._guard",
     "defence in depth: no grant goes beyond the leader's horizon, for which every later leader waits"),
    ("and join.is_member(node, boot_id, self._voting.writer.own.ledger or self.ledger)", "and True",
     "blind spot: a node with nothing active must be heard again, after L, in the one round that deposes it"),
    ("voting.writer.busy or not voting.leading(now)", "voting.writer.busy",
     "equivalent: a step that finds the authority over ends the leadership before it plans"),
    ("if ledger.version > self.ledger.version:\n            self.ledger", "if True:\n            self.ledger"),
    ("effects.insert(0, Store", "effects.append(Store"),
    ("if self._voting.leads and ballot > self._voting.writer.ballot:", "if False:",
     "speed: a leader that hears of a later one steps down at once, else when its authority has run out"),
    ("        if not self._doubtful(now, event):\n            self._voting.write",
     "        if True:\n            self._voting.write",
     "blind spot: storms have no second host of a name that stays long enough to stand for leader"),
    ("        self._set_deadline(now)\n        self._out += orders",
     "        self._out += orders\n        self._set_deadline(now)",
     "defence in depth: no start method gets its permit before the deadline is set"),
    ("member = self._is_member(event.sender, event.boot_id)", "member = True"),
    ("if voting.leading(now) and self._is_member(self.name, self.boot.boot_id):", "if voting.leading(now):",
     "defence in depth: nothing is assigned to a leader that is no member, and what runs there astray is stopped"))

MUTATIONS: Tuple[Mutation, ...] = tuple(
    one for group in (AUTHORITY, HOLDER, PAXOS, VOTING, DISKS, LEASE, FOLLOWING, TAKEOVER, JOIN, PERMITS, AGENT, MOVES,
                      PLAN, NODE) for one in group)
