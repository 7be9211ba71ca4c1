"""UFS, mount table, vfstab and df (mount(8), mount_ufs(8), umount(8), fsck(8), fsck_ufs(8), newfs(8), fstyp(8))."""
from typing import Iterator

import pytest

from conformance.rows import both, illumos, row, solaris
from conformance.target import Target

PLACE = "/var/tmp/conf-ufs"
VFSTAB = "/var/tmp/conf-vfstab"


class Ufs:
    """A new UFS on a disk that may be overwritten; `block` and `raw` are its devices."""

    def __init__(self, host: Target, disk: str) -> None:
        self.host, self.block, self.raw = host, disk, disk.replace("/dev/dsk/", "/dev/rdsk/", 1)

    def mount(self, options: str = "") -> None:
        self.host.do(f"mount -F ufs {options} {self.block} {PLACE}")


@pytest.fixture
def ufs(host: Target) -> Iterator[Ufs]:
    if host.spare_disk is None:
        pytest.skip("no disk here may be overwritten (set CONF_DISK to one)")
    made = Ufs(host, host.spare_disk)
    host.do(f"mkdir -p {PLACE}; newfs {made.raw} </dev/null; cp /etc/vfstab {VFSTAB}")
    yield made
    host.run(f"umount {PLACE}; cp {VFSTAB} /etc/vfstab; rm -f {VFSTAB}; rmdir {PLACE}; "
             f"dd if=/dev/zero of={made.raw} bs=1024 count=64 conv=notrunc")


@both
@row("UFS-NEWFS-01", "newfs(8), mkfs_ufs(8)")
def test_newfs_tells_the_size_and_where_other_superblocks_are(host: Target, ufs: Ufs) -> None:
    said = host.run(f"newfs {ufs.raw}")
    assert said.status == 0
    assert f"{ufs.raw}:" in said.err
    assert "super-block backups (for fsck -F ufs -o b=#) at:\n 32" in said.err


@both
@row("UFS-NEWFS-02", "newfs(8), -N")
def test_newfs_n_makes_nothing(host: Target, ufs: Ufs) -> None:
    ufs.mount()
    host.do(f"touch {PLACE}/there; umount {PLACE}; newfs -N {ufs.raw}")
    ufs.mount()
    host.do(f"test -f {PLACE}/there")


@both
@row("UFS-NEWFS-03", "ufs/mkfs/mkfs.c")
def test_newfs_of_what_is_mounted_is_refused(host: Target, ufs: Ufs) -> None:
    ufs.mount()
    assert host.fails(f"newfs {ufs.raw}", 32).endswith("is mounted, can't mkfs\n")


@both
@row("UFS-FSTYP-01", "fstyp(8)")
def test_fstyp_names_a_ufs(host: Target, ufs: Ufs) -> None:
    assert host.do(f"fstyp {ufs.raw}") == "ufs\n"


@both
@row("UFS-FSTYP-02", "fstyp(8), cmd/fstyp/fstyp.c")
def test_fstyp_of_an_empty_disk_knows_no_type(host: Target, ufs: Ufs) -> None:
    host.do(f"dd if=/dev/zero of={ufs.raw} bs=1024 count=1024 conv=notrunc")
    assert host.fails(f"fstyp {ufs.raw}").startswith("unknown_fstyp (no matches)")


@both
@row("UFS-FSTYP-03", "fstyp(8), cmd/fstyp/fstyp.c")
def test_fstyp_wants_a_device(host: Target, ufs: Ufs) -> None:
    assert host.fails("fstyp") == "Usage: fstyp [-av] <device>\n"


@both
@row("UFS-MOUNT-01", "mount(8), mnttab(5)")
def test_a_mount_is_in_the_table_until_it_is_unmounted(host: Target, ufs: Ufs) -> None:
    ufs.mount()
    line = next(row for row in host.do("mount").splitlines() if row.startswith(f"{PLACE} on {ufs.block} "))
    assert line.startswith(f"{PLACE} on {ufs.block} read/write/setuid/devices/")
    host.do(f"umount {PLACE}")
    assert PLACE not in host.do("mount")


@both
@row("UFS-MOUNT-02", "mount(8), -p; vfstab(5)")
def test_mount_p_prints_lines_for_vfstab(host: Target, ufs: Ufs) -> None:
    ufs.mount()
    line = next(row for row in host.do("mount -p").splitlines() if f" {PLACE} " in row)
    assert line.startswith(f"{ufs.block} - {PLACE} ufs - no rw,")
    assert "dev=" not in line


@both
@row("UFS-MOUNT-03", "mount(8), -v")
def test_mount_v_has_the_type(host: Target, ufs: Ufs) -> None:
    ufs.mount()
    assert f"{ufs.block} on {PLACE} type ufs read/write/setuid/devices/" in host.do("mount -v")


@both
@row("UFS-MOUNT-04", "mount_ufs(8), logging is the default")
def test_a_ufs_logs_unless_it_is_told_not_to(host: Target, ufs: Ufs) -> None:
    ufs.mount()
    assert "/logging" in host.do(f"mount | grep '^{PLACE} '")
    host.do(f"umount {PLACE}")
    ufs.mount("-o nologging")
    assert "/logging" not in host.do(f"mount | grep '^{PLACE} '")


