"""What the daemon keeps: the record, the incarnation, the boot id, the journal."""
import errno
import json
import resource

import pytest

from sundog.core.effects import Stored
from sundog.core.frames import Block
from sundog.core.ledger import Ledger
from sundog.daemon.boot import boot_id, recall
from sundog.daemon.journal import Journal
from sundog.daemon.store import _HEAD, _MAGIC, PLACE, Store, StoreFailed, _digest
from sundog.errors import ConfigProblem
from sundog.link.codec import pack


def test_a_record_that_cannot_be_written_is_told_with_what_to_look_at(tmp_path, monkeypatch):
    with pytest.raises(StoreFailed) as failed:
        Store(str(tmp_path / "gone" / "ledger"))
    assert str(failed.value) == (f"{tmp_path}/gone/ledger: No such file or directory; look at 'df -h {tmp_path}/gone' "
                                 f"and 'ls -ld {tmp_path}/gone'")
    store = Store(str(tmp_path / "ledger"))
    monkeypatch.setattr("sundog.daemon.store.os.pwrite", full)
    with pytest.raises(StoreFailed, match=f"ledger: No space left on device; look at 'df -h {tmp_path}'"):
        store.save(stored(1))
    store.close()
    monkeypatch.setattr("sundog.daemon.store.PLACE", 100)
    with pytest.raises(StoreFailed, match="fewer groups in one cluster"):
        Store(str(tmp_path / "ledger")).save(stored(1))


def full(*_):
    raise OSError(errno.ENOSPC, "No space left on device")


def stored(number: int) -> Stored:
    return Stored({"n1": Block("n1", (number, "n1"))}, (number, "n1"), Ledger(version=number))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ledger"


def kept(path) -> Stored:
    store = Store(str(path))
    try:
        return store.load()
    finally:
        store.close()


def write(path, *numbers: int) -> None:
    store = Store(str(path))
    store.load()
    for number in numbers:
        store.save(stored(number))
    store.close()


def test_a_new_node_has_an_empty_record(path):
    assert kept(path) == Stored()


def test_the_last_record_saved_is_the_one_found(path):
    write(path, 1, 2, 3)
    assert kept(path) == stored(3)
    write(path, 4)
    assert kept(path) == stored(4)


@pytest.mark.parametrize("cut", [0, 5, 20, 60])
def test_a_torn_write_leaves_the_record_before(path, cut):
    write(path, 1, 2)
    raw = bytearray(path.read_bytes())
    raw[PLACE * 0 + cut] ^= 0x55
    path.write_bytes(bytes(raw))
    assert kept(path) == stored(1)


def test_two_damaged_copies_are_refused_and_not_taken_for_a_new_node(path):
    write(path, 1, 2)
    raw = bytearray(path.read_bytes())
    raw[30] ^= 1
    raw[PLACE + 30] ^= 1
    path.write_bytes(bytes(raw))
    with pytest.raises(ConfigProblem, match="damaged"):
        kept(path)


def test_a_record_of_another_version_is_refused_and_not_overwritten(path):
    write(path, 1, 2)
    raw = bytearray(path.read_bytes())
    raw[PLACE + 7] = ord("9")
    path.write_bytes(bytes(raw))
    with pytest.raises(ConfigProblem, match="another version"):
        kept(path)
    assert path.read_bytes() == bytes(raw)


def test_a_whole_record_that_cannot_be_read_is_of_another_version(path):
    text = pack(Block("n1"))
    path.write_bytes(_HEAD.pack(_MAGIC, 7, len(text), _digest(7, text)) + text)
    with pytest.raises(ConfigProblem, match="another version"):
        kept(path)


