"""Fence devices by what real tools print, and the sequence that believes only what is read back."""
import os
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Sequence

import pytest

from sundog.config.fencing import Agent, Ipmi, Manual, Redfish
from sundog.config.model import FenceLevel
from sundog.fence import agent as agents
from sundog.fence.agent import AgentDevice
from sundog.fence.device import OFF, ON, UNKNOWN, Device, FenceFailed, LoginRefused, NoAnswer, OperatorNeeded, secret
from sundog.fence.ipmi import IpmiDevice
from sundog.fence.manual import ManualDevice
from sundog.fence.redfish import RedfishDevice
from sundog.fence.sequence import device_of, switch_off
from sundog.solaris.run import CommandNotRun, Done


class Tool:
    """Answers every call alike, and remembers what it was asked."""

    def __init__(self, rc: int, out: str = "", err: str = "", timed_out: bool = False) -> None:
        self.answer, self.timed_out = (rc, out, err), timed_out
        self.asked: List[Sequence[str]] = []
        self.inputs: List[Optional[str]] = []

    def __call__(self, argv: Sequence[str], *, timeout_s: float, input: Optional[str] = None) -> Done:
        self.asked.append(argv)
        self.inputs.append(input)
        return Done(tuple(argv), *self.answer, self.timed_out, timeout_s)


@pytest.fixture
def password(tmp_path: Path) -> str:
    file = tmp_path / "bmc"
    file.touch(0o600)
    file.write_text("s3cret\n")
    return str(file)


@pytest.fixture
def ipmi(password: str, monkeypatch: pytest.MonkeyPatch) -> Callable[[Tool], IpmiDevice]:
    monkeypatch.setattr("sundog.fence.ipmi.PATHS", ("/bin/sh",))
    return lambda tool: IpmiDevice(FenceLevel("ipmi", Ipmi("10.9.0.1", "sundog", password, 3)), "n1", tool)


@pytest.mark.parametrize(("out", "state"), [("Chassis Power is on\n", ON), ("Chassis Power is off\n", OFF),
                                            ("Chassis Power is unknown\n", UNKNOWN)])
def test_ipmitool_says_the_power(ipmi: Any, out: str, state: str) -> None:
    assert ipmi(Tool(0, out)).status(5) == state


def test_the_password_is_in_no_command_line(ipmi: Any, password: str) -> None:
    tool = Tool(0)
    ipmi(tool).off(5)
    assert "s3cret" not in " ".join(tool.asked[0])
    words = list(tool.asked[0])
    assert words[words.index("-f") + 1] == password and words[words.index("-C") + 1] == "3"
    assert words[-3:] == ["chassis", "power", "off"]


@pytest.mark.parametrize(("err", "kind"), [
    ("Error: Unable to establish IPMI v2 / RMCP+ session\n", NoAnswer),
    ("RAKP 2 HMAC is invalid\nError: Unable to establish IPMI v2 / RMCP+ session\n", LoginRefused),
    ("Set Chassis Power Control to Down/Off failed: Command not supported in present state\n", FenceFailed)])
def test_what_ipmitool_says_becomes_an_error_with_what_to_do(ipmi: Any, err: str, kind: type) -> None:
    with pytest.raises(kind) as raised:
        ipmi(Tool(1, "", err)).off(5)
    assert "10.9.0.1" in raised.value.what and raised.value.remedy and raised.value.said


def test_a_tool_that_hangs_is_no_answer(ipmi: Any) -> None:
    with pytest.raises(NoAnswer, match="within 5 s"):
        ipmi(Tool(-9, timed_out=True)).status(5)


def test_an_agent_is_told_by_its_standard_input(password: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "fence_x").touch(0o755)
    monkeypatch.setattr(agents, "PLACES", (str(tmp_path),))
    level = FenceLevel("agent", Agent("fence_x", (("ip", "10.9.0.1"),), password))
    tool = Tool(2)
    assert AgentDevice(level, "n1", tool).status(5) == OFF
    assert list(tool.asked[0]) == [str(tmp_path / "fence_x")]
    assert tool.inputs[0] == "action=status\nip=10.9.0.1\npassword=s3cret\n"
    assert AgentDevice(level, "n1", Tool(0)).status(5) == ON
    with pytest.raises(FenceFailed, match="status 1"):
        AgentDevice(level, "n1", Tool(1, "", "Failed: no route")).status(5)
    # Status 2 says "off" of a status only: of an action it is a failure.
    with pytest.raises(FenceFailed):
        AgentDevice(level, "n1", Tool(2)).off(5)


