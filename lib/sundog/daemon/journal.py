"""The journal: one JSON object a line, kept in two files of bounded size, followed by whoever watches."""
import json
import os
import time
from collections import deque
from datetime import datetime, timezone
from typing import Callable, Deque, Dict, List, Optional, Union

Entry = Dict[str, Union[str, float]]
Follower = Callable[[Entry], None]

LARGEST = 4 << 20
_RECENT = 1000


class Journal:
    """Appends to `path`; when it reaches `largest` bytes it becomes `path`.1 and a new one is begun.

    A journal that cannot be written must not stop a failover: it is counted in `lost` and said on standard error.
    """

    def __init__(self, path: str, say: Callable[[str], None], largest: int = LARGEST) -> None:
        self.path, self.say, self.largest = path, say, largest
        self.lost = 0
        self._followers: List[Follower] = []
        self._recent: Deque[Entry] = deque(self._read(), _RECENT)
        self._file = open(path, "a", encoding="utf-8", buffering=1)    # noqa: SIM115 (open as long as the daemon runs)

    def _read(self) -> List[Entry]:
        entries: List[Entry] = []
        for path in (self.path + ".1", self.path):
            if os.path.exists(path):
                with open(path, encoding="utf-8", errors="replace") as file:
                    entries += [one for one in map(_entry, deque(file, _RECENT)) if one is not None]
        return entries

    def add(self, code: str, severity: str, text: str, group: str = "", node: str = "") -> Entry:
        """Write one entry; `at` is this host's monotonic clock, `time` is UTC."""
        now = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        entry: Entry = {"time": now, "code": code, "severity": severity, "group": group, "node": node, "text": text,
                        "at": round(time.monotonic(), 6)}
        self._recent.append(entry)
        try:
            self._file.write(json.dumps(entry, separators=(",", ":")) + "\n")
            if self._file.tell() >= self.largest:
                self._turn()
        except OSError as error:
            self.lost += 1
            self.say(f"{self.path}: {error.strerror}; lost: {code} {text}")
        for follower in list(self._followers):
            follower(entry)
        return entry

    def _turn(self) -> None:
        self._file.close()
        os.replace(self.path, self.path + ".1")
        self._file = open(self.path, "a", encoding="utf-8", buffering=1)    # noqa: SIM115 (as above)

    def last(self, lines: int) -> List[Entry]:
        return list(self._recent)[-lines:] if lines > 0 else []

    def follow(self, follower: Follower) -> Callable[[], None]:
        """Call `follower` with every new entry until the function that is returned is called."""
        self._followers.append(follower)
        return lambda: self._followers.remove(follower)

    def close(self) -> None:
        self._file.close()


def _entry(line: str) -> Optional[Entry]:
    try:
        entry = json.loads(line)
    except ValueError:
        # The last line before a power cut may be torn.
        return None
    return entry if isinstance(entry, dict) else None
