"""Process 1 of a node: makes the node's own view of the machine, starts its file system, becomes svc.startd.

`prepare` runs before the program is replaced, on the host's Python; `main` afterwards, inside the node's own root.
"""
import os
import socket
import struct
import subprocess
import sys
import termios
import time
import tty
from pathlib import Path
from typing import Callable, Mapping

from sunlab import linux
from sunlab.linux import MS_BIND, MS_PRIVATE, MS_REC

#: The devices of the host that a node sees.
DEVICES = ("null", "zero", "full", "random", "urandom", "tty", "fuse")
VENV = "/usr/lib/sunlab/venv"
ZFS_SOCKET = "/run/zfs/zfs_socket"
CACHE = "/var/lib/zfs/zpool.cache"
BOOT = "import sys; sys.path.insert(0, '/usr/lib/sunlab/lib'); from sunlab.init import main; main()"


def prepare(node: str, folder: Path, image: Path, disks: Mapping[str, Path], contracts: Path,
            driver: Callable[[str], None], lines: Mapping[str, str]) -> None:
    """Give this process (already in its own namespaces) the node's root and devices, then boot it. Never returns.

    `driver` starts that of the disks, told where the node's root is. `lines`: port -> terminal of its serial lines.
    """
    root = str(folder / "root")
    linux.mount("none", "/", flags=MS_REC | MS_PRIVATE)
    linux.mount("overlay", root, "overlay",
                options=f"lowerdir={image}:/,upperdir={folder}/upper,workdir={folder}/work")
    for place in ("proc", "run", "tmp", "dev", "system/contract"):
        os.makedirs(f"{root}/{place}", exist_ok=True)
    linux.mount("proc", f"{root}/proc", "proc")
    make_devices(f"{root}/dev")
    linux.mount("tmpfs", f"{root}/run", "tmpfs")
    linux.mount("tmpfs", f"{root}/tmp", "tmpfs")
    linux.mount(str(contracts), f"{root}/system/contract", flags=MS_BIND)
    bind_python(root)
    add_disks(root, disks)
    add_lines(f"{root}/dev", lines)
    driver(root)
    os.makedirs(f"{root}/run/old")
    linux.pivot_root(root, f"{root}/run/old")
    os.chdir("/")
    linux.umount("/run/old", linux.MNT_DETACH)
    os.rmdir("/run/old")
    linux.sethostname(node)
    os.execve("/usr/bin/python3", ["svc.startd", "-IS", "-c", BOOT],
              {"PATH": "/usr/sbin:/usr/bin", "LC_ALL": "C", "HOME": "/root"})


def bind_python(root: str) -> None:
    """The project's own Python, wherever it stands on the host: a node has a /tmp and a /run of its own."""
    os.makedirs(f"{root}{VENV}", exist_ok=True)
    linux.mount(sys.prefix, f"{root}{VENV}", flags=MS_BIND | MS_REC)


def make_devices(dev: str) -> None:
    """A /dev of the node's own: the host's has no dsk and rdsk, and is none of a node's business."""
    linux.mount("tmpfs", dev, "tmpfs", options="mode=755")
    for name in DEVICES:
        if os.path.exists(f"/dev/{name}"):
            Path(f"{dev}/{name}").touch()
            linux.mount(f"/dev/{name}", f"{dev}/{name}", flags=MS_BIND)
    for folder in ("pts", "shm", "dsk", "rdsk"):
        os.mkdir(f"{dev}/{folder}")
    linux.mount("devpts", f"{dev}/pts", "devpts", options="newinstance,ptmxmode=0666")
    linux.mount("tmpfs", f"{dev}/shm", "tmpfs")
    for name, target in (("ptmx", "pts/ptmx"), ("fd", "/proc/self/fd"), ("stdin", "fd/0"), ("stdout", "fd/1"),
                         ("stderr", "fd/2")):
        os.symlink(target, f"{dev}/{name}")


