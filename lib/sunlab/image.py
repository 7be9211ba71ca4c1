"""The layer that turns this host's root into a Solaris-like one: launchers for the commands, the product as packaged.

The product is installed by reading its IPS manifest, so a file that the package forgets is missing in the lab too.
"""
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Dict, Iterator, List, Tuple

from sunlab.init import VENV

HERE = Path(__file__).parent
CHECKOUT = HERE.parents[1]
PACKAGE = CHECKOUT / "pkg/sundog.p5m"
SYSTEM_PYTHON = "/usr/bin/python3"

#: Where each command of the lab is found in a node, and the module of sunlab.commands that is it.
COMMANDS = {f"usr/sbin/{name}": name for name in ("svcadm", "svccfg", "ipadm", "dladm", "ifconfig", "ipmpstat", "route",
                                                   "ping", "arp", "zoneadm",
                                                   "zonecfg", "zlogin", "zpool", "uadmin", "reboot", "halt",
                                                   "poweroff", "init", "shutdown", "fmadm", "fmdump",
                                                   "syslogd")}
COMMANDS.update({f"usr/bin/{name}": name for name in ("svcs", "svcprop", "netstat", "hostid", "uname", "zonename",
                                                     "auths", "profiles", "pfexec")})
COMMANDS["usr/sbin/zonename"] = "zonename"
COMMANDS.update({f"usr/sbin/{name}": name for name in ("mount", "umount", "mountall", "fsck", "newfs", "fstyp",
                                                           "df")})
COMMANDS["usr/bin/df"] = "df"
COMMANDS.update({f"usr/sbin/{name}": "useradd" for name in ("useradd", "usermod", "roleadd", "rolemod")})

#: Commands that only nodes of one platform have.
PLATFORM_COMMANDS = {"solaris": {"usr/sbin/svcbundle": "svcbundle"}}

LAUNCHER = """#!{python} -IS
import sys
sys.path.insert(0, "/usr/lib/sunlab/lib")
from sunlab.commands.{name} import main
sys.exit(main(sys.argv[1:]))
"""
PYTHON = """#!/bin/sh
PYTHONPATH=/usr/lib/sundog/lib exec {python} -s "$@"
"""


class ImageError(Exception):
    """The image cannot be built; the text says what is missing."""


def build(image: Path) -> None:
    """Fill `image` with everything a node has that this host has not."""
    lab = image / "usr/lib/sunlab/lib/sunlab"
    shutil.copytree(HERE, lab, ignore=shutil.ignore_patterns("__pycache__", "image", "solaris", "demo", "measure"))
    shutil.copytree(HERE / "image", image, dirs_exist_ok=True, symlinks=True, ignore=shutil.ignore_patterns("lib"))
    if (HERE / "image/lib").exists():
        shutil.copytree(HERE / "image/lib", image / "usr/lib", dirs_exist_ok=True, symlinks=True)
    for path, name in COMMANDS.items():
        if (HERE / f"commands/{name}.py").exists():
            script(image / path, LAUNCHER.format(python=SYSTEM_PYTHON, name=name))
    for name in ("zpool", "zfs"):
        real = image / f"usr/lib/sunlab/zfs-fuse/{name}"
        real.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(f"/usr/sbin/{name}", real)
    (image / "usr/sbin/sh").symlink_to("/usr/bin/dash")
    precompile(SYSTEM_PYTHON, image / "usr/lib/sunlab/lib")
    install_product(image)


def add_platform(platform: str, layer: Path) -> None:
    """What only nodes of that platform have goes into the node's own layer."""
    (layer / "etc/sunlab-platform").write_text(f"{platform}\n")
    family = platform.rstrip("0123456789.")
    for path, name in PLATFORM_COMMANDS.get(family, {}).items():
        script(layer / path, LAUNCHER.format(python=SYSTEM_PYTHON, name=name))
    own = HERE / family
    if own.is_dir():
        shutil.copytree(own / "lib", layer / "usr/lib", dirs_exist_ok=True)


def add_sgio(image: Path) -> None:
    """sg_persist and sg_raw of the host (sg3-utils), with their commands going to the node's disk driver."""
    library = image / "usr/lib/sunlab/sgio.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-O2", "-Wall", "-o", str(library), str(HERE / "disks/sgio.c"), "-ldl"],
                   check=True)
    for name in ("sg_persist", "sg_raw"):
        script(image / f"usr/sbin/{name}", f'#!/bin/sh\nLD_PRELOAD=/usr/lib/sunlab/sgio.so exec /usr/bin/{name} "$@"\n')


def script(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def precompile(python: str, folder: Path) -> None:
    subprocess.run([python, "-m", "compileall", "-q", str(folder)], check=True,
                   env={**os.environ, "PYTHONDONTWRITEBYTECODE": ""})


def actions() -> Iterator[Tuple[str, List[str], Dict[str, str]]]:
    """(kind, operands, attributes) of every line of the package's manifest."""
    for line in PACKAGE.read_text(encoding="utf-8").splitlines():
        words = shlex.split(line, comments=True)
        if words:
            pairs = dict(word.split("=", 1) for word in words[1:] if "=" in word)
            yield words[0], [word for word in words[1:] if "=" not in word], pairs


def merged(path: str) -> str:
    """Debian has /usr merged: lib/svc is usr/lib/svc there."""
    return f"usr/{path}" if path.split("/")[0] in ("lib", "bin", "sbin") else path


def install_product(image: Path) -> None:
    for kind, operands, pairs in actions():
        if kind not in ("file", "dir", "link"):
            continue
        target = image / merged(pairs["path"])
        if kind == "dir":
            target.mkdir(parents=True, exist_ok=True)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        if kind == "link":
            target.symlink_to(pairs["target"])
            continue
        source = CHECKOUT / operands[0]
        if not source.is_file():
            raise ImageError(f"{PACKAGE}: {operands[0]} is not there; run pkg/generate")
        shutil.copyfile(source, target)
        target.chmod(int(pairs.get("mode", "0644"), 8))
    python = image / "usr/lib/sundog/python"
    if python.is_symlink() or python.exists():
        python.unlink()
    script(python, PYTHON.format(python=f"{VENV}/bin/python"))
    precompile(sys.executable, image / "usr/lib/sundog/lib")


