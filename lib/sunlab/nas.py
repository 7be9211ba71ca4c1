"""A NAS of the lab: a host with an NFS server of its own (NFS-Ganesha), in its own namespaces.

What it exports is in the lab's memory and outlives its power cut.
"""
import shutil
import subprocess
import time
from pathlib import Path

from sunlab import cgroups, network
from sunlab.places import Places
from sunlab.spec import NasSpec, Spec

GANESHA = "/usr/bin/ganesha.nfsd"
PLUGINS = "/usr/lib/x86_64-linux-gnu/ganesha"
READY = "NFS SERVER INITIALIZED"
READY_S = 30.0
#: The NAS sees its folder as /mnt, as /run has to be its own.
CONFIGURATION = """NFS_CORE_PARAM {{ Protocols = 3, 4; Enable_UDP = false; MNT_Port = 20048; Enable_NLM = false;
    Enable_RQUOTA = false; Mount_Path_Pseudo = true; Plugins_Dir = "{plugins}"; }}
NFSv4 {{ Graceless = true; RecoveryRoot = "/mnt/recovery"; Only_Numeric_Owners = true; }}
NFS_KRB5 {{ Active_krb5 = false; }}
EXPORT_DEFAULTS {{ Access_Type = RW; Squash = No_Root_Squash; SecType = sys; Protocols = 3, 4; Transports = TCP; }}
"""
EXPORT = 'EXPORT {{ Export_Id = {number}; Path = "/mnt/exports{path}"; Pseudo = "{path}"; FSAL {{ Name = VFS; }} }}\n'
START = """set -e
mount --bind "$1" /mnt
mount -t tmpfs tmpfs /run
mkdir -p /run/ganesha /run/rpcbind
hostname "$2"
ip link set lo up
rpcbind -w
exec {ganesha} -F -f /mnt/ganesha.conf -L /mnt/log -p /run/ganesha.pid -N NIV_EVENT
"""
#: Joins the control group whose cgroup.procs is named next, and leaves the caller's session.
ENTER = ("/usr/bin/setsid", "--fork", "/bin/sh", "-c", 'echo $$ > "$0" && exec "$@"')


class NasFailed(RuntimeError):
    """The NAS does not serve; the text says where to look."""


def configuration(nas: NasSpec) -> str:
    """Of NFS-Ganesha. Pure."""
    return CONFIGURATION.format(plugins=PLUGINS) + "".join(EXPORT.format(number=number, path=path)
                                                           for number, path in enumerate(nas.exports, 1))


def build(spec: Spec, places: Places, nas: NasSpec) -> None:
    """Its folder, its namespace, its cables."""
    if shutil.which(GANESHA) is None:
        raise NasFailed("a NAS needs the Debian packages nfs-ganesha and nfs-ganesha-vfs: bin/bootstrap test")
    folder = places.nas(nas.name)
    (folder / "recovery").mkdir(parents=True)
    for path in nas.exports:
        exported(places, nas.name, path).mkdir(parents=True)
    (folder / "ganesha.conf").write_text(configuration(nas), encoding="utf-8")
    network.build_host(spec, places, nas.name, nas.addresses)


def exported(places: Places, name: str, path: str) -> Path:
    """Where what it exports as `path` is on the host."""
    return places.nas(name) / "exports" / path.lstrip("/")


def switch_on(places: Places, name: str) -> None:
    """Start its server; see wait_ready."""
    folder = places.nas(name)
    (folder / "log").write_text("")
    procs = cgroups.make(places.nas_cgroup(name)) / "cgroup.procs"
    subprocess.run([*ENTER, str(procs), "nsenter", f"--net=/run/netns/{places.client_netns(name)}", "--", "unshare",
                    "--mount", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc", "/bin/sh", "-c",
                    START.format(ganesha=GANESHA), "nas", str(folder), name],
                   check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=(folder / "errors").open("a"))


def wait_ready(places: Places, name: str) -> None:
    """Until its server takes calls. Raises NasFailed."""
    deadline = time.monotonic() + READY_S
    log = places.nas(name) / "log"
    while READY not in log.read_text(encoding="utf-8", errors="replace"):
        if time.monotonic() > deadline:
            raise NasFailed(f"NAS {name} does not serve; see {log} and {log.parent}/errors")
        time.sleep(0.01)


def is_on(places: Places, name: str) -> bool:
    group = places.nas_cgroup(name)
    return group.exists() and "populated 1" in (group / "cgroup.events").read_text()


def cut(places: Places, name: str) -> None:
    """Power cut. Returns when nothing of it runs. Raises OSError."""
    cgroups.kill(places.nas_cgroup(name))
    cgroups.remove(places.nas_cgroup(name))
