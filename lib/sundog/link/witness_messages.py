"""What a node and a witness say once they have proven themselves: requests and answers as bytes.

A request: the highest number that this witness is known to have reached, and a block to write or none. An answer: the
store's life and number, and the newest block of every writer. To the witness a block is bytes: nodes of two versions
share a witness that knows neither.
"""
import struct
from dataclasses import dataclass
from typing import Mapping, Optional, Tuple

from sundog.link.proof import NotProven

LIFE = 16                               # characters
_REQUEST = struct.Struct(">Q?")
_ANSWER = struct.Struct(f">{LIFE}sQH")
_BLOCK = struct.Struct(">BI")


@dataclass(frozen=True)
class Kept:
    """What a witness has: `number` grows with every write, over all writers."""
    life: str
    number: int
    blocks: Mapping[str, bytes]


def request(reached: int, block: Optional[bytes]) -> bytes:
    return _REQUEST.pack(reached, block is not None) + (block or b"")


def requested(text: bytes) -> Tuple[int, Optional[bytes]]:
    """(number, block) of a request. Raises NotProven."""
    if len(text) < _REQUEST.size:
        raise NotProven("a request that is too short")
    reached, writes = _REQUEST.unpack_from(text)
    return reached, text[_REQUEST.size:] if writes else None


def answer(kept: Kept) -> bytes:
    parts = [_ANSWER.pack(kept.life.encode(), kept.number, len(kept.blocks))]
    for name, block in sorted(kept.blocks.items()):
        parts += [_BLOCK.pack(len(name), len(block)), name.encode(), block]
    return b"".join(parts)


def answered(text: bytes) -> Kept:
    """Raises NotProven for what is no whole answer."""
    try:
        life, number, count = _ANSWER.unpack_from(text)
        at, blocks = _ANSWER.size, {}
        for _ in range(count):
            size, length = _BLOCK.unpack_from(text, at)
            at += _BLOCK.size
            blocks[text[at:at + size].decode()] = text[at + size:at + size + length]
            at += size + length
        name = life.decode("ascii")
    except (struct.error, UnicodeDecodeError):
        raise NotProven("an answer that is not whole") from None
    if at != len(text):
        raise NotProven("an answer that is not whole")
    return Kept(name, number, blocks)
