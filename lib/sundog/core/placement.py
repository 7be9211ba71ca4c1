"""Where should a group run? Pure: the same inputs always give the same answer.

Order of tests: may it run there at all, has it failed there lately, is the node up, is it fit, is it preferred.
"""
from dataclasses import dataclass, field, replace
from typing import Dict, Iterable, List, Mapping, Optional, Tuple

from sundog.config.model import Group
from sundog.core import recovery
from sundog.core.ledger import GroupEntry, Ledger

_NONE: Mapping[str, str] = {}
_MOST_REASONS = 8


@dataclass(frozen=True)
class Candidate:
    node: str
    verdict: str                        # "chosen", "fits", or why it was passed over, ready to print


@dataclass(frozen=True)
class Placement:
    node: Optional[str]                 # None: nowhere, and every candidate says why
    candidates: Tuple[Candidate, ...]

    @property
    def lines(self) -> str:
        """The candidates as text: one a line, name and verdict; `candidates_of` reads it."""
        return "\n".join(f"{one.node} {' '.join(one.verdict.split())}" for one in self.candidates)

    @property
    def reasons(self) -> str:
        """One line, those of one verdict together: the ledger has to fit into a slot of a disk."""
        nodes: Dict[str, List[str]] = {}
        for one in self.candidates:
            nodes.setdefault(one.verdict, []).append(one.node)
        said = [f"{', '.join(names)}: {verdict}" for verdict, names in nodes.items()]
        return "; ".join(said[:_MOST_REASONS] + (["…"] if len(said) > _MOST_REASONS else []))


def candidates_of(lines: str) -> List[Candidate]:
    return [Candidate(node, verdict) for node, _, verdict in (line.partition(" ") for line in lines.splitlines())]


@dataclass(frozen=True)
class Nodes:
    """What placement knows of the nodes. `awaited`: a new cluster still waits for them to join."""
    down: Mapping[str, str] = field(default_factory=dict)                   # node -> why it cannot take a group now
    unfit: Mapping[str, Mapping[str, str]] = field(default_factory=dict)    # node -> group -> why
    awaited: bool = False


def nodes_by_ledger(names: Iterable[str], ledger: Ledger, unfit: Mapping[str, Mapping[str, str]]) -> Nodes:
    """As a node sees it that does not lead: it knows who is in the cluster, and what it could not run itself."""
    joined = {name for name, member in ledger.members.items() if member.joined}
    return Nodes({name: "it is not in the cluster now" for name in names if name not in joined}, unfit)


def objection(group: Group, node: str, nodes: Nodes, ledger: Ledger) -> Optional[str]:
    """The first thing that speaks against running the group on `node`, as a sentence; None when nothing does."""
    if node not in group.nodes:
        return f"not among the nodes of {group.name}: {', '.join(group.nodes)}"
    why = recovery.objection(group.name, node, ledger.groups.get(group.name, GroupEntry()))
    if why is None and node in nodes.down:
        why = nodes.down[node]
    if why is None:
        why = nodes.unfit.get(node, _NONE).get(group.name)
    return why


def place(group: Group, nodes: Nodes, ledger: Ledger) -> Placement:
    """Choose the move's target if it fits, else the first node in the group's order that nothing speaks against."""
    entry = ledger.groups.get(group.name, GroupEntry())
    verdicts = [Candidate(node, objection(group, node, nodes, ledger) or "fits") for node in group.nodes]
    fitting = [one.node for one in verdicts if one.verdict == "fits"]
    home = entry.target if entry.target in fitting else fitting[0] if fitting else None
    if entry.epoch == 0 and nodes.awaited and _better_may_come(group, home, nodes):
        home = None
        verdicts = [replace(one, verdict="fits, but a preferred node may join yet") if one.verdict == "fits" else one
                    for one in verdicts]
    return Placement(home, tuple(replace(one, verdict="chosen") if one.node == home else one for one in verdicts))


def _better_may_come(group: Group, home: Optional[str], nodes: Nodes) -> bool:
    before = group.nodes[:group.nodes.index(home)] if home else group.nodes
    return any(node in nodes.down for node in before)
