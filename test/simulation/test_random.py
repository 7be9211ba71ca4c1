"""Random faults, seed after seed: no invariant breaks, and when the faults stop everything comes right again."""
import os

import pytest

from simulation.trial import trial

#: SUNDOG_SIM_SEEDS=N runs more of them; each is about three minutes of virtual time.
SEEDS = int(os.environ.get("SUNDOG_SIM_SEEDS", "100"))
_BATCH = 10


@pytest.mark.parametrize("first", range(0, SEEDS, _BATCH))
def test_no_seed_breaks_an_invariant_and_calm_brings_every_group_back(first: int) -> None:
    for seed in range(first, min(first + _BATCH, SEEDS)):
        trial(seed, storm_s=60.0)
