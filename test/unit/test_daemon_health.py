"""Probes of the host, what is made of them, and what failfast is told and says."""
import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

import sundog.daemon.health as health_module
import sundog.solaris.watchdog as watchdog_module
from sundog.cli.show import sick
from sundog.config.model import Probe, Protection, Watchdog
from sundog.daemon.health import Health, Trouble
from sundog.daemon.orders import Orders
from sundog.daemon.probes import Prober, can_have, can_start, can_write
from sundog.solaris.watchdog import missing

LIBRARY = str(Path(health_module.__file__).parents[2])


def test_a_healthy_host_passes_every_probe(tmp_path):
    assert (can_start(), can_have(8 << 20), can_write(str(tmp_path / "probe"))) == ("", "", "")


def limited(limit, call):
    """What a probe says in a process under a real limit of the kernel."""
    code = f"import resource\n{limit}\nimport sundog.daemon.probes as p\nprint(p.{call})"
    return subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": LIBRARY}, stdout=subprocess.PIPE, text=True,
                          check=True).stdout.strip()


def test_a_process_or_memory_that_cannot_be_had_is_said():
    limit = "resource.setrlimit(resource.RLIMIT_AS, (512 << 20, 512 << 20))"
    assert limited(limit, "can_have(16 << 20)") == ""
    assert "1024 MiB of memory cannot be had" in limited(limit, "can_have(1 << 30)")
    assert can_start("/nowhere/true") == "no process can be started: No such file or directory"


def test_a_disk_that_cannot_be_written_is_said(tmp_path):
    assert can_write(str(tmp_path / "nowhere" / "probe")).endswith("cannot be written: No such file or directory")
    assert can_write("/dev/full").endswith("cannot be written: No space left on device")


def test_a_trouble_counts_from_its_first_look():
    trouble = Trouble("memory")
    assert trouble.found(10.0, "none") and not trouble.found(15.0, "none")
    assert not trouble.lasts(39.9, 30.0) and trouble.lasts(40.0, 30.0)
    assert trouble.found(41.0, "") and not trouble.lasts(99.0, 30.0)


def scene(run):
    asyncio.run(asyncio.wait_for(run(), 20))


def test_a_check_that_hangs_holds_up_nobody_and_is_waited_for():
    async def run():
        import threading
        gate = threading.Event()
        prober = Prober(asyncio.get_running_loop(), "gate", lambda: "" if gate.wait(10) else "late")
        assert await prober.look(0.01) is None
        gate.set()
        assert await prober.look(10.0) == ""
        prober.close()
    scene(run)


class Host:
    """A Health whose looks are given by hand."""

    def __init__(self, action, active):
        self.told, self.ends, self.changes = [], 0, 0
        spec = Probe(action, 30.0)
        self.now = 0.0
        self.health = Health(self, lambda: Protection(processes=spec, memory=spec, root_disk=spec), "/nowhere",
                             lambda code, severity, text: self.told.append(code), lambda: active, self.end, self.change)

    def time(self):
        return self.now

    def end(self):
        self.ends += 1

    def change(self):
        self.changes += 1

    def look(self, name, at, said):
        self.now = at
        self.health._found(name, at, said)


@pytest.mark.parametrize(("action", "active", "ends"), [("reset", True, 1), ("reset", False, 0), ("report", True, 0)])
def test_only_a_host_that_runs_something_and_is_told_to_resets_itself(action, active, ends):
    host = Host(action, active)
    for at in (0.0, 10.0, 29.0):
        host.look("processes", at, "no process can be started")
    assert (host.ends, host.told, host.changes) == (0, ["HOST-SICK"], 1)
    assert host.health.unfit == "no process can be started"
    host.look("processes", 30.0, "no process can be started")
    assert host.ends == ends
    assert host.told == ["HOST-SICK"] + ["HOST-RESET"] * ends
    host.health.close()


def test_a_trouble_that_passes_is_forgotten():
    host = Host("reset", True)
    host.look("memory", 0.0, "none")
    host.look("memory", 20.0, "")
    host.look("memory", 40.0, "none")
    assert (host.ends, host.told, host.changes) == (0, ["HOST-SICK", "HOST-WELL", "HOST-SICK"], 3)
    host.health.close()


