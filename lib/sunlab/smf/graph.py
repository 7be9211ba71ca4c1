"""The dependency graph: what is satisfied, who cites whom, who must go down first (svc.startd's graph.c). Pure.

A verdict is 1 (satisfied), 0 (not now, but it may still come) or -1 (it cannot come without an administrator).
"""
from typing import Callable, Dict, FrozenSet, Iterator, List, Set, Tuple

from sunlab.smf.spec import FILE, Dependency, Spec

RUNNING = ("online", "degraded")


class Vertex:
    """An instance as the graph sees it."""

    def __init__(self, fmri: str, spec: Spec, enabled: bool) -> None:
        self.fmri = fmri
        self.spec = spec
        self.enabled = enabled
        self.state = "uninitialized"

    @property
    def running(self) -> bool:
        return self.state in RUNNING


class Graph:
    def __init__(self, exists: Callable[[str], bool]) -> None:
        self.vertices: Dict[str, Vertex] = {}
        self.services: Dict[str, Set[str]] = {}
        self.citing: Dict[str, Set[str]] = {}       # entity -> the instances that name it
        self.exists = exists

    def put(self, vertex: Vertex) -> None:
        self.drop(vertex.fmri)
        self.vertices[vertex.fmri] = vertex
        self.services.setdefault(service_of(vertex.fmri), set()).add(vertex.fmri)
        for dependency in vertex.spec.dependencies:
            for entity in dependency.entities:
                self.citing.setdefault(entity, set()).add(vertex.fmri)

    def drop(self, fmri: str) -> None:
        old = self.vertices.pop(fmri, None)
        if old is None:
            return
        self.services[service_of(fmri)].discard(fmri)
        for dependency in old.spec.dependencies:
            for entity in dependency.entities:
                self.citing[entity].discard(fmri)

    def instances(self, entity: str) -> List[str]:
        """The instances that an entity stands for (none for a file)."""
        if entity in self.vertices:
            return [entity]
        return sorted(self.services.get(entity, ()))

    def dependents(self, fmri: str) -> Iterator[Tuple[Vertex, Dependency]]:
        """Everybody who cites this instance, itself or through its service, with the group that does."""
        service = service_of(fmri)
        names = self.citing.get(fmri, set()) | self.citing.get(service, set())
        for name in sorted(names):
            for dependency in self.vertices[name].spec.dependencies:
                if fmri in dependency.entities or service in dependency.entities:
                    yield self.vertices[name], dependency

    def satisfied(self, fmri: str, seen: FrozenSet[str] = frozenset()) -> int:
        """May this instance run, as far as its dependencies go?"""
        verdicts = [self.group(d, seen | {fmri}) for d in self.vertices[fmri].spec.dependencies]
        return min(verdicts, default=1)

    def group(self, dependency: Dependency, seen: FrozenSet[str] = frozenset()) -> int:
        if dependency.grouping == "exclude_all":
            return min((self._excluded(e) for e in dependency.entities), default=1)
        verdicts = [self.entity(e, seen) for e in dependency.entities]
        if dependency.grouping == "require_all":
            return min(verdicts, default=1)
        if dependency.grouping == "require_any":
            return max(verdicts, default=1)
        return min((0 if v == 0 else 1 for v in verdicts), default=1)

    def entity(self, entity: str, seen: FrozenSet[str]) -> int:
        if entity.startswith(FILE):
            return 1 if self.exists(entity[len(FILE):]) else -1
        return max((self._instance(i, seen) for i in self.instances(entity)), default=-1)

    def _instance(self, fmri: str, seen: FrozenSet[str]) -> int:
        vertex = self.vertices[fmri]
        if vertex.running:
            return 1
        if vertex.state == "uninitialized":
            return 0
        if vertex.state == "offline" and vertex.enabled and fmri not in seen:
            return -1 if self.satisfied(fmri, seen) < 0 else 0
        return -1

    def _excluded(self, entity: str) -> int:
        if entity.startswith(FILE):
            return -1 if self.exists(entity[len(FILE):]) else 1
        verdicts = []
        for fmri in self.instances(entity):
            vertex = self.vertices[fmri]
            if vertex.state in ("disabled", "maintenance"):
                verdicts.append(1)
            else:
                verdicts.append(-1 if vertex.running and vertex.enabled else 0)
        return min(verdicts, default=1)

    def closes_cycle(self, fmri: str) -> bool:
        """Can this instance be reached from what it depends on? exclude_all edges are not followed."""
        ahead, seen = self.requires(fmri), set()
        while ahead:
            name = ahead.pop()
            if name == fmri:
                return True
            if name not in seen:
                seen.add(name)
                ahead += self.requires(name)
        return False

    def requires(self, fmri: str) -> List[str]:
        """The instances that it depends on itself; exclude_all groups are no such edge."""
        return [i for d in self.vertices[fmri].spec.dependencies if d.grouping != "exclude_all"
                for e in d.entities for i in self.instances(e)]

    def pulled_down_by(self, fmri: str) -> Set[str]:
        """All direct and indirect dependents through groups with restart_on restart or refresh: they go down first."""
        found: Set[str] = set()
        ahead = [fmri]
        while ahead:
            for vertex, dependency in self.dependents(ahead.pop()):
                if pulls(dependency) and vertex.fmri not in found and vertex.fmri != fmri:
                    found.add(vertex.fmri)
                    ahead.append(vertex.fmri)
        return found

    def downstream(self, fmri: str) -> List[str]:
        """Who may have become satisfied, or unsatisfiable, by a change of this instance, nearest first."""
        found: List[str] = []
        ahead = [fmri]
        while ahead:
            for vertex, _ in self.dependents(ahead.pop(0)):
                if vertex.fmri not in found and not vertex.running:
                    found.append(vertex.fmri)
                    ahead.append(vertex.fmri)
        return found


def service_of(fmri: str) -> str:
    """svc:/a/b of svc:/a/b:c."""
    return fmri[:fmri.index(":", 4)]


def pulls(dependency: Dependency) -> bool:
    return dependency.restart_on in ("restart", "refresh") and dependency.grouping != "exclude_all"


def stops(dependency: Dependency, cause: str) -> bool:
    """Does a provider's stop for this cause (error, restart or refresh) stop the dependent? smf(7), restart_on."""
    reach = {"error": ("error", "restart", "refresh"), "restart": ("restart", "refresh"), "refresh": ("refresh",)}
    return dependency.grouping != "exclude_all" and dependency.restart_on in reach[cause]
