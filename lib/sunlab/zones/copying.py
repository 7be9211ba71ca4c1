"""Cloning and moving a zone's files (clone_zfs, clone_copy, move_zfs of zoneadm's zfs.c)."""
from __future__ import annotations

import os
import sys

from sunlab.spawn import run
from sunlab.zones import root

ZFS = "/usr/sbin/zfs"


class CopyFailed(OSError):
    """The files could not be copied or cloned; the text is the command's."""


def must(*argv: str) -> None:
    status, said = run(list(argv))
    if status:
        raise CopyFailed(said.strip())


def clone_words(words: list[str]) -> tuple[str, str]:
    """The method ("" for the best one) and the source; no source: misuse."""
    method = ""
    rest = list(words)
    while rest and rest[0].startswith("-"):
        if rest[0] != "-m" or len(rest) < 2 or rest[1] != "copy":
            return "", ""
        method, rest = rest[1], rest[2:]
    return (method, rest[0]) if len(rest) == 1 else ("", "")


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def clone(source: str, zonepath: str, copy: bool) -> None:
    """A ZFS clone where the source is a dataset of its own, else a copy. Raises CopyFailed."""
    dataset = root.dataset_at(source)
    if dataset and not copy:
        number = 1
        while run([ZFS, "list", "-H", f"{dataset}@SUNWzone{number}"])[0] == 0:
            number += 1
        snapshot = f"{dataset}@SUNWzone{number}"
        say(f"Cloning snapshot {snapshot}")
        must(ZFS, "snapshot", snapshot)
        if os.path.isdir(zonepath):
            os.rmdir(zonepath)
        must(ZFS, "clone", snapshot, f"{dataset.rpartition('/')[0]}/{os.path.basename(zonepath)}")
        os.chmod(zonepath, 0o700)
        say("Instead of copying, a ZFS clone has been created for this zone.")
        return
    if root.make_dataset(zonepath):
        say("A ZFS file system has been created for this zone.")
    say(f"Copying {source}...")
    must("/usr/bin/cp", "-a", f"{source}/root", f"{zonepath}/root")


def move(old: str, new: str) -> None:
    """Raises CopyFailed."""
    dataset = root.dataset_at(old)
    if dataset:
        must(ZFS, "set", f"mountpoint={new}", dataset)
    elif os.stat(old).st_dev == os.stat(new).st_dev:
        os.rmdir(new)
        os.rename(old, new)
    else:
        say(f"Moving across file systems; copying zonepath {old}...")
        must("/usr/bin/cp", "-a", f"{old}/root", f"{new}/root")
        root.clean_up(old)
