"""A lab from Python: bring it up, run commands in its nodes, cut their power and their wires, take it down.

Every call works on the lab as it stands on the host, so that `sunlab` and several programs can use the same lab.
"""
import contextlib
import os
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple, Type, Union

import yaml

from sunlab import array, bmc, cgroups, drives, image, init, linux, nas, network, power, serial
from sunlab.disks.fault import fault_of
from sunlab.places import BASE, Places
from sunlab.spec import Spec, parse, read

ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin", "HOME": "/root", "LC_ALL": "C", "TERM": os.environ.get("TERM", "dumb")}
#: Joins the control group whose cgroup.procs is named next, so that the lab's end is the command's too.
ENTER = ("/bin/sh", "-c", 'echo $$ > "$0" && exec nsenter "$@"')


class LabError(Exception):
    """The lab cannot do what was asked; the text says why and what to do."""


class CommandFailed(LabError, subprocess.CalledProcessError):
    """A command in a node ended with another status than 0; the text has what it printed."""

    def __init__(self, where: str, done: "subprocess.CompletedProcess[str]") -> None:
        subprocess.CalledProcessError.__init__(self, done.returncode, done.args, done.stdout, done.stderr)
        self.where = where

    def __str__(self) -> str:
        said = " ".join((self.stderr.strip(), self.stdout.strip()[-500:])).strip()
        return f"{self.where}: {' '.join(self.cmd)}: exit {self.returncode}: {said}"


