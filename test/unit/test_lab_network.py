"""What the lab asks of the kernel that all its hosts share."""
from pathlib import Path

from sunlab.network import make_room


def limits(table: Path) -> "list[int]":
    return [int((table / f"gc_thresh{number}").read_text()) for number in (1, 2, 3)]


def test_a_large_lab_gets_room_for_every_pair_of_neighbours_and_a_small_one_changes_nothing(tmp_path: Path) -> None:
    for number, usual in enumerate((128, 512, 1024), 1):
        (tmp_path / f"gc_thresh{number}").write_text(f"{usual}\n")
    make_room(12, (tmp_path, tmp_path / "not there"))
    assert limits(tmp_path) == [128, 512, 1024]
    make_room(1984, (tmp_path,))
    assert limits(tmp_path) == [2 * 1984, 3 * 1984, 4 * 1984]
    make_room(300, (tmp_path,))
    assert limits(tmp_path) == [2 * 1984, 3 * 1984, 4 * 1984]
