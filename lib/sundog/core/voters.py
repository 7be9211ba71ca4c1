"""Who votes: the sets of vote holders in force, by the value of the ledger itself (docs/architecture.md, Who votes).

A set maps a holder's name to the life that votes for it: the random id that a vote file or a partition's label got when
it was made. A holder that has lost what it kept has another life, and is another holder. Pure.
"""
from typing import Any, Container, Iterable, List, Mapping, Optional, Tuple, TypeVar

from sundog.config.model import Cluster
from sundog.core.ledger import Ledger

Lives = Mapping[str, str]               # holder -> life
Value = TypeVar("Value")

#: The life in the configuration's set, which counts until a ledger names lives.
ANY = "*"
#: The life of a holder that has not answered yet: it has a place in the majority's reckoning, and no vote.
NOBODY = ""
#: The vote of two nodes' ping targets, and its only life: it keeps nothing that could be lost (arbiter.py).
ARBITER, PING = "arbiter", "ping"
#: A life that ends so took the place of one that was lost: it counts only where the ledger names it.
AFTER_LOSS = "+"


def wanted(cluster: Cluster) -> Tuple[str, ...]:
    """The holders that the configuration names: nodes with a vote, then the passive ones, by name; then the arbiter."""
    return (*sorted(node.name for node in cluster.nodes.values() if node.votes), *sorted(cluster.holders),
            *((ARBITER,) if cluster.arbiter is not None else ()))


def configured(cluster: Cluster) -> Lives:
    """The set of a new cluster, whose ledger names none yet."""
    return dict.fromkeys(wanted(cluster), ANY)


def in_force(ledger: Optional[Ledger], before: Lives) -> Tuple[Lives, ...]:
    """The sets of which a majority each must accept `ledger`; `before`: the set while no ledger names one.

    Two during a change: a change of voters is chosen by the old set and by the new one (Ongaro & Ousterhout, 2014, In
    Search of an Understandable Consensus Algorithm, section 6: joint consensus).
    """
    if ledger is None or not ledger.voters:
        return (before,)
    return (ledger.voters, ledger.next_voters) if ledger.next_voters else (ledger.voters,)


def counts(named: str, life: str) -> bool:
    """Is an answer of this life a vote, where the set names the life `named` for the holder?"""
    return not life.endswith(AFTER_LOSS) if named == ANY else named == life != NOBODY


def majority(voters: Lives) -> int:
    return len(voters) // 2 + 1


def reached(sets: Iterable[Lives], values: Mapping[str, Tuple[str, Value]]) -> Optional[Value]:
    """The highest value that a majority of every set has reached, or passed; None: one set has no majority.

    `values`: holder -> the life that answered, and its value.
    """
    lowest: Any = None
    for voters in sets:
        counted: List[Any] = sorted((values[holder][1] for holder, named in voters.items()
                                     if holder in values and counts(named, values[holder][0])), reverse=True)
        if len(counted) < majority(voters):
            return None
        value = counted[majority(voters) - 1]
        lowest = value if lowest is None else min(lowest, value)
    result: Optional[Value] = lowest
    return result


def agree(sets: Iterable[Lives], lives: Lives) -> bool:
    """Do the holders that answered, each with its life, make a majority of every set?"""
    return reached(sets, {holder: (life, 0) for holder, life in lives.items()}) is not None


def possible(sets: Iterable[Lives], without: Iterable[str]) -> bool:
    """Can every set still come to a majority without these holders?"""
    out = set(without)
    return all(len(set(voters) - out) >= majority(voters) for voters in sets)


def needs(sets: Iterable[Lives], holders: Container[str]) -> bool:
    """Does every majority of one of the sets have one of these holders in it?"""
    return any(sum(holder not in holders for holder in one) < majority(one) for one in sets)


def votes(sets: Iterable[Lives], holder: str, life: str) -> bool:
    """Does this life of a holder have a vote in any of the sets?"""
    return any(holder in voters and counts(voters[holder], life) for voters in sets)


def signature(node: str, life: str) -> str:
    """What a node puts its ballots under: one that has forgotten them must never begin one of them again."""
    return f"{node}/{life}"
