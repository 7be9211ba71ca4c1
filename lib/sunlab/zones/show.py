"""What `zonecfg info` and `zonecfg export` print. Pure. Formats: zonecfg.c; of Solaris 11.4: recorded sessions."""
from __future__ import annotations

from sunlab.platform import here
from sunlab.zones import schema
from sunlab.zones.config import Resource, ZoneConfig

#: In this order among the others; resource controls that a property stands for are shown as that.
RESOURCES = ("fs", "net", "anet", "device", "dedicated-cpu", "capped-cpu", "capped-memory", "attr", "dataset", "admin",
             "rctl", "smf-dependency")
EXPORTED = ("fs", "net", "anet", "device", "capped-memory", "rctl", "attr", "dataset", "dedicated-cpu", "admin",
            "smf-dependency")
#: What Solaris 11.4 does not show without -a.
QUIET = {"net": {"configure-allowed-address": "true"},
         "anet": {"lower-link": "auto", "link-protection": "mac-nospoof", "mac-address": "auto"}}
SCALED = ("zone.max-shm-memory", "zone.max-swap", "zone.max-locked-memory")


def quoted(value: str) -> str:
    return f'"{value}"' if set(value) & set(' \t;"=[](),') or value.startswith("#") else value


def shown(value: str) -> str:
    """As quoteit() has it: only a blank needs quotation marks."""
    return f'"{value}"' if " " in value else value


class Info:
    """`everything`: what `info` shows on illumos and `info -a` on Solaris 11.4. `numbered`: in an interactive one."""

    def __init__(self, zone: str, config: ZoneConfig, everything: bool, numbered: bool = False) -> None:
        self.zone, self.config = zone, config
        self.everything, self.numbered = everything, numbered

    def all(self) -> list[str]:
        lines = [f"zonename: {self.zone}"]
        for name in schema.scalars():
            if self.everything or name == "brand" or self.config.get(name) not in ("", schema.defaults().get(name)):
                lines += self.scalar(name)
        for alias in schema.ALIASES:
            lines += self.alias(alias)
        for kind in RESOURCES:
            lines += self.resources(kind, {})
        return lines

    def scalar(self, name: str) -> list[str]:
        if name == "zonepath" and not self.config.get(name):
            return ["zonepath not specified"] if here().anet else ["zonepath: "]
        value = self.config.path(self.zone) if name == "zonepath" else self.config.get(name)
        return [f"{name}: {value}"]

    def alias(self, alias: str) -> list[str]:
        control = self.config.control(schema.ALIASES[alias])
        if control is None or not control.values:
            return []
        return [f"[{alias}: {scaled(control)}]"]

    def resources(self, kind: str, pairs: dict[str, str]) -> list[str]:
        if kind in ("capped-memory", "capped-cpu"):
            return self.capped(kind)
        found = [one for one in self.config.all_of(kind) if one.same_as(pairs)]
        if pairs and not found:
            return [f"No such {kind} resource."]
        lines = []
        for number, one in enumerate(found):
            lines += [f"{kind} {number}:" if self.numbered and here().anet else f"{kind}:", *self.properties(one)]
        return lines

    def properties(self, one: Resource) -> list[str]:
        kind = schema.kinds()[one.kind]
        lines = []
        for name in kind.properties:
            value = one.get(name)
            if value:
                if self.everything or QUIET.get(one.kind, {}).get(name) != value:
                    lines.append(f"\t{name}: {shown(value)}")
            elif self.everything and one.kind != "dedicated-cpu":
                lines.append(f"\t{name} not specified")
        if one.kind == "fs":
            options = ",".join(f'"{option}"' if "=" in option else option for option in one.values)
            lines += [f"\toptions: [{options}]"] if options or self.everything else []
        lines += [f"\tvalue: {value}" for value in one.values if one.kind == "rctl"]
        return lines

    def capped(self, kind: str) -> list[str]:
        """What is kept as resource controls, and the cap of physical memory."""
        lines = [f"\tphysical: {schema.in_units(int(one.get('physical')))}"
                 for one in self.config.all_of(kind) if one.get("physical")]
        for (inner, name), control in schema.INNER_ALIASES.items():
            found = self.config.control(control) if inner == kind else None
            if found is not None and found.values:
                value = f"{int(schema.limit(found.values[0])) / 100:.2f}" if name == "ncpus" else scaled(found)
                lines.append(f"\t[{name}: {value}]")
        return [f"{kind}:", *lines] if lines else []


def scaled(control: Resource) -> str:
    limit = schema.limit(control.values[0])
    return schema.in_units(int(limit)) if control.get("name") in SCALED else limit


def export(config: ZoneConfig) -> list[str]:
    """Subcommands that make this configuration on another host."""
    lines = ["create -b"]
    names = ("brand", "zonepath") if here().anet else ("zonepath", "brand")
    for name in (*names, *(one for one in schema.scalars() if one not in names)):
        if config.get(name):
            lines.append(f"set {name}={quoted(config.get(name))}")
    for kind in EXPORTED:
        for one in config.all_of(kind):
            lines += [f"add {kind}", *_exported(one), "end"]
    return lines


def _exported(one: Resource) -> list[str]:
    lines = []
    for name in schema.kinds()[one.kind].properties:
        value = one.get(name)
        if value:
            lines.append(f"set {name}={schema.in_units(int(value)) if one.kind == 'capped-memory' else quoted(value)}")
    many = schema.kinds()[one.kind].many
    for value in one.values:
        lines.append(f"add {many} {value if many == 'value' else quoted(value)}")
    return lines
