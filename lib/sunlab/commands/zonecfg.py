"""zonecfg(8): create, change, show, export and delete a zone's configuration. The interactive mode is not modelled."""
from __future__ import annotations

import os
import sys

from sunlab.platform import here
from sunlab.zones import config, registry
from sunlab.zones.config import RESOURCES, SCALARS, ZoneConfig
from sunlab.zones.registry import Zone

#: Properties that the lab acts on; any other may only be set to what it is anyway.
ACTED_ON = ("zonepath", "brand", "autoboot", "ip-type")
WITHOUT_EFFECT = {"limitpriv": "default"}
CHOICES = {"autoboot": ("true", "false"), "ip-type": ("shared", "exclusive")}


class Wrong(Exception):
    """Exit 1 with this text."""


class Session:
    """One run of zonecfg: the configuration that is being changed, and the resource that is being added to it."""

    def __init__(self, zone: str) -> None:
        self.zone = zone
        self.config: ZoneConfig | None = config.load(zone)
        self.changed = False
        self.adding: tuple[str, dict[str, str]] | None = None

    def need(self) -> ZoneConfig:
        if self.config is None:
            raise Wrong(f"{self.zone}: No such zone configured\nUse 'create' to begin configuring a new zone.")
        return self.config

    def command(self, words: list[str]) -> None:
        does = getattr(self, "do_" + words[0], None)
        if does is None:
            raise Wrong(f"{words[0]}: not modelled in this lab")
        does(words[1:])

    def do_create(self, words: list[str]) -> None:
        for word in words:
            if word not in ("-b", "-F"):
                raise Wrong(f"create {word}: not modelled in this lab")
        if "-b" not in words and here().anet:
            raise Wrong("create without -b (template SYSdefault): not modelled in this lab")
        if self.config is not None and "-F" not in words:
            raise Wrong(f"{self.zone}: zone already exists; 'delete' it first, or 'create -F'")
        self.config, self.changed = config.blank(), True

    def do_set(self, words: list[str]) -> None:
        name, equals, value = (part.strip() for part in " ".join(words).partition("="))
        if not equals:
            raise Wrong("set: expected PROPERTY=VALUE")
        if self.adding:
            self.set_in_resource(self.adding, name, value)
            return
        check(name, value)
        self.need().scalars[name] = value
        self.changed = True

    def set_in_resource(self, adding: tuple[str, dict[str, str]], name: str, value: str) -> None:
        kind, pairs = adding
        if name not in RESOURCES[kind]:
            raise Wrong(f"{kind}: {name}: not modelled in this lab")
        if (kind, name) == ("fs", "type") and value != "lofs":
            raise Wrong(f"fs: type {value}: only lofs is modelled in this lab")
        pairs[name] = value

    def do_add(self, words: list[str]) -> None:
        self.need()
        if self.adding or len(words) != 1 or words[0] not in RESOURCES:
            raise Wrong(f"add {' '.join(words)}: not modelled in this lab")
        self.adding = (words[0], {})

    def do_end(self, words: list[str]) -> None:
        if self.adding is None:
            raise Wrong("end: no resource is being added")
        kind, pairs = self.adding
        for name in RESOURCES[kind]:
            if name not in pairs:
                raise Wrong(f"{kind}: {name} not specified")
        self.need().resources.append((kind, {name: pairs[name] for name in RESOURCES[kind]}))
        self.adding, self.changed = None, True

    def do_cancel(self, words: list[str]) -> None:
        self.adding = None

    def do_delete(self, words: list[str]) -> None:
        self.need()
        if words not in ([], ["-F"]):
            raise Wrong(f"delete {' '.join(words)}: not modelled in this lab")
        if not words:
            raise Wrong("delete without -F asks first, which is not modelled in this lab")
        zones = registry.index()
        zone = zones.pop(self.zone, None)
        if zone is not None and registry.state_of(zone) != "configured":
            raise Wrong(f"Zone {self.zone} not in configured state; delete not allowed.")
        registry.keep(zones)
        if os.path.exists(config.path_of(self.zone)):
            os.unlink(config.path_of(self.zone))
        self.config, self.changed = None, False

    def do_info(self, words: list[str]) -> None:
        own = self.need()
        wanted = words[0] if words else ""
        if wanted and wanted not in (*SCALARS, *RESOURCES, "zonename"):
            raise Wrong(f"info {wanted}: not modelled in this lab")
        lines = [f"zonename: {self.zone}"] if wanted in ("", "zonename") else []
        lines += [f"{name}: {own.get(name)}" for name in SCALARS if wanted in ("", name)]
        for kind, pairs in own.resources:
            if wanted in ("", kind):
                lines += [f"{kind}:", *(f"\t{name}: {pairs[name]}" for name in RESOURCES[kind])]
        sys.stdout.write("".join(line + "\n" for line in lines))

    def do_export(self, words: list[str]) -> None:
        if words:
            raise Wrong("export -f: not modelled in this lab; use its output")
        own = self.need()
        lines = ["create -b", *(f"set {name}={quoted(own.get(name))}" for name in SCALARS if own.get(name))]
        for kind, pairs in own.resources:
            lines += [f"add {kind}", *(f"set {name}={quoted(pairs[name])}" for name in RESOURCES[kind]), "end"]
        sys.stdout.write("\n".join(lines) + "\n")

    def do_verify(self, words: list[str]) -> None:
        own = self.need()
        if self.adding:
            raise Wrong(f"add {self.adding[0]}: 'end' or 'cancel' is missing")
        path = own.get("zonepath")
        if not path:
            raise Wrong("zonepath cannot be empty.")
        for other in registry.index().values():
            if other.name != self.zone and other.path == path:
                raise Wrong(f"zonepath {path} is already used by zone {other.name}")

    def do_commit(self, words: list[str]) -> None:
        if not self.changed:
            return
        self.do_verify([])
        own = self.need()
        zones = registry.index()
        old = zones.get(self.zone)
        if old and old.path != own.get("zonepath") and registry.state_of(old) != "configured":
            raise Wrong(f"Zone {self.zone} already installed; set zonepath not allowed.")
        config.save(self.zone, own)
        zones[self.zone] = Zone(self.zone, old.state if old else "configured", own.get("zonepath"),
                                old.uuid if old else "")
        registry.keep(zones)
        self.changed = False

    def do_exit(self, words: list[str]) -> None:
        self.do_commit([])


