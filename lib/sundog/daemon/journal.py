"""The journal: one JSON object a line, kept in two files of bounded size, followed by whoever watches."""
import errno
import json
import os
import time
from collections import deque
from datetime import datetime, timezone
from io import FileIO
from typing import Callable, Deque, Dict, List, Optional, Union

Entry = Dict[str, Union[str, float]]
Follower = Callable[[Entry], None]

LARGEST = 4 << 20
_RECENT = 1000


class Journal:
    """Appends to `path`; when it reaches `largest` bytes it becomes `path`.1 and a new one is begun.

    A journal that cannot be written must not stop a failover: what is missing in it is counted in `lost` and said on
    standard error, and every line tries it anew. Not buffered: what was refused is not written later, half a line at
    a time.
    """

    def __init__(self, path: str, say: Callable[[str], None], largest: int = LARGEST) -> None:
        self.path, self.say, self.largest = path, say, largest
        self.lost = 0
        self._followers: List[Follower] = []
        self._cut = False                               # the last line in the file has no end
        self._recent: Deque[Entry] = deque(self._read(), _RECENT)
        self._file: Optional[FileIO] = None
        self._stuck = False                             # it is too long, and that has been said
        try:
            self._open()
        except OSError as error:
            self.say(f"{path}: {error.strerror}")

    def _read(self) -> List[Entry]:
        entries: List[Entry] = []
        for path in (self.path + ".1", self.path):
            if os.path.exists(path):
                with open(path, encoding="utf-8", errors="replace") as file:
                    lines = deque(file, _RECENT)
                self._cut = bool(lines) and not lines[-1].endswith("\n")
                entries += [one for one in map(_entry, lines) if one is not None]
        return entries

    def add(self, code: str, severity: str, text: str, group: str = "", node: str = "") -> Entry:
        """Write one entry; `at` is this host's monotonic clock, `time` is UTC."""
        now = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        entry: Entry = {"time": now, "code": code, "severity": severity, "group": group, "node": node, "text": text,
                        "at": round(time.monotonic(), 6)}
        self._recent.append(entry)
        try:
            self._write(json.dumps(entry, separators=(",", ":")).encode() + b"\n")
        except OSError as error:
            self.lost += 1
            self.say(f"{self.path}: {error.strerror}; lost: {code} {text}")
        self._turn()
        for follower in list(self._followers):
            follower(entry)
        return entry

    def _open(self) -> FileIO:
        if self._file is None:
            self._file = open(self.path, "ab", buffering=0)     # noqa: SIM115 (open as long as the daemon runs)
        return self._file

    def _write(self, line: bytes) -> None:
        """Raises OSError."""
        file = self._open()
        whole = (b"\n" if self._cut else b"") + line
        written = file.write(whole)
        self._cut = self._cut and not written or 0 < written < len(whole)
        if written < len(whole):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _turn(self) -> None:
        """Begin a new file if this one is full; it grows on if that cannot be done."""
        try:
            if self._file is None or self._file.tell() < self.largest:
                return
            self._shut()
            try:
                os.replace(self.path, self.path + ".1")
            finally:
                self._open()
            self._stuck = False
        except OSError as error:
            if not self._stuck:
                self.say(f"{self.path}: no new one can be begun: {error.strerror}")
            self._stuck = True

    def last(self, lines: int) -> List[Entry]:
        return list(self._recent)[-lines:] if lines > 0 else []

    def follow(self, follower: Follower) -> Callable[[], None]:
        """Call `follower` with every new entry until the function that is returned is called."""
        self._followers.append(follower)
        return lambda: self._followers.remove(follower)

    def close(self) -> None:
        self._shut()

    def _shut(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            file.close()


def _entry(line: str) -> Optional[Entry]:
    try:
        entry = json.loads(line)
    except ValueError:
        # The last line before a power cut may be torn.
        return None
    return entry if isinstance(entry, dict) else None
