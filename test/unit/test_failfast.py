"""Failfast: holds the last deadline it acknowledged, over its own restart, and never lets a passed one be moved."""
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sundog.daemon import failfast
from sundog.daemon.failfast import FMRI, Deadline, Keeper, Watchdog, _wait_ms, listen, now, serve


@pytest.fixture
def kept(tmp_path):
    return str(tmp_path / "deadline")


def test_arm_and_disarm_are_acknowledged_by_their_id(kept):
    keeper = Keeper(kept)
    assert keeper.answer(b"arm 7 1234.500000") == b"ok 7"
    assert keeper.at == 1234.5
    assert keeper.answer(b"disarm 8") == b"ok 8"
    assert keeper.at is None


def test_the_end_of_a_host_has_a_deadline_of_its_own_and_the_first_counts(kept):
    keeper = Keeper(kept)
    assert keeper.answer(b"stop x1 2000.000000") == b"ok x1"
    assert keeper.answer(b"arm 2 1234.500000") == b"ok 2"
    assert keeper.at == 1234.5
    keeper.answer(b"disarm 3")
    assert keeper.at == 2000 and Keeper(kept).at == 2000
    assert keeper.answer(b"stop x4 none") == b"ok x4"
    assert keeper.at is None and Keeper(kept).at is None


def test_how_it_ends_is_told_and_asked_for(kept):
    keeper = Keeper(kept)
    assert keeper.answer(b"expiry x1 panic") == b"ok x1"
    assert keeper.answer(b"state x2") == b"ok x2 pid=%d expiry=panic watchdog=off" % os.getpid()
    assert keeper.answer(b"expiry x3 halt") == b"bad expiry x3 halt"
    assert keeper.expiry == "panic"


@pytest.mark.parametrize("nonsense", [b"", b"arm", b"arm 1", b"arm 1 soon", b"arm 1 nan", b"arm 1 inf", b"arm 1 -5",
                                      b"disarm", b"disarm 1 2", b"\xff\xfe", b"arm 1 0", b"stop 1", b"stop 1 -1",
                                      b"watchdog 1", b"watchdog 1 30", b"watchdog 1 x\0000\0ipmitool", b"state",
                                      b"watchdog 1 30\0ipmitool", b"watchdog 1 30\09\0ipmitool",
                                      b"state 1 2"])
def test_nonsense_is_not_acknowledged_and_changes_nothing(kept, nonsense):
    keeper = Keeper(kept)
    keeper.lease.set(99.0)
    assert keeper.answer(nonsense).startswith(b"bad")
    assert keeper.at == 99.0
    assert keeper.watchdog.words == []


def test_a_restarted_failfast_holds_the_deadline_again(kept):
    Deadline(kept).set(1234.5)
    assert Deadline(kept).at == 1234.5
    Deadline(kept).set(None)
    assert Deadline(kept).at is None


def test_a_record_cut_short_is_read_as_a_short_deadline(kept):
    Deadline(kept).set(now() + 3600)
    with open(kept, "r+b") as file:
        file.write(b"\x41")
    assert Deadline(kept).at <= now() + 1.0


class Clock:
    def __init__(self, *instants: float) -> None:
        self.instants = list(instants)

    def __call__(self) -> float:
        return self.instants.pop(0) if len(self.instants) > 1 else self.instants[0]


def test_a_host_that_wakes_after_its_deadline_is_reset_before_a_longer_one_is_read(tmp_path, kept):
    sock = listen(str(tmp_path / "failfast"))
    keeper = Keeper(kept)
    keeper.lease.set(100.0)
    asker = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    asker.sendto(b"arm 2 900.000000", str(tmp_path / "failfast"))
    expired = []
    serve(sock, keeper, lambda how: expired.append((how, keeper.at)), Clock(99.9, 101.0), once=True)
    assert expired == [("reset", 100.0)]
    asker.close()
    sock.close()


