"""The small decisions of the core: where a group goes, what holds it back, who gets a lease, a permit, a place."""
from dataclasses import replace
from typing import List, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sundog.config.model import Cluster, Group, NodeSpec, Resource, Timing
from sundog.core import authority, double, join, lease, moves, permits, placement, plan, recovery, requests, takeover
from sundog.core.draft import View
from sundog.core.effects import Journal, Leave, Send
from sundog.core.electorate import Present
from sundog.core.frames import Ask, GroupReport, Heartbeat, Refused
from sundog.core.ledger import OFFLINE, ONLINE, STARTING, STOP_FAILED, STOPPING, Failure, GroupEntry, Ledger, Member
from sundog.core.membership import Membership
from sundog.core.proofs import Proofs

NODES = ("n1", "n2", "n3")
WEB = Group("web", NODES, (Resource("ip", "floating-ip", (), None),))
TIMING = Timing(2.0)
names = st.sampled_from(NODES)


def ledger(entry: GroupEntry) -> Ledger:
    return Ledger(version=1, members={node: Member("b1", 1, f"h{node}") for node in NODES}, groups={"web": entry})


# ---- placement and recovery


@st.composite
def situations(draw: st.DrawFn) -> Tuple[placement.Nodes, GroupEntry]:
    down = dict.fromkeys(draw(st.sets(names)), "down")
    unfit = {node: {"web": "no pool"} for node in draw(st.sets(names))}
    failures = tuple(Failure(node, 1, "died") for node in draw(st.sets(names)))
    target = draw(st.none() | names)
    return placement.Nodes(down, unfit, draw(st.booleans())), GroupEntry(epoch=draw(st.integers(0, 2)), target=target,
                                                                          failures=failures)


@given(situations())
def test_a_group_goes_only_where_nothing_speaks_against_it(situation: Tuple[placement.Nodes, GroupEntry]) -> None:
    nodes, entry = situation
    found = placement.place(WEB, nodes, ledger(entry))
    if found.node is not None:
        assert placement.objection(WEB, found.node, nodes, ledger(entry)) is None


@given(situations())
def test_every_candidate_has_a_verdict_and_at_most_one_is_chosen(situation: Tuple[placement.Nodes, GroupEntry]) -> None:
    nodes, entry = situation
    found = placement.place(WEB, nodes, ledger(entry))
    assert tuple(one.node for one in found.candidates) == NODES and all(one.verdict for one in found.candidates)
    assert [one.node for one in found.candidates if one.verdict == "chosen"] == ([found.node] if found.node else [])


@given(situations())
def test_a_group_that_has_run_before_waits_for_nobody(situation: Tuple[placement.Nodes, GroupEntry]) -> None:
    nodes, entry = situation
    found = placement.place(WEB, nodes, ledger(replace(entry, epoch=1)))
    fits = [node for node in NODES if placement.objection(WEB, node, nodes, ledger(entry)) is None]
    assert (found.node is None) == (not fits)


def test_a_new_cluster_waits_for_the_preferred_node_and_no_longer_than_it_must() -> None:
    down = {"n1": "it is not in the cluster now"}
    assert placement.place(WEB, placement.Nodes(down, {}, awaited=True), ledger(GroupEntry())).node is None
    assert placement.place(WEB, placement.Nodes(down, {}, awaited=False), ledger(GroupEntry())).node == "n2"


@given(st.lists(names, max_size=8))
def test_a_failure_speaks_against_its_node_until_it_is_cleared(failed: List[str]) -> None:
    entry = GroupEntry()
    for node in failed:
        entry = recovery.failed(entry, node, "died")
    for node in NODES:
        assert (recovery.objection("web", node, entry) is not None) == (node in failed)
        assert recovery.objection("web", node, recovery.cleared(entry, node)) is None
    assert sum(one.count for one in entry.failures) == len(failed)
    assert recovery.cleared(entry).failures == ()


def test_a_failure_is_forgotten_after_the_window_and_not_before() -> None:
    entry = recovery.failed(GroupEntry(), "n1", "died")
    learned: recovery.Learned = {}
    assert recovery.forget(100.0, "web", entry, learned, 60.0) is entry
    assert recovery.forget(159.9, "web", entry, learned, 60.0) is entry
    assert recovery.forget(160.0, "web", entry, learned, 60.0).failures == ()


# ---- leases, authority, takeover


@given(st.floats(0, 1e6), st.floats(0, 2), st.floats(0, 0.8))
def test_no_lease_outlives_the_instant_at_which_a_later_leader_may_take_over(sent_at: float, delay: float,
                                                                            probe_age: float) -> None:
    now = sent_at + delay
    horizon_at = authority.horizon(now - probe_age, TIMING.timeout_s)
    until = lease.until(sent_at, lease.granted_for(now, horizon_at, TIMING.timeout_s), TIMING.guard_s)
    # A later leader learns of this one's last acknowledged probe, at the earliest sent at now - probe_age.
    assert until <= takeover.due(float("-inf"), now - probe_age, TIMING.timeout_s) - TIMING.guard_s + 1e-6
    assert until <= takeover.due(now, float("-inf"), TIMING.timeout_s) - TIMING.guard_s + 1e-6


