"""The control socket: what methods and the command ask of the daemon (docs/architecture.md, Control socket).

One JSON object a line in, one or more JSON lines out; an answer with "ok" ends a request. A request that is wrong in
form is refused with the reason and changes nothing.
"""
import asyncio
import json
import os
from typing import Any, Awaitable, Callable, Coroutine, Dict, List, Optional, Set

from sundog.daemon.journal import Journal
from sundog.errors import SundogError

LARGEST_LINE = 16 << 20
_GATHER_S = 0.05

Request = Dict[str, Any]
Answer = Dict[str, Any]


class BadRequest(SundogError):
    """A line on the control socket that is no request."""


class Desk:
    """What the control socket offers. The daemon's loop implements it."""

    async def permit(self, group: str, resource: str) -> Answer:
        raise NotImplementedError

    def outcome(self, fmri: str, group: str, method: str, ok: bool, error: str) -> None:
        raise NotImplementedError

    def status(self) -> Answer:
        raise NotImplementedError

    async def explain(self, group: str) -> Answer:
        raise NotImplementedError

    async def quorum(self) -> Answer:
        raise NotImplementedError

    async def links(self) -> Answer:
        raise NotImplementedError

    async def request(self, op: str, group: str, node: str) -> Answer:
        raise NotImplementedError

    async def apply(self, source: str, files: Dict[str, str]) -> Answer:
        raise NotImplementedError

    async def fence(self, request: str, node: str) -> Answer:
        raise NotImplementedError

    async def fence_test(self, node: str) -> Answer:
        raise NotImplementedError


class Client:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def say(self, answer: Answer) -> None:
        self.writer.write(json.dumps(answer, separators=(",", ":")).encode() + b"\n")
        await self.writer.drain()

    async def unless_gone(self, work: Coroutine[Any, Any, Any]) -> Any:
        """What `work` gives; raises ConnectionResetError when the client hangs up before."""
        task, gone = asyncio.ensure_future(work), asyncio.ensure_future(self.reader.read(1))
        try:
            await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise ConnectionResetError
            return task.result()
        finally:
            task.cancel()
            gone.cancel()


