"""A zone's root: what `install` lays down at ZONEPATH/root.

The system's programs are the node's own /usr, read-only, as in a sparse zone; /etc, /var and the rest are the zone's
and stay on its file system.
"""
from __future__ import annotations

import os

OWN = ("etc/svc", "var/svc/log", "var/svc/manifest/site", "var/log", "root", "opt", "home", "export", "mnt")
MOUNTED = ("usr", "proc", "dev", "run", "tmp", "system/contract")
LINKS = ("bin", "sbin", "lib", "lib64")
FROM_NODE = ("passwd", "group", "nsswitch.conf", "ld.so.cache", "localtime", "hosts", "sunlab-platform", "hostid",
             "alternatives")


def lay_down(zonepath: str, zone: str) -> None:
    """A fresh root. Raises OSError when the zonepath's parent is not there or something is in the way."""
    import shutil  # not at the top: attach needs `present` only, and soon
    if not os.path.isdir(zonepath):
        os.mkdir(zonepath)
    os.chmod(zonepath, 0o700)
    root = f"{zonepath}/root"
    os.mkdir(root, 0o755)
    for folder in OWN + MOUNTED:
        os.makedirs(f"{root}/{folder}")
    os.symlink("/run", f"{root}/var/run")
    for name in LINKS:
        if os.path.islink(f"/{name}"):
            os.symlink(os.readlink(f"/{name}"), f"{root}/{name}")
    for name in FROM_NODE:
        if os.path.isdir(f"/etc/{name}"):
            shutil.copytree(f"/etc/{name}", f"{root}/etc/{name}", symlinks=True)
        elif os.path.exists(f"/etc/{name}"):
            shutil.copy(f"/etc/{name}", f"{root}/etc/{name}")
    with open(f"{root}/etc/nodename", "w") as file:
        file.write(f"{zone}\n")


def present(zonepath: str) -> bool:
    return os.path.isdir(f"{zonepath}/root/etc")
