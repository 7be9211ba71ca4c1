"""The section `fence`: for each node an ordered list of devices that can end or bar it, and what it protects from.

Shapes in the language of shape.py, the parameters classes of the types, checks, and the way into the model.
"""
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple

from sundog.config import scsi
from sundog.config.fields import AbsPath, Address, Duration, Field, Name, Word, quoted, strangers
from sundog.config.model import Cluster, FenceLevel
from sundog.config.problems import WARNING
from sundog.config.shape import Integer, Key, ListOf, Named, Record, Report, Scalar, Section, Typed, nearest

#: Keys that every type of device has.
COMMON = ("type", "timeout", "delay", "after")
#: Options of agents that carry a secret, or say what Sundog says itself (fence-agents, FenceAgentAPI.md).
SECRETS = ("password", "passwd", "password_script", "passwd_script", "identity_file", "snmp_priv_passwd")
OURS = ("action", "option")


class Patience(Duration):
    """How long a device may take until it reads back "off"."""
    kind = "a timeout"
    example = "5s, 20s or 1m; from 1s to 10m"

    @classmethod
    def objection(cls, text: str) -> str:
        wrong = super().objection(text)
        return wrong or ("" if 1 <= Duration(text).seconds <= 600 else "it is out of bounds")


class Delay(Duration):
    kind = "a delay"
    example = "2s or 500ms; at most 1m"

    @classmethod
    def objection(cls, text: str) -> str:
        wrong = super().objection(text)
        return wrong or ("" if Duration(text).seconds <= 60 else "it is out of bounds")


class After(Word):
    allowed = ("start", "stay-off")


class Fencing(Word):
    """recovery.fencing: does a takeover need the device's word?"""
    allowed = ("required", "tried")


class AgentName(Field):
    """The name of a ClusterLabs fence agent: a command like /usr/sbin/fence_ipmilan."""
    kind = "a fence agent"
    example = "fence_ipmilan, by its name without a directory"

    @classmethod
    def objection(cls, text: str) -> str:
        if not text.startswith("fence_"):
            return "it does not begin with 'fence_'"
        return strangers(text, "_-")


class Certificate(Field):
    """A file of PEM certificates, or the word that none is looked at."""
    kind = "a certificate"
    example = "/etc/sundog/bmc.pem, or unchecked"

    @classmethod
    def objection(cls, text: str) -> str:
        return "" if text == "unchecked" else AbsPath.objection(text)


class ResourcePath(Field):
    """The path of a ComputerSystem (DMTF DSP0266)."""
    kind = "a Redfish path"
    example = "/redfish/v1/Systems/1"

    @classmethod
    def objection(cls, text: str) -> str:
        return "" if text.startswith("/redfish/") and text.isprintable() and " " not in text \
            else "it does not begin with '/redfish/', or has a blank"


class Ipmi(NamedTuple):
    """A BMC by RMCP+ (IPMI 2.0), through ipmitool(1) -I lanplus."""
    address: str
    user: str
    password_file: str
    cipher: Optional[int] = None        # cipher suite, -C; None: ipmitool's own choice


class Redfish(NamedTuple):
    """A BMC by Redfish (DMTF DSP0266) over HTTPS."""
    address: str
    user: str
    password_file: str
    certificate: str                    # a file, or "unchecked"
    system: str = ""                    # path of the ComputerSystem; "": the only one that there is
    port: int = 443


class Agent(NamedTuple):
    """A ClusterLabs fence agent, by its standard input."""
    agent: str
    options: Tuple[Tuple[str, str], ...] = ()
    password_file: str = ""


class Manual(NamedTuple):
    """An operator, who confirms by 'sundog fence confirm NODE'."""


CLASSES: Mapping[str, Any] = {"ipmi": Ipmi, "redfish": Redfish, "agent": Agent, "scsi": scsi.Scsi, "manual": Manual}


def _device(**keys: Key) -> Section:
    return Section({"type": Key(Scalar(Name), required=True), **keys, "timeout": Key(Scalar(Patience)),
                    "delay": Key(Scalar(Delay)), "after": Key(Scalar(After))})


_NEEDED = {"address": Key(Scalar(Address), required=True), "user": Key(Scalar(Field), required=True),
           "password_file": Key(Scalar(AbsPath), required=True)}
DEVICE = Typed(
    {"ipmi": _device(**_NEEDED, cipher=Key(Integer(1, 17))),
     "redfish": _device(**_NEEDED, certificate=Key(Scalar(Certificate), required=True),
                        system=Key(Scalar(ResourcePath)), port=Key(Integer(1, 65535))),
     "agent": _device(agent=Key(Scalar(AgentName), required=True), options=Key(Named(Scalar(Field))),
                      password_file=Key(Scalar(AbsPath))),
     "scsi": Section({"type": Key(Scalar(Name), required=True), **scsi.KEYS, "timeout": Key(Scalar(Patience)),
                      "delay": Key(Scalar(Delay))}),
     "manual": Section({"type": Key(Scalar(Name), required=True)})})
