"""A zone's view of the machine: its own root, the node's /usr read-only, its own /proc, /run and /tmp."""
import os
from typing import List

from sunlab import linux
from sunlab.linux import MS_BIND, MS_PRIVATE, MS_RDONLY, MS_REC, MS_REMOUNT


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