def add_disks(root: str, disks: Mapping[str, Path]) -> None:
    """The shared disks under the names that Solaris gives them; the raw device is the same image."""
    for name, image in disks.items():
        for kind in ("dsk", "rdsk"):
            Path(f"{root}/dev/{kind}/{name}").touch()
            linux.mount(str(image), f"{root}/dev/{kind}/{name}", flags=MS_BIND)


def add_lines(dev: str, lines: Mapping[str, str]) -> None:
    """The ends of its serial lines, with nothing in the receivers yet."""
    for port, terminal in lines.items():
        end = os.open(terminal, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(end)
        termios.tcflush(end, termios.TCIOFLUSH)
        os.close(end)
        for folder in ("term", "cua"):
            os.makedirs(f"{dev}/{folder}", exist_ok=True)
            Path(f"{dev}/{folder}/{port}").touch()
            linux.mount(terminal, f"{dev}/{folder}/{port}", flags=MS_BIND)


def main() -> None:
    """Boot: what the kernel does on Solaris before it starts svc.startd."""
    for folder in ("/run/zfs", "/run/lock/zfs", "/var/lib/zfs", "/etc/zfs", "/run/svc"):
        os.makedirs(folder, exist_ok=True)
    start_zfs()
    if os.path.exists(CACHE):       # its pools are imported by now; svc:/system/filesystem/local mounts them on Solaris
        subprocess.run(["/usr/sbin/zfs", "mount", "-a"], check=False)
        subprocess.run(["/usr/sbin/zpool", "sunlab-after-boot"], check=False)
    from sunlab.smf import startd
    startd.run()


def start_zfs() -> None:
    """zfs-fuse is the node's ZFS; on Solaris it is in the kernel. Returns when it takes commands."""
    log = os.open("/var/log/zfs-fuse.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    null = os.open("/dev/null", os.O_RDONLY)
    os.posix_spawn("/usr/sbin/zfs-fuse", ["zfs-fuse", "--no-daemon"], dict(os.environ),
                   file_actions=[(os.POSIX_SPAWN_DUP2, null, 0), (os.POSIX_SPAWN_DUP2, log, 1),
                                 (os.POSIX_SPAWN_DUP2, log, 2)])
    os.close(log)
    os.close(null)
    deadline = time.monotonic() + 20
    while True:
        with socket.socket(socket.AF_UNIX) as door:
            if door.connect_ex(ZFS_SOCKET) == 0:
                return
        if time.monotonic() > deadline:
            raise RuntimeError("zfs-fuse does not answer; see /var/log/zfs-fuse.log")
        time.sleep(0.005)


def hostid_file(hostid: int) -> bytes:
    """/etc/hostid as gethostid(3) of Linux reads it, and so zfs-fuse."""
    return struct.pack("<I", hostid)


def own_addresses(addresses: Mapping[str, str]) -> str:
    """The ipadm.conf of a node that has just been installed: its interfaces and their addresses."""
    lines = []
    for number, address in enumerate(addresses.values()):
        label = "v6" if ":" in address else "v4"
        lines += [f"if net{number}\n", f"addr net{number}/{label} static {address} up -\n"]
    return "".join(lines)


def set_addresses(pid: int, addresses: Mapping[str, str], kept: str) -> None:
    """The node's own addresses that its ipadm.conf still has, set from outside before it boots; it does the rest."""
    lines = ["link set lo up"]
    for number, address in enumerate(addresses.values()):
        nodad = " nodad" if ":" in address else ""
        lines.append(f"link set net{number} up")
        if any(line.split()[1].startswith(f"net{number}/") and line.split()[2:] == ["static", address, "up", "-"]
               for line in kept.splitlines()):
            lines.append(f"address add {address} dev net{number}{nodad}")
    subprocess.run(["nsenter", "-t", str(pid), "-n", "ip", "-batch", "-"], input="\n".join(lines) + "\n", text=True,
                   check=True)
