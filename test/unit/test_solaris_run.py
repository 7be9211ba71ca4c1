"""Commands run to their end, or to the end of their time."""
import errno
import os
import resource
import signal
import time
from pathlib import Path
from typing import Any, Iterator, List

import pytest

from sundog.solaris import run as module
from sundog.solaris import unended
from sundog.solaris.run import CommandFailed, CommandMissing, CommandNotRun, run


def test_what_a_command_prints_and_its_status_come_back() -> None:
    done = run(["/bin/sh", "-c", "echo out; echo err >&2; exit 3"], timeout_s=10)
    assert (done.rc, done.out, done.err, done.timed_out, done.ok) == (3, "out\n", "err\n", False, False)


def test_a_command_reads_nothing_of_ours_and_speaks_c() -> None:
    done = run(["/bin/sh", "-c", "cat; echo $LC_ALL"], timeout_s=10)
    assert done.out == "C\n"


def test_more_than_a_pipe_holds_goes_both_ways() -> None:
    text = "x" * 300_000
    assert run(["/bin/cat"], timeout_s=20, input=text).out == text


def test_a_command_that_does_not_read_its_input_is_no_error() -> None:
    assert run(["/bin/true"], timeout_s=10, input="x" * 300_000).rc == 0


def test_a_command_past_its_time_is_killed_with_its_children() -> None:
    done = run(["/bin/sh", "-c", "sleep 100 & echo $!; wait"], timeout_s=0.3)
    assert done.timed_out
    assert done.rc < 0
    assert done.took_s < 5
    with pytest.raises(ProcessLookupError):
        for _ in range(500):
            os.kill(int(done.out), 0)
            time.sleep(0.01)


def test_a_silent_command_past_its_time_is_killed() -> None:
    done = run(["/bin/sh", "-c", "exec >&- 2>&-; sleep 100"], timeout_s=0.2)
    assert done.timed_out
    assert done.rc < 0


def test_a_daemon_left_behind_does_not_keep_us_waiting() -> None:
    done = run(["/bin/sh", "-c", "sleep 3 & echo started"], timeout_s=60)
    assert done.out == "started\n"
    assert done.took_s < 2


def test_a_command_ended_by_a_signal_shows_it() -> None:
    assert run(["/bin/sh", "-c", "kill -9 $$"], timeout_s=10).rc == -9


def test_no_descriptor_is_left_open() -> None:
    before = len(os.listdir("/proc/self/fd"))
    run(["/bin/sh", "-c", "sleep 1 & echo started"], timeout_s=10)
    run(["/bin/cat"], timeout_s=10, input="x" * 100_000)
    run(["/bin/true"], timeout_s=10, input="x" * 300_000)
    with pytest.raises(CommandMissing):
        run(["/nonexistent/zpool"], timeout_s=10, input="x")
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_failed_command_is_told_by_its_last_line() -> None:
    done = run(["/bin/sh", "-c", "echo first >&2; echo last >&2; exit 1"], timeout_s=10)
    assert "failed with status 1 (it said: last)" in str(CommandFailed(done))


def test_a_command_without_its_interpreter_says_where_to_look(tmp_path: Path) -> None:
    (tmp_path / "fence_x").write_text("#!/nowhere/python\n")
    (tmp_path / "fence_x").chmod(0o755)
    with pytest.raises(CommandMissing, match=f"head -1 {tmp_path}/fence_x"):
        run([f"{tmp_path}/fence_x"], timeout_s=10)


def test_a_host_without_processes_or_descriptors_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> int:
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    def none_left() -> Any:
        if len(made) == 2:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        made.append(pipe())
        return made[-1]

    made: Any = []
    pipe, before = os.pipe, len(os.listdir("/proc/self/fd"))
    with monkeypatch.context() as patch:
        patch.setattr(os, "posix_spawn", full)
        with pytest.raises(CommandNotRun, match="/bin/true cannot be run: Resource temporarily unavailable; .*swap -s"):
            run(["/bin/true"], timeout_s=10)
    with monkeypatch.context() as patch:
        patch.setattr(os, "pipe", none_left)
        with pytest.raises(CommandNotRun, match="Too many open files; .*pfiles"):
            run(["/bin/true"], timeout_s=10, input="x")
    assert len(os.listdir("/proc/self/fd")) == before


# ---- what a signal does not end


@pytest.fixture
def unkillable(monkeypatch: pytest.MonkeyPatch) -> Iterator[List[int]]:
    """Commands stay when they are killed, as those that hang in the kernel do; the pids of their groups."""
    kept: List[int] = []
    real = os.killpg
    monkeypatch.setattr(os, "killpg", lambda pid, number: kept.append(pid))
    monkeypatch.setattr(module, "KILLED_WITHIN_S", 0.05)
    yield kept
    for pid in kept:
        try:
            real(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    until_ended(["/bin/sleep", "77"])


def until_ended(argv: List[str]) -> None:
    end = time.monotonic() + 10
    while unended.same(argv):
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_command_that_hangs_in_the_kernel_does_not_hold_who_ran_it(unkillable: List[int]) -> None:
    before = len(os.listdir("/proc/self/fd"))
    done = run(["/bin/sleep", "77"], timeout_s=0.2)
    assert (done.timed_out, done.ok, done.rc) == (True, False, -9)
    assert done.took_s < 3
    assert len(os.listdir("/proc/self/fd")) == before
    assert unended.same(["/bin/sleep", "77"]) == unended.about("77") == unkillable


def test_it_is_no_zombie_when_it_ends_after_all(unkillable: List[int]) -> None:
    run(["/bin/sleep", "77"], timeout_s=0.1)
    os.kill(unkillable[0], signal.SIGKILL)
    until_ended(["/bin/sleep", "77"])
    with pytest.raises(ChildProcessError):
        os.waitpid(unkillable[0], 0)


def test_what_hangs_is_not_started_without_end(unkillable: List[int]) -> None:
    for _ in range(module.MOST_UNENDED):
        run(["/bin/sleep", "77"], timeout_s=0.02)
    with pytest.raises(CommandNotRun, match="'/bin/sleep 77' is not started again: 4 .*ps -fp"):
        run(["/bin/sleep", "77"], timeout_s=0.02)
    assert run(["/bin/sleep", "0"], timeout_s=10).ok
    os.kill(unkillable[0], signal.SIGKILL)
    end = time.monotonic() + 10
    while len(unended.same(["/bin/sleep", "77"])) == module.MOST_UNENDED:
        assert time.monotonic() < end
    assert run(["/bin/sleep", "77"], timeout_s=0.02).timed_out


def test_a_command_that_has_ended_when_it_is_killed_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.killpg

    def late(pid: int, number: int) -> None:
        real(pid, number)
        raise ProcessLookupError(3, "No such process")
    monkeypatch.setattr(os, "killpg", late)
    assert run(["/bin/sleep", "77"], timeout_s=0.1).timed_out
    assert run(["/bin/sh", "-c", "exec >&- 2>&-; sleep 100"], timeout_s=0.1).timed_out


def test_a_process_without_descriptors_says_so_and_loses_none() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    before = len(os.listdir("/proc/self/fd"))
    free = os.dup(0)
    os.close(free)
    for spare in (0, 3):
        resource.setrlimit(resource.RLIMIT_NOFILE, (free + spare, hard))
        try:
            with pytest.raises(CommandNotRun, match="/bin/true cannot be run: Too many open files; pfiles"):
                run(["/bin/true"], timeout_s=10)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert len(os.listdir("/proc/self/fd")) == before
