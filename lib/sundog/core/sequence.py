"""In which order do a group's resources start and stop? Pure; independent resources side by side."""
from typing import List, Set, Tuple

from sundog.config.model import Group, Resource

Wave = Tuple[Resource, ...]


def start_waves(group: Group) -> Tuple[Wave, ...]:
    """Resources in waves: all of a wave may start at once, when every earlier wave is online.

    The configuration has no cycles (config.load refuses them); raises ValueError if this one has all the same.
    """
    waves: List[Wave] = []
    up: Set[str] = set()
    left = list(group.resources)
    while left:
        wave = tuple(one for one in left if up.issuperset(one.needs))
        if not wave:
            raise ValueError(f"group {group.name}: {', '.join(one.name for one in left)} need each other")
        waves.append(wave)
        up.update(one.name for one in wave)
        left = [one for one in left if one.name not in up]
    return tuple(waves)


def stop_waves(group: Group) -> Tuple[Wave, ...]:
    """The reverse of the start: what others need is stopped last."""
    return tuple(reversed(start_waves(group)))
