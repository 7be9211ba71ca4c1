"""Which svc.startd a command of the lab asks: what -z names, and nothing that is no name of a zone."""
from typing import List, Optional

import pytest

from sunlab.smf.client import DOOR, door_of, zone_of


@pytest.mark.parametrize("words, zone", [
    (["-z", "z1", "-a"], "z1"), (["-zz1"], "z1"), (["-Ho", "state", "-z", "z1"], "z1"), (["x", "-z", "z1"], None),
    (["-z"], None), (["-o", "-z"], None), (["-z", ""], "")])
def test_z_is_an_option_with_a_value_before_the_operands(words: List[str], zone: Optional[str]) -> None:
    assert zone_of("svcs", words) == zone


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../run"])
def test_what_is_no_name_is_an_invalid_zone(name: str) -> None:
    with pytest.raises(LookupError, match="^invalid zone '"):
        door_of("svcs", ["-z", name])


def test_the_global_zone_is_here() -> None:
    assert door_of("svcs", []) == door_of("svcs", ["-z", "global"]) == DOOR
