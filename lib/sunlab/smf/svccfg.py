"""svccfg(8): changes the repository's editing copy; only refresh makes them count. One request is one commit."""
import os
import re
from typing import TYPE_CHECKING, Callable, Dict, List, Optional, Tuple

from sunlab.smf import manifest, upgrade
from sunlab.smf.authorise import Caller
from sunlab.smf.batch import Refused, lines_of, value_list, words_of
from sunlab.smf.fmri import Fmri, matches, matches_service, parse
from sunlab.smf.options import Usage, flags, split
from sunlab.smf.properties import TYPES, Group, Prop, canonical, first, line, value_error
from sunlab.smf.repository import Entity, Instance, Service

if TYPE_CHECKING:
    from sunlab.smf.door import Reply, Request
    from sunlab.smf.startd import Startd

USAGE = """Usage:\tsvccfg [-v] [-s FMRI] [-f file]
\tsvccfg [-v] [-s FMRI] <command> [args]"""
NOT_MODELLED = ("export", "archive", "apply", "extract", "editprop", "inventory", "set", "setnotify", "listnotify",
                "delnotify", "describe", "repository", "restore", "cleanup", "listpat", "delcust", "listcust")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.,-]*")


def run(startd: "Startd", request: "Request", reply: "Reply") -> int:
    try:
        found, words = split(request.args, "vs:f:z:")
    except Usage as wrong:
        reply.err(f"svccfg: {wrong}\n{USAGE}")
        return 2
    options = flags(found)
    session = Session(startd, request, reply)
    try:
        # The operands are one command, joined by blanks (svccfg.c, main): 'setprop a/b = c' may be one of them.
        commands = [words_of(" ".join(words))] if words else [words_of(text) for text in lines_of(request.input)]
        if "s" in options:
            session.select([options["s"]])
        for command in commands:
            if command and not command[0].startswith("#") and not session.carry_out(command):
                break
    except Refused as why:
        reply.err(f"svccfg: {why}")
        return 1
    except Usage as wrong:
        reply.err(f"svccfg: {wrong}")
        return 1
    return 0


