"""How fast a lab host's SMF commands answer, as whole processes: on an idle host, and with many instances.

usage: python test/bench/smf_commands.py [--instances 2000] [--rounds 20] [--json FILE]. As root. Milliseconds, measured
inside the host by a shell, so without what it costs to enter it.
"""
import argparse
import json
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Dict, List

TOP = Path(__file__).parents[2]
sys.path.insert(0, str(TOP / "lib"))

from sunlab.lab import Lab  # noqa: E402

DTD = "/usr/share/lib/xml/dtd/service_bundle.dtd.1"
ZONES = "svc:/system/zones:default"
COMMANDS = (f"svcs {ZONES}", "svcs -a", f"svcprop -p restarter/state {ZONES}", f"svcprop {ZONES}",
            f"svcadm refresh {ZONES}", f"svcs -x {ZONES}")
TIMER = """import os, sys, time
for _ in range(int(sys.argv[1])):
    began = time.perf_counter()
    pid = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ,
                         file_actions=[(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)])
    os.waitpid(pid, 0)
    print(time.perf_counter() - began)
"""


def measure(lab: Lab, command: str, rounds: int) -> List[float]:
    name, *rest = command.split()
    path = f"/usr/sbin/{name}" if name == "svcadm" else f"/usr/bin/{name}"
    said = lab.exec("n1", ["/usr/bin/python3", "-IS", "-c", TIMER, str(rounds), path, *rest]).stdout
    return [1000 * float(line) for line in said.split()]


def many(instances: int) -> str:
    found = "".join(f"<instance name='i{number}' enabled='false'/>" for number in range(instances))
    return (f"<!DOCTYPE service_bundle SYSTEM '{DTD}'>"
            "<service_bundle type='manifest' name='many'><service name='site/many' type='service' version='1'>"
            "<exec_method type='method' name='start' exec=':true' timeout_seconds='10'/>"
            f"<exec_method type='method' name='stop' exec=':true' timeout_seconds='10'/>{found}</service>"
            "</service_bundle>")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--instances", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    found: Dict[str, Dict[str, float]] = {}
    with Lab.up({"lab": f"smf{os.getpid() % 10000}", "networks": {"public": {"subnet": "10.88.0.0/24"}},
                 "nodes": {"n1": {"addresses": {"public": "10.88.0.1/24"}}}}) as lab:
        lab.wait_booted("n1", 60)

        def note(label: str, times: List[float]) -> None:
            found[label] = {"median_ms": statistics.median(times), "min_ms": min(times), "max_ms": max(times)}
            median = statistics.median(times)
            print(f"{label:<68} median {median:8.1f} ms  min {min(times):8.1f}  max {max(times):8.1f}", flush=True)

        for command in COMMANDS:
            note(command, measure(lab, command, options.rounds))
        lab.exec("n1", ["/bin/sh", "-c", "cat > /var/tmp/many.xml"], input=many(options.instances))
        began = time.perf_counter()
        lab.exec("n1", ["svccfg", "import", "/var/tmp/many.xml"], timeout=600)
        note(f"svccfg import of {options.instances} instances", [1000 * (time.perf_counter() - began)])
        for command in COMMANDS:
            note(f"{command}, with {options.instances} more", measure(lab, command, options.rounds))
    if options.json:
        Path(options.json).write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
