"""Who votes: what counts as a majority of which sets, and by which steps the leader changes them."""
from dataclasses import replace
from typing import Dict, List, Set, Tuple

from hypothesis import given
from hypothesis import strategies as st

from sundog.core import electorate, join, voters
from sundog.core.electorate import Present
from sundog.core.frames import Block
from sundog.core.ledger import Ledger, Member
from sundog.core.paxos import merged, required

ABC = {"a": "1", "b": "1", "c": "1"}
LEDGER = Ledger(4, 1, "d", voters=ABC)


def step(ledger: Ledger, wanted: Tuple[str, ...], **present: object) -> electorate.Step:
    return electorate.step(ledger, wanted, Present(**present))  # type: ignore[arg-type]


def test_an_answer_of_another_life_is_no_vote() -> None:
    assert voters.agree((ABC,), {"a": "1", "b": "1"})
    assert not voters.agree((ABC,), {"a": "1", "b": "2"})
    assert not voters.agree(({"a": "1", "b": ""},), {"a": "1", "b": ""})


def test_the_configurations_set_counts_any_life_but_one_that_took_the_place_of_another() -> None:
    new = dict.fromkeys(ABC, voters.ANY)
    assert voters.agree((new,), {"a": "7", "b": "8"})
    assert not voters.agree((new,), {"a": "7", "b": "8+"})


def test_during_a_change_both_sets_must_have_a_majority() -> None:
    sets = voters.in_force(replace(LEDGER, next_voters={"c": "1", "d": "1", "e": "1"}), {})
    assert not voters.agree(sets, dict.fromkeys("ab", "1"))
    assert not voters.agree(sets, dict.fromkeys("de", "1"))
    assert voters.agree(sets, dict.fromkeys("acd", "1"))


def test_a_candidate_needs_the_sets_of_the_newest_ledger_that_it_has_found() -> None:
    older = Block("n1", (3, "n1"), (1, "n1"), LEDGER, 4)
    newer = Block("n2", (2, "n2"), (2, "n2"), replace(LEDGER, voters={"d": "1"}), 4)
    assert required((older,), {}) == (ABC,)
    assert required((older, newer), {}) == ({"d": "1"},)
    assert required((Block("n3", (9, "n3")),), {"x": voters.ANY}) == ({"x": voters.ANY},)


@given(st.dictionaries(st.sampled_from("abcdefg"), st.integers(0, 9)),
       st.lists(st.sets(st.sampled_from("abcdefg"), min_size=1), min_size=1, max_size=2))
def test_what_is_reached_is_the_highest_that_a_majority_of_each_set_has(
        values: Dict[str, int], sets: List[Set[str]]) -> None:
    answers = {name: ("1", value) for name, value in values.items()}
    found = voters.reached([dict.fromkeys(one, "1") for one in sets], answers)
    least = [value for value in range(10) if all(
        2 * sum(values.get(name, -1) >= value for name in one) > len(one) for one in sets)]
    assert found == (max(least) if least else None)


def test_the_first_ledger_names_a_set_of_the_configurations_size() -> None:
    first = step(Ledger(), ("a", "b", "c"), answering={"a": "1", "b": "1"}).ledger
    assert first.voters == {"a": "1", "b": "1", "c": ""}


def test_a_change_goes_through_both_sets_and_ends_with_the_new_one() -> None:
    answering = {**ABC, "d": "1"}
    both = step(LEDGER, ("b", "c", "d"), answering=answering).ledger
    assert (both.voters, set(both.next_voters)) == (ABC, {"b", "c", "d"})
    after = step(both, ("b", "c", "d"), answering=answering).ledger
    assert (after.voters, after.next_voters) == (both.next_voters, {})
    assert step(after, ("b", "c", "d"), answering=answering).ledger is after


def test_a_change_waits_for_the_configuration_the_newcomer_and_a_majority_and_says_so() -> None:
    assert "configuration" in step(LEDGER, ("a", "b"), answering=ABC, agreed=False).waits
    assert "not heard yet: d" in step(LEDGER, ("b", "c", "d"), answering=ABC).waits
    assert "silent: b, c" in step(LEDGER, ("a", "b"), answering={"a": "1"}).waits


def test_a_holder_with_a_new_life_is_taken_in_again_but_never_one_that_is_not_trusted() -> None:
    answering = {**ABC, "c": "2+"}
    assert step(LEDGER, ("a", "b", "c"), answering=answering).ledger.next_voters == answering
    out = step(LEDGER, ("a", "b", "c"), answering={"a": "1", "b": "1"}, suspects={"c": "1"}).ledger
    assert out.distrusted == {"c": "1"} and out.next_voters == {"a": "1", "b": "1"}
    done = step(out, ("a", "b", "c"), answering=ABC).ledger
    assert step(done, ("a", "b", "c"), answering=ABC).ledger.next_voters == {}
    assert step(done, ("a", "b", "c"), answering=answering).ledger.next_voters == answering


def test_a_configuration_whose_holders_do_not_answer_is_refused_unless_they_are_new() -> None:
    assert "silent: b" in (electorate.refusal(LEDGER, ("a", "b"), {"a": "1", "c": "1"}) or "")
    assert electorate.refusal(LEDGER, ("a", "d", "e"), {"a": "1"}) is None
    assert electorate.refusal(LEDGER, ("a", "b", "c"), {}) is None


def test_a_holder_keeps_the_newer_ledger_and_the_higher_ballot_of_a_writer() -> None:
    kept = Block("n1", (5, "n1"), (5, "n1"), LEDGER, 4, 10)
    blank = Block("n1", counter=11)
    assert merged(kept, blank) == replace(kept, counter=11)
    begun = merged(kept, Block("n1", (6, "n1")))
    assert (begun.mbal, begun.bal, begun.version, begun.ledger) == ((6, "n1"), (5, "n1"), 4, LEDGER)
    assert merged(None, blank) is blank


def test_another_boot_that_counts_no_further_than_the_admitted_one_is_put_back() -> None:
    ledger = LEDGER.with_member("n1", Member("boot2", 7, "host"))
    assert join.is_restored("n1", "boot3", 7, ledger) and not join.is_restored("n1", "boot3", 8, ledger)
    assert not join.is_restored("n1", "boot2", 7, ledger) and not join.is_restored("n2", "boot", 1, ledger)


def test_nodes_are_needed_where_passive_holders_are_no_majority_of_one_of_the_sets() -> None:
    assert voters.needs(({"n1": "1", "d1": "1"},), ("n1",))
    assert not voters.needs(({"n1": "1", "d1": "1", "d2": "1"},), ("n1",))
    assert voters.needs(({"d1": "1"}, {"n1": "1", "n2": "1"}), ("n1", "n2"))
