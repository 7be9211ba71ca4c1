"""A zone's root: what `install` lays down at ZONEPATH/root, and the dataset that it makes for ZONEPATH.

The system's programs are the node's own /usr, read-only, as in a sparse zone; /etc, /var and the rest are the zone's
and stay on its file system. A zone of a whole-root brand remembers which system it was installed from.
"""
from __future__ import annotations

import os

from sunlab.platform import here
from sunlab.spawn import run

OWN = ("etc/svc", "var/svc/log", "var/svc/manifest/site", "var/svc/manifest/system", "var/log", "root", "opt", "home",
       "export", "mnt")
MOUNTED = ("usr", "proc", "dev", "run", "tmp", "system/contract")
LINKS = ("bin", "sbin", "lib", "lib64")
FROM_NODE = ("passwd", "group", "nsswitch.conf", "ld.so.cache", "localtime", "hosts", "sunlab-platform", "alternatives")
RELEASE = "etc/release"
LOGIN = "/usr/lib/sunlab/console-login.xml"
#: Brands whose zones have packages of their own, which must fit the host's.
PACKAGED = ("ipkg", "lipkg", "solaris")
STANDARD = ("dev", "lastexited", "lu", "root", "SUNWattached.xml", "SUNWdetached.xml")


def lay_down(zonepath: str, zone: str) -> None:
    """A fresh root. Raises OSError when the zonepath's parent is not there or something is in the way."""
    import shutil  # not at the top: attach needs `present` only, and soon
    os.makedirs(zonepath, exist_ok=True)
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
    if os.path.exists(LOGIN):
        shutil.copy(LOGIN, f"{root}/var/svc/manifest/system/console-login.xml")
    set_release(zonepath)
    with open(f"{root}/etc/shadow", "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
        file.write("root::::::::\n")       # a fresh zone's root has no password until somebody gives it one
    with open(f"{root}/etc/nodename", "w") as file:
        file.write(f"{zone}\n")


def present(zonepath: str) -> bool:
    return os.path.isdir(f"{zonepath}/root/etc")


def release(zonepath: str) -> str:
    """The version of the system that the zone's packages are of; the host's where the zone says nothing."""
    try:
        with open(f"{zonepath}/root/{RELEASE}") as file:
            return file.read().strip()
    except FileNotFoundError:
        return here().version


def set_release(zonepath: str) -> None:
    with open(f"{zonepath}/root/{RELEASE}", "w") as file:
        file.write(f"{here().version}\n")


# --- datasets

def mounts() -> list[tuple[str, str]]:
    """(dataset or device, mount point) of what is mounted in this node."""
    with open("/proc/self/mounts") as file:
        rows = [line.split(" ") for line in file]
    return [(row[0], row[1].replace("\\040", " ")) for row in rows]


def below(place: str) -> list[str]:
    return [point for _, point in mounts() if point.startswith(f"{place}/")]


def dataset_at(place: str) -> str:
    """The dataset that is mounted there; "" for none."""
    return next((source for source, point in mounts() if point == place and not source.startswith("/")
                 and source not in ("none", "tmpfs", "overlay", "proc", "sysfs", "devpts", "cgroup2")), "")


def make_dataset(zonepath: str) -> bool:
    """Make the zonepath a dataset, where its parent is one's mount point (create_zfs_zonepath)."""
    parent = dataset_at(os.path.dirname(zonepath))
    if not parent or dataset_at(zonepath) or os.path.isdir(zonepath) and os.listdir(zonepath):
        return False
    status, _ = run(["/usr/sbin/zfs", "create", f"{parent}/{os.path.basename(zonepath)}"])
    if status == 0:
        os.chmod(zonepath, 0o700)
    return status == 0


def clean_up(zonepath: str) -> str:
    """Remove a zone's files (cleanup_zonepath): a warning where others stay, else ""."""
    import shutil
    if not os.path.isdir(zonepath):
        return ""
    strange = [name for name in os.listdir(zonepath) if name not in STANDARD and name != ".zfs"]
    for name in STANDARD:
        place = f"{zonepath}/{name}"
        if os.path.isdir(place) and not os.path.islink(place):
            shutil.rmtree(place)
        elif os.path.lexists(place):
            os.unlink(place)
    if strange:
        return (f"WARNING: Unable to completely remove {zonepath}\nbecause it contains additional user data.  Only the "
                "standard directory\nentries have been removed.")
    dataset = dataset_at(zonepath)
    if dataset:
        run(["/usr/sbin/zfs", "destroy", dataset])
    elif not os.path.ismount(zonepath):
        os.rmdir(zonepath)
    return ""
