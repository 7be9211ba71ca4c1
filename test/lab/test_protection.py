"""A host that is sick resets itself or says so: a full process table, no memory, a root disk or an end that hangs.

And a user space that stands still, and a failfast that is told to end.
"""
import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any, Dict, Iterator, List

import pytest

from lab.exhaustion import Limited, child_of, command_line, processes
from lab.site import COORDINATOR, FAILFAST, Site, layout
from sunlab.lab import Lab, LabError

pytestmark = [pytest.mark.lab, pytest.mark.timeout(240), pytest.mark.xdist_group("protection")]

NODES = ("n1", "n2", "n3")
PASSWORD = "s3cret"


class Sick(Site):
    """A cluster whose group runs on n1, and what may befall n1."""

    def sh(self, node: str, line: str, check: bool = True) -> str:
        """As the Site's, with the patience that a host without processes or memory takes."""
        try:
            return str(self.lab.exec(node, ["/bin/sh", "-c", line], check=check, timeout=60).stdout)
        except (LabError, subprocess.TimeoutExpired):
            if check:
                raise
            return ""

    def reset(self, node: str, within_s: float = 60.0) -> None:
        """Wait until the node is another boot than it was when this site was made."""
        self.until(f"{node} is reset", lambda: self.lab.init_pids().get(node, self.inits[node]) != self.inits[node],
                   within_s)

    def back(self) -> None:
        """A host of the lab boots faster than it is missed: the group may come back to it."""
        self.until("the group is online again", lambda: self.owner("n2") is not None, 90)

    def counts(self) -> None:
        self.until("the watchdog counts", lambda: self.host("n1").get("failfast", {}).get("watchdog") == "counting", 60)

    def remember(self) -> None:
        self.inits = dict(self.lab.init_pids())

    def pids(self, node: str, words: str) -> List[int]:
        """Pids on this machine, parents first."""
        return sorted(pid for pid in processes(self.lab, node) if words in command_line(pid))

    def host(self, node: str) -> Dict[str, Any]:
        return dict(self.status(node).get("host", {}))

    def codes(self, node: str) -> List[str]:
        lines = self.sh(node, "sundog log --json -n 200", check=False).splitlines()
        return [json.loads(line)["code"] for line in lines]


def build(folder: Path, net: int, protection: str, more: str = "", server: str = "",
          bmc: bool = False, disks: "Dict[str, Any] | None" = None) -> Path:
    sections = "protection:\n" + "".join(f"  {line}\n" for line in protection.splitlines()) + more
    file = layout(folder, "sick", net, NODES, quorum=sections, disks=disks,
                  server=server or "exec, start: /usr/bin/sleep 100000 &")
    # A busy machine may hold up a daemon for seconds, and this is about what does not come back by itself.
    config = folder / "cluster.yaml"
    config.write_text(config.read_text().replace("timeout: 3s", "timeout: 6s", 1))
    lab = json.loads(file.read_text())
    if bmc:
        for number, node in enumerate(NODES, 1):
            lab["nodes"][node]["bmc"] = {"address": {"private": f"192.168.{net}.10{number}/24"}, "password": PASSWORD}
        (folder / "bmc").write_text(PASSWORD)
        lab["files"]["/etc/sundog/bmc"] = {"from": "bmc", "mode": "0600"}
    file.write_text(json.dumps(lab))
    return file


def running(lab: Lab) -> Sick:
    site = Sick(lab, NODES)
    site.start()
    site.until("the group is online on n1", lambda: site.owner("n2") == "n1", 90)
    site.until("failfast is told how this host ends", lambda: site.host("n1").get("failfast", {}).get("pid"))
    site.remember()
    return site


def up(file: Path) -> Iterator[Lab]:
    with Lab.up(file) as lab:
        for node in NODES:
            lab.wait_booted(node, 60)
        yield lab


@pytest.fixture
def quick(tmp_path: Path) -> Iterator[Sick]:
    """Probes that act after the shortest time."""
    for lab in up(build(tmp_path, 84, "processes: {action: reset, within: 5s}\nmemory: {action: report, within: 5s}")):
        yield running(lab)


