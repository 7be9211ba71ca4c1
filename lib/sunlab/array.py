"""A disk array of the lab: a client of the lab file that serves disks by iSCSI, with tgtd (Debian's tgt).

One target for each array; its logical units are numbered from 1 in the order of the lab file. It keeps persistent
reservations in memory, and knows no PREEMPT AND ABORT, no READ FULL STATUS and no keys that outlast a loss of power.
"""
import contextlib
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Dict, List

from sunlab import cgroups
from sunlab.disks.iscsi import PORT
from sunlab.disks.lun import Lun
from sunlab.places import Places
from sunlab.spec import Spec

TGTD, TGTADM = "/usr/sbin/tgtd", "/usr/sbin/tgtadm"
NAME = "iqn.2026-01.lab.sundog"
READY_S = 10.0
#: Joins the control group whose cgroup.procs is named next, and leaves the caller's session.
ENTER = ("/usr/bin/setsid", "--fork", "/bin/sh", "-c", 'echo $$ > "$0" && exec "$@"')


class ArrayFailed(RuntimeError):
    """The array does not serve; the text says why."""


def names(spec: Spec) -> List[str]:
    return list(dict.fromkeys(spec.arrays.values()))


def disks_of(spec: Spec, array: str) -> List[str]:
    return [disk for disk in spec.disks if spec.arrays.get(disk) == array]


def units(spec: Spec, node: str) -> Dict[str, Lun]:
    """Where each of the node's disks is that an array has."""
    found = {}
    for disk in spec.nodes[node].disks:
        if disk in spec.arrays:
            array = spec.arrays[disk]
            address = next(iter(spec.clients[array].values())).partition("/")[0]
            found[disk] = Lun(address, f"{NAME}:{array}", 1 + disks_of(spec, array).index(disk), f"{NAME}:{node}")
    return found


def start(spec: Spec, places: Places, array: str) -> None:
    """Switch it on; returns when it serves. Raises ArrayFailed."""
    if not os.access(TGTD, os.X_OK) or shutil.which("sg_persist") is None:
        raise ArrayFailed("an array needs the Debian packages tgt and sg3-utils: bin/bootstrap test")
    folder = _folder(places, array)
    folder.mkdir(parents=True, exist_ok=True)
    procs = cgroups.make(places.client_cgroup(array)) / "cgroup.procs"
    with (folder / "log").open("a") as log:
        subprocess.run([*ENTER, str(procs), "nsenter", f"--net=/run/netns/{places.client_netns(array)}", "--", TGTD,
                        "-f", "-C", "0", "--iscsi", f"portal=0.0.0.0:{PORT}"], check=True, stdin=subprocess.DEVNULL,
                       stdout=log, stderr=log, env=_environment(folder))
    deadline = time.monotonic() + READY_S
    while True:
        with contextlib.suppress(ArrayFailed):
            _admin(folder, "--op", "show", "--mode", "target")
            break
        if time.monotonic() > deadline:
            raise ArrayFailed(f"array {array} does not answer; see {folder}/log")
        time.sleep(0.01)
    _admin(folder, "--op", "new", "--mode", "target", "--tid", "1", "-T", f"{NAME}:{array}")
    for number, disk in enumerate(disks_of(spec, array), 1):
        _admin(folder, "--op", "new", "--mode", "logicalunit", "--tid", "1", "--lun", str(number),
               "-b", str(places.disks / disk))
    _admin(folder, "--op", "bind", "--mode", "target", "--tid", "1", "-I", "ALL")


def _folder(places: Places, array: str) -> Path:
    return places.top / "arrays" / array


def _environment(folder: Path) -> Dict[str, str]:
    return {**os.environ, "TGT_IPC_SOCKET": str(folder / "socket")}


def _admin(folder: Path, *words: str) -> None:
    done = subprocess.run([TGTADM, "-C", "0", "--lld", "iscsi", *words], capture_output=True, text=True, check=False,
                          env=_environment(folder))
    if done.returncode != 0:
        raise ArrayFailed(f"tgtadm {' '.join(words)}: {done.stderr.strip()}")