def test_an_agent_that_is_not_there_says_where_it_was_looked_for() -> None:
    with pytest.raises(FenceFailed, match="/usr/sbin"):
        AgentDevice(FenceLevel("agent", Agent("fence_nowhere")), "n1").status(5)


def test_a_redfish_service_that_is_not_there_is_no_answer(password: str) -> None:
    level = FenceLevel("redfish", Redfish("127.0.0.1", "sundog", password, "unchecked", port=1))
    with pytest.raises(NoAnswer, match="127.0.0.1"):
        RedfishDevice(level, "n1").status(2)


@pytest.mark.parametrize(("status", "text", "kind", "word"), [
    (401, b"", LoginRefused, "user sundog"), (409, b'{"error": "off"}', FenceFailed, "status 409"),
    (200, b"<html>", FenceFailed, "no JSON object"), (200, b"[1]", FenceFailed, "no JSON object")])
def test_what_redfish_answers_becomes_an_error(password: str, status: int, text: bytes, kind: type, word: str) -> None:
    device = RedfishDevice(FenceLevel("redfish", Redfish("10.9.0.1", "sundog", password, "unchecked")), "n1")
    with pytest.raises(kind) as raised:
        device._understood("GET", "/redfish/v1/Systems/1", status, text)
    assert word in str(raised.value)


def test_a_password_file_that_others_can_read_is_refused(password: str) -> None:
    os.chmod(password, 0o640)
    with pytest.raises(FenceFailed, match="chmod 600"):
        secret(password)
    os.chmod(password, 0o600)
    assert secret(password) == "s3cret"
    with pytest.raises(FenceFailed, match="No such file"):
        secret(password + ".not")


class Board(Device):
    """A node whose power goes off some readings after it was told to."""

    def __init__(self, states: List[Any], timeout_s: float = 20.0) -> None:
        super().__init__(FenceLevel("manual", Manual(), timeout_s), "n1")
        self.states, self.offs, self.now = states, 0, 0.0

    def status(self, patience_s: float) -> str:
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        if isinstance(state, Exception):
            raise state
        return str(state)

    def off(self, patience_s: float) -> None:
        self.offs += 1

    def switch_off(self) -> Any:
        def sleep(for_s: float) -> None:
            self.now += for_s
        return switch_off(self, lambda: self.now, sleep)


def test_a_node_that_is_off_is_left_alone() -> None:
    board = Board([OFF])
    assert not board.switch_off().acted and board.offs == 0


def test_power_off_is_believed_when_it_is_read_back() -> None:
    board = Board([ON, ON, UNKNOWN, NoAnswer("busy"), ON, OFF])
    assert board.switch_off().acted and board.offs == 1 and board.now > 0.5


def test_a_reading_that_this_host_cannot_make_is_made_again() -> None:
    board = Board([ON, CommandNotRun("ipmitool cannot be run: Resource temporarily unavailable"), OFF])
    assert board.switch_off().acted and board.offs == 1


@pytest.mark.parametrize("states", [[ON], [UNKNOWN], [ON, ON, UNKNOWN]])
def test_power_off_that_is_never_read_back_is_not_believed(states: List[Any]) -> None:
    board = Board(states, 5.0)
    with pytest.raises(NoAnswer, match="'off' within 5 s"):
        board.switch_off()


def test_a_device_that_cannot_be_read_is_not_asked() -> None:
    board = Board([NoAnswer("no route")])
    with pytest.raises(NoAnswer):
        board.switch_off()
    assert board.offs == 0


def test_manual_asks_for_an_operator_and_never_says_off() -> None:
    device = device_of(FenceLevel("manual", Manual()), "n1")
    assert isinstance(device, ManualDevice)
    with pytest.raises(OperatorNeeded, match="sundog fence confirm n1"):
        switch_off(device)


def test_each_type_has_its_device(password: str) -> None:
    kinds: Dict[str, Any] = {"ipmi": Ipmi("10.9.0.1", "x", password), "agent": Agent("fence_x"), "manual": Manual(),
                             "redfish": Redfish("10.9.0.1", "x", password, "unchecked")}
    for kind, params in kinds.items():
        assert device_of(FenceLevel(kind, params), "n1").level.type == kind