class Lab:
    def __init__(self, name: str) -> None:
        """An existing lab. Raises LabError when there is none of that name."""
        self.places = Places(name)
        if not self.places.spec.exists():
            raise LabError(f"there is no lab {name!r}; `sunlab up FILE` makes one")
        self.spec = Spec.load(self.places.spec.read_text(encoding="utf-8"))

    @classmethod
    def up(cls, source: Union[str, Path, Mapping[str, Any]]) -> "Lab":
        """Build the lab that the file (or what would stand in one) describes and switch on its nodes.

        A lab of that name must not exist. From now on SIGTERM ends the caller as Ctrl-C does: a lab that it was to take
        down is taken down.

        Raises SpecError, LabError, OSError; what was half built is taken down again.
        """
        if isinstance(source, Mapping):
            spec = parse(yaml.safe_dump(dict(source), sort_keys=False), "lab", Path.cwd())
        else:
            spec = read(Path(source).resolve())
        places = Places(spec.lab)
        if os.geteuid() != 0:
            raise LabError("a lab needs root: it makes namespaces and mounts")
        if signal.getsignal(signal.SIGTERM) == signal.SIG_DFL and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, signal.default_int_handler)
        _claim(places)
        try:
            _build(spec, places)
            places.spec.write_text(spec.dump(), encoding="utf-8")
            lab = cls(spec.lab)
            if spec.serial:
                serial.start(places)
            for name in spec.nas:
                nas.switch_on(places, name)
            for name in array.names(spec):
                array.start(spec, places, name)
            for name, node in spec.nodes.items():
                if node.bmc:
                    bmc.start(places, name)
                lab.boot(name)
            for name in spec.nas:
                nas.wait_ready(places, name)
        except BaseException:
            take_down(spec.lab)
            raise
        return lab

    def __enter__(self) -> "Lab":
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        self.down()

    # ---- what runs in it

    def argv(self, where: str, argv: Sequence[str]) -> List[str]:
        """The host's command that runs `argv` in a node or as a client. Ending it ends what it runs."""
        if where in self.spec.clients or where in self.spec.nas:
            procs = self.places.client_cgroup(where) / "cgroup.procs"
            return [*ENTER, str(procs), f"--net=/run/netns/{self.places.client_netns(where)}", "--", *argv]
        pid = self.pid(where)
        if cgroups.frozen(self.places.cgroup(where)):
            raise LabError(f"node {where} is frozen; `sunlab thaw {where}` lets it go on")
        procs = self.places.cgroup(where) / "kernel/cgroup.procs"
        return [*ENTER, str(procs), "-t", str(pid), "-m", "-u", "-i", "-n", "-p", "-r", "-w", "--",
                "/usr/bin/setpriv", "--pdeathsig", "KILL", "--", *argv]

    def exec(self, where: str, argv: Sequence[str], *, input: Optional[str] = None, check: bool = True,
             timeout: Optional[float] = 60) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end; its output as text. `timeout` in seconds.

        Raises CommandFailed (a LabError) when `check` and its status is not 0, TimeoutExpired.
        """
        done = subprocess.run(self.argv(where, argv), input=input, capture_output=True, text=True, check=False,
                              stdin=None if input is not None else subprocess.DEVNULL,
                              timeout=timeout, env=self.environment(where))
        done.args = list(argv)
        if check and done.returncode != 0:
            raise CommandFailed(where, done)
        return done

    def popen(self, where: str, argv: Sequence[str], **options: Any) -> "subprocess.Popen[bytes]":
        """Start a command; ending it is the caller's."""
        return subprocess.Popen(self.argv(where, argv), env=self.environment(where), **options)

    def environment(self, where: str) -> Dict[str, str]:
        return dict(ENVIRONMENT) if where in self.spec.nodes else dict(os.environ)

    def path(self, node: str, inside: str) -> Path:
        """Where a node's file is written on the host (its own layer; /run and /tmp are not in it)."""
        upper = self.places.node(node) / "upper"
        first, _, rest = inside.lstrip("/").partition("/")
        return upper / (f"usr/{first}" if first in ("lib", "bin", "sbin") else first) / rest

    def pid(self, node: str) -> int:
        """Raises LabError when the node is off or unknown."""
        if node not in self.spec.nodes:
            raise LabError(f"lab {self.spec.lab} has no node or client {node!r}; it has "
                           f"{', '.join(self.spec.hosts)}")
        pid = power.pid_of(self.places, node)
        if not pid:
            raise LabError(f"node {node} is off; `sunlab boot {node}` switches it on")
        return pid

    def init_pids(self) -> Dict[str, int]:
        """Node -> the host's pid of its init, of the nodes that are on."""
        pids = {node: power.pid_of(self.places, node) for node in self.spec.nodes}
        return {node: pid for node, pid in pids.items() if pid}

    # ---- faults

    def boot(self, node: str) -> None:
        """Switch a node on; returns when its init runs (see wait_booted). Or a NAS; returns when it serves."""
        if node in self.spec.nas:
            if nas.is_on(self.places, node):
                raise LabError(f"NAS {node} is on already")
            nas.switch_on(self.places, node)
            nas.wait_ready(self.places, node)
            return
        if power.pid_of(self.places, node):
            raise LabError(f"node {node} is on already")
        power.await_off(self.places.node(node))
        if self.spec.nodes[node].bmc and not bmc.pid_of(self.places.node(node)):
            bmc.start(self.places, node)
        power.switch_on(self.spec, self.places, node)

    def wait_booted(self, node: str, timeout: float = 60) -> None:
        """Until milestone/multi-user-server is online."""
        deadline = time.monotonic() + timeout
        query = ["svcs", "-H", "-o", "state", "svc:/milestone/multi-user-server:default"]
        while True:
            if power.pid_of(self.places, node):
                done = self.exec(node, query, check=False)
                if done.stdout.strip() == "online":
                    return
            if time.monotonic() > deadline:
                raise LabError(f"node {node} has not booted in {timeout:g} s; see {self.places.node(node)}/power.log")
            time.sleep(0.05)

    def kill(self, node: str, plug: bool = False) -> None:
        """Cut the power of a node or a NAS; with `plug` a node's controller's too, which otherwise lives on."""
        if node in self.spec.nas:
            if not nas.is_on(self.places, node):
                raise LabError(f"NAS {node} is off; `sunlab boot {node}` switches it on")
            nas.cut(self.places, node)
            return
        if not plug:
            self.pid(node)
        elif node not in self.spec.nodes:
            raise LabError(f"lab {self.spec.lab} has no node {node!r}")
        else:
            bmc.end(self.places, node)
        power.cut(self.places, node)
        network.pause(self.spec, self.places, node, False)

    def freeze(self, node: str) -> None:
        self.pid(node)
        network.pause(self.spec, self.places, node, True)
        cgroups.freeze(self.places.cgroup(node), True)

    def thaw(self, node: str) -> None:
        self.pid(node)
        network.pause(self.spec, self.places, node, False)
        cgroups.freeze(self.places.cgroup(node), False)

    def cut(self, node: str, network_name: Optional[str] = None, peer: Optional[str] = None,
            one_way: bool = False) -> None:
        """Lose the node's frames: see network.cut."""
        for name in (node, *([peer] if peer else [])):
            if name not in self.spec.nodes and name not in self.spec.nas:
                raise LabError(f"lab {self.spec.lab} has no node {name!r}")
        if network_name is not None and network_name not in self.spec.networks:
            raise LabError(f"lab {self.spec.lab} has no network {network_name!r}")
        network.cut(self.spec, self.places, node, network_name, peer, one_way)

    def heal(self) -> None:
        network.heal(self.places)

    def disk(self, node: str, disk: str, fault: str) -> None:
        """What is wrong with a disk as that node sees it: `slow MS`, `hang`, `fail`, or `ok`; it stays so over a boot.

        In force when this returns. Raises LabError.
        """
        if node not in self.spec.nodes:
            raise LabError(f"lab {self.spec.lab} has no node {node!r}")
        known = self.spec.nodes[node].disks
        if disk not in known:
            raise LabError(f"node {node} has no disk {disk!r}; it has {', '.join(known) or 'none'}")
        if disk not in self.spec.faulty:
            raise LabError(f"disk {disk} takes no faults; say `{disk}: {{size: …, faults: true}}` in the lab file")
        try:
            fault_of(fault)
        except ValueError as problem:
            raise LabError(str(problem)) from problem
        drives.set_fault(self.places, node, disk, fault, power.pid_of(self.places, node))

    def unplug(self, node: str, interface: str) -> None:
        """Pull the cable out of a node's interface, such as net0, its controller's (bmc) or a serial line's (term/a).

        The node sees its link go down, also after a boot.
        """
        network.unplug(self.places, *self._port(node, interface), True)

    def plug(self, node: str, interface: str) -> None:
        network.unplug(self.places, *self._port(node, interface), False)

    def _port(self, node: str, interface: str) -> Tuple[str, Optional[int]]:
        if node not in self.spec.nodes:
            raise LabError(f"lab {self.spec.lab} has no node {node!r}")
        known = [f"net{number}" for number in range(len(self.spec.nodes[node].addresses))]
        ports = [f"term/{line[node]}" for line in self.spec.serial if node in line]
        if interface in ports:
            return serial.cable(node, interface.partition("/")[2]), None
        if interface == "bmc" and self.spec.nodes[node].bmc:
            return network.bmc(node), 0
        if interface not in known:
            raise LabError(f"node {node} has no interface {interface!r}; it has {', '.join(known + ports)}")
        return node, known.index(interface)

    def status(self) -> Mapping[str, Any]:
        nodes = {}
        for name, node in self.spec.nodes.items():
            pid = power.pid_of(self.places, name)
            group = self.places.cgroup(name)
            frozen = bool(pid) and cgroups.frozen(group)
            nodes[name] = {"power": "on" if pid else "off", "pid": pid or None, "frozen": frozen,
                           "addresses": dict(node.addresses), "faults": drives.faults(self.places, name),
                           "bmc": "".join(node.bmc.addresses.values()).partition("/")[0] if node.bmc else None}
        servers = {name: {"power": "on" if nas.is_on(self.places, name) else "off", "addresses": dict(one.addresses),
                          "exports": list(one.exports)} for name, one in self.spec.nas.items()}
        return {"lab": self.spec.lab, "nodes": nodes, "nas": servers, "clients": list(self.spec.clients),
                "disks": dict(self.spec.disks)}

    def down(self) -> None:
        take_down(self.spec.lab)


