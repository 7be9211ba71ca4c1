"""The witness: keeps a block of every node for many clusters, and answers each node with all of its cluster's.

It decides nothing and knows no node: a name and the cluster's key are enough. What is written is durable before the
answer leaves. A node has one connection; a newer one ends the older, so that nothing written late on the older one
counts.
"""
import asyncio
import os
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Callable, Dict, List, Optional, Set, Tuple

from sundog.config.witness import Settings
from sundog.daemon.door import Door
from sundog.daemon.only import OnlyOne
from sundog.daemon.witness_store import MOST_WRITERS, StoreFailed, WitnessStore
from sundog.errors import ConfigProblem, SundogError
from sundog.link import proof, witness_messages
from sundog.link.frame import cluster_id
from sundog.link.key import load_key
from sundog.link.proof import LENGTH, NotProven, Seal

_SILENT_FOR_S = 300.0
#: A folder that could not be opened is tried again.
_AGAIN_S = 30.0
_MOST_REQUEST = 80 * 1024               # a block and what stands around it

Say = Callable[[str], None]


class Served:
    """One cluster of this witness."""

    def __init__(self, name: str, key: bytes, store: WitnessStore) -> None:
        self.name, self.key, self.store = name, key, store
        self.lock = asyncio.Lock()
        self.connections: Dict[str, "Connection"] = {}  # by node


class WitnessServer:
    """Serves `settings` until `close`. Raises ConfigProblem for a key that cannot be used and for a directory that
    another witness serves, StoreFailed, OSError."""

    def __init__(self, settings: Settings, say: Say) -> None:
        self.settings, self.say = settings, say
        self.door = Door()
        self.pool = ThreadPoolExecutor(4, thread_name_prefix="store")
        self.clusters: Dict[bytes, Served] = {}
        self.unusable: Set[bytes] = set()               # clusters whose files cannot be used: the others are served
        self._open: Set["Connection"] = set()
        self._server: Optional[asyncio.AbstractServer] = None
        self._said: Dict[Tuple[str, str], float] = {}
        self._trying: List["asyncio.Task[None]"] = []
        self._unopened: Dict[str, bytes] = {}           # key of each cluster whose folder could not be opened
        keys = {name: load_key(file) for name, file in settings.key_files.items()}
        self._lock = self._alone()
        for name, key in keys.items():
            try:
                self._serve(name, key, self._store(name))
            except StoreFailed as error:
                self._unopened[name] = key
                self._refrain(name, f"{error}; it is tried again every {_AGAIN_S:g} s")
            except ConfigProblem as error:
                self._refrain(name, str(error))

    def _alone(self) -> OnlyOne:
        """Two would write the same blocks, each with numbers of its own. No cluster has a name like this file's."""
        folder = self.settings.directory
        try:
            os.makedirs(folder, 0o700, exist_ok=True)
            return OnlyOne(os.path.join(folder, ".lock"), f"another witness serves {folder}",
                           "end it, or give each witness.yaml a directory of its own")
        except OSError as error:
            raise StoreFailed(f"{folder}: {error.strerror}", f"ls -ld {folder} tells what it is, and whose") from None

    def _store(self, name: str) -> WitnessStore:
        return WitnessStore(os.path.join(self.settings.directory, name))

    def _serve(self, name: str, key: bytes, store: WitnessStore) -> None:
        self.clusters[cluster_id(name)] = Served(name, key, store)
        self.unusable.discard(cluster_id(name))

    def _refrain(self, name: str, why: str) -> None:
        self.unusable.add(cluster_id(name))
        self.say(f"cluster {name} is not served: {why}")

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._client, self.settings.address, self.settings.port,
                                                  limit=_MOST_REQUEST)
        self._trying = [asyncio.create_task(self._again(name, key)) for name, key in self._unopened.items()]

    async def _again(self, name: str, key: bytes) -> None:
        """A disk that was full, or not mounted yet, may be there later."""
        said = ""
        while True:
            await asyncio.sleep(_AGAIN_S)
            try:
                store = await asyncio.get_running_loop().run_in_executor(self.pool, self._store, name)
            except StoreFailed as error:
                if str(error) != said:
                    said = str(error)
                    self._refrain(name, said)
            except ConfigProblem as error:
                self._refrain(name, str(error))
                return
            else:
                self._serve(name, key, store)
                self.say(f"cluster {name} is served: life {store.life}")
                return

    async def close(self) -> None:
        for task in self._trying:
            task.cancel()
        if self._server is not None:
            self._server.close()
        for connection in list(self._open):
            connection.end()
        self.pool.shutdown()
        for served in self.clusters.values():
            served.store.close()
        self._lock.close()

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.door.full:
            writer.transport.abort()
            return
        connection = Connection(self, reader, writer)
        self._open.add(connection)
        try:
            await connection.serve()
        except (NotProven, SundogError) as error:
            self.refused(connection.peer, str(error))
        except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError):
            # It went away, or never said a thing: it may come back.
            pass
        finally:
            self._open.discard(connection)
            connection.end()

    def refused(self, peer: str, why: str) -> None:
        """Say it once a minute of each peer: a node asks again and again."""
        now = asyncio.get_running_loop().time()
        if now - self._said.get((peer, why), float("-inf")) < 60.0:
            return
        if len(self._said) >= 1000:
            self._said.clear()
        self._said[peer, why] = now
        self.say(f"refused {peer}: {why}")


