"""One node's machine, step by step: what it asks for, in which order, and that nothing a peer says upsets it."""
from dataclasses import replace
from typing import Dict, List, Set, Tuple, Type, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sundog.config.model import Cluster, DiskHolder, Group, NodeSpec, Resource, Timing
from sundog.core import effects, events, frames
from sundog.core.effects import Effect, Stored
from sundog.core.events import Boot, Heard
from sundog.core.frames import Heartbeat
from sundog.core.ledger import GroupEntry, Ledger, Member
from sundog.core.node import Node

NODES = ("n1", "n2", "n3")
CLUSTER = Cluster("shop", "key", {name: NodeSpec(name, ()) for name in NODES}, {},
                  {"web": Group("web", NODES, (Resource("ip", "floating-ip", (), None),))}, Timing(2.0), source="x")
Kind = TypeVar("Kind", bound=Effect)


def of(kind: Type[Kind], done: List[Effect]) -> List[Kind]:
    return [one for one in done if isinstance(one, kind)]


class Cell:
    """Three nodes whose frames arrive at once, on clocks that agree; starts and stops succeed when asked to."""

    def __init__(self) -> None:
        self.now = 0.0
        self.nodes: Dict[str, Node] = {}
        self.done: Dict[str, List[Effect]] = {name: [] for name in NODES}
        for name in NODES:
            self.boot(name)

    def boot(self, name: str) -> None:
        self.nodes[name] = Node(CLUSTER, name, Boot(f"boot-{name}", 1, f"host-{name}"), Stored(life=f"{name}.1"))
        self.happen(name, events.Adopted({}))

    def restart_daemon(self, name: str, found: Dict[str, str]) -> None:
        """The daemon alone: what it stored and what runs are there still."""
        stored = of(effects.Store, self.done[name])[-1].stored
        self.nodes[name] = Node(CLUSTER, name, Boot(f"boot-{name}", 2, f"host-{name}"), stored)
        self.happen(name, events.Adopted(found))

    def happen(self, name: str, event: events.Event) -> List[Effect]:
        if name not in self.nodes:
            return []
        wanted = self.nodes[name].step(self.now, event)
        self.done[name] += wanted
        for one in of(effects.Send, wanted):
            self.happen(one.to, Heard("lan", name, f"boot-{name}", 1, one.body))
        return wanted

    def run(self, for_s: float) -> "Cell":
        end = self.now + for_s
        while self.now < end:
            self.now += 0.05
            for name in list(self.nodes):
                if self.nodes[name].wake_at(self.now) <= self.now:
                    self.happen(name, events.Tick())
        return self

    def settled(self) -> "Cell":
        self.run(3.0)
        self.happen("n1", events.Activated("web", 1, True))
        return self.run(1.0)


def test_one_node_of_three_leads_and_all_know_it() -> None:
    cell = Cell().run(3.0)
    assert len({node.leader for node in cell.nodes.values()}) == 1
    assert sum(node.leads_until > cell.now for node in cell.nodes.values()) == 1
    assert all(node.lease_until is not None and node.lease_until > cell.now for node in cell.nodes.values())


def test_the_deadline_is_set_before_the_start_is_ordered_and_what_is_stored_comes_first() -> None:
    cell = Cell().run(3.0)
    kinds = [type(one) for one in cell.done["n1"]]
    assert kinds.index(effects.Activate) > kinds.index(effects.SetDeadline)
    step = cell.nodes["n1"].step(cell.now, events.Requested("n1:1", "offline", "web"))
    assert isinstance(step[0], effects.Store) or not of(effects.Store, step)


def test_a_permit_is_given_to_the_owner_alone_and_ends_with_the_lease() -> None:
    cell = Cell().settled()
    given = of(effects.AnswerPermit, cell.happen("n1", events.PermitAsked(1, "web", "ip")))
    refused = of(effects.AnswerPermit, cell.happen("n2", events.PermitAsked(1, "web", "ip")))
    assert given[0].permit is not None and refused[0].permit is None and "n1" in refused[0].refusal
    alone = cell.nodes.pop("n1")
    asleep = alone.step(cell.now + 2.0, events.PermitAsked(2, "web", "ip"))
    assert of(effects.AnswerPermit, asleep)[0].permit is None


def test_a_method_that_asks_a_daemon_just_started_is_answered_when_the_first_lease_is_there() -> None:
    cell = Cell().settled()
    cell.restart_daemon("n1", {"web": "partial"})
    cell.done["n1"].clear()
    assert not of(effects.AnswerPermit, cell.happen("n1", events.PermitAsked(1, "web", "ip")))
    answered = of(effects.AnswerPermit, cell.run(1.0).done["n1"])
    assert [one.ask for one in answered if one.permit is not None] == [1]


def test_a_method_is_refused_when_no_lease_comes() -> None:
    cell = Cell().settled()
    cell.restart_daemon("n1", {"web": "partial"})
    cell.happen("n1", events.PermitAsked(1, "web", "ip"))
    cell.nodes = {"n1": cell.nodes["n1"]}
    cell.done["n1"].clear()
    assert not of(effects.AnswerPermit, cell.run(1.5).done["n1"])
    answered = of(effects.AnswerPermit, cell.run(1.0).done["n1"])
    assert [one.permit for one in answered] == [None] and "no lease" in answered[0].refusal


