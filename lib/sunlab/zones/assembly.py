"""A zone's view of the machine: its own root, the node's /usr read-only, its own /dev, /proc, /run and /tmp."""
from __future__ import annotations

import os

from sunlab import linux
from sunlab.zones.config import Resource, ZoneConfig

#: A zone sees these devices of its node, and none of its disks.
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")


def enter(zonepath: str, contracts: str, zone: str, own: ZoneConfig, console: str, number: int) -> None:
    """In the zone's own mount namespace: compose the root and make it /. Raises OSError."""
    root = f"{zonepath}/root"
    linux.mount("none", "/", flags=linux.MS_REC | linux.MS_PRIVATE)
    linux.mount(root, root, flags=linux.MS_BIND)
    linux.mount("/usr", f"{root}/usr", flags=linux.MS_BIND)
    linux.mount("none", f"{root}/usr", flags=linux.MS_BIND | linux.MS_REMOUNT | linux.MS_RDONLY)
    make_devices(f"{root}/dev", console)
    linux.mount("proc", f"{root}/proc", "proc")
    linux.mount("tmpfs", f"{root}/run", "tmpfs", options="mode=755")
    linux.mount("tmpfs", f"{root}/tmp", "tmpfs", options="mode=1777")
    linux.mount(contracts, f"{root}/system/contract", flags=linux.MS_BIND)
    for one in own.all_of("fs"):
        add_file_system(root, one)
    write_hostid(root, own.get("hostid"))
    os.mkdir(f"{root}/run/old")
    linux.pivot_root(root, f"{root}/run/old")
    os.chdir("/")
    linux.umount("/run/old", linux.MNT_DETACH)
    os.rmdir("/run/old")
    linux.sethostname(zone)
    with open("/run/zonename", "w") as file:
        file.write(f"{zone}\n")
    with open("/run/zoneid", "w") as file:
        file.write(f"{number} {own.get('brand')} {own.get('ip-type')}\n")


def add_file_system(root: str, one: Resource) -> None:
    place = f"{root}{one.get('dir')}"
    os.makedirs(place, exist_ok=True)
    linux.mount(one.get("special"), place, flags=linux.MS_BIND)
    if "ro" in one.values:
        linux.mount("none", place, flags=linux.MS_BIND | linux.MS_REMOUNT | linux.MS_RDONLY)


def write_hostid(root: str, hostid: str) -> None:
    """The zone's own, else that of the node where it runs now."""
    if hostid:
        raw = int(hostid.removeprefix("0x"), 16).to_bytes(4, "little")
    else:
        with open("/etc/hostid", "rb") as file:
            raw = file.read()
    with open(f"{root}/etc/hostid", "wb") as file:
        file.write(raw)


def make_devices(dev: str, console: str) -> None:
    """`console`: the node's name of the terminal that is the zone's console."""
    linux.mount("tmpfs", dev, "tmpfs", options="mode=755")
    for name, source in [*((name, f"/dev/{name}") for name in DEVICES), ("console", console)]:
        with open(f"{dev}/{name}", "w"):
            pass
        linux.mount(source, f"{dev}/{name}", flags=linux.MS_BIND)
    for folder in ("pts", "shm"):
        os.mkdir(f"{dev}/{folder}")
    linux.mount("devpts", f"{dev}/pts", "devpts", options="newinstance,ptmxmode=0666")
    linux.mount("tmpfs", f"{dev}/shm", "tmpfs", options="mode=1777")
    for name, target in (("ptmx", "pts/ptmx"), ("fd", "/proc/self/fd"), ("stdin", "fd/0"), ("stdout", "fd/1"),
                         ("stderr", "fd/2")):
        os.symlink(target, f"{dev}/{name}")
