"""A node's disk driver from the host's side: starting it with the node, and what is wrong with its disks."""
import contextlib
import os
import time
from typing import Dict

from sunlab import array
from sunlab.disks import server
from sunlab.places import Places
from sunlab.spec import NodeSpec, Spec
from sunlab.zones.registry import alive

_DRIVER_WITHIN_S = 10.0
_AGAIN_S = 0.02


class DriverFailed(RuntimeError):
    """The node's disk driver did not do as told; the text says what it answered."""


def start(spec: Spec, places: Places, node: NodeSpec, root: str) -> None:
    """Called by the node's first process, in its namespaces; a node without disks has no driver."""
    if node.disks:
        server.start(root, {name: str(places.disks / name) for name in node.disks}, faults(places, node.name),
                     tuple(name for name in node.disks if name in spec.faulty), places.driver_cgroup(node.name),
                     array.units(spec, node.name))


def faults(places: Places, node: str) -> Dict[str, str]:
    """Disk -> its fault, of those that have one."""
    found = {}
    for path in sorted(places.faults(node).glob("*")):
        with contextlib.suppress(FileNotFoundError):        # healed meanwhile
            found[path.name] = path.read_text()
    return found


def set_fault(places: Places, node: str, disk: str, fault: str, pid: int) -> None:
    """From now on, and over a boot. `pid`: the node's init; 0 when it is off. Raises DriverFailed, OSError."""
    mark = places.faults(node) / disk
    mark.parent.mkdir(exist_ok=True)
    if fault == "ok":
        mark.unlink(missing_ok=True)
    else:
        fresh = mark.parent.with_name(f"fault.{os.getpid()}")
        fresh.write_text(fault)
        os.replace(fresh, mark)         # a node that boots meanwhile must not find half of it
    wrong = _ask(pid, f"fault {disk} {fault}") if pid else ""
    if wrong:
        raise DriverFailed(f"node {node}: {wrong}")


def _ask(pid: int, message: str) -> str:
    """Tell the driver of the node that has this init; what is wrong. A node that ends meanwhile need not be told.

    Raises OSError when the driver of a node that boots does not come up.
    """
    until = time.monotonic() + _DRIVER_WITHIN_S
    while True:
        try:
            return server.ask(f"/proc/{pid}/root{server.SOCKET}", message)
        except (FileNotFoundError, ConnectionError, NotADirectoryError):
            if not alive(pid):
                return ""
            if time.monotonic() > until:
                raise
            time.sleep(_AGAIN_S)
