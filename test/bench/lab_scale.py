"""How a large lab does: the time until 8 nodes with 20 SMF instances each are up, their cost idle, and their memory.

usage: python test/bench/lab_scale.py [--nodes N] [--instances N] [--idle SECONDS] [--json FILE]. As root, on an idle
machine. CPU time is of the lab's control group; memory is the proportional set size (PSS) of its processes. Exit 1
when a bound is missed: up in 20 s, idle under 5 % of one core in all.
"""
import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Dict

TOP = Path(__file__).parents[2]
sys.path.insert(0, str(TOP / "lib"))

from sunlab.lab import Lab  # noqa: E402

UP_S = 20.0
IDLE_PERCENT = 5.0
DOCTYPE = "<!DOCTYPE service_bundle SYSTEM '/usr/share/lib/xml/dtd/service_bundle.dtd.1'>"
SERVICE = """<service name='site/s{number}' type='service' version='1'><create_default_instance enabled='true'/>
<dependency name='net' grouping='require_all' restart_on='none' type='service'>
<service_fmri value='svc:/milestone/multi-user'/></dependency>
<exec_method type='method' name='start' exec='sleep 100000 &amp;' timeout_seconds='60'/>
<exec_method type='method' name='stop' exec=':kill' timeout_seconds='60'/></service>"""


def plan(nodes: int, instances: int, folder: Path) -> Dict[str, Any]:
    services = "".join(SERVICE.format(number=number) for number in range(instances))
    manifest = folder / "scale.xml"
    manifest.write_text(f"{DOCTYPE}<service_bundle type='manifest' name='scale'>{services}</service_bundle>")
    return {"lab": f"sz{os.getpid() % 100000}", "networks": {"public": {"subnet": "10.0.0.0/24"}},
            "nodes": {f"n{i}": {"addresses": {"public": f"10.0.0.{i}/24"}} for i in range(1, nodes + 1)},
            "files": {"/lib/svc/manifest/site/scale.xml": str(manifest)}}


def online(lab: Lab, node: str) -> int:
    states = lab.exec(node, ["svcs", "-Ho", "state", "site/*"], check=False).stdout.split()
    return states.count("online")


def cpu_s(lab: Lab) -> float:
    """CPU seconds that the lab's processes have used, ended ones too."""
    stat = (lab.places.cgroup() / "cpu.stat").read_text()
    return int(dict(line.split() for line in stat.splitlines())["usage_usec"]) / 1e6


def resident_mb(lab: Lab) -> float:
    """PSS of everything in the lab's control groups, so that what nodes share counts once."""
    total = 0
    for procs in lab.places.cgroup().glob("**/cgroup.procs"):
        for pid in procs.read_text().split():
            try:
                rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
            except OSError:
                continue
            total += sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    return total / 1024


def measure(nodes: int, instances: int, idle_s: float) -> Dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        with Lab.up(plan(nodes, instances, Path(folder))) as lab:
            for node in lab.spec.nodes:
                lab.wait_booted(node)
                while online(lab, node) < instances:
                    time.sleep(0.1)
            up_s = time.monotonic() - began
            used, since = cpu_s(lab), time.monotonic()
            time.sleep(idle_s)
            percent = 100 * (cpu_s(lab) - used) / (time.monotonic() - since)
            return {"nodes": nodes, "instances": instances, "up_s": round(up_s, 2), "idle_percent": round(percent, 2),
                    "mb_per_node": round(resident_mb(lab) / nodes, 1)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, default=8)
    parser.add_argument("--instances", type=int, default=20)
    parser.add_argument("--idle", type=float, default=20.0, metavar="SECONDS")
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    found = measure(options.nodes, options.instances, options.idle)
    print(f"{options.nodes} nodes with {options.instances} instances each: up in {found['up_s']} s (bound {UP_S:g}), "
          f"idle {found['idle_percent']} % of one core in all (bound {IDLE_PERCENT:g}), "
          f"{found['mb_per_node']} MB a node")
    if options.json:
        Path(options.json).write_text(json.dumps(found) + "\n")
    return 0 if found["up_s"] < UP_S and found["idle_percent"] < IDLE_PERCENT else 1


if __name__ == "__main__":
    sys.exit(main())
