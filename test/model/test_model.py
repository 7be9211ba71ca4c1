"""The model of ledger, authority and lease: nothing reachable breaks it, and no guard can be left out."""
from typing import Dict

import pytest

from model.check import GUARDS, WHOLE, explore

pytestmark = pytest.mark.timeout(900)


@pytest.mark.parametrize("defines", WHOLE, ids=lambda defines: "-".join(f"{k}{v}" for k, v in defines.items()))
def test_every_reachable_state_of_the_model_keeps_its_assertions(defines: Dict[str, int]) -> None:
    run = explore(defines)
    assert not run.failed, run.story


@pytest.mark.parametrize("guard", GUARDS)
def test_the_model_breaks_when_a_guard_is_left_out(guard: str) -> None:
    assert explore(GUARDS[guard][1], guard).failed
