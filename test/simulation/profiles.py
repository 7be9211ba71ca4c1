"""Kinds of runs: what worlds are drawn, how often something breaks, and which faults come more often than others."""
from dataclasses import dataclass, field
from random import Random
from typing import Callable, Dict, List, Mapping, Optional, Tuple

from simulation.world import World

HOSTS = ("power cut", "power cut in a step", "freeze", "freeze in a step", "stall", "daemon crash",
         "daemon crash in a step", "daemon stays down", "all power cut")
LINKS = ("cut off", "cut pair", "cut one link", "bad link", "bad way", "halves", "ring", "heard by some")
DISKS = ("slow disk", "failing disk", "lost path", "hung disk")
CLOCKS = ("suspend", "suspend in a step", "wall clock set", "all wall clocks set")
VOTES = ("other voters", "lost vote file", "older vote file", "new label")
FENCES = ("sick device", "device out of reach", "operator fences", "operator confirms")
#: What is drawn for two nodes with a ping arbiter: no other holders, and each keeps its vote file.
TWO = {"power cut": 6, "power cut in a step": 3, "freeze": 4, "freeze in a step": 2, "stall": 4, "daemon crash": 5,
       "daemon crash in a step": 3, "cut off": 8, "cut pair": 5, "cut one link": 3, "bad link": 5, "slow methods": 2,
       "resource dies": 3, "svcadm": 3, "start astray": 4, "operator": 8, "all power cut": 2, "targets lost": 24}
PEOPLE = ("svcadm", "start astray", "operator", "unfit", "apply", "method fails", "slow methods", "resource dies")


@dataclass(frozen=True)
class Profile:
    """`every_s`: mean seconds between faults, one of these for each seed. `drifts`: how far clocks may be off.

    `factors` multiply the weights of kinds of faults, `weights` replace them all. `honest`: there are two nodes whose
    tie is broken by ping targets, which both may reach while they are cut unless it is True; None: no targets.
    """
    name: str
    about: str
    nodes: Tuple[int, ...]
    every_s: Tuple[float, ...] = (4.0,)
    factors: Mapping[str, float] = field(default_factory=dict)
    disks: Tuple[int, ...] = ()                 # for any count of nodes; none: where nodes cannot break a tie
    links: Tuple[int, ...] = (1, 1, 2)
    drifts: Tuple[float, ...] = (0.02, 0.02, 0.05)
    weights: Optional[Mapping[str, float]] = None
    honest: Optional[bool] = None


def _more(*kinds: str, by: float = 6.0) -> Dict[str, float]:
    return dict.fromkeys(kinds, by)


PROFILES = {one.name: one for one in (
    Profile("mixed", "what CI runs: 2 to 5 nodes, everything that can go wrong", (2, 2, 3, 3, 3, 3, 4, 5)),
    Profile("calm", "a fault every 30 to 60 s: what must come right in between", (2, 3, 3, 5, 7), (30.0, 60.0)),
    Profile("partitions", "links: cuts, halves, rings, one way only", (3, 4, 5, 5, 7), (3.0,), _more(*LINKS)),
    Profile("disks", "one to three disks that vote, and that fail", (2, 2, 3, 4), (4.0,), _more(*DISKS, by=10.0),
            (1, 2, 3)),
    Profile("hosts", "power, freezes, daemons", (2, 3, 3, 5), (3.0,), _more(*HOSTS)),
    Profile("clocks", "clocks that stop with their hosts, or are set", (2, 3, 4), (4.0,), _more(*CLOCKS)),
    Profile("votes", "other vote holders, and holders that forget", (2, 3, 4, 5), (3.0,), _more(*VOTES)),
    Profile("fences", "fence devices that are slow, dead, or out of reach", (2, 3, 4), (4.0,), _more(*FENCES)),
    Profile("operators", "operators, methods, configurations", (2, 3, 4), (3.0,), _more(*PEOPLE)),
    Profile("pings", "two nodes and ping targets that break the tie", (2,), (3.0,), weights=TWO, honest=True),
    Profile("forks", "the same, and both may reach the targets while they are cut", (2,), (3.0,), weights=TWO,
            honest=False),
    Profile("large", "8 to 32 nodes, of which 5 or 7 vote", (8, 12, 16, 32), (2.0,), links=(1,)),
)}
NAMES = (*PROFILES, "nightly")
_NIGHTLY = ("mixed", "mixed", "calm", "partitions", "disks", "hosts", "clocks", "votes", "fences", "operators", "pings",
            "forks", "large")


def chosen(name: str, seed: int) -> Profile:
    """The profile for one seed: nightly goes through the others. Raises KeyError for a name that is none."""
    return PROFILES[_NIGHTLY[seed % len(_NIGHTLY)] if name == "nightly" else name]


def chance(seed: int) -> Random:
    return Random(seed ^ 0x5D0)


def world_of(seed: int, timeout_s: float = 2.0, profile: str = "mixed") -> World:
    """The world of a seed: nodes, what breaks their ties, links, groups, clocks, devices."""
    kind, draw = chosen(profile, seed), chance(seed)
    count = draw.choice(kind.nodes)
    world = World(seed, timeout_s, links=draw.choice(kind.links), drift=draw.choice(kind.drifts))
    names = [f"n{number}" for number in range(1, count + 1)]
    if kind.honest is None:
        _voters(world, kind, names, draw)
    else:
        _targets(world.nodes(*names), kind.honest, draw)
    for number in range(draw.choice((1, 2, 2, 3)) if count < 8 else count // 2):
        nodes = tuple(draw.sample(names, draw.randint(2, min(count, 6))))
        world.group(f"g{number}", nodes=nodes, pool=draw.random() < 0.8,
                    failback=draw.choice(("manual", "manual", "automatic")))
    world.recovery(window_s=60.0, on_stop_failed=draw.choice(("fence", "fence", "block")),
                   fencing=draw.choice(("required", "required", "tried")))
    # Two nodes that have each gone on alone would shoot each other.
    with_device = draw.choice((0, 0, count, count - 1)) if kind.honest is not False else 0
    if not with_device:
        return world
    fenced = draw.sample(names, with_device)
    return world.fence(*fenced, by=chance(seed + 1).choice(("ipmi", "ipmi", "scsi")))


def _voters(world: World, kind: Profile, names: List[str], draw: Random) -> None:
    """Nodes with a vote and without, and passive holders."""
    count = len(names)
    voting = draw.choice((5, 7)) if count > 7 else 3 if count > 3 and draw.random() < 0.2 else count
    world.nodes(*names[:voting]).nodes(*names[voting:], votes=0)
    for number in range(_disks(kind, voting, draw.random, draw.choice)):
        if draw.random() < 0.2:
            world.witness(f"w{number + 1}")
        else:
            world.disk(f"disk{number + 1}")
    if kind.name == "mixed" and draw.random() < 0.05:
        world.ensemble()


def _targets(world: World, honest: bool, draw: Random) -> None:
    """Where both may reach the targets, half of the worlds hide each node's addresses from the other, too."""
    world.arbiter(honest, draw.choice(("stop-both", "yield")))
    assert world.pings is not None
    world.pings.hidden = not honest and draw.random() < 0.5


def _disks(kind: Profile, voting: int, random: Callable[[], float], choice: Callable[[Tuple[int, ...]], int]) -> int:
    if kind.disks:
        return choice(kind.disks)
    return 1 if voting in (2, 4) or random() < 0.2 else 0
