"""One seed: a cluster drawn by chance, a storm of faults, then calm, in which everything must come right again."""
from dataclasses import dataclass, field, replace
from typing import Dict, List, Optional, Sequence, Tuple

from simulation import profiles
from simulation.faults import Storm
from simulation.health import Health
from simulation.invariants import Broken
from simulation.profiles import world_of
from simulation.script import Fault, Script
from simulation.world import World

#: After the last fault: reboots (23 s), a new leader, placement, slow methods that were under way (20 x 0.3 s each).
CALM_S = 120.0
_CALMS = 5


@dataclass
class Result:
    """What one trial went through. `takeovers`: from a power cut in the calm to online elsewhere, beyond L, seconds."""
    seed: int
    virtual_s: float
    steps: int
    frames: int
    faults: Dict[str, int]
    resets: int
    takeovers: List[float] = field(default_factory=list)
    codes: Dict[str, int] = field(default_factory=dict)
    script: Tuple[Fault, ...] = ()


def trial(seed: int, storm_s: float = 120.0, every_s: Optional[float] = None, timeout_s: float = 2.0,
          profile: str = "mixed") -> Result:
    """Run one seed. Raises Broken when an invariant does not hold, or when the calm does not bring things right.

    The Broken has the script of what struck until then: `replay` of it breaks the same again.
    """
    return _run(Script(seed, profile, timeout_s, storm_s), every_s, None, False)


def replay(script: Script, lanes: bool = False) -> Result:
    """Run a script's faults instead of chance. `lanes`: the Broken that comes of it has the whole story in lanes."""
    return _run(script, None, script.faults, lanes)


def _run(script: Script, every_s: Optional[float], faults: Optional[Sequence[Fault]], lanes: bool) -> Result:
    world = world_of(script.seed, script.timeout_s, script.profile)
    if lanes:
        world.lanes = []
    storm: Optional[Storm] = None
    try:
        world.settle()
        if world.pings is None:
            Health(world)
        kind = profiles.chosen(script.profile, script.seed)
        storm = Storm(world, every_s or profiles.chance(script.seed + 1).choice(kind.every_s), kind.factors, faults,
                      kind.weights)
        weather(world, storm, script.storm_s)
    except Broken as broken:
        struck = storm.faults if storm is not None else []
        broken.script = replace(script, faults=tuple(struck))
        broken.at, broken.lanes = world.now, world.lanes or []
        raise
    return Result(script.seed, world.now, world.steps, world.wire.frames, storm.counts, world.resets,
                  [took - script.timeout_s for took in world.takeovers], world.codes, tuple(storm.faults))


def weather(world: World, storm: Storm, storm_s: float) -> None:
    """The storm, then the calm, in which everything must come right."""
    world.run(storm_s)
    storm.end()
    calm(world)
    all_vote(world)
    clear_all(world)
    calm(world)
    if world.pings is None or world.pings.honest:
        one_clean_takeover(world)
    else:
        # What one did alone is forgotten, that a pool was last elsewhere, too: zpool(8) asks for the operator then.
        world.forget_takeovers()


def calm(world: World) -> None:
    """Without faults every host comes up and every group that is wanted comes online, and so they stay."""
    def well() -> bool:
        return all(map(world.is_up, world.machines)) and not world.invariants.online_once()
    for _ in range(_CALMS):
        world.run(until=well, within_s=CALM_S)
        # Some leases may be over already, and their hosts about to be reset.
        world.run(5 * world.cluster.timing.timeout_s)
        if well():
            return
    world.fail(f"not well for {5 * world.cluster.timing.timeout_s:g} s", *world.invariants.online_once())


def all_vote(world: World) -> None:
    """The operator wants the first vote holders again: the ledger comes to name them, each with the life it has."""
    first = world.first
    nodes = {name: replace(spec, votes=first.nodes[name].votes) for name, spec in world.cluster.nodes.items()}
    world.apply(replace(world.cluster, nodes=nodes, holders=first.holders), next(iter(world.machines)))
    world.run(until=world.voters_are_whole, within_s=CALM_S)


def clear_all(world: World) -> None:
    """The operator wants every group online again, whatever went before."""
    for group in world.cluster.groups:
        for op in ("clear", "online"):
            ask = world.ask(op, group)
            world.answered(ask)
    world.run(until=lambda: not world.invariants.online_once() and all(map(world.online, world.cluster.groups)),
              within_s=CALM_S)


def one_clean_takeover(world: World) -> None:
    """Cut the power of an owner in a calm cluster: the others take over."""
    group = world.random.choice(sorted(world.cluster.groups))
    owner = world.online(group)
    if owner is None:
        return
    world.forget_takeovers()
    world.power_off(owner)
    world.run(until=lambda: world.online(group) not in (None, owner), within_s=20)
