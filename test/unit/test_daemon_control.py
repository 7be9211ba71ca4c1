"""The control socket and the daemon's side of failfast, over real sockets."""
import asyncio
import json
import socket
import stat
from typing import Any, Callable, Dict, List

from sundog.daemon.control import Control, Desk
from sundog.daemon.deadline import DeadlineKeeper
from sundog.daemon.failfast import Keeper
from sundog.daemon.journal import Journal
from sundog.errors import NotPermitted


class Counter(Desk):
    """A desk that says what it was asked."""

    def __init__(self) -> None:
        self.outcomes: List[Any] = []
        self.state = "offline"

    async def permit(self, group: str, resource: str) -> Dict[str, Any]:
        raise NotPermitted(f"group {group} belongs to n2", "sundog explain web")

    def outcome(self, *what: Any) -> None:
        self.outcomes.append(what)

    def status(self) -> Dict[str, Any]:
        nodes = {"n1": {"state": "up", "since_s": 1.0}}
        return {"nodes": nodes, "groups": {"web": {"state": self.state}}, "lease_s": 0.7}

    async def explain(self, group: str) -> Dict[str, Any]:
        return {"group": group}

    async def request(self, op: str, group: str, node: str) -> Dict[str, Any]:
        return {"ok": True, "text": f"{op} {group} {node}"}

    async def apply(self, source: str, files: Dict[str, str]) -> Dict[str, Any]:
        return {"ok": True, "text": source, "version": 2}


class Call:
    """One client's connection."""

    def __init__(self, path: str) -> None:
        self.path = path

    async def __aenter__(self) -> "Call":
        self.reader, self.writer = await asyncio.open_unix_connection(self.path)
        return self

    async def __aexit__(self, *error: Any) -> None:
        self.writer.close()

    async def line(self) -> Any:
        return json.loads(await asyncio.wait_for(self.reader.readline(), 5))

    async def ask(self, request: Any) -> Any:
        self.writer.write((request if isinstance(request, bytes) else json.dumps(request).encode()) + b"\n")
        return await self.line()


def serve(tmp_path, scene: Callable[[Call, Counter, Control, Journal], Any]) -> None:
    async def run() -> None:
        desk, journal = Counter(), Journal(str(tmp_path / "journal"), lambda text: None)
        control = Control(asyncio.get_running_loop(), str(tmp_path / "control"), desk, journal)
        await control.open()
        try:
            async with Call(str(tmp_path / "control")) as call:
                await scene(call, desk, control, journal)
        finally:
            await control.close()
            journal.close()
    asyncio.run(asyncio.wait_for(run(), 10))


def test_only_root_may_talk_to_the_daemon(tmp_path):
    async def scene(call: Call, desk: Counter, control: Control, journal: Journal) -> None:
        assert stat.S_IMODE((tmp_path / "control").stat().st_mode) == 0o600
    serve(tmp_path, scene)


def test_a_refusal_comes_with_its_remedy(tmp_path):
    async def scene(call: Call, desk: Counter, control: Control, journal: Journal) -> None:
        said = await call.ask({"op": "permit", "fmri": "x", "group": "web", "resource": "ip"})
        assert said == {"ok": False, "error": "group web belongs to n2", "remedy": "sundog explain web"}
    serve(tmp_path, scene)


def test_an_outcome_is_handed_on_with_the_methods_words(tmp_path):
    async def scene(call: Call, desk: Counter, control: Control, journal: Journal) -> None:
        said = await call.ask({"op": "outcome", "fmri": "f", "group": "web", "resource": "ip", "method": "stop",
                               "ok": False, "error": "busy", "remedy": "fuser"})
        assert said == {"ok": True}
        assert desk.outcomes == [("f", "web", "stop", False, "busy; fuser")]
    serve(tmp_path, scene)


def test_nonsense_is_refused_and_the_connection_goes_on(tmp_path):
    async def scene(call: Call, desk: Counter, control: Control, journal: Journal) -> None:
        for nonsense in (b"hello", b"[]", b"{}", b'{"op": 5}', b'{"op": "reboot"}', b'{"op": "outcome"}', b"[" * 50_000,
                         b'{"op": "log", "lines": "all"}', b'{"op": "apply", "source": "x", "files": [1]}', b"\xff"):
            assert (await call.ask(nonsense))["ok"] is False
        assert (await call.ask({"op": "request", "request": "online", "group": "web"}))["text"] == "online web "
    serve(tmp_path, scene)