def test_a_stop_disarms_failfast_only_when_it_is_confirmed() -> None:
    cell = Cell().settled()
    cell.done["n1"].clear()
    cell.happen("n2", events.Requested("n2:1", "offline", "web"))
    assert of(effects.Deactivate, cell.done["n1"])
    assert all(one.at is not None for one in of(effects.SetDeadline, cell.done["n1"]))
    cell.happen("n1", events.Deactivated("web", 1, True))
    assert of(effects.SetDeadline, cell.done["n1"])[-1].at is None
    assert of(effects.AnswerRequest, cell.done["n2"])[0].ok


def test_a_daemon_that_comes_back_adopts_what_runs_and_starts_or_stops_nothing() -> None:
    cell = Cell().settled()
    stored = of(effects.Store, cell.done["n1"])[-1].stored
    cell.nodes["n1"] = Node(CLUSTER, "n1", Boot("boot-n1", 2, "host-n1"), stored)
    cell.done["n1"].clear()
    first = cell.happen("n1", events.Adopted({"web": "online"}))
    assert not [one for one in of(effects.SetDeadline, first) if one.at is None]
    cell.run(3.0)
    assert not of(effects.Activate, cell.done["n1"]) and not of(effects.Deactivate, cell.done["n1"])
    assert cell.nodes["n2"].ledger.groups["web"].epoch == 1


def test_the_dead_owners_group_starts_elsewhere_by_force_with_what_proves_it() -> None:
    cell = Cell().settled()
    del cell.nodes["n1"]
    cell.run(3.0)
    started = of(effects.Activate, cell.done["n2"])
    assert started and started[-1].permit.force and "silent" in started[-1].permit.why
    assert "NODE-DOWN" in {one.code for name in NODES for one in of(effects.Journal, cell.done[name])}


def test_explain_gives_every_node_a_verdict_on_a_leader_and_on_a_follower() -> None:
    cell = Cell().settled()
    for node in cell.nodes.values():
        found = node.explain(cell.now, "web")
        assert [one.node for one in found.candidates] == list(NODES) and all(one.verdict for one in found.candidates)


def test_a_frame_from_an_unknown_node_is_counted_and_dropped() -> None:
    cell = Cell()
    assert not of(effects.Send, cell.nodes["n1"].step(0.01, Heard("lan", "n9", "b", 1, frames.Elected((9, "n9"), 1))))
    assert cell.nodes["n1"].counters == {"unknown sender": 1}
    assert cell.nodes["n1"].leader is None


def test_a_request_that_no_leader_answers_is_given_up_with_a_reason() -> None:
    cell = Cell()
    node = cell.nodes["n1"]
    cell.nodes = {"n1": node}
    cell.happen("n1", events.Requested("n1:1", "offline", "web"))
    cell.run(16.0)
    answer = of(effects.AnswerRequest, cell.done["n1"])
    assert len(answer) == 1 and not answer[0].ok and answer[0].remedy


names, texts, numbers = st.sampled_from(NODES), st.sampled_from(["", "web", "n1", "x"]), st.integers(-1, 9)
ballots = st.tuples(st.integers(0, 9), names)
seconds = st.floats(-10, 10)
reports = st.lists(st.builds(frames.GroupReport, texts, numbers, st.sampled_from(
    ["starting", "online", "stopping", "stopped", "failed", "stop-failed", "odd"]), texts), max_size=2).map(tuple)
entries = st.builds(GroupEntry, st.sampled_from(["offline", "starting", "online", "stopping", "stop-failed"]),
                    st.none() | names, numbers, texts, st.booleans(), texts)
ledgers = st.builds(Ledger, st.integers(0, 50), st.integers(0, 3), st.just(CLUSTER.digest),
                    st.dictionaries(names, st.builds(Member, texts, numbers, texts, st.booleans())),
                    st.dictionaries(texts, entries))
blocks = st.builds(frames.Block, names, ballots, ballots, st.none() | ledgers, numbers, numbers, numbers, st.booleans())
bodies = st.one_of(
    st.builds(frames.Heartbeat, numbers, seconds, numbers, texts, reports, st.none() | st.dictionaries(texts, texts)),
    st.builds(frames.Grant, numbers, seconds, seconds, ballots, numbers),
    st.builds(frames.Refused, texts, texts, st.booleans(), texts), st.builds(frames.Elected, ballots, numbers),
    st.builds(frames.LedgerIs, ledgers, ballots), st.builds(frames.Write, numbers, blocks),
    st.builds(frames.Blocks, numbers, st.booleans(), st.lists(blocks, max_size=2).map(tuple), st.booleans(), seconds,
              st.none() | seconds),
    st.builds(frames.Ask, texts, st.sampled_from(["online", "offline", "move", "clear", "apply", "odd"]), texts, texts),
    st.builds(frames.Told, texts, st.booleans(), texts, texts), st.none())