FENCE = Named(ListOf(DEVICE, least=1))


def check(top: Record, report: Report) -> None:
    """Do devices belong to nodes, each to one; does an order make sense?"""
    nodes = top.record("nodes")
    owners: Dict[Tuple[str, str, Any], str] = {}
    for node, mark in top.record("fence").names.items():
        if nodes.names and node not in nodes.names:
            near = nearest(node, nodes.names)
            report.say(mark, f"fence names node {quoted(node)}, which there is not",
                       (f"did you mean '{near}'? " if near else "") + f"nodes are {', '.join(nodes.names)}")
    for node, found in top.record("fence").items():
        levels = [level.value for level in found.value]
        for position, level in enumerate(levels):
            _check_options(node, level, report)
            if level.value("type") == "manual" and position < len(levels) - 1:
                report.say(level.mark, f"fence.{node}: manual is not the last, and nothing after it is tried",
                           "write it as the last of the list")
            device = (str(level.value("type")), str(level.value("address")), level.value("system"))
            other = owners.setdefault(device, node) if "address" in level else node
            if other != node:
                report.say(level["address"].mark, f"device {device[1]} of node {node} is node {other}'s already",
                           "give every node its own, or it switches off the wrong host")
        if len(levels) == 1 and levels[0].value("type") == "manual":
            report.say(levels[0].mark, f"node {node} has no device but an operator: its groups wait for "
                       f"'sundog fence confirm {node}'", "add a device before it", WARNING)
    scsi.check(top, report)


def _check_options(node: str, level: Record, report: Report) -> None:
    for option, found in level.record("options").items():
        if option in SECRETS:
            report.say(found.key, f"fence.{node}: option {option} would put a secret into the configuration",
                       "leave it out; put the secret into a file of mode 0600 and name that as password_file")
        elif option in OURS:
            report.say(found.key, f"fence.{node}: option {option} is said by Sundog itself", "leave it out")


def levels_of(top: Record) -> Dict[str, Tuple[FenceLevel, ...]]:
    """The model of a section without errors."""
    cluster = str(top.value("cluster"))
    return {node: tuple(_level(item.value, cluster) for item in found.value)
            for node, found in top.record("fence").items()}


def _level(spec: Record, cluster: str) -> FenceLevel:
    kind = str(spec.value("type"))
    params = scsi.level_of(spec, cluster) if kind == "scsi" else CLASSES[kind](**_own(spec))
    return FenceLevel(kind, params,
                      spec.value("timeout").seconds if "timeout" in spec else FenceLevel.timeout_s,
                      spec.value("delay").seconds if "delay" in spec else FenceLevel.delay_s,
                      str(spec.value("after", FenceLevel.after)))


def _own(spec: Record) -> Dict[str, Any]:
    own: Dict[str, Any] = {}
    for name, found in spec.items():
        if name == "options":
            own[name] = tuple(sorted((option, str(one.value)) for option, one in found.value.items()))
        elif name not in COMMON:
            own[name] = found.value if isinstance(found.value, int) else str(found.value)
    return own


def name_of(level: FenceLevel) -> str:
    """What messages call a level: "ipmi 10.9.0.1", "fence_ipmilan", "scsi c0t3d0, c0t4d0", "manual"."""
    if isinstance(level.params, scsi.Scsi):
        return f"scsi {', '.join(map(scsi.whole, level.params.disks))}"
    if isinstance(level.params, Agent):
        where = dict(level.params.options)
        return f"{level.params.agent} {where.get('ip', where.get('ipaddr', ''))}".rstrip()
    return f"{level.type} {getattr(level.params, 'address', '')}".rstrip()


def protection(cluster: Cluster) -> List[str]:
    """One sentence for each node: what makes sure that it is off, and what that protects from."""
    told = []
    for node in cluster.nodes:
        levels = cluster.fence.get(node)
        if not levels:
            told.append(f"node {node}: no fence device; it resets itself at the end of its lease, but a host that is "
                        "paused with its clock may write when it wakes up")
            continue
        names = ", then ".join(map(name_of, levels))
        told.append(f"node {node}: {names}; {_how(cluster, levels)}")
    return told


def _how(cluster: Cluster, levels: Tuple[FenceLevel, ...]) -> str:
    if cluster.recovery.fencing != "required":
        return "its groups start elsewhere at the end of its lease all the same (recovery.fencing: tried)"
    barred = next((level.params for level in levels if isinstance(level.params, scsi.Scsi)), None)
    if barred is None:
        return "its groups start elsewhere only when it is known to be off: a paused or hanging host cannot write"
    others = any(level.type not in ("scsi", "manual") for level in levels)
    return (f"its groups start elsewhere only when its lease is over and its key is off these disks"
            f"{', or it is known to be off' if others else ''}: {scsi.protection(barred)}")
