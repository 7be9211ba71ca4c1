"""What keeps groups on their way: agents, moves, plans, fences."""
from typing import Tuple

from simulation.mutations.mutation import Mutation, of

AGENT = of(
    "agent",
    ("one.state in _ADOPTED and one.epoch < entry.epoch:", "False:"),
    (" and entry.boot_id == self.boot_id and", " and",
     "defence in depth: the change that admits a new boot also frees what was assigned to the earlier one"),
    ('one.epoch != event.epoch or one.state != "starting"', 'one.state != "starting"',
     "defence in depth: the daemon and the simulated SMF report the end of the newest order of a group only"),
    ('one.epoch != event.epoch or one.state not in ("stopping", "failed")', 'one.state not in ("stopping", "failed")',
     "defence in depth: the daemon and the simulated SMF report the end of the newest order of a group only"),
    (" and one.epoch != entry.epoch)):", ")):"),
    ("elif may_start and (one", "elif (one",
     "availability: by an outdated ledger a node may stop what a newer one assigns to it"),
    ("        if self.fenced:\n", "        if False:\n"),
    ("if may_start and group in self._cluster.groups", "if group in self._cluster.groups"),
    ('any(one.state != "stopped" for', "any(one.state in _UP for"),
    ("return one is None or one.state not in _UP", "return one is not None and one.state not in _UP",
     "equivalent: whoever has the right to start a group that is assigned to it has taken it up earlier in the step"),
    ("if doubtful and self.active:", "if False:"))
MOVES = of(
    "moves",
    ('report.epoch == entry.epoch and report.state == "stopped"', 'report.state == "stopped"'),
    ('report.epoch == entry.epoch and report.state == "stopped"',
     'report.epoch == entry.epoch and report.state in ("stopping", "stopped")'),
    ("force=True", "force=False"),
    ("if report.epoch != entry.epoch:", "if False:"),
    (" and current:", ":",
     "choice: a stop that is tried once more is held to have failed by a report from before"),
    ("epoch=entry.epoch + 1", "epoch=entry.epoch"),
    ("state=ONLINE, force=False", "state=ONLINE",
     "defence in depth: after an orderly stop the pool is exported, and -f changes nothing"))
PLAN = of(
    "plan",
    ("replace(member, joined=False)", "member"),
    (" or peer.beat.boot_id != entry.boot_id", "",
     "defence in depth: a later boot says nothing of what an earlier one ran, unless it is stopped first"),
    ("view.now + _look_again_after(view, draft)", "float(\"inf\")",
     "availability: what changes with time alone, as a failure that is forgotten, waits for something to be reported"),
    ("_SETTLE_BEATS = 2", "_SETTLE_BEATS = 0",
     "choice: a new leader places groups before it has heard everybody, so not always where they prefer to be"),
    ("if entry.state != OFFLINE or entry.wanted != ONLINE:", "if entry.wanted != ONLINE:"),
    ("if node == view.me or not member.joined:", "if node == view.me:",
     "equivalent but for the journal: who is deposed already is deposed again"),
    (" and entry.boot_id != beat.boot_id:", ":"),
    ("view.now > view.peers.spoke_at(node, beat.boot_id) + join.SILENT_BEATS * beat_s", "False",
     "choice: a boot that has just fallen silent is let in, and taken out again L after its last word"),
    ("if join.is_restored(node, beat.boot_id, beat.incarnation, draft.ledger):", "if False:"),
    ("and beat.incarnation > member.incarnation:", "and False:"),
    (" and not view.peers.is_replaced(node, beat.boot_id):", ":"),
    ("(peer.beat is None\n                                  or ", "(False\n                                  or ",
     "availability: a group may go to a node that has not said yet what keeps it from running it"),
    ("if refused.fatal and view.now < _settled_at(view):", "if False:"),
    ("join.left_for(node, refused) if refused.fatal else []", "[]",
     "defence in depth: a host of a member's hostid is refused by the leader before it can lead itself"))
