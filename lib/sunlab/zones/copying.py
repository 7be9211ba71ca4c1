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


def clone_words(words: list[str]) -> tuple[str, str, str]:
    """The method ("" for the best one), the snapshot to clone ("": a new one) and the source; no source: misuse."""
    method = snapshot = ""
    rest = list(words)
    while rest and rest[0].startswith("-"):
        if len(rest) < 2 or rest[0] not in ("-m", "-s") or rest[0] == "-m" and rest[1] != "copy":
            return "", "", ""
        method, snapshot = (rest[1], snapshot) if rest[0] == "-m" else (method, rest[1])
        rest = rest[2:]
    return (method, snapshot, rest[0]) if len(rest) == 1 and not (method and snapshot) else ("", "", "")


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def snapshot_of(dataset: str) -> str:
    """Take the next one that is a zone's. Raises CopyFailed."""
    number = 1
    while run([ZFS, "list", "-H", f"{dataset}@SUNWzone{number}"])[0] == 0:
        number += 1
    must(ZFS, "snapshot", f"{dataset}@SUNWzone{number}")
    return f"{dataset}@SUNWzone{number}"


def clone(source: str, zonepath: str, copy: bool, snapshot: str = "") -> None:
    """A ZFS clone where the source is a dataset of its own, else a copy. Raises CopyFailed."""
    dataset = root.dataset_at(source)
    if snapshot:
        must(ZFS, "list", "-H", "-t", "snapshot", snapshot)
    if snapshot or dataset and not copy:
        snapshot = snapshot or snapshot_of(dataset)
        dataset = snapshot.partition("@")[0]
        say(f"Cloning snapshot {snapshot}")
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
