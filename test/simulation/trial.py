"""One seed: a cluster drawn by chance, a storm of faults, then calm, in which everything must come right again."""
from dataclasses import dataclass, field, replace
from random import Random
from typing import Dict, List

from simulation.faults import Storm
from simulation.world import World

#: After the last fault: reboots (23 s), a new leader, placement, slow methods that were under way (20 x 0.3 s each).
CALM_S = 120.0


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


def world_of(seed: int, timeout_s: float = 2.0) -> World:
    """2 to 5 nodes, mostly 3; two have a disk or a witness to break the tie, some an ensemble that votes alone."""
    chance = Random(seed ^ 0x5D0)
    count = chance.choice((2, 2, 3, 3, 3, 3, 4, 5))
    world = World(seed, timeout_s, links=chance.choice((1, 1, 2)))
    names = [f"n{number}" for number in range(1, count + 1)]
    world.nodes(*names)
    third = Random(seed ^ 0x317).random()
    if third < 0.15:
        world.ensemble()
    elif count in (2, 4) or chance.random() < 0.2:
        world.disk() if third < 0.5 else world.witness()
    for number in range(chance.choice((1, 2, 2, 3))):
        nodes = tuple(chance.sample(names, chance.randint(2, count)))
        world.group(f"g{number}", nodes=nodes, pool=chance.random() < 0.8,
                    failback=chance.choice(("manual", "manual", "automatic")))
    world.recovery(window_s=60.0, on_stop_failed=chance.choice(("fence", "fence", "block")),
                   fencing=chance.choice(("required", "required", "tried")))
    with_device = chance.choice((0, 0, count, count - 1))
    return world.fence(*chance.sample(names, with_device)) if with_device else world


def trial(seed: int, storm_s: float = 120.0, every_s: float = 4.0, timeout_s: float = 2.0) -> Result:
    """Run one seed. Raises Broken when an invariant does not hold, or when the calm does not bring things right."""
    world = world_of(seed, timeout_s)
    world.settle()
    storm = Storm(world, every_s)
    world.run(storm_s)
    storm.end()
    calm(world)
    all_vote(world)
    clear_all(world)
    calm(world)
    one_clean_takeover(world)
    return Result(seed, world.now, world.steps, world.wire.frames, storm.counts, world.resets,
                  [took - timeout_s for took in world.takeovers], world.codes)


#: Faults for two nodes with a ping arbiter: no other holders, and each keeps its vote file.
_ARBITRATED = {"power cut": 6, "power cut in a step": 3, "freeze": 4, "freeze in a step": 2, "stall": 4,
               "daemon crash": 5, "daemon crash in a step": 3, "cut off": 8, "cut pair": 5, "cut one link": 3,
               "bad link": 5, "slow methods": 2, "resource dies": 3, "svcadm": 3, "start astray": 4, "operator": 8,
               "all power cut": 2}


def arbitrated(seed: int, storm_s: float = 120.0, every_s: float = 4.0, honest: bool = True) -> Result:
    """One seed of two nodes with a ping arbiter. Raises Broken as trial does, for what this mode promises."""
    chance = Random(seed ^ 0xA5B)
    world = World(seed, links=chance.choice((1, 2))).nodes("n1", "n2")
    world.arbiter(honest, chance.choice(("stop-both", "yield")))
    for number in range(chance.choice((1, 2))):
        world.group(f"g{number}", on=chance.choice(("n1", "n2")), pool=chance.random() < 0.8)
    world.recovery(window_s=60.0).settle()
    assert world.pings is not None
    world.pings.hidden = not honest and chance.random() < 0.5
    storm = Storm(world, every_s, _ARBITRATED)
    lose_targets(storm)
    world.run(storm_s)
    storm.end()
    world.pings.unreached.clear()
    calm(world)
    clear_all(world)
    calm(world)
    if honest:
        one_clean_takeover(world)
    return Result(seed, world.now, world.steps, world.wire.frames, storm.counts, world.resets, codes=world.codes)


def lose_targets(storm: Storm) -> None:
    """Now and then one of the nodes does not reach the targets for a while, whether it hears the other or not."""
    pings, random = storm.world.pings, storm.random
    assert pings is not None

    def lose() -> None:
        key = random.choice(sorted(storm.world.machines))
        pings.unreached.add(key)
        storm.later(2 * storm.a_while(), lambda: pings.unreached.discard(key))
        storm.later(random.expovariate(1 / 15), lose)
    storm.later(random.expovariate(1 / 15), lose)


def calm(world: World) -> None:
    """Without faults every host comes up and every group that is wanted comes online, and so they stay."""
    world.run(until=lambda: not world.invariants.online_once(), within_s=CALM_S)
    world.run(until=lambda: all(map(world.is_up, world.machines)), within_s=CALM_S)
    world.run(5 * world.cluster.timing.timeout_s)
    world.run(until=lambda: not world.invariants.online_once(), within_s=CALM_S)


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
