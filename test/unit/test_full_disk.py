"""A full disk below /var: what guards and moves groups goes on, whether or not it can say anything."""
import errno
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sundog.daemon import failfast, journal
from sundog.daemon.failfast import Deadline, now
from sundog.daemon.journal import Journal

LIBRARY = str(Path(failfast.__file__).parents[2])
SAYING = ["from sundog.daemon.main import say", "from sundog.daemon.witness_main import say",
          "from sundog.method import say", "from sundog.daemon.failfast import complain as say"]


def on_a_full_log(program: str) -> "subprocess.Popen[bytes]":
    """A Python whose standard error is a file on a full disk, as SMF's log may be."""
    with open("/dev/full", "wb") as full:
        return subprocess.Popen([sys.executable, "-c", program], stderr=full,
                                env={**os.environ, "PYTHONPATH": LIBRARY})


@pytest.mark.parametrize("imported", SAYING)
def test_who_cannot_write_to_the_log_goes_on_and_ends_with_its_own_status(imported):
    with on_a_full_log(f"{imported}\nsay('x' * 9000)\nsay('y')\nraise SystemExit(96)") as process:
        assert process.wait(30) == 96


@pytest.mark.parametrize("imported", SAYING)
def test_what_is_said_is_a_line_on_standard_error(imported):
    done = subprocess.run([sys.executable, "-c", f"{imported}\nsay('disk \\xe9 \\udcff')"], stderr=subprocess.PIPE,
                          env={**os.environ, "PYTHONPATH": LIBRARY}, check=True)
    assert done.stderr.startswith(b"sundog") and b": disk \xc3\xa9 " in done.stderr and done.stderr.endswith(b"\n")


def test_a_failfast_that_cannot_complain_holds_its_deadline_all_the_same(tmp_path):
    called, uadmin = tmp_path / "called", tmp_path / "uadmin"
    uadmin.write_text(f"#!/bin/sh\necho $1 $2 > {called}\nkill -9 $PPID\n")
    uadmin.chmod(0o755)
    Deadline(str(tmp_path / "kept")).set(now() + 0.5)
    with on_a_full_log(f"from sundog.daemon import failfast as f, failfast_main\nf.UADMIN={str(uadmin)!r}\n"
                       f"f.listen.__defaults__=({str(tmp_path / 'failfast')!r},)\n"
                       f"f.Keeper.__init__.__defaults__=({str(tmp_path / 'kept')!r},)\n"
                       "f.complain('a warning')\nfailfast_main.hold()\n") as process:
        process.wait(30)
    until = time.monotonic() + 5
    while not called.exists() and time.monotonic() < until:
        time.sleep(0.01)
    assert called.read_text() == "1 1\n"


class Kept:
    """A journal of small files, and what is said of it."""

    def __init__(self, place: Path) -> None:
        self.path, self.said = place / "journal", []
        self.journal = Journal(str(self.path), self.said.append, largest=600)

    def add(self, text: str) -> None:
        self.journal.add("C", "notice", text)

    def texts(self) -> "list[str]":
        return [json.loads(line)["text"][:3] for path in (self.path.with_name("journal.1"), self.path)
                if path.exists() for line in path.read_text().splitlines()]


@pytest.fixture
def kept(tmp_path):
    kept = Kept(tmp_path)
    yield kept
    kept.journal.close()


def refuse(*_args, **_more):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_journal_that_cannot_be_turned_grows_on_and_says_so_once(kept, monkeypatch):
    with monkeypatch.context() as full:
        full.setattr(journal.os, "replace", refuse)
        for number in range(12):
            kept.add(f"{number:03}" + "t" * 100)
    assert kept.texts() == [f"{number:03}" for number in range(12)]
    assert kept.journal.lost == 0 and len(kept.said) == 1 and "No space left" in kept.said[0]
    kept.add("012")
    assert kept.path.with_name("journal.1").exists() and kept.path.stat().st_size == 0
    assert kept.texts()[-1] == "012"


def test_a_journal_that_cannot_be_opened_anew_is_tried_again_at_the_next_line(kept, monkeypatch):
    for number in range(2):
        kept.add(f"{number:03}" + "t" * 100)
    with monkeypatch.context() as full:
        full.setattr(journal, "open", refuse, raising=False)
        kept.add("002" + "t" * 100)
        kept.add("003")
    assert kept.journal.lost == 1 and any("lost: C 003" in text for text in kept.said)
    kept.add("004")
    assert kept.texts() == ["000", "001", "002", "004"]


def test_a_daemon_begins_without_a_journal_that_cannot_be_opened(tmp_path, monkeypatch):
    with monkeypatch.context() as full:
        full.setattr(journal, "open", refuse, raising=False)
        kept = Kept(tmp_path)
        kept.add("001")
    kept.add("002")
    assert kept.texts() == ["002"] and kept.journal.lost == 1 and [entry["text"] for entry in kept.journal.last(2)] == [
        "001", "002"]
    kept.journal.close()


def test_a_line_that_was_cut_short_costs_no_other_line(tmp_path, monkeypatch):
    kept = Kept(tmp_path)
    kept.add("001")
    kept.journal._file.close()
    kept.journal._file = Half(kept.path)
    kept.add("002")
    kept.journal._file.room = 1 << 20
    kept.add("003")
    assert kept.journal.lost == 1 and "lost: C 002" in kept.said[0]
    kept.journal.close()
    again = Journal(str(kept.path), kept.said.append)
    assert [entry["text"] for entry in again.last(5)] == ["001", "003"]
    again.close()


class Half:
    """An open file on a disk that has room for 20 bytes more."""

    def __init__(self, path: Path) -> None:
        self.file, self.room = open(path, "ab", buffering=0), 20     # noqa: SIM115 (closed by the journal)

    def write(self, raw: bytes) -> int:
        return self.file.write(raw[:self.room])

    def tell(self) -> int:
        return self.file.tell()

    def close(self) -> None:
        self.file.close()
