"""What a raw partition holds is told by its own marks, and is given up only when it is called by its name."""
import os
import struct

import pytest

from sundog.core.frames import Block
from sundog.link.disk import UNIT, DiskUnusable, SlotDisk
from sundog.link.initdisk import held, initialise
from sundog.link.label import found

SIZE = 1 << 20
KEY = bytes(32)
NODES = ("n1", "n2")


def zfs(raw: bytearray, order: str = "<", label: int = 0) -> None:
    at = label * (256 << 10) if label < 2 else SIZE - (4 - label) * (256 << 10)
    name = b"tank"
    raw[at + (16 << 10):at + (16 << 10) + 40] = (b"\0" * 12 + struct.pack(">I", 4) + b"name" + struct.pack(
        ">III", 9, 1, len(name)) + name).ljust(40, b"\0")
    raw[at + (128 << 10) + 3072:at + (128 << 10) + 3080] = struct.pack(order + "Q", 0x00BAB10C)


def ufs(raw: bytearray, order: str = ">") -> None:
    raw[8192 + 1372:8192 + 1376] = struct.pack(order + "I", 0x011954)


def vtoc(raw: bytearray) -> None:
    raw[0:5] = b"DISK1"
    raw[508:510] = struct.pack(">H", 0xDABE)
    total = 0
    for word, in struct.iter_unpack(">H", bytes(raw[:510])):
        total ^= word
    raw[510:512] = struct.pack(">H", total)


def efi(raw: bytearray) -> None:
    raw[512:520] = b"EFI PART"
    raw[510:512] = b"\x55\xaa"


def both(raw: bytearray) -> None:
    vtoc(raw)
    ufs(raw)


def behind(raw: bytearray) -> None:
    zfs(raw, label=3)


CASES = [(zfs, "zfs"), (lambda raw: zfs(raw, ">"), "zfs"), (lambda raw: zfs(raw, label=1), "zfs"), (behind, "zfs"),
         (ufs, "ufs"), (lambda raw: ufs(raw, "<"), "ufs"), (vtoc, "vtoc"), (efi, "efi"), (both, "ufs"),
         (lambda raw: raw.__setitem__(slice(32769, 32774), b"CD001"), "hsfs"),
         (lambda raw: raw.__setitem__(slice(510, 512), b"\x55\xaa"), "fdisk"),
         (lambda raw: raw.__setitem__(slice(300, 302), b"\1\2"), "unknown")]


@pytest.fixture
def device(tmp_path):
    return tmp_path / "slice"


@pytest.mark.parametrize(("make", "kind"), CASES)
def test_what_is_there_is_told_and_given_up_only_by_its_name(device, make, kind):
    raw = bytearray(SIZE)
    make(raw)
    device.write_bytes(bytes(raw))
    what = held(str(device), "shop", KEY)
    assert what is not None and what.kind == kind
    for force in ("", "swap"):
        with pytest.raises(DiskUnusable, match="holds"):
            initialise(str(device), "shop", NODES, KEY, force)
    assert device.read_bytes() == bytes(raw)
    assert initialise(str(device), "shop", NODES, KEY, kind)
    assert held(str(device), "shop", KEY).kind == "sundog"


def test_a_pools_name_is_read_from_its_label(device):
    raw = bytearray(SIZE)
    zfs(raw)
    device.write_bytes(bytes(raw))
    assert "tank" in found(str(device)).text


def test_a_blank_partition_is_labelled_and_each_label_has_its_own_life(device):
    device.write_bytes(bytes(SIZE))
    assert held(str(device), "shop", KEY) is None
    first = initialise(str(device), "shop", NODES, KEY, "")
    assert initialise(str(device), "shop", NODES, KEY, "sundog") != first


def labelled(device, cluster: str = "shop", key: bytes = KEY) -> SlotDisk:
    """A partition with a cluster's votes, as its n1 sees it."""
    device.write_bytes(bytes(SIZE))
    initialise(str(device), cluster, NODES, key, "")
    disk = SlotDisk(str(device), cluster, NODES, "n1", key)
    disk.exchange(Block("n1", (5, "n1")))
    return disk


