"""What the client saw is counted right: gaps, first answers, acknowledged writes, double holders."""
from pathlib import Path

from sunlab.measure.answers import Answer, acknowledged, downtime, first_answer, read
from sunlab.measure.observer import Observer


def answer(at: float, ok: bool = True, number: int = 0) -> Answer:
    return Answer(at, at + 0.002, "web", number, ok, "n1")


def test_downtime_is_the_longest_gap_between_good_answers() -> None:
    polls = [answer(1.0), answer(1.01), answer(1.02, ok=False), answer(1.5), answer(1.51)]
    assert round(downtime(polls, "web", 1.0, 1.512), 3) == 0.49


def test_a_service_that_never_answers_is_down_for_the_whole_time() -> None:
    assert downtime([], "web", 10.0, 12.5) == 2.5


def test_the_first_answer_counts_only_polls_sent_after_the_event() -> None:
    sent_before = Answer(0.9, 1.4, "web", None, True, "n1")
    assert first_answer([sent_before, answer(1.6)], "web", after=1.0) == 1.602


def test_only_answered_writes_are_acknowledged() -> None:
    polls = [answer(1, number=5), answer(2, ok=False, number=10), Answer(3, 3.1, "web", None, True, "n1")]
    assert acknowledged(polls, "web") == {5}


def test_a_line_still_being_written_is_left_out(tmp_path: Path) -> None:
    whole = '{"at": 1, "done": 2, "service": "web", "n": null, "ok": true, "by": "n1"}\n'
    (tmp_path / "polls").write_text(whole + whole[:20])
    assert len(read(tmp_path / "polls")) == 1


def test_the_same_address_on_two_nodes_is_seen_as_double() -> None:
    observer = Observer(dict, {"10.0.0.1", "/pool"})
    observer.note(1.0, {}, {"n1": frozenset({"10.0.0.1"}), "n2": frozenset({"10.0.0.1", "/pool"})})
    assert observer.doubles == [(1.0, "10.0.0.1", ["n1", "n2"])]


def test_the_observer_knows_when_a_node_got_something() -> None:
    observer = Observer(dict, {"/pool"})
    observer.note(1.0, {}, {"n1": frozenset({"/pool"})})
    observer.note(2.0, {"n1": frozenset({"/pool"})}, {"n2": frozenset({"/pool"})})
    assert observer.gained("n2", "/pool", after=0.5) == 2.0
    assert (2.0, "n1", "/pool", False) in observer.changes
