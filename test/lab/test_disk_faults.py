"""A shared disk that is slow, hangs or fails for one host, for ZFS as for any program; the host still dies at once."""
import subprocess
import time
from pathlib import Path
from typing import Iterator

import pytest

from lab.test_lab_down import traces
from lab.two_hosts import ensure_on, plan, until, write_fsynced
from sunlab.lab import Lab, LabError

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("disk-faults")]
DISK, RAW = "c0t1d0s0", "/dev/rdsk/c0t1d0s0"
READ = ["dd", f"if={RAW}", "of=/dev/null", "bs=512", "count=1"]


def build(name: str) -> Lab:
    facts = plan(name)
    facts["disks"][DISK]["faults"] = True
    lab = Lab.up(facts)
    try:
        for node in lab.spec.nodes:
            lab.wait_booted(node)
    except BaseException:
        lab.down()
        raise
    return lab


@pytest.fixture(scope="module")
def hosts() -> Iterator[Lab]:
    with build("df") as lab:
        yield lab


@pytest.fixture
def lab(hosts: Lab) -> Iterator[Lab]:
    """Both hosts on, every disk well."""
    for node in hosts.spec.nodes:
        hosts.disk(node, DISK, "ok")
    ensure_on(hosts)
    yield hosts
    hosts.disk("n1", DISK, "ok")


def test_a_failing_disk_is_an_input_output_error_for_its_host_alone(lab: Lab) -> None:
    lab.disk("n1", DISK, "fail")
    for argv in (READ, ["dd", f"of={RAW}", "if=/dev/zero", "bs=512", "count=1", "conv=notrunc", "oflag=dsync"]):
        done = lab.exec("n1", argv, check=False)
        assert (done.returncode, "Input/output error" in done.stderr) == (1, True), done
    lab.exec("n2", READ)
    lab.disk("n1", DISK, "ok")
    lab.exec("n1", READ)


def test_what_is_written_through_a_disk_with_faults_is_on_the_shared_disk(lab: Lab) -> None:
    lab.exec("n1", ["dd", f"of={RAW}", "bs=512", "seek=7"], input="x" * 1024)
    assert lab.exec("n2", ["dd", f"if={RAW}", "bs=512", "skip=7", "count=2"]).stdout == "x" * 1024
    assert lab.exec("n1", ["stat", "-c%s", RAW]).stdout.strip() == str(64 << 20)
    beyond = lab.exec("n1", ["dd", f"of={RAW}", "if=/dev/zero", "bs=1M", "seek=64", "count=1"], check=False)
    assert "No such device or address" in beyond.stderr


def test_a_slow_disk_makes_each_request_wait(lab: Lab) -> None:
    lab.disk("n1", DISK, "slow 150")
    began = time.monotonic()
    lab.exec("n1", [*READ[:-1], "count=2", "iflag=direct"])
    assert time.monotonic() - began >= 0.3
    assert lab.status()["nodes"]["n1"]["faults"] == {DISK: "slow 150"}


