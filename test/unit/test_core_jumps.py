"""Rule 12: two clocks compared, and what a node that doubts its clock does."""
from sundog.core.jumps import Clocks


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