LIBRARY = str(Path(failfast.__file__).parents[2])


class Programs:
    """The real program, with uadmin and the paths under a directory of the test."""

    def __init__(self, folder: Path) -> None:
        self.run, self.called = folder / "run", folder / "called"
        uadmin = folder / "uadmin"
        uadmin.write_text(f"#!/bin/sh\necho $1 $2 > {self.called}\nkill -9 $PPID\n")
        uadmin.chmod(0o755)
        self.code = (f"import sys\nfrom sundog.daemon import failfast as f, failfast_main as m\n"
                     f"f.UADMIN={str(uadmin)!r}\n"
                     f"f.listen.__defaults__=({str(self.run / 'failfast')!r},)\n"
                     f"f.Keeper.__init__.__defaults__=({str(self.run / 'kept')!r},)\n"
                     f"m.only_one.__defaults__=({str(self.run / 'lock')!r},)\nsys.exit(m.main())\n")
        self.asker = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.asker.bind(str(folder / "asker"))
        self.asker.settimeout(20)
        self.started: "list[subprocess.Popen[str]]" = []

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        self.started.append(subprocess.Popen([sys.executable, "-S", "-c", self.code, *arguments], text=True,
                                             env={"PYTHONPATH": LIBRARY}, stdout=subprocess.PIPE,
                                             stderr=subprocess.PIPE))
        return self.started[-1]

    def ends(self, *arguments: str) -> "tuple[int, str, str]":
        """Exit status, output and errors of one that ends by itself."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=20)
        return process.returncode, out, err

    def ask(self, order: bytes) -> bytes:
        until = time.monotonic() + 20
        while True:
            try:
                self.asker.sendto(order, str(self.run / "failfast"))
                return self.asker.recv(100)
            except (FileNotFoundError, ConnectionRefusedError):
                assert time.monotonic() < until, "nobody listens"
                time.sleep(0.01)

    def close(self) -> None:
        self.asker.close()
        for process in self.started:
            process.kill()
            process.communicate()


@pytest.fixture
def programs(tmp_path):
    made = Programs(tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize(("how", "wanted"), [(b"reset", "1 1\n"), (b"panic", "5 1\n")])
def test_the_process_resets_the_host_when_its_deadline_passes_and_not_before(programs, how, wanted):
    process = programs.start()
    assert programs.ask(b"expiry 1 " + how) == b"ok 1"
    at = now() + 0.3
    assert programs.ask(b"arm 2 %.6f" % at) == b"ok 2"
    process.wait(20)
    assert now() >= at
    assert programs.called.read_text() == wanted


def test_a_second_one_says_so_and_leaves_the_first_its_socket_and_its_deadline(programs):
    first = programs.start()
    assert programs.ask(b"arm 1 %.6f" % (now() + 3600)) == b"ok 1"
    status, out, err = programs.ends()
    assert (status, out) == (1, "") and "another sundog-failfast runs on this host" in err and FMRI in err
    assert programs.ask(b"state 2").startswith(b"ok 2 pid=%d " % first.pid)
    assert programs.ask(b"disarm 3") == b"ok 3"


def test_one_that_was_killed_stops_no_other_from_holding_its_deadline_again(programs):
    for number in range(3):
        process = programs.start()
        assert programs.ask(b"state %d" % number).startswith(b"ok %d pid=%d " % (number, process.pid))
        assert programs.ask(b"arm 1 %.6f" % (now() + 3600)) == b"ok 1"
        process.kill()
        process.wait()
        if number:
            assert "holding again a deadline in 3" in process.communicate()[1]


@pytest.mark.parametrize("arguments", [("--help",), ("-h",), ("--verbose", "--help")])
def test_help_touches_nothing(programs, arguments):
    status, out, err = programs.ends(*arguments)
    assert (status, err) == (0, "") and not programs.run.exists()
    assert all(word in out for word in ("usage: sundog-failfast", "resets the host", "examples:", "exit status:"))


@pytest.mark.parametrize("arguments", [("--version",), ("start",), ("",), ("-x", "y")])
def test_any_other_argument_is_refused_and_touches_nothing(programs, arguments):
    status, out, err = programs.ends(*arguments)
    assert (status, out) == (2, "") and not programs.run.exists()
    assert err.startswith("usage: sundog-failfast [-h]\n") and "--help" in err


def test_a_place_that_cannot_be_written_is_told(programs):
    programs.run.write_text("a file")
    status, _, err = programs.ends()
    assert status == 1 and f"{programs.run}: File exists" in err and "Traceback" not in err


def test_it_is_made_of_the_standard_library_and_two_files(tmp_path):
    """-S leaves only the standard library beside our own."""
    code = ("import sys\nimport sundog.daemon.failfast_main\n"
            "print(*sorted(name for name in sys.modules if name.split('.')[0] == 'sundog'))")
    done = subprocess.run([sys.executable, "-S", "-c", code], env={"PYTHONPATH": LIBRARY}, stdout=subprocess.PIPE,
                          text=True, check=True)
    assert done.stdout.split() == ["sundog", "sundog.daemon", "sundog.daemon.failfast", "sundog.daemon.failfast_main"]


class Controller:
    """A stand-in for ipmitool that writes down how it was called, one line a call, and fails while `down` exists."""

    def __init__(self, folder: Path) -> None:
        self.calls, self.down = folder / "calls", folder / "down"
        self.program = folder / "ipmitool"
        self.program.write_text(f"#!/bin/sh\ntest -e {self.down} && exit 1\necho $* >> {self.calls}\n")
        self.program.chmod(0o755)

    def run(self, watchdog: Watchdog, at: float, held: bool) -> "list[str]":
        """What is called from this instant on until nothing more is due."""
        before = len(self.lines())
        watchdog.step(at, held)
        until = time.monotonic() + 10
        while watchdog.busy and time.monotonic() < until:
            watchdog.step(at, held)
        return self.lines()[before:]

    def lines(self) -> "list[str]":
        return self.calls.read_text().splitlines() if self.calls.exists() else []


SET, NONE, STROKE = "raw 0x06 0x24 0x04 1 0 0x10 44 1", "raw 0x06 0x24 0x04 0 0 0x10 44 1", "raw 0x06 0x22"


def test_the_watchdog_counts_while_a_deadline_is_held_and_is_stroked_four_times_in_its_period(tmp_path):
    controller, watchdog = Controller(tmp_path), Watchdog()
    watchdog.follow(30.0, 0, [str(controller.program)])
    assert controller.run(watchdog, 90.0, False) == [NONE]
    assert controller.run(watchdog, 99.0, False) == []
    assert controller.run(watchdog, 101.0, True) == [SET, STROKE]
    assert watchdog.said == "counting"
    assert controller.run(watchdog, 108.0, True) == []
    assert controller.run(watchdog, 108.5, True) == [STROKE]
    assert controller.run(watchdog, 116.0, False) == [NONE]
    assert watchdog.said == "stopped"
    assert controller.run(watchdog, 200.0, False) == []


def test_a_controller_that_does_not_answer_is_set_anew_when_it_does(tmp_path):
    controller, watchdog = Controller(tmp_path), Watchdog()
    watchdog.follow(30.0, 0, [str(controller.program)])
    controller.run(watchdog, 100.0, True)
    controller.down.touch()
    assert controller.run(watchdog, 108.0, True) == []
    assert watchdog.said == "failing"
    controller.down.unlink()
    assert controller.run(watchdog, 109.0, True) == []
    assert controller.run(watchdog, 111.0, True) == [SET, STROKE]
    assert watchdog.said == "counting"


def test_a_watchdog_that_is_taken_out_of_the_configuration_is_stopped_however_often_it_takes(tmp_path):
    controller, watchdog = Controller(tmp_path), Watchdog()
    watchdog.follow(30.0, 0, [str(controller.program)])
    controller.run(watchdog, 100.0, True)
    controller.down.touch()
    watchdog.follow(0.0, 0, [])
    controller.run(watchdog, 101.0, True)
    controller.down.unlink()
    assert controller.run(watchdog, 104.0, True) == [NONE]
    assert controller.run(watchdog, 200.0, True) == [] and watchdog.said == "off"


def test_an_interrupt_of_the_last_second_is_set_with_the_countdown(tmp_path):
    controller, keeper = Controller(tmp_path), Keeper(str(tmp_path / "kept"))
    assert keeper.answer(b"watchdog x1 30.0\0" + b"3\0" + str(controller.program).encode()) == b"ok x1"
    assert controller.run(keeper.watchdog, 101.0, True) == ["raw 0x06 0x24 0x04 49 1 0x10 44 1", STROKE]


@pytest.mark.parametrize(("left_s", "busy", "wait_ms"), [(0.05, True, 51), (0.05, False, 51), (5.0, True, 101),
                                                         (5.0, False, 1001), (-0.02, True, 1), (-0.02, False, 1)])
def test_it_waits_until_the_deadline_and_no_longer_than_until_a_child_is_looked_at(kept, left_s, busy, wait_ms):
    keeper = Keeper(kept)
    keeper.lease.set(4096.0)
    keeper.watchdog._todo = ["stroke"] if busy else []
    assert _wait_ms(keeper, 4096.0 - left_s) in (wait_ms - 1, wait_ms)


def test_it_waits_for_a_request_alone_when_nothing_is_held_and_no_child_runs(kept):
    keeper = Keeper(kept)
    assert _wait_ms(keeper, 100.0) is None
    keeper.watchdog._todo = ["stop"]
    assert _wait_ms(keeper, 100.0) == 100


def test_the_time_that_starting_a_child_takes_is_not_waited_again(tmp_path, kept, monkeypatch):
    sock, keeper, waits = listen(str(tmp_path / "failfast")), Keeper(kept), []
    keeper.lease.set(100.0)
    monkeypatch.setattr(failfast, "_wait_ms", lambda keeper, instant: waits.append(instant) or 0)
    keeper.watchdog.step = lambda instant, held: waits.append(-instant)
    serve(sock, keeper, lambda how: None, Clock(99.0, 99.5, 100.0), once=True)
    assert waits == [-99.0, 99.5]
    sock.close()


def test_a_host_is_reset_in_time_while_the_controller_keeps_ipmitool_waiting(tmp_path, kept):
    sock, keeper, late_s = listen(str(tmp_path / "failfast")), Keeper(kept), []
    keeper.watchdog.follow(20.0, 0, ["sh", "-c", "exec sleep 5"])
    at = now() + 0.23
    keeper.lease.set(at)
    serve(sock, keeper, lambda how: late_s.append(now() - at), once=True)
    os.kill(keeper.watchdog._pid, 9)
    os.waitpid(keeper.watchdog._pid, 0)
    # It was late by what was left of 100 ms: 70 ms here. A busy machine gets some leeway.
    assert 0 <= late_s[0] < 0.05
    sock.close()


CLASS = """
import os, time
from sundog.daemon.failfast import Watchdog
try:
    os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
except OSError:
    pass
watchdog = Watchdog()
watchdog.follow(20.0, 0, ["sh", "-c", "exec sleep 5"])
watchdog.step(100.0, True)
print(os.sched_getscheduler(watchdog._pid))
os.kill(watchdog._pid, 9)
"""


def test_ipmitool_is_in_no_real_time_class():
    library = str(Path(failfast.__file__).parents[2])
    told = subprocess.run([sys.executable, "-c", CLASS], env={**os.environ, "PYTHONPATH": library}, text=True,
                          stdout=subprocess.PIPE, check=True)
    assert told.stdout.split() == [str(os.SCHED_OTHER)]
