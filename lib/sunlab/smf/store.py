"""The repository on disk: one file, replaced whole and durable at every commit; non-persistent groups never reach it.

Format: JSON lines. The first has the format's number and the manifests' fingerprints, each other one service.
"""
import json
import os
from typing import Any, Dict, Tuple

from sunlab.smf.properties import Group, Groups, Prop
from sunlab.smf.repository import Instance, Repository, Service, Snapshot

FORMAT = 1


class RepositoryDamaged(Exception):
    """The repository's file cannot be read; its text says which and what to do."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"{path}: {why}; remove the file and boot again: the manifests are then imported afresh")


class Store:
    def __init__(self, path: str) -> None:
        self.path = path

    def load(self) -> Repository:
        """Read the repository; an empty one where there is no file. Raises RepositoryDamaged."""
        repository = Repository()
        try:
            with open(self.path, encoding="utf-8") as file:
                lines = file.read().splitlines()
        except FileNotFoundError:
            return repository
        try:
            head = json.loads(lines[0])
            if head["format"] != FORMAT:
                raise RepositoryDamaged(self.path, f"unknown format {head['format']}")
            repository.manifests = head["manifests"]
            for text in lines[1:]:
                service = _service(json.loads(text))
                repository.services[service.name] = service
        except (ValueError, KeyError, IndexError, TypeError) as broken:
            raise RepositoryDamaged(self.path, f"not a repository ({broken!r})") from broken
        return repository

    def commit(self, repository: Repository) -> None:
        """Write the repository if anything persistent changed. After this a power cut loses nothing of it."""
        if not repository.changed:
            return
        lines = [json.dumps({"format": FORMAT, "manifests": repository.manifests})]
        lines += [json.dumps(_plain(service), separators=(",", ":")) for service in repository.services.values()]
        fresh = self.path + ".new"
        with open(fresh, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, self.path)
        folder = os.open(os.path.dirname(self.path) or ".", os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        repository.changed = False


def _plain_groups(groups: Groups) -> Dict[str, Any]:
    return {name: [group.type, group.props] for name, group in groups.items() if group.persistent}


def _plain(service: Service) -> Dict[str, Any]:
    return {
        "service": service.name, "groups": _plain_groups(service.groups), "imported": _plain_groups(service.imported),
        "instances": {i.name: [_plain_groups(i.groups), {n: [_plain_groups(s.instance), _plain_groups(s.service)]
                                                         for n, s in i.snapshots.items()}]
                      for i in service.instances.values()}}


def _groups(plain: Dict[str, Any], known: Dict[Tuple[str, str], Group]) -> Groups:
    """Groups from their plain form; equal ones are shared, as they were when the snapshots were taken."""
    groups: Groups = {}
    for name, (kind, props) in plain.items():
        group = Group(kind, {p: Prop(t, tuple(values)) for p, (t, values) in props.items()})
        groups[name] = known.setdefault((name, repr(group)), group)
    return groups


def _service(plain: Dict[str, Any]) -> Service:
    known: Dict[Tuple[str, str], Group] = {}
    service = Service(plain["service"])
    service.groups = _groups(plain["groups"], known)
    service.imported = _groups(plain["imported"], known)
    for name, (groups, snapshots) in plain["instances"].items():
        instance = service.instances[name] = Instance(service, name)
        instance.groups = _groups(groups, known)
        instance.snapshots = {n: Snapshot(_groups(i, known), _groups(s, known)) for n, (i, s) in snapshots.items()}
    return service