def test_a_root_disk_that_hangs_is_not_written_about():
    host = Host("reset", True)
    host.look("root_disk", 0.0, None)
    host.look("root_disk", 30.0, None)
    assert (host.ends, host.told) == (1, [])
    assert host.health.said()["root_disk"] == "root_disk: no answer from the host"
    assert sick({"node": "n1", "host": {**host.health.said(), "failfast": {"watchdog": "failing"}}}) == [
        "n1 is not well: root_disk: no answer from the host",
        "n1: its controller's watchdog does not take its commands"]
    host.health.close()


class Peer:
    """Failfast as Orders see it."""

    def __init__(self):
        self.sent, self.told = [], []

    def send(self, datagram):
        self.sent.append(datagram)
        return True

    def answers(self, orders, *more, bad=False):
        """Answer all that was sent so far."""
        sent, self.sent = self.sent, []
        for datagram in sent:
            verb, name = datagram.split(b"\0")[0].split()[:2]
            said = [b"bad", verb, name] if bad else [b"ok", name, *(more if verb == b"state" else ())]
            orders.take(said)
        return [datagram.split()[0].decode() for datagram in sent]


def ordered(run):
    async def scene_of():
        peer = Peer()
        orders = Orders(asyncio.get_running_loop(), "n1", peer.send, lambda code, *_: peer.told.append(code))
        await run(orders, peer)
        orders.close()
    scene(scene_of)


def test_failfast_is_told_until_it_has_acknowledged_and_again_when_it_is_another_process():
    async def run(orders, peer):
        orders.follow(Protection(expiry="panic"))
        orders.ask()
        peer.sent.clear()                               # lost
        orders.ask()
        assert peer.answers(orders, b"pid=7", b"watchdog=off") == ["state", "expiry", "watchdog", "stop"]
        peer.answers(orders)
        assert await orders.confirmed(0.1)
        orders.ask()
        assert peer.answers(orders, b"pid=7") == ["state"]
        orders.ask()
        peer.answers(orders, b"pid=8")
        assert peer.answers(orders) == ["expiry", "watchdog", "stop"]
    ordered(run)


def test_an_old_failfast_is_told_of_once():
    async def run(orders, peer):
        for _ in range(3):
            orders.ask()
            peer.answers(orders, bad=True)
        assert peer.told == ["FAILFAST-OLD"]
        assert not await orders.confirmed(0.01)
    ordered(run)


def test_what_a_host_lacks_for_its_watchdog_is_said(tmp_path, monkeypatch):
    password = tmp_path / "bmc"
    watchdog = Watchdog(20.0, "lanplus", "none", {"n1": "10.9.0.1"}, "sundog", str(password))
    monkeypatch.setattr(watchdog_module, "_IPMITOOL", ("/nowhere/ipmitool",))
    assert [one.split(";")[1] for one in missing(watchdog)] == [
        " pkg install ipmitool", " write the controller's password into it"]
    monkeypatch.setattr(watchdog_module, "_IPMITOOL", ("/bin/sh",))
    password.write_text("secret")
    password.chmod(0o644)
    assert missing(watchdog) == [f"protection.watchdog.password_file: {password} can be read by others; "
                                 f"chmod 600 {password}"]
    password.chmod(0o600)
    assert missing(watchdog) == []


def test_a_watchdog_that_fails_is_told_of_and_when_it_is_back():
    async def run(orders, peer):
        watchdog = Watchdog(20.0, "lanplus", "none", {"n1": "10.9.0.1"}, "sundog", "/etc/bmc", 3)
        orders.follow(Protection(watchdog=watchdog))
        order = next(one for one in peer.sent if one.startswith(b"watchdog"))
        assert order.split(b"\0")[0].split()[2:] == [b"20.0"]
        assert order.split(b"\0")[1] == b"0"
        assert b" ".join(order.split(b"\0")[2:]).endswith(
            b"ipmitool -I lanplus -H 10.9.0.1 -U sundog -f /etc/bmc -R 1 -C 3")
        for watchdog in (b"counting", b"failing", b"failing", b"counting"):
            orders.ask()
            peer.answers(orders, b"pid=7", b"watchdog=" + watchdog)
        assert peer.told == ["WATCHDOG-FAILED", "WATCHDOG-BACK"]
    ordered(run)
