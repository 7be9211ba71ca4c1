"""A zone's root: what `install` lays down at ZONEPATH/root, and what is mounted over it for a boot.

The system's programs are the node's own /usr, read-only, as in a sparse zone; /etc, /var and the rest are the zone's and
stay on its file system.
"""
import os
import shutil
from typing import List

from sunlab import linux
from sunlab.linux import MS_BIND, MS_PRIVATE, MS_RDONLY, MS_REC, MS_REMOUNT

OWN = ("etc/svc", "var/svc/log", "var/svc/manifest/site", "var/log", "root", "opt", "home", "export", "mnt")
MOUNTED = ("usr", "proc", "dev", "run", "tmp", "system/contract")
LINKS = ("bin", "sbin", "lib", "lib64")
FROM_NODE = ("passwd", "group", "nsswitch.conf", "ld.so.cache", "localtime", "hosts", "sunlab-platform", "hostid",
             "alternatives")


def lay_down(zonepath: str, zone: str) -> None:
    """A fresh root. Raises OSError when the zonepath's parent is not there or something is in the way."""
    os.makedirs(zonepath, 0o700, exist_ok=True)
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


def enter(zonepath: str, contracts: str, zone: str, filesystems: List[List[str]]) -> None:
    """In the zone's own mount namespace: compose the root and make it /. `filesystems`: [directory, special] pairs."""
    root = f"{zonepath}/root"
    linux.mount("none", "/", flags=MS_REC | MS_PRIVATE)
    linux.mount(root, root, flags=MS_BIND)
    linux.mount("/usr", f"{root}/usr", flags=MS_BIND)
    linux.mount("none", f"{root}/usr", flags=MS_BIND | MS_REMOUNT | MS_RDONLY)
    linux.mount("/dev", f"{root}/dev", flags=MS_BIND | MS_REC)
    linux.mount("proc", f"{root}/proc", "proc")
    linux.mount("tmpfs", f"{root}/run", "tmpfs")
    linux.mount("tmpfs", f"{root}/tmp", "tmpfs")
    linux.mount(contracts, f"{root}/system/contract", flags=MS_BIND)
    for directory, special in filesystems:
        os.makedirs(f"{root}{directory}", exist_ok=True)
        linux.mount(special, f"{root}{directory}", flags=MS_BIND)
    os.mkdir(f"{root}/run/old")
    linux.pivot_root(root, f"{root}/run/old")
    os.chdir("/")
    linux.umount("/run/old", linux.MNT_DETACH)
    os.rmdir("/run/old")
    linux.sethostname(zone)
