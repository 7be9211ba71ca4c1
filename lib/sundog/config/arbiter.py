"""`quorum.arbiter`, its targets, and `on_double_owner`: their shapes, what must hold, and what they leave open."""
import ipaddress
from typing import Iterator, Optional, Tuple

from sundog.config.fields import Address, Word
from sundog.config.model import PingArbiter
from sundog.config.problems import RISK, WARNING
from sundog.config.shape import Integer, Key, ListOf, Record, Report, Scalar

NAME = "arbiter"                        # of its vote, among the holders
_MOST_TARGETS = 16


class Arbiter(Word):
    allowed = ("none", "ping")


class OnDoubleOwner(Word):
    allowed = ("stop-both", "yield")


KEYS = {
    "arbiter": Key(Scalar(Arbiter)),
    "targets": Key(ListOf(Scalar(Address), least=1)),
    "threshold": Key(Integer(1, _MOST_TARGETS)),
}
RISKS = (
    "arbiter ping: if both nodes reach the targets but not each other, both carry on; a group is then started twice "
    "unless its floating IP answers the other node's probe",
    "arbiter ping keeps no memory: what one node decided alone is forgotten if it dies before the other has heard of "
    "it",
)


def check(top: Record, report: Report) -> None:
    """Targets belong to ping, and ping to two nodes that vote and nobody else; no target is of this cluster itself."""
    quorum = top.record("quorum")
    pings = quorum.value("arbiter", "none") == "ping"
    for key in ("targets", "threshold"):
        if key in quorum and not pings:
            report.say(quorum[key].key, f"quorum.{key} without 'arbiter: ping'", "add it, or leave the key out")
    if "on_double_owner" in top and not pings:
        report.say(top["on_double_owner"].key, "on_double_owner has an effect with 'arbiter: ping' only: majorities of "
                   "nodes, disks or witnesses do not come to two owners", "leave it out", WARNING)
    if pings:
        _check_cluster(top, quorum, report)
        _check_targets(top, quorum, report)


def _check_cluster(top: Record, quorum: Record, report: Report) -> None:
    mark, nodes, holders = quorum["arbiter"].mark, top.record("nodes"), quorum.record("holders")
    if holders.names:
        report.say(mark, f"arbiter ping beside {', '.join(holders.names)}: a vote with a memory breaks the tie better",
                   "leave the arbiter out, or the holders")
    voting = [name for name, spec in nodes.records() if spec.value("votes", 1)]
    if len(nodes.names) != 2 or len(nodes) == 2 and len(voting) != 2:
        report.say(mark, f"arbiter ping is for two nodes that vote; here are {len(nodes.names)} nodes, {len(voting)} "
                   "with a vote", "leave it out: the nodes' own majority is safer")
    for section in (nodes, holders):
        if NAME in section.names:
            report.say(section.names[NAME], f"{NAME} is the name of the arbiter's vote", "choose another name")
    for text in RISKS:
        report.say(mark, text, "a holder of type disk, or a third node, protects from that", RISK)


def _check_targets(top: Record, quorum: Record, report: Report) -> None:
    if "targets" not in quorum.names:
        report.say(quorum["arbiter"].mark, "arbiter ping has no targets",
                   "name addresses that both nodes reach over the network that clients use: targets: [10.0.0.254]")
        return
    own = {address.value.identity: f"node {node}'s own" for node, spec in top.record("nodes").records()
           for address in spec.value("addresses", ())}
    own.update({address: f"an address of group {group}" for group, address in _floating(top)})
    seen = set()
    targets = quorum.value("targets", ())
    for address, mark, _ in targets:
        whose = own.get(address.identity)
        if whose is not None:
            report.say(mark, f"target {address} is {whose}: it says nothing about the network",
                       "name a gateway or a switch that is on neither node")
        if address.identity in seen:
            report.say(mark, f"target {address} is there twice", "name each once")
        seen.add(address.identity)
    threshold = quorum.value("threshold", 1)
    if threshold > len(targets) > 0:
        report.say(quorum["threshold"].mark, f"quorum.threshold is {threshold}, of {len(targets)} targets",
                   "name more targets, or ask for fewer")
    if len(targets) == 1:
        report.say(quorum["targets"].mark, f"{targets[0].value} is the only target: when it is down, the death of "
                   "either node stops the other", "name a second one", RISK)


def _floating(top: Record) -> Iterator[Tuple[str, str]]:
    for name, group in top.record("groups").records():
        for _, resource in group.record("resources").records():
            for value in resource.values():
                if isinstance(value.value, str) and "/" in value.value:
                    try:
                        yield name, str(ipaddress.ip_interface(value.value).ip)
                    except ValueError:
                        continue


def build(quorum: Record) -> Optional[PingArbiter]:
    """The model of a quorum section without errors; None: no arbiter."""
    if quorum.value("arbiter", "none") != "ping":
        return None
    return PingArbiter(tuple(str(found.value) for found in quorum.value("targets")), quorum.value("threshold", 1))