def _claim(places: Places) -> None:
    """The lab's name is ours from here on. Raises LabError when it is somebody's."""
    while True:
        try:
            places.top.mkdir(parents=True)
            return
        except FileExistsError as problem:
            raise LabError(f"lab {places.lab!r} exists already; `sunlab down {places.lab}` removes it") from problem
        except FileNotFoundError:
            continue        # the end of another lab, the last, took away the folder of all labs just now


def _build(spec: Spec, places: Places) -> None:
    linux.mount("tmpfs", str(places.top), "tmpfs", options="mode=755")
    for folder in (places.image, places.disks):
        folder.mkdir()
    image.build(places.image)
    if spec.arrays:
        image.add_sgio(places.image)
    for disk, size in spec.disks.items():
        with open(places.disks / disk, "wb") as out:
            out.truncate(size)
    cgroups.make(places.cgroup())
    for client in spec.clients:
        cgroups.make(places.client_cgroup(client))
    network.build(spec, places)
    for one in spec.nas.values():
        cgroups.make(places.client_cgroup(one.name))
        nas.build(spec, places, one)
    for name, node in spec.nodes.items():
        folder = places.node(name)
        for part in ("upper/etc", "work", "root"):
            (folder / part).mkdir(parents=True)
        (folder / "upper/etc/hostid").write_bytes(init.hostid_file(node.hostid))
        (folder / "upper/etc/nodename").write_text(f"{name}\n")
        if spec.nas:
            (folder / "upper/etc/hosts").write_text(hosts_file(spec))
        (folder / "upper/etc/ipadm").mkdir()
        (folder / "upper/etc/ipadm/ipadm.conf").write_text(init.own_addresses(node.addresses))
        image.add_platform(node.platform, folder / "upper")
        for file in spec.files:
            target = folder / "upper" / image.merged(file.target.lstrip("/"))
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file.source, target)
            target.chmod(file.mode)


