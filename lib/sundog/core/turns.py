"""Who stands for leader when, and who is beaten to meanwhile: in turns, so that one candidate gets through. Pure."""
from typing import Collection, List, Sequence

_STAGGER, _LONGEST_STAGGER = 0.025, 0.25    # of L: from one candidate to the next, and of the last
_AT_ONCE = 3                            # nodes that a heartbeat goes to while there is no leader


def stagger(name: str, nodes: Collection[str], voting: Collection[str], needed: bool) -> float:
    """How long to wait for candidates before `name`, of L. Those with a vote go first, one after the other.

    `needed`: no majority does without them, so one of them is up whenever anybody can lead. Then the rest waits until
    they must be out of each other's reach. All nodes of a large cluster at once would be in each other's way.
    """
    place = sorted(nodes, key=lambda node: (node not in voting, node)).index(name)
    if place >= len(voting) and needed:
        return 1 + place * _STAGGER
    count = len(voting) if place < len(voting) else len(nodes)
    return (place + 1) * min(_STAGGER, _LONGEST_STAGGER / count)


def electors(who: Sequence[str], turn: int) -> List[str]:
    """Those of `who` that are beaten to at this turn.

    More would drown a large cluster in heartbeats as soon as it loses its leader. Who leads tells everybody.
    """
    first = turn * _AT_ONCE % len(who) if len(who) > _AT_ONCE else 0
    return [*who, *who][first:first + min(_AT_ONCE, len(who))]
