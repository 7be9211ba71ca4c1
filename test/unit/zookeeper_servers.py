"""Real ZooKeeper servers (Debian's package), each a process of its own with its files in a folder."""
import os
import socket
import subprocess
import time
from pathlib import Path
from typing import Callable, Dict, List, Optional, Sequence

JAR = "/usr/share/java/zookeeper.jar"     # its manifest names the others
#: A small heap: three of them run side by side.
JAVA = ("/usr/bin/java", "-Xmx96m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
        "-Dzookeeper.4lw.commands.whitelist=*", "-Dzookeeper.admin.enableServer=false", "-cp", JAR,
        "org.apache.zookeeper.server.quorum.QuorumPeerMain")

Popen = Callable[[Sequence[str]], "subprocess.Popen[bytes]"]


def free_ports(count: int, address: str = "127.0.0.1") -> List[int]:
    socks = [socket.socket() for _ in range(count)]
    try:
        for sock in socks:
            sock.bind((address, 0))
        return [sock.getsockname()[1] for sock in socks]
    finally:
        for sock in socks:
            sock.close()


def here(argv: Sequence[str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Servers:
    """An ensemble of `count` servers at `address`. `popen` starts a command where the servers are to be."""

    def __init__(self, folder: Path, count: int, address: str = "127.0.0.1", ports: Optional[List[int]] = None,
                 popen: Popen = here) -> None:
        self.folder, self.address, self.popen = folder, address, popen
        self.ports = ports or free_ports(3 * count, address)
        self.names = tuple(f"{address}:{self.ports[3 * number]}" for number in range(count))
        self.processes: Dict[int, "subprocess.Popen[bytes]"] = {}
        members = [f"server.{number + 1}={address}:{self.ports[3 * number + 1]}:{self.ports[3 * number + 2]}"
                   for number in range(count)] if count > 1 else []
        for number in range(count):
            data = folder / f"zk{number}"
            data.mkdir(parents=True)
            (data / "myid").write_text(str(number + 1))
            (data / "zoo.cfg").write_text("\n".join([
                "tickTime=500", "initLimit=20", "syncLimit=10", f"dataDir={data}",
                f"clientPort={self.ports[3 * number]}", f"clientPortAddress={address}",
                "minSessionTimeout=1000", *members, ""]))

    def start(self, *numbers: int) -> None:
        for number in numbers or range(len(self.names)):
            self.processes[number] = self.popen([*JAVA, str(self.folder / f"zk{number}" / "zoo.cfg")])

    def kill(self, number: int) -> None:
        process = self.processes.pop(number)
        process.kill()
        process.wait()

    def end(self) -> None:
        for number in list(self.processes):
            self.kill(number)

    def ask(self, number: int, word: str) -> str:
        """A four-letter word's answer; "" while the server gives none."""
        try:
            with socket.create_connection((self.address, self.ports[3 * number]), timeout=5) as sock:
                sock.sendall(word.encode())
                return b"".join(iter(lambda: sock.recv(65536), b"")).decode()
        except OSError:
            return ""

    def until_serving(self, within_s: float = 90.0) -> None:
        end = time.monotonic() + within_s
        while not all("Mode: " in self.ask(number, "srvr") for number in self.processes):
            assert time.monotonic() < end, "the ensemble does not serve"
            time.sleep(0.1)

    def leader(self) -> int:
        return next(number for number in self.processes if "Mode: leader" in self.ask(number, "srvr"))

    def requests(self) -> int:
        """Packets that the servers have had from clients so far, pings and these questions included."""
        rows = (row.split() for number in self.processes for row in self.ask(number, "mntr").splitlines())
        return sum(int(row[1]) for row in rows if row and row[0] == "zk_packets_received")


def installed() -> bool:
    return os.path.exists(JAR) and os.path.exists("/usr/bin/java")
