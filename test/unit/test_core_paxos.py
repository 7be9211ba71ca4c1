"""Agreement: whatever is lost, delayed, reordered or doubled, no version of the ledger is chosen with two values."""
from dataclasses import replace
from random import Random
from typing import Dict, List, Optional, Tuple

from hypothesis import given, settings
from hypothesis import strategies as st

from sundog.config.model import Cluster, DiskHolder, NodeSpec, Timing
from sundog.core.effects import Effect, Send, Stored, WriteDisk
from sundog.core.events import Boot, DiskAnswered
from sundog.core.frames import Block, Blocks, Write
from sundog.core.holder import Holder
from sundog.core.ledger import Ledger
from sundog.core.membership import Membership
from sundog.core.paxos import merged
from sundog.core.voting import Voting

TIMING = Timing(2.0)


class Voters:
    """Three voting nodes and a disk, and whatever is under way between them. Clocks stand unless `wait` is called."""

    def __init__(self, nodes: int, disks: int) -> None:
        names = [f"n{number}" for number in range(1, nodes + 1)]
        self.cluster = Cluster("shop", "key", {name: NodeSpec(name, ()) for name in names}, {}, {}, TIMING,
                               {f"disk{n}": DiskHolder(f"disk{n}", "/dev/rdsk/x") for n in range(disks)})
        self.now = 0.0
        self.out: Dict[str, List[Effect]] = {name: [] for name in names}
        self.stored = {name: Stored(life=f"{name}.1") for name in names}
        self.lives = {name: f"{name}.1" for name in (*names, *self.cluster.holders)}
        self.voting = {name: self.started(name, 1) for name in names}
        self.slots: Dict[str, Dict[str, Block]] = {name: {} for name in self.cluster.holders}
        self.under_way: List[Tuple[str, Effect]] = []
        self.chosen: Dict[int, Ledger] = {0: Ledger()}
        self.proposed: List[Ledger] = []
        self.forgotten = 1
        self.chance: Optional[Random] = None            # where voters change: what decides how
        self.proposals = 0

    def started(self, name: str, incarnation: int) -> Voting:
        self.out[name] = []
        voting = Voting(self.cluster, name, Boot(f"boot-{name}", incarnation, name), self.stored[name],
                        Membership(self.cluster.nodes, 2.0), self.out[name])
        voting.start(self.now)
        return voting

    def after(self, name: str) -> None:
        """What a step ends with: what must be durable is, what was chosen is compared, effects are under way."""
        voting = self.voting[name]
        if voting.chosen is not None:
            known = self.chosen.setdefault(voting.chosen.version, voting.chosen)
            assert known == voting.chosen, f"version {known.version} was chosen twice"
            if known.version > voting.ledger.version:
                voting.learned(known)
            voting.chosen = None
        self.stored[name] = replace(self.stored[name], blocks=voting.blocks, highest=voting.highest,
                                    ledger=voting.ledger)
        leaders = [one for one, other in self.voting.items() if other.leading(self.now)]
        assert len(leaders) <= 1, f"{leaders} lead at once"
        self.under_way += [(name, effect) for effect in self.out[name]]
        self.out[name].clear()

    def beat(self, name: str) -> None:
        self.voting[name].check(self.now)
        self.voting[name].beat(self.now)
        self.after(name)

    def propose(self, name: str) -> None:
        """A new ledger, as the leader believes that it may; no two proposals are alike."""
        voting = self.voting[name]
        if voting.leading(self.now) and not voting.writer.busy:
            self.proposals += 1
            own = voting.writer.own.ledger
            assert own is not None
            new = replace(own, version=own.version + 1, config_digest=f"{name} {self.proposals}")
            voting.propose(self.now, new if self.chance is None else self.with_voters(new, self.chance))
            self.proposed.append(voting.writer.own.ledger or new)
            self.after(name)

    def with_voters(self, ledger: Ledger, chance: Random) -> Ledger:
        """Any legal step of the voters: name them, begin a change to any others, end it, or take it back."""
        if not ledger.voters:
            return replace(ledger, voters=dict(self.lives))
        if ledger.next_voters:
            return replace(ledger, voters=chance.choice((ledger.voters, ledger.next_voters)), next_voters={})
        names = chance.sample(sorted(self.lives), chance.randint(1, len(self.lives)))
        return replace(ledger, next_voters={name: self.lives[name] for name in names})

    def forget(self, name: str) -> None:
        """A node loses its vote file, or a disk is labelled anew, while majorities of all that is proposed do not."""
        newest = max(self.chosen)
        sets = [one for ledger in self.proposed for one in (ledger.voters, ledger.next_voters)
                if one and ledger.version >= newest]
        if not self.chosen[newest].voters or any(
                2 * sum(self.lives[other] == life and other != name for other, life in one.items()) <= len(one)
                for one in sets):
            return
        self.forgotten += 1
        self.lives[name] = f"{name}.{self.forgotten}+"
        if name in self.slots:
            self.slots[name] = {}
        else:
            self.stored[name] = Stored(life=self.lives[name])
            self.crash(name)

    def crash(self, name: str) -> None:
        """Only what was stored is left; what was sent may still arrive, answers to it are not let through."""
        old = self.voting[name]
        self.under_way = [one for one in self.under_way
                          if not (one[1].to == name if isinstance(one[1], Send) else one[0] == name)]
        self.voting[name] = self.started(name, old.writer.counter // 1_000_000 + 1)

    def deliver(self, which: int, lose: bool, keep: bool) -> None:
        if not self.under_way:
            return
        sender, effect = self.under_way[which % len(self.under_way)]
        if isinstance(effect, WriteDisk):
            # A disk does what one writer asks of it in the order asked, once.
            sender, effect = next(one for one in self.under_way if one[0] == sender and isinstance(one[1], WriteDisk)
                                  and one[1].holder == effect.holder)
        if not keep or isinstance(effect, WriteDisk):
            self.under_way.remove((sender, effect))
        if lose:
            return
        if isinstance(effect, WriteDisk):
            slots = self.slots[effect.holder]
            slots[sender] = merged(slots.get(sender), effect.block)
            blocks = tuple(slots.values())
            self.voting[sender].disk_answered(self.now, DiskAnswered(effect.holder, effect.request, blocks,
                                                                     life=self.lives[effect.holder]))
            self.after(sender)
        elif isinstance(effect, Send):
            voting = self.voting[effect.to]
            if isinstance(effect.body, Write):
                voting.write(self.now, sender, f"boot-{sender}", effect.body)
            elif isinstance(effect.body, Blocks):
                voting.answered(self.now, sender, effect.body)
            self.after(effect.to)


@settings(max_examples=60)
@given(st.integers(0, 2**32), st.sampled_from([0, 2]), st.sampled_from([0.0, 0.1, 0.4]), st.sampled_from([3, 12, 40]))
def test_no_interleaving_chooses_two_values_for_a_version(seed: int, disks: int, loss: float, haste: int) -> None:
    """`haste` is how many frames arrive between two steps of time: few make ballots meet each other half done."""
    voters, chance = Voters(3, disks), Random(seed)
    for _ in range(250):
        voters.now += chance.choice((0.0, 0.02, 0.2, 0.5))
        name = chance.choice(("n1", "n2", "n3"))
        chance.choices((voters.beat, voters.propose, voters.crash), (10, 10, 1))[0](name)
        for _ in range(chance.randint(0, haste)):
            voters.deliver(chance.randrange(100), chance.random() < loss, chance.random() < 0.1)
        del voters.under_way[:-100]


@settings(max_examples=25)
@given(st.integers(0, 2**32), st.integers(0, 2), st.sampled_from([0.0, 0.1, 0.4]), st.sampled_from([3, 12, 40]))
def test_no_interleaving_with_changing_and_forgetting_voters_forks_or_makes_two_leaders(
        seed: int, disks: int, loss: float, haste: int) -> None:
    """Any legal change at any time, and any loss of memory that leaves majorities of all that is proposed."""
    chance = Random(seed)
    voters = Voters(4, disks)
    voters.chance = chance
    for _ in range(250):
        voters.now += chance.choice((0.0, 0.02, 0.1, 0.3))
        name = chance.choice(sorted(voters.lives))
        what = chance.choices((voters.beat, voters.propose, voters.crash, voters.forget), (20, 10, 1, 1))[0]
        if what == voters.forget or name in voters.voting:
            what(name)
        for leader in [one for one in voters.voting if chance.random() < 0.5]:
            voters.propose(leader)
        for _ in range(chance.randint(0, haste)):
            voters.deliver(chance.randrange(100), chance.random() < loss, chance.random() < 0.1)
        del voters.under_way[:-100]


def test_a_node_that_has_forgotten_its_ballots_begins_none_of_them_again() -> None:
    """Both lives know of no ballot at all, and so begin the first."""
    begun = []
    for life in ("n1.1", "n1.2+"):
        voters = Voters(3, 0)
        voters.stored["n1"] = Stored(life=life)
        voters.crash("n1")
        voters.now += 3.0
        voters.beat("n1")
        begun.append(voters.voting["n1"].writer.ballot)
    assert begun[0][0] == begun[1][0] == 1 and begun[0] != begun[1]


def lead(voters: Voters) -> str:
    """Let time pass and everything arrive until somebody leads."""
    for _ in range(100):
        voters.now += 0.05
        for name in voters.voting:
            voters.beat(name)
        while voters.under_way:
            voters.deliver(0, False, False)
        leaders = [name for name, voting in voters.voting.items() if voting.leading(voters.now)]
        if leaders:
            assert len(leaders) == 1
            return leaders[0]
    raise AssertionError("nobody leads")


def test_somebody_leads_soon_after_the_start() -> None:
    voters = Voters(3, 0)
    lead(voters)
    assert voters.now < TIMING.timeout_s


def test_a_value_at_one_holder_only_may_be_dropped_or_kept_but_a_chosen_one_is_kept() -> None:
    voters = Voters(3, 0)
    leader = lead(voters)
    voters.propose(leader)
    while voters.under_way:
        voters.deliver(0, False, False)
    first = voters.chosen[1]
    voters.crash(leader)
    voters.now += 1.0
    after = lead(voters)
    assert voters.voting[after].writer.own.ledger == first


def test_a_holder_holds_to_its_leader_for_the_promise_and_then_is_free() -> None:
    holder = Holder(0.0, {}, 0.8)
    leads = Block("n1", (1, "n1"), (1, "n1"), Ledger(), 0)
    begins = Block("n2", (2, "n2"))
    answer = holder.write(1.0, ("n1", "b"), 1, leads)
    assert answer is not None and answer.accepted
    answer = holder.write(1.5, ("n2", "b"), 1, begins)
    assert answer is not None and not answer.accepted and abs(answer.refused_for_s - 0.3) < 1e-9
    answer = holder.write(1.8, ("n2", "b"), 2, begins)
    assert answer is not None and answer.accepted and answer.leader_age_s is not None
    assert abs(answer.leader_age_s - 0.8) < 1e-9 and answer.blocks == (leads,)


def test_a_holder_that_restarted_refuses_everybody_but_the_leader_it_had() -> None:
    leads = Block("n1", (1, "n1"), (1, "n1"), Ledger(), 0)
    holder = Holder(5.0, {"n1": leads}, 0.8)
    refused = holder.write(5.1, ("n2", "b"), 1, Block("n2", (2, "n2")))
    goes_on = holder.write(5.1, ("n1", "b"), 1, replace(leads, ledger=None))
    assert refused is not None and not refused.accepted and refused.refused_for_s > 0
    assert goes_on is not None and goes_on.accepted


def test_a_holder_asks_for_the_ledger_that_a_write_left_out_and_it_has_not_got() -> None:
    holder = Holder(0.0, {}, 0.8)
    answer = holder.write(1.0, ("n1", "b"), 1, Block("n1", (1, "n1"), (1, "n1"), None, 4))
    assert answer is not None and answer.need_ledger and not answer.accepted and not holder.blocks


def test_an_overtaken_write_does_not_undo_the_later_one() -> None:
    holder = Holder(0.0, {}, 0.8)
    newer = Block("n1", (1, "n1"), (1, "n1"), Ledger(2), 2)
    holder.write(1.0, ("n1", "b"), 2, newer)
    assert holder.write(1.1, ("n1", "b"), 1, replace(newer, ledger=Ledger(1), version=1)) is None
    assert holder.blocks["n1"] == newer
