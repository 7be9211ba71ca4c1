"""A zone's configuration: what zonecfg(8) writes and zoneadm(8) reads, as XML in /etc/zones."""
from __future__ import annotations

import os

from sunlab.platform import here
from sunlab.zones.registry import ZONES, replace

#: In the order of `zonecfg info`.
SCALARS = ("zonepath", "brand", "autoboot", "bootargs", "pool", "limitpriv", "scheduling-class", "ip-type", "hostid",
           "fs-allowed")
RESOURCES = {"net": ("address", "physical"), "fs": ("dir", "special", "type"), "attr": ("name", "type", "value")}
ENTITIES = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"))


class ZoneConfig:
    def __init__(self, scalars: dict[str, str], resources: list[tuple[str, dict[str, str]]]) -> None:
        self.scalars, self.resources = scalars, resources

    def get(self, name: str) -> str:
        return self.scalars.get(name, "")

    def all_of(self, kind: str) -> list[dict[str, str]]:
        return [pairs for one, pairs in self.resources if one == kind]


def brands() -> tuple[str, ...]:
    """Those that a zone here may have, the default first."""
    return here().brands


def blank() -> ZoneConfig:
    return ZoneConfig({"brand": brands()[0], "autoboot": "false", "ip-type": "shared"}, [])


def path_of(zone: str) -> str:
    return f"{ZONES}/{zone}.xml"


def load(zone: str) -> ZoneConfig | None:
    try:
        with open(path_of(zone)) as file:
            lines = file.read().splitlines()
    except FileNotFoundError:
        return None
    return read(lines)


def read(lines: list[str]) -> ZoneConfig:
    """One start tag a line, as `written` writes them."""
    scalars: dict[str, str] = {}
    resources: list[tuple[str, dict[str, str]]] = []
    for line in lines:
        kind, pairs = _element(line)
        if kind == "zone":
            scalars = {name: value for name, value in pairs.items() if name in SCALARS}
        elif kind in RESOURCES:
            resources.append((kind, pairs))
    return ZoneConfig(scalars, resources)


def _element(line: str) -> tuple[str, dict[str, str]]:
    text = line.strip().lstrip("<")
    kind, _, rest = text.partition(" ")
    pairs = {}
    while '="' in rest:
        name, _, rest = rest.partition('="')
        value, _, rest = rest.partition('"')
        for plain, coded in reversed(ENTITIES):
            value = value.replace(coded, plain)
        pairs[name.strip()] = value
    return kind, pairs


def _attributes(pairs: dict[str, str]) -> str:
    words = []
    for name, value in pairs.items():
        for plain, coded in ENTITIES:
            value = value.replace(plain, coded)
        words.append(f' {name}="{value}"')
    return "".join(words)


def written(zone: str, config: ZoneConfig) -> str:
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f'<zone name="{zone}"{_attributes(config.scalars)}>']
    lines += [f"  <{kind}{_attributes(pairs)}/>" for kind, pairs in config.resources]
    return "\n".join([*lines, "</zone>", ""])


def save(zone: str, config: ZoneConfig) -> None:
    os.makedirs(ZONES, exist_ok=True)
    replace(path_of(zone), written(zone, config))