def test_the_guards_of_a_host_do_not_wait_for_what_they_guard_and_failfast_not_for_the_coordinator(quick: Sick) -> None:
    coordinator, failfast = (quick.pids("n1", words)[0] for words in ("sundog.daemon.start", "sundog.daemon.failfast"))
    server = quick.pids("n1", "sleep 100000")[-1]
    assert [os.sched_getscheduler(pid) for pid in (coordinator, failfast, server)] == \
        [os.SCHED_RR, os.SCHED_RR, os.sched_getscheduler(0)]
    assert os.sched_getparam(failfast).sched_priority > os.sched_getparam(coordinator).sched_priority


def test_an_owner_whose_process_table_is_full_resets_itself_without_a_new_process(quick: Sick) -> None:
    with Limited(quick.lab, "n1", "pids") as limit:
        limit.set("pids.max", "1")
        quick.reset("n1")
        quick.back()


def test_a_standby_whose_process_table_is_full_is_unfit_and_stays_up(quick: Sick) -> None:
    with Limited(quick.lab, "n2", "pids") as limit:
        limit.set("pids.max", "1")
        quick.until("n2 says so", lambda: "no process" in quick.host("n2").get("processes", ""))
        quick.until("nothing is placed there", lambda: any(
            one["node"] == "n2" and "no process can be started" in one["verdict"]
            for one in json.loads(quick.sh("n1", "sundog explain tcp --json"))["candidates"]))
        assert "n2 is not well: no process can be started" in quick.sh("n2", "sundog status")
        quick.sh("n1", "sundog group move tcp")
        quick.until("it goes past n2", lambda: quick.owner("n1") == "n3")
        limit.set("pids.max", "max")
        quick.until("n2 is well again", lambda: quick.host("n2").get("processes") == "well", 30)
    assert quick.lab.init_pids() == quick.inits


def test_memory_that_cannot_be_had_is_reported(quick: Sick) -> None:
    pid = quick.pids("n1", "sundog.daemon.start")[0]
    status = Path(f"/proc/{pid}/status").read_text()
    size = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmSize")) << 10
    quick.sh("n1", f"prlimit --pid {quick.pid('n1')} --as={size + (4 << 20)}:")
    quick.until("it is told", lambda: "16 MiB of memory cannot be had" in quick.host("n1").get("memory", ""))
    assert "HOST-SICK" in quick.codes("n1")
    quick.sh("n1", f"prlimit --pid {quick.pid('n1')} --as=unlimited:")
    quick.until("it is well again", lambda: quick.host("n1").get("memory") == "well")
    assert quick.lab.init_pids() == quick.inits


def test_a_host_without_memory_is_reset_by_failfast(quick: Sick) -> None:
    """Who asks for a page waits for ever. In the lab uadmin(2) is a process, which is left outside as the kernel is."""
    failfast = quick.pids("n1", "sundog.daemon.failfast")
    kernel = [pid for pid in processes(quick.lab, "n1") if "zfs-fuse" in command_line(pid)]
    ready = child_of(failfast[0], processes(quick.lab, "n1"))
    with Limited(quick.lab, "n1", "memory", free=[*kernel, ready or 0]) as limit:
        limit.set("memory.oom_control", "1")
        limit.set("memory.limit_in_bytes", str(1 << 20))
        quick.reset("n1")
        limit.set("memory.limit_in_bytes", str(1 << 40))


def test_a_failfast_that_is_restarted_holds_on_and_one_that_is_disabled_waits_until_nothing_is_active(
        quick: Sick) -> None:
    first = quick.host("n1")["failfast"]["pid"]
    quick.sh("n1", f"svcadm restart {FAILFAST}")
    quick.until("another one is told", lambda: quick.host("n1").get("failfast", {}).get("pid") not in (None, first))
    quick.sh("n1", f"svcadm disable {FAILFAST}")
    quick.until("SMF waits for it", lambda: quick.state("n1", FAILFAST) == "online*")
    assert quick.owner("n2") == "n1"
    quick.sh("n1", "sundog group offline tcp")
    quick.until("it has ended", lambda: quick.state("n1", FAILFAST) == "disabled")
    assert quick.lab.init_pids() == quick.inits


