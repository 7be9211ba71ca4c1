"""A ZooKeeper ensemble as vote holder: one znode with everybody's block, changed by compare-and-set of its version.

A set that succeeds under the version that was read last is our write and the read that follows it in one: nobody wrote
in between. So a leader's probe is one request. Only the block that the next ballot must carry on keeps its ledger,
which keeps the znode small however many nodes there are.
A set whose outcome is not known (ConnectionLoss, an expired session, no answer in time) is a failed exchange; should it
land later all the same, its version lets it land only on what it was meant for.
Blocking, with a deadline for each exchange. kazoo is imported when it is needed.
"""
import hmac
import json
import logging
import threading
import time
from dataclasses import dataclass, replace
from typing import Any, Dict, Optional, Tuple

from sundog.config.model import ZooKeeperHolder
from sundog.core import paxos
from sundog.core.frames import Block
from sundog.errors import ConfigProblem
from sundog.link.codec import FrameError, pack, unpack
from sundog.link.passive import HolderFailed, HolderRefused, Passive

LARGEST = 1000 * 1000                   # ZooKeeper's jute.maxbuffer is 1 MiB
FORMAT = 1
_MAC = 32


@dataclass(frozen=True)
class Slots:
    """What the znode holds."""
    blocks: Tuple[Block, ...] = ()


def require_kazoo() -> None:
    """Raises ConfigProblem when kazoo is not installed for this Python."""
    try:
        import kazoo.client  # noqa: F401
    except ImportError:
        raise ConfigProblem("ledger: zookeeper needs the Python package kazoo, which is not installed",
                            "python3 -m pip install kazoo, for the Python that runs sundogd") from None


def password_of(path: str) -> str:
    """The first line of a file that only its owner can read. Raises ConfigProblem."""
    import os
    import stat
    try:
        with open(path, encoding="utf-8") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            line = file.readline(1024).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigProblem(f"password file {path}: {error}", "write the password into it, mode 0600") from None
    if mode & 0o077:
        raise ConfigProblem(f"password file {path}: mode {mode:04o} lets others read it", f"chmod 600 {path}")
    if not line:
        raise ConfigProblem(f"password file {path}: its first line is empty", "write the password into it")
    return line


