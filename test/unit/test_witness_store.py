"""The files that a witness keeps of a cluster: torn, damaged, half finished, of another version, not to be written."""
from pathlib import Path

import pytest

from sundog.daemon.witness_store import PLACE, StoreFailed, WitnessStore
from sundog.errors import ConfigProblem, SundogError
from sundog.link.witness_messages import LIFE


def test_a_folder_that_cannot_be_written_is_told_with_what_to_look_at(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreFailed) as failed:
        WitnessStore(str(tmp_path / "file" / "shop"))
    assert str(failed.value) == (f"{tmp_path}/file/shop: Not a directory; look at 'df -h {tmp_path}/file' and 'ls -ld "
                                 f"{tmp_path}/file'")
    store = WitnessStore(str(tmp_path / "shop"))
    monkeypatch.setattr("sundog.daemon.witness_store.os.pwrite", lambda *_: 7)
    with pytest.raises(StoreFailed, match=f"no space left; look at 'df -h {tmp_path}/shop'"):
        store.write("n1", b"block")
    store.close()


@pytest.mark.parametrize("torn", [0, 30, 60, 500])
def test_a_write_that_was_torn_leaves_the_one_before(tmp_path: Path, torn: int) -> None:
    store = WitnessStore(str(tmp_path / "shop"))
    for text in (b"first" * 200, b"second" * 200):
        store.write("n1", text)
    store.close()
    path = tmp_path / "shop" / "n1.block"
    raw = bytearray(path.read_bytes())
    raw[PLACE + torn:] = bytes(len(raw) - PLACE - torn)
    path.write_bytes(bytes(raw))
    assert WitnessStore(str(tmp_path / "shop")).kept().blocks == {"n1": b"first" * 200}


def test_damaged_files_do_not_vote(tmp_path: Path) -> None:
    store = WitnessStore(str(tmp_path / "shop"))
    store.write("n1", b"x")
    store.close()
    (tmp_path / "shop" / "n1.block").write_bytes(b"y" * 200)
    with pytest.raises(ConfigProblem, match="n1's block are damaged; .*remove .*shop"):
        WitnessStore(str(tmp_path / "shop"))
    (tmp_path / "shop" / "life").unlink()
    with pytest.raises(ConfigProblem, match="blocks, but no life"):
        WitnessStore(str(tmp_path / "shop"))


@pytest.mark.parametrize("left", ["life.new", "life.1234.new"])
def test_a_life_that_was_never_finished_is_no_damage(tmp_path: Path, left: str) -> None:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / left).write_text("0123")
    life = WitnessStore(str(folder)).life
    assert len(life) == LIFE and WitnessStore(str(folder)).life == life
    (folder / "life").unlink()
    (folder / "n1.block").touch()
    with pytest.raises(ConfigProblem, match="blocks, but no life"):
        WitnessStore(str(folder))


def test_files_of_another_version_are_left_alone(tmp_path: Path) -> None:
    store = WitnessStore(str(tmp_path / "shop"))
    store.write("n1", b"x")
    store.close()
    path = tmp_path / "shop" / "n1.block"
    newer = path.read_bytes().replace(b"SUNDOGB1", b"SUNDOGB2")
    path.write_bytes(newer)
    with pytest.raises(ConfigProblem, match="another version"):
        WitnessStore(str(tmp_path / "shop"))
    assert path.read_bytes() == newer


@pytest.mark.parametrize("name", ["../n1", "", "a/b", "n" * 40, "life\0"])
def test_a_name_that_no_node_may_have_becomes_no_file(tmp_path: Path, name: str) -> None:
    store = WitnessStore(str(tmp_path / "shop"))
    with pytest.raises(SundogError, match="name"):
        store.write(name, b"x")
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["life", "shop"]
