"""Put a configuration and the files that it names on this host. Every file is whole at any time, old or new.

A crash between two of them leaves a mixture; its digest is neither the old nor the new one, so the cluster sees it.
"""
import os
from pathlib import Path
from typing import Dict, Iterable

from sundog.config.model import Cluster
from sundog.errors import SundogError

DIRECTORY = "/etc/sundog"
FILE = "cluster.yaml"
BESIDE = ".new"


def install(cluster: Cluster, directory: str = DIRECTORY) -> str:
    """Write cluster.yaml and its files below `directory`; cluster.yaml last. Its path. Raises SundogError."""
    top = Path(directory)
    texts: Dict[str, str] = {**cluster.files, FILE: cluster.source}
    try:
        for name, text in texts.items():
            write(top / (name + BESIDE), text)
        for name in texts:
            os.replace(top / (name + BESIDE), top / name)
            sync_directory((top / name).parent)
    except OSError as error:
        discard(top, texts)
        raise SundogError(f"{error.filename}: {error.strerror}", f"run it as root; is {directory} writable?") from error
    return str(top / FILE)


def discard(top: Path, texts: Iterable[str]) -> None:
    for name in texts:
        if (top / (name + BESIDE)).is_file():
            os.unlink(top / (name + BESIDE))


def write(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def sync_directory(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
