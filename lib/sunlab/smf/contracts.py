"""Process contracts (contract(5), process(5)) as cgroup v2 directories: one directory a contract, named by its number.

The kernel tells through cgroup.events when a contract is empty. A zombie's /proc/PID/cgroup still names its contract.
Not modelled: a member killed from outside that its own parent reaps (only svc.startd's orphans are seen to die).
"""
import ctypes
import errno
import os
import signal
import struct
from typing import Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence

CLONE3 = 435
CLONE_INTO_CGROUP = 0x200000000
CORE_SIGNALS = (signal.SIGQUIT, signal.SIGILL, signal.SIGTRAP, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE,
                signal.SIGSEGV, signal.SIGSYS, signal.SIGXCPU, signal.SIGXFSZ)
ERR_CONFIG = 96
CONFIGURATION = (errno.EINVAL, errno.EPERM, errno.ENOENT, errno.ENAMETOOLONG, errno.ERANGE, errno.ESRCH)
_libc = ctypes.PyDLL(None, use_errno=True)


class ContractUnavailable(Exception):
    """The contract file system or the kernel call that puts a new process into a contract is not there."""


class Contracts:
    """The contracts below `root`, a cgroup v2 directory that is ours alone."""

    def __init__(self, root: str) -> None:
        self.root = root
        if not os.path.exists(os.path.join(root, "cgroup.procs")):
            raise ContractUnavailable(f"{root} is not a cgroup v2 directory: bind one there before svc.startd starts")
        self.events: Dict[int, int] = {}        # contract -> file descriptor of its cgroup.events
        self.last = max([int(n) for n in os.listdir(root) if n.isdigit()], default=0)

    def path(self, contract: int, name: str = "") -> str:
        return f"{self.root}/{contract}/{name}"

    def create(self) -> int:
        """A new, empty contract. Its `events` descriptor becomes readable for POLLPRI when it has become empty."""
        self.last += 1
        os.mkdir(self.path(self.last))
        self.events[self.last] = os.open(self.path(self.last, "cgroup.events"), os.O_RDONLY)
        self.populated(self.last)
        return self.last

    def populated(self, contract: int) -> bool:
        """Has it any live process? Reading also arms the next notice."""
        descriptor = self.events.get(contract)
        return descriptor is not None and b"populated 1" in os.pread(descriptor, 256, 0)

    def members(self, contract: int) -> List[int]:
        try:
            with open(self.path(contract, "cgroup.procs"), encoding="ascii") as file:
                return [int(line) for line in file]
        except (FileNotFoundError, OSError):
            return []

    def signal(self, contract: int, number: int) -> None:
        """Send a signal to every member."""
        if number == signal.SIGKILL and os.path.exists(self.path(contract)):
            with open(self.path(contract, "cgroup.kill"), "w", encoding="ascii") as file:
                file.write("1")
            return
        for pid in self.members(contract):
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass                            # it went by itself meanwhile

    def remove(self, contract: int) -> bool:
        """Forget an empty contract; False while the kernel still counts somebody in it."""
        try:
            os.rmdir(self.path(contract))
        except FileNotFoundError:
            pass
        except OSError:
            return False
        descriptor = self.events.pop(contract, None)
        if descriptor is not None:
            os.close(descriptor)
        return True

    def of(self, pid: int) -> Optional[int]:
        """The contract that a process (or zombie) of ours is in."""
        try:
            with open(f"/proc/{pid}/cgroup", encoding="ascii") as file:
                for line in file:
                    if line.startswith("0::"):
                        name = line.rstrip().rsplit("/", 1)[-1]
                        return int(name) if name.isdigit() and int(name) in self.events else None
        except (FileNotFoundError, ProcessLookupError):
            pass
        return None


class Program(NamedTuple):
    """What to run: `prepare` is called in the child, before exec."""
    argv: Sequence[str]
    environment: Mapping[str, str]
    prepare: Callable[[], None]


def spawn(folder: str, program: Program) -> int:
    """Start a process inside the contract `folder` from its first instruction; returns its pid.

    clone3(2) with CLONE_INTO_CGROUP: moving a process later costs a grace period of the kernel, up to 20 ms.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        arguments = struct.pack("=11Q", CLONE_INTO_CGROUP, 0, 0, 0, signal.SIGCHLD, 0, 0, 0, 0, 0, descriptor)
        pid = _libc.syscall(CLONE3, arguments, len(arguments))
        if pid == 0:
            _become(program)
        if pid < 0:
            raise OSError(ctypes.get_errno(), f"clone3 into {folder}: {os.strerror(ctypes.get_errno())}")
        return int(pid)
    finally:
        os.close(descriptor)


def _become(program: Program) -> None:
    """The child: never returns. A program that cannot be run is exit status 10, a context that cannot be set up
    is 96 or, where that may change by itself, 1 (exec_method in method.c).
    """
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGPIPE, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        os.setsid()
        try:
            program.prepare()
        except OSError as failed:
            what = f"chdir: {failed.filename}" if failed.filename else "ids"
            os.write(2, f"svc.startd could not set context for method: {what}: {failed.strerror}\n".encode())
            os._exit(ERR_CONFIG if failed.errno in CONFIGURATION else 1)
        os.execve(program.argv[0], list(program.argv), dict(program.environment))
    except OSError as failed:
        os.write(2, f"svc.startd: {program.argv[0]}: {failed.strerror}\n".encode())
    finally:
        os._exit(10)