@settings(max_examples=80)
@given(st.lists(st.tuples(names, texts, bodies), max_size=25))
def test_nothing_that_a_peer_says_makes_the_machine_raise(said: List[Tuple[str, str, frames.Body]]) -> None:
    cell = Cell().run(1.5)
    for sender, boot_id, body in said:
        for name, node in cell.nodes.items():
            node.step(cell.now, Heard("lan", sender, boot_id or f"boot-{sender}", 1, body))
            assert node.wake_at(cell.now) <= cell.now + CLUSTER.timing.beat_s + 1e-9, name
        cell.now += 0.1


@pytest.mark.parametrize("event", [
    events.Activated("odd", 1, True), events.Deactivated("web", 9, False, "x"), events.GroupFailed("odd", "x", "y"),
    events.OperatorDisabled("odd"), events.OperatorEnabled("odd"), events.DiskAnswered("odd", 1, ()),
    events.FenceDone("n2", "b", False, "no"), events.Preflight({"odd": "x"}), events.PermitAsked(1, "odd", "x"),
    events.Requested("n1:9", "odd", "odd")])
def test_an_event_about_something_unknown_is_taken_calmly(event: events.Event) -> None:
    cell = Cell().settled()
    for name in NODES:
        cell.happen(name, event)
    assert not [one for name in NODES for one in of(effects.Deactivate, cell.done[name])]


def test_the_copy_of_a_frame_over_another_link_only_shows_that_the_link_carries() -> None:
    cell = Cell().run(3.01)
    assert cell.nodes["n1"].wake_at(cell.now) > cell.now
    assert cell.happen("n1", Heard("other", "n2", "boot-n2", 1, None)) == []
    assert cell.nodes["n1"].heard("n2")["other"] == cell.now


def test_the_copy_of_a_frame_does_not_hold_up_what_is_due() -> None:
    cell = Cell().run(3.0)
    cell.now = cell.nodes["n2"].wake_at(cell.now)
    assert of(effects.Send, cell.happen("n2", Heard("other", "n1", "boot-n1", 1, None)))


@pytest.mark.parametrize("voting, count, holders, told", [
    (2, 4, {}, {"n1", "n2"}),
    (1, 4, {"d1": DiskHolder("d1", "x"), "d2": DiskHolder("d2", "y")}, {"n1", "n2", "n3"}),
    (7, 9, {}, {f"n{number}" for number in range(1, 8)})])
def test_without_a_leader_a_node_beats_to_those_who_may_lead_three_at_a_time(
        voting: int, count: int, holders: Dict[str, DiskHolder], told: Set[str]) -> None:
    nodes = {f"n{number}": NodeSpec(f"n{number}", (), int(number <= voting)) for number in range(1, count + 1)}
    node = Node(replace(CLUSTER, nodes=nodes, holders=holders), f"n{count}", Boot("boot", 1, "host"), Stored())
    node.step(0.0, events.Tick())                       # the first has two: what it reports is news
    turns: List[List[str]] = []
    now = node.wake_at(0.0)
    while len(turns) < 3:
        beats = [one.to for one in of(effects.Send, node.step(now, events.Tick())) if isinstance(one.body, Heartbeat)]
        turns += [beats] if beats else []
        now = node.wake_at(now)
    assert set().union(*turns) == told and max(map(len, turns)) <= 3


def stands_after_s(name: str, voting: int, count: int) -> float:
    """Seconds until a node that hears nobody stands for leader, from when its own promise lets it."""
    nodes = {f"n{number}": NodeSpec(f"n{number}", (), int(number <= voting)) for number in range(1, count + 1)}
    node, now = Node(replace(CLUSTER, nodes=nodes), name, Boot("boot", 1, "host"), Stored(life="x")), 0.0
    while not any(isinstance(one.body, frames.Write) for one in of(effects.Send, node.step(now, events.Tick()))):
        now = node.wake_at(now)
    return now - CLUSTER.timing.authority_s


def test_nodes_stand_one_after_the_other_and_those_without_a_vote_once_leases_are_over() -> None:
    assert [stands_after_s(f"n{number}", 3, 5) for number in range(1, 6)] == pytest.approx([.05, .1, .15, 2.15, 2.2])
    assert stands_after_s("n9", 32, 32) == pytest.approx(0.5)      # the last by name


def test_a_boot_that_another_has_replaced_is_known_by_the_ledger_that_was_stored_too() -> None:
    before = Ledger(version=1, members={"n3": Member("first", 1, "host-n3")})
    node = Node(CLUSTER, "n1", Boot("boot-n1", 2, "host-n1"), Stored(ledger=before, life="n1.1"))
    after = replace(before, version=2, members={"n3": Member("second", 2, "host-n3")})
    node.step(0.0, Heard("lan", "n2", "boot-n2", 1, frames.LedgerIs(after, (1, "n2"))))
    assert node.ledger == after
    assert node._peers.is_replaced("n3", "first") and not node._peers.is_replaced("n3", "second")
