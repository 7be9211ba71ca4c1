"""When a request about a group has come to its end."""
from typing import Any

import pytest

from sundog.cli.wait import Aim, hopeless, judge
from unit.coordinator import group


def ended(request: str, node: str, before: Any, now: Any) -> Any:
    end = judge(Aim(request, "web", node, before), now)
    return None if end is None else (end.ok, end.text)


OFF = group(state="offline", wanted="offline")


@pytest.mark.parametrize(("request_", "node", "before", "now", "end"), [
    ("online", "", OFF, OFF, None),
    ("online", "", OFF, group(state="starting", epoch=5), None),
    ("online", "", OFF, group(epoch=5), (True, "web is online on n1")),
    ("online", "n2", OFF, group(epoch=5), (False, "web came online on n1 instead: chosen: first in order")),
    ("online", "n2", group(), group(), None),
    ("offline", "", group(), group(wanted="offline"), None),
    ("offline", "", group(), group(state="offline"), None),
    ("offline", "", group(), OFF, (True, "web is offline")),
    ("offline", "", OFF, group(state="starting"),
     (False, "web was asked for meanwhile: chosen: first in order")),
    ("offline", "", group(state="stop-failed"), group(state="stop-failed"), None),
    ("move", "", group(), group(), None),
    ("move", "", group(), group(owner="n2", epoch=5), (True, "web is online on n2")),
    ("move", "", group(), group(epoch=5), (False, "web came online on n1 instead: chosen: first in order")),
    ("move", "n2", group(), group(state="offline", wanted="offline", why="by root"),
     (False, "web was taken offline meanwhile: by root")),
    ("move", "n2", group(), None, (False, "group web is not in the configuration any more")),
])
def test_a_request_ends_when_its_aim_is_reached_or_lost(
        request_: str, node: str, before: Any, now: Any, end: Any) -> None:
    assert ended(request_, node, before, now) == end


@pytest.mark.parametrize(("state", "verdict", "lost"), [
    ("offline", "down since 12:03", True), ("offline", "fits", False), ("offline", "chosen", False),
    ("starting", "down since 12:03", False)])
def test_only_a_group_that_is_off_and_fits_nowhere_is_hopeless(state: str, verdict: str, lost: bool) -> None:
    explained = {"group": "web", "state": state, "candidates": [{"node": "n1", "verdict": verdict}]}
    assert (hopeless(explained) is not None) == lost
