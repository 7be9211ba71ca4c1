"""What keeps two nodes with a ping arbiter (rule 9)."""
from typing import Tuple

from simulation.mutations.mutation import Mutation, of

ARBITER = of(
    "arbiter",
    ("return reached_at >= silent_from", "return True"),
    ("return now < reached_at + authority_s", "return True",
     "defence in depth: a lease counts from the pings, so what old ones choose gives no right; it forks for nothing"),
    ("return min(now, reached_at)", "return now"),
    ("ledger is not None and (ledger.alone == me or 0 < ledger.version <= committed)", "ledger is not None",
     "defence in depth: that the other node is away changes the plan, so the next ledger, a moment later, says it"),
    ("return ledger if ledger.alone == me else replace", "return ledger if True else replace"),
    ("alone=me, version=ledger.version + 1)", "alone=me)",
     "defence in depth: the next ledger, a moment later, has a version of its own"),
    ("max(since, self._peers.last_heard(self.other))", "self._peers.last_heard(self.other)",
     "equivalent: a daemon that has just started stands for leader when its own promise is over, which takes longer"),
    ("SILENT_BEATS = 3", "SILENT_BEATS = 0"),
    ("return max(self.silent_from(), self.reached_since)", "return self.reached_since",
     "defence in depth: until it fell silent the other led by this node's own word, which remembers it"),
    ("return max(self.silent_from(), self.reached_since)", "return self.silent_from()"),
    ("_GAP_BEATS = 1.5", "_GAP_BEATS = 1000"),
    ("return now if voteless or self.absent else None", "return now"),
    ("self.absent = self.absent or voteless or entitled(", "self.absent = True or entitled("))
ALONE = of(
    "alone",
    ("block.ledger is not None and block.ledger.alone == self.name", "False"),
    ("if not self.votes or not voters.votes(", "if not voters.votes(",
     "equivalent: without a vote of this node's own the targets, which speak in the other's place, are no majority"),
    (" or not voters.votes(self.electorate(), voters.ARBITER, voters.PING):", ":",
     "equivalent: the vote of a holder that is not in the electorate is not counted"),
    ("arbiter.may_choose(writer.own.ledger, self.name, writer.committed)", "True",
     "defence in depth: that the other node is away changes the plan, so the next ledger, a moment later, says it"),
    ("return beat.vote == arbiter.NONE", "return False"),
    ("        self.distrust = why\n", "",
     "defence in depth: the other leads until this one has forgotten, and no candidate asks for its vote"))
DOUBLE = of(
    "double",
    ("return alone and vote in (ALONE, LED_ALONE)", "return False"),
    ("if led != (vote == LED_ALONE):", "if False:"),
    ("return me != order[0]", "return False"),
    ("return me != order[0]", "return True"),
    ("return frozenset(active[0] & active[1])", "return frozenset()"),
    ("self.doubled |= both", "pass"),
    ("if ledger.groups.get(name, GroupEntry()).wanted != OFFLINE)", "if True)"),
    ("if ledger.alone != alone:", "if False:"),
    ('me if view.absent else ""', "me if view.absent else ledger.alone"),
    ('if one.state != "stopped" and ledger', "if False and ledger"),
    ("for name, address in view.answering.items()", "for name, address in {}.items()"))
OTHERS = (
    *of("voting",
        (" or self.alone:", ":",
         "defence in depth: both know of the fork by a heartbeat; what it acknowledged before goes on"),
        ("if voters.ARBITER in writer.promises and not", "if False and not"),
        ("if holder == self.arbiter.other and", "if False and")),
    *of("hearing",
        ("isinstance(body, (Grant, Elected, LedgerIs)) and self._voting.alone", "False",
         "choice: it follows the other a beat before it knows of the fork; who gives way forgets anyway"),
        ("voting.give_way(now, self._fork.gives_way)", "pass",
         "defence in depth: all that it runs is being stopped, and its ledger forgotten before anything begins again"),
        ("self._out += self._agent.stop_all(self._fork.gives_way, self._following.doubtful)", "pass",
         "defence in depth: the other's refusal of what is active without right stops it a beat later")),
    *of("plan",
        ("beat.vote in (arbiter.ALONE, arbiter.LED_ALONE)", "False",
         "defence in depth: what it runs keeps it out, and when nothing is active any more it forgets at once"),
        ("settled_at = max(settled_at, view.led_at + view.cluster.timing.timeout_s)", "pass")))

MUTATIONS: Tuple[Mutation, ...] = (*ARBITER, *ALONE, *DOUBLE, *OTHERS)
