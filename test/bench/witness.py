"""What a witness costs: memory, CPU and answers a second while it serves many clusters. usage: test/bench/witness.py

For each cluster a leader that writes and a follower that reads, each ten times in a timeout of 2 s, as nodes do. Then
one leader writes as fast as it can: how long an exchange takes.
"""
import argparse
import base64
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Dict, List

TOP = Path(__file__).parents[2]
sys.path.insert(0, str(TOP / "lib"))

from sundog.core.frames import Block  # noqa: E402
from sundog.core.ledger import GroupEntry, Ledger  # noqa: E402
from sundog.link.witness import Witness  # noqa: E402

BEAT_S = 0.2
KEY = bytes(range(32))


def begin(folder: Path, port: int, clusters: int) -> "subprocess.Popen[bytes]":
    key = folder / "key"
    key.touch(0o600)
    key.write_bytes(base64.b64encode(KEY))
    lines = [f"listen: 127.0.0.1:{port}", f"directory: {folder}/store", "clusters:"]
    lines += [f"  c{number}: {{key_file: {key}}}" for number in range(clusters)]
    (folder / "witness.yaml").write_text("\n".join(lines) + "\n")
    process = subprocess.Popen([sys.executable, "-m", "sundog.daemon.start", "--witness", "--config",
                                str(folder / "witness.yaml")], env={**os.environ, "PYTHONPATH": str(TOP / "lib")},
                               stderr=subprocess.PIPE)
    assert process.stderr is not None
    process.stderr.readline()
    return process


def block(writer: str, counter: int) -> Block:
    groups = {f"g{number}": GroupEntry(why="moved by an operator") for number in range(10)}
    return Block(writer, (1, writer), (1, writer), Ledger(version=1, groups=groups), 1, counter, 1, True)


def beat(port: int, cluster: str, name: str, until: float, writes: bool) -> None:
    node = Witness("127.0.0.1", port, cluster, name, KEY, 5.0)
    for counter in range(1 << 30):
        if time.monotonic() >= until:
            break
        node.exchange(block(name, counter) if writes else None)
        time.sleep(BEAT_S)
    node.close()


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def measured(port: int, pid: int, clusters: int, seconds: float) -> Dict[str, float]:
    until = time.monotonic() + seconds
    nodes: List[threading.Thread] = [
        threading.Thread(target=beat, args=(port, f"c{number}", name, until, name == "n1"))
        for number in range(clusters) for name in ("n1", "n2")]
    before, at = cpu_s(pid), time.monotonic()
    for node in nodes:
        node.start()
    for node in nodes:
        node.join()
    cpu = 100 * (cpu_s(pid) - before) / (time.monotonic() - at)
    one, took = Witness("127.0.0.1", port, "c0", "n1", KEY, 5.0), []
    for counter in range(300):
        at = time.monotonic()
        one.exchange(block("n1", counter))
        took.append(time.monotonic() - at)
    one.close()
    return {"clusters": clusters, "cpu_percent": round(cpu, 2), "resident_mb": round(resident_mb(pid), 1),
            "exchange_ms_median": round(1000 * statistics.median(took), 2),
            "exchange_ms_99": round(1000 * sorted(took)[int(len(took) * 0.99)], 2)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clusters", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--port", type=int, default=31220)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        process = begin(Path(folder), given.port, given.clusters)
        try:
            print(json.dumps(measured(given.port, process.pid, given.clusters, given.seconds)))  # noqa: T201
        finally:
            process.terminate()
            process.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
