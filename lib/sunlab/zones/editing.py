"""Changing a configuration within one run of zonecfg(8): its properties, and the resource that is being edited.

Which mistakes make the command exit 1 and which do not: zonecfg.c.
"""
from __future__ import annotations

import sys

from sunlab.platform import here
from sunlab.zones import checks, registry, schema
from sunlab.zones.config import Resource, ZoneConfig
from sunlab.zones.language import Statement, SyntaxWrong

NO_ZONE = "No such zone configured"


class Wrong(Exception):
    """These lines are said; `counts`: and zonecfg exits 1 in the end."""

    def __init__(self, *lines: str, counts: bool = True) -> None:
        super().__init__("\n".join(lines))
        self.lines, self.counts = lines, counts


class Leave(Exception):
    """zonecfg says this and exits 1 at once; nothing more is saved."""


class Editing:
    """`prompt`: may ask whoever sits at the terminal. `interactive`: takes commands from there."""

    def __init__(self, zone: str, own: ZoneConfig | None, prompt: bool, interactive: bool) -> None:
        self.zone, self.saved_as = zone, zone
        self.prompt, self.interactive = prompt, interactive
        self.config = own
        self.changed = False
        self.scope: Resource | None = None          # being added or changed
        self.old: Resource | None = None            # what is selected; None while adding

    def need(self) -> ZoneConfig:
        if self.config is None:
            lines = [f"{self.zone}: {NO_ZONE}"]
            if self.interactive:
                lines.append("Use 'create' to begin configuring a new zone.")
            raise Wrong(*lines)
        return self.config

    def index_state(self) -> str:
        zone = registry.index().get(self.zone)
        return registry.state_of(zone) if zone else ""

    def installed(self) -> bool:
        return self.index_state() not in ("", "configured", "incomplete")

    def ask(self, question: str, otherwise: str) -> bool:
        if not self.prompt:
            raise Leave(f"{otherwise} not from terminal and -F not specified:\n")
        while True:
            sys.stdout.write(f"{question} (y/[n])? ")
            sys.stdout.flush()
            answer = sys.stdin.readline().lower()
            if answer[:1] in ("", "\n", "n"):
                return False
            if answer[0] == "y":
                return True

    # --- properties

    def do_set(self, said: Statement) -> None:
        if self.scope is not None:
            self.set_inner(self.scope, said)
            return
        if said.value is None or said.value.shape != "simple":
            raise Wrong("A simple value was expected here.")
        value = said.value.items[0]
        if said.name == "zonename":
            self.rename(value)
        elif said.name in schema.ALIASES:
            self.set_control(schema.ALIASES[said.name], said.name, value)
        elif said.name in schema.scalars():
            self.set_scalar(said.name, value)
        else:
            raise Wrong("Cannot set a resource-specific property from the global scope.")

    def set_scalar(self, name: str, value: str) -> None:
        own = self.need()
        if name in ("zonepath", "brand") and self.installed():
            raise Wrong(f"Zone {self.zone} already installed; set {name} not allowed.", counts=False)
        objection = checks.scalar(name, value)
        if objection:
            raise Wrong(objection)
        own.scalars[name] = value
        self.changed = True

    def rename(self, name: str) -> None:
        if not registry.valid(name):
            raise Wrong(f"{name}: Bogus zone name")
        if self.config is not None:
            if self.installed():
                raise Wrong(f"{name}: Zone state is invalid for the requested operation")
            if name in registry.index():
                raise Wrong(f"{name}: Zone name already in use")
            self.changed = True
        self.zone = name
        if self.config is None:
            self.saved_as = name

    def set_control(self, control: str, name: str, value: str) -> None:
        own = self.need()
        size = schema.in_bytes(value) if control == "zone.max-shm-memory" else int(value) if value.isdigit() else None
        if size is None or size < schema.LOWEST.get(control, 0):
            raise Wrong(f"{name} property is out of range.")
        self.put_control(own, control, size)

    def put_control(self, own: ZoneConfig, control: str, size: int) -> None:
        action = "none" if control == "zone.cpu-shares" else "deny"
        found = own.control(control)
        if found is None:
            found = Resource("rctl", {"name": control})
            own.resources.append(found)
        found.values = [f"(priv=privileged,limit={size},action={action})"]
        self.changed = True

    def set_inner(self, one: Resource, said: Statement) -> None:
        kind = schema.kinds()[one.kind]
        assert said.value is not None
        if said.name == kind.many:
            one.values = []
            self.add_values(one, said)
            return
        if said.name not in kind.properties:
            raise Wrong(f"{said.name}: No such property type")
        if said.value.shape != "simple" and said.name != "allowed-address":
            raise Wrong("A simple value was expected here.")
        value = ",".join(said.value.items)
        objection = checks.inner(one.kind, said.name, value)
        if objection:
            raise Wrong(objection)
        if one.kind == "capped-memory":
            value = self.set_cap(said.name, value)
        elif one.kind == "capped-cpu":
            value = self.set_cpu(value)
        if value:
            one.pairs[said.name] = value

    def set_cap(self, name: str, value: str) -> str:
        size, objection = checks.cap(name, value)
        if objection:
            raise Wrong(objection)
        if name == "physical":
            return str(size)
        self.put_control(self.need(), schema.INNER_ALIASES["capped-memory", name], size)
        return ""

    def set_cpu(self, value: str) -> str:
        try:
            share = int(float(value) * 100)
        except ValueError:
            share = 0
        if share < 1:
            raise Wrong("ncpus property is out of range.")
        self.put_control(self.need(), "zone.cpu-cap", share)
        return ""

    def add_values(self, one: Resource, said: Statement) -> None:
        assert said.value is not None
        for value in said.value.items:
            if one.kind == "rctl":
                if said.value.shape == "simple":
                    raise Wrong("A complex or list value was expected here.")
                wrong = checks.rctl_value(value)
                if wrong:
                    raise Wrong(*wrong, counts=False)
            one.values.append(value)

    def do_clear(self, said: Statement) -> None:
        own = self.need()
        name = said.name
        if self.scope is not None:
            self.clear_inner(self.scope, own, name)
        elif name in ("zonename", "zonepath", "brand"):
            raise Wrong(f"{name}: Clearing this property is not allowed")
        elif name in schema.ALIASES:
            self.drop_control(own, schema.ALIASES[name], name)
        elif name in schema.scalars():
            own.scalars[name] = schema.defaults().get(name, "")
        else:
            raise Wrong(f"{name}: No such property type")
        self.changed = True

    def clear_inner(self, one: Resource, own: ZoneConfig, name: str) -> None:
        control = schema.INNER_ALIASES.get((one.kind, name))
        if control:
            self.drop_control(own, control, name)
        elif name in schema.kinds()[one.kind].required or name not in schema.kinds()[one.kind].properties:
            raise Wrong(f"{name}: Clearing this property is not allowed")
        one.pairs.pop(name, None)

    def drop_control(self, own: ZoneConfig, control: str, name: str) -> None:
        found = own.control(control)
        if found is None:
            raise Wrong(f"clear {name}: No such entry")
        own.resources.remove(found)

    # --- resources

    def do_add(self, said: Statement) -> None:
        own = self.need()
        if self.scope is not None:
            if said.value is None or said.name != schema.kinds()[self.scope.kind].many:
                raise Wrong(f"{said.name}: No such property type")
            self.add_values(self.scope, said)
            return
        if said.value is not None:
            raise SyntaxWrong("", "add")
        if schema.kinds()[said.name].single and self.single(own, said.name):
            also = " or a related resource control" if said.name == "capped-memory" else ""
            raise Wrong(f"The {said.name} resource{also} already exists.", counts=False)
        self.scope, self.old = Resource(said.name, schema.ANET_DEFAULTS if said.name == "anet" else {}), None

    def single(self, own: ZoneConfig, kind: str) -> bool:
        """Is there one already, or a resource control that is a part of it?"""
        return bool(own.all_of(kind)) or any(own.control(control) for (one, _), control
                                             in schema.INNER_ALIASES.items() if one == kind)

    def chosen(self, own: ZoneConfig, said: Statement) -> list[Resource]:
        found = own.all_of(said.name)
        if "" in said.pairs:
            return found[int(said.pairs[""]):][:1]
        return [one for one in found if one.same_as(said.pairs)]

    def do_select(self, said: Statement) -> None:
        if self.scope is not None:
            raise Wrong("The select command only makes sense in the global scope.")
        own = self.need()
        if said.name in schema.kinds() and schema.kinds()[said.name].single and self.single(own, said.name):
            found = own.all_of(said.name) or [Resource(said.name)]
        elif not said.pairs and not (here().anet and len(own.all_of(said.name)) == 1):
            raise SyntaxWrong("", "select")
        else:
            found = self.chosen(own, said)
        if not found:
            raise Wrong(f"select {said.name}: No such resource with that id")
        if len(found) > 1:
            raise Wrong(f"select {said.name}: Insufficient specification")
        self.old, self.scope = found[0], found[0].copy()

    def do_remove(self, said: Statement) -> None:
        own = self.need()
        if self.scope is not None:
            self.remove_value(self.scope, said)
            return
        if said.value is not None:
            raise SyntaxWrong("", "remove")
        found = self.chosen(own, said)
        if schema.kinds()[said.name].single:
            found += [one for one in own.all_of("rctl") if (said.name, one.get("name")) in
                      [(kind, control) for (kind, _), control in schema.INNER_ALIASES.items()]]
        if not found:
            raise Wrong(f"remove {said.name}: No such {'resource with that id' if said.pairs else 'entry'}")
        if len(found) > 1 and "-F" not in said.options and not schema.kinds()[said.name].single:
            if said.pairs:
                raise Wrong(f"remove {said.name}: Insufficient specification")
            if not self.interactive:
                raise Wrong("There are multiple instances of this resource.  Either qualify the resource to\n"
                            "remove a single instance or use the -F option to remove all instances.")
            if not self.ask(f"Are you sure you want to remove ALL '{said.name}' resources", "Resource"):
                return
        own.resources = [one for one in own.resources if one not in found]
        self.changed = True

    def remove_value(self, one: Resource, said: Statement) -> None:
        if said.value is None or said.name != schema.kinds()[one.kind].many:
            raise Wrong(f"{said.name}: No such property type")
        for value in said.value.items:
            if value not in one.values:
                raise Wrong(f"{said.name}: No such property with that id")
            one.values.remove(value)

    def do_cancel(self, said: Statement) -> None:
        if self.scope is None:
            raise Wrong("The cancel command only makes sense in the resource scope.")
        self.scope = self.old = None

    def do_end(self, said: Statement) -> None:
        if self.scope is None:
            raise Wrong("The end command only makes sense in the resource scope.")
        own, one = self.need(), self.scope
        wrong = checks.complete(one)
        if one.kind in ("capped-memory", "capped-cpu") and not one.pairs and not self.single(own, one.kind):
            wrong.append("ncpus not specified" if one.kind == "capped-cpu" else
                         "No property was specified.  One of physical, swap or locked is required.")
        if wrong:
            raise Wrong(*wrong)
        self.refuse_second(own, one)
        if self.old is not None and self.old in own.resources:
            own.resources[own.resources.index(self.old)] = one
        elif one.kind not in ("capped-memory", "capped-cpu") or one.pairs:
            own.resources.append(one)
        self.scope, self.old, self.changed = None, None, True

    def refuse_second(self, own: ZoneConfig, one: Resource) -> None:
        unique = schema.kinds()[one.kind].unique
        same = {name: one.get(name) for name in unique}
        if not unique or not any(other is not self.old and other.same_as(same) for other in own.all_of(one.kind)):
            return
        if one.kind == "net":
            second = "address" if one.get("address") else "allowed-address"
            raise Wrong(f"A net resource with the physical '{one.get('physical')}', and {second} '{one.get(second)}' "
                        "already exists.")
        article = "An" if one.kind == "attr" else "A"
        raise Wrong(f"{article} {one.kind} resource with the {unique[0]} '{one.get(unique[0])}' already exists.")
