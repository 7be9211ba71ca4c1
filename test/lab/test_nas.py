"""A NAS of the lab and NFS mounts of two hosts: what they share, and what a NAS that does not answer does to them."""
import subprocess
from typing import Iterator

import pytest

from lab.test_lab_down import traces
from lab.two_hosts import ensure_on, plan, until
from sunlab import nas
from sunlab.lab import CommandFailed, Lab

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("nas")]
MOUNT = "mount -F nfs filer:/export/home /far"


def build(name: str) -> Lab:
    facts = plan(name)
    facts["nas"] = {"filer": {"addresses": {"public": "10.0.0.50/24"}, "exports": ["/export/home", "/export/db"]}}
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
    with build("na") as lab:
        yield lab


@pytest.fixture
def lab(hosts: Lab) -> Iterator[Lab]:
    """Both hosts and the NAS on and connected; n1 has the NAS mounted at /far."""
    ensure_on(hosts)
    if hosts.status()["nas"]["filer"]["power"] == "off":
        hosts.boot("filer")
    for node in hosts.spec.nodes:
        hosts.exec(node, ["sh", "-c", "umount -f /far; mkdir -p /far"], check=False)
    sh(hosts, "n1", MOUNT)
    yield hosts


def sh(lab: Lab, node: str, line: str, status: int = 0) -> str:
    """A line of shell with that exit status; what it printed on both outputs."""
    done = lab.exec(node, ["/bin/sh", "-c", line], check=False)
    assert done.returncode == status, done
    return done.stdout + done.stderr


def waits(lab: Lab, node: str, pattern: str) -> bool:
    """Is such a process there, in the kernel for the answer of a file system?"""
    found = sh(lab, node, f"cat /proc/$(pgrep -f -o '{pattern}')/wchan 2>/dev/null || true")
    return "fuse" in found or "request_wait" in found


def test_what_one_host_has_closed_the_other_sees(lab: Lab) -> None:
    sh(lab, "n2", MOUNT)
    for text in ("paid", "shipped"):
        sh(lab, "n1", f"printf {text} >>/far/order")
        assert sh(lab, "n2", "cat /far/order").endswith(text)
    assert nas.exported(lab.places, "filer", "/export/home/order").read_text() == "paidshipped"
    assert "filer:/export/home - /far nfs - no rw,xattr\n" in sh(lab, "n1", "mount -p")
    assert "/far on filer:/export/home remote/read/write/setuid/devices/xattr/dev=" in sh(lab, "n1", "mount")
    sh(lab, "n1", "rm /far/order")


def test_files_are_made_changed_and_removed(lab: Lab) -> None:
    sh(lab, "n1", """set -e
        cd /far; mkdir -p d/e; cp /etc/passwd d/one; cmp /etc/passwd d/one; mv d/one d/e/two; ln -s two d/e/three
        cmp /etc/passwd d/e/three; ln d/e/two d/four; chmod 600 d/four; chown 3:4 d/four; truncate -s 10 d/four
        [ "$(stat -c '%a %u %g %s %h' d/e/two)" = "600 3 4 10 2" ]; mkfifo d/pipe; [ -p d/pipe ]
        i=0; while [ $i -lt 300 ]; do : >d/e/$i; i=$((i + 1)); done; [ $(ls d/e | wc -l) = 302 ]
        ! rmdir d 2>/dev/null; ! mkdir d 2>/dev/null; rm -r d; [ -z "$(ls -A)" ]""")


def test_much_data_arrives_as_it_was_sent(lab: Lab) -> None:
    sent = sh(lab, "n1", "dd if=/dev/urandom of=/far/big bs=1M count=6 2>/dev/null; md5sum </far/big")
    sh(lab, "n2", MOUNT)
    assert sh(lab, "n2", "md5sum </far/big") == sent
    sh(lab, "n1", "rm /far/big")


def test_what_is_removed_while_open_is_there_until_it_is_closed(lab: Lab) -> None:
    sh(lab, "n1", "exec 3<>/far/log; echo x >&3; rm /far/log; ls -A /far | grep -q '^[.]nfs'; echo y >&3; exec 3>&-")
    assert sh(lab, "n1", "ls -A /far") == ""


def test_a_hard_mount_waits_until_the_network_is_healed(lab: Lab) -> None:
    lab.cut("filer")
    with lab.popen("n1", ["sh", "-c", "echo paid >/far/order && echo done"], stdout=subprocess.PIPE) as writer:
        until(lambda: waits(lab, "n1", "echo paid"), "the write to wait for the NAS")
        lab.heal()
        assert writer.stdout is not None
        assert writer.stdout.read() == b"done\n"
    assert sh(lab, "n1", "cat /far/order; rm /far/order") == "paid\n"


