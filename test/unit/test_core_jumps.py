"""Rule 12: two clocks compared, and what a node that doubts its clock does."""
from sundog.config.model import Timing
from sundog.core.following import Following
from sundog.core.frames import Grant
from sundog.core.jumps import Clocks


def granted(following, seq, sent_at, for_s):
    following.sent(sent_at, seq)
    assert following.granted(Grant(seq, sent_at, for_s, (1, "n2"), 3))
    return following.lease_until


def test_a_grant_after_a_pause_takes_the_place_of_the_lease_from_before_it_even_when_that_is_longer():
    following = Following(3, Timing(2.0))
    assert granted(following, 1, 100.0, 2.0) == 101.8
    following.doubt()
    assert following.right_until(3) is None
    assert granted(following, 2, 100.1, 1.4) == 101.3       # the leader's own horizon is near
    assert following.right_until(3) == 101.3
    assert granted(following, 3, 100.2, 1.2) == 101.3       # no doubt any more: what was granted stays granted


def test_a_grant_that_is_hardly_worth_it_does_not_end_a_doubt():
    following = Following(3, Timing(2.0))
    granted(following, 1, 100.0, 2.0)
    following.doubt()
    assert granted(following, 2, 100.1, 0.3) == 101.8
    assert following.right_until(3) is None


def looks(clocks, *pairs):
    return [round(clocks.jumped(steady, wall), 3) for steady, wall in pairs]


def test_clocks_that_go_on_together_never_jump():
    clocks = Clocks(0.2, 2.0)
    assert looks(clocks, *((at / 10, 5000 + at / 10) for at in range(100))) == [0.0] * 100


def test_a_pause_is_told_once_with_its_length():
    assert looks(Clocks(0.2, 2.0), (10.0, 100.0), (10.2, 103.2), (10.4, 103.4)) == [0.0, 3.0, 0.0]


def test_pauses_below_the_guard_add_up_within_a_window():
    assert looks(Clocks(0.2, 2.0), (10.0, 100.0), (10.2, 100.35), (10.4, 100.7)) == [0.0, 0.0, 0.3]


def test_what_adjtime_slews_is_no_jump():
    clocks = Clocks(0.2, 2.0)
    assert not any(looks(clocks, *((at / 10, 100 + at / 10 * (1 + 1 / 16)) for at in range(200))))


def test_a_clock_that_is_set_back_is_no_pause_and_hides_no_later_one():
    assert looks(Clocks(0.2, 2.0), (10.0, 100.0), (10.1, 40.1), (10.2, 41.2)) == [0.0, 0.0, 1.0]


def test_a_jump_is_told_once_also_where_rounding_has_it_at_the_very_guard() -> None:
    clocks = Clocks(0.2, 10.0)
    clocks.jumped(22164.14240659945, 22164.14240659945 - 21577.29351479255)
    assert clocks.jumped(22165.09240659945, 587.9988918069045) > 0
    assert not clocks.jumped(22165.09240659945, 587.9988918069045)