def test_a_hanging_disk_answers_when_it_is_healed_and_its_reader_cannot_be_killed_before(lab: Lab) -> None:
    lab.disk("n1", DISK, "hang")
    with lab.popen("n1", ["sh", "-c", f"dd of={RAW} bs=512 seek=9 conv=notrunc 2>/dev/null; echo done"],
                   stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
        assert writer.stdin is not None and writer.stdout is not None
        writer.stdin.write(b"y" * 512)
        writer.stdin.close()
        until(lambda: waits(lab), "dd to wait for the disk")
        lab.exec("n1", ["sh", "-c", "kill -9 $(pidof dd)"])
        assert waits(lab)
        assert "y" not in lab.exec("n2", ["dd", f"if={RAW}", "bs=512", "skip=9", "count=1"]).stdout
        lab.disk("n1", DISK, "ok")
        assert writer.stdout.read() == b"done\n"
    assert lab.exec("n2", ["dd", f"if={RAW}", "bs=512", "skip=9", "count=1"]).stdout == "y" * 512


def waits(lab: Lab) -> bool:
    """Is a dd on n1 in the kernel, waiting for an answer?"""
    found = lab.exec("n1", ["sh", "-c", "cat /proc/$(pidof -s dd)/wchan"], check=False).stdout
    return "fuse" in found or "request_wait" in found


def test_a_hang_that_becomes_a_failure_fails_what_waits(lab: Lab) -> None:
    lab.disk("n1", DISK, "hang")
    with lab.popen("n1", READ, stderr=subprocess.PIPE) as reader:
        until(lambda: waits(lab), "dd to wait for the disk")
        lab.disk("n1", DISK, "fail")
        assert reader.stderr is not None
        assert b"Input/output error" in reader.stderr.read()


def test_a_fault_outlives_a_boot_and_can_be_set_while_the_host_is_off(lab: Lab) -> None:
    lab.kill("n1")
    lab.disk("n1", DISK, "fail")
    lab.boot("n1")
    lab.wait_booted("n1")
    assert lab.exec("n1", READ, check=False).returncode == 1


def test_a_fault_that_is_set_in_the_middle_of_a_boot_or_of_an_end_is_in_force(lab: Lab) -> None:
    for fault, code in (("fail", 1), ("ok", 0)):
        if "n1" in lab.init_pids():
            lab.kill("n1")
        lab.boot("n1")
        lab.disk("n1", DISK, fault)         # its driver may not be there yet
        lab.wait_booted("n1")
        assert lab.exec("n1", READ, check=False).returncode == code
    first = lab.init_pids()["n1"]
    lab.exec("n1", ["/bin/sh", "-c", "uadmin 1 1 > /dev/null 2>&1 &"])

    def rebooted() -> bool:
        lab.disk("n1", DISK, "fail")
        return lab.init_pids().get("n1", first) != first

    until(rebooted, "n1 to be up again")


def test_zfs_sees_the_fault_too_and_a_hanging_pool_does_not_keep_its_host_alive(lab: Lab) -> None:
    lab.exec("n1", ["zpool", "create", "-f", "-o", "cachefile=none", "tank", f"/dev/dsk/{DISK}"])
    write_fsynced(lab, "n1", "/tank/order", "paid")
    lab.disk("n1", DISK, "hang")
    with lab.popen("n1", ["sh", "-c", "yes >/tank/more; sync"], stdout=subprocess.DEVNULL), \
            lab.popen("n1", READ, stderr=subprocess.DEVNULL):
        until(lambda: waits(lab), "dd to wait for the disk")
        lab.kill("n1")
    assert "n1" not in lab.init_pids()
    lab.exec("n2", ["zpool", "import", "-f", "-o", "cachefile=none", "tank"])
    assert lab.exec("n2", ["cat", "/tank/order"]).stdout == "paid"
    lab.exec("n2", ["zpool", "destroy", "tank"])


def test_a_mirror_loses_the_failing_half_and_goes_on(lab: Lab) -> None:
    lab.exec("n1", ["zpool", "create", "-f", "-o", "cachefile=none", "tank", "mirror", f"/dev/dsk/{DISK}",
                    "/dev/dsk/c0t2d0s0"])
    lab.disk("n1", DISK, "fail")
    write_fsynced(lab, "n1", "/tank/order", "paid")
    until(lambda: lab.exec("n1", ["zpool", "list", "-H", "-o", "health", "tank"]).stdout == "DEGRADED\n",
          "the pool to be degraded")
    assert lab.exec("n1", ["cat", "/tank/order"]).stdout == "paid"
    lab.exec("n1", ["zpool", "destroy", "-f", "tank"])


def test_a_pool_of_one_failing_disk_is_suspended_until_it_is_healed(lab: Lab) -> None:
    lab.exec("n1", ["zpool", "create", "-f", "-o", "cachefile=none", "tank", f"/dev/dsk/{DISK}"])
    lab.disk("n1", DISK, "fail")
    with lab.popen("n1", ["sh", "-c", "dd of=/tank/order bs=1k count=1 if=/dev/zero conv=fsync; echo done"],
                   stderr=subprocess.DEVNULL, stdout=subprocess.PIPE) as writer:
        until(lambda: "faulted in response to IO failures" in lab.exec("n1", ["zpool", "status", "tank"]).stdout,
              "the pool to be suspended")
        lab.disk("n1", DISK, "ok")
        lab.exec("n1", ["zpool", "clear", "tank"])
        assert writer.stdout is not None
        assert writer.stdout.read() == b"done\n"
    lab.exec("n1", ["zpool", "destroy", "-f", "tank"])


def test_uadmin_resets_a_host_whose_disk_hangs(lab: Lab) -> None:
    lab.disk("n1", DISK, "hang")
    before = lab.init_pids()["n1"]
    with lab.popen("n1", READ, stderr=subprocess.DEVNULL):
        until(lambda: waits(lab), "dd to wait for the disk")
        lab.exec("n1", ["uadmin", "1", "1"], check=False)
    until(lambda: lab.init_pids().get("n1", before) != before, "another boot")


def test_a_frozen_host_can_have_faults(lab: Lab) -> None:
    lab.freeze("n1")
    lab.disk("n1", DISK, "fail")
    lab.thaw("n1")
    assert lab.exec("n1", READ, check=False).returncode == 1


@pytest.mark.parametrize(("words", "said"), [
    (("n9", DISK, "ok"), "has no node 'n9'"), (("n1", "c9t9d9s9", "ok"), "has no disk 'c9t9d9s9'"),
    (("n1", "c0t2d0s0", "fail"), "takes no faults; say `c0t2d0s0: {size: …, faults: true}`"),
    (("n1", DISK, "burn"), "'burn' is no fault of a disk; say slow MILLISECONDS, hang, fail or ok")])
def test_what_cannot_be_is_said(lab: Lab, words: "tuple[str, str, str]", said: str) -> None:
    with pytest.raises(LabError, match=said.replace("{", r"\{")):
        lab.disk(*words)


def test_down_leaves_nothing_of_a_lab_whose_disk_hangs() -> None:
    lab = build("dh")
    name = lab.spec.lab
    sunlab = str(Path(__file__).parents[2] / "bin/sunlab")
    done = subprocess.run([sunlab, "--lab", name, "disk", "n1", DISK, "hang"], capture_output=True, text=True,
                          check=False)
    assert (done.returncode, done.stderr) == (0, "")
    with lab.popen("n1", READ, stderr=subprocess.DEVNULL):
        until(lambda: waits(lab), "dd to wait for the disk")
        lab.down()
    assert traces(name) == []
