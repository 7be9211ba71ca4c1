"""Slots on a shared partition: the newest whole block counts, nothing that is not ours is touched."""
import errno
import hashlib
import hmac
import json
import os
import struct

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sundog.core.frames import Block
from sundog.core.ledger import GroupEntry, Ledger
from sundog.link.disk import _SLOT_HEAD, SLOT, UNIT, DiskFailed, DiskUnusable, SlotDisk
from sundog.link.frame import cluster_id
from sundog.link.initdisk import held, initialise
from sundog.link.passive import HolderRefused

KEY, OTHER_KEY = bytes(range(32)), bytes(32)
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


def test_a_label_of_another_key_is_refused_with_what_to_do_and_nothing_is_written(partition):
    """Neither of two keys would see the other's blocks, and the disk would give its vote to both."""
    disk(partition).exchange(block("n1", 1))
    raw = partition.read_bytes()
    with pytest.raises(HolderRefused, match="labelled with another key.*same key_file.*init-disk .* --force sundog$"):
        disk(partition, "n2", key=OTHER_KEY).exchange(block("n2", 1))
    assert partition.read_bytes() == raw


def test_a_node_whose_key_is_another_adds_no_slots_of_its_own(partition):
    disk(partition).exchange(block("n1", 1))
    raw = partition.read_bytes()
    with pytest.raises(HolderRefused, match="another key"):
        disk(partition, "n4", nodes=("n4", *NODES), key=OTHER_KEY).exchange(None)
    assert partition.read_bytes() == raw


def test_a_slot_of_another_key_under_our_label_is_not_believed(partition):
    one = disk(partition)
    one.exchange(block("n1", 1))
    forged = partition.with_name("forged")
    forged.write_bytes(bytes(SIZE))
    disk(forged, "n2", key=OTHER_KEY).exchange(block("n2", 9))
    at = UNIT + NODES.index("n2") * 2 * SLOT
    raw = bytearray(partition.read_bytes())
    raw[at:at + 2 * SLOT] = forged.read_bytes()[at:at + 2 * SLOT]
    partition.write_bytes(bytes(raw))
    assert one.exchange(block("n1", 2)) == (block("n1", 2),)


def test_a_disk_labelled_anew_with_another_key_is_refused_to_who_used_it(partition):
    one = disk(partition)
    one.exchange(block("n1", 1))
    partition.write_bytes(bytes(SIZE))
    disk(partition, "n2", key=OTHER_KEY).exchange(block("n2", 1))
    with pytest.raises(HolderRefused, match="another key"):
        one.exchange(block("n1", 2))


def meanwhile(monkeypatch, when, happens):
    """Let something happen once, before the next call of that method on any disk."""
    whole = getattr(SlotDisk, when)

    def other(self, *args):
        monkeypatch.setattr(SlotDisk, when, whole)
        happens()
        return whole(self, *args)
    monkeypatch.setattr(SlotDisk, when, other)


def test_a_label_that_is_replaced_during_an_exchange_makes_it_fail(partition, monkeypatch):
    """What others had acknowledged may have been gone when it was read: it must not pass for the life before."""
    one, two = disk(partition), disk(partition, "n2")
    one.exchange(block("n1", 1))
    life = one.life

    def anew():
        partition.write_bytes(bytes(SIZE))
        two.exchange(block("n2", 1))
    meanwhile(monkeypatch, "_newest", anew)
    with pytest.raises(DiskFailed, match="labelled anew meanwhile"):
        one.exchange(block("n1", 2))
    one.exchange(block("n1", 3))
    assert one.life == two.life != life


@pytest.mark.parametrize("key", [KEY, OTHER_KEY])
def test_of_two_nodes_that_label_a_blank_disk_at_once_both_go_by_what_stands_there(partition, monkeypatch, key):
    """n2 has seen it blank and is slower: its label replaces that of n1, whatever n1 has done meanwhile."""
    one, two = disk(partition), disk(partition, "n2", key=key)
    meanwhile(monkeypatch, "_write_label", lambda: one.exchange(block("n1", 1)))
    two.exchange(block("n2", 1))
    if key == KEY:
        assert one.exchange(block("n1", 2)) == two.exchange(None) == (block("n1", 2), block("n2", 1))
        assert one.life == two.life
    else:
        with pytest.raises(HolderRefused, match="another key"):
            one.exchange(block("n1", 2))


@pytest.mark.parametrize("key", [KEY, OTHER_KEY])
def test_a_label_that_is_replaced_before_it_is_read_back_is_not_taken_for_ones_own(partition, monkeypatch, key):
    one, two = disk(partition), disk(partition, "n2", key=key)

    def anew():
        partition.write_bytes(bytes(SIZE))
        two.exchange(block("n2", 1))
    meanwhile(monkeypatch, "_read_back", anew)
    if key == KEY:
        assert one.exchange(block("n1", 1)) == (block("n1", 1), block("n2", 1))
        assert one.life == two.life
    else:
        with pytest.raises(HolderRefused, match="another key"):
            one.exchange(block("n1", 1))


def test_a_label_torn_in_writing_is_written_again_with_another_life(partition):
    one = disk(partition)
    one.exchange(block("n1", 1))
    life = one.life
    raw = bytearray(partition.read_bytes())
    raw[70:90] = bytes(20)
    partition.write_bytes(bytes(raw))
    assert one.exchange(block("n1", 2)) == (block("n1", 2),)
    assert one.life != life


def test_a_label_of_the_format_before_is_refused_with_what_to_do(partition):
    text = json.dumps({"cluster": "shop", "slots": NODES, "life": "0123456789abcdef"}).encode()
    head = struct.pack(">8s8sI32s", b"SUNDOGL1", cluster_id("shop"), len(text), hashlib.sha256(text).digest())
    raw = (head + text).ljust(SIZE, b"\0")
    partition.write_bytes(raw)
    with pytest.raises(DiskUnusable, match="label was written by another version.* --force sundog$"):
        disk(partition).exchange(block("n1", 1))
    with pytest.raises(DiskUnusable, match="belongs to the Sundog cluster shop.* --force sundog:shop$"):
        disk(partition, cluster="bank").exchange(block("n1", 1))
    assert partition.read_bytes() == raw


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
    assert held(str(raw_partition), "shop", KEY) is None
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
