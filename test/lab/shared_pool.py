"""A lab of two hosts that share one disk, and a client on their network; and a zone on a pool of that disk."""
import os
import time
from pathlib import Path
from typing import Callable, List

from sunlab.lab import Lab

PLAN = """
lab: {name}
networks:
  public: {{subnet: 10.79.0.0/24}}
disks:
  c0t1d0s0: {{size: 96M}}
nodes:
  n1: {{addresses: {{public: 10.79.0.1/24}}}}
  n2: {{addresses: {{public: 10.79.0.2/24}}}}
clients:
  client: {{addresses: {{public: 10.79.0.200/24}}}}
"""
CONFIGURE = ("create -b; set zonepath=/shop/web1; set autoboot=false; "
             "add net; set physical=net0; set address=10.79.0.77/24; end")
SERVICE = """<!DOCTYPE service_bundle SYSTEM '/usr/share/lib/xml/dtd/service_bundle.dtd.1'>
<service_bundle type='manifest' name='t'>
<service name='site/page' type='service' version='1'><create_default_instance enabled='true'/>
<exec_method type='method' name='start' timeout_seconds='10'
 exec="/sbin/sh -c 'sleep 10000 &amp; echo $! > /var/run/page.pid'"/>
<exec_method type='method' name='stop' timeout_seconds='10'
 exec="/sbin/sh -c 'touch /root/stopped; kill $(cat /var/run/page.pid)'"/>
</service></service_bundle>"""


class Hosts:
    def __init__(self, lab: Lab) -> None:
        self.lab = lab

    def sh(self, where: str, line: str) -> str:
        """Run a line of shell; it must succeed."""
        return self.lab.exec(where, ["/bin/sh", "-c", line]).stdout.strip()

    def fails(self, where: str, line: str) -> str:
        """The same, and it must exit 1; what it said on stderr."""
        done = self.lab.exec(where, ["/bin/sh", "-c", line], check=False)
        assert done.returncode == 1, done
        return done.stderr.strip()

    def until(self, holds: Callable[[], bool], what: str, within_s: float = 20.0) -> None:
        deadline = time.monotonic() + within_s
        while not holds():
            assert time.monotonic() < deadline, f"waited in vain for {what}"
            time.sleep(0.005)

    def state(self, node: str) -> str:
        rows = self.sh(node, "zoneadm list -cp").splitlines()
        return next(row.split(":")[2] for row in rows if row.split(":")[1] == "web1")

    def service(self, node: str, name: str) -> str:
        return self.lab.exec(node, ["svcs", "-z", "web1", "-Ho", "state", name], check=False).stdout.strip()

    def boot_zone(self, node: str) -> None:
        """Until its services are up."""
        self.sh(node, "zoneadm -z web1 boot")
        self.until(lambda: self.service(node, "multi-user-server") == "online", "the zone's milestone")

    def left_of_zone(self, node: str) -> List[str]:
        """Control groups of the zone that are still there."""
        return [line for line in self.sh(node, "ls /system/contract").splitlines() if line.startswith("zone.")]


def build(folder: Path, name: str) -> Lab:
    """Two booted hosts. The lab's name is made unique, as others may run labs on this machine."""
    plan = folder / "lab.yaml"
    plan.write_text(PLAN.format(name=f"{name}{os.getpid() % 100000}"))
    lab = Lab.up(plan)
    try:
        for node in lab.spec.nodes:
            lab.wait_booted(node)
    except BaseException:
        lab.down()
        raise
    return lab
