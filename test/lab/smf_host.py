"""A svc.startd alone in a pid namespace, with its files in a folder of the test and its contracts in its own cgroup."""
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Callable, List, NamedTuple, Tuple
from xml.etree import ElementTree

from sunlab.smf import client

RUN = """
import sys
sys.path.insert(0, sys.argv[1])
from sunlab.smf.methods import Paths
from sunlab.smf.startd import Startd
home, contracts = sys.argv[2:]
Startd(Paths(repository=home + "/etc/repository", door=home + "/run/door", contracts=contracts,
             manifests=(home + "/manifest",), logs=home + "/log", shell="/bin/sh",
             syslog=home + "/log/none")).serve()
"""
LIBRARY = Path(client.__file__).parents[2]
ORDER = ("restarter", "dependency", "dependent", "method_context", "exec_method", "property_group", "instance",
         "template")
DOCTYPE = "<!DOCTYPE service_bundle SYSTEM '/usr/share/lib/xml/dtd/service_bundle.dtd.1'>"


class Said(NamedTuple):
    status: int
    out: str
    err: str


def cgroup_top() -> str:
    """Where cgroup v2 is mounted."""
    with open("/proc/mounts", encoding="utf-8") as file:
        return next(line.split()[1] for line in file if line.split()[2] == "cgroup2")


class Host:
    def __init__(self, home: Path) -> None:
        self.home = home
        self.contracts = Path(cgroup_top()) / f"smf-{os.getpid()}-{home.name}"
        for folder in ("etc", "run", "manifest", "log"):
            (home / folder).mkdir()
        self.contracts.mkdir()
        self.door = str(home / "run/door")

    # --- power

    def boot(self) -> "Host":
        """Start svc.startd as pid 1 of a new pid namespace; returns when it answers."""
        if os.path.exists(self.door):
            os.unlink(self.door)
        command = ["unshare", "-pf", "--kill-child", "--mount-proc", sys.executable, "-I", "-c", RUN, str(LIBRARY),
                   str(self.home), str(self.contracts)]
        with open(self.home / "console", "ab") as console:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=console, stderr=console)
        self.until(lambda: client.call("svcs", ["-a"], door=self.door) is not None, "svc.startd to answer")
        return self

    def cut(self) -> None:
        """A power cut: everything dies at once."""
        with open(self.contracts / "cgroup.kill", "w", encoding="ascii") as file:
            file.write("1")
        self.process.kill()
        self.process.wait()
        self.until(lambda: "populated 0" in (self.contracts / "cgroup.events").read_text(), "all processes to be gone")
        for folder in self.contracts.iterdir():
            if folder.is_dir():
                folder.rmdir()

    def down(self) -> None:
        self.cut()
        self.contracts.rmdir()

    # --- commands

    def run(self, command: str, *args: str, text: str = "") -> Said:
        answer = client.call(command, list(args), text, self.door)
        assert answer is not None, (self.home / "console").read_text()
        pick: Callable[[str], str] = lambda key: "".join(t for k, t in answer if k == key)      # noqa: E731
        return Said(int(pick("exit")), pick("out"), pick("err"))

    def do(self, command: str, *args: str, text: str = "") -> str:
        """The same, and it must succeed."""
        said = self.run(command, *args, text=text)
        assert said.status == 0, said
        return said.out

    def manifest(self, name: str, body: str, enabled: str = "true") -> None:
        """A service of these elements, which are put into the DTD's order."""
        elements = sorted(ElementTree.fromstring(f"<b>{body}</b>"), key=lambda e: ORDER.index(e.tag))
        body = "".join(ElementTree.tostring(e, encoding="unicode") for e in elements)
        (self.home / "manifest" / f"{name}.xml").write_text(
            f"{DOCTYPE}<service_bundle type='manifest' name='t'>"
            f"<service name='site/{name}' type='service' version='1'>"
            f"<create_default_instance enabled='{enabled}'/>{body}</service></service_bundle>")

    # --- looking

    def until(self, holds: Callable[[], bool], what: str, within_s: float = 20.0) -> None:
        deadline = time.monotonic() + within_s
        while not holds():
            assert time.monotonic() < deadline, f"waited in vain for {what}"
            time.sleep(0.005)

    def state(self, name: str) -> str:
        return self.run("svcs", "-Ho", "state", f"site/{name}").out.strip()

    def until_state(self, name: str, state: str, within_s: float = 20.0) -> None:
        self.until(lambda: self.state(name) == state, f"{name} to be {state}, not {self.state(name)}", within_s)

    def members(self, name: str) -> List[int]:
        """Pids, as the test sees them, of the service's contract."""
        contract = self.do("svcprop", "-p", "restarter/contract", f"site/{name}").strip()
        if not contract:
            return []
        try:
            return [int(p) for p in (self.contracts / contract / "cgroup.procs").read_text().split()]
        except FileNotFoundError:
            return []       # empty, and gone already

    def kill(self, name: str, number: int = signal.SIGKILL) -> None:
        for pid in self.members(name):
            os.kill(pid, number)

    def log(self, name: str) -> str:
        return (self.home / "log" / f"site-{name}:default.log").read_text()

    def children(self) -> List[Tuple[str, str]]:
        """(name, state letter) of svc.startd's own children."""
        init = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True, check=True).stdout
        listed = subprocess.run(["ps", "--ppid", init.strip(), "-o", "comm=,state="], capture_output=True, text=True,
                                check=False).stdout
        return [(line.split()[0], line.split()[-1]) for line in listed.splitlines()]


def method(name: str, command: str, timeout_s: int = 10, inside: str = "") -> str:
    command = command.replace("&", "&amp;").replace("'", "&apos;").replace("<", "&lt;")
    return (f"<exec_method type='method' name='{name}' exec='{command}' timeout_seconds='{timeout_s}'>{inside}"
            "</exec_method>")


def duration(kind: str) -> str:
    return ("<property_group name='startd' type='framework'>"
            f"<propval name='duration' type='astring' value='{kind}'/></property_group>")


def sundog(name: str, value: str) -> str:
    return ("<property_group name='sundog' type='application'>"
            f"<propval name='{name}' type='astring' value='{value}'/></property_group>")


def needs(name: str, restart_on: str = "restart") -> str:
    return (f"<dependency name='{name}' grouping='require_all' restart_on='{restart_on}' type='service'>"
            f"<service_fmri value='svc:/site/{name}'/></dependency>")


DAEMON = method("start", "sleep 1000 &") + method("stop", ":kill")
