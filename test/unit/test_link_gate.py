"""The gate: what was there before is dropped, what another run of the receiver was sent is not let in."""
import pytest

from sundog.link.codec import FrameError
from sundog.link.frame import NO_SESSION, Frame
from sundog.link.gate import AGAIN, FIRST, GREET, NEW, WINDOW, Gate

OURS = b"ourselves"[:8]


@pytest.fixture
def gate() -> Gate:
    return Gate(OURS)


def frame(seq: int, *, incarnation: int = 1, boot: str = "boot1", session: bytes = b"theirs01",
          echo: bytes = OURS) -> Frame:
    return Frame("n2", boot, incarnation, session, echo, seq)


def test_a_frame_is_new_once_and_counts_once_for_each_other_link(gate):
    assert gate.admit(0, "private", "a", frame(1)) == FIRST
    assert gate.admit(0, "public", "b", frame(1)) == AGAIN
    assert gate.admit(0, "private", "a", frame(2)) == NEW
    for link in ("private", "public"):
        with pytest.raises(FrameError) as caught:
            gate.admit(0, link, "a", frame(1))
        assert caught.value.reason == "stale"


def test_frames_out_of_order_are_new_within_the_window_and_stale_beyond(gate):
    assert gate.admit(0, "private", "a", frame(WINDOW + 10)) == FIRST
    assert gate.admit(0, "private", "a", frame(11)) == NEW
    with pytest.raises(FrameError):
        gate.admit(0, "private", "a", frame(10))


def test_a_lower_incarnation_of_the_same_boot_is_stale(gate):
    gate.admit(0, "private", "a", frame(1, incarnation=5))
    with pytest.raises(FrameError) as caught:
        gate.admit(0, "private", "a", frame(99, incarnation=4, session=b"theirs00"))
    assert caught.value.reason == "stale"


def test_a_frame_that_was_sent_to_an_earlier_run_of_ours_is_not_delivered(gate):
    assert gate.admit(0, "private", "a", frame(1, echo=b"ourolder")) == GREET
    assert gate.admit(0, "private", "a", frame(1, echo=NO_SESSION)) == GREET
    assert gate.known("n2") == []


def test_a_restarted_peer_replaces_its_earlier_run(gate):
    gate.admit(0, "private", "a", frame(1))
    gate.admit(1, "private", "a", frame(1, incarnation=2, session=b"theirs02"))
    assert [run.session for run in gate.known("n2")] == [b"theirs02"]


def test_a_rebooted_peer_at_the_same_address_replaces_its_earlier_boot(gate):
    gate.admit(0, "private", "a", frame(1))
    gate.admit(1, "private", "a", frame(1, boot="boot2", incarnation=2, session=b"theirs02"))
    assert [run.boot_id for run in gate.known("n2")] == ["boot2"]


def test_two_hosts_of_the_same_name_are_both_known(gate):
    gate.admit(0, "private", "a", frame(1))
    gate.admit(0, "private", "x", frame(1, boot="impostor", session=b"imposter"))
    assert {run.boot_id for run in gate.known("n2")} == {"boot1", "impostor"}
    assert [run.boot_id for run in gate.known("n2", "impostor")] == ["impostor"]


def test_a_host_of_the_same_name_that_fell_silent_is_forgotten(gate):
    gate.admit(0, "private", "a", frame(1))
    gate.admit(0, "private", "x", frame(1, boot="impostor", session=b"imposter"))
    gate.admit(6, "private", "a", frame(2))
    assert [run.boot_id for run in gate.known("n2")] == ["boot1"]


def test_what_the_gate_remembers_is_bounded(gate):
    for seq in range(1, 5 * WINDOW):
        gate.admit(0, "private", "a", frame(seq))
    assert len(gate.known("n2")[0].seen) <= 2 * WINDOW + 1