class Session:
    """One run of svccfg: what is selected, and the subcommands."""

    def __init__(self, startd: "Startd", request: "Request", reply: "Reply") -> None:
        self.startd = startd
        self.repository = startd.repository
        self.request = request
        self.reply = reply
        self.entity: Optional[Entity] = None
        self.snapshot: Optional[str] = None
        self.caller = Caller(request.uid)
        self.commands: Dict[str, Callable[[List[str]], None]] = {
            "import": self.import_, "validate": self.validate, "select": self.select, "unselect": self.unselect,
            "add": self.add, "delete": self.delete, "list": self.list, "addpg": self.addpg, "delpg": self.delpg,
            "setprop": self.setprop, "delprop": self.delprop, "addpropvalue": self.addpropvalue,
            "delpropvalue": self.delpropvalue, "listpg": self.listpg, "listprop": self.listprop,
            "refresh": self.refresh, "listsnap": self.listsnap, "selectsnap": self.selectsnap,
            "revert": self.revert, "setenv": self.setenv,
            "unsetenv": self.unsetenv}

    def carry_out(self, words: List[str]) -> bool:
        """One subcommand; False ends the run. Raises Refused."""
        name, rest = words[0], words[1:]
        if name in ("end", "exit", "quit"):
            return False
        if name in NOT_MODELLED:
            raise Refused(f"{name}: not modelled in this lab")
        if name not in self.commands:
            raise Refused(f'Unknown command "{name}".')
        self.commands[name](rest)
        return True

    @staticmethod
    def need(allowed: bool) -> None:
        if not allowed:
            raise Refused("Permission denied.")

    def chosen(self) -> Entity:
        if self.entity is None:
            raise Refused("An entity must be selected.")
        return self.entity

    # --- entities

    def import_(self, args: List[str]) -> None:
        found, files = split(args, "Vp:")
        if not files:
            raise Usage("Syntax: import [-V] file")
        self.need(self.caller.may_modify())
        for name in files:
            path = os.path.join(self.request.folder, name)
            done = upgrade.apply(self.repository, self.read(path), path)
            for warning in done.warnings:
                self.reply.err(f"svccfg: {warning}")
            self.startd.refresh(done.touched)

    def read(self, path: str) -> List[manifest.ServiceDef]:
        try:
            with open(path, encoding="utf-8") as file:
                return manifest.read(file.read(), path)
        except OSError as failed:
            raise Refused(f"couldn't parse document: {path}: {failed.strerror}") from failed
        except manifest.ManifestInvalid as wrong:
            raise Refused(str(wrong)) from wrong

    def validate(self, args: List[str]) -> None:
        if not args:
            raise Refused("validate of an entity: not modelled in this lab")
        self.read(os.path.join(self.request.folder, args[0]))

    def meant(self, pattern: str) -> List[Entity]:
        exact = parse(pattern)
        if exact is not None:
            entity = self.repository.find(exact)
            return [entity] if entity is not None else []
        found: List[Entity] = [s for s in self.repository.services.values() if matches_service(pattern, s.name)]
        if ":" in pattern:
            found += [i for i in self.repository.instances() if matches(pattern, i.service.name, i.name)]
        return found

    def select(self, args: List[str]) -> None:
        if len(args) != 1:
            raise Usage("Syntax: select FMRI")
        name = args[0]
        if isinstance(self.entity, Service) and name in self.entity.instances:
            self.entity = self.entity.instances[name]
        else:
            found = self.meant(name)
            if len(found) > 1:
                listed = "".join(f"\n    {e.fmri}" for e in found)
                raise Refused(f"Pattern '{name}' matches multiple instances:{listed}")
            if not found:
                raise Refused(f"Pattern '{name}' doesn't match any instances or services")
            self.entity = found[0]
        self.snapshot = None

    def unselect(self, args: List[str]) -> None:
        self.entity = self.entity.service if isinstance(self.entity, Instance) else None

    def add(self, args: List[str]) -> None:
        if len(args) != 1 or not all(NAME.fullmatch(p) for p in args[0].split("/")):
            raise Refused(f'"{" ".join(args)}" is not a valid name for a service or instance.')
        self.need(self.caller.may_modify())
        if isinstance(self.entity, Instance):
            raise Refused("Cannot add children to an instance.")
        if isinstance(self.entity, Service):
            if args[0] in self.entity.instances:
                raise Refused(f'Instance "{args[0]}" already exists.')
            self.repository.add_instance(self.entity.name, args[0])
            self.startd.load([Fmri(self.entity.name, args[0])])
        elif args[0] in self.repository.services:
            raise Refused(f'Service "{args[0]}" already exists.')
        else:
            self.repository.service(args[0])

    def delete(self, args: List[str]) -> None:
        found, names = split(args, "f")
        if len(names) != 1:
            raise Usage("Syntax: delete [-f] {name | fmri | pattern}")
        targets: List[Entity] = []
        if isinstance(self.entity, Service) and names[0] in self.entity.instances:
            targets = [self.entity.instances[names[0]]]
        targets = targets or self.meant(names[0])
        if len(targets) != 1:
            raise Refused(f"Pattern '{names[0]}' " + ("matches multiple instances" if targets
                                                      else "doesn't match any instances or services"))
        self.remove(targets[0], bool(found))

    def remove(self, entity: Entity, force: bool) -> None:
        self.need(self.caller.may_modify())
        instances = list(entity.instances.values()) if isinstance(entity, Service) else [entity]
        for instance in instances:
            if not force and first(instance.groups, "restarter", "state") in ("online", "degraded"):
                raise Refused(f"Instance {instance.fmri} may be running.  Use delete -f if it is not.")
        for instance in instances:
            self.startd.removed(instance.fmri)
            self.drop_dependents(instance)
            self.repository.delete(instance)
        if isinstance(entity, Service):
            self.drop_dependents(entity)
            self.repository.delete(entity)
        if self.entity in [entity, *instances]:
            self.entity = None

    def drop_dependents(self, entity: Entity) -> None:
        """The dependencies that its dependents put into others go with it."""
        group = entity.groups.get("dependents")
        for name, prop in (group.props if group is not None else {}).items():
            target = self.repository.find(parse(prop.values[0]) or entity.fmri)
            if target is not None and name in target.groups:
                self.repository.delete_group(target, name)
                self.startd.refresh([target.fmri] if isinstance(target, Instance)
                                    else [i.fmri for i in target.instances.values()])

    def list(self, args: List[str]) -> None:
        pattern = args[0] if args else "*"
        from fnmatch import fnmatchcase
        if self.entity is None:
            names = list(self.repository.services)
        else:
            names = list(self.entity.instances) if isinstance(self.entity, Service) else []
        if self.entity is not None:
            self.reply.out(":properties")
        for name in names:
            if fnmatchcase(name, pattern):
                self.reply.out(name)

    # --- groups and properties

    def addpg(self, args: List[str]) -> None:
        if len(args) not in (2, 3) or args[2:] not in ([], ["P"], ["p"]):
            raise Usage("Syntax: addpg name type [P]")
        if args[0] in self.chosen().groups:
            raise Refused(f'Property group "{args[0]}" already exists.')
        if not NAME.fullmatch(args[0]):
            raise Refused(f'"{args[0]}" is not a valid property group name.')
        self.need(self.caller.may_change(self.chosen(), args[0], args[1]))
        self.repository.put_group(self.chosen(), args[0], Group(args[1], {}, persistent=len(args) == 2))

    def delpg(self, args: List[str]) -> None:
        if len(args) != 1:
            raise Usage("Syntax: delpg name")
        if args[0] not in self.chosen().groups:
            raise Refused(f'No such property group "{args[0]}".')
        self.need(self.caller.may_change(self.chosen(), args[0], self.chosen().groups[args[0]].type))
        self.repository.delete_group(self.chosen(), args[0])

    def setprop(self, args: List[str]) -> None:
        path, kind, given = self.assignment(args, "setprop pg/name = [type:] value")
        group, _, prop = path.partition("/")
        self.must_exist(group)
        old = self.chosen().groups[group].props.get(prop)
        if kind is None and old is None:
            raise Refused("Type required for new properties.")
        if kind is not None and old is not None and kind != old.type:
            raise Refused(f'Property "{path}" has type "{old.type}", not "{kind}".')
        self.store(group, prop, kind or (old.type if old is not None else "astring"), given)

    def store(self, group: str, prop: str, kind: str, given: List[str]) -> None:
        for value in given:
            wrong = value_error(kind, value)
            if wrong:
                raise Refused(wrong)
        self.need(self.caller.may_set(self.chosen(), group, self.chosen().groups[group].type, prop))
        self.repository.put(self.chosen(), group, prop, Prop(kind, tuple(canonical(kind, v) for v in given)))
        if group == "general" and prop == "enabled" and isinstance(self.entity, Instance):
            self.startd.load([self.entity.fmri])        # immediate, not by snapshot

    def assignment(self, args: List[str], syntax: str) -> Tuple[str, Optional[str], List[str]]:
        """(group/property, type or None, values) of `group/property = [type:] value`."""
        shape = re.fullmatch(r"\s*([^\s/=]+)\s*/\s*([^\s=]+)\s*=\s*(.*)", " ".join(args), re.DOTALL)
        if shape is None:
            raise Usage(f"Syntax: {syntax}")
        kind, rest = None, shape.group(3)
        typed = re.match(r"([a-z0-9_]+):\s*", rest)
        if typed is not None and typed.group(1) in TYPES:
            kind, rest = typed.group(1), rest[typed.end():]
        return f"{shape.group(1)}/{shape.group(2)}", kind, value_list(rest)

    def must_exist(self, group: str) -> None:
        if group not in self.chosen().groups:
            raise Refused(f'No such property group "{group}".')

    def existing(self, path: str) -> Prop:
        group, _, prop = path.partition("/")
        self.must_exist(group)
        found = self.chosen().groups[group].props.get(prop)
        if found is None:
            raise Refused(f'No such property "{path}".')
        return found

    def delprop(self, args: List[str]) -> None:
        if len(args) != 1:
            raise Usage("Syntax: delprop pg/name")
        if "/" not in args[0]:
            self.delpg(args)
            return
        self.existing(args[0])
        group, _, prop = args[0].partition("/")
        old = self.chosen().groups[group]
        self.need(self.caller.may_change(self.chosen(), group, old.type))
        props = {n: p for n, p in old.props.items() if n != prop}
        self.repository.put_group(self.chosen(), group, old._replace(props=props))

    def addpropvalue(self, args: List[str]) -> None:
        words = " ".join(args).strip().split(None, 1)
        if len(words) != 2:
            raise Usage("Syntax: addpropvalue pg/name [type:] value")
        path, kind, given = self.assignment([words[0], "=", words[1]], "addpropvalue pg/name [type:] value")
        group, _, prop = path.partition("/")
        self.must_exist(group)
        old = self.chosen().groups[group].props.get(prop)
        if old is None and kind is None:
            raise Refused("Type required for new properties.")
        if old is not None and kind not in (None, old.type):
            raise Refused(f'Property "{path}" has type "{old.type}", not "{kind}".')
        before = old if old is not None else Prop(str(kind), ())
        self.store(group, prop, before.type, [*before.values, *given])

    def delpropvalue(self, args: List[str]) -> None:
        words = " ".join(args).strip().split(None, 1)
        if len(words) != 2:
            raise Usage("Syntax: delpropvalue pg/name globpattern")
        from fnmatch import fnmatchcase
        old = self.existing(words[0])
        pattern = value_list(words[1])[0]
        group, _, prop = words[0].partition("/")
        self.store(group, prop, old.type, [v for v in old.values if not fnmatchcase(v, pattern)])

    def listpg(self, args: List[str]) -> None:
        for name, group in self.shown().items():
            if not args or args[0] == name:
                self.reply.out(f"{name:<20} {group.type}" + ("" if group.persistent else " NONPERSISTENT"))

    def listprop(self, args: List[str]) -> None:
        from fnmatch import fnmatchcase
        if args[:1] == ["-l"]:
            raise Refused("listprop -l: not modelled in this lab")
        pattern = args[0] if args else "*"
        for name, group in self.shown().items():
            if fnmatchcase(name, pattern) or not args:
                self.reply.out(f"{name:<20} {group.type}" + ("" if group.persistent else "\tNONPERSISTENT"))
            readable = self.caller.may_read(name, group)
            for prop, value in group.props.items() if readable else ():
                if fnmatchcase(f"{name}/{prop}", pattern) or fnmatchcase(name, pattern):
                    self.reply.out(f"{name + '/' + prop:<20} {line(value.type, value.values)}")

    def shown(self) -> Dict[str, Group]:
        entity = self.chosen()
        if self.snapshot is not None and isinstance(entity, Instance):
            return entity.snapshots[self.snapshot].instance
        return entity.groups

    def setenv(self, args: List[str]) -> None:
        raise Refused("setenv: not modelled in this lab")

    def unsetenv(self, args: List[str]) -> None:
        raise Refused("unsetenv: not modelled in this lab")

    # --- snapshots

    def instance(self) -> Instance:
        if not isinstance(self.entity, Instance):
            raise Refused("An instance must be selected.")
        return self.entity

    def refresh(self, args: List[str]) -> None:
        entity = self.chosen()
        if isinstance(entity, Service):
            raise Refused("An instance must be selected.")
        self.need(self.caller.may_act(entity))
        self.startd.refresh([entity.fmri])
        if first(entity.groups, "restarter", "state") in ("online", "degraded"):
            from sunlab.smf.orders import Asked
            self.startd.queue.append(Asked(str(entity.fmri), "refresh"))

    def listsnap(self, args: List[str]) -> None:
        for name in self.instance().snapshots:
            self.reply.out(name)

    def selectsnap(self, args: List[str]) -> None:
        if args and args[0] not in self.instance().snapshots:
            raise Refused(f'No such snapshot "{args[0]}".')
        self.snapshot = args[0] if args else None

    def revert(self, args: List[str]) -> None:
        """Make a snapshot's values the current ones; the running snapshot follows at the next refresh."""
        self.need(self.caller.may_modify())
        instance = self.instance()
        name = args[0] if args else self.snapshot
        if name is None or name not in instance.snapshots:
            raise Refused(f'No such snapshot "{name}".' if name else "No snapshot is selected.")
        taken = instance.snapshots[name]
        kept = {n: g for n, g in instance.groups.items() if not g.persistent}
        enabled = instance.groups["general"].props.get("enabled") if "general" in instance.groups else None
        instance.groups = {**taken.instance, **kept}
        if enabled is not None and "general" in instance.groups:
            self.repository.put(instance, "general", "enabled", enabled)
        self.repository.changed = True
