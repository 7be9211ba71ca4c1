"""What this host lacks to be a node of a cluster: `sundog check --here`. Nothing is changed, no fence device asked."""
import os
from typing import List, Optional

from sundog.config.model import Cluster, DiskHolder, LanLink, PassiveHolder, SerialLink, WitnessHolder
from sundog.config.paths import Link, address_on

PARTITION = "check the disk's path with 'format', and run this as root"
PORT = "'ls -lL /dev/cua /dev/term' shows the ports and whose they are; run this as root"


def objections(cluster: Cluster) -> List[str]:
    """What this host lacks to be a node of `cluster`."""
    from importlib.util import find_spec

    from sundog.errors import ConfigProblem
    from sundog.link.key import load_key
    from sundog.solaris.watchdog import missing
    found = []
    try:
        load_key(cluster.key_file)
    except ConfigProblem as error:
        found.append(str(error))
    name = os.uname().nodename.split(".")[0]
    if name not in cluster.nodes:
        found.append(f"its name {name} is not among the nodes; name it as 'hostname' prints it, without the domain")
    found += [text for holder in cluster.holders.values() for text in holder_objections(holder)]
    if name in cluster.nodes:
        found += [text for link in cluster.links.values() for text in link_objections(cluster, name, link)]
    if any(isinstance(link, SerialLink) for link in cluster.links.values()) and find_spec("serial") is None:
        found.append("a serial link is configured and pyserial is not installed: pip install pyserial")
    if cluster.protection.watchdog:
        found += missing(cluster.protection.watchdog)
    return found + fence_objections(cluster)


def link_objections(cluster: Cluster, name: str, link: Link) -> List[str]:
    """What this host lacks to be `name` on a link."""
    if isinstance(link, LanLink):
        address = address_on(cluster.nodes[name], link)
        return [] if address is None else address_objections(link.name, address)
    if isinstance(link, SerialLink):
        return device_objections(f"link {link.name}", link.devices.get(name), PORT)
    voting = any(isinstance(holder, DiskHolder) and holder.device == link.device for holder in cluster.holders.values())
    return device_objections(f"link {link.name}", None if voting else link.device, PARTITION)


def device_objections(what: str, device: Optional[str], remedy: str) -> List[str]:
    """None: there is nothing to look at."""
    if device is None or os.access(device, os.R_OK | os.W_OK):
        return []
    trouble = "cannot be read and written" if os.path.exists(device) else "is not there"
    return [f"{what}: {device} {trouble}; {remedy}"]


def address_objections(link: str, address: str) -> List[str]:
    """An address that can be bound is this host's."""
    import socket
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.bind((address, 0))
        except OSError as error:
            return [f"link {link}: {address} cannot be used here: {error.strerror}; 'ipadm show-addr' lists the "
                    "addresses of this host"]
    return []


def holder_objections(holder: PassiveHolder) -> List[str]:
    """What this host lacks to use a vote holder."""
    from sundog.errors import ConfigProblem
    if isinstance(holder, DiskHolder):
        return device_objections(f"holder {holder.name}", holder.device, PARTITION)
    if isinstance(holder, WitnessHolder):
        return [unreached("witness " + holder.name, holder.address, holder.port)] * (
            not reached(holder.address, holder.port))
    from sundog.link.zookeeper import password_of, require_kazoo
    found = []
    try:
        require_kazoo()
        if holder.user:
            password_of(holder.password_file)
    except ConfigProblem as error:
        found.append(str(error))
    servers = [server.rpartition(":") for server in holder.servers]
    return found + [unreached("ZooKeeper server", host.strip("[]"), int(port)) for host, _, port in servers
                    if not reached(host.strip("[]"), int(port))]


def reached(address: str, port: int) -> bool:
    import socket
    try:
        socket.create_connection((address, port), timeout=3).close()
    except OSError:
        return False
    return True


def unreached(what: str, address: str, port: int) -> str:
    return f"{what}: {address} port {port} takes no connection from here; does it run, and may this host reach it?"


def fence_objections(cluster: Cluster) -> List[str]:
    """What this host lacks to use the fence devices: password files, ipmitool, agents. No device is asked."""
    from sundog.fence.device import FenceFailed
    from sundog.fence.sequence import device_of
    found = []
    for node, levels in cluster.fence.items():
        for level in levels:
            try:
                device_of(level, node).ready()
            except FenceFailed as error:
                found.append(f"fence device of {node}: {error}")
    return list(dict.fromkeys(found))
