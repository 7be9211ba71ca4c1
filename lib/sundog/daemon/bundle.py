"""The configuration as it travels between nodes and is kept on this one.

A bundle is the text of cluster.yaml and of the files that it names. It is kept under its digest until the ledger names
that digest; then it becomes /etc/sundog. A node that lacks it fetches it over TCP from the node that has it: the asker
proves that it has the cluster's key, and what it gets is checked against the digest.
"""
import asyncio
import contextlib
import errno
import hmac
import json
import os
import zlib
from dataclasses import dataclass, field
from typing import Collection, List, Mapping, Optional, Tuple

from sundog.config.install import install, place, write_whole
from sundog.config.model import Cluster
from sundog.daemon.door import Door
from sundog.daemon.tasks import Tasks
from sundog.errors import SundogError

_LARGEST = 32 << 20
_PATIENCE_S = 5.0
_BIND_AGAIN_S = 1.0


class FetchFailed(SundogError):
    """The configuration could not be had from the node that should have it."""


class NotKept(SundogError):
    """This host cannot keep the configuration."""


def not_kept(error: OSError, what: str) -> NotKept:
    """`what` it was about, where the error does not say that itself."""
    many = error.errno in (errno.EMFILE, errno.ENFILE)
    return NotKept(f"{error.filename or what}: {error.strerror or error}", f"pfiles {os.getpid()} tells what is open"
                   if many else "df -h and mount tell whether there is room and it can be written")


@dataclass(frozen=True)
class Bundle:
    source: str
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        return Cluster("", "", {}, {}, {}, source=self.source, files=self.files).digest

    def packed(self) -> bytes:
        return zlib.compress(json.dumps({"source": self.source, "files": dict(self.files)}).encode())


def unpacked(packed: bytes, digest: str) -> Bundle:
    """The bundle, checked against its digest. Raises FetchFailed."""
    inflate = zlib.decompressobj()
    try:
        plain = json.loads(inflate.decompress(packed, _LARGEST))
        bundle = Bundle(str(plain["source"]), {str(name): str(text) for name, text in plain["files"].items()})
    except (zlib.error, ValueError, KeyError, TypeError, AttributeError) as error:
        raise FetchFailed(f"what came is no configuration: {error}") from None
    if bundle.digest != digest:
        raise FetchFailed("what came is another configuration than was asked for")
    return bundle


class Shelf:
    """The bundles on this node, by digest, and /etc/sundog."""

    def __init__(self, kept: str, etc: str) -> None:
        self.kept, self.etc = kept, etc

    def put(self, bundle: Bundle) -> None:
        """Keep it until the ledger names it. Raises NotKept."""
        try:
            os.makedirs(self.kept, 0o700, exist_ok=True)
            write_whole(os.path.join(self.kept, bundle.digest), bundle.packed(), 0o600)
        except OSError as error:
            raise not_kept(error, self.kept) from error

    def get(self, digest: str) -> Optional[Bundle]:
        try:
            with open(os.path.join(self.kept, digest), "rb") as file:
                return unpacked(file.read(), digest)
        except (FileNotFoundError, FetchFailed):
            return None

    def install(self, bundle: Bundle) -> None:
        """Make it this node's configuration. The file that names the others is written last. Raises SundogError."""
        self.lay_out(bundle.files)
        install(bundle.source, bundle.files, self.etc)

    def clear(self, keep: Collection[str]) -> None:
        """Forget every other bundle. What cannot be removed now is in nobody's way, and is tried again next time.

        For the thread that puts them: what was put a moment ago must not be taken for an old one.
        """
        with contextlib.suppress(OSError):
            for other in set(os.listdir(self.kept)) - set(keep):
                os.unlink(os.path.join(self.kept, other))

    def lay_out(self, files: Mapping[str, str]) -> None:
        """Put the files that resources read where they expect them: files/NAME. Raises ConfigProblem."""
        for name, text in files.items():
            path = place(os.path.join(self.etc, "files"), name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            write_whole(path, text.encode())


class BundleServer:
    """Answers the other nodes on the given addresses."""

    def __init__(self, loop: asyncio.AbstractEventLoop, shelf: Shelf, key: bytes, current: Bundle) -> None:
        self.shelf, self.key, self.current = shelf, key, current
        self._servers: List[asyncio.AbstractServer] = []
        self._absent = Tasks(loop, "listening for who wants the configuration")
        self._door = Door()

    async def open(self, addresses: List[Tuple[str, int]]) -> None:
        """Listen on each address; one that is not there yet is tried again each second."""
        for address, port in addresses:
            if not await self._listens(address, port):
                self._absent.begin(self._wait_for(address, port))

    async def _listens(self, address: str, port: int) -> bool:
        try:
            self._servers.append(await asyncio.start_server(self._client, address, port))
        except OSError:
            # The link itself says that its address is not there; another link serves as well.
            return False
        return True

    async def _wait_for(self, address: str, port: int) -> None:
        while not await self._listens(address, port):
            await asyncio.sleep(_BIND_AGAIN_S)

    async def close(self) -> None:
        self._absent.cancel()
        for server in self._servers:
            server.close()

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._door.full:
            writer.transport.abort()
            return
        try:
            digest = await self._door.proven(self._asked(reader, writer))
            await asyncio.wait_for(self._give(digest, writer), _PATIENCE_S)
        except (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError, FetchFailed):
            # The asker went away, or has another key; it asks again, or somebody else.
            pass
        finally:
            writer.close()

    async def _asked(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        """The digest that somebody asks for who has the key. Raises FetchFailed."""
        challenge = os.urandom(32)
        writer.write(challenge)
        digest, proof = await reader.readexactly(32), await reader.readexactly(32)
        if not hmac.compare_digest(_proof(self.key, challenge, digest), proof):
            raise FetchFailed("who asks has another key")
        return digest

    async def _give(self, digest: bytes, writer: asyncio.StreamWriter) -> None:
        bundle = self.current if self.current.digest == digest.hex() else self.shelf.get(digest.hex())
        packed = bundle.packed() if bundle is not None else b""
        writer.write(len(packed).to_bytes(4, "big") + packed)
        await writer.drain()


async def fetch(addresses: List[Tuple[str, int]], key: bytes, digest: str) -> Bundle:
    """The bundle with this digest, from the first address that gives it. Raises FetchFailed."""
    said = "it has no address on our links"
    for address, port in addresses:
        try:
            packed = await asyncio.wait_for(_fetch(address, port, key, bytes.fromhex(digest)), _PATIENCE_S)
            return unpacked(packed, digest)
        except (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError) as error:
            said = f"{address}: {error or 'no answer'}"
        except FetchFailed as error:
            said = f"{address}: {error}"
    raise FetchFailed(f"configuration {digest[:12]} could not be fetched", said=said)


async def _fetch(address: str, port: int, key: bytes, digest: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(address, port)
    try:
        challenge = await reader.readexactly(32)
        writer.write(digest + _proof(key, challenge, digest))
        size = int.from_bytes(await reader.readexactly(4), "big")
        if not 0 < size <= _LARGEST:
            raise FetchFailed("it has not got it")
        return await reader.readexactly(size)
    finally:
        writer.close()


def _proof(key: bytes, challenge: bytes, digest: bytes) -> bytes:
    return hmac.digest(key, b"bundle" + challenge + digest, "sha256")
