"""A rule that is taken out of the core must be missed: some seed, or a scenario made for it, breaks an invariant.

Each mutant replaces the one function that keeps the rule (the table in sundog/core/__init__.py). The same scenario
passes with the rule in place, so it is the rule that is found missing and not the scenario that is wrong.
"""
import importlib
from dataclasses import dataclass
from typing import Any, Callable, Tuple

import pytest

from simulation.invariants import Broken
from simulation.scenarios import (
    Scenario,
    answers_still,
    barred_and_alive,
    comes_back_unclean,
    daemon_restarts,
    device_does_not_answer_and_the_operator_is_early,
    device_of_another_host,
    disk_leader_cut_off,
    doubled,
    fenced_twice,
    forgets_all,
    forks,
    group_fails_at_home,
    in_peace,
    leader_cut_one_way,
    leader_dies_in_a_change,
    one_forgets_what_two_did,
    owner_cut_off,
    owner_freezes,
    owner_freezes_with_a_dead_device,
    owner_is_late,
    owner_is_suspended,
    owner_stalls,
    put_back_as_a_whole,
    slow_move,
    start_by_hand,
    stop_fails,
    storms,
    storms_of_memory,
    targets_lost_alone,
)


@dataclass(frozen=True)
class Mutant:
    """`function` is replaced by `broken`; one of `scenarios` must fail then."""
    rule: int
    function: str
    broken: Callable[..., Any]
    scenarios: Tuple[Scenario, ...]


def confirmed_by_epoch(entry: Any, report: Any) -> bool:
    return bool(report.epoch == entry.epoch and entry.state == "stopping")


MUTANTS = [
    Mutant(1, "voters.in_force", lambda ledger, before: (
        (before,) if ledger is None or not ledger.voters else (ledger.next_voters or ledger.voters,)),
        (storms_of_memory,)),
    Mutant(1, "paxos.required", lambda blocks, before: (before,), (storms_of_memory,)),
    Mutant(1, "voters.counts", lambda named, life: True, (forgets_all, storms_of_memory)),
    Mutant(1, "paxos.merged", lambda kept, block: block, (storms_of_memory,)),
    Mutant(1, "join.is_restored", lambda *_: False, (put_back_as_a_whole,)),
    Mutant(1, "paxos.newest", lambda blocks: None, (leader_dies_in_a_change, storms)),
    Mutant(2, "authority.refuses_for", lambda *_: 0.0, (leader_cut_one_way, storms)),
    Mutant(2, "authority.disk_refuses_for", lambda *_: 0.0, (disk_leader_cut_off, storms)),
    Mutant(3, "lease.until", lambda sent_at, for_s, guard_s: sent_at + for_s + 1.0, (owner_is_late, owner_cut_off)),
    Mutant(3, "lease.until", lambda sent_at, for_s, guard_s: sent_at + for_s, (owner_is_late, owner_cut_off)),
    Mutant(4, "lease.deadline", lambda *_: None, (owner_stalls,)),
    Mutant(4, "lease.deadline", lambda active, until, standing: until + 5 if active else None, (owner_stalls,)),
    Mutant(5, "takeover.objection", lambda *_: None, (owner_cut_off, owner_freezes, storms)),
    Mutant(5, "fencing.objection", lambda *_: None, (owner_freezes_with_a_dead_device, storms)),
    Mutant(5, "proofs.key", lambda node, boot_id: (node, ""), (fenced_twice,)),
    Mutant(5, "proofs.leasable", lambda course: True, (barred_and_alive,)),
    Mutant(5, "fencing.refute", lambda *_: None, (device_of_another_host,)),
    Mutant(5, "fence_requests.alive", lambda *_: None, (device_does_not_answer_and_the_operator_is_early,)),
    Mutant(6, "moves.confirmed", confirmed_by_epoch, (slow_move,)),
    Mutant(7, "permits.objection", lambda *_: None, (start_by_hand,)),
    Mutant(8, "agent.adopted_state", lambda found: "stop-failed", (daemon_restarts,)),
    Mutant(10, "moves.fences", lambda *_: False, (stop_fails,)),
    Mutant(11, "join.unclean", lambda *_: None, (comes_back_unclean,)),
    Mutant(9, "arbiter.entitled", lambda *_: True, (in_peace,)),
    Mutant(9, "arbiter.counts_from", lambda now, reached_at: now, (targets_lost_alone,)),
    Mutant(9, "arbiter.marked", lambda ledger, me: ledger, (forks, one_forgets_what_two_did)),
    Mutant(9, "double.forked", lambda *_: False, (forks,)),
    Mutant(9, "double.gives_way", lambda *_: False, (forks,)),
    Mutant(9, "double.gives_way", lambda *_: True, (forks,)),
    Mutant(9, "double.held", lambda *_: {}, (answers_still,)),
    Mutant(9, "double.owners", lambda *_: frozenset(), (doubled,)),
    Mutant(12, "jumps.ahead", lambda *_: 0.0, (owner_is_suspended, storms)),
    Mutant(13, "recovery.objection", lambda *_: None, (group_fails_at_home,)),
]


@pytest.mark.parametrize("mutant", MUTANTS, ids=[f"rule {one.rule} {one.function}" for one in MUTANTS])
def test_a_core_without_the_rule_is_found_out(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    module, function = mutant.function.split(".")
    with monkeypatch.context() as patch:
        patch.setattr(importlib.import_module(f"sundog.core.{module}"), function, mutant.broken)
        found = next((scenario for scenario in mutant.scenarios if breaks(scenario)), None)
    assert found is not None, f"nothing misses {mutant.function}"
    found()


def breaks(scenario: Scenario) -> bool:
    try:
        scenario()
    except (Broken, AssertionError):
        return True
    return False
