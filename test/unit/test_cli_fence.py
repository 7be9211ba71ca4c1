"""`sundog fence` against a coordinator that listens on a real socket."""
import json

from unit.coordinator import Coordinator
from unit.test_cli_commands import Sundog, coordinator, sundog

__all__ = ["coordinator", "sundog"]

LEVELS = {"n1": [{"device": "ipmi 10.9.0.1", "type": "ipmi", "state": "on", "error": "",
                  "tested": "2026-01-01T00:00:00Z"},
                 {"device": "manual", "type": "manual", "state": "operator", "error": "", "tested": ""}],
          "n3": [{"device": "ipmi 10.9.0.3", "type": "ipmi", "state": "unknown", "tested": "2026-01-01T00:00:00Z",
                  "error": "ipmi 10.9.0.3 does not answer"}]}


def test_a_node_is_fenced_only_by_who_means_it(coordinator: Coordinator, sundog: Sundog) -> None:
    code, out, err = sundog("fence", "n1")
    assert code == 1 and "add --yes" in err and not [one for one in coordinator.asked if one["op"] == "fence"]
    code, out, err = sundog("fence", "n1", "--yes")
    assert (code, err) == (0, "") and out.startswith("n1 is being fenced; 'sundog log --follow'")
    sundog("fence", "off", "n1", "--yes", "--force")
    assert [(one["request"], one["node"]) for one in coordinator.asked if one["op"] == "fence"] == [
        ("fence", "n1"), ("fence-forced", "n1")]


def test_a_confirmation_is_asked_for_and_a_refusal_is_told(coordinator: Coordinator, sundog: Sundog) -> None:
    code, out, err = sundog("fence", "confirm", "n1")
    assert code == 1 and "nobody is there to be asked" in err
    coordinator.on_request = lambda request: {"ok": False, "error": "n1 is heard: it is not off", "remedy": "see to it"}
    code, out, err = sundog("fence", "confirm", "n1", "--yes", "--json")
    assert code == 1 and json.loads(out)["error"] == "n1 is heard: it is not off"
    assert coordinator.asked[-1] == {"op": "fence", "request": "fence-confirm", "node": "n1"}


def test_devices_are_listed_with_what_is_wrong(coordinator: Coordinator, sundog: Sundog) -> None:
    assert sundog("fence", "list")[1] == "no fence devices are configured\n"
    coordinator.status = {**coordinator.status, "fence": LEVELS}
    lines = [" ".join(line.split()) for line in sundog("fence", "list")[1].splitlines()]
    assert lines[1:] == ["n1 1 ipmi 10.9.0.1 on 2026-01-01T00:00:00Z -", "n1 2 manual operator - -",
                         "n3 1 ipmi 10.9.0.3 unknown 2026-01-01T00:00:00Z ipmi 10.9.0.3 does not answer"]
    assert json.loads(sundog("fence", "list", "--json")[1]) == LEVELS
    assert "fence device ipmi 10.9.0.3 of n3 does not work: ipmi 10.9.0.3 does not answer" in sundog("status")[1]


def test_a_test_that_finds_a_device_silent_has_exit_status_1(coordinator: Coordinator, sundog: Sundog) -> None:
    coordinator.status = {**coordinator.status, "fence": LEVELS}
    assert sundog("fence", "test")[0] == 1
    code, out, err = sundog("fence", "test", "n1", "--json")
    assert (code, list(json.loads(out))) == (0, ["n1"])
