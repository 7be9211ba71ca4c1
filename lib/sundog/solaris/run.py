"""Runs one of the host's commands to its end. Blocks; durations are seconds.

Commands are named by their absolute path and run in the C locale, so that what they print can be read. Made of
posix_spawn(3C) and poll(2): an SMF method must not pay for importing subprocess.
"""
import errno
import os
import select
import signal
import time
from typing import Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

from sundog.errors import SundogError
from sundog.solaris.urgency import for_children

ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin", "LC_ALL": "C"}
#: How often an end is looked for while somebody else (a daemon that the command left behind) holds the pipes open.
LOOK_EACH_S = 0.05


class Done(NamedTuple):
    """What came of a command. `rc` is its exit status, or minus the signal that ended it."""
    argv: Tuple[str, ...]
    rc: int
    out: str
    err: str
    timed_out: bool
    took_s: float

    @property
    def ok(self) -> bool:
        return self.rc == 0 and not self.timed_out

    @property
    def said(self) -> str:
        """All that it printed, as errors are looked for in it."""
        return f"{self.err}\n{self.out}".strip()

    @property
    def last_line(self) -> str:
        lines = (self.err.strip() or self.out.strip()).splitlines()
        return lines[-1].strip() if lines else ""


#: What adapters call: run(argv, timeout_s=…, input=…).
Run = Callable[..., Done]


class CommandFailed(SundogError):
    """A command of the host failed in a way that its adapter knows no better word for."""

    def __init__(self, done: Done, remedy: str = "") -> None:
        name = " ".join(done.argv)
        how = f"did not end within {done.took_s:.0f} s" if done.timed_out else f"failed with status {done.rc}"
        super().__init__(f"'{name}' {how}", remedy or f"run '{name}' by hand to see why", done.last_line or None)
        self.done = done


class CommandNotRun(SundogError):
    """The command cannot be started: the host has no process, memory or descriptor for it."""


class CommandMissing(CommandNotRun):
    """The host has not got the command, or not what runs it."""


def run(argv: Sequence[str], *, timeout_s: float, input: Optional[str] = None) -> Done:
    """Run `argv` and wait for it; past `timeout_s` it is killed with the processes of its group.

    Raises CommandNotRun. A command that fails is no error here: the adapter reads what it said.
    """
    began = time.monotonic()
    pipes: List[Tuple[int, int]] = []
    try:
        for _ in range(2 if input is None else 3):
            pipes.append(os.pipe())
        out, err, feed = pipes[0], pipes[1], pipes[2] if input is not None else None
        pid = spawn(argv, feed[0] if feed else None, out[1], err[1])
    except OSError as error:
        for pipe in pipes:
            os.close(pipe[0])
            os.close(pipe[1])
        raise _not_run(argv[0], error) from None
    for end in (out[1], err[1], *(feed[:1] if feed else ())):
        os.close(end)
    conversation = Conversation(pid, {out[0]: [], err[0]: []}, feed[1] if feed else None, (input or "").encode())
    timed_out = conversation.hold(began + timeout_s)
    texts = [b"".join(parts).decode("utf-8", "replace") for parts in conversation.heard.values()]
    return Done(tuple(argv), conversation.rc, texts[0], texts[1], timed_out, time.monotonic() - began)


def _not_run(command: str, error: OSError) -> CommandNotRun:
    what = f"{command} cannot be run: {error.strerror}"
    if error.errno in (errno.EAGAIN, errno.ENOMEM):
        return CommandNotRun(what, "prstat -s rss and swap -s tell what fills this host")
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return CommandNotRun(what, f"pfiles {os.getpid()} tells what it has open")
    # A script is missing, too, when its interpreter is.
    return CommandMissing(what, f"ls -l {command}; if it is a script: head -1 {command}")


def spawn(argv: Sequence[str], stdin: Optional[int], out: int, err: int) -> int:
    """Start `argv` in a process group of its own; its pid. Raises OSError."""
    first = (os.POSIX_SPAWN_DUP2, stdin, 0) if stdin is not None else \
        (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0)
    return os.posix_spawn(argv[0], list(argv), ENVIRONMENT, setpgroup=0, setsigdef=[signal.SIGPIPE], **for_children(),
                          file_actions=[first, (os.POSIX_SPAWN_DUP2, out, 1), (os.POSIX_SPAWN_DUP2, err, 2)])


class Conversation:
    """The pipes to a running command, until it has ended."""

    def __init__(self, pid: int, heard: Dict[int, List[bytes]], feed: Optional[int], text: bytes) -> None:
        self.pid, self.heard, self.feed, self.text = pid, heard, feed, text
        self.rc = 0
        self.ended = False
        self.open = set(heard)
        self.poll = select.poll()
        for end in heard:
            self.poll.register(end, select.POLLIN)
        if feed is not None:
            os.set_blocking(feed, False)
            self.poll.register(feed, select.POLLOUT)

    def hold(self, deadline: float) -> bool:
        """Read, write and wait until the command has ended; True if it had to be killed."""
        timed_out = False
        while self.open and not self.ended:
            left = deadline - time.monotonic()
            if left <= 0 and not timed_out:
                os.killpg(self.pid, signal.SIGKILL)
                timed_out = True
            pause = LOOK_EACH_S if timed_out else min(LOOK_EACH_S, left)
            if not self.exchange(pause):
                self.reap(os.WNOHANG)
        if not self.ended and not timed_out:
            timed_out = self.linger(deadline)
        if not self.ended:
            self.reap(0)
        while self.exchange(0):
            continue
        for end in (*self.open, *(() if self.feed is None else (self.feed,))):
            os.close(end)
        return timed_out

    def linger(self, deadline: float) -> bool:
        """Wait for a command that has closed its output, mostly because it is ending; True if it had to be killed."""
        pause = 0.001
        self.reap(os.WNOHANG)
        while not self.ended:
            if time.monotonic() >= deadline:
                os.killpg(self.pid, signal.SIGKILL)
                return True
            time.sleep(pause)
            pause = min(pause * 2, LOOK_EACH_S)
            self.reap(os.WNOHANG)
        return False

    def exchange(self, wait_s: float) -> bool:
        """Move what can be moved; False if nothing could within `wait_s`."""
        if not self.open:
            return False
        ready = self.poll.poll(max(wait_s, 0) * 1000)
        for end, _ in ready:
            if end == self.feed:
                self.write(end)
            else:
                self.read(end)
        return bool(ready)

    def read(self, end: int) -> None:
        text = os.read(end, 65536)
        self.heard[end].append(text)
        if not text:
            self.open.discard(end)
            self.poll.unregister(end)
            os.close(end)

    def write(self, end: int) -> None:
        try:
            self.text = self.text[os.write(end, self.text):]
        except BrokenPipeError:
            # It does not want to read more; what it makes of that is in its exit status.
            self.text = b""
        if not self.text:
            self.poll.unregister(end)
            os.close(end)
            self.feed = None

    def reap(self, options: int) -> None:
        pid, status = os.waitpid(self.pid, options)
        if pid:
            self.ended = True
            self.rc = os.waitstatus_to_exitcode(status)
