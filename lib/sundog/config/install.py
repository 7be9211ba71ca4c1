"""Put a configuration and the files that it names on this host. Every file is whole at any time, old or new.

A crash between two of them leaves a mixture; its digest is neither the old nor the new one, so the cluster sees it.
"""
import os
from pathlib import PurePosixPath
from typing import Dict, Iterable, Mapping

from sundog.errors import ConfigProblem, SundogError

DIRECTORY = "/etc/sundog"
FILE = "cluster.yaml"
BESIDE = ".new"


def install(source: str, files: Mapping[str, str], directory: str = DIRECTORY) -> str:
    """Write the files and then cluster.yaml below `directory`, all or none. The path of cluster.yaml.

    Raises ConfigProblem for a name that leads out of the directory, SundogError.
    """
    texts: Dict[str, str] = {place(directory, name): text for name, text in files.items()}
    texts[os.path.join(directory, FILE)] = source
    try:
        for path, text in texts.items():
            os.makedirs(os.path.dirname(path), 0o755, exist_ok=True)
            write(beside(path), text.encode(), 0o644)
        for path in texts:
            put_in_place(path)
    except OSError as error:
        discard(texts)
        raise SundogError(f"{error.filename}: {error.strerror}", f"run it as root; is {directory} writable?") from error
    return os.path.join(directory, FILE)


def place(directory: str, name: str) -> str:
    """Where a file that a configuration names stands. Raises ConfigProblem."""
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or ".." in parts:
        raise ConfigProblem(f"file {name!r}: not a path inside {directory}", "name it relative to cluster.yaml")
    return os.path.join(directory, *parts)


def discard(paths: Iterable[str]) -> None:
    for path in paths:
        if os.path.isfile(beside(path)):
            os.unlink(beside(path))


def write_whole(path: str, text: bytes, mode: int = 0o644) -> None:
    """Replace a file so that after a crash it is either the old one or the new one."""
    write(beside(path), text, mode)
    put_in_place(path)


def beside(path: str) -> str:
    """Where the new text of a file is until it is whole: a place of this process alone, others may write the same."""
    return f"{path}.{os.getpid()}{BESIDE}"


def write(path: str, text: bytes, mode: int) -> None:
    """A file that is on the disk when this returns."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode), "wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def put_in_place(path: str) -> None:
    os.replace(beside(path), path)
    sync_directory(os.path.dirname(path))


def to_look_at(folder: str) -> str:
    """What shows why nothing can be written in a folder."""
    return f"look at 'df -h {folder}' and 'ls -ld {folder}'"


def sync_directory(path: str) -> None:
    fd = os.open(path or ".", os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
