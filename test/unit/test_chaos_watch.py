"""The watcher of chaos must see what it is there for: every way for a group to be active twice, and no other."""
import io
import json
from typing import Any, Dict, FrozenSet, List, Tuple

import pytest

from lab.chaos_site import GROUPS
from lab.chaos_watch import THAW_S, Watch
from sunlab.places import Places

DB = next(group for group in GROUPS if group.name == "db")
NOTHING: Tuple[FrozenSet[str], str] = (frozenset(), "on")


class Scene(Watch):
    """What each node has is what the test says."""

    def __init__(self) -> None:
        super().__init__(Places("none"), io.StringIO())
        self.nodes: Dict[str, Tuple[FrozenSet[str], str]] = {}

    def see(self, node: str) -> Tuple[FrozenSet[str], str]:
        return self.nodes.get(node, NOTHING)

    def noted(self, what: str) -> List[Dict[str, Any]]:
        assert isinstance(self.out, io.StringIO)
        return [fact for fact in map(json.loads, self.out.getvalue().splitlines()) if fact["what"] == what]


@pytest.mark.parametrize("one", sorted(DB.signs))
@pytest.mark.parametrize("other", sorted(DB.signs))
def test_any_sign_of_a_group_on_two_nodes_is_a_double_activation(one: str, other: str) -> None:
    scene = Scene()
    scene.nodes = {"n1": (frozenset({one}), "on"), "n3": (frozenset({other}), "on")}
    scene.look()
    scene.look()
    assert [(fact["group"], fact["nodes"]) for fact in scene.noted("double")] == [("db", ["n1", "n3"])]


def test_different_groups_on_different_nodes_are_none() -> None:
    scene = Scene()
    scene.nodes = {f"n{n}": (group.signs, "on") for n, group in enumerate(GROUPS[:3], 1)}
    scene.look()
    assert not scene.noted("double")


def test_what_moved_between_two_looks_at_the_nodes_is_none() -> None:
    class Moving(Scene):
        looked = 0

        def see(self, node: str) -> Tuple[FrozenSet[str], str]:
            self.looked += 1
            if (node == "n1" and self.looked <= 1) or (node == "n2" and self.looked > 1):
                return DB.signs, "on"
            return NOTHING
    scene = Moving()
    scene.look()
    assert not scene.noted("double")


def test_a_frozen_node_may_hold_it_beside_another_and_its_thaw_is_noted_until_it_is_reset() -> None:
    scene = Scene()
    scene.nodes = {"n1": (DB.signs, "frozen"), "n2": (DB.signs, "on")}
    scene.look()
    scene.nodes["n1"] = (DB.signs, "on")
    scene.look()
    scene.nodes["n1"] = (frozenset(), "off")
    scene.look()
    assert [fact["node"] for fact in scene.noted("thawed")] == ["n1"] and not scene.noted("double")


def test_a_thawed_node_that_is_not_reset_in_time_is_a_double_activation(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("lab.chaos_watch.time.monotonic", lambda: now[0])
    scene = Scene()
    scene.nodes = {"n1": (DB.signs, "frozen"), "n2": (DB.signs, "on")}
    scene.look()
    scene.nodes["n1"] = (DB.signs, "on")
    scene.look()
    assert not scene.noted("double")
    now[0] += THAW_S + 0.1
    scene.look()
    assert scene.noted("double")


def test_two_nodes_beside_a_frozen_one_are_a_double_activation() -> None:
    scene = Scene()
    scene.nodes = {"n1": (DB.signs, "frozen"), "n2": (DB.signs, "on"), "n3": (DB.signs, "on")}
    scene.look()
    assert scene.noted("double")


