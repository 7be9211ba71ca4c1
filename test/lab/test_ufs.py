"""UFS on disks that two lab hosts share: mount, fsck, a power cut, /etc/vfstab; and that no loop device is left."""
import fcntl
import subprocess
from pathlib import Path
from typing import Iterator, List

import pytest

from lab.test_disk_faults import build, waits
from lab.two_hosts import ensure_on, until, write_fsynced
from sunlab.lab import Lab

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("ufs")]
DSK, RDSK = "/dev/dsk/c0t1d0s0", "/dev/rdsk/c0t1d0s0"


@pytest.fixture(scope="module")
def hosts() -> Iterator[Lab]:
    with build("uf") as lab:
        yield lab


@pytest.fixture
def lab(hosts: Lab) -> Iterator[Lab]:
    """Both hosts on, and a new UFS that nobody has mounted."""
    for node in hosts.spec.nodes:
        hosts.disk(node, "c0t1d0s0", "ok")
    ensure_on(hosts)
    for node in hosts.spec.nodes:
        hosts.exec(node, ["sh", "-c", "umount -f /u; mkdir -p /u"], check=False)
    hosts.exec("n1", ["newfs", RDSK])
    yield hosts
    hosts.disk("n1", "c0t1d0s0", "ok")


def sh(lab: Lab, node: str, line: str, status: int = 0) -> str:
    """A line of shell with that exit status; what it printed on both outputs."""
    done = lab.exec(node, ["/bin/sh", "-c", line], check=False)
    assert done.returncode == status, done
    return done.stdout + done.stderr


def loops(lab: Lab) -> List[str]:
    """The loop devices of this lab: what is on them. Sources: linux/loop.h, LOOP_GET_STATUS64."""
    found = []
    for device in Path("/dev").glob("loop[0-9]*"):
        with open(device, "rb") as file:
            info = bytearray(232)
            try:
                fcntl.ioctl(file, 0x4C05, info)
            except OSError:
                continue        # it is free
        name = info[56:120].split(b"\0")[0].decode()
        found += [name] if name.startswith(f"{lab.spec.lab}:") else []
    return sorted(found)


def test_a_new_ufs_is_mounted_shown_and_unmounted(lab: Lab) -> None:
    sh(lab, "n1", f"mount -F ufs {DSK} /u")
    assert (f"/u on {DSK} read/write/setuid/devices/intr/largefiles/logging/xattr/onerror=panic/dev="
            in sh(lab, "n1", "mount"))
    assert f"{DSK} - /u ufs - no rw,intr,largefiles,logging,xattr,onerror=panic\n" in sh(lab, "n1", "mount -p")
    assert sh(lab, "n1", "df -n /u") == "/u                 : ufs     \n"
    write_fsynced(lab, "n1", "/u/order", "paid")
    sh(lab, "n1", "umount /u")
    assert DSK not in sh(lab, "n1", "mount")
    sh(lab, "n2", f"mount -F ufs {DSK} /u")
    assert sh(lab, "n2", "cat /u/order") == "paid"


def test_a_logging_ufs_survives_a_power_cut_with_what_was_synced(lab: Lab) -> None:
    sh(lab, "n1", f"mount -F ufs {DSK} /u")
    write_fsynced(lab, "n1", "/u/order", "paid")
    lab.kill("n1")
    assert "okay" in sh(lab, "n2", f"fsck -F ufs -m {RDSK}")
    sh(lab, "n2", f"mount -F ufs {DSK} /u")
    assert sh(lab, "n2", "cat /u/order") == "paid"


