"""The marks of faulty disks, which a node reads as it boots."""
from pathlib import Path

import pytest

from sunlab import drives
from sunlab import places as where
from sunlab.places import Places


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    monkeypatch.setattr(where, "BASE", tmp_path)
    found = Places("lab")
    found.faults("n1").mkdir(parents=True)
    return found


def test_a_fault_that_is_set_while_another_reads_it_is_the_one_before_or_the_one_after(places: Places) -> None:
    drives.set_fault(places, "n1", "c0t1d0s0", "slow 5", 0)
    with open(places.faults("n1") / "c0t1d0s0", encoding="ascii") as reader:
        drives.set_fault(places, "n1", "c0t1d0s0", "fail", 0)
        assert reader.read() == "slow 5"
    assert drives.faults(places, "n1") == {"c0t1d0s0": "fail"}


def test_a_fault_that_is_healed_while_another_lists_them_is_none(places: Places) -> None:
    (places.faults("n1") / "c0t1d0s0").symlink_to("healed")
    assert drives.faults(places, "n1") == {}
