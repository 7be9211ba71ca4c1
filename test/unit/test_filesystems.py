"""Mount table, vfstab, options, superblock and columns of file systems: what is decided without a kernel."""
import struct
from pathlib import Path

import pytest

from sunlab.commands import fstyp, newfs
from sunlab.fs import check, options, superblock, table, ufs, usage, vfstab

MOUNTINFO = r"""28 1 0:50 / / rw,relatime - overlay overlay rw,lowerdir=a
30 28 0:51 / /proc rw - proc proc rw
31 28 0:52 / /run rw - tmpfs tmpfs rw
32 28 0:53 /venv /usr/lib/sunlab/venv rw - ext4 /dev/root rw
33 28 0:54 / /dev/dsk/c0t2d0s0 rw - fuse sunlab:c0t2d0s0 rw
34 28 0:55 / /tank/my\040home ro,relatime - fuse tank/home rw
35 28 7:0 / /mnt rw - ext4 /dev/dsk/c0t1d0s0 rw
36 28 0:56 / /far rw - fuse nas:/export rw
"""


def test_the_mount_table_has_what_solaris_has_and_nothing_of_the_lab() -> None:
    notes = {"35": "ufs 1700000000 rw,intr,logging", "36": "nfs 1700000001 rw,hard"}
    found = table.rows(MOUNTINFO, notes, 5)
    assert [(one.special, one.point, one.kind) for one in found] == [
        ("sunlab", "/", "lofs"), ("proc", "/proc", "proc"), ("swap", "/var/run", "tmpfs"),
        ("tank/home", "/tank/my home", "zfs"), ("/dev/dsk/c0t1d0s0", "/mnt", "ufs"), ("nas:/export", "/far", "nfs")]
    assert (found[4].options, found[4].time, found[4].read_only) == ("rw,intr,logging,dev=700", 1700000000, False)
    assert found[3].read_only
    assert table.last(found, special="nas:/export") is found[5]
    assert table.last(found, point="/nowhere") is None


def test_vfstab_is_read_and_lines_of_another_length_are_told() -> None:
    found, wrong = vfstab.entries("#device x\n\n/dev/dsk/a /dev/rdsk/a /mnt ufs 2 yes logging\nfd - /dev/fd\n"
                                  "a b c d e f g h\nnas:/x - /far nfs - no -\n")
    assert [(one.special, one.raw, one.options) for one in found] == [
        ("/dev/dsk/a", "/dev/rdsk/a", "logging"), ("nas:/x", "", "")]
    assert wrong == [("fd", "few"), ("a", "many")]
    entry = vfstab.match(found, point="/mnt")
    assert entry is found[0]
    assert vfstab.match(found, special="/dev/dsk/a", kind="nfs") is None


@pytest.mark.parametrize(("said", "shown"), [
    ("rw,intr,logging,dev=700", "read/write/setuid/devices/intr/logging/dev=700"),
    ("ro,xattr", "read only/setuid/devices/xattr"), ("rw,nosuid", "read/write/nosetuid/nodevices"),
    ("rw,nosetuid,nodevices", "read/write/nosetuid/nodevices")])
def test_options_are_shown_as_mount_does(said: str, shown: str) -> None:
    assert options.told(said, False) == shown


def test_mount_v_writes_read_only_with_a_hyphen() -> None:
    assert options.told("ro", True) == "read-only/setuid/devices"
    assert options.without_device("rw,dev=700,x") == "rw,x"


def test_the_later_of_two_options_counts() -> None:
    assert options.flags(["ro", "rw"]) == 0
    assert options.flags(["rw", "ro", "noexec"]) == 9


def test_what_is_kept_of_a_ufs_mount() -> None:
    assert ufs.kept([], True) == "rw,intr,largefiles,logging,xattr,onerror=panic"
    assert ufs.kept(["ro"], True) == "ro,intr,largefiles,xattr,onerror=panic"
    assert ufs.kept(["noatime", "onerror=lock"], False) == "rw,noatime,intr,largefiles,xattr,onerror=lock"