@pytest.fixture
def room():
    """Let files grow to that size only, as on a file system that is full: a longer write is cut short, then refused."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("left", [0, 1, 100])
def test_a_record_that_does_not_get_onto_a_full_disk_whole_is_not_acknowledged(path, room, left):
    write(path, 1, 2)
    store = Store(str(path))
    store.load()
    room(PLACE + left)
    with pytest.raises(StoreFailed, match="ledger: "):
        store.save(stored(3))
    assert kept(path) == stored(2)
    room(resource.RLIM_INFINITY)
    store.save(stored(4))
    store.close()
    assert kept(path) == stored(4)


class Host:
    """The three places where a host counts the runs of its daemon."""

    def __init__(self, place):
        self.ledger, self.lasting, self.this_boot = (place / name for name in ("ledger", "incarnation", "run"))

    def start(self) -> Stored:
        store = Store(str(self.ledger))
        try:
            return recall(store, str(self.lasting), str(self.this_boot))
        finally:
            store.close()


@pytest.fixture
def host(tmp_path):
    return Host(tmp_path)


def test_each_start_has_a_higher_incarnation_and_the_same_life(host):
    starts = [host.start() for _ in range(3)]
    assert [one.incarnation for one in starts] == [1, 2, 3]
    assert len({one.life for one in starts}) == 1 and len(starts[0].life) == 16
    assert not starts[-1].distrust


def test_a_vote_file_that_was_lost_comes_back_with_another_life_that_says_so(host):
    first = host.start()
    host.ledger.unlink()
    second = host.start()
    assert second.life != first.life and second.life.endswith("+") and second.incarnation == 2
    assert host.start().life == second.life


def test_an_older_vote_file_is_not_trusted_however_often_it_is_started(host):
    host.start()
    copy = host.ledger.read_bytes()
    host.start()
    host.ledger.write_bytes(copy)
    assert "older" in host.start().distrust
    assert "older" in host.start().distrust
    host.ledger.unlink()
    assert not host.start().distrust


def test_everything_put_back_within_one_boot_is_found_out_by_what_run_still_has(host):
    host.start()
    copies = host.ledger.read_bytes(), host.lasting.read_bytes()
    host.start()
    host.ledger.write_bytes(copies[0])
    host.lasting.write_bytes(copies[1])
    assert "older" in host.start().distrust


def test_a_crash_between_vote_file_and_incarnation_costs_nothing(host):
    host.start()
    before = host.lasting.read_bytes(), host.this_boot.read_bytes()
    host.start()
    host.lasting.write_bytes(before[0])
    host.this_boot.write_bytes(before[1])
    assert not host.start().distrust


def test_the_boot_id_stays_until_the_next_boot(tmp_path):
    path = tmp_path / "boot_id"
    first = boot_id(str(path))
    assert boot_id(str(path)) == first
    path.unlink()
    assert boot_id(str(path)) != first


def test_the_journal_is_there_again_after_a_restart_even_with_a_torn_last_line(tmp_path):
    path = tmp_path / "journal"
    journal = Journal(str(path), lambda text: None)
    journal.add("JOINED", "info", "n1 joined", node="n1")
    journal.close()
    with path.open("a") as file:
        file.write('{"time": "2026')
    again = Journal(str(path), lambda text: None)
    assert [entry["code"] for entry in again.last(10)] == ["JOINED"]
    again.add("LEFT", "info", "n1 left", node="n1")
    again.close()
    assert [entry["code"] for entry in Journal(str(path), lambda text: None).last(10)] == ["JOINED", "LEFT"]


def test_the_journal_takes_a_bounded_space(tmp_path):
    path = tmp_path / "journal"
    journal = Journal(str(path), lambda text: None, largest=2000)
    for number in range(100):
        journal.add("TICK", "info", f"entry {number}")
    journal.close()
    assert path.stat().st_size < 2200
    assert (tmp_path / "journal.1").stat().st_size < 2200
    assert json.loads((path.read_text() or "{}\n").splitlines()[-1] or "{}").get("text", "entry 99") == "entry 99"


def test_a_follower_gets_every_new_entry_until_it_stops(tmp_path):
    journal = Journal(str(tmp_path / "journal"), lambda text: None)
    got = []
    stop = journal.follow(lambda entry: got.append(entry["text"]))
    journal.add("A", "info", "one", group="web")
    stop()
    journal.add("A", "info", "two")
    assert got == ["one"]