def test_a_second_failfast_is_refused_and_the_group_and_its_host_live_on(quick: Sick) -> None:
    first = quick.host("n1")["failfast"]["pid"]
    for arguments, status, said in (("--help", 0, "usage: sundog-failfast"), ("--version", 2, "takes no arguments"),
                                    ("", 1, "another sundog-failfast runs on this host")):
        text = quick.sh("n1", f"/usr/lib/sundog/sundog-failfast {arguments} 2>&1; echo status $?")
        assert said in text and text.endswith(f"status {status}\n"), text
    quick.lab.exec("n1", ["sleep", "15"], timeout=60)       # more than twice as long as a lease
    assert quick.lab.init_pids() == quick.inits and quick.owner("n2") == "n1"
    assert quick.host("n1")["failfast"]["pid"] == first and "FAILFAST-SILENT" not in quick.codes("n1")
    quick.sh("n1", f"kill -9 {first}")
    quick.until("SMF starts another one", lambda: quick.host("n1").get("failfast", {}).get("pid") not in (None, first))
    assert quick.lab.init_pids() == quick.inits and quick.owner("n2") == "n1"


@pytest.fixture
def sick_disk(tmp_path: Path) -> Iterator[Sick]:
    """/var/sundog of n1 on a disk that can hang; what hangs would hold up the machine if it were ext4."""
    disks = {"c0t2d0s0": {"size": "64M", "faults": True}}
    file = build(tmp_path, 85, "root_disk: {action: reset, within: 5s}\nexpiry: panic", disks=disks)
    for lab in up(file):
        lab.exec("n1", ["zpool", "create", "-f", "-m", "/var/sundog", "vartank", "/dev/dsk/c0t2d0s0"])
        yield running(lab)
        lab.disk("n1", "c0t2d0s0", "ok")


def test_an_owner_whose_root_disk_hangs_resets_itself(sick_disk: Sick) -> None:
    assert sick_disk.host("n1")["failfast"]["expiry"] == "panic"
    sick_disk.lab.disk("n1", "c0t2d0s0", "hang")
    sick_disk.reset("n1")
    sick_disk.back()


@pytest.fixture
def endless(tmp_path: Path) -> Iterator[Sick]:
    """The group does not stop, and nobody is to be fenced for that by the cluster itself."""
    file = build(tmp_path, 86, "shutdown: 10s", "recovery: {on_stop_failed: block}\n",
                 "exec, start: /usr/bin/sleep 100000 &, stop: /usr/bin/sleep 1000, timeout: 9m")
    for lab in up(file):
        yield running(lab)


@pytest.mark.parametrize("command", [f"svcadm disable {COORDINATOR}", "init 5"])
def test_a_host_that_hangs_while_it_stops_is_reset_and_its_group_starts_elsewhere(endless: Sick, command: str) -> None:
    endless.sh("n1", command, check=False)
    endless.reset("n1")
    endless.back()


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Sick]:
    addresses = ", ".join(f"{node}: 192.168.87.10{number}" for number, node in enumerate(NODES, 1))
    # ipmi_sim moves the end of a countdown only in its interrupt: without one it resets a host that strokes, too.
    watchdog = ("watchdog: {type: ipmi, interface: lanplus, timeout: 20s, user: admin, cipher: 3, interrupt: message,\n"
                f"           password_file: /etc/sundog/bmc, addresses: {{{addresses}}}}}")
    for lab in up(build(tmp_path, 87, watchdog, bmc=True)):
        yield running(lab)


def stop(pids: List[int]) -> None:
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)


def test_the_controller_resets_a_host_whose_user_space_stands_still(watched: Sick) -> None:
    watched.counts()
    stop(watched.pids("n1", "sundog.daemon.start") + watched.pids("n1", "sundog.daemon.failfast"))
    watched.reset("n1")
    line = f"ipmitool -I lanplus -C 3 -U admin -P {PASSWORD} -H 192.168.87.101 sel list"
    watched.until("the controller says that it was its watchdog", lambda: "Watchdog2" in watched.sh("n2", line, False))
    watched.back()


def test_a_daemon_that_is_restarted_keeps_the_watchdog_and_a_host_that_runs_nothing_stops_it(watched: Sick) -> None:
    watched.counts()
    watched.sh("n1", f"svcadm restart {COORDINATOR}")
    watched.counts()
    watched.lab.exec("n1", ["sleep", "30"], timeout=120)            # longer than one countdown
    watched.sh("n1", "sundog group offline tcp")
    watched.until("it is stopped", lambda: watched.host("n1")["failfast"]["watchdog"] == "stopped", 60)
    assert watched.lab.init_pids() == watched.inits, {node: watched.codes(node) for node in NODES}
