"""The SMF method: no start without the permit, a stop in any case, exit statuses that svc.startd understands."""
import json
import os
import socketserver
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Dict, Iterator, List

import pytest

from sundog import method

LIB = Path(__file__).parents[2] / "lib"
FMRI = "svc:/system/sundog/resource/exec:web.app"
GRANTED = {"ok": True, "epoch": 3, "force": False, "why": "first start"}
REFUSED = {"ok": False, "error": "group web runs on n2", "remedy": "sundog group move web"}


class Coordinator(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    permit: Dict[str, Any] = GRANTED

    def __init__(self, path: str) -> None:
        super().__init__(path, Conversation)
        self.asked: List[Dict[str, Any]] = []

    def outcomes(self) -> List[Dict[str, Any]]:
        return [request for request in self.asked if request["op"] == "outcome"]


class Conversation(socketserver.StreamRequestHandler):
    server: Coordinator

    def handle(self) -> None:
        for line in self.rfile:
            request = json.loads(line)
            self.server.asked.append(request)
            answer = self.server.permit if request["op"] == "permit" else {"ok": True}
            self.wfile.write(json.dumps(answer).encode() + b"\n")


@pytest.fixture
def coordinator(tmp_path: Path) -> Iterator[Coordinator]:
    with Coordinator(str(tmp_path / "control")) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def called(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMF_FMRI", FMRI)
    monkeypatch.setattr("sundog.resource.exec.SHELL", "/bin/sh")


def words(tmp_path: Path, start: str = "", stop: str = "") -> List[str]:
    return ["group=web", "resource=app", f"start={start or '/bin/touch ' + str(tmp_path / 'up')}", f"stop={stop}",
            "probe=", "timeout=", "user="]


def test_a_start_with_a_permit_is_done_and_told(coordinator: Coordinator, tmp_path: Path) -> None:
    assert method.main(["exec", "start", *words(tmp_path)], str(tmp_path / "control")) == 0
    assert (tmp_path / "up").exists()
    assert coordinator.asked == [
        {"op": "permit", "fmri": FMRI, "group": "web", "resource": "app"},
        {"op": "outcome", "fmri": FMRI, "group": "web", "resource": "app", "method": "start", "ok": True, "error": "",
         "remedy": ""}]


def test_a_start_without_a_permit_does_nothing_and_says_why(coordinator: Coordinator, tmp_path: Path,
                                                            capfd: pytest.CaptureFixture[str]) -> None:
    coordinator.permit = REFUSED
    assert method.main(["exec", "start", *words(tmp_path)], str(tmp_path / "control")) == 95
    assert not (tmp_path / "up").exists()
    said = capfd.readouterr().err
    assert said.count("\n") == 1
    assert "group web runs on n2; sundog group move web" in said
    assert coordinator.outcomes()[0]["ok"] is False


@pytest.mark.parametrize("answer", [{"ok": "true", "epoch": 1, "force": True, "why": ""}, {}, {"ok": 1}])
def test_only_a_plain_yes_is_a_permit(coordinator: Coordinator, tmp_path: Path, answer: Dict[str, Any]) -> None:
    coordinator.permit = answer
    assert method.main(["exec", "start", *words(tmp_path)], str(tmp_path / "control")) == 95
    assert not (tmp_path / "up").exists()


def test_without_a_coordinator_a_start_is_tried_again_and_a_stop_works(tmp_path: Path,
                                                                       monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(method, "WAIT_FOR_COORDINATOR_S", 0.1)
    control = str(tmp_path / "control")
    assert method.main(["exec", "start", *words(tmp_path)], control) == 1
    assert not (tmp_path / "up").exists()
    stop = f"/bin/touch {tmp_path / 'down'}"
    assert method.main(["exec", "stop", *words(tmp_path, stop=stop)], control) == 0
    assert (tmp_path / "down").exists()


def test_a_start_waits_for_a_coordinator_that_comes_back(tmp_path: Path) -> None:
    result: List[int] = []
    control = tmp_path / "control"
    thread = threading.Thread(target=lambda: result.append(
        method.main(["exec", "start", *words(tmp_path)], str(control))))
    thread.start()
    with Coordinator(str(control)) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        thread.join(20)
        server.shutdown()
        serving.join()
    assert result == [0]
    assert (tmp_path / "up").exists()


def test_a_failed_start_is_told_with_its_reason(coordinator: Coordinator, tmp_path: Path) -> None:
    assert method.main(["exec", "start", *words(tmp_path, start="/bin/false")], str(tmp_path / "control")) == 1
    outcome = coordinator.outcomes()[0]
    assert (outcome["method"], outcome["ok"]) == ("start", False)
    assert "/bin/false" in outcome["error"]


def test_the_group_itself_asks_and_tells(coordinator: Coordinator, tmp_path: Path) -> None:
    control = str(tmp_path / "control")
    assert method.main(["group", "start", "group=web", "resource="], control) == 0
    assert method.main(["group", "stop", "group=web", "resource="], control) == 0
    assert [request["op"] for request in coordinator.asked] == ["permit", "outcome", "outcome"]
    assert {request["resource"] for request in coordinator.asked} == {""}


@pytest.mark.parametrize("arguments", [["exec", "start", "group=web", "colour=red"], ["exec", "start", "group=web"],
                                       ["teapot", "start", "group=web"], ["exec", "start", "start=%ZZ"],
                                       ["exec", "start", "nonsense"], ["exec", "brew"], []])
def test_wrong_parameters_are_a_matter_for_a_human(coordinator: Coordinator, tmp_path: Path,
                                                   arguments: List[str]) -> None:
    assert method.main(arguments, str(tmp_path / "control")) == 96


def test_a_method_imports_only_what_its_type_needs() -> None:
    code = ("import sys, sundog.method; sundog.method.module('zpool'); import sundog.solaris.host\n"
            "print(*sorted(set(sys.modules) & {'asyncio', 'dataclasses', 'ipaddress', 'logging', 'subprocess', 'yaml',"
            " 'sundog.resource.zone', 'sundog.config.model', 'sundog.core'}))")
    done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True,
                          env={**os.environ, "PYTHONPATH": str(LIB)})
    assert done.stdout == "\n"
