"""A lab's wires: bridges in a network namespace of the lab's own, a cable from each node's interface to its bridge.

Nothing here is visible on the host's own network. Cutting is done by nftables in the lab's namespace, on the bridges,
so that an interface stays up while its frames are lost, as behind a failed switch.
"""
import subprocess
from pathlib import Path
from typing import Dict, Iterable, List, Mapping, Optional, Sequence

from sunlab.places import Places
from sunlab.spec import Spec

TABLE = "bridge sunlab"
NEIGHBOURS = tuple(Path(f"/proc/sys/net/{family}/neigh/default") for family in ("ipv4", "ipv6"))
_ROOM = (2, 3, 4)                       # gc_thresh1, 2 and 3, of what the hosts need: below the first nothing expires


class CommandFailed(Exception):
    """A command of the host failed; the text says which and what it printed."""


def run(argv: Sequence[str], text: str = "") -> str:
    done = subprocess.run(list(argv), input=text, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CommandFailed(f"{' '.join(argv)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def bridge(spec: Spec, network: str) -> str:
    """The switch of a network; one may be a second set of ports on another's."""
    return f"br{list(spec.networks).index(spec.switches.get(network, network))}"


def unplugged(places: Places, end: str) -> Path:
    """This file is there while the cable's end is out of the node."""
    return places.top / "unplugged" / end


def cable(node: str, number: int) -> str:
    """The bridge's end of the cable to interface net<number> of a node."""
    return f"{node}.{number}"


def bmc(node: str) -> str:
    """What a node's controller is called on the wires."""
    return f"{node}.b"


def bmcs(spec: Spec) -> Dict[str, Mapping[str, str]]:
    """Name -> addresses of the nodes' controllers."""
    return {bmc(name): node.bmc.addresses for name, node in spec.nodes.items() if node.bmc}


def mac(spec: Spec, name: str, number: int) -> str:
    """An interface keeps its address over a boot, as hardware does; 02:08:20 is how Solaris begins those of a VNIC."""
    host = [*spec.hosts, *bmcs(spec)].index(name)
    return f"02:08:20:{host >> 8:02x}:{host & 255:02x}:{number:02x}"


def build(spec: Spec, places: Places) -> None:
    """The lab's namespace with a bridge for each network, and the namespaces of clients and controllers."""
    make_room(sum(len(spec.hosts) - 1 for addresses in spec.hosts.values() for _ in addresses))
    run(["ip", "netns", "add", places.netns])
    lines = ["link set lo up"]
    for network in spec.networks:
        if network in spec.switches:
            continue
        name = bridge(spec, network)
        lines += [f"link add {name} type bridge forward_delay 0 mcast_snooping 0", f"link set {name} up"]
    batch(places.netns, lines)
    run(["ip", "netns", "exec", places.netns, "nft", "-f", "-"],
        f"table {TABLE} {{\n set paused {{ type ifname; }}\n"
        " chain pauses { type filter hook forward priority -1; iifname @paused drop; oifname @paused drop; }\n"
        " chain cuts { type filter hook forward priority 0; policy accept; }\n}\n")
    for client, addresses in {**spec.clients, **bmcs(spec)}.items():
        build_host(spec, places, client, addresses)


def make_room(pairs: int, tables: Sequence[Path] = NEIGHBOURS) -> None:
    """All hosts share this kernel's table of neighbours (arp(7)): raise its limits where `pairs` would overflow it.

    They stay raised: other labs may have come to need them.
    """
    for table in tables:
        for number, factor in enumerate(_ROOM, 1):
            limit = table / f"gc_thresh{number}"
            if limit.exists() and int(limit.read_text()) < factor * pairs:
                limit.write_text(f"{factor * pairs}\n")


def build_host(spec: Spec, places: Places, name: str, addresses: Mapping[str, str]) -> None:
    """The namespace of a host that is no node: a client, a controller, a NAS."""
    run(["ip", "netns", "add", places.client_netns(name)])
    connect(spec, places, name, addresses, places.client_netns(name))
    lines = ["link set lo up"]
    for number, address in enumerate(addresses.values()):
        lines += [f"link set net{number} up", f"address add {address} dev net{number}"]
    batch(places.client_netns(name), lines)


def batch(netns: str, lines: Iterable[str]) -> None:
    run(["ip", "-n", netns, "-batch", "-"], "\n".join(lines) + "\n")


def connect(spec: Spec, places: Places, name: str, addresses: Mapping[str, str], netns: str) -> None:
    """A cable from each network in `addresses` to net0, net1, … in the namespace `netns` (its name, or a pid)."""
    lines: List[str] = []
    for number, network in enumerate(addresses):
        end = cable(name, number)
        lines += [f"link add {end} type veth peer name net{number} netns {netns} address {mac(spec, name, number)}",
                  f"link set {end} master {bridge(spec, network)}"
                  f" {'down' if unplugged(places, end).exists() else 'up'}"]
    batch(places.netns, lines)


def disconnect(places: Places, name: str, interfaces: int) -> None:
    """Remove what is left of a dead node's cables, so that its bridges see it gone at once."""
    for number in range(interfaces):
        subprocess.run(["ip", "-n", places.netns, "link", "del", cable(name, number)], capture_output=True, check=False)


def cut(spec: Spec, places: Places, node: str, network: Optional[str], peer: Optional[str], one_way: bool) -> None:
    """Lose every frame that `node` sends or is sent (`one_way`: only what it sends), on one network or on all,
    to and from one other node or all.
    """
    rules = []
    for number, where in enumerate(spec.hosts[node]):
        if network is not None and where != network:
            continue
        mine = cable(node, number)
        other = ""
        if peer is not None:
            if where not in spec.hosts[peer]:
                continue
            other = cable(peer, list(spec.hosts[peer]).index(where))
        sends = f'iifname "{mine}"' + (f' oifname "{other}"' if other else "")
        hears = f'oifname "{mine}"' + (f' iifname "{other}"' if other else "")
        rules += [f"add rule {TABLE} cuts {side} drop" for side in ([sends] if one_way else [sends, hears])]
    run(["ip", "netns", "exec", places.netns, "nft", "-f", "-"], "\n".join(rules) + "\n")


def pause(spec: Spec, places: Places, node: str, paused: bool) -> None:
    """A paused host is silent: its kernel, which is this machine's own, must not answer ARP for it."""
    ends = ", ".join(f'"{cable(node, number)}"' for number in range(len(spec.nodes[node].addresses)))
    lines = [f"{verb} element {TABLE} paused {{ {ends} }}" for verb in (["add"] if paused else ["add", "delete"])]
    run(["ip", "netns", "exec", places.netns, "nft", "-f", "-"], "\n".join(lines) + "\n")


def unplug(places: Places, node: str, number: Optional[int], out: bool) -> None:
    """Pull a cable out of a node (or controller), or put it back; it stays so over a boot. Serial: no number."""
    end = node if number is None else cable(node, number)
    mark = unplugged(places, end)
    mark.parent.mkdir(exist_ok=True)
    if out:
        mark.touch()
    else:
        mark.unlink(missing_ok=True)
    there = subprocess.run(["ip", "-n", places.netns, "link", "show", end], capture_output=True, check=False)
    if there.returncode == 0:           # else the node is off
        run(["ip", "-n", places.netns, "link", "set", end, "down" if out else "up"])


def heal(places: Places) -> None:
    """Undo every cut."""
    run(["ip", "netns", "exec", places.netns, "nft", "flush", "chain", *TABLE.split(), "cuts"])


def remove(places: Places) -> None:
    """Remove the lab's namespaces; what is not there is no error."""
    names = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=False).stdout.split("\n")
    for line in names:
        name = line.split(" ")[0]
        if name == places.netns or name.startswith(places.netns + "."):
            run(["ip", "netns", "del", name])
