"""Stands at the control socket in a coordinator's place: permits every start, by force while the file FORCE is there.

usage: permits.py CONTROL FORCE LOG. Requests are appended to LOG, one a line. Runs in a lab node, by its own Python.
"""
import json
import os
import socketserver
import sys
from typing import Any, Dict

CONTROL, FORCE, LOG = sys.argv[1:]


class Conversation(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        for line in self.rfile:
            with open(LOG, "ab") as log:
                log.write(line)
            answer: Dict[str, Any] = {"ok": True}
            if json.loads(line)["op"] == "permit":
                answer.update(epoch=1, force=os.path.exists(FORCE), why="a test says so")
            self.wfile.write(json.dumps(answer).encode() + b"\n")


os.makedirs(os.path.dirname(CONTROL), exist_ok=True)    # gone at every boot
if os.path.exists(CONTROL):
    os.unlink(CONTROL)
with socketserver.ThreadingUnixStreamServer(CONTROL, Conversation) as server:
    server.daemon_threads = True
    server.serve_forever()
