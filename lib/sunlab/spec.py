"""The lab file: which hosts, networks, disks and clients there are. Every mistake is said with its line.

Form: see docs/lab.md. Reading never touches the machine.
"""
import ipaddress
import json
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Set, Tuple

import yaml

from sunlab.platform import PLATFORMS

NAME = re.compile(r"^[a-z][a-z0-9-]{0,10}$")
DISK = re.compile(r"^c\d+t\d+d\d+s\d+$")
EXPORTED = re.compile(r"^(/[A-Za-z0-9][A-Za-z0-9._-]*)+$")
PORT = re.compile(r"^[a-z]$")
SIZE = re.compile(r"^(\d+)([KMG])$")
LOGIN = re.compile(r"^[A-Za-z0-9._@%+=:,/-]{1,16}$")     # what IPMI 1.5 keeps of a user and a password, without quoting
UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


class SpecError(Exception):
    """The lab file is wrong; `problems` are lines `FILE:LINE:COLUMN: error: …`."""

    def __init__(self, problems: List[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class BmcSpec:
    """A node's baseboard management controller."""
    addresses: Mapping[str, str]            # network -> address/prefix; one
    user: str
    password: str


@dataclass(frozen=True)
class NodeSpec:
    name: str
    addresses: Mapping[str, str]            # network -> address/prefix, in the order of the interfaces net0, net1, …
    hostid: int
    disks: Tuple[str, ...]
    platform: str = "illumos"
    bmc: Optional[BmcSpec] = None


@dataclass(frozen=True)
class NasSpec:
    name: str
    addresses: Mapping[str, str]
    exports: Tuple[str, ...]                # paths


@dataclass(frozen=True)
class FileSpec:
    source: str                             # absolute
    target: str                             # on each node
    mode: int


@dataclass(frozen=True)
class Spec:
    lab: str
    networks: Mapping[str, str]
    disks: Mapping[str, int]                # name -> bytes
    nodes: Mapping[str, NodeSpec]
    clients: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    files: Tuple[FileSpec, ...] = ()
    switches: Mapping[str, str] = field(default_factory=dict)       # network -> the one on whose switch it is too
    faulty: Tuple[str, ...] = ()            # disks that can be given faults
    nas: Mapping[str, NasSpec] = field(default_factory=dict)
    serial: Tuple[Mapping[str, str], ...] = ()      # of each line, node -> port at both ends
    arrays: Mapping[str, str] = field(default_factory=dict)         # disk -> the client that serves it by iSCSI

    @property
    def hosts(self) -> Dict[str, Mapping[str, str]]:
        """Whatever has cables -> its addresses; in an order that stays."""
        return {**{name: node.addresses for name, node in self.nodes.items()}, **self.clients,
                **{name: nas.addresses for name, nas in self.nas.items()}}

    def dump(self) -> str:
        """As text, for a lab that stands to remember what it was built from."""
        return json.dumps(asdict(self))

    @classmethod
    def load(cls, text: str) -> "Spec":
        """What dump() wrote."""
        facts = json.loads(text)
        nodes = {name: NodeSpec(**{**node, "disks": tuple(node["disks"]),
                                   "bmc": BmcSpec(**node["bmc"]) if node["bmc"] else None})
                 for name, node in facts["nodes"].items()}
        files = tuple(FileSpec(**file) for file in facts["files"])
        nas = {name: NasSpec(**{**one, "exports": tuple(one["exports"])}) for name, one in facts["nas"].items()}
        return cls(**{**facts, "nodes": nodes, "files": files, "faulty": tuple(facts["faulty"]), "nas": nas,
                      "serial": tuple(facts["serial"])})


class Reader:
    """Walks PyYAML's nodes, which know their place, and collects problems instead of stopping at the first."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.problems: List[str] = []
        self.taken: Set[Tuple[Any, str]] = set()        # address and subnet

    def wrong(self, node: Any, text: str) -> None:
        mark = node.start_mark
        self.problems.append(f"{self.name}:{mark.line + 1}:{mark.column + 1}: error: {text}")

    def mapping(self, node: Any, allowed: Optional[Tuple[str, ...]] = None) -> Dict[str, Any]:
        if not isinstance(node, yaml.MappingNode):
            self.wrong(node, "expected `key: value` pairs here")
            return {}
        found: Dict[str, Any] = {}
        for key, value in node.value:
            if allowed is not None and key.value not in allowed:
                self.wrong(key, f"unknown key {key.value!r}; allowed here: {', '.join(allowed)}")
            elif key.value in found:
                self.wrong(key, f"{key.value!r} stands here twice; remove one")
            else:
                found[key.value] = value
        return found

    def text(self, node: Any) -> str:
        if not isinstance(node, yaml.ScalarNode):
            self.wrong(node, "expected one value here")
            return ""
        return str(node.value)

    def number(self, node: Any, base: int, what: str, example: str) -> int:
        try:
            return int(self.text(node), base)
        except ValueError:
            self.wrong(node, f"{what} is a number of base {base}, such as {example}")
            return 0

    def subnet(self, node: Any) -> str:
        """As text; "" when it is none."""
        text = self.text(node)
        try:
            return str(ipaddress.ip_network(text))
        except ValueError:
            self.wrong(node, f"{text!r} is not NETWORK/PREFIX, such as 10.0.0.0/24")
            return ""

    def address(self, node: Any, subnet: str) -> str:
        """An interface's address, of `subnet` where that is of the same family, and of no interface before it."""
        text = self.text(node)
        try:
            own = ipaddress.ip_interface(text)
        except ValueError:
            self.wrong(node, f"{text!r} is not ADDRESS/PREFIX, such as 10.0.0.1/24")
            return text
        whole = ipaddress.ip_network(subnet) if subnet else own.network
        if own.version == whole.version and own.network != whole:
            self.wrong(node, f"{text!r} is not in the network's subnet {subnet}")
        if (own.ip, subnet) in self.taken:
            self.wrong(node, f"{own.ip} is taken already; give every interface of a network its own")
        self.taken.add((own.ip, subnet))
        return text

    def size(self, node: Any) -> int:
        match = SIZE.match(self.text(node))
        if not match:
            self.wrong(node, "a size needs a number and a unit, such as 128M")
            return 0
        return int(match.group(1)) * UNITS[match.group(2)]


def read(path: Path) -> Spec:
    """The lab that the file describes. Raises SpecError with every problem, OSError when it cannot be read."""
    return parse(path.read_text(encoding="utf-8"), str(path), path.parent)


def parse(text: str, name: str, folder: Path) -> Spec:
    """As read; `name` stands for the file in what is said, `folder` is what its relative paths begin at."""
    reader = Reader(name)
    try:
        tree = yaml.compose(text)
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark
        where = f"{mark.line + 1}:{mark.column + 1}" if mark else "1:1"
        raise SpecError([f"{name}:{where}: error: this is not YAML: {problem.problem}"]) from problem
    if tree is None:
        raise SpecError([f"{name}:1:1: error: the file is empty; see docs/lab.md for its form"])
    spec = _spec(reader, tree, folder)
    if reader.problems:
        raise SpecError(reader.problems)
    return spec


def _spec(reader: Reader, tree: Any, folder: Path) -> Spec:
    top = reader.mapping(tree, ("lab", "networks", "disks", "nodes", "clients", "nas", "serial", "files"))
    for key in ("lab", "networks", "nodes"):
        if key not in top:
            reader.wrong(tree, f"{key!r} is missing")
    name = reader.text(top["lab"]) if "lab" in top else ""
    if "lab" in top and not NAME.match(name):
        reader.wrong(top["lab"], "a lab's name is up to 11 of a-z, 0-9 and -, beginning with a letter")
    networks, switches = _networks(reader, _section(reader, top, "networks"))
    disks, faulty, arrays = _disks(reader, _section(reader, top, "disks"))
    nodes = {key: _node(reader, key, value, networks, disks, number)
             for number, (key, value) in enumerate(_section(reader, top, "nodes").items(), 1)}
    clients = {key: _client(reader, key, value, networks, nodes)
               for key, value in _section(reader, top, "clients").items()}
    for disk, (mark, array) in arrays.items():
        if array not in clients:
            reader.wrong(mark, f"disk {disk} is on array {array!r}, which is not in `clients`")
    nas = {key: _nas(reader, key, value, networks, {**nodes, **clients})
           for key, value in _section(reader, top, "nas").items()}
    files = tuple(_file(reader, key, value, folder) for key, value in _section(reader, top, "files").items())
    serial = _serial(reader, top["serial"], nodes) if "serial" in top else ()
    return Spec(name, networks, disks, nodes, clients, files, switches, faulty, nas, serial,
                {disk: array for disk, (_, array) in arrays.items()})


def _serial(reader: Reader, section: Any, nodes: Mapping[str, NodeSpec]) -> Tuple[Dict[str, str], ...]:
    """The lines; a port is the end of one."""
    if not isinstance(section, yaml.SequenceNode):
        reader.wrong(section, "serial is a list of lines, such as - {n1: a, n2: a}")
        return ()
    lines: List[Dict[str, str]] = []
    for item in section.value:
        line = {node: reader.text(port) for node, port in reader.mapping(item).items()}
        if len(line) != 2:
            reader.wrong(item, "a line has two ends, such as {n1: a, n2: a}")
        for node, port in line.items():
            if node not in nodes:
                reader.wrong(item, f"there is no node {node!r}")
            if not PORT.match(port):
                reader.wrong(item, f"a port is a letter, as in /dev/term/a, not {port!r}")
            if any(before.get(node) == port for before in lines):
                reader.wrong(item, f"port {port} of {node} is taken already")
        lines.append(line)
    return tuple(lines)


def _disks(reader: Reader, section: Mapping[str, Any]) -> Tuple[Dict[str, int], Tuple[str, ...],
                                                               Dict[str, Tuple[Any, str]]]:
    """Each disk's size; those that can be given faults; and of those of an array, where that is named, and its name."""
    sizes: Dict[str, int] = {}
    faulty: List[str] = []
    arrays: Dict[str, Tuple[Any, str]] = {}
    for key, value in section.items():
        own = reader.mapping(value, ("size", "faults", "array"))
        if "array" in own:
            arrays[key] = own["array"], reader.text(own["array"])
        if not DISK.match(key):
            reader.wrong(value, f"{key!r} is not a disk's name such as c0t1d0s0")
        sizes[key] = reader.size(own.get("size", value))
        faults = reader.text(own["faults"]) if "faults" in own else "false"
        if faults not in ("true", "false"):
            reader.wrong(own["faults"], "faults is true or false")
        if faults == "true" or key in arrays:
            faulty.append(key)
    return sizes, tuple(faulty), arrays


def _networks(reader: Reader, section: Mapping[str, Any]) -> Tuple[Dict[str, str], Dict[str, str]]:
    """Each network's subnet; and of those that are on another's switch, the other."""
    subnets: Dict[str, str] = {}
    switches: Dict[str, str] = {}
    for key, value in section.items():
        own = reader.mapping(value, ("subnet", "switch"))
        if "switch" not in own:
            subnets[key] = reader.subnet(own.get("subnet", value))
            continue
        other = reader.text(own["switch"])
        if other not in subnets or other in switches or "subnet" in own:
            reader.wrong(own["switch"], "name a network above that has a subnet; this one is in the same")
        subnets[key], switches[key] = subnets.get(other, ""), other
    return subnets, switches


def _section(reader: Reader, top: Mapping[str, Any], key: str) -> Dict[str, Any]:
    return reader.mapping(top[key]) if key in top else {}


def _node(reader: Reader, name: str, node: Any, networks: Mapping[str, str], disks: Mapping[str, int],
          number: int) -> NodeSpec:
    if not NAME.match(name):
        reader.wrong(node, f"a node's name is up to 11 of a-z, 0-9 and -, not {name!r}")
    own = reader.mapping(node, ("addresses", "hostid", "disks", "platform", "bmc"))
    chosen = tuple(reader.text(item) for item in own["disks"].value) if "disks" in own else tuple(disks)
    for disk in chosen:
        if disk not in disks:
            reader.wrong(node, f"disk {disk!r} is not in `disks`")
    platform = reader.text(own["platform"]) if "platform" in own else "illumos"
    if platform not in PLATFORMS:
        reader.wrong(own["platform"], f"platform is one of {', '.join(PLATFORMS)}")
    hostid = reader.number(own["hostid"], 16, "a hostid", "1845715f") if "hostid" in own else 0x18450000 + number
    addresses = _addresses(reader, own.get("addresses"), networks)
    bmc = _bmc(reader, own["bmc"], networks) if "bmc" in own else None
    return NodeSpec(name, addresses, hostid, chosen, platform, bmc)


def _bmc(reader: Reader, node: Any, networks: Mapping[str, str]) -> BmcSpec:
    own = reader.mapping(node, ("address", "user", "password"))
    addresses = _addresses(reader, own.get("address"), networks)
    if len(addresses) != 1:
        reader.wrong(own.get("address", node), "give its address on one network, such as {private: 192.168.7.101/24}")
    words = {}
    for key, preset in (("user", "admin"), ("password", "sunlab")):
        words[key] = reader.text(own[key]) if key in own else preset
        if not LOGIN.match(words[key]):
            reader.wrong(own[key], f"a controller's {key} is up to 16 letters, digits and . _ @ % + = : , / -")
    return BmcSpec(addresses, words["user"], words["password"])


def _client(reader: Reader, name: str, node: Any, networks: Mapping[str, str],
            nodes: Mapping[str, NodeSpec]) -> Dict[str, str]:
    if not NAME.match(name) or name in nodes:
        reader.wrong(node, f"a client's name is up to 11 of a-z, 0-9 and -, and no node's, not {name!r}")
    return _addresses(reader, reader.mapping(node, ("addresses",)).get("addresses"), networks)


def _nas(reader: Reader, name: str, node: Any, networks: Mapping[str, str], others: Mapping[str, Any]) -> NasSpec:
    if not NAME.match(name) or name in others:
        reader.wrong(node, f"a NAS's name is up to 11 of a-z, 0-9 and -, and no other host's, not {name!r}")
    own = reader.mapping(node, ("addresses", "exports"))
    if not isinstance(own.get("exports"), yaml.SequenceNode) or not own["exports"].value:
        reader.wrong(own.get("exports", node), "a NAS exports a list of paths, such as [/export/home]")
        return NasSpec(name, {}, ())
    exports = [(item, reader.text(item)) for item in own["exports"].value]
    for item, path in exports:
        if not EXPORTED.match(path):
            reader.wrong(item, f"{path!r} is no path to export, such as /export/home")
    return NasSpec(name, _addresses(reader, own.get("addresses"), networks), tuple(path for _, path in exports))


def _addresses(reader: Reader, node: Any, networks: Mapping[str, str]) -> Dict[str, str]:
    found = {}
    for network, value in (reader.mapping(node) if node is not None else {}).items():
        if network not in networks:
            reader.wrong(value, f"network {network!r} is not in `networks`")
        found[network] = reader.address(value, networks.get(network) or "")
    return found


def _file(reader: Reader, target: str, node: Any, folder: Path) -> FileSpec:
    own = reader.mapping(node, ("from", "mode")) if isinstance(node, yaml.MappingNode) else {"from": node}
    source = folder / reader.text(own.get("from", node))
    if not target.startswith("/"):
        reader.wrong(node, f"{target!r} must be an absolute path on the node")
    if not source.is_file():
        reader.wrong(node, f"there is no file {source}")
    mode = reader.number(own["mode"], 8, "a mode", '"0600"') if "mode" in own else 0o644
    return FileSpec(str(source), target, mode)
