"""A peer's host: a network namespace of the lab's (one of its `clients`) with mount, pid, UTS and IPC namespaces.

What the peer's daemons write is on tmpfs of the host's own, so that they find nothing of the machine or of each other.
A power cut is SIGKILL to its process 1, and its cables are out until it boots again.
"""
import os
import shlex
import signal
import subprocess
import time
from pathlib import Path
from typing import Dict, List, Optional, Sequence

from sunlab import network
from sunlab.lab import Lab

#: Kept in the host's own memory: place -> its owner and mode.
_OWN = {"/run": ("root:root", "755"), "/dev/shm": ("root:root", "1777"), "/var/tmp": ("root:root", "1777"),
        "/var/log": ("root:root", "755"), "/etc/corosync": ("root:root", "755"),
        "/var/lib/corosync": ("root:root", "755"),
        "/var/lib/pacemaker": ("hacluster:haclient", "750")}
_CIB = ("mkdir -p /var/lib/pacemaker/cib /var/lib/pacemaker/pengine /var/lib/pacemaker/blackbox "
        "/var/lib/pacemaker/cores /var/log/pacemaker /var/log/cluster && chown -R hacluster:haclient "
        "/var/lib/pacemaker /var/log/pacemaker")
PACKAGES = ("pacemaker", "pacemaker-cli-utils", "corosync", "resource-agents", "keepalived")


def install() -> None:
    """Debian's packages, without starting a service of this host: policy-rc.d says no meanwhile."""
    missing = [name for name in PACKAGES if "install ok installed" not in subprocess.run(
        ["dpkg-query", "-W", "-f", "${Status}", name], capture_output=True, text=True, check=False).stdout]
    if not missing:
        return
    policy = Path("/usr/sbin/policy-rc.d")
    ours = not policy.exists()
    if ours:
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
    try:
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-qq"], env=environment, check=True)
        subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing], env=environment,
                       check=True, stdout=subprocess.DEVNULL)
    finally:
        if ours:
            policy.unlink()


class Host:
    """One host of a peer cluster. `files`: path -> text, that its daemons read; `start`: shell lines run at boot."""

    def __init__(self, lab: Lab, name: str, files: Dict[str, str], start: Sequence[str]) -> None:
        self.lab, self.name, self.files, self.start = lab, name, files, start
        self.process: Optional["subprocess.Popen[bytes]"] = None
        self.pid = 0

    def boot(self) -> None:
        """As a host that has just been installed: what an earlier boot wrote is gone."""
        for number, address in enumerate(self.lab.spec.clients[self.name].values()):
            self._cable(number, "up")
            network.batch(self.lab.places.client_netns(self.name),
                          [f"address flush dev net{number}", f"address add {address} dev net{number}"])
        with open(self.lab.places.top / f"{self.name}.log", "ab") as log:
            self.process = self.lab.popen(self.name, ["unshare", "-m", "-p", "-u", "-i", "--fork", "--kill-child",
                                                      "--mount-proc", "/bin/sh", "-c", self._script()],
                                          stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + 30
        while not self._find():
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise RuntimeError(f"{self.name} does not boot: {Path(log.name).read_text()[-500:]}")
            time.sleep(0.01)

    def _script(self) -> str:
        lines = ["set -e", "mount --make-rprivate /", f"hostname {self.name}"]
        lines += [f"mount -t tmpfs -o mode={mode} none {place} && chown {owner} {place}"
                  for place, (owner, mode) in _OWN.items()]
        lines += [_CIB]
        for path, text in self.files.items():
            lines += [f"mkdir -p {os.path.dirname(path)}", f"printf %s {shlex.quote(text)} > {path}",
                      f"chmod 600 {path}"]
        # Something must stay process 1 and reap: a shell that waits does.
        return "\n".join([*lines, *self.start, "touch /run/booted", "while :; do sleep 1000 & wait $!; done"])

    def _find(self) -> bool:
        assert self.process is not None
        try:
            children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        except OSError:
            return False
        if not children or not Path(f"/proc/{children[0]}/root/run/booted").exists():
            return False
        self.pid = int(children[0])
        return True

    def cut(self) -> None:
        """Power cut: everything in the host is dead when this returns, its cables first."""
        os.kill(self.pid, signal.SIGKILL)
        for number in range(len(self.lab.spec.clients[self.name])):
            self._cable(number, "down")
        if self.process is not None:
            self.process.wait(10)
        self.pid = 0

    def _cable(self, number: int, state: str) -> None:
        network.batch(self.lab.places.netns, [f"link set {network.cable(self.name, number)} {state}"])

    def run(self, argv: List[str], text: str = "") -> "subprocess.CompletedProcess[str]":
        """A command in the host, to its end."""
        return subprocess.run(["nsenter", "-t", str(self.pid), "-m", "-p", "-u", "-i", "-n", *argv], input=text,
                              capture_output=True, text=True, check=False, timeout=30)

    def processes(self) -> List[int]:
        """The machine's pids of what runs in the host."""
        text = (self.lab.places.client_cgroup(self.name) / "cgroup.procs").read_text()
        return [int(pid) for pid in text.split()]