@both
@row("UFS-MOUNT-05", "mount_ufs(8), ro")
def test_nothing_is_written_to_a_read_only_mount(host: Target, ufs: Ufs) -> None:
    ufs.mount("-o ro")
    assert host.run(f"touch {PLACE}/x").status != 0
    assert "read only/setuid/devices" in host.do(f"mount | grep '^{PLACE} '")


@both
@row("UFS-MOUNT-06", "ufs/mount/mount.c, rpterr()")
def test_a_second_mount_of_the_same_is_busy(host: Target, ufs: Ufs) -> None:
    ufs.mount()
    assert host.fails(f"mount -F ufs {ufs.block} {PLACE}", 32) == (
        f"mount: {ufs.block} is already mounted or {PLACE} is busy\n")


@both
@row("UFS-MOUNT-07", "ufs/mount/mount.c, rpterr()")
def test_an_empty_disk_is_not_this_fstype(host: Target, ufs: Ufs) -> None:
    host.do(f"dd if=/dev/zero of={ufs.raw} bs=1024 count=64 conv=notrunc")
    assert host.fails(f"mount -F ufs {ufs.block} {PLACE}", 32).endswith(f"mount: {ufs.block} is not this fstype\n")


@both
@row("UFS-MOUNT-08", "cmd/fs.d/mount.c")
@pytest.mark.parametrize(("place", "said"), [
    ("var/tmp", "mount: Mount point var/tmp is not an absolute pathname.\n"),
    ("/var/tmp/conf-none", "mount: Mount point /var/tmp/conf-none does not exist.\n")])
def test_a_mount_point_has_to_be_there(host: Target, ufs: Ufs, place: str, said: str) -> None:
    assert host.fails(f"mount -F ufs {ufs.block} {place}") == said


@both
@row("UFS-MOUNT-09", "cmd/fs.d/mount.c, doexec()")
def test_an_unknown_type_is_not_applicable(host: Target, ufs: Ufs) -> None:
    assert host.fails(f"mount -F purple {ufs.block} {PLACE}") == "mount: Operation not applicable to FSType purple\n"


@both
@row("UFS-MOUNT-10", "mount(8), -V")
def test_mount_v_capital_only_tells_the_command(host: Target, ufs: Ufs) -> None:
    assert host.do(f"mount -F ufs -V -o nologging {ufs.block} {PLACE}") == (
        f"mount -F ufs -o nologging {ufs.block} {PLACE}\n")
    assert PLACE not in host.do("mount")


@both
@row("UFS-MOUNT-11", "mount_ufs(8); cmd/fs.d/fslib.c")
def test_an_option_that_is_none_is_ignored_with_a_warning(host: Target, ufs: Ufs) -> None:
    said = host.run(f"mount -F ufs -o purple {ufs.block} {PLACE}")
    assert said.status == 0
    assert said.err == f"mount: {ufs.block} on {PLACE} - WARNING ignoring option \"purple\"\n"


@both
@row("UFS-VFSTAB-01", "vfstab(5), mount(8)")
def test_a_mount_point_alone_is_looked_up_in_vfstab(host: Target, ufs: Ufs) -> None:
    host.do(f"echo '{ufs.block} {ufs.raw} {PLACE} ufs 2 no nologging' >>/etc/vfstab; mount {PLACE}")
    assert "/logging" not in host.do(f"mount | grep '^{PLACE} on {ufs.block} '")
    host.do(f"umount {ufs.block}; mount {ufs.block}; umount {PLACE}")


@both
@row("UFS-VFSTAB-02", "cmd/fs.d/mount.c")
def test_what_is_in_no_vfstab_cannot_be_mounted_by_its_mount_point(host: Target, ufs: Ufs) -> None:
    assert host.fails(f"mount {PLACE}") == "mount: special cannot be determined\n"


@both
@row("UFS-UMOUNT-01", "cmd/fs.d/umount.c")
def test_a_file_system_in_use_is_busy(host: Target, ufs: Ufs) -> None:
    ufs.mount()
    assert host.fails(f"cd {PLACE} && umount {PLACE}") == f"umount: {PLACE} busy\n"


@both
@row("UFS-UMOUNT-02", "cmd/fs.d/umount.c")
def test_what_is_not_mounted_is_not_unmounted(host: Target, ufs: Ufs) -> None:
    assert host.fails(f"umount {PLACE}") == (
        f"umount: warning: {PLACE} not in mnttab\numount: {PLACE} not mounted\n")


@both
@row("UFS-FSCK-01", "fsck(8), -m; fsck_ufs(8)")
def test_fsck_m_finds_what_was_unmounted_okay(host: Target, ufs: Ufs) -> None:
    ufs.mount()
    host.do(f"umount {PLACE}")
    said = host.run(f"fsck -F ufs -m {ufs.raw}")
    assert (said.status, said.err) == (0, f"ufs fsck: sanity check: {ufs.raw} okay\n")