def test_without_a_log_a_power_cut_leaves_what_mount_refuses_until_fsck(lab: Lab) -> None:
    sh(lab, "n1", f"mount -F ufs -o nologging {DSK} /u")
    assert "logging" not in sh(lab, "n1", "mount -p | grep ' /u '")
    write_fsynced(lab, "n1", "/u/order", "paid")
    lab.kill("n1")
    assert sh(lab, "n2", f"fsck -F ufs -m {RDSK}", 32).endswith(f"ufs fsck: sanity check: {RDSK} needs checking\n")
    done = lab.exec("n2", ["mount", "-F", "ufs", DSK, "/u"], check=False)
    assert (done.returncode, done.stderr, done.stdout) == (
        32, f"mount: The state of {DSK} is not okay\n\tand it was attempted to be mounted read/write\n",
        "mount: Please run fsck and try again\n")
    said = sh(lab, "n2", f"fsck -F ufs -y {RDSK}")
    assert "** Phase 5 - Check Cylinder Groups\n" in said
    assert "***** FILE SYSTEM WAS MODIFIED *****" in said
    sh(lab, "n2", f"mount -F ufs {DSK} /u")
    assert sh(lab, "n2", "cat /u/order") == "paid"


def test_what_was_not_synced_does_not_get_to_the_disk_after_the_power_cut(lab: Lab) -> None:
    sh(lab, "n1", f"mount -F ufs {DSK} /u")
    image = lab.places.disks / "c0t1d0s0"
    with lab.popen("n1", ["sh", "-c", "while :; do echo x >>/u/log; done"], stderr=subprocess.DEVNULL):
        until(lambda: sh(lab, "n1", "cat /u/log 2>/dev/null; true") != "", "writes")
        lab.kill("n1")
    before = image.read_bytes()
    subprocess.run(["sync"], check=True)
    assert image.read_bytes() == before


@pytest.mark.parametrize("command", ["reboot", "uadmin 2 1"])
def test_an_orderly_end_unmounts_it(lab: Lab, command: str) -> None:
    sh(lab, "n1", f"mount -F ufs -o nologging {DSK} /u; echo paid >/u/order")
    before = lab.init_pids()["n1"]
    lab.exec("n1", ["sh", "-c", command], check=False)
    until(lambda: lab.init_pids().get("n1", before) != before, "another boot")
    lab.wait_booted("n1")
    sh(lab, "n1", f"fsck -F ufs -m {RDSK}; mount -F ufs {DSK} /u")
    assert sh(lab, "n1", "cat /u/order") == "paid\n"


def test_a_mounted_file_system_is_not_checked_and_not_made_anew(lab: Lab) -> None:
    sh(lab, "n1", f"mount -F ufs {DSK} /u")
    assert f"{DSK} IS CURRENTLY MOUNTED READ/WRITE." in sh(lab, "n1", f"fsck -F ufs -n {RDSK}", 33)
    assert "already mounted" in sh(lab, "n1", f"fsck -F ufs -m {RDSK}", 33)
    assert sh(lab, "n1", f"newfs {RDSK}", 32) == f"{DSK} is mounted, can't mkfs\n"
    assert sh(lab, "n1", f"mount -F ufs {DSK} /mnt", 32) == f"mount: {DSK} is already mounted or /mnt is busy\n"


def test_a_damaged_file_system_is_told_and_mended(lab: Lab) -> None:
    sh(lab, "n1", f"mount -F ufs {DSK} /u; mkdir /u/d; echo x >/u/d/f; umount /u")
    sh(lab, "n1", f"debugfs -w -R 'clri /d' {RDSK}")
    assert "FILE SYSTEM IS BAD" in sh(lab, "n1", f"fsck -F ufs -n {RDSK}", 36)
    assert "UNEXPECTED INCONSISTENCY; RUN fsck MANUALLY." in sh(lab, "n1", f"fsck -F ufs -o f,p {RDSK}", 36)
    sh(lab, "n1", f"fsck -F ufs -y {RDSK}")
    sh(lab, "n1", f"fsck -F ufs -n {RDSK}")


def test_what_is_no_ufs_is_refused(lab: Lab) -> None:
    other = "/dev/rdsk/c0t2d0s0"
    assert sh(lab, "n1", "mount -F ufs /dev/dsk/c0t2d0s0 /u", 32) == "mount: /dev/dsk/c0t2d0s0 is not this fstype\n"
    assert "BAD SUPERBLOCK AT BLOCK 16: MAGIC NUMBER WRONG" in sh(lab, "n1", f"fsck -F ufs -y {other}", 39)
    assert "could not stat" in sh(lab, "n1", "fsck -F ufs -y /dev/rdsk/c9t9d9s9", 34)
    assert sh(lab, "n1", f"mount -F ufs {RDSK} /u", 32) == f"mount: {RDSK} not a block device\n"


