"""A lab's topology as text: networks and who is on them, nodes with their power, disks and zones. Pure."""
from typing import Any, List, Mapping

from sunlab.spec import Spec


def draw(spec: Spec, status: Mapping[str, Any], zones: Mapping[str, List[str]]) -> str:
    """`status` is Lab.status()'s; `zones`: node -> `NAME STATE`, of nodes that could be asked."""
    lines = [f"lab {spec.lab}"]
    for network, subnet in spec.networks.items():
        lines += ["", f"{network}  {subnet}", "=" * 60]
        for name, node in spec.nodes.items():
            number = list(node.addresses).index(network) if network in node.addresses else -1
            if number >= 0:
                lines.append(f"  |-- {name:<12}net{number}  {node.addresses[network]}")
            if node.bmc and network in node.bmc.addresses:
                lines.append(f"  |-- {name:<12}bmc   {node.bmc.addresses[network]}")
        for name, addresses in spec.clients.items():
            if network in addresses:
                lines.append(f"  |-- {name:<12}      {addresses[network]}  (client)")
        for name, nas in spec.nas.items():
            if network in nas.addresses:
                lines.append(f"  |-- {name:<12}      {nas.addresses[network]}  (NAS)")
    lines.append("")
    for name, nas in spec.nas.items():
        lines.append(f"[{name}]  {status['nas'][name]['power']}, NAS, exports {' '.join(nas.exports)}")
    for name, node in spec.nodes.items():
        known = status["nodes"][name]
        power = "frozen" if known["frozen"] else known["power"]
        lines.append(f"[{name}]  {power}, {node.platform}, hostid {node.hostid:08x}")
        if node.disks:
            faults = known["faults"]
            lines.append("  disks  " + " ".join(f"{disk} ({faults[disk]})" if disk in faults else disk
                                                for disk in node.disks))
        lines += [f"  zone   {zone}" for zone in zones.get(name, [])]
    for disk, size in spec.disks.items():
        users = [name for name, node in spec.nodes.items() if disk in node.disks]
        lines.append(f"({disk})  {size >> 20} MiB, on {' '.join(users) or 'no node'}")
    return "\n".join(lines)
