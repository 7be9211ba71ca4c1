"""Vote holders beyond nodes: the shapes of quorum.holders and of the ensemble, their checks, and their objects."""
import ipaddress
from typing import Any, Dict, Tuple

from sundog.config.fields import AbsPath, Address, Field, Name, Word, strangers
from sundog.config.model import DiskHolder, NodeSpec, PassiveHolder, WitnessHolder, ZooKeeperHolder
from sundog.config.problems import RISK, WARNING, Mark
from sundog.config.shape import Integer, Key, ListOf, Record, Report, Scalar, Section, Typed

ENSEMBLE = "zookeeper"


class LedgerKeeper(Word):
    kind = "who keeps the ledger"
    allowed = ("holders", ENSEMBLE)


class Server(Field):
    """ADDRESS:PORT of a server; an IPv6 address in brackets."""
    kind = "a server"
    example = "10.0.0.5:2181 or [fd00::5]:2181"

    @classmethod
    def objection(cls, text: str) -> str:
        host, colon, port = text.rpartition(":")
        if not colon or not port.isdecimal() or not port.isascii() or not 1 <= int(port[:6]) <= 65535:
            return "it has no port"
        if host.startswith("[") and host.endswith("]"):
            host = host[1:-1]
        elif ":" in host:
            return "an IPv6 address wants brackets before the port"
        return Address.objection(host)

    @property
    def address(self) -> str:
        return self.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        return int(self.rpartition(":")[2])


class ZnodePath(AbsPath):
    """The path of a znode."""
    kind = "a znode's path"
    example = "/sundog"

    @classmethod
    def objection(cls, text: str) -> str:
        if text == "/" or text.endswith("/") or "//" in text or "/./" in text or text.startswith("/zookeeper"):
            return "no cluster can keep its own there"
        return super().objection(text) or strangers(text, "/-_.")


HOLDER = Typed({
    "disk": Section({
        "type": Key(Scalar(Name), required=True),
        "device": Key(Scalar(AbsPath), required=True),
    }),
    "witness": Section({
        "type": Key(Scalar(Name), required=True),
        "address": Key(Scalar(Address), required=True),
        "port": Key(Integer(1, 65535)),
    }),
})
ZOOKEEPER = Section({
    "servers": Key(ListOf(Scalar(Server), least=1), required=True),
    "path": Key(Scalar(ZnodePath)),
    "user": Key(Scalar(Name)),
    "password_file": Key(Scalar(AbsPath)),
})


def by_ensemble(top: Record) -> bool:
    """Does an ensemble keep the ledger, and nobody else vote?"""
    return bool(top.value("ledger") == ENSEMBLE)


def nodes_of(top: Record) -> Dict[str, NodeSpec]:
    """The nodes; beside an ensemble none of them votes."""
    usual = 0 if by_ensemble(top) else 1
    return {name: NodeSpec(name, tuple(str(found.value) for found in spec.value("addresses")),
                           min(usual, spec.value("votes", usual)))
            for name, spec in top.record("nodes").records()}


def holders_of(top: Record) -> Dict[str, PassiveHolder]:
    """The passive holders of a file without errors."""
    if by_ensemble(top):
        return {ENSEMBLE: ensemble_of(top.record(ENSEMBLE))}
    return {name: holder_of(name, spec) for name, spec in top.record("quorum").record("holders").records()}


def holder_of(name: str, spec: Record) -> PassiveHolder:
    if spec.value("type") == "witness":
        return WitnessHolder(name, str(spec.value("address")), spec.value("port", WitnessHolder.port))
    return DiskHolder(name, str(spec.value("device")))


def ensemble_of(spec: Record) -> ZooKeeperHolder:
    return ZooKeeperHolder(
        ENSEMBLE, tuple(str(found.value) for found in spec.value("servers")),
        str(spec.value("path", ZooKeeperHolder.path)), str(spec.value("user", "")),
        str(spec.value("password_file", "")))


# ---- checks