def hosts_file(spec: Spec) -> str:
    """/etc/hosts with every host's first address. Pure."""
    first = {name: next(iter(addresses.values())).split("/")[0] for name, addresses in spec.hosts.items() if addresses}
    return "::1 localhost\n127.0.0.1 localhost loghost\n" + "".join(f"{first[name]} {name}\n" for name in first)


def take_down(name: str) -> None:
    """Remove a lab, whole, half built or crashed: processes, control groups, namespaces, mounts, files."""
    places = Places(name)
    group = places.cgroup()
    serial.end(places)
    for folder in places.top.glob("nodes/*"):
        bmc.end(places, folder.name)
        power.end_supply(folder)        # first, or it would boot again what is being taken down
    inits = [power.pid_of(places, folder.name) for folder in places.top.glob("nodes/*")]
    cgroups.kill(group)
    for pid in filter(None, inits):
        power.wait_gone(pid)            # an init is there until the last process of its node is reaped
    if group.exists():
        cgroups.remove(group)
    network.remove(places)
    if places.top.exists():
        for _ in range(8):      # a mount upon a mount, if an attempt before this one was interrupted
            try:
                linux.umount(str(places.top), linux.MNT_DETACH)
            except OSError:
                break
        shutil.rmtree(places.top, ignore_errors=True)
    with contextlib.suppress(OSError):      # there are other labs
        BASE.rmdir()


def labs() -> List[str]:
    """The names of the labs of this host."""
    return sorted(path.name for path in BASE.glob("*") if (path / "spec").is_file()) if BASE.exists() else []

