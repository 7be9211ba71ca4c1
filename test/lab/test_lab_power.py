"""A lab host's power: cut, switched on, reset and halted from inside, frozen; what outlives each."""
import os
import time
from pathlib import Path
from typing import Iterator, List

import pytest

from lab.two_hosts import answers, build, ensure_on, until
from sunlab.lab import CommandFailed, Lab, LabError

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("lab-power")]


@pytest.fixture(scope="module")
def hosts() -> Iterator[Lab]:
    with build("pw") as lab:
        yield lab


@pytest.fixture
def lab(hosts: Lab) -> Lab:
    ensure_on(hosts)
    return hosts


def running(lab: Lab, node: str) -> List[int]:
    """Pids on the host of everything in the node's control group."""
    top = lab.places.cgroup(node)
    return [int(pid) for folder, _, _ in os.walk(top) for pid in Path(folder, "cgroup.procs").read_text().split()]


def test_nothing_of_a_host_runs_after_a_power_cut(lab: Lab) -> None:
    before = running(lab, "n1")
    assert len(before) >= 2
    lab.kill("n1")
    assert running(lab, "n1") == []
    assert not any(Path(f"/proc/{pid}").exists() for pid in before)
    assert not answers(lab, "client", "10.0.0.1")


def test_files_outlive_a_power_cut_but_not_those_of_run_and_tmp(lab: Lab) -> None:
    lab.exec("n1", ["sh", "-c", "for f in /etc /var /var/run /tmp; do echo kept >$f/mark; done"])
    assert lab.path("n1", "/etc/mark").read_text() == "kept\n"
    lab.kill("n1")
    lab.boot("n1")
    lab.wait_booted("n1")
    found = lab.exec("n1", ["sh", "-c", "ls /etc/mark /var/mark /var/run/mark /tmp/mark 2>/dev/null"], check=False)
    assert found.stdout.split() == ["/etc/mark", "/var/mark"]
    assert not Path("/etc/mark").exists()


@pytest.mark.parametrize("operation", [("1", "1"), ("2", "1"), ("5", "1")])
def test_uadmin_resets_the_host_at_once_and_it_boots_again(lab: Lab, operation: List[str]) -> None:
    old = lab.pid("n1")
    processes = running(lab, "n1")
    lab.exec("n1", ["uadmin", *operation], check=False)
    until(lambda: not Path(f"/proc/{old}").exists(), "the old init to be gone")
    assert not any(Path(f"/proc/{pid}").exists() for pid in processes)
    until(lambda: lab.init_pids().get("n1", old) != old, "a new boot")
    lab.wait_booted("n1")


@pytest.mark.parametrize("command", [["uadmin", "1", "0"], ["uadmin", "1", "6"], ["uadmin", "2", "0"], ["halt"]])
def test_a_halted_host_stays_off_until_it_is_switched_on(lab: Lab, command: List[str]) -> None:
    lab.exec("n1", command, check=False)
    until(lambda: "n1" not in lab.init_pids(), "the host to be off")
    with pytest.raises(LabError, match="is off"):
        lab.exec("n1", ["true"])
    assert lab.status()["nodes"]["n1"]["power"] == "off"
    lab.boot("n1")
    lab.wait_booted("n1")


def drain(descriptor: int) -> bytes:
    """What has been written to the pipe so far."""
    try:
        return os.read(descriptor, 65536)
    except BlockingIOError:
        return b""


def test_a_frozen_host_is_silent_and_goes_on_where_it_was(lab: Lab) -> None:
    with lab.popen("n1", ["sh", "-c", "while :; do echo tick; sleep 0.01; done"], stdout=-1) as clock:
        assert clock.stdout is not None
        assert clock.stdout.readline() == b"tick\n"
        lab.freeze("n1")
        assert lab.status()["nodes"]["n1"]["frozen"]
        with pytest.raises(LabError, match="is frozen"):
            lab.exec("n1", ["true"])
        os.set_blocking(clock.stdout.fileno(), False)
        drain(clock.stdout.fileno())
        time.sleep(0.1)             # ten ticks, if it ran
        assert drain(clock.stdout.fileno()) == b""
        lab.thaw("n1")
        until(lambda: drain(clock.stdout.fileno()) != b"", "the clock to go on")
        lab.kill("n1")


def test_a_frozen_host_can_be_killed(lab: Lab) -> None:
    lab.freeze("n1")
    lab.kill("n1")
    assert running(lab, "n1") == []


def test_a_host_sees_itself_and_nothing_of_the_machine_around_it(lab: Lab) -> None:
    assert lab.exec("n1", ["uname", "-n"]).stdout == "n1\n"
    assert lab.exec("n1", ["hostid"]).stdout == "18450001\n"
    assert lab.exec("n2", ["hostid"]).stdout == "18450002\n"
    mounts = [line.split()[1] for line in lab.exec("n1", ["cat", "/proc/mounts"]).stdout.splitlines()]
    expected = ("", "dev", "proc", "run", "tmp", "system", "zfs-kstat")
    assert [m for m in mounts if m.split("/")[1] not in expected] == ["/usr/lib/sunlab/venv"]
    assert sorted(lab.exec("n1", ["ls", "/dev/dsk"]).stdout.split()) == sorted(lab.spec.disks)
    assert lab.exec("n1", ["sh", "-c", "echo /proc/[0-9]*"]).stdout.count("/proc/") < 8


def test_exec_passes_on_input_output_and_status(lab: Lab) -> None:
    assert lab.exec("n1", ["cat"], input="there and back").stdout == "there and back"
    assert lab.exec("n1", ["sh", "-c", "exit 7"], check=False).returncode == 7
    with pytest.raises(CommandFailed, match="n1: cat /nowhere: exit 1: .*No such file"):
        lab.exec("n1", ["cat", "/nowhere"])


def test_ending_a_command_from_outside_ends_it_inside(lab: Lab) -> None:
    command = lab.popen("n1", ["sh", "-c", "echo there && exec sleep 1234"], stdout=-1)
    assert command.stdout is not None
    assert command.stdout.readline() == b"there\n"
    command.terminate()
    command.wait(5)
    until(lambda: lab.exec("n1", ["pgrep", "-f", "sleep 1234"], check=False).returncode == 1, "the command to be gone")