def check_holders(top: Record, report: Report) -> None:
    """Each holder a place of its own, that does not fail together with a node."""
    holders = top.record("quorum").record("holders")
    check_places(holders, report)
    for name, spec in holders.records():
        if "address" in spec:
            check_witness(top, name, spec["address"].value, spec["address"].mark, report)
    check_ensemble(top, report)


def check_places(holders: Record, report: Report) -> None:
    seen: Dict[Tuple[Any, ...], Tuple[str, Mark]] = {}
    for name, spec in holders.records():
        if "device" in spec:
            place: Tuple[Any, ...] = (spec.value("device"),)
            said, mark, remedy = f"device {place[0]}", spec["device"].mark, "give every holder its own partition"
        elif "address" in spec:
            place = (spec.value("address").identity, spec.value("port", WitnessHolder.port))
            said, mark = f"witness {place[0]} port {place[1]}", spec["address"].mark
            remedy = "two votes of one witness fail together: leave one out, or run another witness elsewhere"
        else:
            continue
        if place in seen:
            other, where = seen[place]
            report.say(mark, f"{said} of holder {name} is {other}'s already, line {where.line}", remedy)
        seen[place] = (name, mark)


def check_witness(top: Record, name: str, address: Address, mark: Mark, report: Report) -> None:
    if ipaddress.ip_address(address).is_loopback:
        report.say(mark, f"witness {name} is on loopback: every node would ask a witness of its own",
                   "write the address by which all nodes reach one witness")
    for node, spec in top.record("nodes").records():
        if any(own.value.identity == address.identity for own in spec.value("addresses", ())):
            report.say(mark, f"witness {name} is on node {node}: it dies with that node, and its vote adds nothing",
                       "run it on a third host, best on a site of its own", WARNING)


def check_ensemble(top: Record, report: Report) -> None:
    if not by_ensemble(top):
        if ENSEMBLE in top.names:
            report.say(top.names[ENSEMBLE], "zookeeper is described, but does not keep the ledger",
                       "add 'ledger: zookeeper', or leave the section out")
        return
    mark = top["ledger"].mark
    if ENSEMBLE not in top.names:
        report.say(mark, "ledger: zookeeper, but there is no section zookeeper",
                   "add 'zookeeper: {servers: [ADDRESS:PORT, …]}'")
    if top.record("quorum").record("holders").names:
        report.say(top.record("quorum")["holders"].key, "quorum.holders has no part beside ledger: zookeeper",
                   "leave it out: the ensemble votes alone")
    for node, spec in top.record("nodes").records():
        if spec.value("votes", 0):
            report.say(spec["votes"].mark, f"node {node} has a vote, which counts for nothing beside ledger: zookeeper",
                       "leave it out", WARNING)
    check_servers(top.record(ENSEMBLE), report)


def check_servers(spec: Record, report: Report) -> None:
    servers = spec.value("servers", ())
    if len({found.value for found in servers}) < len(servers):
        report.say(spec["servers"].mark, "zookeeper.servers names a server twice", "name each once")
    if len(servers) == 1:
        report.say(spec["servers"].mark, "one ZooKeeper server: when it fails, every group stops",
                   "an ensemble has 3 or 5 servers", WARNING)
    elif servers and len(servers) % 2 == 0:
        report.say(spec["servers"].mark, f"{len(servers)} ZooKeeper servers: no more may fail than of "
                   f"{len(servers) - 1}", "an ensemble has 3 or 5 servers", WARNING)
    if ("user" in spec.names) != ("password_file" in spec.names):
        report.say(spec.mark, "zookeeper has only one of user and password_file", "give both, or neither")
    elif "user" not in spec.names:
        report.say(spec.mark, "zookeeper without user: whoever reaches the ensemble can remove the ledger or "
                   "put an older one back",
                   "add user and password_file", RISK)


def votes_of(top: Record) -> int:
    """How many votes the nodes and the holders beside them have together."""
    voting = sum(spec.value("votes", 1) for _, spec in top.record("nodes").records())
    return int(voting) + len(top.record("quorum").record("holders").names)