class Control:
    """Serves the socket at `path`, mode 0600."""

    def __init__(self, loop: asyncio.AbstractEventLoop, path: str, desk: Desk, journal: Journal) -> None:
        self.loop, self.path, self.desk, self.journal = loop, path, desk, journal
        self._server: Optional[asyncio.AbstractServer] = None
        self._clients: "Set[asyncio.Task[Any]]" = set()
        self._watchers: "List[asyncio.Event]" = []
        self._soon: Optional[asyncio.TimerHandle] = None
        self._closing = False
        self._ops: Dict[str, Callable[[Request, Client], Awaitable[Optional[Answer]]]] = {
            "permit": self._permit, "outcome": self._outcome, "status": self._status, "watch": self._watch,
            "request": self._request, "explain": self._explain, "log": self._log, "apply": self._apply,
            "quorum": self._quorum, "links": self._links, "fence": self._fence, "fence-test": self._fence_test}

    async def open(self) -> None:
        if os.path.exists(self.path):
            os.unlink(self.path)
        self._server = await asyncio.start_unix_server(self._client, self.path, limit=LARGEST_LINE)
        os.chmod(self.path, 0o600)

    async def close(self) -> None:
        self._closing = True
        if self._server is not None:
            self._server.close()
        if self._soon is not None:
            self._soon.cancel()
        for client in list(self._clients):
            client.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)

    def changed(self) -> None:
        """Something may be different: watchers are told soon, once for several changes."""
        if self._watchers and self._soon is None:
            self._soon = self.loop.call_later(_GATHER_S, self._wake)

    def _wake(self) -> None:
        self._soon = None
        for watcher in self._watchers:
            watcher.set()

    # ---- one client

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._clients.add(task)
        client = Client(reader, writer)
        try:
            # Asked for each line: before Python 3.12 wait_for may lose a cancellation that comes with its result.
            while not self._closing:
                line = await reader.readline()
                if not line:
                    break
                answer = await self._answer(line, client)
                if answer is not None:
                    await client.say(answer)
        except (ConnectionError, asyncio.CancelledError):
            # The client went away, or the daemon goes: nobody is left to answer.
            pass
        except ValueError:
            await client.say({"ok": False, "error": f"a line longer than {LARGEST_LINE} bytes", "remedy": ""})
        finally:
            self._clients.discard(task)
            writer.close()

    async def _answer(self, line: bytes, client: Client) -> Optional[Answer]:
        try:
            request = _parse(line)
            operation = self._ops.get(_text(request, "op"))
            if operation is None:
                raise BadRequest(f"unknown op {request['op']!r}", "one of " + ", ".join(sorted(self._ops)))
            return await operation(request, client)
        except SundogError as error:
            return refusal(error)

    # ---- operations

    async def _permit(self, request: Request, client: Client) -> Answer:
        return await self.desk.permit(_text(request, "group"), _text(request, "resource", ""))

    async def _outcome(self, request: Request, client: Client) -> Answer:
        ok, method = request.get("ok"), _text(request, "method")
        if not isinstance(ok, bool) or method not in ("start", "stop"):
            raise BadRequest("an outcome has ok (true or false) and method (start or stop)")
        error, remedy = _text(request, "error", ""), _text(request, "remedy", "")
        self.desk.outcome(_text(request, "fmri"), _text(request, "group"), method, ok,
                          f"{error}; {remedy}" if error and remedy else error)
        return {"ok": True}

    async def _status(self, request: Request, client: Client) -> Answer:
        return {"ok": True, "status": self.desk.status()}

    async def _explain(self, request: Request, client: Client) -> Answer:
        return {"ok": True, "explain": await self.desk.explain(_text(request, "group"))}

    async def _quorum(self, request: Request, client: Client) -> Answer:
        return {"ok": True, "quorum": await self.desk.quorum()}

    async def _links(self, request: Request, client: Client) -> Answer:
        return {"ok": True, "links": await self.desk.links()}

    async def _request(self, request: Request, client: Client) -> Answer:
        return await self.desk.request(_text(request, "request"), _text(request, "group"), _text(request, "node", ""))

    async def _apply(self, request: Request, client: Client) -> Answer:
        files = request.get("files", {})
        if not isinstance(files, dict) or not all(isinstance(text, str) for text in files.values()):
            raise BadRequest("files is a mapping of names to texts")
        return await self.desk.apply(_text(request, "source"), files)

    async def _fence(self, request: Request, client: Client) -> Answer:
        what = _text(request, "request")
        if what not in ("fence", "fence-forced", "fence-confirm"):
            raise BadRequest("request is one of fence, fence-forced, fence-confirm")
        return await self.desk.fence(what, _text(request, "node"))

    async def _fence_test(self, request: Request, client: Client) -> Answer:
        return await self.desk.fence_test(_text(request, "node", ""))

    async def _watch(self, request: Request, client: Client) -> None:
        """A status line now and at every change that is more than the passing of time."""
        changed = asyncio.Event()
        self._watchers.append(changed)
        last: Optional[str] = None
        try:
            while True:
                status = self.desk.status()
                essence = _essence(status)
                if essence != last:
                    last = essence
                    await client.say({"ok": True, "status": status})
                await client.unless_gone(changed.wait())
                changed.clear()
        finally:
            self._watchers = [one for one in self._watchers if one is not changed]

    async def _log(self, request: Request, client: Client) -> Answer:
        lines, follow = request.get("lines", 100), request.get("follow", False)
        if type(lines) is not int or type(follow) is not bool:
            raise BadRequest("lines is a number, follow is true or false")
        entries: "asyncio.Queue[Any]" = asyncio.Queue()
        unfollow = self.journal.follow(entries.put_nowait) if follow else None
        try:
            for entry in self.journal.last(lines):
                await client.say({"entry": entry})
            while follow:
                await client.say({"entry": await client.unless_gone(entries.get())})
        finally:
            if unfollow is not None:
                unfollow()
        return {"ok": True}


def refusal(error: SundogError) -> Answer:
    """An error as the control socket says it."""
    said = f" (it said: {error.said})" if error.said else ""
    return {"ok": False, "error": error.what + said, "remedy": error.remedy}


def _parse(line: bytes) -> Request:
    try:
        request = json.loads(line)
    except (ValueError, RecursionError):
        raise BadRequest("not a JSON object on one line") from None
    if not isinstance(request, dict):
        raise BadRequest("not a JSON object")
    return request


def _text(request: Request, key: str, default: Optional[str] = None) -> str:
    value = request.get(key, default)
    if value is None and default is not None:
        return default
    if not isinstance(value, str):
        raise BadRequest(f"{key} is missing or no text")
    return value


def _essence(status: Answer) -> str:
    """The status without what changes by the mere passing of time."""
    kept = {key: value for key, value in status.items() if key not in ("lease_s", "counters")}
    kept["nodes"] = {name: {key: value for key, value in node.items() if key != "since_s"}
                     for name, node in status["nodes"].items()}
    return json.dumps(kept, sort_keys=True)
