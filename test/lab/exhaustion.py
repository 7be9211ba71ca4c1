"""A lab host whose process table is full, or whose memory has run out: by limits of the kernel (cgroups, version 1)."""
import os
import time
from pathlib import Path
from typing import Iterable, List, Optional

import pytest

from sunlab.lab import Lab

_LEAVES_WITHIN_S = 10.0                # a process that ends, with all processors busy


def hierarchy(controller: str) -> Path:
    """Where a controller of version 1 is mounted; the test is skipped where there is none."""
    for line in Path("/proc/mounts").read_text().splitlines():
        _, where, kind, options = line.split(" ")[:4]
        if kind == "cgroup" and controller in options.split(","):
            return Path(where)
    pytest.skip(f"this machine has no {controller} controller of cgroups version 1")


def processes(lab: Lab, node: str) -> List[int]:
    """Pids on this machine of everything in the node."""
    return [int(pid) for folder, _, _ in os.walk(lab.places.cgroup(node))
            for pid in Path(folder, "cgroup.procs").read_text().split()]


def command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


class Limited:
    """As long as this is entered, `node`'s processes (but those in `free`) are under a limit; new ones inherit it."""

    def __init__(self, lab: Lab, node: str, controller: str, free: Iterable[int] = ()) -> None:
        self.top = hierarchy(controller)
        self.group = self.top / f"sunlabtest{os.getpid()}"
        self.lab, self.node, self.free = lab, node, set(free)

    def __enter__(self) -> "Limited":
        self.group.mkdir()
        for pid in processes(self.lab, self.node):
            if pid not in self.free:
                self._move(pid, self.group)
        return self

    def set(self, name: str, value: str) -> None:
        (self.group / name).write_text(value)

    def __exit__(self, *_: object) -> None:
        deadline = time.monotonic() + _LEAVES_WITHIN_S
        while True:
            # Again: one that was not moved yet may have begun another, and one may be on its way out of the kernel.
            for pid in (self.group / "cgroup.procs").read_text().split():
                self._move(int(pid), self.top)
            try:
                self.group.rmdir()
                return
            except OSError:
                if time.monotonic() > deadline:
                    raise
                os.sched_yield()

    @staticmethod
    def _move(pid: int, group: Path) -> None:
        try:
            (group / "cgroup.procs").write_text(str(pid))
        except ProcessLookupError:
            pass


def child_of(pid: int, pids: Iterable[int]) -> Optional[int]:
    """The one of `pids` whose parent is `pid`."""
    for one in pids:
        try:
            stat = Path(f"/proc/{one}/stat").read_text()
        except OSError:
            continue
        if int(stat.rpartition(")")[2].split()[1]) == pid:
            return one
    return None