class Connection:
    def __init__(self, server: WitnessServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.server, self.reader, self.writer = server, reader, writer
        address = writer.get_extra_info("peername")
        self.peer = str(address[0]) if address else "somebody"
        self.served: Optional[Served] = None
        self.name = ""
        self._in: Seal
        self._out: Seal

    async def serve(self) -> None:
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        served = await self.server.door.proven(self._prove())
        older = served.connections.get(self.name)
        if older is not None:
            older.end()
        self.served = served
        served.connections[self.name] = self
        while True:
            await self._request(served)

    def end(self) -> None:
        if self.served is not None and self.served.connections.get(self.name) is self:
            del self.served.connections[self.name]
        self.writer.transport.abort()

    async def _prove(self) -> Served:
        said = await self.reader.readexactly(proof.HELLO.size)
        version, cluster = proof.heard(said)
        served = self.server.clusters.get(cluster)
        if version != proof.VERSION:
            await self._refuse(f"this witness speaks version {proof.VERSION}, the node version {version}; "
                               "install the same version of Sundog on both")
        if cluster in self.server.unusable:
            await self._refuse("this witness cannot use its files of that cluster; its log says what to do")
        if served is None:
            await self._refuse("this witness does not serve that cluster; add it to clusters in witness.yaml, or "
                               "correct the holder's address")
        assert served is not None
        challenged = proof.challenge(served.key, said)
        self.writer.write(proof.framed(challenged))
        answered = await self._message(proof.LARGEST_UNPROVEN)
        if answered[:1] == proof.REFUSAL:
            raise NotProven(f"cluster {served.name}: it says: {proof.printable(answered[1:])}")
        try:
            self.name = proof.prover(served.key, said, challenged, answered)
        except NotProven as error:
            await self._refuse(f"cluster {served.name}: {error}; put the same key file on every node and here")
        if self.name not in served.connections and len(served.connections) >= MOST_WRITERS:
            await self._refuse(f"cluster {served.name} has {MOST_WRITERS} connections here already")
        self._in, self._out = proof.seals(served.key, said, challenged, self.name)
        return served

    async def _refuse(self, why: str) -> None:
        self.writer.write(proof.refusal(why))
        await self.writer.drain()
        # What the other side still sends must not turn our word into a reset.
        self.writer.write_eof()
        await self.reader.read(proof.LARGEST_UNPROVEN)
        raise NotProven(why)

    async def _message(self, largest: int) -> bytes:
        size = LENGTH.unpack(await self.reader.readexactly(LENGTH.size))[0]
        if not 0 < size <= largest:
            raise NotProven(f"a message of {size} bytes")
        return await self.reader.readexactly(size)

    async def _request(self, served: Served) -> None:
        message = await asyncio.wait_for(self._message(_MOST_REQUEST), _SILENT_FOR_S)
        if message[:1] == proof.REFUSAL:
            raise NotProven(f"node {self.name} says: {proof.printable(message[1:])}")
        reached, block = witness_messages.requested(self._in.open(message))
        async with served.lock:
            if served.connections.get(self.name) is not self:
                raise NotProven(f"node {self.name} has a newer connection")
            if block is not None:
                await asyncio.get_running_loop().run_in_executor(self.server.pool, self._write, served, block)
            kept = served.store.kept()
        if kept.number < reached:
            self.server.refused(self.peer, f"cluster {served.name}: node {self.name} has seen write {reached}, these "
                                f"files have {kept.number}: they were lost or put back")
        self.writer.write(proof.framed(self._out.seal(witness_messages.answer(kept))))
        await self.writer.drain()

    def _write(self, served: Served, block: bytes) -> None:
        served.store.write(self.name, block)
