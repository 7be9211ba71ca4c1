"""A zone's configuration: what zonecfg(8) writes and zoneadm(8) reads, as XML in /etc/zones."""
import os
from typing import Dict, List, NamedTuple, Optional, Tuple

from sunlab.zones.registry import ZONES

SCALARS = ("zonepath", "brand", "autoboot", "ip-type", "bootargs", "pool", "hostid", "limitpriv")
RESOURCES: Dict[str, Tuple[str, ...]] = {
    "net": ("address", "physical", "allowed-address", "defrouter"), "dataset": ("name",),
    "fs": ("dir", "special", "type", "options"), "attr": ("name", "type", "value")}


#: xml.sax.saxutils would do, and costs a command 35 ms to import.
ESCAPES = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"))


def quoteattr(value: str) -> str:
    for plain, escaped in ESCAPES:
        value = value.replace(plain, escaped)
    return f'"{value}"'


def unescape(value: str) -> str:
    for plain, escaped in reversed(ESCAPES):
        value = value.replace(escaped, plain)
    return value


class ZoneConfig(NamedTuple):
    scalars: Dict[str, str]
    resources: List[Tuple[str, Dict[str, str]]]

    def get(self, name: str) -> str:
        return self.scalars.get(name, "")


def blank() -> ZoneConfig:
    return ZoneConfig({"brand": "ipkg", "autoboot": "false", "ip-type": "shared"}, [])


def path_of(zone: str) -> str:
    return f"{ZONES}/{zone}.xml"


def load(zone: str) -> Optional[ZoneConfig]:
    try:
        with open(path_of(zone)) as file:
            lines = file.read().splitlines()
    except FileNotFoundError:
        return None
    scalars: Dict[str, str] = {}
    resources: List[Tuple[str, Dict[str, str]]] = []
    for line in lines:
        kind, pairs = _element(line)
        if kind == "zone":
            scalars = {name: value for name, value in pairs.items() if name in SCALARS}
        elif kind in RESOURCES:
            resources.append((kind, pairs))
    return ZoneConfig(scalars, resources)


def _element(line: str) -> Tuple[str, Dict[str, str]]:
    """One start tag a line, as `save` writes them."""
    text = line.strip().lstrip("<").rstrip("/>")
    kind, _, rest = text.partition(" ")
    pairs = {}
    while "=" in rest:
        name, _, rest = rest.partition("=")
        quote = rest[:1]
        value, _, rest = rest[1:].partition(quote)
        pairs[name.strip()] = unescape(value)
    return kind, pairs


def save(zone: str, config: ZoneConfig) -> None:
    os.makedirs(ZONES, exist_ok=True)
    head = " ".join(f"{name}={quoteattr(value)}" for name, value in config.scalars.items())
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f"<zone name={quoteattr(zone)} {head}>"]
    lines += [f"  <{kind} {' '.join(f'{name}={quoteattr(value)}' for name, value in pairs.items())}/>"
              for kind, pairs in config.resources]
    with open(path_of(zone) + ".new", "w") as file:
        file.write("\n".join([*lines, "</zone>", ""]))
        file.flush()
        os.fsync(file.fileno())
    os.replace(path_of(zone) + ".new", path_of(zone))
