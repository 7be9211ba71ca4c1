"""The mutation check is of the core as it is, and the page says of each guard what became of it."""
import ast
from pathlib import Path

import pytest

from simulation import verdicts
from simulation.mutations import MUTATIONS
from simulation.mutations.mutation import Mutation

TOP = Path(__file__).parents[2]
PAGE = TOP / "docs" / "mutants.md"


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda one: one.name[:80])
def test_a_guard_that_is_taken_out_is_there_and_leaves_a_module(mutation: Mutation) -> None:
    ast.parse(mutation.applied((TOP / "lib" / "sundog" / "core" / f"{mutation.module}.py").read_text()))


def test_no_two_mutants_have_one_name() -> None:
    assert len({one.name for one in MUTATIONS}) == len(MUTATIONS)


def test_the_page_has_a_row_for_every_mutant_and_says_nothing_else() -> None:
    """A guard that is new, or is explained in other words, is on it when `test/simulation/mutants --write` has run."""
    assert PAGE.read_text() == verdicts.page(verdicts.read(PAGE))


def test_every_mutant_is_found_out_or_explained_and_none_is_both() -> None:
    known = verdicts.read(PAGE)
    found = {one.name for one in MUTATIONS if one.name in known and known[one.name].rule}
    assert {one.name for one in MUTATIONS if not one.survives} == found
