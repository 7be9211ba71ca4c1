"""zonecfg(8): create, change, show, export and delete a zone's configuration."""
import os
import sys
from typing import Dict, List, Optional, Tuple

from sunlab.zones import registry
from sunlab.zones.config import RESOURCES, SCALARS, ZoneConfig, blank, load, path_of, save
from sunlab.zones.registry import Zone


class Wrong(Exception):
    """Exit 1 with this text."""


class Session:
    def __init__(self, zone: str) -> None:
        self.zone = zone
        self.config: Optional[ZoneConfig] = load(zone)
        self.changed = False
        self.open: Optional[Tuple[str, Dict[str, str]]] = None

    def need(self) -> ZoneConfig:
        if self.config is None:
            raise Wrong(f"{self.zone}: No such zone configured\nUse 'create' to begin configuring a new zone.")
        return self.config

    def command(self, words: List[str]) -> None:
        name = words[0]
        does = getattr(self, "do_" + name, None)
        if does is None:
            raise Wrong(f"{name}: not modelled in this lab")
        does(words[1:])

    def do_create(self, words: List[str]) -> None:
        if self.config is not None and "-F" not in words:
            raise Wrong(f"{self.zone}: zone already exists; use 'delete' first, or create -F")
        if [word for word in words if word not in ("-b", "-F")]:
            raise Wrong(f"create {' '.join(words)}: only -b and -F are modelled in this lab")
        self.config, self.changed = blank(), True

    def do_set(self, words: List[str]) -> None:
        name, equals, value = " ".join(words).partition("=")
        name, value = name.strip(), value.strip().strip('"')
        if not equals:
            raise Wrong("set: expected PROPERTY=VALUE")
        if self.open:
            if name not in RESOURCES[self.open[0]]:
                raise Wrong(f"{name}: no such property of {self.open[0]}")
            self.open[1][name] = value
            return
        if name not in SCALARS:
            raise Wrong(f"{name}: not modelled in this lab")
        if name == "zonepath" and (not value.startswith("/") or value == "/"):
            raise Wrong("zonepath: must be an absolute path")
        if name == "autoboot" and value not in ("true", "false"):
            raise Wrong("autoboot: must be true or false")
        if name == "ip-type" and value not in ("shared", "exclusive"):
            raise Wrong("ip-type: must be shared or exclusive")
        self.need().scalars[name] = value
        self.changed = True

    def do_add(self, words: List[str]) -> None:
        self.need()
        if len(words) != 1 or words[0] not in RESOURCES:
            raise Wrong(f"add {' '.join(words)}: not modelled in this lab")
        self.open = (words[0], {})

    def do_end(self, words: List[str]) -> None:
        if self.open is None:
            raise Wrong("end: no resource is being added")
        self.need().resources.append(self.open)
        self.open, self.changed = None, True

    def do_delete(self, words: List[str]) -> None:
        self.need()
        zones = registry.index()
        zone = zones.get(self.zone)
        if zone is not None and registry.state_of(zone) != "configured":
            raise Wrong(f"Zone {self.zone} not in configured state; delete not allowed.")
        zones.pop(self.zone, None)
        registry.keep(zones)
        os.unlink(path_of(self.zone))
        self.config, self.changed = None, False

    def do_info(self, words: List[str]) -> None:
        config = self.need()
        wanted = words[0] if words else ""
        lines = [f"zonename: {self.zone}"] if not wanted else []
        lines += [f"{name}: {config.get(name)}" for name in SCALARS if wanted == name or not wanted
                  and (config.get(name) or name in ("bootargs", "pool"))]
        for kind, pairs in config.resources:
            if wanted in ("", kind):
                lines += [f"{kind}:", *(f"\t{name}: {value}" for name, value in pairs.items())]
        sys.stdout.write("".join(line.rstrip() + "\n" for line in lines))

    def do_export(self, words: List[str]) -> None:
        config = self.need()
        lines = ["create -b", *(f"set {name}={value}" for name, value in config.scalars.items())]
        for kind, pairs in config.resources:
            lines += [f"add {kind}", *(f"set {name}={value}" for name, value in pairs.items()), "end"]
        sys.stdout.write("\n".join(lines) + "\n")

    def do_verify(self, words: List[str]) -> None:
        if not self.need().get("zonepath"):
            raise Wrong("zonepath cannot be empty.")

    def do_commit(self, words: List[str]) -> None:
        if not self.changed:
            return
        self.do_verify([])
        config = self.need()
        save(self.zone, config)
        zones = registry.index()
        old = zones.get(self.zone)
        zones[self.zone] = Zone(self.zone, old.state if old else "configured", config.get("zonepath"),
                                old.uuid if old else new_uuid())
        registry.keep(zones)
        self.changed = False

    def do_exit(self, words: List[str]) -> None:
        self.do_commit([])


def new_uuid() -> str:
    with open("/proc/sys/kernel/random/uuid") as file:
        return file.read().strip()


def commands(text: str) -> List[List[str]]:
    """Subcommands are separated by newlines or semicolons; # begins a comment."""
    found = []
    for line in text.splitlines():
        for part in line.partition("#")[0].split(";"):
            words = part.split()
            if words:
                found.append(words)
    return found


def main(argv: List[str]) -> int:
    if len(argv) < 3 or argv[0] != "-z":
        sys.stderr.write("usage:\tzonecfg -z ZONE -f FILE\n\tzonecfg -z ZONE SUBCOMMAND [; SUBCOMMAND …]\n"
                         "\t(the interactive mode is not modelled in this lab)\n")
        return 2
    zone, rest = argv[1], argv[2:]
    if not registry.well_named(zone) or zone == "global":
        sys.stderr.write(f"zonecfg: {zone}: Invalid zone name\n")
        return 1
    try:
        if rest[0] == "-f":
            with open(rest[1]) as file:
                text = file.read()
        else:
            text = " ".join(rest)
        session = Session(zone)
        for words in commands(text):
            session.command(words)
        session.do_commit([])
    except (Wrong, OSError) as problem:
        sys.stderr.write(f"zonecfg: {problem}\n")
        return 1
    return 0
