"""What keeps the ledger one, and leaders one after another."""
from typing import Tuple

from simulation.mutations.mutation import Mutation, of

AUTHORITY = of(
    "authority",
    ("0.0 if same_leader else max(0.0, acknowledged_at + promise_s - now)", "0.0"),
    ("acknowledged_at + promise_s - now", "acknowledged_at + promise_s / 2 - now"),
    ("max(0.0, moved_at + promise_s - now)", "0.0"),
    ("return sent_at + authority_s", "return sent_at + 2 * authority_s"),
    ("return sent_at + timeout_s", "return sent_at + 2 * timeout_s"),
    ("default=0) + 1, node)", "default=0), node)"))
HOLDER = of(
    "holder",
    ("if above > block.mbal:", "if False:"),
    ("self._at = now                                  #", 'self._at = float("-inf")  #'),
    ("(block.bal, block.version) < (known.bal, known.version):", "False:"),
    ("() if best is None else (best,)", "()"),
    ("leader_age_s=max(0.0, now - self._at)", "leader_age_s=max(0.0, now - self._at) + 5.0"),
    ("known is not None and block.mbal == block.bal == known.bal == self.highest()", "known is not None"),
    ("if known is None or not same:\n", "if known is None:\n",
     "defence in depth: a ledger is left out only for a holder that has acknowledged that very version, durably"),
    ("paxos.merged(known, block)", "block"))
PAXOS = of(
    "paxos",
    ("key=lambda block: (block.bal, block.version)", "key=lambda block: (block.version, block.bal)",
     "equivalent: a ballot proposes one version beyond what is chosen, so the higher version extends that"),
    ("max(written, key", "min(written, key"),
    ("if (kept.bal, kept.version) > (block.bal, block.version):", "if False:"),
    ("replace(block, mbal=kept.mbal) if kept.mbal > block.mbal else block", "block"),
    ("return voters.in_force(found.ledger if found is not None else None, before)", "return (before,)"),
    ("required((one.newest for one in promises.values() if one.newest is not None), self.configured)",
     "(self.configured,)"),
    ("return voters.in_force(self.own.ledger, self.configured)", "return (self.configured,)"),
    ("max(one.led_at for one", "min(one.led_at for one"),
    (" and self.phase != IDLE and sent.mbal == self.ballot", ""),
    ("or self.own.version != self.committed", ""),
    ("if known is None or known.life != life:", "if known is None:"),
    ("self.promises, self.acknowledged, self.has_ledger = {}, {}, {}", "self.promises, self.has_ledger = {}, {}"),
    ("self.promises, self.acknowledged, self.has_ledger = {}, {}, {}", "self.acknowledged, self.has_ledger = {}, {}"))
VOTERS = of(
    "voters",
    ("return (ledger.voters, ledger.next_voters) if ledger.next_voters else (ledger.voters,)",
     "return (ledger.next_voters or ledger.voters,)"),
    ("return (ledger.voters, ledger.next_voters) if ledger.next_voters else (ledger.voters,)",
     "return (ledger.voters,)"),
    ("not life.endswith(AFTER_LOSS) if named == ANY", "True if named == ANY"),
    ("named == life != NOBODY", "True"),
    ("named == life != NOBODY", "named == life"),
    ("len(voters) // 2 + 1", "len(voters) // 2"),
    ("len(voters) // 2 + 1", "(len(voters) + 1) // 2"),
    ("counted[majority(voters) - 1]", "counted[0]"),
    ("min(lowest, value)", "max(lowest, value)"),
    (" and counts(voters[holder], life)", ""),
    ("len(set(voters) - out) >= majority(voters)", "True"),
    ('return f"{node}/{life}"', "return node"))
ELECTORATE = of(
    "electorate",
    ("for name in wanted}))", "for name in wanted if name in present.answering}))"),
    ("replace(ledger, next_voters=goal)", "replace(ledger, voters=goal)"),
    ("    if awaited:", "    if False:"),
    ("if not present.agreed:", "if False:"),
    ("Step(ledger, why) if why is not None else Step(", "Step("),
    ("if new else ledger", "if False else ledger"),
    ("if life is not None and ledger.distrusted.get(name) != life:", "if life is not None:"),
    ("if goal.keys() != ledger.voters.keys() else None", "if False else None"))
VOTING = of(
    "voting",
    ("not writer.elected(Promise(paxos.newest(self.blocks.values()), now, self.life))",
     "not writer.elected(Promise(None, now, self.life))"),
    ("writer.block(self.leads))\n        if answer is None or not answer.accepted:",
     "writer.block(self.leads))\n        if answer is None:",
     "defence in depth: phase 2 begins with a write to the same holder, which refuses for the same reason"),
    ("self._own(now, writer.own)\n            if answer is None or not answer.accepted:",
     "self._own(now, writer.own)\n            if False:",
     "defence in depth: a writer's own holder is bound to it for A, and it gives up before that (3 beats, or A)"),
    ("if writer.carried_on().version < self.ledger.version:", "if False:"),
    ("if self.leads and now >= self.leads_until:", "if False:"),
    ("if above > self.writer.ballot or (sent.bal", "if (sent.bal"),
    (" or (sent.bal != sent.mbal and refused_for_s > 0):", ":"),
    ("refused_for_s = max(refused_for_s, self.disks.refuses_for(now, event.holder))", "pass"),
    ("led_at = now - (body.leader_age_s or 0.0)", 'led_at = float("-inf")'),
    ("self.disks.led_at(now, event.holder), event.life)", 'float("-inf"), event.life)'),
    ("self.led_at = writer.led_at()", "pass"),
    (" or writer.chosen_version() != writer.own.version", ""),
    ("if writer.phase == PREPARING and sent.bal != sent.mbal:", "if writer.phase == PREPARING:",
     "equivalent: a ballot is never prepared again once it was written under"),
    ("self._seen, self.highest)\n        self._seen", "self._seen)\n        self._seen",
     "equivalent: what was seen is never below what was begun, from the start on"),
    ("block = self.writer.block(self.leads, self.alive)", "block = self.writer.block(self.leads)",
     "speed: a node without a lease goes on showing a pulse, and its takeover waits until its host is reset"),
    ("or body.block.writer != sender", "",
     "defence in depth: the link floor authenticates the sender, and every node writes its own block only"),
    ("or self.distrust or body.block.writer", "or body.block.writer"),
    ("if self.distrust or self._holder is None or", "if self._holder is None or"),
    ("if ledger.distrusted.get(self.name) == self.life and not self.distrust:", "if False:"),
    (' or self.suspects.get(holder) == body.life != "":', ":"),
    ("self.suspects[holder] = life", "pass"),
    ("        if self.writer.phase == WRITING:\n            self._abandon(now, 0.0)\n\n    def doubt",
     "\n    def doubt"))
DISKS = of(
    "disks",
    ("return max(others,", "return min(others,"),
    ("if before is None or block.led != before.led:", "if before is None:"),
    ("            return self._promise_s\n", "            return 0.0\n",
     "defence in depth: in the answer to its write a challenger sees a leader for the first time, and waits from then"),
    ("top = max(leading", "top = min(leading"),
    ("if disk.life != life:", "if False:"))

MUTATIONS: Tuple[Mutation, ...] = tuple(
    one for group in (AUTHORITY, HOLDER, PAXOS, VOTERS, ELECTORATE, VOTING, DISKS) for one in group)
