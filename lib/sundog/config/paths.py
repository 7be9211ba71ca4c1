"""Heartbeat paths that are no networks: serial lines and shared partitions; and which two nodes meet on which link."""
import ipaddress
from typing import Any, ClassVar, Dict, List, Mapping, Optional, Tuple, Union

from sundog.config.fields import AbsPath, Name, Network
from sundog.config.model import Cluster, DiskHolder, DiskLink, LanLink, NodeSpec, SerialLink
from sundog.config.problems import RISK, Mark
from sundog.config.shape import Integer, Key, ListOf, Named, Record, Report, Scalar, Section, Typed

Link = Union[LanLink, SerialLink, DiskLink]


class Speed(Integer):
    """Bits a second, as termio(4I) knows them."""
    known: ClassVar[Tuple[int, ...]] = (9600, 19200, 38400, 57600, 115200, 230400, 460800)

    def read(self, node: Any, report: Report, path: str) -> Any:
        value = super().read(node, report, path)
        if value is not None and value not in self.known:
            report.say(Mark(node.start_mark.line + 1, node.start_mark.column + 1), f"{path} is {value}",
                       f"write one of {', '.join(map(str, self.known))}")
            return None
        return value


LINK = Typed({
    "lan": Section({
        "type": Key(Scalar(Name), required=True),
        "network": Key(Scalar(Network), required=True),
        "port": Key(Integer(1, 65535)),
    }),
    "serial": Section({
        "type": Key(Scalar(Name), required=True),
        "nodes": Key(ListOf(Scalar(Name), least=1), required=True),
        "device": Key(Scalar(AbsPath)),
        "devices": Key(Named(Scalar(AbsPath), least=1)),
        "speed": Key(Speed()),
    }),
    "disk": Section({
        "type": Key(Scalar(Name), required=True),
        "device": Key(Scalar(AbsPath), required=True),
    }),
})


def check(top: Record, report: Report) -> None:
    """What serial and disk links must be to each other and to the rest of the file."""
    lines: Dict[Tuple[str, str], Tuple[str, Mark]] = {}
    disks: Dict[str, Tuple[str, Mark]] = {}
    holders = {holder.value("device"): name for name, holder in top.record("quorum").record("holders").records()}
    for name, link in top.record("links").records():
        kind = str(link.value("type", ""))
        if kind == "serial":
            _check_serial(name, link, top, lines, report)
        elif kind == "disk" and "device" in link:
            device, mark, _ = link["device"]
            _once(disks, device, name, mark, report)
            holder = holders.get(device)
            if holder is not None and holder != name:
                report.say(mark, f"device {device} of link {name} is that of holder {holder}",
                           f"give both one name, or leave the link out: holder {holder} carries the pulse by itself")


def _once(known: Dict[Any, Tuple[str, Mark]], at: Any, name: str, mark: Mark, report: Report) -> None:
    if at in known:
        device = at if isinstance(at, str) else at[1]
        report.say(mark, f"device {device} of link {name} is link {known[at][0]}'s already, line {known[at][1].line}",
                   "give every link a device of its own")
    known[at] = (name, mark)


def _check_serial(name: str, link: Record, top: Record, lines: Dict[Any, Tuple[str, Mark]], report: Report) -> None:
    ends = _ends(name, link, top, report)
    devices = link.record("devices")
    if ("device" in link) == ("devices" in link):
        report.say(link.mark, f"link {name} has {'both device and devices' if 'device' in link else 'no device'}",
                   "write 'device: /dev/cua/a', or 'devices: {n1: /dev/cua/a, n2: /dev/cua/b}'")
        return
    for node, mark in devices.names.items():
        if ends and node not in ends:
            report.say(mark, f"node {node} is not at an end of link {name}", f"it joins {' and '.join(ends)}")
    for node in ends:
        found = link["device"] if "device" in link else devices.get(node)
        if found is None:
            report.say(link.mark, f"link {name} has no device on node {node}", f"add {node} to its devices")
        else:
            _once(lines, (node, str(found.value)), name, found.mark, report)


def _ends(name: str, link: Record, top: Record, report: Report) -> List[str]:
    """The two nodes that a serial line joins; none, and a problem, if they are not two."""
    if "nodes" not in link:
        return []
    nodes, mark, _ = link["nodes"]
    ends = [str(node.value) for node in nodes]
    for node in nodes:
        if str(node.value) not in top.record("nodes").names:
            report.say(node.mark, f"link {name}: there is no node {node.value}",
                       f"name two of {', '.join(top.record('nodes').names)}")
            return []
    if len(ends) != 2 or ends[0] == ends[1]:
        report.say(mark, f"serial link {name} joins {len(set(ends))} nodes", "name the two nodes at its ends")
        return []
    return ends


def check_enough(top: Record, report: Report, lans: int) -> None:
    """One path that fails must not look like a node that fails."""
    links = top.record("links")
    holders = top.record("quorum").record("holders").names
    if len(links.names) == 1 and len(top.record("nodes").names) > 1:
        pulse = " (the vote disk tells a cut-off node from a dead one, but carries no lease)" if holders else ""
        report.say(top["links"].key, f"link {next(iter(links.names))} is the only one: when it fails, nodes reset "
                   f"themselves{pulse}", "add a second link over other switches, or a serial line", RISK)
    elif not lans and links.names:
        report.say(top["links"].key, "no link is a LAN: a serial line is slow, and a disk carries no lease",
                   "add a link of type lan")


def build(links: Record) -> Mapping[str, Link]:
    """The links of a file without errors."""
    return {name: _link(name, link) for name, link in links.records()}


def _link(name: str, link: Record) -> Link:
    kind = str(link.value("type"))
    if kind == "disk":
        return DiskLink(name, str(link.value("device")))
    if kind == "serial":
        ends = [str(node.value) for node in link.value("nodes")]
        devices = {node: str(found.value) for node, found in link.record("devices").items()}
        return SerialLink(name, {node: devices.get(node) or str(link.value("device")) for node in ends},
                          link.value("speed", SerialLink.speed))
    return LanLink(name, str(link.value("network")), link.value("port", LanLink.port))


def address_on(node: NodeSpec, link: LanLink) -> Optional[str]:
    """The node's address in the link's network, None when it is not on it."""
    network = ipaddress.ip_network(link.network)
    return next((one for one in node.addresses if ipaddress.ip_address(one) in network), None)


def seats(cluster: Cluster, node: str) -> Mapping[str, Tuple[str, int]]:
    """LAN link -> the node's address on it and the link's port."""
    found = {}
    for name, link in cluster.links.items():
        address = address_on(cluster.nodes[node], link) if isinstance(link, LanLink) else None
        if isinstance(link, LanLink) and address is not None:
            found[name] = (address, link.port)
    return found


def shared(cluster: Cluster, one: str, other: str) -> Tuple[str, ...]:
    """The links on which frames go between two nodes: networks that both are in, serial lines that join them."""
    lans = seats(cluster, one).keys() & seats(cluster, other).keys()
    return tuple(name for name, link in cluster.links.items()
                 if name in lans or (isinstance(link, SerialLink) and link.devices.keys() == {one, other}))


def pulsing(cluster: Cluster) -> Tuple[str, ...]:
    """The shared partitions on which every node shows its pulse: those that vote, and those that are only links."""
    votes = {name for name, holder in cluster.holders.items() if isinstance(holder, DiskHolder)}
    return tuple(sorted({*votes, *cluster.beating}))
