"""Do nodes, links, networks and votes make a cluster? Checks over what the reader found; each says all it finds."""
import ipaddress
from itertools import combinations
from typing import Dict, List, NamedTuple, Optional, Tuple, Union

from sundog.config import paths
from sundog.config.holders import by_ensemble, check_holders, votes_of
from sundog.config.problems import WARNING, Mark
from sundog.config.shape import Record, Report

Net = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]


class NamedNet(NamedTuple):
    name: str
    net: Net
    mark: Mark
    has_link: bool


class Topology:
    """The networks of a file, and which node has which address in which of them."""

    def __init__(self, top: Record) -> None:
        self.top = top
        self.nets: List[NamedNet] = []
        for name, link in top.record("links").records():
            if "network" in link:
                network, mark, _ = link["network"]
                self.nets.append(NamedNet(name, ipaddress.ip_network(network), mark, True))
        for name, found in top.record("networks").items():
            self.nets.append(NamedNet(name, ipaddress.ip_network(found.value), found.mark, False))
        #: A network that could not be read may be the one that an address is looked for in.
        self.whole = all("network" in link for _, link in top.record("links").records()
                         if link.value("type") == "lan") \
            and len(top.record("networks")) == len(top.record("networks").names)
        #: (node, network) -> the node's addresses in it
        self.seats: Dict[Tuple[str, str], List[str]] = {}

    def network_of(self, address: str) -> Optional[NamedNet]:
        ip = ipaddress.ip_address(address)
        return next((net for net in self.nets if ip in net.net), None)

    def described(self) -> str:
        return ", ".join(f"{net.name} {net.net}" for net in self.nets) or "there is none"

    def check(self, report: Report) -> None:
        self.check_networks(report)
        self.check_addresses(report)
        self.check_meetings(report)

    def check_networks(self, report: Report) -> None:
        links, networks = self.top.record("links"), self.top.record("networks")
        for name, mark in networks.names.items():
            if name in links.names:
                report.say(mark, f"networks.{name} has the name of a link", "leave it out: a link is a network already")
        for one, other in combinations(self.nets, 2):
            if one.net.overlaps(other.net):
                report.say(other.mark, f"network {other.net} of {other.name} overlaps {one.net} of {one.name}, "
                           f"line {one.mark.line}", "give every link and network its own addresses")

    def check_addresses(self, report: Report) -> None:
        """Every address once, each in a network, one of a node in each network."""
        owners: Dict[str, Tuple[str, Mark]] = {}
        for node, spec in self.top.record("nodes").records():
            for address, mark, _ in spec.value("addresses", ()):
                if address.identity in owners:
                    other, where = owners[address.identity]
                    report.say(mark, f"address {address} of node {node} is node {other}'s already, line {where.line}",
                               "give every node its own addresses")
                owners[address.identity] = (node, mark)
                self.seat(node, address, mark, report)

    def seat(self, node: str, address: str, mark: Mark, report: Report) -> None:
        net = self.network_of(address)
        if net is None:
            if self.whole:
                report.say(mark, f"address {address} of node {node} is in no link's network ({self.described()})",
                           "correct it, or name its network under links or networks")
            return
        seats = self.seats.setdefault((node, net.name), [])
        if seats:
            report.say(mark, f"node {node} has two addresses in network {net.name}, {seats[0]} and {address}",
                       "keep the one that it should be reached by")
        seats.append(address)

    def check_meetings(self, report: Report) -> None:
        """Can every two nodes hear each other, and over more than one link?"""
        links = [net.name for net in self.nets if net.has_link]
        nodes = {name: spec for name, spec in self.top.record("nodes").records() if "addresses" in spec}
        heard = {node: {link for link in links if (node, link) in self.seats} for node in nodes}
        for one, other in combinations(nodes, 2):
            if links and self.whole and not heard[one] & heard[other]:
                report.say(nodes[other]["addresses"].mark, f"nodes {one} and {other} have no link in common",
                           "give both an address in one link's network")
        if "links" in self.top:
            paths.check_enough(self.top, report, len(links))


def check_votes(top: Record, report: Report) -> None:
    """A majority needs voters, best an odd number."""
    check_holders(top, report)
    nodes = top.record("nodes")
    votes = votes_of(top) + (top.record("quorum").value("arbiter", "none") == "ping")
    if not nodes or len(nodes) < len(nodes.names) or by_ensemble(top):
        return
    if votes == 0:
        report.say(top["nodes"].key, "nobody has a vote", "let a node vote, or add a holder of type disk or witness")
    elif votes == 1 and len(nodes) > 1:
        who = [name for name, spec in nodes.records() if spec.value("votes", 1)]
        who += top.record("quorum").record("holders").names
        report.say(top["nodes"].key, f"{who[0]} has the only vote: when it fails, every group stops on every node",
                   "let three nodes vote, or two and a holder of type disk or witness under quorum.holders", WARNING)
    elif votes == 2:
        report.say(top["nodes"].key, "2 votes: when either fails, the other is no majority and resets itself",
                   "add a holder of type disk or witness under quorum.holders, or a third node", WARNING)
    elif votes % 2 == 0:
        report.say(top["nodes"].key, f"{votes} votes: no more may fail than of {votes - 1}, and two halves tie",
                   "add a holder of type disk or witness under quorum.holders, or set 'votes: 0' on one node", WARNING)
