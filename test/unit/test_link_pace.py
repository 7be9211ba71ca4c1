"""When a node is woken for every datagram and when it looks for many at once."""
from sundog.link.pace import Pace


def wake(pace: Pace, rate: float, seconds: float, begin: float = 0.0) -> bool:
    woken = [pace.woken(begin + number / rate) for number in range(int(rate * seconds))]
    return any(woken)


def test_a_follower_is_woken_for_every_datagram() -> None:
    assert not wake(Pace(0.2), rate=60, seconds=10)


def test_the_leader_of_many_looks_instead_and_goes_on_while_it_finds_some() -> None:
    pace = Pace(0.2)
    assert wake(pace, rate=370, seconds=0.2) and pace.polls
    assert all(pace.polled(round(370 * pace.pause_s)) for _ in range(1000))


def test_it_is_woken_again_once_it_finds_little_for_a_while_but_not_for_one_empty_look() -> None:
    pace = Pace(0.2)
    wake(pace, rate=370, seconds=0.2)
    assert pace.polled(0) and pace.polled(5)
    assert not all(pace.polled(0) for _ in range(20)) and not pace.polls
    assert not wake(pace, rate=20, seconds=1, begin=10.0)


def test_a_follower_that_was_flooded_once_is_woken_again_though_its_few_datagrams_come_in_pairs() -> None:
    pace = Pace(0.2)
    wake(pace, rate=370, seconds=0.2)
    looks = [2 if look % round(0.2 / pace.pause_s) == 0 else 0 for look in range(40)]
    assert not all(pace.polled(found) for found in looks)
