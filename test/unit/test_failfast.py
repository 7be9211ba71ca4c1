"""Failfast: holds the last deadline it acknowledged, over its own restart, and never lets a passed one be moved."""
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sundog.daemon import failfast
from sundog.daemon.failfast import Deadline, answer, listen, serve


@pytest.fixture
def kept(tmp_path):
    return str(tmp_path / "deadline")


def test_arm_and_disarm_are_acknowledged_by_their_id(kept):
    deadline = Deadline(kept)
    assert answer(deadline, b"arm 7 1234.500000") == b"ok 7"
    assert deadline.at == 1234.5
    assert answer(deadline, b"disarm 8") == b"ok 8"
    assert deadline.at is None


@pytest.mark.parametrize("nonsense", [b"", b"arm", b"arm 1", b"arm 1 soon", b"arm 1 nan", b"arm 1 inf", b"arm 1 -5",
                                      b"disarm", b"disarm 1 2", b"\xff\xfe", b"arm 1 0"])
def test_nonsense_is_not_acknowledged_and_changes_nothing(kept, nonsense):
    deadline = Deadline(kept)
    deadline.set(99.0)
    assert answer(deadline, nonsense).startswith(b"bad")
    assert deadline.at == 99.0


def test_a_restarted_failfast_holds_the_deadline_again(kept):
    Deadline(kept).set(1234.5)
    assert Deadline(kept).at == 1234.5
    Deadline(kept).set(None)
    assert Deadline(kept).at is None


def test_a_record_cut_short_is_read_as_a_short_deadline(kept):
    Deadline(kept).set(time.monotonic() + 3600)
    with open(kept, "r+b") as file:
        file.write(b"\x41")
    assert Deadline(kept).at <= time.monotonic() + 1.0


class Clock:
    def __init__(self, *instants: float) -> None:
        self.instants = list(instants)

    def __call__(self) -> float:
        return self.instants.pop(0) if len(self.instants) > 1 else self.instants[0]


def test_a_host_that_wakes_after_its_deadline_is_reset_before_a_longer_one_is_read(tmp_path, kept):
    sock = listen(str(tmp_path / "failfast"))
    deadline = Deadline(kept)
    deadline.set(100.0)
    asker = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    asker.sendto(b"arm 2 900.000000", str(tmp_path / "failfast"))
    expired = []
    serve(sock, deadline, lambda: expired.append(deadline.at), Clock(99.9, 101.0), once=True)
    assert expired == [100.0]
    asker.close()
    sock.close()


def test_the_process_resets_the_host_when_its_deadline_passes_and_not_before(tmp_path):
    """The real program, with uadmin and the paths under a directory of the test."""
    called = tmp_path / "called"
    uadmin = tmp_path / "uadmin"
    uadmin.write_text(f"#!/bin/sh\necho $1 $2 > {called}\nkill $PPID\n")
    uadmin.chmod(0o755)
    start = (f"from sundog.daemon import failfast as f\nf.UADMIN={str(uadmin)!r}\n"
             f"f.listen.__defaults__=({str(tmp_path / 'failfast')!r},)\n"
             f"f.Deadline.__init__.__defaults__=({str(tmp_path / 'kept')!r},)\nf.main()\n")
    library = str(Path(failfast.__file__).parents[2])
    process = subprocess.Popen([sys.executable, "-S", "-c", start], env={"PYTHONPATH": library}, stderr=subprocess.PIPE)
    try:
        asker = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        asker.bind(str(tmp_path / "asker"))
        asker.settimeout(5)
        until = time.monotonic() + 5
        while not os.path.exists(tmp_path / "failfast") and time.monotonic() < until:
            os.sched_yield()
        at = time.monotonic() + 0.3
        asker.sendto(b"arm 1 %.6f" % at, str(tmp_path / "failfast"))
        assert asker.recv(100) == b"ok 1"
        process.wait(5)
        assert at <= time.monotonic() < at + 0.5
        assert called.read_text() == "1 1\n"
        asker.close()
    finally:
        process.kill()
        process.wait()
