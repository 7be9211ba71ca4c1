"""A witness in a thread of its own, on loopback, and nodes that use it."""
import asyncio
import base64
import os
import socket
import threading
from pathlib import Path
from typing import Dict, List, Optional

from sundog.config.witness import Settings
from sundog.daemon.witness import WitnessServer
from sundog.link.witness import Witness

KEY = bytes(range(32))


class Site:
    """`said`: what the witness logged."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.said = folder, []     # type: Path, List[str]
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.key_files: Dict[str, str] = {}
        self.serve("shop")
        self._thread: Optional[threading.Thread] = None
        self._nodes: List[Witness] = []

    def serve(self, cluster: str, key: bytes = KEY) -> None:
        path = self.folder / f"{cluster}.key"
        path.touch(0o600)
        path.write_bytes(base64.b64encode(key))
        self.key_files[cluster] = str(path)

    def node(self, name: str, cluster: str = "shop", key: bytes = KEY) -> Witness:
        self._nodes.append(Witness("127.0.0.1", self.port, cluster, name, key, 10.0))
        return self._nodes[-1]

    @property
    def store(self) -> Path:
        return self.folder / "store"

    def start(self) -> None:
        up = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._live(up)))
        self._thread.start()
        assert up.wait(20), "the witness does not start"

    async def _live(self, up: threading.Event) -> None:
        os.makedirs(self.store, exist_ok=True)
        server = WitnessServer(Settings("127.0.0.1", self.port, str(self.store), self.key_files), self.said.append)
        await server.open()
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        up.set()
        await self._over.wait()
        await server.close()

    def stop(self) -> None:
        """As SIGTERM does."""
        if self._thread is not None:
            self._loop.call_soon_threadsafe(self._over.set)
            self._thread.join(20)
            self._thread = None

    def end(self) -> None:
        for node in self._nodes:
            node.close()
        self.stop()