class ZooKeeper(Passive):
    """`within_s`: how long an exchange may take. `anew`: the node knows of no ledger, so the path may be made.

    Raises ConfigProblem when kazoo or the password is not there.
    """

    def __init__(self, holder: ZooKeeperHolder, cluster: str, key: bytes, within_s: float, anew: bool = True) -> None:
        require_kazoo()
        self.anew = anew
        self.holder, self.cluster, self.key, self.within_s = holder, cluster, key, within_s
        self.where = f"ZooKeeper {', '.join(holder.servers)}"
        self._auth = [("digest", f"{holder.user}:{password_of(holder.password_file)}")] if holder.user else []
        self._blocks_at = holder.path + "/blocks"
        self._client: Any = None
        self._version: Optional[int] = None             # of the znode as `_blocks` has it
        self._blocks: Dict[str, Block] = {}

    def exchange(self, block: Optional[Block]) -> Tuple[Block, ...]:
        from kazoo.exceptions import BadVersionError, KazooException, NoNodeError
        from kazoo.handlers.threading import KazooTimeoutError
        end = time.monotonic() + self.within_s
        try:
            self._connect(end)
            if block is None:
                self._read(end)
            while block is not None:
                if self._version is None:
                    self._read(end)
                try:
                    self._write(block, end)
                    break
                except BadVersionError:
                    self._version = None
            return tuple(self._blocks.values())
        except NoNodeError:
            self._version = None
            raise self._gone() from None
        except (KazooException, KazooTimeoutError) as error:
            self._version = None
            if isinstance(error, KazooTimeoutError) and self._client.connected:
                # A server that says nothing: another one may. kazoo itself waits for most of the session's timeout.
                self.close()
            raise self._failed(error) from None

    def close(self) -> None:
        if self._client is not None:
            client, self._client = self._client, None
            # It waits for the server to say good-bye.
            threading.Thread(target=_end, args=(client,), name="zookeeper-end", daemon=True).start()

    # ---- the session

    def _connect(self, end: float) -> None:
        from kazoo.client import KazooClient
        from kazoo.handlers.threading import KazooTimeoutError
        if self._client is None:
            logging.getLogger("kazoo").addHandler(logging.NullHandler())
            self._client = KazooClient(",".join(self.holder.servers), timeout=max(4.0, 2 * self.within_s),
                                       auth_data=self._auth, connection_retry={"max_tries": -1, "max_delay": 1.0})
            self._started = self._client.start_async()
            self._known = False
        self._started.wait(max(0.001, end - time.monotonic()))
        if not self._client.connected:
            # Nothing is queued for a session that is not there: it would be written whenever it comes.
            raise KazooTimeoutError("no connection to any server")
        if not self._known:
            self._must_be_ours(end)
            self._known = True

    def _must_be_ours(self, end: float) -> None:
        """The path is this cluster's, or is made so. Raises HolderRefused."""
        from kazoo.exceptions import NodeExistsError, NoNodeError
        mark = json.dumps({"cluster": self.cluster, "format": FORMAT}).encode()
        acl = self._acl()
        try:
            found, _ = self._ask(self._client.get_async(self.holder.path), end)
        except NoNodeError:
            if not self.anew:
                raise self._gone() from None
            above = self.holder.path.rpartition("/")[0]
            if above:
                self._ask(self._client.ensure_path_async(above), end)
            try:
                self._ask(self._client.create_async(self.holder.path, mark, acl), end)
                found = mark
            except NodeExistsError:
                found, _ = self._ask(self._client.get_async(self.holder.path), end)
        self._judge(found)
        if self.anew:
            try:
                self._ask(self._client.create_async(self._blocks_at, self._sealed({}), acl), end)
            except NodeExistsError:
                pass
            self.anew = False

    def _gone(self) -> HolderRefused:
        return HolderRefused(f"{self.where}: {self.holder.path} is gone, and the cluster's ledger with it",
                             "put it back; or begin anew: disable every coordinator, remove /var/sundog/ledger on "
                             "every node, enable them")

    def _acl(self) -> Any:
        from kazoo.security import CREATOR_ALL_ACL, OPEN_ACL_UNSAFE
        return CREATOR_ALL_ACL if self._auth else OPEN_ACL_UNSAFE

    def _judge(self, found: bytes) -> None:
        path = self.holder.path
        try:
            plain = json.loads(found)
            cluster, form = str(plain["cluster"]), int(plain["format"])
        except (ValueError, KeyError, TypeError):
            raise HolderRefused(f"{self.where}: {path} is something that is not Sundog's",
                                "name another path under zookeeper") from None
        if cluster != self.cluster:
            raise HolderRefused(f"{self.where}: {path} belongs to the Sundog cluster {cluster}",
                                "give every cluster a path of its own under zookeeper")
        if form != FORMAT:
            raise HolderRefused(f"{self.where}: {path} was written by another version of Sundog",
                                "run the same version on every node")

    # ---- the znode

    def _read(self, end: float) -> None:
        raw, stat = self._ask(self._client.get_async(self._blocks_at), end)
        life = f"{stat.czxid:016x}"
        if (stat.version, life) != (self._version, self.life):
            self._blocks = {block.writer: block for block in self._opened(raw).blocks}
            self._version, self.life = stat.version, life

    def _write(self, block: Block, end: float) -> None:
        blocks = trimmed({**self._blocks, block.writer: block})
        stat = self._ask(self._client.set_async(self._blocks_at, self._sealed(blocks), self._version), end)
        if f"{stat.czxid:016x}" != self.life:
            self._version = None
            raise HolderRefused(f"{self.where}: {self._blocks_at} was removed and made anew",
                                "it has another life now; see 'sundog log'")
        self._blocks, self._version = blocks, stat.version

    def _sealed(self, blocks: Dict[str, Block]) -> bytes:
        text = pack(Slots(tuple(blocks.values())))
        if len(text) + _MAC > LARGEST:
            raise HolderFailed(f"{self.where}: {len(text)} bytes are more than a znode holds",
                               "make the configuration smaller: fewer groups in one cluster")
        return self._mac(text) + text

    def _opened(self, raw: bytes) -> Slots:
        mac, text = raw[:_MAC], raw[_MAC:]
        if not hmac.compare_digest(self._mac(text), mac):
            raise HolderRefused(f"{self.where}: {self._blocks_at} was written with another key",
                                "put the same key file on every node; see who else may write there")
        try:
            slots: Slots = unpack(Slots, text)
        except FrameError as error:
            raise HolderRefused(f"{self.where}: {self._blocks_at} is of another version of Sundog ({error})",
                                "run the same version on every node") from None
        return slots

    def _mac(self, text: bytes) -> bytes:
        return hmac.digest(self.key, b"znode " + self.cluster.encode() + b"\0" + text, "sha256")

    def _ask(self, result: Any, end: float) -> Any:
        return result.get(timeout=max(0.001, end - time.monotonic()))

    def _failed(self, error: BaseException) -> HolderFailed:
        said = str(error) or type(error).__name__
        remedy = "do user and password_file fit the path's ACL?" if type(error).__name__ in (
            "NoAuthError", "AuthFailedError") else "do a majority of its servers run? echo srvr | nc SERVER 2181"
        return HolderFailed(f"{self.where}: {said}", remedy)


def _end(client: Any) -> None:
    client.stop()
    client.close()


def trimmed(blocks: Dict[str, Block]) -> Dict[str, Block]:
    """The same for every candidate: of the ledgers only the one that the next ballot carries on (core/paxos.py)."""
    newest = paxos.newest(blocks.values())
    return {name: block if newest is None or block is newest else replace(block, ledger=None)
            for name, block in blocks.items()}
