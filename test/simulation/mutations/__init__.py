"""Guards of the core, each taken out by one small change of its source. The simulator must miss every one of them."""
from typing import Tuple

from simulation.mutations import groups, rights, two, voting
from simulation.mutations.mutation import Mutation

MUTATIONS: Tuple[Mutation, ...] = (*voting.MUTATIONS, *rights.MUTATIONS, *groups.MUTATIONS, *two.MUTATIONS)
