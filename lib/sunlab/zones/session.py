"""One run of zonecfg(8): creating, deleting, verifying, saving and showing the whole of a configuration.

Which mistakes make the command exit 1 and which do not, and that what was said before a mistake is kept: zonecfg.c.
"""
from __future__ import annotations

import os
import sys

from sunlab.platform import here
from sunlab.zones import checks, config, instance, registry, schema, show
from sunlab.zones.config import ZoneConfig
from sunlab.zones.editing import NO_ZONE, Editing, Leave, Wrong
from sunlab.zones.language import VERBS, Statement, SyntaxWrong
from sunlab.zones.registry import Zone

READING = ("info", "export", "verify", "help", "exit")     # what a user who may not write the file may do


class Session(Editing):
    def __init__(self, zone: str, prompt: bool, interactive: bool) -> None:
        super().__init__(zone, config.load(zone), prompt, interactive)
        self.leaving = self.forced = False

    def run(self, said: Statement) -> None:
        """Raises Wrong, Leave, SyntaxWrong."""
        if os.geteuid() != 0 and said.verb not in READING:
            raise Wrong(f"{self.zone}: cannot {said.verb} in read-only mode.")
        getattr(self, "do_" + said.verb)(said)

    def sure(self, question: str, verb: str, what: str = "Input") -> bool:
        try:
            return self.ask(question, what)
        except Leave as leave:
            raise Leave(f"{leave}{verb} command ignored, exiting.") from None

    # --- the whole

    def do_create(self, said: Statement) -> None:
        force, template, detached = self.create_options(said)
        if config.load(self.zone) is not None:
            if self.installed():
                raise Wrong(f"Zone {self.zone} already installed; create not allowed.", counts=False)
            if force:
                sys.stdout.write(f"Zone {self.zone} already exists; overwriting.\n")
            elif not self.sure(f"Zone {self.zone} already exists; create anyway", "create", "Zone exists, input"):
                return
        if detached:
            self.config = self.detached(detached)
        elif template in ("SYSblank", "SUNWblank"):
            self.config = config.blank()
        elif template in ("SYSdefault", "SUNWdefault", "SYSsolaris"):
            if here().anet and "-t" not in said.options:
                sys.stdout.write("create: Using system default template 'SYSdefault'\n")
            self.config = config.system_default()
        else:
            found = config.load(template)
            if found is None:
                raise Wrong(f"{template}: {NO_ZONE}")
            self.config = found
        self.changed = True

    def create_options(self, said: Statement) -> tuple[bool, str, str]:
        force, template, detached = False, "SYSdefault", ""
        words = list(said.options)
        while words:
            word = words.pop(0)
            if word in ("-a", "-t") and words:
                template, detached = (template, words.pop(0)) if word == "-a" else (words.pop(0), detached)
            elif word == "-b":
                template = "SYSblank"
            elif word == "-F":
                force = True
            else:
                raise SyntaxWrong("", "create")
        return force, template, detached

    def detached(self, path: str) -> ZoneConfig:
        try:
            found = config.load_file(f"{path}/SUNWdetached.xml")
        except ValueError:
            raise Wrong("Cannot attach to an earlier release of the operating system", counts=False) from None
        if found is None:
            raise Wrong("invalid path to detached zone", counts=False)
        found.scalars["zonepath"] = path
        return found

    def do_delete(self, said: Statement) -> None:
        force = only_force(said)
        if not force:
            self.need()
            if not self.sure(f"Are you sure you want to delete zone {self.zone}", "delete"):
                return
        zone = registry.index().get(self.zone)
        if zone is None and not os.path.exists(config.path_of(self.zone)):
            raise Wrong(f"{self.zone}: {NO_ZONE}")
        state = registry.state_of(zone) if zone else "configured"
        if state not in registry.AT_REST:
            raise Wrong(f"{self.zone}: Zone state is invalid for the requested operation")
        if state != "configured" and not force:
            raise Wrong(f"Zone {self.zone} not in configured state; delete not allowed.  Use -F to force delete.",
                        counts=False)
        with registry.Changing() as zones:
            zones.pop(self.zone, None)
        if os.path.exists(config.path_of(self.zone)):
            os.unlink(config.path_of(self.zone))
        instance.remove(self.zone)
        self.config, self.changed, self.scope = None, False, None

    def do_commit(self, said: Statement) -> None:
        self.verify(save=True)

    def do_verify(self, said: Statement) -> None:
        self.verify(save=False)

    def verify(self, save: bool) -> None:
        own = self.need()
        wrong, last = checks.zone(self.zone, own)
        if self.scope is not None:
            wrong, last = [*wrong, "resource specification incomplete"], last or "Insufficient specification"
        if last:
            failed = [f"Zone {self.zone} failed to verify"] if save else []
            raise Wrong(*wrong, *failed, f"{self.zone}: {last}")
        if save:
            self.save(own)

    def save(self, own: ZoneConfig) -> None:
        config.save(self.zone, own)
        if self.saved_as != self.zone and os.path.exists(config.path_of(self.saved_as)):
            os.unlink(config.path_of(self.saved_as))
        with registry.Changing() as zones:
            old = zones.get(self.saved_as)
            if self.saved_as != self.zone:
                zones.pop(self.saved_as, None)
            zones[self.zone] = Zone(self.zone, old.state if old else "configured", own.path(self.zone),
                                    old.uuid if old else "")
        if old is not None and old.state in ("installed", "unavailable"):
            instance.add(self.zone)
        self.changed, self.saved_as = False, self.zone

    def do_revert(self, said: Statement) -> None:
        force = only_force(said)
        if self.scope is not None:
            raise Wrong("You can only use revert in the global scope.\nUse 'cancel' to cancel changes to a resource "
                        "specification.")
        if self.config is None:
            raise Wrong("No changes to revert.")
        if not force and not self.sure("Are you sure you want to revert", "revert"):
            return
        self.zone = self.saved_as
        self.config, self.changed = config.load(self.zone), False
        if self.config is None:
            raise Wrong(f"{self.zone}: no such saved zone to revert to.")

    def do_exit(self, said: Statement) -> None:
        self.forced = only_force(said)
        if self.scope is None or self.forced:
            self.leaving = True
            return
        try:
            self.leaving = self.ask("Resource incomplete; really quit", "Resource incomplete, input")
        except Leave as leave:
            raise Leave(f"{leave}exit command ignored, but exiting anyway.") from None

    def do_export(self, said: Statement) -> None:
        if said.options and (len(said.options) != 2 or said.options[0] != "-f"):
            raise SyntaxWrong("", "export")
        text = "\n".join(show.export(self.need())) + "\n"
        if not said.options:
            sys.stdout.write(text)
            return
        try:
            with open(said.options[1], "w") as file:
                file.write(text)
        except OSError as failed:
            raise Wrong(f"opening file {said.options[1]}: {failed.strerror}", counts=False) from failed

    def do_help(self, said: Statement) -> None:
        wanted = [verb for verb in VERBS if verb in said.options] or list(VERBS)
        sys.stdout.write("".join(f"{VERBS[verb]}\n" for verb in wanted))

    def do_info(self, said: Statement) -> None:
        own = self.need()
        everything = not here().anet or "-a" in said.options
        info = show.Info(self.zone, own, everything, self.interactive)
        if self.scope is not None:
            lines = [f"{self.scope.kind}:", *info.properties(self.scope)]
            if self.scope.kind in ("capped-memory", "capped-cpu"):
                lines = info.capped(self.scope.kind)
        elif not said.name:
            lines = info.all()
        elif said.name == "zonename":
            lines = [f"zonename: {self.zone}"]
        elif said.name in schema.ALIASES:
            lines = info.alias(said.name)
        elif said.name in schema.kinds():
            lines = info.resources(said.name, said.pairs)
        elif said.name in schema.scalars():
            lines = info.scalar(said.name)
        else:
            raise SyntaxWrong("", "info")
        sys.stdout.write("".join(line + "\n" for line in lines))


def only_force(said: Statement) -> bool:
    if any(option != "-F" for option in said.options):
        raise SyntaxWrong("", said.verb)
    return bool(said.options)
