"""Can the groups run where they are meant to? Checks over what the reader found; each says all it finds."""
from typing import Callable, Dict, Iterator, List, NamedTuple, Tuple

from sundog.config.fields import BadValue, Cidr, Field, FileName, PoolName, quoted
from sundog.config.problems import RISK, WARNING, Mark
from sundog.config.shape import Found, Record, Report, nearest
from sundog.config.topology import Topology

#: The text of a file that the configuration names; raises BadValue.
Fetch = Callable[[str], str]


class Place(NamedTuple):
    """One word of one resource."""
    group: str
    resource: str
    word: Field
    mark: Mark


def words(top: Record) -> Iterator[Place]:
    """Every word that a resource's own keys hold, lists included."""
    for group, spec in top.record("groups").records():
        for resource, params in spec.record("resources").records():
            for key, found in params.items():
                if key in ("type", "needs"):
                    continue
                for item in found.value if isinstance(found.value, tuple) else (found,):
                    if isinstance(item.value, Field):
                        yield Place(group, resource, item.value, item.mark)


def check(top: Record, topology: Topology, fetch: Fetch, report: Report) -> Dict[str, str]:
    """All checks of the groups. The texts of the files that they name, by name."""
    for group, spec in top.record("groups").records():
        check_nodes(group, spec, top.record("nodes"), report)
        check_needs(group, spec.record("resources"), report)
    check_exclusive(top, report)
    check_floating(top, topology, report)
    check_pools(top, report)
    return read_files(top, fetch, report)


def check_nodes(group: str, spec: Record, nodes: Record, report: Report) -> None:
    seen = set()
    for name, mark, _ in spec.value("nodes", ()):
        if nodes.names and name not in nodes.names:
            near = nearest(name, nodes.names)
            report.say(mark, f"group {group} names node {quoted(name)}, which there is not",
                       (f"did you mean '{near}'? " if near else "") + f"nodes are {', '.join(nodes.names)}")
        elif name in seen:
            report.say(mark, f"group {group} names node {name} twice", "name it once, in order of preference")
        seen.add(name)
    if len(seen) == 1 and len(nodes.names) > 1:
        report.say(spec["nodes"].mark, f"group {group} has one node and cannot fail over", "add another", WARNING)


def check_needs(group: str, resources: Record, report: Report) -> None:
    """Every need names another resource of the group, once, and no chain of needs comes back."""
    needs: Dict[str, List[Found]] = {}
    for resource, params in resources.records():
        known: List[Found] = []
        for found in params.value("needs", ()):
            name = found.value
            if name == resource:
                report.say(found.mark, f"resource {group}.{resource} needs itself", "remove it")
            elif name not in resources.names:
                near = nearest(name, resources.names)
                report.say(found.mark, f"resource {group}.{resource} needs {quoted(name)}, which group {group} has not",
                           (f"did you mean '{near}'? " if near else "") + f"it has {', '.join(resources.names)}")
            elif any(name == other.value for other in known):
                report.say(found.mark, f"resource {group}.{resource} needs {name} twice", "name it once")
            else:
                known.append(found)
        needs[resource] = known
    check_cycles(group, needs, report)


def check_cycles(group: str, needs: Dict[str, List[Found]], report: Report) -> None:
    """Say every cycle once, at the need that closes it. Depth first, without recursion: chains may be long."""
    done: Dict[str, bool] = {}
    for start in needs:
        path: List[str] = []
        stack: List[Tuple[str, Iterator[Found]]] = [("", iter((Found(start, Mark(1, 1), Mark(1, 1)),)))]
        while stack:
            found = next(stack[-1][1], None)
            if found is None:
                leaving, _ = stack.pop()
                if leaving:
                    done[leaving] = True
                    path.pop()
            elif found.value in path:
                cycle = path[path.index(found.value):] + [found.value]
                report.say(found.mark, f"group {group}: {' needs '.join(cycle)}", "remove one of these needs")
            elif found.value not in done:
                path.append(found.value)
                stack.append((found.value, iter(needs.get(found.value, ()))))


def check_exclusive(top: Record, report: Report) -> None:
    """A pool, a zone or an address belongs to one resource of one group, and an address to no node besides."""
    owners: Dict[Tuple[str, str], Tuple[str, Mark]] = {}
    for node, spec in top.record("nodes").records():
        for address, mark, _ in spec.value("addresses", ()):
            owners.setdefault(("address", address.identity), (f"node {node}", mark))
    for place in words(top):
        if not place.word.exclusive:
            continue
        here, key = f"{place.group}.{place.resource}", (place.word.exclusive, place.word.identity)
        if key in owners:
            who, where = owners[key]
            report.say(place.mark, f"{key[0]} {quoted(place.word)} of {here} is {who}'s already, line {where.line}",
                       "never two owners: give it to one of them")
        else:
            owners[key] = (here, place.mark)


def check_floating(top: Record, topology: Topology, report: Report) -> None:
    """Every node of a group needs an address in the network of each floating address that it may carry."""
    for place in words(top):
        if not isinstance(place.word, Cidr):
            continue
        net = topology.network_of(place.word.address)
        if net is None:
            if topology.whole:
                report.say(place.mark, f"address {place.word} of {place.group}.{place.resource} is outside every "
                           f"network of the cluster ({topology.described()})",
                           "correct it, or name its network under networks")
            continue
        if place.word.prefix != net.net.prefixlen and place.word.prefix != net.net.max_prefixlen:
            report.say(place.mark, f"address {place.word} of {place.group}.{place.resource} has another prefix than "
                       f"network {net.name} {net.net}", f"write {place.word.address}/{net.net.prefixlen}", WARNING)
        nodes = top.record("groups").record(place.group).value("nodes", ())
        for node in dict.fromkeys(found.value for found in nodes):
            if node in top.record("nodes") and (node, net.name) not in topology.seats:
                report.say(place.mark, f"node {node} has no address in network {net.name}, so it cannot carry "
                           f"{place.word} of {place.group}.{place.resource}",
                           f"give {node} an address in {net.net}, or take it out of groups.{place.group}.nodes")


def check_pools(top: Record, report: Report) -> None:
    """Rule 12: without a fence device, a host that was paused may write to a pool that another one has taken."""
    sure = top.record("recovery").value("fencing", "required") == "required"
    for place in words(top):
        if not isinstance(place.word, PoolName):
            continue
        nodes = [str(found.value) for found in top.record("groups").record(place.group).value("nodes", ())]
        bare = [node for node in dict.fromkeys(nodes) if not sure or node not in top.record("fence").names]
        if not bare:
            continue
        which = "nodes" if len(bare) == len(set(nodes)) else ", ".join(bare)
        lacking = "a fence device" if sure else "a fence that is required (recovery.fencing: tried)"
        report.say(place.mark, f"pool {place.word} of {place.group}.{place.resource} is on {which} without {lacking}: "
                   "a host paused with its clock could write after another took the pool",
                   "do not suspend or pause these hosts while they are in the cluster", RISK)


def read_files(top: Record, fetch: Fetch, report: Report) -> Dict[str, str]:
    texts: Dict[str, str] = {}
    for place in words(top):
        if isinstance(place.word, FileName) and str(place.word) not in texts:
            try:
                texts[str(place.word)] = fetch(str(place.word))
            except BadValue as error:
                report.say(place.mark, f"{place.group}.{place.resource}: {error.what}", error.remedy)
    return texts
