"""The judge of the ledger must see a fork when there is one, and none where there is none."""
from dataclasses import replace
from typing import List, Tuple

import pytest

from simulation.ballots import Ballots, Forked
from sundog.core.frames import Block
from sundog.core.ledger import Ledger

ONE, OTHER = Ledger(version=1, config_version=1), Ledger(version=1, config_version=2)


def block(writer: str, number: int, ledger: Ledger) -> Block:
    return Block(writer, (number, writer), (number, writer), ledger, ledger.version)


@pytest.fixture
def chosen() -> List[Tuple[Ledger, Ledger]]:
    return []


@pytest.fixture
def ballots(chosen: List[Tuple[Ledger, Ledger]]) -> Ballots:
    return Ballots(("a", "b", "c"), lambda before, after: chosen.append((before, after)))


def accept(ballots: Ballots, holder: str, one: Block, begun: Tuple[int, str] = (0, "")) -> None:
    ballots.accept(holder, f"{holder}.1", one, max(begun, one.mbal))


def test_a_value_is_chosen_by_a_majority_under_one_ballot(ballots: Ballots,
                                                          chosen: List[Tuple[Ledger, Ledger]]) -> None:
    accept(ballots, "a", block("n1", 1, ONE))
    assert chosen == []
    accept(ballots, "b", block("n1", 1, ONE))
    assert chosen == [(Ledger(), ONE)]
    assert ballots.latest is ONE


def test_holders_of_two_ballots_do_not_add_up(ballots: Ballots, chosen: List[Tuple[Ledger, Ledger]]) -> None:
    accept(ballots, "a", block("n1", 1, ONE))
    accept(ballots, "b", block("n2", 2, OTHER))
    assert chosen == []


def test_a_write_below_a_begun_ballot_is_not_accepted(ballots: Ballots, chosen: List[Tuple[Ledger, Ledger]]) -> None:
    accept(ballots, "a", block("n1", 1, ONE))
    accept(ballots, "b", block("n1", 1, ONE), begun=(2, "n2"))
    assert chosen == []


def test_a_second_value_for_a_chosen_version_is_a_fork(ballots: Ballots) -> None:
    for holder in ("a", "b"):
        accept(ballots, holder, block("n1", 1, ONE))
    accept(ballots, "b", block("n2", 2, OTHER))
    with pytest.raises(Forked):
        accept(ballots, "c", block("n2", 2, OTHER))


def test_the_same_value_under_a_higher_ballot_is_no_fork(ballots: Ballots) -> None:
    for holder in ("a", "b"):
        accept(ballots, holder, block("n1", 1, ONE))
    for holder in ("b", "c"):
        accept(ballots, holder, block("n2", 2, replace(ONE)))


def test_two_values_under_one_ballot_are_a_fork(ballots: Ballots) -> None:
    accept(ballots, "a", block("n1", 1, ONE))
    with pytest.raises(Forked):
        accept(ballots, "b", block("n1", 1, OTHER))


def test_what_no_majority_holds_must_not_be_shown(ballots: Ballots) -> None:
    accept(ballots, "a", block("n1", 1, ONE))
    assert ballots.objection(ONE)
    accept(ballots, "b", block("n1", 1, ONE))
    assert ballots.objection(ONE) is None and ballots.objection(OTHER)


def test_what_one_holder_has_accepted_may_yet_be_chosen_until_something_newer_is(ballots: Ballots) -> None:
    accept(ballots, "a", block("n1", 1, ONE))
    assert ballots.open() == [Ledger(), ONE]
    accept(ballots, "b", block("n1", 1, ONE))
    assert ballots.open() == [ONE]
