"""/etc/vfstab (vfstab(5)): seven fields a line, - for none. Pure but for read()."""
from __future__ import annotations

FILE = "/etc/vfstab"
REMOTE = "/etc/dfs/fstypes"
LOCAL = "/etc/default/fs"


class Entry:
    """`raw`: the device to fsck; "" stands for a field that is -."""

    def __init__(self, special: str, raw: str, point: str, kind: str, fsck_pass: str, at_boot: str,
                 options: str) -> None:
        self.special, self.raw, self.point, self.kind = special, raw, point, kind
        self.fsck_pass, self.at_boot, self.options = fsck_pass, at_boot, options


def entries(text: str) -> tuple[list[Entry], list[tuple[str, str]]]:
    """Those of a vfstab; and of lines with too few or too many fields: their first field, and which it is."""
    found, wrong = [], []
    for line in text.splitlines():
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) != 7:
            wrong.append((words[0], "few" if len(words) < 7 else "many"))
            continue
        found.append(Entry(*("" if word == "-" else word for word in words)))
    return found, wrong


def match(found: list[Entry], special: str = "", point: str = "", kind: str = "", raw: str = "") -> Entry | None:
    """The first that agrees with all that is given (getvfsany(3C))."""
    return next((one for one in found if special in ("", one.special) and point in ("", one.point)
                 and kind in ("", one.kind) and raw in ("", one.raw)), None)


def read(path: str = FILE) -> tuple[list[Entry], list[tuple[str, str]]]:
    """Raises OSError."""
    with open(path, encoding="utf-8") as file:
        return entries(file.read())


def default_kind(special: str) -> str:
    """The type of what is in no vfstab: HOST:PATH is of the first remote type, else the local one (default_fs(5))."""
    if ":" in special:
        return (remote_kinds() or ["nfs"])[0]
    try:
        with open(LOCAL, encoding="utf-8") as file:
            return next((line.strip()[6:] for line in file if line.startswith("LOCAL=")), "ufs")
    except FileNotFoundError:
        return "ufs"


def remote_kinds() -> list[str]:
    """The types of remote file systems."""
    try:
        with open(REMOTE, encoding="utf-8") as file:
            return [line.split()[0] for line in file if line.strip()]
    except FileNotFoundError:
        return []
