"""Two hosts and a witness on a site of its own: a client of the lab that both reach over a third network."""
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, Optional

from lab.site import layout

NODES = ("n1", "n2")
LIB = str(Path(__file__).parents[2] / "lib")


def third_site(folder: Path, name: str, net: int, quorum: str) -> Path:
    """The lab file of two hosts as lab.site makes it, with a client `third` at 10.NET.9.9 that both nodes reach."""
    file = layout(folder, name, net, NODES, quorum=quorum)
    plan: Dict[str, Any] = json.loads(file.read_text())
    plan["networks"]["third"] = {"subnet": f"10.{net}.9.0/24"}
    for number, node in enumerate(NODES, 1):
        plan["nodes"][node]["addresses"]["third"] = f"10.{net}.9.{number}/24"
    plan["clients"] = {"third": {"addresses": {"third": f"10.{net}.9.9/24"}}}
    file.write_text(json.dumps(plan))
    return file


class WitnessProcess:
    """sundogd --witness on the client `third` of a lab, with its files in `folder`."""

    def __init__(self, lab: Any, folder: Path, address: str) -> None:
        self.lab, self.folder = lab, folder
        self.store = folder / "witness"
        self.file = folder / "witness.yaml"
        self.file.write_text(f"listen: {address}:3122\ndirectory: {self.store}\nclusters:\n"
                             f"  site: {{key_file: {folder}/key}}\n")
        os.chmod(folder / "key", 0o600)
        self.process: Optional["subprocess.Popen[bytes]"] = None

    def start(self) -> None:
        self.process = self.lab.popen("third", [
            "/usr/bin/env", f"PYTHONPATH={LIB}", sys.executable, "-m", "sundog.daemon.start", "--witness", "--config",
            str(self.file)], stderr=subprocess.PIPE)
        assert self.process is not None and self.process.stderr is not None
        line = self.process.stderr.readline().decode()
        assert "witness of site" in line, line

    def stop(self) -> int:
        """SIGTERM; its exit status."""
        if self.process is None:
            return 0
        process, self.process = self.process, None
        process.send_signal(signal.SIGTERM)
        try:
            return process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        finally:
            if process.stderr is not None:
                process.stderr.close()

    def wipe(self) -> None:
        shutil.rmtree(self.store)