@both
@row("UFS-FSCK-02", "fsck(8), exit status 33")
def test_fsck_of_what_is_mounted_ends_with_33(host: Target, ufs: Ufs) -> None:
    ufs.mount()
    said = host.run(f"fsck -F ufs -n {ufs.raw}")
    assert (said.status, "IS CURRENTLY MOUNTED READ/WRITE." in said.out) == (33, True)


@both
@row("UFS-FSCK-03", "ufs/fsck/main.c")
def test_fsck_tells_its_phases_and_sums(host: Target, ufs: Ufs) -> None:
    ufs.mount()
    host.do(f"touch {PLACE}/a {PLACE}/b; umount {PLACE}")
    said = host.do(f"fsck -F ufs -y {ufs.raw}").splitlines()
    assert said[:8] == [f"** {ufs.raw}", f"** Last Mounted on {PLACE}", "** Phase 1 - Check Blocks and Sizes",
                        "** Phase 2 - Check Pathnames", "** Phase 3a - Check Connectivity",
                        "** Phase 3b - Verify Shadows/ACLs", "** Phase 4 - Check Reference Counts",
                        "** Phase 5 - Check Cylinder Groups"]
    assert said[8].startswith("4 files, ")
    assert said[8].endswith("% fragmentation)")


@both
@row("UFS-FSCK-04", "fsck(8), exit status 34")
def test_fsck_of_a_device_that_is_not_there_ends_with_34(host: Target, ufs: Ufs) -> None:
    said = host.run("fsck -F ufs -y /dev/rdsk/c99t9d9s9")
    assert (said.status, "could not stat /dev/rdsk/c99t9d9s9" in said.out + said.err) == (34, True)


@both
@row("UFS-FSCK-05", "cmd/fs.d/fsck.c")
def test_fsck_of_another_type_is_not_applicable(host: Target, ufs: Ufs) -> None:
    assert host.fails(f"fsck -F zfs -y {ufs.raw}") == "fsck: operation not applicable to FSType zfs\n"


@both
@row("UFS-FSCK-06", "cmd/fs.d/fsck.c, usage")
def test_fsck_m_goes_with_no_other_option(host: Target, ufs: Ufs) -> None:
    assert host.fails(f"fsck -m -y {ufs.raw}").startswith("Usage:\nfsck [-F FSType] [-V] [-m] [special ...]\n")


@both
@row("UFS-FSCK-07", "fsck_ufs(8), -o p")
def test_preening_leaves_alone_what_is_okay(host: Target, ufs: Ufs) -> None:
    ufs.mount()
    host.do(f"umount {PLACE}")
    assert host.do(f"fsck -F ufs -o p {ufs.raw}").strip() in (f"{ufs.raw}: is {state}."
                                                             for state in ("logging", "stable", "clean"))


@illumos
@row("UFS-DF-01", "df(8), -k; cmd/fs.d/df.c")
def test_df_k_of_illumos_is_in_kbytes(host: Target, ufs: Ufs) -> None:
    ufs.mount()
    head, line = host.do(f"df -k {PLACE}").splitlines()
    assert head.split() == ["Filesystem", "kbytes", "used", "avail", "capacity", "Mounted", "on"]
    assert (line.split()[0], line.split()[-1]) == (ufs.block, PLACE)


@solaris
@row("UFS-DF-02", "Solaris 11.4 df(8), -k")
def test_df_k_of_solaris_has_the_headers_of_posix(host: Target, ufs: Ufs) -> None:
    ufs.mount()
    head, line = host.do(f"df -k {PLACE}").splitlines()
    assert head.split() == ["Filesystem", "1024-blocks", "Used", "Available", "Capacity", "Mounted", "on"]
    assert (line.split()[0], line.split()[-1]) == (ufs.block, PLACE)


@both
@row("UFS-DF-03", "df(8), -n")
def test_df_n_tells_the_type(host: Target, ufs: Ufs) -> None:
    ufs.mount()
    assert host.do(f"df -n {PLACE}").split() == [PLACE, ":", "ufs"]


@both
@row("UFS-DF-04", "df(8), no options")
def test_df_counts_blocks_and_files(host: Target, ufs: Ufs) -> None:
    ufs.mount()
    words = host.do(f"df {PLACE}").replace("(", " ").replace("):", " ").split()
    assert (words[0], words[1], words[3], words[5]) == (PLACE, ufs.block, "blocks", "files")


@both
@row("NFS-MOUNT-01", "nfs/mount/mount.c")
def test_a_server_that_nobody_knows_is_an_unknown_host(host: Target, ufs: Ufs) -> None:
    assert host.fails(f"mount -F nfs conf-nobody.invalid:/x {PLACE}", 33).endswith(
        "nfs mount: conf-nobody.invalid: Unknown host\n")


@both
@row("NFS-MOUNT-02", "nfs/mount/mount.c")
def test_nfs_wants_a_server(host: Target, ufs: Ufs) -> None:
    assert host.fails(f"mount -F nfs -o purple=1 {PLACE} {PLACE}", 33).endswith(
        "nfs mount: nfs file system; use [host:]path\n")
