"""Why instances do not run, and whom they keep from running: the analysis behind svcs -x (svcs's explain.c).

An instance that is offline has the causes of what it waits for; any other that does not run is its own cause.
"""
import os
from typing import Dict, List, Optional, Tuple

from sunlab.smf.fmri import MASTER, parse
from sunlab.smf.milestone import enabled
from sunlab.smf.properties import first, values
from sunlab.smf.repository import Instance, Repository

RUNNING = ("online", "degraded")


class Node:
    """An instance, as far as it matters here. Nodes of running instances have no causes of their own."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.fmri = str(instance.fmri)
        restarter = instance.groups.get("restarter")
        told = restarter.props if restarter is not None else {}

        def said(name: str, default: str) -> str:
            return told[name].values[0] if name in told and told[name].values else default
        self.state = said("state", "uninitialized")
        self.next = said("next_state", "none")
        self.aux = said("auxiliary_state", "none")
        self.status = int(said("start_method_waitstatus", "0"))
        self.since = float(said("state_timestamp", "0"))
        self.logfile = said("logfile", "")
        self.causes: Optional[Dict[str, Optional[Node]]] = None     # cause -> next hop towards it; None: itself
        self.absent: List[str] = []             # entities that are not there
        self.waiting: Dict[str, Node] = {}      # who waits for it, directly
        self.restarter_bad = ""                 # invalid or absent
        self.active = False

    @property
    def runs(self) -> bool:
        return self.state in RUNNING

    @property
    def enabled(self) -> bool:
        return enabled(self.instance)

    @property
    def temporary(self) -> bool:
        """Is its enabled not what the persistent value says?"""
        general = first(self.instance.groups, "general", "enabled", "false")
        return first(self.instance.groups, "general_ovr", "enabled", general) != general

    @property
    def restarter(self) -> str:
        return first(self.instance.running(), "general", "restarter", MASTER)


class Analysis:
    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self.nodes: Dict[str, Node] = {}
        self.causes: Dict[str, Node] = {}       # what keeps itself or others from running
        for instance in repository.instances():
            state = first(instance.groups, "restarter", "state")
            if state and state not in RUNNING:
                self.analyse(self.node(instance))

    def node(self, instance: Instance) -> Node:
        name = str(instance.fmri)
        if name not in self.nodes:
            self.nodes[name] = Node(instance)
        return self.nodes[name]

    def impact(self, node: Node) -> List[Node]:
        """Who does not run because of it, directly and through others."""
        found: Dict[str, Node] = {}
        ahead = list(node.waiting.values())
        while ahead:
            one = ahead.pop(0)
            if one.fmri not in found:
                found[one.fmri] = one
                ahead += one.waiting.values()
        return list(found.values())

    def path(self, node: Node, cause: str) -> List[Node]:
        """From what `node` waits for to the cause."""
        found: List[Node] = []
        hop = (node.causes or {}).get(cause)
        while hop is not None and hop not in found:
            found.append(hop)
            hop = (hop.causes or {}).get(cause) if hop.fmri != cause else None
        return found

    # --- causes

    def analyse(self, node: Node) -> bool:
        """Fill `causes`; False where it depends on itself."""
        if node.active:
            return False
        if node.causes is not None:
            return True
        node.causes = {}
        if node.state != "offline" or node.next != "none":
            node.causes[node.fmri] = None
            own = node.state not in RUNNING + ("uninitialized",) and (node.state != "disabled" or node.enabled)
            if own:
                self.causes[node.fmri] = node
            return True
        node.active = True
        self._dependencies(node)
        if not node.causes:
            self._no_cause(node)
        node.active = False
        return True

    def _no_cause(self, node: Node) -> None:
        name = parse(node.restarter)
        found = self.repository.find(name) if name is not None else None
        restarter = self.node(found) if isinstance(found, Instance) else None
        if not node.absent and restarter is not None and not restarter.runs:
            self._add(node, restarter)
            return
        if not node.absent and restarter is None:
            node.restarter_bad = "invalid" if name is None else "absent"
        node.causes = {**(node.causes or {}), node.fmri: None}
        self.causes[node.fmri] = node

    def _dependencies(self, node: Node) -> None:
        view = node.instance.running()
        for group in [name for name in view if view[name].type == "dependency"]:
            grouping, entities = first(view, group, "grouping"), values(view, group, "entities")
            if first(view, group, "type") == "path":
                there = [e for e in entities if os.path.exists(e[len("file:"):].replace("//localhost", "", 1))]
                if grouping == "require_any":
                    node.absent += [] if there else list(entities)
                else:
                    node.absent += [e for e in entities if (e in there) == (grouping == "exclude_all")]
            else:
                self._services(node, grouping, entities)

    def _services(self, node: Node, grouping: str, entities: Tuple[str, ...]) -> None:
        found = [(entity, self._instances(entity)) for entity in entities]
        if grouping == "require_any" and any(one.runs for _, ones in found for one in ones or ()):
            return
        for entity, ones in found:
            if ones is None:
                if grouping in ("require_all", "require_any"):
                    node.absent.append(entity)
                continue
            for one in self._guilty(grouping, ones):
                self._add(node, one)

    @staticmethod
    def _guilty(grouping: str, ones: List[Node]) -> List[Node]:
        """Which instances of an entity keep the group from being satisfied."""
        if grouping == "exclude_all":
            return [one for one in ones if one.runs]
        if grouping == "optional_all":
            return [one for one in ones if one.enabled and not one.runs and one.state != "maintenance"]
        if grouping == "require_all" and any(one.runs for one in ones):
            return []
        return [one for one in ones if not one.runs]

    def _instances(self, entity: str) -> Optional[List[Node]]:
        """None: there is no such service or instance."""
        name = parse(entity)
        found = self.repository.find(name) if name is not None else None
        if found is None:
            return None
        return [self.node(one) for one in ([found] if isinstance(found, Instance) else found.instances.values())]

    def _add(self, node: Node, source: Node) -> None:
        """What keeps `source` from running keeps `node` too."""
        if not self.analyse(source) or node.causes is None:
            return
        source.waiting[node.fmri] = node
        for cause in source.causes or {}:
            if cause not in node.causes:
                node.causes[cause] = source
                self.causes[cause] = self.nodes[cause]
