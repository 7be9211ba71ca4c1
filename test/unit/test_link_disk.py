"""Slots on a shared partition: the newest whole block counts, nothing that is not ours is touched."""
import errno
import hmac
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sundog.core.frames import Block
from sundog.core.ledger import GroupEntry, Ledger
from sundog.link.disk import _SLOT_HEAD, SLOT, UNIT, DiskFailed, DiskUnusable, SlotDisk
from sundog.link.initdisk import held, initialise

KEY = bytes(range(32))
NODES = ("n1", "n2", "n3")
SIZE = UNIT + 8 * SLOT


@pytest.fixture
def partition(tmp_path):
    path = tmp_path / "c0t5d0s6"
    path.write_bytes(bytes(SIZE))
    return path


def disk(path, name="n1", nodes=NODES, cluster="shop", key=KEY) -> SlotDisk:
    return SlotDisk(str(path), cluster, nodes, name, key)


def block(writer: str, counter: int, version: int = 0) -> Block:
    ledger = Ledger(version, groups={"web": GroupEntry("online", writer, 4)})
    return Block(writer, (1, writer), (1, writer), ledger, version, counter)


def test_each_node_reads_what_every_node_wrote_last(partition):
    one, two = disk(partition), disk(partition, "n2")
    one.exchange(block("n1", 1))
    assert two.exchange(block("n2", 1)) == (block("n1", 1), block("n2", 1))
    assert one.exchange(block("n1", 2)) == (block("n1", 2), block("n2", 1))
    assert two.exchange(block("n2", 2)) == (block("n1", 2), block("n2", 2))


def test_a_torn_slot_leaves_the_older_one(partition):
    one, two = disk(partition), disk(partition, "n2")
    for counter in (1, 2, 3):
        one.exchange(block("n1", counter))
    raw = bytearray(partition.read_bytes())
    newest = UNIT + (1 - 3 % 2) * SLOT
    raw[newest + 40:newest + 60] = bytes(20)
    partition.write_bytes(bytes(raw))
    assert two.exchange(block("n2", 1))[0] == block("n1", 2)


def test_after_a_torn_write_the_next_run_writes_over_the_torn_slot(partition):
    disk(partition).exchange(block("n1", 1))
    first = disk(partition)
    first.exchange(block("n1", 2))
    raw = bytearray(partition.read_bytes())
    raw[UNIT + SLOT + 30] ^= 0xff
    partition.write_bytes(bytes(raw))
    assert disk(partition).exchange(block("n1", 3)) == (block("n1", 3),)
    raw = bytearray(partition.read_bytes())
    raw[UNIT + SLOT + 30] ^= 0xff
    partition.write_bytes(bytes(raw))
    assert disk(partition, "n2").exchange(block("n2", 1))[0] == block("n1", 1)


@given(st.binary(min_size=1, max_size=200), st.integers(0, 2 * SLOT - 200))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_garbage_in_a_slot_never_shows_as_a_block(partition, noise, at):
    partition.write_bytes(bytes(SIZE))
    one = disk(partition)
    one.exchange(block("n1", 1))
    one.exchange(block("n1", 2))
    raw = bytearray(partition.read_bytes())
    raw[UNIT + at:UNIT + at + len(noise)] = noise
    partition.write_bytes(bytes(raw))
    seen = disk(partition, "n2").exchange(block("n2", 1))
    assert all(found in (block("n1", 1), block("n1", 2), block("n2", 1)) for found in seen)


def test_another_key_reads_nothing_of_ours(partition):
    disk(partition).exchange(block("n1", 1))
    assert disk(partition, "n2", key=bytes(32)).exchange(block("n2", 1)) == (block("n2", 1),)


def test_a_slot_copied_over_anothers_does_not_count(partition):
    disk(partition).exchange(block("n1", 1))
    raw = bytearray(partition.read_bytes())
    raw[UNIT + 2 * SLOT:UNIT + 4 * SLOT] = raw[UNIT:UNIT + 2 * SLOT]
    partition.write_bytes(bytes(raw))
    assert disk(partition, "n3").exchange(block("n3", 1)) == (block("n1", 1), block("n3", 1))


@pytest.mark.parametrize("at", [0, 300, UNIT + 5, 20 * UNIT])
def test_a_partition_that_holds_something_else_is_refused_and_left_alone(partition, at):
    raw = bytearray(SIZE)
    raw[at:at + 4] = b"UFS!"
    partition.write_bytes(bytes(raw))
    with pytest.raises(DiskUnusable, match="init-disk"):
        disk(partition).exchange(block("n1", 1))
    assert partition.read_bytes() == bytes(raw)


def test_a_slot_of_a_newer_format_is_refused_and_never_overwritten(partition):
    """Its own and another node's: what cannot be read may hold the ledger that was chosen."""
    disk(partition).exchange(block("n1", 1))
    raw = bytearray(partition.read_bytes())
    end = UNIT + _SLOT_HEAD.size + _SLOT_HEAD.unpack_from(raw, UNIT)[3]
    raw[UNIT + 7] = ord("2")
    raw[end:end + 32] = hmac.digest(KEY, b"slot n1\0" + raw[UNIT:end], "sha256")
    partition.write_bytes(bytes(raw))
    with pytest.raises(DiskUnusable, match="slot of n1 was written by another version"):
        disk(partition).exchange(block("n1", 2))
    with pytest.raises(DiskUnusable, match="slot of n1 was written by another version"):
        disk(partition, "n2").exchange(block("n2", 1))
    assert partition.read_bytes()[UNIT:UNIT + 2 * SLOT] == bytes(raw[UNIT:UNIT + 2 * SLOT])