def test_the_votes_of_our_cluster_are_given_up_only_by_name_and_then_they_are_gone(device):
    disk = labelled(device)
    life = disk.life
    with pytest.raises(DiskUnusable, match="the votes of the Sundog cluster shop"):
        initialise(str(device), "shop", NODES, KEY, "")
    initialise(str(device), "shop", NODES, KEY, "sundog")
    assert disk.exchange(Block("n1", (1, "n1"))) == (Block("n1", (1, "n1")),)
    assert disk.life != life


def test_the_votes_of_another_cluster_are_given_up_only_by_that_clusters_name(device):
    disk = labelled(device)
    for force in ("", "sundog", "sundog:other"):
        with pytest.raises(DiskUnusable, match="the votes of the Sundog cluster shop.* --force sundog:shop$"):
            initialise(str(device), "other", NODES, KEY, force)
    with pytest.raises(DiskUnusable, match="--force sundog$"):
        initialise(str(device), "shop", NODES, KEY, "sundog:shop")
    initialise(str(device), "other", NODES, KEY, "sundog:shop", idle_s=0)
    with pytest.raises(DiskUnusable, match="belongs to the Sundog cluster other"):
        disk.exchange(Block("n1", (6, "n1")))


def test_a_damaged_label_of_another_cluster_is_not_given_up_as_ours(device):
    labelled(device)
    raw = bytearray(device.read_bytes())
    raw[60] ^= 1
    device.write_bytes(bytes(raw))
    assert held(str(device), "shop", KEY).kind == "sundog"
    with pytest.raises(DiskUnusable, match="the damaged label of a Sundog cluster.* --force sundog:unknown$"):
        initialise(str(device), "other", NODES, KEY, "sundog")
    with pytest.raises(DiskUnusable, match="another Sundog cluster.* --force sundog:unknown$"):
        SlotDisk(str(device), "other", NODES, "n1", KEY).exchange(None)


@pytest.mark.parametrize(("cluster", "key", "force"), [("shop", bytes([1] * 32), "sundog"),
                                                       ("other", KEY, "sundog:shop")])
def test_votes_that_another_cluster_or_key_writes_now_are_not_given_up(device, monkeypatch, cluster, key, force):
    """The host with the wrong key must not take the disk from those that have the right one and run groups by it."""
    disk = labelled(device)
    monkeypatch.setattr("time.sleep", lambda for_s: disk.exchange(Block("n1", (7, "n1"))))
    raw = device.read_bytes()[:UNIT]
    with pytest.raises(DiskUnusable, match="is written to now"):
        initialise(str(device), cluster, NODES, key, force)
    assert device.read_bytes()[:UNIT] == raw
    monkeypatch.setattr("time.sleep", lambda for_s: None)
    assert initialise(str(device), cluster, NODES, key, force)


def test_a_coordinator_that_labels_it_while_it_is_cleared_does_not_keep_that_life(device, monkeypatch):
    """What it had written by then may have been cleared."""
    disk = labelled(device)
    fsync = os.fsync

    def cleared(fd):
        fsync(fd)
        disk.exchange(Block("n1", (6, "n1")))
    monkeypatch.setattr("os.fsync", cleared)
    life = initialise(str(device), "shop", NODES, KEY, "sundog")
    assert life != disk.life
    disk.exchange(None)
    assert disk.life == life


def test_a_label_of_another_key_is_told_as_such(device):
    labelled(device)
    assert "another key" in held(str(device), "shop", bytes([1] * 32)).text
    assert "another key" not in held(str(device), "shop", KEY).text


def test_a_name_of_what_is_not_there_is_refused(device):
    device.write_bytes(bytes(SIZE))
    with pytest.raises(DiskUnusable, match="holds nothing"):
        initialise(str(device), "shop", NODES, KEY, "zfs")
    assert device.read_bytes()[:UNIT] == bytes(UNIT)