def test_a_busy_mount_is_kept_and_a_forced_one_goes(lab: Lab) -> None:
    sh(lab, "n1", f"mount -F ufs {DSK} /u")
    with lab.popen("n1", ["sh", "-c", "exec 3>/u/file; echo there; read x; echo more >&3"], stdin=subprocess.PIPE,
                   stdout=subprocess.PIPE, stderr=subprocess.PIPE) as user:
        assert user.stdout is not None and user.stdin is not None and user.stderr is not None
        assert user.stdout.readline() == b"there\n"
        assert sh(lab, "n1", "umount /u", 1) == "umount: /u busy\n"
        sh(lab, "n1", "umount -f /u")
        user.stdin.write(b"\n")
        user.stdin.close()
        assert b"I/O error" in user.stderr.read()
    sh(lab, "n2", f"mount -F ufs {DSK} /u")


def test_vfstab_fills_in_what_is_not_said_and_mounts_at_boot(lab: Lab) -> None:
    line = f"{DSK} {RDSK} /u ufs 2 yes nologging"
    sh(lab, "n1", f"cp /etc/vfstab /etc/vfstab.kept; echo '{line}' >>/etc/vfstab; mount /u; touch /u/there; sync")
    lab.kill("n1")
    lab.boot("n1")
    lab.wait_booted("n1")
    assert "/u ufs - no rw,intr,largefiles,xattr" in sh(lab, "n1", "mount -p")
    sh(lab, "n1", "test -e /u/there; umount /u; mv /etc/vfstab.kept /etc/vfstab")


def test_a_ufs_that_cannot_be_mounted_at_boot_leaves_filesystem_local_in_maintenance(lab: Lab) -> None:
    line = "/dev/dsk/c0t2d0s0 - /u ufs - yes -"
    sh(lab, "n1", f"cp /etc/vfstab /etc/vfstab.kept; echo '{line}' >>/etc/vfstab")
    lab.kill("n1")
    lab.boot("n1")
    until(lambda: "maintenance" in sh(lab, "n1", "svcs -Ho state filesystem/local || true"), "maintenance")
    sh(lab, "n1", "mv /etc/vfstab.kept /etc/vfstab; svcadm clear filesystem/local")


def test_a_ufs_whose_disk_hangs_dies_with_its_host(lab: Lab) -> None:
    sh(lab, "n1", f"mount -F ufs {DSK} /u")
    lab.disk("n1", "c0t1d0s0", "hang")
    with lab.popen("n1", ["dd", f"if={RDSK}", "of=/dev/null", "count=1"], stderr=subprocess.DEVNULL), \
            lab.popen("n1", ["sh", "-c", "echo x >/u/file; sync /u/file"], stderr=subprocess.DEVNULL):
        until(lambda: waits(lab), "dd to wait for the disk")
        lab.kill("n1")
    until(lambda: loops(lab) == [], "the kernel to have unmounted it")
    sh(lab, "n2", f"mount -F ufs {DSK} /u")


def test_no_loop_device_outlives_its_mount_its_host_or_its_lab() -> None:
    lab = build("ul")
    try:
        for node, disk in (("n1", "c0t1d0s0"), ("n2", "c0t2d0s0")):
            sh(lab, node, f"newfs /dev/rdsk/{disk}; mkdir /u; mount -F ufs /dev/dsk/{disk} /u")
        assert loops(lab) == [f"{lab.spec.lab}:c0t1d0s0", f"{lab.spec.lab}:c0t2d0s0"]
        lab.kill("n1")
        until(lambda: len(loops(lab)) == 1, "the loop device of n1 to go")
        sh(lab, "n2", "umount /u")
        until(lambda: loops(lab) == [], "the loop device of n2 to go")
        sh(lab, "n2", "mount -F ufs /dev/dsk/c0t2d0s0 /u")
    finally:
        lab.down()
    until(lambda: loops(lab) == [], "the loop devices of the lab to go")
