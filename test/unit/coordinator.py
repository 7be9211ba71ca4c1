"""A coordinator's control socket, really listening, with a cluster of one group behind it that a test can drive."""
import json
import socketserver
import threading
from typing import Any, Callable, Dict, List, Optional

Entry = Dict[str, Any]


def group(**changes: Any) -> Entry:
    return {"state": "online", "owner": "n1", "epoch": 4, "wanted": "online", "why": "chosen: first in order",
            "resources": {"data": "online", "ip": "online"}, "failures": [], **changes}


def status(**groups: Entry) -> Entry:
    node = {"state": "up", "boot_id": "b", "links": {"private": "up", "public": "up"}, "since_s": 190.0}
    return {"cluster": "shop", "node": "n2", "leader": "n1", "version": 12, "config_version": 3, "lease_s": 1.55,
            "nodes": {"n1": node, "n2": {**node, "links": {"private": "up", "public": "down"}},
                      "n3": {**node, "state": "down", "links": {}}},
            "groups": groups or {"web": group()},
            "counters": {"frames": 10, "dropped": {"key": 0, "stale": 0, "garbage": 0}}}


class Coordinator(socketserver.ThreadingUnixStreamServer):
    """Answers as docs/architecture.md, Control socket, says. `on_request` is what a request leads to."""
    daemon_threads = True

    def __init__(self, path: str) -> None:
        super().__init__(path, Conversation)
        self.path = path
        self.status = status()
        self.explained: Entry = {"group": "web", "owner": "n1", "state": "online", "why": "", "seen_by": "n1",
                                 "candidates": [{"node": "n1", "verdict": "chosen"}]}
        self.entries: List[Entry] = []
        self.asked: List[Entry] = []
        self.on_request: Callable[[Entry], Optional[Entry]] = lambda request: None
        self.changed = threading.Condition()
        self.changes: List[Entry] = []
        self.gone = False

    def becomes(self, **changes: Any) -> None:
        """The group web changes; whoever watches is told."""
        with self.changed:
            self.status = status(web={**self.status["groups"]["web"], **changes})
            self.changes.append(self.status)
            self.changed.notify_all()

    def writes(self, text: str) -> None:
        """A new entry in the journal; whoever follows is told."""
        with self.changed:
            self.entries.append({"time": "2026-01-01T00:00:00Z", "code": "TAKEOVER", "severity": "notice",
                                 "group": "web", "node": "n2", "text": text})
            self.changed.notify_all()

    def close(self) -> None:
        with self.changed:
            self.gone = True
            self.changed.notify_all()
        self.shutdown()
        self.server_close()


class Conversation(socketserver.StreamRequestHandler):
    server: Coordinator

    def say(self, answer: Any) -> None:
        self.wfile.write(json.dumps(answer).encode() + b"\n")

    def handle(self) -> None:
        line = self.rfile.readline()
        if not line:
            return
        request = json.loads(line)
        self.server.asked.append(request)
        try:
            getattr(self, "on_" + request["op"].replace("-", "_"))(request)
        except ConnectionError:
            # The client has heard enough.
            return

    def on_status(self, request: Entry) -> None:
        self.say({"ok": True, "status": self.server.status})

    def on_explain(self, request: Entry) -> None:
        self.say({"ok": True, "explain": self.server.explained})

    def on_fence(self, request: Entry) -> None:
        self.say(self.server.on_request(request) or {"ok": True, "text": f"{request['node']} is being fenced"})

    def on_fence_test(self, request: Entry) -> None:
        levels = self.server.status.get("fence", {})
        self.say({"ok": True, "fence": {request["node"]: levels[request["node"]]} if request["node"] else levels})

    def on_request(self, request: Entry) -> None:
        self.say(self.server.on_request(request) or {"ok": True, "text": f"{request['request']} accepted"})

    def on_apply(self, request: Entry) -> None:
        self.say({"ok": True, "text": "configuration 4 is in effect", "version": 4})

    def on_log(self, request: Entry) -> None:
        told = max(len(self.server.entries) - request["lines"], 0)
        with self.server.changed:
            while not self.server.gone:
                for entry in self.server.entries[told:]:
                    self.say({"entry": entry})
                told = len(self.server.entries)
                if not request["follow"]:
                    break
                self.server.changed.wait()
        self.say({"ok": True})

    def on_watch(self, request: Entry) -> None:
        with self.server.changed:
            told = len(self.server.changes)
            self.say({"ok": True, "status": self.server.status})
        while True:
            with self.server.changed:
                while not self.server.gone and len(self.server.changes) == told:
                    self.server.changed.wait()
                if self.server.gone:
                    return
                new, told = self.server.changes[told:], len(self.server.changes)
            for change in new:
                self.say({"ok": True, "status": change})