def test_a_watcher_gets_a_line_at_every_change_and_none_for_the_passing_of_time(tmp_path):
    async def scene(call: Call, desk: Counter, control: Control, journal: Journal) -> None:
        first = await call.ask({"op": "watch"})
        assert first["status"]["groups"]["web"]["state"] == "offline"
        control.changed()
        desk.state = "starting"
        control.changed()
        assert (await call.line())["status"]["groups"]["web"]["state"] == "starting"
    serve(tmp_path, scene)


def test_a_watcher_that_hangs_up_is_forgotten_at_once(tmp_path):
    async def scene(call: Call, desk: Counter, control: Control, journal: Journal) -> None:
        async with Call(str(tmp_path / "control")) as other:
            await other.ask({"op": "watch"})
            assert len(control._watchers) == 1
        while control._watchers:
            await asyncio.sleep(0)
    serve(tmp_path, scene)


def test_the_log_is_given_and_followed(tmp_path):
    async def scene(call: Call, desk: Counter, control: Control, journal: Journal) -> None:
        journal.add("A", "info", "one")
        journal.add("A", "info", "two")
        assert (await call.ask({"op": "log", "lines": 1}))["entry"]["text"] == "two"
        assert await call.line() == {"ok": True}
        assert (await call.ask({"op": "log", "lines": 1, "follow": True}))["entry"]["text"] == "two"
        journal.add("A", "info", "three")
        assert (await call.line())["entry"]["text"] == "three"
    serve(tmp_path, scene)


class Failfast:
    """Failfast's socket, answered when the test says so."""

    def __init__(self, tmp_path: Any) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.setblocking(False)
        self.sock.bind(str(tmp_path / "failfast"))
        self.deadline = Keeper(str(tmp_path / "kept"))

    async def next(self) -> Any:
        while True:
            try:
                return self.sock.recvfrom(256)
            except BlockingIOError:
                await asyncio.sleep(0)

    async def reply(self) -> None:
        datagram, sender = await self.next()
        self.sock.sendto(self.deadline.answer(datagram), sender)


def keep(tmp_path, scene: Callable[[DeadlineKeeper, Failfast, List[str]], Any]) -> None:
    async def run() -> None:
        told: List[str] = []
        failfast = Failfast(tmp_path)
        keeper = DeadlineKeeper(asyncio.get_running_loop(), str(tmp_path / "own"), str(tmp_path / "failfast"), 100,
                                lambda code, severity, text: told.append(code), lambda: told.append("RESET"))
        try:
            await scene(keeper, failfast, told)
        finally:
            keeper.close()
            failfast.sock.close()
    asyncio.run(asyncio.wait_for(run(), 10))


def test_only_the_acknowledgement_of_the_current_deadline_counts(tmp_path):
    async def scene(keeper: DeadlineKeeper, failfast: Failfast, told: List[str]) -> None:
        keeper.set(10.0)
        keeper.set(20.0)
        await failfast.reply()
        assert not await keeper.confirmed(0.02)
        await failfast.reply()
        assert await keeper.confirmed(1.0)
        assert failfast.deadline.at == 20.0
    keep(tmp_path, scene)


def test_a_silent_failfast_is_told_once_and_asked_again(tmp_path):
    async def scene(keeper: DeadlineKeeper, failfast: Failfast, told: List[str]) -> None:
        keeper.set(10.0)
        assert (await failfast.next())[0] == b"arm 101 10.000000"
        assert (await failfast.next())[0] == b"arm 101 10.000000"
        assert (await failfast.next())[0] == b"arm 101 10.000000"
        assert told == ["FAILFAST-SILENT"]
        await failfast.reply()
        assert await keeper.confirmed(1.0)
        assert told == ["FAILFAST-SILENT", "FAILFAST-BACK"]
    keep(tmp_path, scene)


def test_the_daemon_itself_resets_a_host_whose_deadline_has_passed(tmp_path):
    async def scene(keeper: DeadlineKeeper, failfast: Failfast, told: List[str]) -> None:
        keeper.set(10.0)
        assert not keeper.passed(9.9)
        assert told == []
        assert keeper.passed(10.0)
        assert told == ["RESET"]
    keep(tmp_path, scene)
