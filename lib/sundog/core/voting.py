"""This node's part in the vote: it is a holder, may stand as a candidate, and leads while majorities acknowledge it.

Effects are appended to the list that the node gives; `chosen` and `elected` tell the node what came of a step.
"""
from dataclasses import replace
from typing import Dict, Iterable, List, Mapping, Optional, Set, Tuple

from sundog.config.model import Cluster
from sundog.core import arbiter, authority, passive, paxos, turns, voters
from sundog.core.alone import Alone
from sundog.core.disks import Disks
from sundog.core.effects import Effect, Journal, Send, Stored, WriteDisk
from sundog.core.events import Boot, DiskAnswered
from sundog.core.frames import Ballot, Block, Blocks, Write
from sundog.core.holder import Holder
from sundog.core.ledger import Ledger
from sundog.core.membership import Membership
from sundog.core.paxos import IDLE, PREPARING, WRITING, Promise, Sent, Writer

_NUMBERS = 1_000_000                    # requests and counters of one incarnation
_PATIENCE_BEATS = 3
_YIELD = 2                              # beats, for a candidate that has our promise
_ANSWERS_COUNT_FOR = 0.5                # of L: a holder that acknowledged us so lately is one that answers
_FORGOTTEN = "remove /var/sundog/ledger on {node} and restart its coordinator: it comes back with a new life"


