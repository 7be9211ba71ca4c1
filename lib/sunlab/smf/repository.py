"""The repository: services, instances, their property groups and snapshots (svc.configd(8)). store.py keeps it.

A snapshot is a pair (the instance's groups, the service's groups) of what was persistent when it was taken. Groups
are never changed in place, so that taking one costs two dictionaries.
"""
import zlib
from typing import Dict, Iterator, List, NamedTuple, Optional, Union

from sunlab.smf.fmri import Fmri
from sunlab.smf.properties import Group, Groups, Prop, compose, with_value


class Snapshot(NamedTuple):
    instance: Groups
    service: Groups


class Instance:
    def __init__(self, service: "Service", name: str) -> None:
        self.service = service
        self.name = name
        self.groups: Groups = {}
        self.snapshots: Dict[str, Snapshot] = {}

    @property
    def fmri(self) -> Fmri:
        return Fmri(self.service.name, self.name)

    def current(self) -> Groups:
        """Current values, composed."""
        return compose(self.groups, self.service.groups)

    def running(self) -> Groups:
        """What methods and dependencies read: the snapshot `running`, composed, and the non-persistent groups."""
        taken = self.snapshots.get("running")
        if taken is None:
            return self.current()
        view = compose(taken.instance, taken.service)
        view.update((name, group) for name, group in self.groups.items() if not group.persistent)
        return view

    def take(self, name: str) -> None:
        """Take (or take anew) the snapshot `name` of the current persistent values."""
        self.snapshots[name] = Snapshot({n: g for n, g in self.groups.items() if g.persistent},
                                        {n: g for n, g in self.service.groups.items() if g.persistent})


class Service:
    def __init__(self, name: str) -> None:
        self.name = name
        self.groups: Groups = {}
        self.instances: Dict[str, Instance] = {}
        self.imported: Groups = {}      # what the last import set at this level, for the next upgrade

    @property
    def fmri(self) -> Fmri:
        return Fmri(self.name, None)


Entity = Union[Service, Instance]


def fingerprint(text: str) -> str:
    """By which a manifest is known to be as it was imported last."""
    return f"{len(text)}-{zlib.crc32(text.encode()):08x}"


class Repository:
    """`changed` is set by every change of a persistent thing; whoever commits resets it."""

    def __init__(self) -> None:
        self.services: Dict[str, Service] = {}
        self.manifests: Dict[str, str] = {}     # path -> fingerprint of each manifest imported
        self.changed = False

    def find(self, name: Fmri) -> Optional[Entity]:
        service = self.services.get(name.service)
        if service is None or name.instance is None:
            return service
        return service.instances.get(name.instance)

    def instance(self, name: Fmri) -> Optional[Instance]:
        found = self.find(name)
        return found if isinstance(found, Instance) else None

    def instances(self) -> Iterator[Instance]:
        for service in self.services.values():
            yield from service.instances.values()

    def names(self) -> List[Fmri]:
        return [i.fmri for i in self.instances()]

    def service(self, name: str) -> Service:
        """The service of that name, made if there is none."""
        if name not in self.services:
            self.services[name] = Service(name)
            self.changed = True
        return self.services[name]

    def add_instance(self, service: str, name: str) -> Instance:
        parent = self.service(service)
        if name not in parent.instances:
            parent.instances[name] = Instance(parent, name)
            self.changed = True
        return parent.instances[name]

    def delete(self, entity: Entity) -> None:
        if isinstance(entity, Service):
            del self.services[entity.name]
        else:
            del entity.service.instances[entity.name]
        self.changed = True

    def put_group(self, entity: Entity, name: str, group: Group) -> None:
        entity.groups[name] = group
        self.changed = self.changed or group.persistent

    def delete_group(self, entity: Entity, name: str) -> None:
        self.changed = entity.groups.pop(name).persistent or self.changed

    def put(self, entity: Entity, group: str, prop: str, value: Prop) -> None:
        """Set one property; the group must exist."""
        with_value(entity.groups, group, prop, value)
        self.changed = self.changed or entity.groups[group].persistent

    def take(self, instance: Instance, snapshot: str) -> None:
        instance.take(snapshot)
        self.changed = True
