"""What a passive holder shows of writers that were not watched all the time."""
from dataclasses import replace

from sundog.core.disks import Disks
from sundog.core.frames import Block
from sundog.core.paxos import Writer
from sundog.core.voters import ANY


def test_that_a_writer_led_is_seen_even_when_it_has_stepped_down_or_started_again_before_the_next_look() -> None:
    disks = Disks(("disk1",), "n1", 0.8)
    writer = Writer("n2", {"n2": ANY}, Block("n2"), 1_000_000)
    disks.read(10.0, "disk1", "life", (writer.block(False),))
    disks.read(11.0, "disk1", "life", (writer.block(False),))
    assert disks.led_at(11.0, "disk1") == 10.0              # it showed a pulse, and did not lead
    writer.block(True)
    disks.read(15.0, "disk1", "life", (writer.block(False),))
    assert disks.led_at(15.0, "disk1") == 15.0              # it led in between, whenever that was
    again = Writer("n2", {"n2": ANY}, Block("n2"), 2_000_000)
    disks.read(19.0, "disk1", "life", (again.block(False),))
    assert disks.led_at(19.0, "disk1") == 19.0              # its earlier run may have led until this one began


def test_a_pulse_that_leaves_the_block_as_it_was_says_nothing_of_leading() -> None:
    writer = Writer("n2", {"n2": ANY}, Block("n2"), 1_000_000)
    led = writer.block(True)
    assert (led.led, writer.block(False).led) == (led.counter, led.counter)
    assert replace(led, led=0) != led