def check(name: str, value: str) -> None:
    """Raises Wrong for a property that the lab would not act on, or a value that is none."""
    if name not in SCALARS:
        raise Wrong(f"{name}: not modelled in this lab")
    if name not in ACTED_ON and value != WITHOUT_EFFECT.get(name, ""):
        raise Wrong(f"{name}={value}: not modelled in this lab")
    if name == "zonepath" and (not value.startswith("/") or os.path.normpath(value) != value or value == "/"
                               or set(value) & set(": \t\n")):
        raise Wrong(f"zonepath {value}: must be a plain absolute path, without colons and blanks")
    if name == "brand" and value not in config.brands():
        raise Wrong(f"brand {value}: not modelled in this lab; there are {', '.join(config.brands())}")
    if name in CHOICES and value not in CHOICES[name]:
        raise Wrong(f"{name}: must be {' or '.join(CHOICES[name])}")


def quoted(value: str) -> str:
    return f'"{value}"' if set(value) & set(' ;#=,"') else value


def commands(text: str) -> list[list[str]]:
    """Subcommands stand between newlines or semicolons; " quotes; a line that begins with # is a comment."""
    found: list[list[str]] = []
    for line in text.splitlines():
        if line.lstrip().startswith("#"):
            continue
        words: list[str] = []
        word, within = "", False
        for letter in line + ";":
            if letter == '"':
                within = not within
            elif within or letter not in " \t;":
                word += letter
            else:
                words, word = ([*words, word], "") if word else (words, "")
                if letter == ";":
                    found, words = ([*found, words], []) if words else (found, [])
        if within:
            raise Wrong(f'syntax error: a " is missing: {line.strip()}')
    return found


def main(argv: list[str]) -> int:
    if len(argv) < 3 or argv[0] != "-z" or argv[2] == "-f" and len(argv) != 4:
        sys.stderr.write("usage:\tzonecfg -z ZONE -f FILE\n\tzonecfg -z ZONE SUBCOMMAND [; SUBCOMMAND …]\n"
                         "\t(the interactive mode is not modelled in this lab)\n")
        return 2
    zone, rest = argv[1], argv[2:]
    if not registry.valid(zone):
        sys.stderr.write(f"{zone}: Invalid zone name\n")
        return 1
    try:
        if rest[0] == "-f":
            with open(rest[1]) as file:
                text = file.read()
        else:
            text = " ".join(rest)
        with registry.Exclusively(zone):
            session = Session(zone)
            for words in commands(text):
                session.command(words)
            session.do_commit([])
    except (Wrong, OSError) as problem:
        sys.stderr.write(f"zonecfg: {problem}\n")
        return 1
    return 0