def test_a_silent_node_is_taken_over_at_the_timeout_and_not_before() -> None:
    assert takeover.objection(11.999, 10.0, 5.0, 2.0) is not None
    assert takeover.objection(12.0, 10.0, 5.0, 2.0) is None
    assert takeover.objection(12.0, float("-inf"), 10.5, 2.0) is not None


def test_a_holder_that_has_promised_is_free_for_others_when_the_promise_is_over() -> None:
    assert authority.refuses_for(10.5, False, 10.0, 0.8) == pytest.approx(0.3)
    assert authority.refuses_for(10.8, False, 10.0, 0.8) == pytest.approx(0.0)
    assert authority.refuses_for(10.5, True, 10.0, 0.8) == 0.0


def test_a_deadline_stands_while_something_is_active_and_falls_with_it() -> None:
    assert lease.deadline(True, 5.0, 4.0) == 5.0
    assert lease.deadline(True, None, 4.0) == 4.0
    assert lease.deadline(False, 5.0, 4.0) is None


# ---- permits


OWNED = GroupEntry(STARTING, "n1", 3, "b1")


def test_the_owner_of_the_epoch_with_a_lease_gets_the_permit() -> None:
    assert permits.objection(9.9, "n1", "b1", OWNED, 10.0, False) is None


@pytest.mark.parametrize(("node", "boot_id", "entry", "lease_until", "stopping"), [
    ("n2", "b1", OWNED, 10.0, False), ("n1", "b2", OWNED, 10.0, False), ("n1", "b1", OWNED, None, False),
    ("n1", "b1", OWNED, 9.9, False), ("n1", "b1", OWNED, 10.0, True),
    ("n1", "b1", replace(OWNED, state=STOPPING), 10.0, False),
    ("n1", "b1", replace(OWNED, state=OFFLINE), 10.0, False)])
def test_anything_less_gets_none_and_hears_why(node: str, boot_id: str, entry: GroupEntry, lease_until: float,
                                               stopping: bool) -> None:
    assert permits.objection(9.9, node, boot_id, entry, lease_until, stopping)


# ---- moves


@given(st.sampled_from([STARTING, ONLINE, STOPPING, STOP_FAILED]), st.booleans(), st.integers(2, 4),
       st.sampled_from(["starting", "online", "stopping", "stopped", "failed", "stop-failed"]), st.booleans())
def test_a_report_frees_a_group_only_when_its_owner_has_stopped_this_epoch(state: str, force: bool, epoch: int,
                                                                          reported: str, current: bool) -> None:
    entry = GroupEntry(state, "n1", 3, "b1", force)
    after = moves.after_report(entry, GroupReport("web", epoch, reported, "why"), current)
    assert (after.state == OFFLINE) == (reported == "stopped" and epoch == 3)
    assert (after.owner, after.epoch) == ("n1", 3)
    ledger(entry).with_group("web", after)      # raises on an illegal change


def test_force_outlasts_a_start_that_failed_and_ends_when_the_group_is_online() -> None:
    starting = moves.start(moves.free(OWNED, "n1 was silent"), "n2", "b1", "n1 was silent")
    failed = moves.after_report(starting, GroupReport("web", 4, "stopped", "no"), True)
    assert failed.state == OFFLINE and failed.force and [one.node for one in failed.failures] == ["n2"]
    assert not moves.after_report(starting, GroupReport("web", 4, "online"), True).force


def test_a_stop_tried_again_is_not_ended_by_the_report_of_the_first() -> None:
    again = GroupEntry(STOPPING, "n1", 3, "b1")
    report = GroupReport("web", 3, "stop-failed", "busy")
    assert moves.after_report(again, report, current=False) is again
    assert moves.after_report(again, report, current=True).state == STOP_FAILED


# ---- requests


def ask(op: str, node: str = "") -> Ask:
    return Ask("n1:1", op, "web", node)


def test_a_move_names_its_target_and_begins_with_the_stop() -> None:
    outcome = requests.carry_out(ask("move"), ledger(replace(OWNED, state=ONLINE)), WEB, placement.Nodes())
    entry = outcome.ledger.groups["web"]
    assert outcome.ok and (entry.state, entry.target) == (STOPPING, "n2")


def test_a_move_to_a_node_that_is_down_is_refused_with_the_reason_and_changes_nothing() -> None:
    before = ledger(replace(OWNED, state=ONLINE))
    outcome = requests.carry_out(ask("move", "n3"), before, WEB, placement.Nodes({"n3": "the leader does not hear it"}))
    assert not outcome.ok and outcome.ledger is before and "does not hear" in outcome.text and outcome.remedy


