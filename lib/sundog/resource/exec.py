"""exec: commands that start and stop something. What they leave running is in the SMF contract of the instance.

svc.startd starts it again at once when its last process ends. A start command must come back: end it with '&' if it is
a server that stays in the foreground. Commands are run by /sbin/sh with the output going to the instance's log.
"""
import os
import signal
import time
from typing import List, NamedTuple, Optional

from sundog.config.fields import Command, Duration, Field, strangers
from sundog.errors import ConfigProblem, SundogError
from sundog.resource.terms import Condition, Permit, Problem, State
from sundog.solaris.host import Host
from sundog.solaris.urgency import calm, for_children

SHELL = "/sbin/sh"
PATIENCE_S = 60.0
LONGEST_S = 540.0                       # the methods' own time is 600 s


class CommandStatus(SundogError):
    """The command came back with a failure, or not in time."""


class Patience(Duration):
    """How long a command may take."""
    kind = "how long a command may take"
    example = "30s or 5m, at most 9m"

    @classmethod
    def objection(cls, text: str) -> str:
        wrong = super().objection(text)
        return wrong or ("it is longer than 9m" if Duration(text).seconds > LONGEST_S else "")


class User(Field):
    """A user of the host."""
    kind = "the name of a user"
    example = "postgres"

    @classmethod
    def objection(cls, text: str) -> str:
        return "it is empty" if not text else strangers(text, "-_.")


class Params(NamedTuple):
    start: Command
    stop: Optional[Command] = None
    probe: Optional[Command] = None
    timeout: Optional[Patience] = None
    user: Optional[User] = None


def start(host: Host, p: Params, permit: Permit) -> None:
    """Run the start command. Raises CommandStatus, ConfigProblem. Not idempotent of itself: SMF calls it only when the
    contract is empty."""
    carry_out("start", p.start, p)


def stop(host: Host, p: Params) -> None:
    """Run the stop command. Without one SMF itself ends the contract's processes, and there is nothing to do here."""
    if p.stop is not None:
        carry_out("stop", p.stop, p)


def probe(host: Host, p: Params) -> State:
    """What the probe command says: 0 is online, anything else offline. Without one only SMF knows."""
    if p.probe is None:
        return State(Condition.UNKNOWN, "no probe command")
    try:
        carry_out("probe", p.probe, p)
    except CommandStatus as failed:
        return State(Condition.OFFLINE, failed.what)
    return State(Condition.ONLINE)


def preflight(host: Host, p: Params) -> List[Problem]:
    """Is the user there? (The commands may be on the group's own pool.)"""
    try:
        account(p.user)
    except ConfigProblem as wrong:
        return [Problem(wrong.what, wrong.remedy)]
    return []


def carry_out(what: str, command: Command, p: Params) -> None:
    """Run `command` in a process group of its own and wait for it, at most p.timeout."""
    limit_s = p.timeout.seconds if p.timeout is not None else PATIENCE_S
    pid = launch(command, p.user)
    status = wait(pid, limit_s)
    if status is None:
        os.killpg(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        raise CommandStatus(f"{what} command '{command}' did not come back within {limit_s:g} s",
                            "end it with '&' if it is a server that stays in the foreground, or raise timeout")
    if status:
        how = f"was ended by signal {-status}" if status < 0 else f"failed with status {status}"
        raise CommandStatus(f"{what} command '{command}' {how}",
                            "its own messages stand above in the log of this instance: svcs -L")


def launch(command: str, user: Optional[str]) -> int:
    """The pid of a shell that runs `command`, as `user` if one is named. Raises ConfigProblem."""
    words = [SHELL, "-c", command]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    entry = account(user)
    if entry is None:
        return os.posix_spawn(SHELL, words, environment, setpgroup=0, setsigdef=[signal.SIGPIPE], **for_children())
    import subprocess
    environment.update(HOME=entry.pw_dir, LOGNAME=entry.pw_name, USER=entry.pw_name)
    process = subprocess.Popen(words, env=environment, user=entry.pw_uid, group=entry.pw_gid, start_new_session=True,
                               extra_groups=os.getgrouplist(entry.pw_name, entry.pw_gid),
                               cwd=entry.pw_dir if os.path.isdir(entry.pw_dir) else "/")
    calm(process.pid)
    process.returncode = 0              # wait() below reaps it, not subprocess
    return process.pid


def account(user: Optional[str]):       # type: ignore[no-untyped-def]
    """The user's entry in the host's accounts; None for no user. Raises ConfigProblem."""
    if user is None:
        return None
    import pwd
    try:
        return pwd.getpwnam(user)
    except KeyError:
        raise ConfigProblem(f"there is no user {user} on this host", f"useradd {user}, or correct the name") from None


def wait(pid: int, limit_s: float) -> Optional[int]:
    """The exit status, or minus the signal; None if it has not ended in time."""
    deadline, pause_s = time.monotonic() + limit_s, 0.001
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() >= deadline:
            return None
        time.sleep(pause_s)
        pause_s = min(pause_s * 2, 0.02)
