"""The operator's command against a coordinator that listens on a real socket: words, JSON, exit statuses."""
import json
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, Tuple

import pytest

from sundog.cli.main import SUBCOMMANDS, run
from unit.coordinator import Coordinator, group, status

Sundog = Callable[..., Tuple[int, str, str]]


@pytest.fixture
def coordinator(tmp_path: Path) -> Iterator[Coordinator]:
    server = Coordinator(str(tmp_path / "control"))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.close()
    thread.join()


@pytest.fixture
def sundog(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Sundog:
    """Run the command: (exit status, standard output, standard error)."""
    def call(*args: str) -> Tuple[int, str, str]:
        code = run(["--control", str(tmp_path / "control"), *args])
        said = capsys.readouterr()
        return code, said.out, said.err
    return call


def test_status_shows_nodes_groups_and_who_leads(coordinator: Coordinator, sundog: Sundog) -> None:
    code, out, err = sundog("status")
    assert (code, err) == (0, "")
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert lines[0] == "cluster shop, configuration 3, ledger 12; leader n1; this is n2, lease 1.6 s"
    assert "n1* up 3 min private up, public up web" in lines
    assert "n2 up 3 min private up, public down -" in lines
    assert "web online n1 2/2 chosen: first in order" in lines


def test_status_tells_what_failed_and_what_was_dropped(coordinator: Coordinator, sundog: Sundog) -> None:
    coordinator.status = status(web=group(
        state="offline", owner="n1", resources={"data": "online", "ip": "maintenance"},
        failures=[{"node": "n1", "count": 2, "reason": "ip: address in use"}]))
    coordinator.status["counters"]["dropped"]["key"] = 7
    _, out, _ = sundog("status")
    assert "1/2 (ip maintenance)" in out
    assert "web failed on n1 2 times: ip: address in use; 'sundog group clear web' forgets it" in out
    assert "7 frames dropped with a wrong key" in out


def test_status_as_json_is_the_status_itself(coordinator: Coordinator, sundog: Sundog) -> None:
    code, out, _ = sundog("status", "--json")
    assert code == 0
    assert json.loads(out) == coordinator.status


@contextmanager
def running(coordinator: Coordinator, *args: str) -> Iterator[Callable[[], Any]]:
    """The command in a process of its own: what reads its next line of JSON. Control-C must end it well."""
    process = subprocess.Popen(
        [sys.executable, "-m", "sundog.cli.main", "--control", coordinator.path, *args, "--json"],
        stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": str(Path(__file__).parents[2] / "lib")},
        # A shell that runs the tests in the background has them ignore control-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    assert process.stdout is not None
    reader = process.stdout
    try:
        yield lambda: json.loads(reader.readline())
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait()
        reader.close()


def test_watch_shows_the_status_and_then_every_change(coordinator: Coordinator) -> None:
    with running(coordinator, "status", "--watch") as next_line:
        assert next_line()["groups"]["web"]["state"] == "online"
        coordinator.becomes(state="stopping")
        assert next_line()["groups"]["web"]["state"] == "stopping"


def test_log_goes_on_with_what_is_written_later(coordinator: Coordinator) -> None:
    coordinator.writes("first")
    with running(coordinator, "log", "-f") as next_line:
        assert next_line()["text"] == "first"
        coordinator.writes("second")
        assert next_line()["text"] == "second"


def test_node_list_shows_the_nodes(coordinator: Coordinator, sundog: Sundog) -> None:
    assert [line.split()[0] for line in sundog("node", "list")[1].splitlines()] == ["NODE", "n1*", "n2", "n3"]
    assert set(json.loads(sundog("node", "list", "--json")[1])) == {"n1", "n2", "n3"}


def test_explain_gives_every_candidate_its_verdict(coordinator: Coordinator, sundog: Sundog) -> None:
    coordinator.explained = {"group": "web", "owner": "n1", "state": "online", "why": "n2 was switched off",
                             "seen_by": "n1", "candidates": [{"node": "n2", "verdict": "down since 12:03:10"},
                                                              {"node": "n1", "verdict": "chosen"}]}
    _, out, _ = sundog("explain", "web")
    assert out.splitlines()[0] == "web is online on n1: n2 was switched off"
    assert "n2    down since 12:03:10" in out
    assert json.loads(sundog("explain", "web", "--json")[1]) == coordinator.explained
    assert coordinator.asked[-1] == {"op": "explain", "group": "web"}


def test_log_shows_the_last_entries(coordinator: Coordinator, sundog: Sundog) -> None:
    for i in range(5):
        coordinator.writes(f"entry {i}")
    code, out, _ = sundog("log", "-n", "2")
    assert code == 0
    assert [line.split()[-1] for line in out.splitlines()] == ["3", "4"]
    assert [json.loads(line)["text"] for line in sundog("log", "-n", "1", "--json")[1].splitlines()] == ["entry 4"]


def leads_to(coordinator: Coordinator, *changes: Dict[str, Any]) -> None:
    """A request is accepted, and these changes follow."""
    def follow(request: Dict[str, Any]) -> None:
        for change in changes:
            coordinator.becomes(**change)
    coordinator.on_request = follow


STOPPED = {"state": "offline", "owner": "n1", "why": "moving to n2"}


def test_a_move_is_waited_for_until_the_group_is_online_there(coordinator: Coordinator, sundog: Sundog) -> None:
    leads_to(coordinator, {"state": "stopping"}, STOPPED, {"state": "starting", "owner": "n2", "epoch": 5},
             {"state": "online"})
    code, out, err = sundog("group", "move", "web", "--node", "n2")
    assert (code, err) == (0, "")
    assert out.startswith("web is online on n2, after ")
    assert {"op": "request", "request": "move", "group": "web", "node": "n2"} in coordinator.asked


def test_a_move_that_ends_on_another_node_has_failed(coordinator: Coordinator, sundog: Sundog) -> None:
    leads_to(coordinator, STOPPED, {"state": "starting", "owner": "n2", "epoch": 5}, {"state": "offline"},
             {"state": "starting", "owner": "n1", "epoch": 6}, {"state": "online", "why": "failed on n2"})
    code, _, err = sundog("group", "move", "web", "--node", "n2")
    assert code == 1
    assert err.startswith("sundog: web came online on n1 instead: failed on n2; see 'sundog explain web'")


def test_a_group_that_does_not_stop_ends_the_wait(coordinator: Coordinator, sundog: Sundog) -> None:
    leads_to(coordinator, {"state": "stopping", "wanted": "offline"}, {"state": "stop-failed", "why": "pool is busy"})
    code, out, _ = sundog("group", "offline", "web", "--json")
    assert code == 1
    answer = json.loads(out)
    assert answer["ok"] is False
    assert answer["error"] == "web could not be stopped on n1: pool is busy"


def test_offline_ends_when_the_group_is_off(coordinator: Coordinator, sundog: Sundog) -> None:
    leads_to(coordinator, {"wanted": "offline"}, {"state": "stopping"}, {"state": "offline"})
    code, out, _ = sundog("group", "offline", "web", "--json")
    assert code == 0
    assert json.loads(out)["state"] == "offline"


def test_online_of_what_is_online_is_done_at_once(coordinator: Coordinator, sundog: Sundog) -> None:
    assert sundog("group", "online", "web")[0] == 0


def test_a_group_that_no_node_can_take_is_not_waited_for(
        coordinator: Coordinator, sundog: Sundog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sundog.cli.group.QUIET_S", 0.02)
    coordinator.status = status(web=group(state="offline", wanted="offline"))
    coordinator.explained = {"group": "web", "owner": None, "state": "offline", "why": "", "seen_by": "n1",
                             "candidates": [{"node": "n1", "verdict": "down since 12:03:10"}]}
    leads_to(coordinator, {"wanted": "online"})
    code, _, err = sundog("group", "online", "web", "--timeout", "1h")
    assert code == 1
    assert "web stays offline, no node can take it (n1: down since 12:03:10)" in err


def test_a_wait_that_is_too_long_ends_with_its_own_status(coordinator: Coordinator, sundog: Sundog) -> None:
    leads_to(coordinator, {"state": "stopping"})
    code, _, err = sundog("group", "move", "web", "--timeout", "50ms")
    assert code == 4
    assert "web is stopping after the time allowed; it goes on" in err


def test_no_wait_returns_when_the_request_is_accepted(coordinator: Coordinator, sundog: Sundog) -> None:
    assert sundog("group", "move", "web", "--no-wait")[:2] == (0, "move accepted\n")


def test_a_refusal_is_said_with_its_remedy(coordinator: Coordinator, sundog: Sundog) -> None:
    coordinator.on_request = lambda request: {"ok": False, "error": "web has no node n9", "remedy": "nodes are n1, n2"}
    assert sundog("group", "move", "web", "--node", "n9") == (1, "", "sundog: web has no node n9; nodes are n1, n2\n")
    code, out, _ = sundog("group", "clear", "web", "--json")
    assert code == 1
    assert json.loads(out) == {"ok": False, "error": "web has no node n9", "remedy": "nodes are n1, n2"}


def test_an_unknown_group_is_refused_before_anything_is_asked(coordinator: Coordinator, sundog: Sundog) -> None:
    code, _, err = sundog("group", "offline", "wab")
    assert code == 1
    assert "there is no group wab" in err
    assert [asked["op"] for asked in coordinator.asked if asked["op"] == "request"] == []


@pytest.mark.parametrize("args", [("status",), ("status", "--watch"), ("node", "list"), ("explain", "web"), ("log",),
                                  ("group", "online", "web"), ("group", "clear", "web")], ids=" ".join)
def test_without_a_coordinator_every_question_ends_with_3(sundog: Sundog, args: Tuple[str, ...]) -> None:
    code, out, err = sundog(*args)
    assert (code, out) == (3, "")
    assert "no coordinator runs on this host" in err
    assert "svcadm enable sundog/coordinator" in err


def test_a_coordinator_that_goes_away_during_a_wait_is_3(coordinator: Coordinator, sundog: Sundog) -> None:
    def dies(request: Dict[str, Any]) -> None:
        with coordinator.changed:
            coordinator.gone = True
            coordinator.changed.notify_all()
    coordinator.on_request = dies
    assert sundog("group", "move", "web")[0] == 3


@pytest.mark.parametrize("args", [("stat",), ("group", "move"), ("log", "-n", "x"), ("status", "--bad"),
                                  ("group", "move", "web", "--timeout", "5")], ids=" ".join)
def test_wrong_usage_ends_with_2(sundog: Sundog, args: Tuple[str, ...]) -> None:
    assert sundog(*args)[0] == 2


@pytest.mark.parametrize("words", [
    *((name,) for name in SUBCOMMANDS),
    ("node", "list"), ("link", "list"), *(("fence", name) for name in ("off", "confirm", "list", "test")),
    *(("group", name) for name in ("online", "offline", "move", "clear")),
    *(("quorum", name) for name in ("status", "add", "remove", "init-disk"))], ids=" ".join)
def test_every_command_has_help_with_an_example_and_exit_statuses(sundog: Sundog, words: Tuple[str, ...]) -> None:
    code, out, _ = sundog(*words, "--help")
    assert code == 0
    assert "sundog " + " ".join(words) in out.split("Example", 1)[1]
    assert "Exit status: 0 done" in out
    assert "--json" in out


def test_a_status_imports_neither_yaml_nor_rich_nor_asyncio(coordinator: Coordinator) -> None:
    program = ("import sys; from sundog.cli.main import run; "
               "code = run(['--control', sys.argv[1], 'status']); print(*sys.modules); sys.exit(code)")
    done = subprocess.run([sys.executable, "-c", program, coordinator.path], capture_output=True, text=True, check=True,
                          env={"PYTHONPATH": str(Path(__file__).parents[2] / "lib")})
    assert not {"yaml", "rich", "asyncio", "ipaddress", "sundog.config.load"} & set(done.stdout.split())
