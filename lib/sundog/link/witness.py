"""A node's side of a witness: one TCP connection that stays, tried again with growing pauses while it cannot be had.

Blocking, with a deadline for each exchange: runs in a thread of its own.
"""
import socket
import time
from typing import Optional, Tuple

from sundog.core.frames import Block
from sundog.errors import SundogError
from sundog.link import proof, witness_messages
from sundog.link.codec import FrameError, pack, unpack
from sundog.link.passive import HolderFailed, HolderRefused, Passive
from sundog.link.proof import LENGTH, NotProven, Seal

_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 2.0


class Witness(Passive):
    """`within_s`: how long an exchange may take, connecting included."""

    def __init__(self, address: str, port: int, cluster: str, name: str, key: bytes, within_s: float) -> None:
        self.address, self.port, self.cluster, self.name, self.key = address, port, cluster, name, key
        self.within_s = within_s
        self.where = f"witness {address} port {port}"
        self._sock: Optional[socket.socket] = None
        self._out: Seal
        self._in: Seal
        self._reached = 0                               # the highest number that this life is known to have had
        self._pause_s = 0.0
        self._again_at = float("-inf")
        self._trouble: SundogError = HolderFailed(self.where)

    def exchange(self, block: Optional[Block]) -> Tuple[Block, ...]:
        now = time.monotonic()
        if self._sock is None and now < self._again_at:
            raise type(self._trouble)(self._trouble.what, self._trouble.remedy)
        end = now + self.within_s
        try:
            if self._sock is None:
                self._connect(end)
            asked = witness_messages.request(self._reached, None if block is None else pack(block))
            self._send(proof.framed(self._out.seal(asked)), end)
            raw = self._receive(end)
            if raw[:1] == proof.REFUSAL:
                raise HolderRefused(f"{self.where} refuses: {proof.printable(raw[1:])}")
            return self._take(witness_messages.answered(self._in.open(raw)))
        except OSError as error:
            failed = HolderFailed(f"{self.where}: {error.strerror or error}", "is sundogd --witness running there?")
            self._give_up(failed)
            raise failed from None
        except (HolderRefused, NotProven) as error:
            self._give_up(error)
            raise

    def close(self) -> None:
        if self._sock is not None:
            sock, self._sock = self._sock, None
            sock.close()

    # ---- the answer

    def _take(self, kept: witness_messages.Kept) -> Tuple[Block, ...]:
        if kept.life == self.life and kept.number < self._reached:
            raise HolderRefused(f"{self.where} has gone back: it has write {kept.number}, and had {self._reached}",
                                f"an older copy of its files was put back: stop the witness, remove the folder of "
                                f"{self.cluster} in its directory, start it: it comes back with a new life")
        self.life, self._reached = kept.life, kept.number
        return tuple(self._block(name, raw) for name, raw in kept.blocks.items())

    def _block(self, name: str, raw: bytes) -> Block:
        try:
            block: Block = unpack(Block, raw)
        except FrameError as error:
            raise HolderRefused(f"{self.where}: the block of {name} is of another version of Sundog ({error})",
                                "run the same version on every node") from None
        if block.writer != name:
            raise HolderRefused(f"{self.where}: the block of {name} says it is {block.writer}'s")
        return block

    # ---- the connection

    def _connect(self, end: float) -> None:
        self._sock = socket.create_connection((self.address, self.port), timeout=max(0.001, end - time.monotonic()))
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        said = proof.hello(self.cluster)
        self._send(said, end)
        challenged = self._receive(end)
        if challenged[:1] == proof.REFUSAL:
            raise HolderRefused(f"{self.where} refuses: {proof.printable(challenged[1:])}")
        try:
            self._send(proof.framed(proof.answer(self.key, said, challenged, self.name)), end)
        except NotProven as error:
            self._send(proof.refusal(f"node {self.name}: {error}"), end)
            raise HolderRefused(f"{self.where}: {error}",
                                f"put the same key file on every node and on the witness, under clusters.{self.cluster}"
                                ) from None
        self._out, self._in = proof.seals(self.key, said, challenged, self.name)
        self._pause_s = 0.0

    def _send(self, raw: bytes, end: float) -> None:
        assert self._sock is not None
        self._sock.settimeout(max(0.001, end - time.monotonic()))
        self._sock.sendall(raw)

    def _receive(self, end: float) -> bytes:
        size = LENGTH.unpack(self._exactly(LENGTH.size, end))[0]
        if not 0 < size <= proof.LARGEST:
            raise NotProven(f"{self.where}: a message of {size} bytes", "is it a witness that listens there?")
        return self._exactly(size, end)

    def _exactly(self, size: int, end: float) -> bytes:
        assert self._sock is not None
        raw = bytearray()
        while len(raw) < size:
            self._sock.settimeout(max(0.001, end - time.monotonic()))
            part = self._sock.recv(size - len(raw))
            if not part:
                raise ConnectionResetError("it closed the connection")
            raw += part
        return bytes(raw)

    def _give_up(self, error: SundogError) -> None:
        self.close()
        self._trouble = error
        self._pause_s = min(max(_FIRST_PAUSE_S, self._pause_s * 2), _LONGEST_PAUSE_S)
        self._again_at = time.monotonic() + self._pause_s