@given(st.sampled_from([OFFLINE, STARTING, ONLINE, STOPPING, STOP_FAILED]),
       st.sampled_from(["online", "offline", "move", "clear", "nonsense"]), st.sampled_from(["", *NODES, "n9"]),
       st.booleans())
def test_any_request_in_any_state_makes_a_legal_change_and_asking_again_changes_nothing_more(
        state: str, op: str, node: str, failed: bool) -> None:
    entry = GroupEntry(state, "n1", 3, "b1", failures=(Failure("n2", 1, "died"),) if failed else ())
    once = requests.carry_out(ask(op, node), ledger(entry), WEB, placement.Nodes({"n3": "down"}))
    twice = requests.carry_out(ask(op, node), once.ledger, WEB, placement.Nodes({"n3": "down"}))
    assert once.text and (once.ok or (once.ledger.groups["web"] == entry and once.remedy))
    assert op == "clear" or twice.ledger == once.ledger


# ---- joining


def heard(at: float, boot_id: str, *groups: GroupReport, hostid: str = "hn1", until: float = 0.0,
          incarnation: int = 2) -> Membership:
    """n1's boot b1 is a member, last heard at 10 s; `boot_id` beats from `at` on."""
    peers = Membership(NODES, TIMING.timeout_s)
    peers.heard(10.0, "lan", "n1", "b1")
    peers.heard(at, "lan", "n1", boot_id)
    peers.heard(max(at, until), "lan", "n1", boot_id)
    peers.beat("n1", boot_id, incarnation, Heartbeat(1, at, 1, hostid, groups))
    return peers


def verdict(now: float, peers: Membership) -> join.Verdict:
    beat = peers.peers["n1"].beat
    assert beat is not None
    return join.verdict(now, "n1", beat, ledger(GroupEntry()), peers, TIMING)


def test_a_clean_reboot_joins_as_soon_as_the_old_boot_is_silent() -> None:
    peers = heard(10.3, "b2")
    assert verdict(10.5, peers) == join.WAIT
    assert verdict(10.7, peers) is None


def test_a_boot_that_counts_no_further_than_the_member_proves_nothing_about_it() -> None:
    """Its heartbeat comes late, or its host was put back from a copy."""
    assert verdict(10.7, heard(10.3, "b0", incarnation=1)) == join.WAIT


def test_a_host_with_groups_that_are_not_its_own_is_refused_until_it_has_stopped_them() -> None:
    refusal = verdict(11.0, heard(10.3, "b2", GroupReport("web", 3, "online")))
    assert isinstance(refusal, Refused) and not refusal.fatal and "web" in refusal.reason
    assert verdict(11.0, heard(10.3, "b2", GroupReport("web", 3, "stopped"))) is None


def test_another_hostid_under_a_members_name_proves_nothing_about_the_member() -> None:
    assert verdict(11.9, heard(10.3, "b2", hostid="other")) == join.WAIT


def test_a_namesake_is_refused_for_good_once_both_have_spoken_for_the_timeout() -> None:
    peers = heard(10.3, "b2", until=12.0)
    peers.heard(12.4, "lan", "n1", "b1")
    refusal = verdict(12.4, peers)
    assert isinstance(refusal, Refused) and refusal.fatal and refusal.boot_id == "b2"


def test_two_hosts_of_one_hostid_are_never_both_members() -> None:
    peers = heard(20.0, "b2", hostid="hn2")
    assert verdict(20.0, peers) == join.WAIT, "n2 is silent: it may be this host under its old name"
    peers.heard(19.8, "lan", "n2", ledger(GroupEntry()).members["n2"].boot_id)
    refusal = verdict(20.0, peers)
    assert isinstance(refusal, Refused) and refusal.fatal and "n2" in refusal.reason


@pytest.mark.parametrize(("me", "elected_at", "said"), [
    ("n1", 10.0, [Journal, Leave]), ("n1", 19.9, []), ("n3", 10.0, [Send]), ("n3", 19.9, [])])
def test_who_is_refused_for_good_is_told_when_those_who_vote_are_in_and_a_leader_leaves(
        me: str, elected_at: float, said: List[type]) -> None:
    peers = heard(20.0, "b2", hostid="hn2")
    peers.heard(20.0, "lan", "n2", "b1")
    cluster = Cluster("shop", "key", {node: NodeSpec(node, ()) for node in NODES}, {}, {}, TIMING)
    view = View(20.0, me, cluster, peers, elected_at, elected_at, Proofs(), double.NO_FORK)
    draft = plan.make(view, replace(ledger(GroupEntry()), config_version=1), {}, {}, Present())
    assert [type(one) for one in draft.said if not isinstance(one, Journal) or one.code == "REFUSED"] == said


def test_a_pulse_on_a_disk_keeps_a_node_its_groups_but_says_nothing_of_its_boot() -> None:
    peers = heard(10.3, "b2")
    peers.pulse(12.9, "disk1", "n1")
    assert peers.heard_at("n1", "b1") == 12.9 and peers.spoke_at("n1", "b1") == 10.0
    assert verdict(12.9, peers) is None