def block(state: int = 1, compatible: int = 4, incompatible: int = 0) -> bytes:
    data = bytearray(1024)
    struct.pack_into("<I", data, 0, 4096)
    struct.pack_into("<HH", data, 56, 0xEF53, state)
    struct.pack_into("<II", data, 92, compatible, incompatible)
    data[136:140] = b"/mnt"
    return bytes(data)


@pytest.mark.parametrize(("data", "state", "okay"), [
    (block(), "logging", True), (block(incompatible=4), "logging", True), (block(compatible=0), "clean", True),
    (block(state=0, compatible=0), "active", False), (block(state=3), "bad", False)])
def test_the_state_of_a_ufs_says_whether_it_may_be_mounted(data: bytes, state: str, okay: bool) -> None:
    found = superblock.decode(data)
    assert found is not None
    assert (found.state, found.okay, found.last_mounted) == (state, okay, "/mnt")


def test_something_else_is_no_ufs() -> None:
    assert superblock.decode(bytes(1024)) is None
    assert superblock.decode(b"short") is None


@pytest.mark.parametrize(("number", "unit", "shown"), [
    (0, 1024, "   0K"), (15, 1024, "  15K"), (58085, 1024, "  57M"), (9 * 1024 * 1024, 1024, "9.0G"),
    (1536 * 1024, 1024, "1.5G"), (2, 512, "   1K"), (11 * 1024, 1024, "  11M")])
def test_a_number_is_scaled_as_df_h_does(number: int, unit: int, shown: str) -> None:
    assert usage.scaled(number, unit) == shown


def test_rows_of_df_have_each_systems_widths() -> None:
    space = usage.Space(1024, 1000, 400, 300, 50, 40)
    assert usage.row_k("tank", "/tank", space, False) == "tank                    1000     600    300    67%    /tank\n"
    assert usage.row_k("tank", "/tank", space, True) == (
        "tank                        1000         600        300    67%    /tank\n")
    assert usage.row("tank", "/tank", space) == (
        "/tank              (tank              ):     800 blocks       40 files\n")
    assert usage.header_h(False).split() == ["Filesystem", "size", "used", "avail", "capacity", "Mounted", "on"]


def test_the_sums_of_fsck_are_in_kilobytes() -> None:
    said = "e2fsck 1.47\nPass 1\n/dev/rdsk/c0: 12/16384 files (8.3% non-contiguous), 100/1000 blocks\n"
    assert check.sums_of(said, 4) == "3 files, 400 used, 3600 free (0 frags, 450 blocks, 8.3% fragmentation)\n"
    assert check.own_words(said + "Inode 12 is bad\n", "/dev/rdsk/c0") == ["Inode 12 is bad"]


def test_newfs_shows_the_geometry_of_an_efi_label() -> None:
    text = newfs.told("/dev/rdsk/c0", 26378240, 269 * 5824)
    assert text.splitlines()[:4] == [
        "Warning: 4096 sector(s) in last cylinder unallocated",
        "/dev/rdsk/c0:\t26378240 sectors in 4294 cylinders of 48 tracks, 128 sectors",
        "\t12880.0MB in 269 cyl groups (16 c/g, 48.00MB/g, 5824 i/g)",
        "super-block backups (for fsck -F ufs -o b=#) at:"]
    assert " 32, 98464, 196896, 295328" in text


def test_a_device_with_nothing_on_it_has_no_type(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(bytes(256 * 1024))
    (tmp_path / "ufs").write_bytes(bytes(1024) + block())
    assert fstyp.identify(str(tmp_path / "empty")) == (1, "")
    assert fstyp.identify(str(tmp_path / "ufs")) == (0, "ufs")
    assert fstyp.identify(str(tmp_path / "none")) == (7, "")