def test_a_hard_mount_goes_on_after_a_power_cut_of_the_nas(lab: Lab) -> None:
    sh(lab, "n1", "echo before >/far/order")
    lab.kill("filer")
    assert lab.status()["nas"]["filer"]["power"] == "off"
    with lab.popen("n1", ["sh", "-c", "cat /far/order; rm /far/order"], stdout=subprocess.PIPE) as reader:
        until(lambda: waits(lab, "n1", "^cat /far/order"), "the read to wait for the NAS")
        lab.boot("filer")
        assert reader.stdout is not None
        assert reader.stdout.read() == b"before\n"


def test_a_soft_mount_gives_up(lab: Lab) -> None:
    sh(lab, "n1", "umount /far; mount -F nfs -o soft,timeo=5,retrans=1 filer:/export/home /far")
    lab.kill("filer")
    assert "timed out" in sh(lab, "n1", "echo x >/far/order", 2)


def test_a_process_that_waits_can_be_killed_unless_the_mount_is_nointr(lab: Lab) -> None:
    sh(lab, "n1", "mount -F nfs -o nointr filer:/export/db /mnt")
    lab.kill("filer")
    with lab.popen("n1", ["ls", "/far"], stderr=subprocess.DEVNULL) as lister, \
            lab.popen("n1", ["ls", "/mnt"], stderr=subprocess.DEVNULL):
        for place in ("/far", "/mnt"):
            until(lambda place=place: waits(lab, "n1", f"^ls {place}"), "ls to wait for the NAS")  # type: ignore[misc]
        sh(lab, "n1", "pkill -9 -x ls")
        lister.wait(20)
        assert waits(lab, "n1", "^ls /mnt")
        lab.kill("n1")
    assert "n1" not in lab.init_pids()


def test_a_forced_unmount_needs_no_nas_and_leaves_no_process(lab: Lab) -> None:
    lab.kill("filer")
    sh(lab, "n1", "umount -f /far")
    until(lambda: sh(lab, "n1", "pgrep sunlab-nfs || true") == "", "the client to end")


def test_the_client_belongs_to_the_host_not_to_the_service_that_mounts(lab: Lab) -> None:
    assert sh(lab, "n1", "cat /proc/$(pgrep sunlab-nfs)/cgroup").rstrip().endswith("/contracts/nfs")
    with lab.popen("n1", ["sh", "-c", "cd /far; echo there; exec sleep 1000"], stdout=subprocess.PIPE) as user:
        assert user.stdout is not None
        assert user.stdout.readline() == b"there\n"
        assert sh(lab, "n1", "umount /far", 32) == "nfs umount: /far: is busy\n"
        user.kill()


@pytest.mark.parametrize(("command", "status", "said"), [
    ("mount -F nfs nobody:/x /mnt", 33, "nfs mount: nobody: Unknown host\n"),
    ("mount -F nfs filer:/export/none /mnt", 33, "nfs mount: filer:/export/none: Permission denied\n"),
    (MOUNT, 33, "nfs mount: mount: /far: Device busy\n"),
    ("mount -F nfs -o retrans=x filer:/export/db /mnt", 33, 'nfs mount: invalid option: "retrans=x"\n'),
    ("mount -F nfs -o vers=4 filer:/export/db /mnt", 33,
     "nfs mount: sunlab: version 4 is not modelled in this lab; 3 is\n"),
    ("mount -F nfs /export/db /mnt", 33, "nfs mount: nfs file system; use [host:]path\n")])
def test_what_cannot_be_mounted_is_said(lab: Lab, command: str, status: int, said: str) -> None:
    assert sh(lab, "n1", command, status) == said


def test_a_mount_of_a_nas_that_is_off_is_tried_again(lab: Lab) -> None:
    lab.kill("filer")
    said = sh(lab, "n2", "mount -F nfs -o retry=1 filer:/export/home /far", 33)
    assert said.endswith("nfs mount: giving up on: /far\n")
    with lab.popen("n2", ["sh", "-c", MOUNT], stderr=subprocess.PIPE) as mount:
        assert mount.stderr is not None
        assert b"RPC: Rpcbind failure" in mount.stderr.readline()
        assert mount.stderr.readline() == b"nfs mount: retrying: /far\n"
        lab.boot("filer")
        assert mount.stderr.read().endswith(b"nfs mount: /far: mounted OK\n")


def test_a_nas_is_no_node(lab: Lab) -> None:
    with pytest.raises(CommandFailed):
        lab.exec("filer", ["false"])
    assert lab.exec("filer", ["ip", "-br", "address", "show", "net0"]).stdout.split()[2] == "10.0.0.50/24"


def test_down_leaves_nothing_of_a_lab_with_a_nas_that_does_not_answer() -> None:
    lab = build("nd")
    name = lab.spec.lab
    sh(lab, "n1", f"mkdir /far; {MOUNT}")
    lab.cut("filer")
    with lab.popen("n1", ["ls", "/far"], stderr=subprocess.DEVNULL):
        until(lambda: waits(lab, "n1", "^ls /far"), "ls to wait for the NAS")
        lab.down()
    assert traces(name) == []