NODE = of(
    "node",
    ("and join.is_member(node, boot_id, self._voting.writer.own.ledger or self.ledger)", "and True"),
    ("voting.writer.busy or not voting.leading(now)", "voting.writer.busy",
     "equivalent: a step that finds the authority over ends the leadership before it plans"),
    ("            if self._proposed:\n", "            if False:\n",
     "defence in depth: where one holder decides alone two ledgers could be chosen in a step; only the last is stored"),
    ("if ledger.version > self.ledger.version:\n            self._peers", "if True:\n            self._peers"),
    ("self._peers.forget_beats(self.name)", "pass"),
    ("if not self._agent.known:", "if False:",
     "defence in depth: a start method asks in the moment between the daemon's socket and what it adopts"),
    ("effects.insert(0, Store", "effects.append(Store"),
    ("        self._out += self._standing.follow(now, self._agent, self.lease_until)\n        self._out += orders",
     "        self._out += orders\n        self._out += self._standing.follow(now, self._agent, self.lease_until)",
     "defence in depth: no start method gets its permit before the deadline is set"),
    ("right_until(self.ledger.version) if self._standing.at is not None else None", "right_until(self.ledger.version)",
     "equivalent: a group that may start counts as active here, so its deadline was set earlier in the step"),
    ("if voting.leading(now) and self._is_member(self.name, self.boot.boot_id):", "if voting.leading(now):",
     "defence in depth: nothing is assigned to a leader that is no member, and what runs there astray is stopped"),
    ("if self._following.doubtful and not join.is_member", "if False and not join.is_member"),
    ("        self._following.doubt()\n", ""),
    ("        self._voting.doubt(now)\n", ""),
    ("if not self._agent.active and not self._fork.forgotten:", "if not self._fork.forgotten:"))
LEADERSHIP = of(
    "leadership",
    ("if now > self._awaited.setdefault(node, now) + _MISSED_BEATS * beat_s:", "if False:"))
PROOFS = of(
    "proofs",
    ("return node, boot_id\n", 'return node, ""\n'),
    ("before.over or event.ok,", "True,"),
    ("self.ordered.discard(boot)", "pass",
     "choice: a fence that an operator asked for is tried until it is done, not once"),
    ("replace(self.courses[boot], over=False, said=said)", "replace(self.courses[boot], said=said)"))
FENCING = of(
    "fencing",
    ("if not required(node, cluster) or proofs.over(node, boot_id):", "if not required(node, cluster):"),
    (' and cluster.recovery.fencing == "required"', " and False"),
    ("if view.proofs.over(node, beat.boot_id):", "if False:",
     "defence in depth: a boot that is over says nothing, unless its device or the operator was wrong"),
    ("return join.WAIT if unfenced else None", "return None"),
    (" \\\n        and not join.is_restored(node, beat.boot_id, beat.incarnation, ledger)\n", "\n"),
    (" and entry.boot_id == boot_id and", " and",
     "equivalent: the change that admits a later boot frees what the ledger had with the earlier one"),
    ("        if member.joined:\n            _of_living", "        if False:\n            _of_living"),
    ("course.at + view.cluster.timing.timeout_s / 2:", "course.at:",
     "availability: a frame that was under way when the host went off refutes its device, which is asked once more"),
    ("if course.running or course.over or any(", "if course.running or any(",
     "defence in depth: whoever asks for a fence asks for no boot that is over, and an order ends with its answer"),
    ("if course.running or course.over or any(", "if course.over or any("),
    ("and said is None and not course.over):", "and said is None):",
     "defence in depth: no device is asked for a boot that is over (_want)"))
FENCE_REQUESTS = of(
    "fence_requests",
    ("if ask.digest != draft.ledger.members[ask.node].boot_id:", "if False:"),
    ("if node == view.me or hears(view, node):", "if node == view.me:"),
    ("for some seconds yet\" if member.joined else None", "for some seconds yet\" if False else None",
     "defence in depth: an operator's word frees nothing of a node that is not deposed yet"),
    ("    if not waiting:", "    if False:"),
    ("if ask.op != FORCED and costs_majority", "if False and costs_majority"),
    ("    if node == view.me:\n        return _no", "    if False:\n        return _no"),
    ("> view.now - view.cluster.timing.timeout_s", "> view.now - 0.1 * view.cluster.timing.timeout_s",
     "defence in depth: a node that was heard lately is in the cluster yet, and of that no word is taken either"))

MUTATIONS: Tuple[Mutation, ...] = tuple(
    one for group in (AGENT, MOVES, PLAN, NODE, LEADERSHIP, PROOFS, FENCING, FENCE_REQUESTS) for one in group)