def test_every_exchange_tells_the_life_of_the_label_and_all_nodes_the_same(partition):
    one, two = disk(partition), disk(partition, "n2")
    one.exchange(block("n1", 1))
    two.exchange(block("n2", 1))
    one.exchange(block("n1", 2))
    assert one.life == two.life != ""


def test_a_writer_that_has_forgotten_does_not_make_the_disk_forget(partition):
    disk(partition).exchange(block("n1", 1, version=7))
    seen = disk(partition).exchange(Block("n1", (2, "n1")))
    assert seen[0].version == 7 and seen[0].mbal == (2, "n1") and seen[0].bal == (1, "n1")


def test_an_older_copy_put_back_under_a_running_node_gets_another_life(partition):
    one = disk(partition)
    one.exchange(block("n1", 1))
    copy, life = partition.read_bytes(), one.life
    for counter in range(2, 5):
        one.exchange(block("n1", counter))
    partition.write_bytes(copy)
    with pytest.raises(DiskFailed, match="older copy"):
        one.exchange(block("n1", 5))
    one.exchange(block("n1", 6))
    assert one.life != life


def test_another_clusters_partition_is_refused_by_name(partition):
    disk(partition).exchange(block("n1", 1))
    with pytest.raises(DiskUnusable, match="shop"):
        disk(partition, cluster="bank").exchange(block("n1", 1))


def test_a_node_that_is_new_gets_slots_behind_the_others(partition):
    disk(partition).exchange(block("n1", 1))
    assert disk(partition, "n0", nodes=("n0", *NODES)).exchange(block("n0", 1)) == (block("n1", 1), block("n0", 1))


def test_a_partition_that_is_too_small_says_how_large_it_must_be(partition):
    partition.write_bytes(bytes(3 * SLOT))
    with pytest.raises(DiskUnusable, match=str(UNIT + 6 * SLOT)):
        disk(partition).exchange(block("n1", 1))


def test_a_block_too_large_for_its_slot_is_refused(partition):
    noise = "".join(chr(0x4e00 + (n * 7919 + n * n) % 20000) for n in range(40_000))
    huge = Block("n1", ledger=Ledger(groups={"web": GroupEntry(why=noise)}))
    with pytest.raises(DiskFailed, match="does not fit"):
        disk(partition).exchange(huge)


def test_a_disk_that_is_gone_fails_and_works_again_when_it_is_back(partition):
    one = disk(partition)
    hidden = partition.rename(partition.with_name("hidden"))
    with pytest.raises(DiskFailed, match="No such file"):
        one.exchange(block("n1", 1))
    hidden.rename(partition)
    assert one.exchange(block("n1", 2)) == (block("n1", 2),)


@pytest.fixture(params=[512, 4096])
def raw_partition(partition, monkeypatch, request):
    """A partition that refuses what does not begin and end at a sector of the disk, as a raw device does."""
    real = {"pread": os.pread, "pwrite": os.pwrite}

    def checked(name, size_of):
        def call(fd, what, at):
            if size_of(what) % request.param or at % request.param:
                raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
            return real[name](fd, what, at)
        monkeypatch.setattr(os, name, call)

    checked("pread", int)
    checked("pwrite", len)
    return partition


def test_a_raw_device_is_read_and_written_in_whole_sectors_only(raw_partition):
    one, two = disk(raw_partition), disk(raw_partition, "n2")
    for counter in range(1, 7):
        one.exchange(block("n1", counter))
        assert two.exchange(block("n2", counter)) == (block("n1", counter), block("n2", counter))
    one.close()
    for counter in range(7, 10):
        assert one.exchange(block("n1", counter)) == (block("n1", counter), block("n2", 6))
    assert disk(raw_partition, "n3").exchange(None) == (block("n1", 9), block("n2", 6))
    assert disk(raw_partition, "n0", nodes=("n0", *NODES)).exchange(block("n0", 1))[-1] == block("n0", 1)
    assert len(one.exchange(block("n1", 10))) == 3


def test_an_older_copy_put_back_on_a_raw_device_is_noticed(raw_partition):
    one = disk(raw_partition)
    one.exchange(block("n1", 1))
    copy = raw_partition.read_bytes()
    for counter in range(2, 5):
        one.exchange(block("n1", counter))
    raw_partition.write_bytes(copy)
    with pytest.raises(DiskFailed, match="older copy"):
        one.exchange(block("n1", 5))


def test_a_raw_device_is_looked_at_and_labelled_in_whole_sectors_only(raw_partition):
    assert held(str(raw_partition)) is None
    initialise(str(raw_partition), "shop", NODES, KEY, "")
    one = disk(raw_partition)
    one.exchange(block("n1", 1))
    initialise(str(raw_partition), "shop", NODES, KEY, "sundog")
    assert one.exchange(block("n1", 2)) == (block("n1", 2),)
    raw_partition.write_bytes(b"x" * (2 << 20))
    with pytest.raises(DiskUnusable, match="holds something that"):
        disk(raw_partition).exchange(block("n1", 1))
    initialise(str(raw_partition), "shop", NODES, KEY, "unknown")
    assert disk(raw_partition).exchange(block("n1", 1)) == (block("n1", 1),)
