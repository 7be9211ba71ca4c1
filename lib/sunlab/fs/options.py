"""Options of mount(8): a comma-separated list, in which later ones win over earlier ones of their pair. Pure."""
from __future__ import annotations

from sunlab import linux

#: Of every type (mount(8), fslib.c).
GENERIC = ("ro", "rw", "suid", "nosuid", "setuid", "nosetuid", "devices", "nodevices", "nbmand", "nonbmand", "exec",
           "noexec", "remount", "m", "f")
FLAGS = {"ro": linux.MS_RDONLY, "nosuid": linux.MS_NOSUID | linux.MS_NODEV, "nosetuid": linux.MS_NOSUID,
         "nodevices": linux.MS_NODEV, "noexec": linux.MS_NOEXEC, "noatime": linux.MS_NOATIME,
         "remount": linux.MS_REMOUNT}
SHOWN = {"ro": "", "rw": "", "suid": "", "nosuid": "", "setuid": "", "nosetuid": "", "devices": "", "nodevices": ""}


def number(word: str) -> int:
    """N of NAME=N. Raises ValueError."""
    value = word.partition("=")[2]
    if not value.isdigit():
        raise ValueError(word)
    return int(value)


def split(text: str) -> list[str]:
    return [word for word in text.split(",") if word]


def flags(words: list[str]) -> int:
    """Those of mount(2)."""
    found = 0
    for word in words:
        found |= FLAGS.get(word, 0)
    return found & ~linux.MS_RDONLY if words and last_of(words, "ro", "rw") == "rw" else found


def last_of(words: list[str], *pair: str) -> str:
    """The one of the pair that was said last; "" when none was."""
    return next((word for word in reversed(words) if word in pair), "")


def told(options: str, columns: bool) -> str:
    """As mount(8) shows options: read/write/setuid/devices/… `columns`: for mount -v, which hyphenates read-only."""
    words = split(options)
    known = [word for word in words if word in SHOWN]
    rest = [word for word in words if word not in SHOWN]
    only = "read-only" if columns else "read only"
    parts = [only if last_of(known, "ro", "rw") == "ro" else "read/write"]
    if last_of(known, "suid", "nosuid") == "nosuid":
        parts.append("nosetuid/nodevices")
    else:
        parts.append("nosetuid" if last_of(known, "setuid", "nosetuid") == "nosetuid" else "setuid")
        parts.append("nodevices" if last_of(known, "devices", "nodevices") == "nodevices" else "devices")
    return "/".join([*parts, *rest])


def without_device(options: str) -> str:
    """As `mount -p` has them."""
    return ",".join(word for word in split(options) if not word.startswith("dev="))