class Voting(Alone):
    def __init__(self, cluster: Cluster, name: str, boot: Boot, stored: Stored, peers: Membership,
                 out: List[Effect]) -> None:
        self._peers = peers
        self.arbiter = arbiter.Arbiter(cluster, name, peers)
        self.name, self.run, self._out, self._timing = name, (name, boot.boot_id), out, cluster.timing
        self.life = stored.life
        self.distrust = stored.distrust or boot.distrust    # why this life never votes again
        self.ledger = stored.ledger                     # the newest that the node knows to be chosen
        self.disks = Disks((), name, cluster.timing.authority_s)
        self.writer = Writer(name, voters.configured(cluster), stored.blocks.get(name, Block(name)),
                             boot.incarnation * _NUMBERS)
        self.lives: Dict[str, str] = {}                 # holder -> the life that answered last
        self.suspects: Dict[str, str] = {}              # lives that have forgotten what they acknowledged
        self._strange: Set[Tuple[str, str]] = set()     # holders of another life that were told of
        self.configure(cluster)
        self.highest: Ballot = stored.highest           # begun by us
        self._seen: Ballot = stored.highest             # begun by anybody
        self.blocks = stored.blocks
        self._holder: Optional[Holder] = None
        self._refused: Set[str] = set()
        self._back_off_until = float("-inf")
        self._attempts = 0                              # that came to nothing, since a leader was last seen
        self._abandoned_at = float("-inf")
        self._renewed_at = float("-inf")                # when the last ballot was begun in the middle of a leadership
        self.leader_seen_at = float("-inf")             # when the node last heard of another leader
        self.leads_until = float("-inf")
        self.acknowledged_at = float("-inf")            # send time of the newest probe that a majority acknowledged
        self.led_at = float("-inf")                     # of leaders before us, on our clock
        self.leads = self.elected = False
        self.alive = False                              # we hold a lease, or what needs one: show a pulse on the disks
        self.led = False                                # in this run of the daemon
        self.chosen: Optional[Ledger] = None

    def leading(self, now: float) -> bool:
        return self.leads and now < self.leads_until

    def start(self, now: float) -> None:
        """The first step of this machine: from now on it is a holder."""
        self.arbiter.start(now)
        if self._holder is None:
            self._holder = Holder(now, self.blocks, self._timing.authority_s, self.life)
            self._say_distrust()

    # ---- who votes

    def configure(self, cluster: Cluster) -> None:
        """The nodes and disks of a configuration; disks that it names no more are kept while the ledger may."""
        self._cluster = cluster
        self.arbiter.configure(cluster)
        earlier = {*self.disks.by_name, *cluster.retired}
        if self.ledger.voters:
            earlier &= {name for one in self.electorate() for name in one}
        self.disks.follow(sorted({*cluster.holders, *cluster.beating, *earlier}))
        self._idle = {name: holder.idle for name, holder in {**cluster.retired, **cluster.holders}.items()}
        nodes = cluster.nodes
        self._stagger_s = cluster.timing.timeout_s * turns.stagger(
            self.name, nodes, self._voting_nodes(), voters.needs(self.electorate(), nodes))

    def electors(self, turn: int) -> List[str]:
        """Others of which one may lead next, some a turn: with a vote, or any where passive holders may do alone."""
        who = self._nodes() if voters.needs(self.electorate(), self._cluster.nodes) \
            else [node for node in self._cluster.nodes if node != self.name]
        return turns.electors(who, turn)

    def learned(self, ledger: Ledger) -> None:
        """The node knows of a newer chosen ledger."""
        self.ledger = ledger
        if ledger.distrusted.get(self.name) == self.life and not self.distrust:
            self.distrust = "the cluster has found it to be older than what this node acknowledged"
            self._say_distrust()
        self.configure(self._cluster)

    def electorate(self) -> Tuple[voters.Lives, ...]:
        """The sets that vote, as far as this node knows."""
        return voters.in_force(self.ledger, self.writer.configured)

    @property
    def votes(self) -> bool:
        return not self.distrust and voters.votes(self.electorate(), self.name, self.life)

    def answering(self, now: float) -> Mapping[str, str]:
        """The holders that acknowledge us at present, with their lives; the arbiter has always its one."""
        found = self.writer.answering(now - _ANSWERS_COUNT_FOR * self._timing.timeout_s)
        return found if self._cluster.arbiter is None else {**found, voters.ARBITER: voters.PING}

    def ages(self, now: float) -> Mapping[str, float]:
        """Seconds since each holder acknowledged something of this ballot, by its send time."""
        return {name: now - one.at for name, one in self.writer.acknowledged.items()}

    def _nodes(self) -> List[str]:
        """The other nodes to write to."""
        return sorted(self._voting_nodes(self.writer.sets) - {self.name})

    def _voting_nodes(self, sets: Iterable[voters.Lives] = ()) -> Set[str]:
        """The nodes that vote, by the ledger or one of the sets, and those that the configuration wants to."""
        named = {name for one in (*self.electorate(), *sets) for name in one}
        return named.union(voters.wanted(self._cluster)).intersection(self._cluster.nodes)

    def _say_distrust(self) -> None:
        if self.distrust:
            self._say("VOTE-DISTRUSTED", "error", f"{self.name} does not vote: {self.distrust}; "
                      + _FORGOTTEN.format(node=self.name))

    def _say(self, code: str, severity: str, text: str, node: str = "") -> None:
        self._out.append(Journal(code, severity, text, "", node or self.name))

    def _look_at_life(self, holder: str, life: str) -> None:
        """Say once of a holder that it has lost what it kept, when a candidate meets it: no leader may be there to."""
        self.lives[holder] = life
        sets = [one for one in self.electorate() if holder in one]
        if not sets or voters.votes(sets, holder, life) or (holder, life) in self._strange \
                or any(one[holder] == voters.NOBODY for one in sets):
            return
        self._strange.add((holder, life))
        self._say("VOTE-FORGOTTEN", "warning", f"{holder} has another life ({life}) than the ledger names: it has no "
                  "vote until a leader, chosen by the others, takes it in again", holder)

    # ---- as a holder

    def write(self, now: float, sender: str, boot_id: str, body: Write) -> None:
        """Another node writes its block here."""
        if self._holder is None or self.distrust or body.block.writer != sender or self.alone:
            return
        self._seen = max(self._seen, body.block.mbal)
        answer = self._holder.write(now, (sender, boot_id), body.request, body.block)
        self.blocks = self._holder.blocks
        if answer is not None:
            if answer.accepted and body.block.mbal != body.block.bal:
                # It asks for our vote and has it: stand in nobody's way until it must have what it needs.
                self._back_off_until = max(self._back_off_until, now + _YIELD * self._timing.beat_s)
            self._out.append(Send(sender, answer))

    def _own(self, now: float, block: Block) -> Optional[Blocks]:
        """Write our own block into our own part as a holder, the same way."""
        assert self._holder is not None
        answer = self._holder.write(now, self.run, 0, block)
        self.blocks = self._holder.blocks
        return answer

    # ---- as a candidate

    @property
    def quiet_until(self) -> float:
        """Not before then can it be time to stand: another leader was heard of."""
        return self.leader_seen_at + self._timing.authority_s

    def stand_at(self) -> float:
        """The instant at which this node stands for leader, if nothing changes until then."""
        if self.distrust or self._holder is None or self.writer.phase != IDLE:
            return float("inf")
        free_at = max(self._holder.free_at(self.run), self._disks_free_at())
        return max(free_at, self.quiet_until, self._back_off_until) + self._stagger_s

    def _disks_free_at(self) -> float:
        """When enough disks let a candidate in, if all nodes do."""
        at = float("-inf")
        for one in self.electorate():
            free = sorted(self.disks.free_at(name) for name in one if name in self.disks.by_name)
            needed = voters.majority(one) - sum(name in self._cluster.nodes for name in one)
            if 0 < needed <= len(free):
                at = max(at, free[needed - 1])
        return at

    def _stand(self, now: float) -> None:
        """Phase 1 at everybody else; our own part begins the ballot when the others have."""
        signature = voters.signature(self.name, self.life)
        self.highest = authority.next_ballot(signature, self._seen, self.highest)
        self._seen = self.highest
        self.writer.begin(now, self.highest)
        self._refused = set()
        self._round(now)
        self._arbitrate(now)
        self._prepared(now)

    def _prepared(self, now: float) -> None:
        """With all but our own promise there, give our own and go on to phase 2."""
        writer = self.writer
        if writer.phase != PREPARING \
                or not writer.elected(Promise(paxos.newest(self.blocks.values()), now, self.life)):
            return
        answer = self._own(now, writer.block(self.leads))
        if answer is None or not answer.accepted:
            self._abandon(now, 0.0)
            return
        newest = paxos.newest(answer.blocks)
        writer.promised(self.name, Promise(newest, now - (answer.leader_age_s or 0.0), self.life))
        if writer.carried_on().version < self.ledger.version:
            # A majority has forgotten what this node knows to be chosen: nothing is built on that.
            self._abandon(now, 0.0)
            return
        if not self.leads:
            self.led_at = writer.led_at()
        ledger = writer.carried_on()
        if voters.ARBITER in writer.promises and not voters.agree(
                writer.sets, {name: one.life for name, one in writer.promises.items() if name != voters.ARBITER}):
            self.arbiter.absent = True
            ledger = arbiter.marked(ledger, self.name)
        writer.propose(ledger)
        writer.begun_at = now
        self._round(now)

    def _abandon(self, now: float, for_s: float) -> None:
        """Give this ballot up, and leadership if it is not assured by an earlier one; stand again later."""
        self.writer.stop()
        self._attempts = 1 if self.leader_seen_at > self._abandoned_at else self._attempts + 1
        self._abandoned_at = now
        beats = 1 + (self._attempts - 1) % 4
        self._back_off_until = max(self._back_off_until, now + max(for_s, beats * self._timing.beat_s))

    # ---- writes

    def propose(self, now: float, ledger: Ledger) -> None:
        """One change of the ledger: the next phase 2. Only while leading and not busy."""
        self.writer.propose(ledger)
        self._round(now)

    def _round(self, now: float) -> None:
        """One write to every holder: our own first, so that nobody has what we could forget."""
        writer = self.writer
        if writer.phase == WRITING:
            answer = self._own(now, writer.own)
            if answer is None or not answer.accepted:
                self._abandon(now, 0.0)
                return
            writer.accepted(self.name, self.life, Sent(now, writer.own.mbal, writer.own.bal, writer.own.version))
        leads = self.leads or writer.phase == WRITING
        block = writer.block(leads, leads or self.alive)
        request = writer.sending(now, block)
        bare = replace(block, ledger=None)
        for node in self._nodes():
            if writer.phase == WRITING:
                has = writer.has_ledger.get(node) == block.version
                self._out.append(Send(node, Write(request, bare if has else block)))
            elif node not in writer.promises:
                self._out.append(Send(node, Write(request, block)))
        for disk in self.disks.by_name:
            if writer.phase == WRITING or (disk not in writer.promises and not self.disks.refuses_for(now, disk)):
                self._out.append(WriteDisk(disk, request, block))
        if writer.phase == WRITING:
            self._arbitrate(now)
            self._settle(now)

    def beat(self, now: float) -> None:
        """Each L/10: probe, ask again, or keep an eye on the disks."""
        writer = self.writer
        trying = writer.phase == PREPARING or (writer.phase == WRITING and not self.leads)
        if trying and now > writer.begun_at + _PATIENCE_BEATS * self._timing.beat_s:
            self._abandon(now, 0.0)
        if writer.phase != IDLE:
            self._round(now)
        else:
            for name in self.disks.by_name:
                self._look(now, name)

    def _look(self, now: float, name: str) -> None:
        """An idle node's beat at a passive holder."""
        way, beat_s = self._idle.get(name, passive.PULSE), self._timing.beat_s
        if way == passive.PULSE:
            block = self.writer.block(self.leads, self.alive)
            self._out.append(WriteDisk(name, self.writer.sending(now, block), block))
        elif passive.reads(way, now, self.disks.by_name[name].read_at, self.leader_seen_at, beat_s):
            self._out.append(WriteDisk(name, 0, None))

    def check(self, now: float) -> None:
        """Step down when the authority has run out; stand when it is time."""
        if self.leads and now >= self.leads_until:
            self.resign(now)
        if now >= self.quiet_until and now >= self.stand_at():
            self._stand(now)

    def resign(self, now: float) -> None:
        """No longer the leader: a majority has not acknowledged us in time, or another leads."""
        self.leads = False
        self.leads_until = min(self.leads_until, now)
        if self.writer.phase == WRITING:
            self._abandon(now, 0.0)

    def doubt(self, now: float) -> None:
        """Rule 12: how old our probes are is not known any more; stand again at once with a ballot of our own."""
        if self.leads or self.writer.phase != IDLE:
            self._abandon(now, 0.0)
            self._back_off_until = now
        self.resign(now)

    # ---- answers

    def answered(self, now: float, holder: str, body: Blocks) -> None:
        """A node's daemon answers as a holder."""
        sent = self.writer.sent(body.request)
        above = max((block.mbal for block in body.blocks), default=self._seen)
        self._seen = max(self._seen, above)
        self._look_at_life(holder, body.life)
        if sent is None or self.suspects.get(holder) == body.life != "":
            return
        if body.need_ledger:
            self._forgot(holder, body)
            self.writer.has_ledger.pop(holder, None)
            block = self.writer.block(True)
            self._out.append(Send(holder, Write(self.writer.sending(now, block), block)))
        elif not body.accepted:
            self._refuse(now, holder, above, body.refused_for_s)
        else:
            led_at = now - (body.leader_age_s or 0.0)
            self._accept(now, holder, sent, Promise(paxos.newest(body.blocks), led_at, body.life))

    def disk_answered(self, now: float, event: DiskAnswered) -> List[str]:
        """A disk was written and read; returns the nodes whose pulse was seen on it."""
        if event.blocks is None or event.holder not in self.disks.by_name:
            return []
        refused_for_s = self.disks.refuses_for(now, event.holder)
        moved = self.disks.read(now, event.holder, event.life, event.blocks)
        self._look_at_life(event.holder, event.life)
        # Our own slot too: an earlier life of ours may have begun a ballot that we have forgotten.
        above = max((block.mbal for block in event.blocks), default=self.disks.highest(event.holder))
        self._seen = max(self._seen, above)
        sent = self.writer.sent(event.request)
        if sent is not None:
            # The leader's counter must not have moved in this read either, which follows our own write.
            refused_for_s = max(refused_for_s, self.disks.refuses_for(now, event.holder))
            if above > self.writer.ballot or (sent.bal != sent.mbal and refused_for_s > 0):
                self._refuse(now, event.holder, above, refused_for_s)
            else:
                promise = Promise(paxos.newest(event.blocks), self.disks.led_at(now, event.holder), event.life)
                self._accept(now, event.holder, sent, promise)
        return [writer for writer in moved if writer != self.name]

    def _refuse(self, now: float, holder: str, above: Ballot, for_s: float) -> None:
        writer = self.writer
        if self.leading(now) and writer.phase == WRITING:
            if above > writer.ballot and now > self._renewed_at + _PATIENCE_BEATS * self._timing.beat_s:
                # A candidate got as far as this holder and no further: only a higher ballot wins the holder back.
                self._renewed_at = now
                self._stand(now)
            return
        self._refused.add(holder)
        if above > writer.ballot or not voters.possible(self.electorate(), self._refused):
            self._abandon(now, for_s)

    def _forgot(self, holder: str, body: Blocks) -> None:
        """A holder asks for what it had acknowledged when we sent this: what it keeps is older than it said."""
        known = self.writer.acknowledged.get(holder)
        if known is not None and known.life == body.life != "" and body.request >= known.known_from:
            self.suspects[holder] = body.life
            del self.writer.acknowledged[holder]

    def _accept(self, now: float, holder: str, sent: Sent, promise: Promise) -> None:
        writer = self.writer
        if holder == self.arbiter.other and sent.bal == sent.mbal and sent.version == writer.own.version \
                and voters.votes(self.electorate(), holder, promise.life):
            self.arbiter.absent = False
        if writer.phase == PREPARING and sent.bal != sent.mbal:
            writer.promised(holder, promise)
            self._prepared(now)
        elif writer.phase == WRITING and sent.bal == sent.mbal:
            writer.accepted(holder, promise.life, sent)
            self._settle(now)

    def _settle(self, now: float) -> None:
        """What the acknowledgements so far make true: a ledger is chosen, authority lasts longer."""
        writer = self.writer
        acknowledged_at = writer.acknowledged_at()
        if acknowledged_at is None or writer.chosen_version() != writer.own.version:
            return
        if writer.committed != writer.own.version or not self.leads:
            writer.committed = writer.own.version
            self.chosen = writer.own.ledger
        self.acknowledged_at = max(self.acknowledged_at, acknowledged_at)
        self.leads_until = max(self.leads_until, authority.until(self.acknowledged_at, self._timing.authority_s))
        if not self.leads and now < self.leads_until:
            self.leads = self.elected = self.led = True
            self._attempts = 0
